"""How a student did, kept in a folder, so that a stopped call can go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from ...evaluation import write_json


def marks_file(folder: str | Path, name: str, seed: int) -> Path:
    """Return where the marks of a student are kept."""
    called = name.replace(", ", "-").replace(" ", "_")
    return Path(folder) / f"{called}-{seed}.json"


def kept_marks(
    folder: str | Path, name: str, seed: int, make: Callable[[], Mapping]
) -> dict:
    """Return the marks of a student, which are made unless they are there already.

    Parameters
    ----------
    folder : str or Path
    name : str
        Of what it learned from.
    seed : int
    make : callable
        Returns plain data.

    Returns
    -------
    dict
    """
    path = marks_file(folder, name, seed)
    if not path.is_file():
        write_json(path, make())
    return json.loads(path.read_text("utf-8"))
