"""Rows of a JSON or JSON Lines file."""

from __future__ import annotations

import json

from .cells import Cells

_SHAPES = (
    'a list of objects such as {"text": "...", "label": "..."}, or an object with a'
    " list for each column"
)


def read_json(text: str) -> Cells:
    """Read a list of objects, or an object of columns.

    Raises
    ------
    ValueError
        If it is no JSON, or of another shape; the message is the reason alone.
    """
    try:
        value = _parsed(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # JSON Lines by another name
            return read_json_lines(text)
        raise ValueError(f"line {error.lineno:,}: {error.msg}") from error
    if isinstance(value, list):
        for place, record in enumerate(value, start=1):
            _check_object(record, f"row {place:,}")
        return Cells.of_records(value, range(1, len(value) + 1), "row")
    if isinstance(value, dict) and value:
        return _of_columns(value)
    raise ValueError(f"it must hold {_SHAPES}")


def read_json_lines(text: str) -> Cells:
    """Read an object from each line that is not blank.

    Raises
    ------
    ValueError
        If a line holds something else; the message names it.
    """
    records, places = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        if not records and line.lstrip().startswith("["):
            return read_json(text)  # a whole list by another name
        try:
            record = _parsed(line)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"line {number:,}, column {error.colno:,}: {error.msg}; each line must"
                " hold one whole object"
            ) from error
        except ValueError as error:
            raise ValueError(f"line {number:,}: {error}") from error
        _check_object(record, f"line {number:,}")
        records.append(record)
        places.append(number)
    return Cells.of_records(records, places, "line")


def _of_columns(value: dict) -> Cells:
    """Read columns of cells; pandas numbers the cells of each by row."""
    columns = {}
    keys = None
    for name, column in value.items():
        if isinstance(column, dict):
            if keys is not None and list(column) != keys:
                raise ValueError(f"column {name!r} has other rows than the one before")
            keys, column = list(column), list(column.values())
        if not isinstance(column, list):
            raise ValueError(f"it must hold {_SHAPES}; {name!r} is no list")
        columns[name] = column
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"its columns differ in length: {lengths}")
    return Cells(columns, range(1, len(column) + 1), "row")


def _check_object(record, where: str) -> None:
    if not isinstance(record, dict):
        raise ValueError(
            f'{where} must hold an object such as {{"text": "...", "label": "..."}},'
            f" got {type(record).__name__}"
        )


def _parsed(text: str):
    try:
        return json.loads(
            text,
            object_pairs_hook=_each_once,
            parse_constant=_constant,
            parse_int=_whole,
        )
    except RecursionError as error:
        raise ValueError("its lists or objects are nested too deep") from error


def _each_once(pairs) -> dict:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object names {twice!r} twice")
    return record


def _constant(name: str):
    return None if name == "NaN" else float(name)


def _whole(digits: str) -> int | str:
    # Python turns no more than 4,300 digits into a number.
    return int(digits) if len(digits) <= 1_000 else digits
