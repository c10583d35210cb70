"""Paths among a notebook's parameters: relative to where its user called.

A sweep and ``distill-kit lessons`` run a notebook in the notebook's own folder, so
a relative path is made absolute first. Plain papermill runs it where papermill was
called, JupyterLab beside the notebook; there a relative path is left as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .parameters import ParameterError

WORDS = {
    "source": ("auto", "sample", "imdb", "practice"),
    "sweep": ("stored", "run"),
    "teacher": ("shipped", "make"),
    "encoder": ("",),
    "second_teacher": ("",),
    "base": (),
    "work_dir": (),
}
"""Parameters that may be paths, with what else they may be."""
_FILES = ("source", "sweep")
"""Those that are no Hub ids, so what is no word must be there."""


def as_called(parameters: Mapping, beside: str | Path) -> dict:
    """Return parameters whose relative paths are absolute.

    Parameters
    ----------
    parameters : mapping
        For a notebook. A word such as ``"sample"`` and a Hub id stay as they are.
    beside : str or Path
        The notebook's folder, where such a path may have been meant, too.

    Returns
    -------
    dict

    Raises
    ------
    ParameterError
        If what can only be a path leads nowhere from here; both places are named.
    """
    return {
        name: _absolute(name, value, Path(beside)) if _may_be(name, value) else value
        for name, value in parameters.items()
    }


def _may_be(name: str, value) -> bool:
    return isinstance(value, str) and value not in WORDS.get(name, (value,))


def _absolute(name: str, value: str, beside: Path) -> str:
    meant = Path(os.path.abspath(os.path.expanduser(value)))
    if name == "work_dir" or os.path.lexists(meant):
        return str(meant)
    if name not in _FILES and not _spelt_as_path(value):
        return value
    there = Path(os.path.abspath(beside / value))
    found = "it is there: name that one in full" if there.exists() else "nor is it"
    raise ParameterError(
        f"{name}={value!r}: there is no {str(meant)!r}; a relative path begins where"
        f" you call, not beside the notebook ({found} {str(there)!r})"
    )


def _spelt_as_path(value: str) -> bool:
    from ..data.table_files import is_table_file  # brings pandas

    begins = value.startswith((".", "~", "/", "\\")) or "\\" in value or ":" in value
    return begins or is_table_file(value)
