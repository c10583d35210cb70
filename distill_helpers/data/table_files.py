"""Tables in files of several kinds, read alike."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from pathlib import Path

from .cells import Cells
from .delimited import read_delimited
from .file_bytes import is_parquet, unpacked_bytes
from .json_rows import read_json, read_json_lines
from .parquet_rows import read_parquet
from .text_encoding import decode

TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
"""What the name of a table ends with, but for a further ``.gz``."""


def is_table_file(path: str | Path) -> bool:
    """Say whether a name is that of a table, packed or not.

    Examples
    --------
    >>> is_table_file("tickets.csv.gz"), is_table_file("tickets.xlsx")
    (True, False)
    """
    return _suffix(Path(path)) in TABLE_SUFFIXES


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_table(
    path: str | Path,
    *,
    argument: str = "source",
    wanted: Sequence[str] = (),
    others: bool = False,
) -> Cells:
    """Read a table as it is; nothing is dropped and nothing is guessed.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, JSON, JSON Lines or Parquet, by its name; also packed with gzip.
    argument : str, default "source"
        What the caller calls it, for messages.
    wanted : sequence of str
        Columns that the caller looks for. They help to find a CSV file's
        separator.
    others : bool, default False
        Whether a Parquet file's columns beyond `wanted` are read as well; if not,
        they are left alone where the first two of `wanted` are there.

    Returns
    -------
    Cells

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read; the message begins with the argument and the path,
        names the line and says what to do.
    """
    path = Path(path)
    named = f"{argument}={str(path)!r}"
    if os.path.isdir(path):  # unlike Path.is_dir, bears a name that is too long
        raise ValueError(f"{named} is a folder: name a file in it")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{named}: there is no such file")
    if not path.is_file():
        raise ValueError(f"{named} is a pipe or a device: name a regular file")
    if not is_table_file(path):
        raise ValueError(
            f"{named} must be a file of one of the kinds"
            f" {', '.join(TABLE_SUFFIXES)} (or one of them with .gz), got"
            f" {path.suffix!r}: save a spreadsheet as CSV (UTF-8)"
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{named} is empty")
    suffix = _suffix(path)
    try:
        cells = _read(unpacked_bytes(path), suffix, wanted, others)
    except (ValueError, OSError) as error:
        raise ValueError(f"{named} cannot be read as {suffix[1:]}: {error}") from error
    if not cells.columns:
        raise ValueError(f"{named} is empty")
    return cells


def _read(data: bytes, suffix: str, wanted: Sequence[str], others: bool) -> Cells:
    if is_parquet(data) != (suffix == ".parquet"):
        verb = "holds" if is_parquet(data) else "does not hold"
        raise ValueError(
            f"it {verb} Parquet: give it the name that fits, or get it anew"
        )
    if suffix == ".parquet":
        return read_parquet(data, () if others else wanted)
    text, encoding = decode(data)
    if suffix in (".csv", ".tsv"):
        usual = "\t" if suffix == ".tsv" else ","
        cells = read_delimited(text, wanted=wanted, usual=usual)
    elif suffix == ".json":
        cells = read_json(text)
    else:
        cells = read_json_lines(text)
    if encoding:
        cells.notes.append(f"read as {encoding}")
    return cells
