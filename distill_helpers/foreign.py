"""JSON that came from others: bounded, strict, and held against a shape.

A file that was handed in, downloaded or carried here on a stick may hold
anything. :func:`read_json` reads regular files alone, up to a size and a depth,
and takes what the standard forbids or leaves open (NaN, a key twice, a lone
surrogate) for damage. A shape is a function that raises where a value does not
fit; small ones make larger ones.
"""

from __future__ import annotations

import json
import math
import os
import re
import reprlib
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

LARGEST = 8_000_000
"""Bytes of a file that is read, unless a caller knows better."""
DEEPEST = 30
"""Lists and objects in each other."""
DIGITS = 40
"""Of a whole number; Python takes seconds for one of millions."""
_WHOLE = 2**63 - 1

Shape = Callable[[object, str], None]
"""``shape(value, where)`` raises ForeignFileError if the value does not fit."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_short.maxlist = _short.maxdict = 4


class ForeignFileError(ValueError):
    """A file from elsewhere is not what it should be; the message is the reason."""


# -------------------------------------------------------------------- showing
def shown(value: object) -> str:
    """Return a value's repr, cut short; it fits into any message."""
    return _short.repr(value)


def plain(text: str, longest: int = 500) -> str:
    """Return a text that a terminal may show: one line, nothing that is unseen.

    Parameters
    ----------
    text : str
    longest : int, default 500
        Characters that are kept.

    Examples
    --------
    >>> print(plain("red: \\x1b[31m, unseen: a\\u200bda"))
    red: \\x1b[31m, unseen: a\\u200bda
    """
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in cut
    )


# -------------------------------------------------------------------- reading
def read_text(path: str | Path, largest: int = LARGEST) -> str:
    """Read a regular file of UTF-8, with or without a byte order mark.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ForeignFileError
        If it is a folder, a pipe or a device, too large, unreadable or no UTF-8.
    """
    # A pipe would be waited for, and a device may never end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ForeignFileError("is no regular file")
        with open(os.open(path, flags), "rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ForeignFileError(f"cannot be read: {reason}") from error
    if len(content) > largest:
        raise ForeignFileError(f"must have at most {largest:,} bytes, it has more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ForeignFileError(f"is no UTF-8: {error.reason}") from error


def parse_json(text: str) -> object:
    """Read JSON strictly.

    Raises
    ------
    ForeignFileError
        If it is none, is nested deeper than `DEEPEST`, names a key twice, or holds
        NaN, an infinite or enormous number or half of a character.

    Examples
    --------
    >>> parse_json('{"accuracy": 0.8, "accuracy": 0.9}')
    Traceback (most recent call last):
        ...
    distill_helpers.foreign.ForeignFileError: names 'accuracy' twice in one object
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_each_once,
            parse_constant=_no_constant,
            parse_int=_moderate,
        )
    except RecursionError as error:
        raise ForeignFileError(_TOO_DEEP) from error
    except ForeignFileError:
        raise
    except ValueError as error:
        raise ForeignFileError(f"cannot be read as JSON: {error}") from error
    _look_into(value)
    return value


_TOO_DEEP = f"must not nest lists and objects more than {DEEPEST} deep"


def _each_once(pairs: list[tuple[str, object]]) -> dict:
    record: dict = {}
    for name, value in pairs:
        if name in record:
            raise ForeignFileError(f"names {shown(name)} twice in one object")
        record[name] = value
    return record


def _no_constant(name: str) -> None:
    raise ForeignFileError(f"holds {name}, which is no number")


def _moderate(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ForeignFileError(f"holds a whole number of {len(digits):,} digits")
    return int(digits)


def _look_into(value: object) -> None:
    """Walk without recursion, which a deep value would exhaust."""
    level, depth = [value], 0
    while level:
        below: list = []
        for one in level:
            if isinstance(one, dict):
                below += one.keys()
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, float) and not math.isfinite(one):
                raise ForeignFileError("holds a number beyond all bounds")
            elif isinstance(one, str) and re.search("[\ud800-\udfff]", one):
                raise ForeignFileError(f"holds half of a character: {shown(one)}")
        level, depth = below, depth + 1
        if depth > DEEPEST + 1:
            raise ForeignFileError(_TOO_DEEP)


def read_json(path: str | Path, shape: Shape | None = None, largest: int = LARGEST):
    """Read a JSON file that others wrote.

    Parameters
    ----------
    path : str or Path
    shape : Shape, optional
        What the content must be.
    largest : int, default `LARGEST`
        In bytes.

    Returns
    -------
    object

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ForeignFileError
        If it does not fit; whoever calls knows how to name the file.
    """
    value = parse_json(read_text(path, largest))
    if shape is not None:
        shape(value, "")
    return value


# --------------------------------------------------------------------- shapes
def _refuse(where: str, must: str, value: object) -> None:
    raise ForeignFileError(f"{where or 'it'} must be {must}, got {shown(value)}")


def whole(least: int = 0, most: int = _WHOLE) -> Shape:
    """A whole number within [`least`, `most`]; ``true`` is none."""

    def check(value, where):
        if type(value) is not int or not least <= value <= most:
            _refuse(where, f"a whole number within [{least}, {most}]", value)

    return check


def number(
    least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf
) -> Shape:
    """A finite number, above `above` and within [`least`, `most`]."""
    bounds = [
        f"above {above:g}" if above > -math.inf else "",
        f"of at least {least:g}" if least > -math.inf else "",
        f"of at most {most:g}" if most < math.inf else "",
    ]
    must = " ".join(["a finite number", " and ".join(filter(None, bounds))]).strip()

    def check(value, where):
        plain_number = type(value) in (int, float) and math.isfinite(value)
        if not (plain_number and value > above and least <= value <= most):
            _refuse(where, must, value)

    return check


def text(pattern: str = r"(?s).*", what: str = "a text", longest: int = 2_000) -> Shape:
    """A text of characters that are seen, of a pattern."""
    fitting = re.compile(pattern)

    def check(value, where):
        if not (
            isinstance(value, str)
            and len(value) <= longest
            and value.isprintable()
            and fitting.fullmatch(value)
        ):
            _refuse(where, f"{what} of at most {longest:,} seen characters", value)

    return check


def label_name(value: object, where: str) -> None:
    """The name of a class, whatever its characters."""
    if not isinstance(value, str) or not 0 < len(value) <= 2_000:
        raise ForeignFileError(f"{where} must be a text of 1 to 2,000 characters")


def one_of(*allowed) -> Shape:
    """One of some values; 1 is not ``true``."""

    def check(value, where):
        if not any(type(value) is type(a) and value == a for a in allowed):
            _refuse(where, f"one of {list(allowed)}", value)

    return check


def anything(value: object, where: str) -> None:
    """Whatever JSON holds."""


def optional(shape: Shape) -> Shape:
    """What a shape allows, or null."""

    def check(value, where):
        if value is not None:
            shape(value, where)

    return check


def either(*shapes: Shape) -> Shape:
    """What one of some shapes allows; the last one words the refusal."""

    def check(value, where):
        for shape in shapes[:-1]:
            try:
                return shape(value, where)
            except ForeignFileError:
                continue
        return shapes[-1](value, where)

    return check


def list_of(shape: Shape, least: int = 0, most: int = 100_000) -> Shape:
    """A list of `least` to `most` values of one shape."""

    def check(value, where):
        if not isinstance(value, list) or not least <= len(value) <= most:
            _refuse(where, f"a list of {least} to {most} values", value)
        for place, one in enumerate(value):
            shape(one, f"{where}[{place}]")

    return check


def mapping_of(shape: Shape, names: Shape = anything, most: int = 100_000) -> Shape:
    """An object whose values have one shape, and its names another."""

    def check(value, where):
        if not isinstance(value, dict) or len(value) > most:
            _refuse(where, f"an object of at most {most} names", value)
        for name, one in value.items():
            names(name, f"a name in {where or 'it'}")
            shape(one, f"{where}[{shown(name)}]")

    return check


def record(
    required: Mapping[str, Shape], possible: Mapping[str, Shape] | None = None
) -> Shape:
    """An object with certain names; names that no shape knows are let be."""
    known = {**required, **(possible or {})}

    def check(value, where):
        if not isinstance(value, dict):
            _refuse(where, f"an object with {', '.join(required) or 'names'}", value)
        lacking = [name for name in required if name not in value]
        if lacking:
            _refuse(where, f"an object with {', '.join(required)}", sorted(value))
        for name, shape in known.items():
            if name in value:
                shape(value[name], f"{where}.{name}" if where else name)

    return check
