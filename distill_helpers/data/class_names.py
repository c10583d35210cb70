"""One way from the labels of a file, whatever its kind, to numbered classes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from .class_order import folded
from .cleaning import well_formed

NONE = -1
"""The number of a row that has no label."""
LONGEST_NAME = 200
"""Letters of a label; more are a text."""
MOST_FRACTIONS = 20
_EMPTY = frozenset({"", "nan", "NaN", "<NA>", "NaT"})  # as pandas writes them
_DOUBTFUL = frozenset({"none", "null", "na", "n/a", "-", "?"})
_MARKS = frozenset({"-1", "-100"})  # of a missing label, in data sets of numbers
_WHOLE = re.compile(r"([+-]?)(0|[1-9][0-9]*)(?:\.0*)?")
_FRACTION = re.compile(r"([+-]?)([0-9]*\.[0-9]*[1-9])0*")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u2069\ufeff]"
)


def class_name(value) -> str:
    """Return the name of one label, ``""`` where there is none.

    Parameters
    ----------
    value : str, bool, int, float, Decimal or None
        As it was read. Whole numbers have one name, however they are written.

    Raises
    ------
    ValueError
        If it cannot be the name of a class; the reason alone.

    Examples
    --------
    >>> [class_name(value) for value in (" a  b ", 2, 2.0, "2.0", True, None)]
    ['a b', '2', '2', '2', 'True', '']
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (list, tuple, dict, set, bytes, np.ndarray)):
        raise ValueError(f"{_shown(value)} is no name of one class")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float) and math.isinf(value):
        raise ValueError(f"{value} is no name of a class")
    text = well_formed(str(value) if _is_short(value) else "9" * (LONGEST_NAME + 1))
    text = " ".join(_UNSEEN.sub("", text).split())
    if len(text) > LONGEST_NAME:
        raise ValueError(
            f"a label of {len(text):,} letters is none ({text[:30]!r}...): is it the"
            " right column?"
        )
    if text in _EMPTY:
        return ""
    return _as_number(text) or text


def _is_short(value) -> bool:
    # Python turns no more than 4,300 digits into text.
    return not isinstance(value, int) or abs(value) < 10**LONGEST_NAME


def _as_number(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    if found := _WHOLE.fullmatch(plain):
        sign = "-" if found[1] == "-" and found[2] != "0" else ""
        return sign + found[2]
    if found := _FRACTION.fullmatch(plain):
        before, after = found[2].split(".")
        return f"{found[1].replace('+', '')}{before.lstrip('0') or '0'}.{after}"
    return None


def is_no_label(value) -> bool:
    """Say whether a cell holds nothing, or a usual mark of a missing label.

    Examples
    --------
    >>> [is_no_label(value) for value in (" ", None, -100, "-1", "0", [])]
    [True, True, True, True, False, False]
    """
    try:
        return class_name(value) in ("", *_MARKS)
    except ValueError:
        return False


def number_labels(
    values: Sequence,
    *,
    where: Callable[[int], str] = "row {}".format,
    class_names: Sequence[str] | None = None,
) -> tuple[np.ndarray, list[str], list[str]]:
    """Number the classes of a column: numbers first, then by name.

    Names that differ in case, in spaces or in what nobody sees are one class,
    which is called as most rows call it.

    Parameters
    ----------
    values : sequence
        A label or nothing for each row, as read from any kind of file.
    where : callable
        Says where the row of an index stands.
    class_names : sequence of str, optional
        What the numbers 0, 1, ... stand for, if the file says so.

    Returns
    -------
    numbers : ndarray of int, shape (rows,)
        -1 where there is no label.
    names : list of str
        Of the classes, by number.
    warnings : list of str
        What the reader should look at.

    Raises
    ------
    ValueError
        If labels are no classes; the reason alone, with the row.

    Examples
    --------
    >>> number_labels(["10", " Two", "2.0", "two", None, "two"])[:2]
    (array([ 1,  2,  0,  2, -1,  2]), ['2', '10', 'two'])
    """
    if class_names is not None:
        return _numbered_by(class_names, values, where)
    found = _names_of(values, where)
    names, classes, warnings = _merged(found)
    missing = _missing_marks(classes, found, where)
    classes = sorted(classes - missing, key=by_number_then_name)
    _check_fractions(classes, found, where)
    numbers = {name: number for number, name in enumerate(classes)}
    column = [numbers.get(names[name], NONE) if name else NONE for name in found]
    if "-1" in numbers:
        warnings.append(
            "-1 is taken for a class beside the other numbers; leave the cell empty"
            " where it means that there is no label"
        )
    warnings += [
        f"{name!r} is taken for the name of a class; leave the cell empty where it"
        " means that there is no label"
        for name in classes
        if name.casefold() in _DOUBTFUL
    ]
    return np.array(column, int).reshape(-1), classes, warnings


def check_repeated(numbers: np.ndarray, names: Sequence[str], column: str) -> None:
    """Raise a ValueError if nearly each row is a class of its own."""
    labelled = int((numbers != NONE).sum())
    if labelled >= 10 and len(names) > 0.8 * labelled:
        raise ValueError(
            f"column {column!r} holds {len(names):,} different labels in {labelled:,}"
            f" rows (such as {names[0]!r:.60}): these are no classes; is it the right"
            " column?"
        )


def by_number_then_name(name: str) -> tuple:
    """Sort key of class names: 2 before 10, numbers before words."""
    if _NUMBER.fullmatch(name):
        return 0, Decimal(name), name
    return 1, Decimal(0), name


def _names_of(values: Sequence, where) -> list[str]:
    known: dict[str, str] = {}
    names = []
    for index, value in enumerate(values):
        if isinstance(value, str) and value in known:
            names.append(known[value])
            continue
        try:
            names.append(class_name(value))
        except ValueError as error:
            raise ValueError(f"{where(index)}: {error}") from error
        if isinstance(value, str):
            known[value] = names[-1]
    return names


def _merged(found: Sequence[str]) -> tuple[dict[str, str], set[str], list[str]]:
    """Give each spelling the name of its class."""
    twins = defaultdict(list)
    for name, _ in Counter(found).most_common():
        if name:
            twins[folded(name)].append(name)
    names = {name: group[0] for group in twins.values() for name in group}
    warnings = [
        f"{', '.join(map(repr, group[1:]))} is the same class as {group[0]!r}"
        for group in twins.values()
        if len(group) > 1
    ]
    _check_zeros(set(names.values()))
    return names, set(names.values()), warnings


def _check_zeros(classes: set[str]) -> None:
    for name in sorted(classes):
        short = name.lstrip("0") or "0"
        if name.isascii() and name.isdigit() and name != short and short in classes:
            raise ValueError(
                f"labels {name!r} and {short!r} differ in zeros alone: write them alike"
            )


def _missing_marks(classes: set[str], found: Sequence[str], where) -> set[str]:
    """Tell a -1 that is a class from one that says "no label"."""
    marks, others = classes & _MARKS, classes - _MARKS
    if "-1" not in marks or not others:
        return marks
    if not all(map(_NUMBER.fullmatch, others)):
        return marks  # no number is a class among words
    numbers = {Decimal(name) for name in others} | {Decimal(-1)}
    balanced = numbers == {-number for number in numbers}  # -1, 1 or -1, 0, 1
    if balanced or min(numbers) < -1 or max(numbers) <= 0:
        return marks - {"-1"}
    raise ValueError(
        f"{where(found.index('-1'))}: -1 beside the labels"
        f" {', '.join(sorted(others, key=by_number_then_name)[:8])} may be a class or"
        " mean that there is no label: write a word for the class, or leave the cell"
        " empty"
    )


def _check_fractions(classes: Sequence[str], found: Sequence[str], where) -> None:
    fractions = [name for name in classes if _FRACTION.fullmatch(name)]
    if not fractions:
        return
    numbers = [Decimal(name) for name in classes if _NUMBER.fullmatch(name)]
    within = all(0 <= number <= 1 for number in numbers)
    if within or len(fractions) > MOST_FRACTIONS:
        seen = min(fractions, key=found.index)
        raise ValueError(
            f"{where(found.index(seen))}: {seen} is no class; "
            + (
                "probabilities are a teacher's answers: give them as a table of soft"
                " targets, and here the names of the classes"
                if within
                else "a label must be one of a few names or numbers, not a measured value"
            )
        )


def _numbered_by(class_names, values, where):
    numbers = []
    for index, name in enumerate(_names_of(values, where)):
        if name == "" or name in _MARKS:
            numbers.append(NONE)
        elif name.isdigit() and name.isascii() and int(name) < len(class_names):
            numbers.append(int(name))
        elif name in class_names:
            numbers.append(list(class_names).index(name))
        else:
            raise ValueError(
                f"{where(index)}: {name!r:.60} is none of the {len(class_names)} classes"
                f" that the file names, {list(class_names)!r:.200}"
            )
    return np.array(numbers, int).reshape(-1), list(class_names), []


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
