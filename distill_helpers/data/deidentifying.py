"""Names, dates and numbers of people found in a text by rules, and taken out.

Rules see forms, not people: some names they miss, some words they take for one.
:func:`distill_helpers.evaluation.judge_finder` counts both where it is known what
stands in the texts. Count on yours before you trust any finder with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..arguments import check_type
from .personal import FORMS, Mark, Rule, always, find_by, replace_marks

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?"
    r"|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_WORD = r"[^\W\d_a-zß-ÿ][\w'’-]*[^\W_]"
"""A word with a capital."""
_TITLES = r"(?:Dr|Mr|Mrs|Ms|Miss|Prof|Sister|Nurse)\.?"
_RELATIVES = (
    "daughter|son|sister|brother|husband|wife|partner|mother|father|aunt|uncle"
    "|friend|neighbour|carer|niece|nephew|called|named"
)

DATES: tuple[Rule, ...] = tuple(
    ("date", re.compile(looks), always)
    for looks in (
        r"\b\d{4}-\d\d-\d\d\b",
        r"(?<![\d/.])\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d\d)(?![\d/])",
        rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}\b\.?(?:,? \d{{4}}\b)?",
        rf"\b{_MONTH}\.? (?:\d{{1,2}}(?:st|nd|rd|th)?,? )?\d{{4}}\b",
    )
)
RECORDS: tuple[Rule, ...] = (
    (
        "record",
        re.compile(
            r"\b(?i:MRN|record|file|case|patient|insurance|policy)"
            r"(?: (?i:no|number|id))?[.:#]? ?(?P<it>(?=[A-Z0-9/-]*\d{3})[A-Z0-9/-]+)\b"
        ),
        always,
    ),
    ("record", re.compile(r"(?<![\d.,+-])\d{6,10}(?![\d.,])"), always),
)
NAMED: tuple[Rule, ...] = tuple(
    ("name", re.compile(looks), always)
    for looks in (
        rf"\b{_TITLES} (?P<it>{_WORD}(?: {_WORD})*)",
        rf"\b(?:{_RELATIVES}) (?P<it>{_WORD}(?: {_WORD})*)",
        rf"(?<=[^\s.!?:] )(?P<it>{_WORD} {_WORD})\b(?!\])",
    )
)


def find_personal(text: str, names: Sequence[str] = ()) -> list[Mark]:
    """Find names, dates, records, and what :func:`find_forms` finds.

    Parameters
    ----------
    text : str
        English; a name counts as one behind a title or a relative ("Dr", "sister"),
        or as two words with capitals inside a sentence.
    names : sequence of str, optional
        Names that are found wherever they stand with a capital. Each name that is a
        word as well ("Will", "Rose") brings false alarms.

    Returns
    -------
    list of Mark
        Of the kinds ``name``, ``date``, ``record`` and those of the forms, in the
        order of the text.

    Examples
    --------
    >>> text = "Seen with sister Orla on 3 March 2021, MRN 4471902."
    >>> [(m.kind, text[m.start : m.end]) for m in find_personal(text)]
    [('name', 'Orla'), ('date', '3 March 2021'), ('record', '4471902')]
    """
    check_type("text", text, str, "a text")
    return find_by((*DATES, *FORMS, *RECORDS, *_known(names), *NAMED), text)


def deidentify(text: str, names: Sequence[str] = ()) -> tuple[str, dict[str, int]]:
    """Replace what :func:`find_personal` finds by its kind in brackets.

    Parameters
    ----------
    text : str
    names : sequence of str, optional
        As there.

    Returns
    -------
    text : str
    found : dict of str to int
        How many of each kind.

    Examples
    --------
    >>> deidentify("Letter to Dr Quayle, born 1950-03-04.")
    ('Letter to Dr [name], born [date].', {'name': 1, 'date': 1})
    """
    return replace_marks(text, find_personal(text, names))


def read_placed(cell: str) -> list[Mark]:
    """Read where a row says that names and numbers were placed in its text.

    Parameters
    ----------
    cell : str
        ``kind:start:end``, with spaces between several; empty where there is none.

    Returns
    -------
    list of Mark

    Raises
    ------
    ValueError
        If it does not say that.

    Examples
    --------
    >>> read_placed("name:12:16 date:20:30")
    [Mark(kind='name', start=12, end=16), Mark(kind='date', start=20, end=30)]
    """
    marks = []
    for told in check_type("cell", cell, str, "a text").split():
        match = re.fullmatch(r"([a-z]+):(\d+):(\d+)", told, re.ASCII)
        if not match or int(match[2]) >= int(match[3]):
            raise ValueError(
                "cell must hold kind:start:end, such as name:12:16 with the end behind"
                f" the start, got {told!r}"
            )
        marks.append(Mark(match[1], int(match[2]), int(match[3])))
    return marks


def _known(names: Sequence[str]) -> list[Rule]:
    check_type("names", names, (list, tuple, set, frozenset), "a list of names")
    empty = [name for name in names if not isinstance(name, str) or not name.strip()]
    if empty:
        raise ValueError(f"names must be texts that are not empty, got {empty[0]!r}")
    if not names:
        return []
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    either = "|".join(re.escape(name.strip()) for name in longest_first)
    name = rf"\b(?:{either})(?: {_WORD})?\b"
    return [("name", re.compile(name), always)]
