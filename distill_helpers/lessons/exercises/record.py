"""What the reader has done so far, kept in one small JSON file.

The file is ``runs/progress.json`` beside the notebooks, or the one that the
environment variable ``DISTILL_PROGRESS`` names. Several notebooks may write
to it at once; each change is read, merged and put in place whole.
"""

from __future__ import annotations

import json
import math
import os
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock

from ...files import whole_file
from ...foreign import (
    ForeignFileError,
    mapping_of,
    one_of,
    read_json,
    record,
    shown,
    text,
    whole,
)
from ..parameters import DEFAULT_RUNS
from .outcomes import CORRECT, INCORRECT

VERSION = 1
_NO_TIME = datetime.min.replace(tzinfo=timezone.utc)


def moment(when: str) -> datetime:
    """Return when an exercise was tried; in UTC where no zone is given.

    Raises
    ------
    ValueError
        If it is no ISO time.
    """
    if not when:
        return _NO_TIME
    found = datetime.fromisoformat(when)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


_FACTS = record(
    {},
    {"attempts": whole(0, 1_000_000), "status": one_of(None, CORRECT, INCORRECT)}
    | {"when": text(longest=64)},
)


def _exercise_facts(known: object, where: str) -> None:
    """What is known of one exercise: a shape of :mod:`distill_helpers.foreign`."""
    _FACTS(known, where)
    when, tried = known.get("when", ""), known.get("attempts", 0) > 0
    try:
        moment(when)
    except ValueError as error:
        raise ForeignFileError(f"{where}.when must be a time: {shown(when)}") from error
    if known.get("status") and not tried:
        raise ForeignFileError(f"{where} has a status and makes no sense: no attempts")


EXERCISES = mapping_of(_exercise_facts, most=10_000)
"""What is known of all exercises, by key: a shape, too."""


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
        content = read_json(path)
        if not isinstance(content, dict) or content.get("version") != VERSION:
            raise RecordError(f"{path} is no progress file of version {VERSION}")
        exercises = content.get("exercises")
        EXERCISES(exercises, "exercises")
    except FileNotFoundError:
        return {}
    except ForeignFileError as error:
        raise RecordError(f"{path} cannot be used: {error}") from error
    return exercises


def _storable(value: object) -> object:
    """JSON has no NaN; a measurement that went wrong is none."""
    lost = isinstance(value, float) and not math.isfinite(value)
    return None if lost else value


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
            entry |= {name: _storable(value) for name, value in facts.items()}
            entry["attempts"] = entry.get("attempts", 0) + ("status" in facts)
            entry["when"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
            content = {"version": VERSION, "exercises": exercises}
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    except (OSError, TimeoutError) as error:
        raise RecordError(f"{path} cannot be written: {error}") from error
    return entry
