"""What the reader has done so far, kept in one small JSON file.

The file is ``runs/progress.json`` beside the notebooks, or the one that the
environment variable ``DISTILL_PROGRESS`` names. Several notebooks may write
to it at once; each change is read, merged and put in place whole.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock

from ...files import whole_file
from ..parameters import DEFAULT_RUNS

VERSION = 1


class RecordError(RuntimeError):
    """The progress file cannot be read or written."""


def record_path() -> Path:
    """Return where progress is kept."""
    return Path(os.environ.get("DISTILL_PROGRESS") or DEFAULT_RUNS / "progress.json")


def read_record(path: Path | None = None) -> dict[str, dict]:
    """Return what is known of every exercise that was tried.

    Returns
    -------
    dict of str to dict
        By key: ``status``, ``attempts``, ``when`` and, for a prediction,
        ``guess`` and ``measured``.

    Raises
    ------
    RecordError
        If the file is damaged or of another version.
    """
    path = path or record_path()
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise RecordError(f"{path} is no progress file of version {VERSION}")
    exercises = content.get("exercises")
    if not isinstance(exercises, dict) or not all(
        isinstance(entry, dict) for entry in exercises.values()
    ):
        raise RecordError(f"{path} holds no list of exercises")
    return exercises


def note(key: str, path: Path | None = None, **facts) -> dict:
    """Add facts about one exercise and return all that is known of it.

    Parameters
    ----------
    key : str
    path : Path, optional
    **facts
        Replace the facts of the same name; ``attempts`` is counted here.

    Raises
    ------
    RecordError
        If the file cannot be read or written; it is left as it was.
    """
    path = path or record_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=10):
            exercises = read_record(path)
            entry = exercises.setdefault(key, {})
            entry |= facts
            entry["attempts"] = entry.get("attempts", 0) + ("status" in facts)
            entry["when"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
            content = {"version": VERSION, "exercises": exercises}
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    except (OSError, TimeoutError) as error:
        raise RecordError(f"{path} cannot be written: {error}") from error
    return entry
