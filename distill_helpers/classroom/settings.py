"""The settings of a sweep: a grid, a list, a command line or a folder's plan.

A value on the command line is JSON where it is JSON: a number, ``true``, ``false``,
``null``, a text in double quotes, a list or an object. Everything else is a text, as
it stands: ``0123``, ``1:30``, ``2024-01-01``, ``yes``, ``.5``, ``1_000``, ``nan``.
What a notebook's parameter does not take is refused before anything runs.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

from ..foreign import (
    ForeignFileError,
    anything,
    list_of,
    mapping_of,
    parse_json,
    plain,
    read_json,
    record,
)
from ..lessons.parameters import ParameterError

PLAN = "plan.json"
MOST = 10_000
"""Settings of one sweep; each is a process of its own, and a folder."""
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SETTINGS = list_of(mapping_of(anything, most=1_000))
_HEAD = ("format", "notebook", "code", "fixed")
_PLAN = record({**dict.fromkeys(_HEAD, anything), "settings": _SETTINGS})


@dataclass(frozen=True)
class Setting:
    """The parameters of one run.

    Two settings are one if their parameters are equal: 1, 1.0 and 1e0 are, as are
    0 and -0.0, while 1, true and "1" are not; the order of names does not count.

    Attributes
    ----------
    parameters : dict
        As papermill hands them to the notebook.

    Raises
    ------
    ParameterError
        If a value is nothing that JSON holds, or not finite.
    """

    parameters: Mapping

    def __post_init__(self):
        values = {n: _as_json(n, v) for n, v in self.parameters.items()}
        object.__setattr__(self, "parameters", values)

    @property
    def key(self) -> str:
        """A name for a folder anywhere, which differs whenever a parameter does."""
        same = {name: _same(self.parameters[name]) for name in sorted(self.parameters)}
        text = json.dumps(same, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        words = "_".join(f"{name}-{value}" for name, value in same.items())
        seen = re.sub(r"[^\w.-]+", "-", words, flags=re.ASCII)[:80].strip("-_.")
        return f"{seen}_{digest}"


def _as_json(name: str, value):
    """Return a value as JSON would give it back; NumPy's numbers are numbers."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return [_as_json(name, one) for one in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _as_json(name, one) for key, one in value.items()}
    raise ParameterError(
        f"{name!r} must be a finite number, a text, true, false, null, or a list or an"
        f" object of them, got {type(value).__name__}: {value!r}"
    )


def _same(value):
    """Return one spelling for values that are equal."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_same(one) for one in value]
    if isinstance(value, dict):
        return {key: _same(value[key]) for key in sorted(value)}
    return value


def grid(axes: Mapping[str, Sequence]) -> list[Setting]:
    """Return every combination of the axes' values.

    Parameters
    ----------
    axes : mapping of str to sequence

    Returns
    -------
    list of Setting
        The last axis changes fastest.

    Raises
    ------
    ParameterError
        If there is no axis, one has no value or one twice, or there are more than
        `MOST` combinations.

    Examples
    --------
    >>> [s.parameters for s in grid({"T": [1, 2], "alpha": [0.5]})]
    [{'T': 1, 'alpha': 0.5}, {'T': 2, 'alpha': 0.5}]
    """
    if not axes:
        raise ParameterError("a grid needs at least one axis")
    for name, values in axes.items():
        keys = {Setting({name: value}).key for value in values}
        if not keys or len(keys) < len(values):
            raise ParameterError(
                f"the axis {name!r} needs at least one value and none twice, got"
                f" {list(values)!r}"
            )
    combinations = math.prod(map(len, axes.values()))
    if combinations > MOST:
        raise ParameterError(
            f"a grid must have at most {MOST:,} settings, got {combinations:,}:"
            " take fewer values, or one folder for each part"
        )
    names = list(axes)
    return [
        Setting(dict(zip(names, values)))
        for values in itertools.product(*axes.values())
    ]


def parse_axis(text: str) -> tuple[str, list]:
    """Read ``name=value,value``; JSON is what it says, all else is text.

    Raises
    ------
    ParameterError
        If there is no name, no ``=``, an empty value, or one that begins like JSON
        and is none.

    Examples
    --------
    >>> parse_axis("temperature=1,2.5,4e0")
    ('temperature', [1, 2.5, 4.0])
    >>> parse_axis("seeds=[0,1],[2,3]")
    ('seeds', [[0, 1], [2, 3]])
    >>> parse_axis('code=0123,1:30,yes,"7"')
    ('code', ['0123', '1:30', 'yes', '7'])
    """
    name, equals, values = text.partition("=")
    if not equals or not name.strip() or not values.strip():
        raise ParameterError(f"write name=value,value, got {plain(text)!r}")
    try:
        return name.strip(), [_value(part) for part in _parts(values)]
    except ForeignFileError as error:
        raise ParameterError(f"{plain(text)!r} cannot be read: {error}") from error


def _parts(values: str) -> Iterator[str]:
    """Cut at commas, but not inside of a list, an object or a quoted text."""
    start, end = 0, -1
    while end < len(values):
        start += len(values[start:]) - len(values[start:].lstrip())
        if values[start : start + 1] in ("[", "{", '"'):
            end = _end_of_json(values, start)
        else:
            comma = values.find(",", start)
            end = len(values) if comma < 0 else comma
        yield values[start:end].strip()
        start = end + 1


def _end_of_json(values: str, start: int) -> int:
    try:
        _, end = json.JSONDecoder().raw_decode(values, start)
    except (ValueError, RecursionError) as error:
        raise ForeignFileError(f"it begins like JSON and is none: {error}") from error
    rest = values[end:].lstrip()
    if rest and not rest.startswith(","):
        raise ForeignFileError(f"{rest!r} stands behind JSON; a comma must")
    return len(values) - len(rest)


def _value(text: str):
    if not text:
        raise ForeignFileError('one value is empty; an empty text is written ""')
    if text[0] == "'":
        raise ForeignFileError(f"{text} has single quotes, JSON has double ones")
    if text[0] in '[{"' or _NUMBER.fullmatch(text) or text in ("true", "false", "null"):
        return parse_json(text)
    return text


def parse_fixed(text: str) -> tuple[str, object]:
    """Read ``name=value``, one value.

    Raises
    ------
    ParameterError
        As :func:`parse_axis`, or if there are several values.

    Examples
    --------
    >>> parse_fixed("seeds=[0,1]")
    ('seeds', [0, 1])
    """
    name, values = parse_axis(text)
    if len(values) != 1:
        raise ParameterError(
            f"--fixed takes one value, got {plain(text)!r}; a text with a comma stands"
            " in double quotes"
        )
    return name, values[0]


def read_settings(path: str | Path) -> list[Setting]:
    """Read a JSON list of settings, each an object of parameters.

    Raises
    ------
    ParameterError
        If the file is missing, damaged, or something else.
    """
    try:
        content = read_json(path, _SETTINGS)
    except (FileNotFoundError, ForeignFileError) as error:
        raise ParameterError(
            f"{str(path)!r} must hold a list of objects: {error}"
        ) from error
    return [Setting(parameters) for parameters in content]


def read_plan(folder: str | Path) -> dict:
    """Return what a folder's sweep was to run.

    Raises
    ------
    ParameterError
        If there is no plan, or it is damaged.
    """
    path = Path(folder) / PLAN
    try:
        return read_json(path, _PLAN)
    except (FileNotFoundError, ForeignFileError) as error:
        raise ParameterError(
            f"{str(path)!r} is no plan of a sweep: {error}; take it away and the same"
            " command writes it again, its finished runs stay"
        ) from error
