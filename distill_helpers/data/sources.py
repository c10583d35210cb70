"""Which source is meant by its name, read and cleaned once."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from .duplicates import duplicate_groups
from .imdb import imdb_files, imdb_is_local, imdb_named, read_imdb
from .rows import UNLABELLED, Rows, clean
from .sample import read_sample, sample_files
from .scripts import is_spaceless
from .table_files import TABLE_SUFFIXES, is_table_file
from .tables import USUAL_SPLIT, read_file

OWN_SOURCES = ("sample", "imdb")
"""Those that the kit knows; every other is the reader's own file."""


@dataclass(frozen=True)
class Columns:
    """How the columns of an own file are called."""

    text_column: str = "text"
    label_column: str = "label"
    split_column: str | None = USUAL_SPLIT
    several_labels: str | None = None


@dataclass
class Prepared:
    """A source, cleaned; every seed draws from the same frame.

    `frame` has, besides what `rows` says, ``group`` (equal numbers mark texts that
    are nearly the same) and ``version`` (those of them with the same label).
    """

    rows: Rows
    frame: pd.DataFrame
    empty: int
    conflicting: int
    spaceless: bool
    lengths: dict[str, int]


# ------------------------------------------------------------ the sources
def stamp(name: str) -> str:
    """Name the content of a source: it changes when a file of it does."""
    if name == "sample":
        return _content(sample_files())
    if name == "imdb":
        return f"{imdb_named()} {_content(imdb_files())}"
    return _content([name]) if os.path.isfile(name) else ""


def _content(files: Iterable[str | Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


@lru_cache(maxsize=2)
def prepare(name: str, stamp: str, columns: Columns = Columns()) -> Prepared:  # noqa: B008
    """Read and clean a source once; every seed splits the same frame.

    "auto" is none: see :func:`meant_by`.

    Raises
    ------
    ValueError
        If columns are named for a source that is no file of the reader's.
    """
    rows = _read_source(name, columns)
    frame, empty = clean(rows.frame)
    if not len(frame):
        raise ValueError(
            f"source={rows.source!r}: none of its {len(rows.frame):,} texts holds a"
            " letter, a digit or a symbol"
        )
    texts = frame["text"].tolist()
    frame = frame.assign(group=duplicate_groups(texts))
    version, conflicting = _versions(frame)
    spaceless = is_spaceless(texts)
    lengths = _lengths(texts, spaceless)
    return Prepared(
        rows, frame.assign(version=version), empty, conflicting, spaceless, lengths
    )


def meant_by(name: str) -> str:
    """Return what "auto" stands for just now, or the name itself."""
    if name != "auto":
        return name
    return "imdb" if imdb_is_local() else "sample"


def _read_source(name: str, columns: Columns) -> Rows:
    if name in OWN_SOURCES:
        if columns != Columns():
            raise ValueError(
                f"source={name!r} has columns of its own: text_column, label_column,"
                " split_column and several_labels are for a file of yours"
            )
        return read_sample() if name == "sample" else read_imdb()
    if is_table_file(name) or os.path.isdir(name):
        return read_file(Path(name), **vars(columns))
    raise ValueError(
        "source must be 'auto', 'sample', 'imdb' or the path of a"
        f" {', '.join(TABLE_SUFFIXES)} file, got {name!r}"
    )


def _versions(frame: pd.DataFrame) -> tuple[np.ndarray, int]:
    """Keep like texts with other labels apart; return how many texts that are.

    Two texts may differ in the one word that decides. They belong to one part,
    but neither stands for the other.
    """
    group, version = frame["group"].to_numpy(), frame["group"].to_numpy().copy()
    known = (frame["label"] != UNLABELLED).to_numpy()
    says = frame["label"]
    if "labels" in frame:
        says = frame["labels"].map(lambda row: None if row is None else tuple(row))
    rows = np.flatnonzero(known)
    different = says[known].groupby(group[known]).transform("nunique") > 1
    rows = rows[different.to_numpy()]
    texts = frame["text"].to_numpy()
    for _, same in pd.Series(rows).groupby(says.iloc[rows].to_numpy()):
        same = same.to_numpy()
        alike = duplicate_groups(texts[same].tolist(), progress=False)
        version[same] = len(frame) + same[alike]
    return version, len(np.unique(version[rows]))


def _lengths(texts: list[str], spaceless: bool) -> dict[str, int]:
    """Return how long texts are: in characters where words have no spaces."""
    count = [len(text) if spaceless else len(text.split()) for text in texts]
    median, p95 = np.percentile(count, [50, 95])
    return {"median": int(median), "p95": int(p95), "longest": int(max(count))}


def whole_imdb() -> pd.DataFrame:
    """Return every review of IMDB, cleaned, for the making of the teacher.

    Returns
    -------
    pandas.DataFrame
        Columns ``text``, ``label`` (-1 where there is none), ``split``
        (``train``, ``test``, ``unsupervised``) and ``group``: equal numbers
        mark reviews that are (nearly) the same.
    """
    frame = prepare("imdb", stamp("imdb")).frame
    split = frame["part"].replace({"": "train", "transfer": "unsupervised"})
    return frame[["text", "label", "group"]].assign(split=split)


def whole_sample() -> pd.DataFrame:
    """Return every sample review, cleaned, with its ``split``."""
    frame, _ = clean(read_sample().frame)
    split = frame["part"].replace("", "pool")
    return frame[["text", "label", "kind"]].assign(split=split)
