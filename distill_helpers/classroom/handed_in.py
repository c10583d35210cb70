"""Folders into which a class drops files: what lies there, and how it is shown."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

import pandas as pd

from ..files import whole_file

DEEPEST = 20
"""Folders in each other that are looked into."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def files_in(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Find the files below a folder that can be read; hidden ones are passed over.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
        Regular files and links to such, sorted, relative to `folder`.
    list of (Path, str)
        What else lies there (pipes, devices, broken links, folders that cannot
        be looked into), and what is wrong with it.
    """
    found, odd = [], []

    def unreadable(error: OSError) -> None:
        where = Path(error.filename).relative_to(folder)
        odd.append((where, f"cannot be looked into: {error.strerror}"))

    for here, folders, names in os.walk(folder, onerror=unreadable):
        inside = Path(here).relative_to(folder)
        shown = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in shown if (Path(here) / name).is_symlink()]
        odd += [(inside / n, "is a link to a folder; not followed") for n in linked]
        folders[:] = [name for name in shown if name not in linked]
        if len(inside.parts) >= DEEPEST and folders:
            reason = f"lies more than {DEEPEST} folders deep"
            odd += [(inside / name, reason) for name in folders]
            folders.clear()
        for name in sorted(names):
            if not name.startswith("."):
                reason = _reason(Path(here) / name)
                if reason:
                    odd.append((inside / name, reason))
                else:
                    found.append(inside / name)
    return sorted(found), sorted(odd)


def _reason(path: Path) -> str:
    """Say what makes a path unreadable without opening it."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        broken = getattr(error, "strerror", None) or type(error).__name__
        return f"cannot be read: {broken}"
    return "" if stat.S_ISREG(mode) else "is no regular file"


def seen_name(name: str) -> str:
    """Return a name without characters that nobody sees, in one normal form.

    Examples
    --------
    >>> seen_name("a\\u200bda")
    'ada'
    """
    normal = unicodedata.normalize("NFC", name)
    return "".join(c for c in normal if c.isprintable()).strip()


def same_name(name: str) -> str:
    """Return what two names share that look alike: width, case and unseen signs."""
    return seen_name(unicodedata.normalize("NFKC", name)).casefold()


def cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> cell("=2+5"), cell("ada"), cell(-1.5)
    ("'=2+5", 'ada', -1.5)
    """
    if not isinstance(value, str):
        return value
    first = unicodedata.normalize("NFKC", value).lstrip(" \u00a0")[:1]
    return f"'{value}" if first in _FORMULA else value


def write_table(table: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as CSV that is safe to open in a spreadsheet.

    Cells, names and headings that begin with ``=``, ``+``, ``-`` or ``@`` get an
    apostrophe in front, so that they stay texts.

    Parameters
    ----------
    table : DataFrame
    path : str or Path
        Written whole or not at all.

    Returns
    -------
    Path
    """
    path, safe = Path(path), table.copy()
    for place, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(place, safe.iloc[:, place].map(cell))
    safe.columns = [cell(name) for name in safe.columns]
    safe.index = safe.index.map(cell)
    safe.index.name = table.index.name
    with whole_file(path) as temporary:
        safe.to_csv(temporary, encoding="utf-8", errors="backslashreplace")
    return path
