"""Bytes of a text file as text: by its mark, as UTF-8, or as Windows wrote it.

Nothing is guessed from single bytes: where the text would come out wrong without
anybody seeing it, the file is refused.
"""

from __future__ import annotations

import codecs
import re

_MARKS = {  # the longer ones first: UTF-32's begins as UTF-16's does
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
_HIGH = re.compile(r"[\x80-\U0010ffff]")
_LETTER = r"[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]"
# Signs inside of words, and capitals after small letters, are what other
# encodings look like when they are read as Windows' western one.
_ODD = re.compile(
    rf"(?<={_LETTER})[^\x00-\x7f\xc0-\xd6\xd8-\xf6\xf8-\xff\xa0\xad\xb4\xb7"
    rf"\u2018\u2019\u2013\u2014\u0152\u0153\u0160\u0161\u0178\u017d\u017e](?={_LETTER})"
    r"|(?<=[a-z\xdf-\xf6\xf8-\xff])[\xc0-\xd6\xd8-\xde\u0152\u0160\u0178\u017d]"
)


def decode(data: bytes) -> tuple[str, str]:
    """Return a file's text, and how it was encoded (``""`` for UTF-8).

    Parameters
    ----------
    data : bytes
        UTF-8, UTF-16 or UTF-32, with or without a mark at its beginning, or
        Windows' western encoding (cp1252).

    Raises
    ------
    ValueError
        If it is something else, or damaged; the message is the reason alone.

    Examples
    --------
    >>> decode("caf\\u00e9".encode("cp1252"))
    ('caf\\xe9', 'cp1252')
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding), _noted(encoding)
    if b"\0" in data:
        return _wide(data)
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return _western(data, error), "cp1252"


def _noted(encoding: str) -> str:
    return "" if encoding == "utf-8" else _name_of(encoding)


def _name_of(encoding: str) -> str:
    return encoding.upper()[:6]  # utf-16-le is UTF-16


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(encoding, "ignore").count("\n") + 1
        raise ValueError(
            f"line {line:,} is no {_name_of(encoding)}, as which the file begins: it is"
            " damaged or cut off"
        ) from error


def _wide(data: bytes) -> tuple[str, str]:
    """Read UTF-16 without a mark; a header of plain letters gives it away."""
    if len(data) % 2 == 0 and len(data) >= 4:
        if data[1] == data[3] == 0 != data[0]:
            return _strictly(data, "utf-16-le"), "UTF-16"
        if data[0] == data[2] == 0 != data[1]:
            return _strictly(data, "utf-16-be"), "UTF-16"
    line = data.count(b"\n", 0, data.index(b"\0")) + 1
    raise ValueError(f"line {line:,} holds a zero byte: it is damaged, or no text")


def _western(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    seen = f"line {line:,} holds the byte 0x{data[error.start]:02x}, which is no UTF-8"
    whole = _MULTIBYTE.findall(data)
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if len(whole) >= high - sum(map(len, whole)):
        raise ValueError(
            f"{seen}, while others are: it is damaged, or in another encoding; get it"
            " anew, or save it as UTF-8"
        )
    refused = f"{seen}, nor is it western Windows text (cp1252): save it as UTF-8"
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as failed:
        raise ValueError(refused) from failed
    signs = len(_HIGH.findall(text))
    letters = sum(map(str.isalpha, text))
    if signs > 0.3 * letters or len(_ODD.findall(text)) > 0.1 * signs:
        raise ValueError(refused)
    return text
