"""PackStream, the bytes in which Neo4j's drivers and servers speak.

References
----------
.. [1] Neo4j, "PackStream", in the documentation of the Bolt protocol, 2022.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

_NULL, _FLOAT, _FALSE, _TRUE = 0xC0, 0xC1, 0xC2, 0xC3
_WHOLE = {0xC8: ">b", 0xC9: ">h", 0xCA: ">i", 0xCB: ">q"}
_TINY = {"text": 0x80, "list": 0x90, "map": 0xA0}
_SIZED = {"text": 0xD0, "list": 0xD4, "map": 0xD8}
_SIZES = (">B", ">H", ">I")
_STRUCTURE = 0xB0


class Structure(NamedTuple):
    """A message: a tag and its fields."""

    tag: int
    fields: list


def pack(value: Any) -> bytes:
    """Return a value as bytes.

    Parameters
    ----------
    value : None, bool, int, float, str, list, dict or Structure

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        If it is of another type.
    OverflowError
        If a whole number needs more than 64 bits.

    Examples
    --------
    >>> pack([1, "a"]).hex()
    '92018161'
    """
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_TRUE if value else _FALSE])
    if isinstance(value, int):
        return _pack_whole(value)
    if isinstance(value, float):
        return bytes([_FLOAT]) + struct.pack(">d", value)
    if isinstance(value, str):
        content = value.encode()
        return _head("text", len(content)) + content
    if isinstance(value, Structure):
        head = bytes([_STRUCTURE + len(value.fields), value.tag])
        return head + b"".join(map(pack, value.fields))
    if isinstance(value, (list, tuple)):
        return _head("list", len(value)) + b"".join(map(pack, value))
    if isinstance(value, dict):
        pairs = (pack(str(key)) + pack(item) for key, item in value.items())
        return _head("map", len(value)) + b"".join(pairs)
    raise TypeError(
        f"value must be of a type of PackStream, got {type(value).__name__}"
    )


def unpack(content: bytes) -> Any:
    """Return the value that bytes hold.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    None, bool, int, float, str, list, dict or Structure

    Raises
    ------
    ValueError
        If they hold no value, or something behind it.

    Examples
    --------
    >>> unpack(bytes.fromhex("92018161"))
    [1, 'a']
    """
    value, end = _unpack(content, 0)
    if end != len(content):
        raise ValueError(
            f"content must end with its value, {len(content) - end} are over"
        )
    return value


def _pack_whole(value: int) -> bytes:
    if -16 <= value < 128:
        return struct.pack(">b", value)
    for mark, form in _WHOLE.items():
        half = 1 << (8 * struct.calcsize(form) - 1)
        if -half <= value < half:
            return bytes([mark]) + struct.pack(form, value)
    raise OverflowError(f"value must fit into 64 bits, got {value}")


def _head(kind: str, size: int) -> bytes:
    if size < 16:
        return bytes([_TINY[kind] + size])
    for step, form in enumerate(_SIZES):
        if size < 1 << (8 * struct.calcsize(form)):
            return bytes([_SIZED[kind] + step]) + struct.pack(form, size)
    raise OverflowError(f"a {kind} must have fewer than 2**32 parts, got {size}")


def _unpack(content: bytes, at: int) -> tuple[Any, int]:
    mark, at = _read(content, at, ">B")
    if mark < 0x80 or mark >= 0xF0:
        return (mark if mark < 0x80 else mark - 0x100), at
    if mark in (_NULL, _FALSE, _TRUE):
        return {_NULL: None, _FALSE: False, _TRUE: True}[mark], at
    if mark == _FLOAT:
        return _read(content, at, ">d")
    if mark in _WHOLE:
        return _read(content, at, _WHOLE[mark])
    if mark & 0xF0 == _STRUCTURE:
        tag, at = _read(content, at, ">B")
        fields, at = _many(content, at, mark & 0x0F)
        return Structure(tag, fields), at
    for kind in _TINY:
        if mark & 0xF0 == _TINY[kind]:
            return _parts(kind, content, at, mark & 0x0F)
        if _SIZED[kind] <= mark < _SIZED[kind] + len(_SIZES):
            size, at = _read(content, at, _SIZES[mark - _SIZED[kind]])
            return _parts(kind, content, at, size)
    raise ValueError(f"content must be PackStream, byte {mark:#x} at {at - 1} is none")


def _parts(kind: str, content: bytes, at: int, size: int) -> tuple[Any, int]:
    if kind == "text":
        if at + size > len(content):
            raise ValueError(f"content ends within a text of {size} bytes")
        return content[at : at + size].decode(), at + size
    if kind == "list":
        return _many(content, at, size)
    flat, at = _many(content, at, 2 * size)
    return dict(zip(flat[::2], flat[1::2])), at


def _many(content: bytes, at: int, size: int) -> tuple[list, int]:
    values = []
    for _ in range(size):
        value, at = _unpack(content, at)
        values.append(value)
    return values, at


def _read(content: bytes, at: int, form: str) -> tuple[Any, int]:
    end = at + struct.calcsize(form)
    if end > len(content):
        raise ValueError(f"content ends at {len(content)}, within a value")
    return struct.unpack(form, content[at:end])[0], end
