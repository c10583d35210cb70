"""Rows of a CSV file: each has as many cells as the first line names columns.

The separator is not guessed from a piece of the file: it is the one by which all
rows come out whole.
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from .cells import Cells, check_rows

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_HINT = re.compile(r"sep=(.)\r?\n")  # Excel's, before the header
_LONGEST_CELL = 2**31 - 1  # a C long, on Windows too
_LIMIT = threading.Lock()


@dataclass
class _Reading:
    """What comes of a text if it is cut at one separator."""

    separator: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    failure: str = ""

    def misfits(self) -> list[int]:
        width = len(self.header)
        return [i for i, row in enumerate(self.rows) if len(row) != width]

    def rank(self, wanted: Sequence[str], usual: str) -> tuple:
        """Sort the better reading later."""
        named = sum(name in self.header for name in wanted)
        fitting = 1 - len(self.misfits()) / max(1, len(self.rows))
        return (
            named,
            not self.failure,
            fitting,
            len(self.header) > 1,
            self.separator == usual,
            len(self.header),
        )


def read_delimited(text: str, *, wanted: Sequence[str] = (), usual: str = ",") -> Cells:
    """Cut the text of a CSV file into cells.

    Parameters
    ----------
    text : str
        The first line that is not blank names the columns.
    wanted : sequence of str
        Columns that the header should name: it tells the separator best.
    usual : str, default ","
        The separator to prefer where several would do.

    Returns
    -------
    Cells
        All of str. Blank lines are none; a row of nothing but separators is one.

    Raises
    ------
    ValueError
        If a row has more or fewer cells than there are columns, a quote is not
        closed, or two columns have one name. The message is the reason alone,
        with the line.
    """
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"line {line:,} holds a zero byte: it is damaged, or no text")
    hint = _HINT.match(text)
    separators = [hint[1]] if hint else list(SEPARATORS)
    with _long_cells():
        best = max(
            (_read(text, s, skip=bool(hint)) for s in separators),
            key=lambda reading: reading.rank(wanted, usual),
        )
    if best.failure:
        raise ValueError(best.failure)
    if not best.header:
        return Cells({}, [])
    notes = _even_out(best)
    header = _check_header(best)
    if best.separator != usual:
        notes.insert(0, f"separated by {_name_of(best.separator)}s")
    columns = {name: [row[i] for row in best.rows] for name, i in header.items()}
    return Cells(columns, best.lines, "line", notes, separator=best.separator)


def _name_of(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let a cell be longer than the csv module's 131,072 letters."""
    with _LIMIT:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _read(text: str, separator: str, *, skip: bool) -> _Reading:
    reading = _Reading(separator, [])
    source = io.StringIO(text, newline="")
    if skip:
        source.readline()
    rows = csv.reader(source, delimiter=separator, strict=True, skipinitialspace=True)
    start = 1
    try:
        for row in rows:
            if row and not (len(row) == 1 and not row[0].strip()):
                if not reading.header:
                    reading.header = [name.strip() for name in row]
                    if len(row) == 1 and separator != ",":
                        return reading  # not this one
                else:
                    reading.rows.append(row)
                    reading.lines.append(start + skip)
                    check_rows(len(reading.rows))
            start = rows.line_num + 1
    except csv.Error as error:
        reading.failure = _in_words(error, start + skip, rows.line_num + skip)
    return reading


def _in_words(error: csv.Error, start: int, end: int) -> str:
    if "unexpected end" in str(error):
        return (
            f"a double quote is opened in the row of line {start:,} and never closed;"
            " close it, or double it where it is part of the text"
        )
    if "expected after" in str(error):
        upto = f" to {end:,}" if end > start else ""
        return (
            f"line {start:,}{upto}: a cell that begins with a double quote goes on"
            " behind the quote that ends it; close the cell there, or double the"
            " quotes that are part of the text"
        )
    return f"line {start:,}: {error}"


def _even_out(reading: _Reading) -> list[str]:
    """Mend what loses nothing, refuse what would; return notes of the former."""
    notes = []
    whole = [row for row in reading.rows if any(cell.strip() for cell in row)]
    longest = max(map(len, whole), default=0)
    while not reading.header[-1] and longest < len(reading.header) > 1:
        reading.header.pop()  # a separator at the end of the first line alone
    width = len(reading.header)
    if whole and all(len(row) > width and not any(row[width:]) for row in whole):
        for row in whole:
            del row[width:]
        notes.append("every row ends with a separator, which is left out")
    for row in reading.rows:
        if not any(cell.strip() for cell in row):
            row[:] = [""] * width  # a row of separators alone
    misfits = reading.misfits()
    if misfits:
        raise ValueError(_misfit(reading, misfits))
    return notes


def _misfit(reading: _Reading, misfits: list[int]) -> str:
    first, width = misfits[0], len(reading.header)
    cells, name = len(reading.rows[first]), _name_of(reading.separator)
    names = ", ".join(f"{name:.30}" for name in reading.header[:8])
    others = f", and {len(misfits) - 1:,} more do not fit," if len(misfits) > 1 else ""
    advice = (
        f"put a text that holds a {name} into double quotes"
        if cells > width
        else "complete it, or close a quote before it"
    )
    line = reading.separator.join(reading.rows[first])
    for other in SEPARATORS.keys() - {reading.separator}:
        if cells == 1 and line.count(other) == width - 1:
            advice = f"it is separated by {SEPARATORS[other]}: use one throughout"
    return (
        f"line {reading.lines[first]:,} has {cells} cell{'s' * (cells != 1)}{others}"
        f" where the first line names {width} column{'s' * (width != 1)} ({names}),"
        f" separated by {name}: {advice}"
    )


def _check_header(reading: _Reading) -> dict[str, int]:
    """Number the columns by name; one without a name must be empty or gets one."""
    header: dict[str, int] = {}
    for place, name in enumerate(reading.header):
        if not name:
            if not any(row[place].strip() for row in reading.rows):
                continue
            name = f"(column {place + 1})"
        if name in header:
            raise ValueError(
                f"columns {header[name] + 1} and {place + 1} are both called"
                f" {name!r}: give one of them another name"
            )
        header[name] = place
    return header
