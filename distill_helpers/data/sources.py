"""Which source is meant by its name, read and cleaned once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

from .duplicates import duplicate_groups
from .imdb import imdb_is_local, imdb_named, read_imdb
from .rows import Rows, clean
from .sample import read_sample
from .tables import SUFFIXES, read_file


# ------------------------------------------------------------ the sources
def stamp(name: str) -> tuple:
    """Change when a source may have changed since it was last read."""
    path = Path(name)
    if path.is_file():
        return path.stat().st_mtime_ns, path.stat().st_size
    return (imdb_named(),)


@lru_cache(maxsize=2)
def prepare(name: str, stamp: tuple) -> tuple[Rows, pd.DataFrame, int]:
    """Read and clean a source once; every seed splits the same frame.

    "auto" is none: see :func:`meant_by`.
    """
    rows = _read_source(name)
    frame, empty = clean(rows.frame)
    groups = duplicate_groups(frame["text"].tolist())
    return rows, frame.assign(group=groups), empty


def meant_by(name: str) -> str:
    """Return what "auto" stands for just now, or the name itself."""
    if name != "auto":
        return name
    return "imdb" if imdb_is_local() else "sample"


def _read_source(name: str) -> Rows:
    if name == "sample":
        return read_sample()
    if name == "imdb":
        return read_imdb()
    if Path(name).suffix.lower() in SUFFIXES:
        return read_file(Path(name))
    raise ValueError(
        "source must be 'auto', 'sample', 'imdb' or the path of a"
        f" {', '.join(SUFFIXES)} file, got {name!r}"
    )


def whole_imdb() -> pd.DataFrame:
    """Return every review of IMDB, cleaned, for the making of the teacher.

    Returns
    -------
    pandas.DataFrame
        Columns ``text``, ``label`` (-1 where there is none), ``split``
        (``train``, ``test``, ``unsupervised``) and ``group``: equal numbers
        mark reviews that are (nearly) the same.
    """
    _, frame, _ = prepare("imdb", stamp("imdb"))
    split = frame["part"].replace({"": "train", "transfer": "unsupervised"})
    return frame[["text", "label", "group"]].assign(split=split)


def whole_sample() -> pd.DataFrame:
    """Return every sample review, cleaned, with its ``split``."""
    frame, _ = clean(read_sample().frame)
    split = frame["part"].replace("", "pool")
    return frame[["text", "label", "kind"]].assign(split=split)
