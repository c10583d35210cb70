"""Several labels in one cell: noticed where nobody said so, read where asked."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from .class_names import NONE, class_name, number_labels
from .class_order import folded

_SEPARATORS = ("|", ";", ",", "/", "+", "&", "\n")
_CLEAR = ("|", ";")  # in names of classes these are rare
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


def check_single(
    values: Sequence, *, where: Callable[[int], str], column: str = "label"
) -> None:
    """Raise if cells look as if they held several labels.

    A cell does if it is a list, or if what stands between its separators stands
    alone in other cells, or in another place of other cells.

    Raises
    ------
    ValueError
        Names the first such cell, and the separator to ask for; the reason alone.
    """
    cells: dict[str, int] = {}
    for index, value in enumerate(values):
        if isinstance(value, (list, tuple, set, np.ndarray)) or _is_list(value):
            raise ValueError(_noticed(value, index, where, column, ",", "is a list"))
        if isinstance(value, str):
            cells.setdefault(value, index)
    for separator in _SEPARATORS:
        found = _with_several(cells, separator)
        if found:
            first = min(found, key=cells.__getitem__)
            looks = "looks like several labels"
            if len(found) > 1:
                looks += f" (one of {len(found):,} such cells)"
            raise ValueError(
                _noticed(first, cells[first], where, column, separator, looks)
            )


def _is_list(value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\s*\[.*\]\s*", value) is not None


def _noticed(value, index, where, column, separator, looks) -> str:
    return (
        f"{where(index)}: {value!r:.80} in column {column!r} {looks}: to read several"
        f" labels a text, say several_labels={separator!r} (--several-labels"
        f" {separator!r}); if it is one class, give it another name"
    )


def _with_several(cells: Sequence[str], separator: str) -> list[str]:
    split, alone = {}, set()
    for cell in cells:
        parts = [folded(part) for part in cell.split(separator)]
        parts = [part for part in parts if part]
        if separator not in cell or (separator == "," and _DECIMAL_COMMA.match(cell)):
            alone.update(parts)
        elif len(parts) > 1:
            split[cell] = parts
    if separator in _CLEAR:
        found = [cell for cell, parts in split.items() if alone & set(parts)]
    else:
        found = [cell for cell, parts in split.items() if alone >= set(parts)]
    if found or separator not in (*_CLEAR, ","):
        return found
    places = defaultdict(set)
    for parts in split.values():
        for place, part in enumerate(parts):
            places[part].add(place)
    # A path like "home|kitchen" has each of its parts in one place.
    return list(split) if any(len(seen) > 1 for seen in places.values()) else []


def number_several(
    values: Sequence,
    separator: str,
    *,
    where: Callable[[int], str] = "row {}".format,
    class_names: Sequence[str] | None = None,
    column: str = "label",
) -> tuple[list[list[float] | None], list[str], list[str]]:
    """Read several labels a cell.

    Parameters
    ----------
    values : sequence
        A text with separators, or a list of labels. Nothing at all means that a
        text is unlabelled; a lone separator, or an empty list, that no class holds.
    separator : str
        What stands between two labels of a cell.
    where, class_names
        As in :func:`~distill_helpers.data.class_names.number_labels`.
    column : str
        For messages.

    Returns
    -------
    rows : list of (list of float, or None)
        0 or 1 for each class; None where a text is unlabelled.
    names : list of str
    warnings : list of str

    Raises
    ------
    ValueError
        If a cell cannot be read so; the reason alone, with its row.

    Examples
    --------
    >>> number_several(["b|a", "a", "", "|"], "|")[:2]
    ([[1.0, 1.0], [1.0, 0.0], None, [0.0, 0.0]], ['a', 'b'])
    """
    cells = []
    for index, value in enumerate(values):
        try:
            cells.append(_labels_in(value, separator))
        except ValueError as error:
            raise ValueError(f"{where(index)}: {error}") from error
    flat = [label for cell in cells for label in cell or ()]
    owner = [i for i, cell in enumerate(cells) for _ in cell or ()]
    warnings = []
    if all(len(cell or ()) < 2 for cell in cells):
        check_single(flat, where=lambda i: where(owner[i]), column=column)
        warnings.append(f"no cell of column {column!r} holds several labels")
    numbers, names, merged = number_labels(
        flat, where=lambda i: where(owner[i]), class_names=class_names
    )
    rows: list[list[float] | None] = [
        None if cell is None else [0.0] * len(names) for cell in cells
    ]
    for index, number in zip(owner, numbers):
        if number == NONE:
            raise ValueError(f"{where(index)}: one of several labels is empty")
        rows[index][number] = 1.0
    return rows, names, warnings + merged


def _labels_in(value, separator: str) -> list[str] | None:
    if isinstance(value, str):
        if _is_list(value):
            raise ValueError(
                f"{value!r:.80} is a list written as a text: write its labels"
                f" with {separator!r} between them"
            )
        if not class_name(value) and separator not in value:
            return None
        return [part for part in value.split(separator) if class_name(part)]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [value] if class_name(value) else None
    labels = list(value)
    names = [class_name(label) for label in labels]
    if len(set(names)) < len(names) and set(names) <= {"0", "1"}:
        raise ValueError(
            f"{value!r:.60} is a row of 0 and 1; write the names of the classes"
            " that hold instead"
        )
    return labels


def rarest(rows: Sequence[Sequence[float] | None], classes: int) -> np.ndarray:
    """Return a class for each row by which the rows can be spread over parts.

    Parameters
    ----------
    rows : sequence of (sequence of 0 and 1, or None)
    classes : int

    Returns
    -------
    ndarray of int, shape (rows,)
        The rarest of a row's labels; -1 for a row without labels; the commonest
        class where none of them holds.

    Examples
    --------
    >>> rarest([[1, 1], [1, 0], [0, 0], None], 2).tolist()
    [1, 0, 0, -1]
    """
    held = Counter(i for row in rows for i, one in enumerate(row or ()) if one)
    order = sorted(range(classes), key=lambda i: (held[i], i))
    column = []
    for row in rows:
        if row is None:
            column.append(NONE)
        else:
            column.append(next((i for i in order if row[i]), order[-1]))
    return np.array(column, int).reshape(-1)
