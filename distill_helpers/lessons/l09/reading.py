"""Exercise of lesson 09: is the answer of a text right?"""

from __future__ import annotations

import re

from ..exercises.answers import call, settle

CASES = (
    ("71 + 7 = 78 ; 78 / 2 = 39 # 39", "39"),
    ("71 + 7 = 78 ; 78 / 2 = 38 # 38", "39"),
    ("39 + 2 = 41 # 41", "39"),
    ("39 - 2 = 37 ; 37 + 2 = 39 # 37", "39"),
    ("71 + 7 = 78 ; 78 / 2 = 39", "39"),
    ("# 12 ; 12 + 8 = 20 # 20", "20"),
    ("# 12 ; 12 + 8 = 20 # 20", "12"),
    ("50 + 89 = 139 # 139", "39"),
    (None, "39"),
    ("", "39"),
)
"""Texts, each with the answer that would be right."""


def my_is_right(text, expected):
    if text is None or "#" not in text:
        return False
    return text.split("#")[-1].strip() == expected


def by_pattern(text, expected):
    found = re.search(r"#\s*(\S+)\s*$", text or "")
    return bool(found) and found[1] == expected


# -------------------------------------------------------------- what goes wrong
def first_number(text, expected):
    return text is not None and re.findall(r"\d+", text)[:1] == [expected]


def last_number(text, expected):
    return text is not None and re.findall(r"\d+", text)[-1:] == [expected]


def first_mark(text, expected):
    if text is None or "#" not in text:
        return False
    return text.split("#")[1].split(";")[0].strip() == expected


def somewhere(text, expected):
    return text is not None and expected in text


def ends_with(text, expected):
    return text is not None and "#" in text and text.strip().endswith(expected)


def none_is_right(text, expected):
    return text is None or my_is_right(text, expected)


KNOWN = {
    "The first number of the text is read: that is where the story begins.": (
        first_number,
        "what stands behind the last #, not before it",
    ),
    "The last number is read, even where no answer was given: a text that broke off"
    " among its steps counts as right.": (last_number, "texts without a #"),
    "What stands behind the first # is read; a text that corrects itself is judged by"
    " what it took back.": (first_mark, "the last #"),
    "The answer stands somewhere in the text, and that is taken for an answer.": (
        somewhere,
        "what stands behind the last #, and nothing else",
    ),
    "Only the end is compared: 139 ends with 39 too.": (
        ends_with,
        "the whole of what stands behind the #",
    ),
    "A text that did not end (None) counts as right: a model that never stops would"
    " pass every problem.": (none_is_right, "None: it is no answer"),
}


def examine_reading(answer) -> str:
    """Examine ``f(text, expected)``: whether a text ends in the right answer."""
    got = [bool(call(answer, text=text, expected=right)) for text, right in CASES]
    settle(
        got,
        _by(my_is_right),
        {what: (_by(wrong), look) for what, (wrong, look) in KNOWN.items()},
        ("Some texts are judged wrongly.", "each text, one by one"),
        equal=lambda one, other: one == other,
        shown=_shown,
    )
    return "No answer is no right answer."


def _by(function) -> list[bool]:
    return [bool(function(text, right)) for text, right in CASES]


def _shown(verdicts: list[bool]) -> str:
    return "; ".join(
        f"{text!r} for {right}: {verdict}"
        for (text, right), verdict in zip(CASES, verdicts)
    )
