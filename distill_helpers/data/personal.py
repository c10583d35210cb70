"""Where personal data that has a form stands in a text: e-mail, telephone, cards."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Mark(NamedTuple):
    """A run of characters of a text and what it is."""

    kind: str
    start: int
    end: int
    """The first character behind it."""


Rule = tuple[str, re.Pattern, Callable[[str], bool]]
"""A kind, what it looks like, and whether what looks so is it."""


def find_forms(text: str) -> list[Mark]:
    """Find what can be told by its form.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Mark
        Of the kinds ``email``, ``link``, ``iban``, ``card``, ``address`` (of a
        computer) and ``phone``, in the order of the text; none overlaps another.

    Examples
    --------
    >>> find_forms("Write to ann@mail.example.")
    [Mark(kind='email', start=9, end=25)]
    """
    return find_by(FORMS, text)


def find_by(rules: Iterable[Rule], text: str) -> list[Mark]:
    """Find what rules name; the first of them that fits a place has it.

    Parameters
    ----------
    rules : iterable of Rule
        A pattern with a group called ``it`` marks that group alone.
    text : str

    Returns
    -------
    list of Mark
        In the order of the text; none overlaps another.
    """
    marks: list[Mark] = []
    for kind, looks, holds in rules:
        part = "it" if "it" in looks.groupindex else 0
        fresh = [
            Mark(kind, *match.span(part))
            for match in looks.finditer(text)
            if holds(match[part])
        ]
        for mark in fresh:
            # What a longer find contains is a part of it: the mail in a link.
            marks = [m for m in marks if m.end <= mark.start or m.start >= mark.end]
            marks.append(mark)
            text = _covered(text, mark)
    return sorted(marks, key=lambda mark: mark.start)


def replace_marks(text: str, marks: Sequence[Mark]) -> tuple[str, dict[str, int]]:
    """Put the kind in brackets where each mark stands.

    Parameters
    ----------
    text : str
    marks : sequence of Mark
        In any order.

    Returns
    -------
    text : str
    found : dict of str to int
        How many of each kind.

    Raises
    ------
    ValueError
        If marks overlap, or one lies outside of the text.

    Examples
    --------
    >>> replace_marks("Call Ann.", [Mark("name", 5, 8)])
    ('Call [name].', {'name': 1})
    """
    found: dict[str, int] = {}
    parts, behind = [], 0
    for mark in sorted(marks, key=lambda mark: mark.start):
        if not behind <= mark.start < mark.end <= len(text):
            raise ValueError(
                f"marks must lie in the text of {len(text)} characters, one behind"
                f" the other, got {tuple(mark)} where {behind} is free"
            )
        parts += [text[behind : mark.start], f"[{mark.kind}]"]
        found[mark.kind] = found.get(mark.kind, 0) + 1
        behind = mark.end
    return "".join([*parts, text[behind:]]), found


def _covered(text: str, mark: Mark) -> str:
    """Hide a find from the rules behind it, in as many characters."""
    inside = "x" * (mark.end - mark.start - 2)
    cover = f"[{inside}]" if mark.end - mark.start > 1 else "x"
    return text[: mark.start] + cover + text[mark.end :]


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


def always(text: str) -> bool:
    """Let every text pass."""
    return True


FORMS: tuple[Rule, ...] = (
    ("email", re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), always),
    ("link", re.compile(r"\b(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)]"), always),
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
