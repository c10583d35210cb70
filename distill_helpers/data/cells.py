"""What a table file holds, cell by cell, and where each row stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..arguments import nearest

MOST_ROWS = 5_000_000
"""More rows are not read."""


def check_rows(count: int) -> None:
    """Raise a ValueError, with the reason alone, if these are too many rows."""
    if count > MOST_ROWS:
        raise ValueError(
            f"it holds {count:,} rows or more, and {MOST_ROWS:,} is the most that is"
            " read: take a part of them, a student needs no more"
        )


@dataclass
class Cells:
    """The columns of a file as they were read, before anything is made of them.

    Attributes
    ----------
    columns : dict of str to list
        Cells by column, all lists of one length. From CSV all are str; from JSON
        and Parquet they are what they were, None where there is nothing.
    places : sequence of int
        The line in which each row begins, or the row's number.
    unit : str
        Which of the two: ``"line"`` or ``"row"``.
    notes : list of str
        What is not as plain as it could be: the separator, the encoding.
    class_names : dict of str to list of str
        Names of the classes that the file itself gives for a column of numbers.
    separator : str, optional
        What stands between the cells of a CSV file.
    without : dict of str to int
        Columns that a record of JSON does not name at all, and the index of the
        first such record.
    """

    columns: dict[str, list]
    places: Sequence[int]
    unit: str = "row"
    notes: list[str] = field(default_factory=list)
    class_names: dict[str, list[str]] = field(default_factory=dict)
    separator: str | None = None
    without: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.places)

    def where(self, index: int) -> str:
        """Say where a row stands, as in "line 7"."""
        return f"{self.unit} {self.places[index]:,}"

    @classmethod
    def of_records(cls, records: Sequence[dict], places, unit: str) -> Cells:
        """Make columns of dictionaries; what one of them lacks is None there."""
        check_rows(len(records))
        names = dict.fromkeys(name for record in records for name in record)
        columns = {name: [r.get(name) for r in records] for name in names}
        without: dict[str, int] = {}
        for index, record in enumerate(records):
            for name in names.keys() - record.keys():
                without.setdefault(name, index)
        return cls(columns, places, unit, without=without)


def lacking(cells: Cells, wanted: dict[str, str]) -> str:
    """Say which columns are not there, and which are meant perhaps.

    Parameters
    ----------
    cells : Cells
    wanted : dict of str to str
        The column's name by the parameter that gives it.

    Returns
    -------
    str
        ``""`` if all are there.
    """
    have = list(cells.columns)
    missing = {key: name for key, name in wanted.items() if name not in have}
    if not missing:
        return ""
    near = {key: _nearest(name, have) for key, name in missing.items()}
    hints = ", ".join(f"{key}={name or '...'!r}" for key, name in near.items())
    if any(name is not None for name in near.values()):
        advice = f"; perhaps you mean {hints}"
    else:
        advice = f"; say which of these you mean: {hints}"
        if cells.unit == "line" and cells.separator:
            advice += " (the first line must name the columns)"
    return (
        f"lacks the column{'s' if len(missing) > 1 else ''}"
        f" {', '.join(missing.values())}; it has {_shown(have)}, and needs"
        f" {' and '.join(map(repr, wanted.values()))}{advice}"
    )


def _nearest(name: str, have: Sequence[str]) -> str | None:
    plain = {other.strip().casefold(): other for other in have}
    key = name.strip().casefold()
    holding = (other for other in plain if other and key in other)
    found = nearest(key, plain) or next(holding, None)
    return None if found is None else plain[found]


def _shown(names: Sequence[str], most: int = 20) -> str:
    shown = [name if len(name) <= 40 else f"{name[:40]}..." for name in names[:most]]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{shown}{more}"
