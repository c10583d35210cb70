"""Personal data that has a form, taken out of a text before it is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

VERSION = 1
"""Raised when the rules change: other texts are sent then."""


def scrub(text: str) -> tuple[str, dict[str, int]]:
    """Replace what can be told by its form by a word in brackets.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
        With ``[email]``, ``[link]``, ``[card]``, ``[iban]``, ``[address]`` and
        ``[phone]`` in place of what stood there.
    found : dict of str to int
        How many of each.

    Notes
    -----
    Names, places, and what somebody tells about themselves have no such form: they
    stay. Read some of the texts before you send any.

    Examples
    --------
    >>> scrub("Write to ann@mail.example or call +44 20 7946 0958.")
    ('Write to [email] or call [phone].', {'email': 1, 'phone': 1})
    """
    found: dict[str, int] = {}
    for name, looks, holds in _RULES:

        def replaced(match: re.Match, name=name, holds=holds) -> str:
            if not holds(match[0]):
                return match[0]
            found[name] = found.get(name, 0) + 1
            return f"[{name}]"

        text = looks.sub(replaced, text)
    return text, found


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _is_card(text: str) -> bool:
    """Luhn's check digit."""
    digits = [int(d) for d in _digits(text)]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [d if i % 2 else 2 * d for i, d in enumerate(reversed(digits), 1)]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """The remainder of ISO 13616."""
    bare = re.sub(r"\s", "", text).upper()
    if not 15 <= len(bare) <= 34:
        return False
    turned = bare[4:] + bare[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    count = len(_digits(text))
    grouped = len(re.findall(r"\d+", text)) > 2 or text.startswith(
        ("+", "00", "(", "0")
    )
    return 8 <= count <= 15 and grouped and not re.fullmatch(r"[\d]{4}-\d\d-\d\d", text)


def _always(text: str) -> bool:
    return True


_RULES: tuple[tuple[str, re.Pattern, Callable[[str], bool]], ...] = (
    ("email", re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), _always),
    ("link", re.compile(r"\b(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)]"), _always),
    (
        "iban",
        re.compile(
            r"\b(?:[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?"
            r"|[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30})\b"
        ),
        _is_iban,
    ),
    ("card", re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d])"), _is_card),
    (
        "address",
        re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"),
        _is_address,
    ),
    (
        "phone",
        re.compile(r"(?<![\w.])(?:\+|\(|\b)\d[\d()]*(?:[ ./-]{0,2}[\d()]+)*\d(?!\w)"),
        _is_phone,
    ),
)
