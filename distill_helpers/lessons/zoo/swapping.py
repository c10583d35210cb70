"""Which mistake is made in swapping `he` and `she` in a text."""

from __future__ import annotations

import re

from ..exercises.answers import call
from ..exercises.outcomes import Incorrect
from . import mistakes_of_trust as known
from .mistakes import describe

PROBES = (
    ("then the other hero left", "then the other hero left"),
    ("she says he lied", "he says she lied"),
    ("he knew that we saw him", "she knew that we saw her"),
    ("his film and his cast", "her film and her cast"),
    ("we saw her.", "we saw him."),
    ("her film, her cast", "his film, his cast"),
    ("I like her", "I like him"),
    ("She laughs. Her film works.", "He laughs. His film works."),
)
"""Texts, and what becomes of them."""


def examine_swap(answer) -> str:
    """Examine ``f(text)``.

    The words he, him and his become she, her and her, and the other way round; `her`
    before a word becomes `his`, else `him`.
    """
    for text, expected in PROBES:
        got = _swapped(answer, text)
        if got != expected:
            shown = f"{text!r} became {got!r}", repr(expected)
            raise _explained(text, got, expected, shown)
    return "Both sides, one pass, and nothing else moves."


def _explained(text, got, expected, shown) -> Incorrect:
    if text == expected:
        return describe([known.PART_OF_A_WORD], *shown)
    if len(set(re.findall(r"\bs?he\b", text))) > len(set(re.findall(r"\bs?he\b", got))):
        return describe([known.ONE_SIDE], *shown)
    if got.lower() == expected.lower():
        return describe([known.CASE_LOST], *shown)
    if got == text and text != text.lower():
        return describe([known.CAPITALS_MISSED], *shown)
    for wrong, right, mistake in (
        ("him", "his", known.ONLY_HIM),
        ("his", "him", known.ONLY_HIS),
    ):
        if re.sub(rf"\b{wrong}\b", right, got) == expected:
            return describe([mistake], *shown)
    return Incorrect(
        "A text becomes another one than it should.",
        *shown,
        "the words one by one, and what stands behind `her`",
    )


def _swapped(answer, text: str) -> str:
    got = call(answer, text=text)
    if not isinstance(got, str):
        raise Incorrect(
            "Your function must return a text.",
            given=type(got).__name__,
            expected="a str",
            look="its last line: return",
        )
    return got
