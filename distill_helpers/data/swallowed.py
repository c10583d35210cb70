"""Rows that a stray quote has turned into the text of another."""

from __future__ import annotations

import csv

from .cells import Cells


def check_no_row_swallowed(cells: Cells, label_column: str) -> None:
    """Raise if a cell of several lines is made of lines that are rows.

    A quote that opens a cell and is closed by chance some rows later makes one
    cell of all of them. Each of its lines, with what stands before or behind the
    cell, is then a row: as many cells as there are columns, and a label that
    another row has.

    Raises
    ------
    ValueError
        Names the line; the reason alone.
    """
    if cells.separator is None:
        return
    names = list(cells.columns)
    labels = {label for label in cells.columns[label_column] if label.strip()}
    label_place = names.index(label_column)
    for place, name in enumerate(names):
        for index, text in enumerate(cells.columns[name]):
            if "\n" not in text and "\r" not in text:
                continue
            lines = [_cells_in(line, cells.separator) for line in text.splitlines()]
            whole = [cells.columns[other][index] for other in names]
            lines[0] = whole[:place] + lines[0]
            lines[-1] = lines[-1] + whole[place + 1 :]
            if len(lines) > 1 and all(
                len(line) == len(names) and line[label_place] in labels
                for line in lines
            ):
                raise ValueError(
                    f"{cells.where(index)}: the cell of column {name!r} goes over"
                    f" {len(lines):,} lines that look like rows of their own: a double"
                    " quote is too much in the first of them, or one is missing; close"
                    " the cell, or double the quotes that are part of the text"
                )


def _cells_in(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
