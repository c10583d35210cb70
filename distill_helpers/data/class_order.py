"""Whose first class is which: columns put in order by the names of the classes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

_PLACEHOLDER = re.compile(r"LABEL_(\d+)")


class ClassNamesError(ValueError):
    """The classes of two sides cannot be told to be the same."""


def real_names(names: Sequence[str] | None) -> list[str] | None:
    """Return class names, or None if they say nothing.

    Parameters
    ----------
    names : sequence of str or None
        Such as the values of a config's ``id2label``, in the order of the
        logits.

    Returns
    -------
    list of str or None
        None where there are none, or only ``LABEL_0``, ``LABEL_1``, ..., which
        transformers writes where nobody named the classes.

    Examples
    --------
    >>> real_names(["negative", "positive"])
    ['negative', 'positive']
    >>> real_names(["LABEL_0", "LABEL_1"]) is None
    True
    """
    if not names:
        return None
    names = [str(name) for name in names]
    if all(_PLACEHOLDER.fullmatch(name) for name in names):
        return None
    return names


def config_names(config) -> list[str] | None:
    """Return the names in a config's ``id2label`` by the number of the logit.

    Parameters
    ----------
    config : PretrainedConfig

    Returns
    -------
    list of str or None
        None for a config without such names. ``LABEL_0`` and the like are
        returned as they are.

    Raises
    ------
    ClassNamesError
        If ``id2label`` does not name each logit once.
    """
    table = getattr(config, "id2label", None)
    if not table:
        return None
    numbered = {int(number): str(name) for number, name in table.items()}
    if sorted(numbered) != list(range(len(numbered))):
        raise ClassNamesError(
            f"id2label must name the logits 0, 1, 2, ... once each, got {dict(table)!r}"
        )
    return [numbered[number] for number in range(len(numbered))]


def folded(name: str) -> str:
    """Return what is the same for all spellings of a class's name.

    Examples
    --------
    >>> folded(" Late  DELIVERY") == folded("late delivery")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def class_order(
    own: Sequence[str] | None,
    wanted: Sequence[str],
    *,
    count: int,
    whose: str = "the teacher",
    where: str = "the data",
    mapping: Mapping | None = None,
) -> list[int]:
    """Say which column of one side is which class of the other.

    Parameters
    ----------
    own : sequence of str or None
        The names of the columns that are there.
    wanted : sequence of str
        The names in the order that is wanted.
    count : int
        How many columns there are.
    whose, where : str
        What the two sides are called in a message.
    mapping : mapping of (str or int) to str, optional
        From a column's name or number to the name that is wanted, where the
        two sides use other words. Columns that it leaves out keep their name.

    Returns
    -------
    list of int, length count
        ``logits[:, order]`` stands in the order of `wanted`.

    Raises
    ------
    ClassNamesError
        If the names do not match, or the columns have none; the message shows
        both lists.

    Notes
    -----
    Upper and lower case, and white space at the ends, make no difference
    where the names remain apart without them.

    Examples
    --------
    >>> class_order(["positive", "negative"], ["negative", "positive"], count=2)
    [1, 0]
    >>> class_order(None, ["ham", "spam"], count=2, mapping={0: "spam", 1: "ham"})
    [1, 0]
    """
    wanted = [str(name) for name in wanted]
    if len(wanted) != count:
        shown = list(own) if own is not None else "no names"
        raise ClassNamesError(
            f"{whose} tells {count} classes apart ({shown}), {where} has"
            f" {len(wanted)} ({wanted}): they must agree"
        )
    _check_distinct(wanted, where)
    names = _renamed(own, count, wanted, whose, where, mapping)
    if names is None:
        raise ClassNamesError(
            f"the classes of {whose} have no names"
            f" ({list(own) if own is not None else 'none were given'}), those of"
            f" {where} are {wanted}: say which is which with"
            f" mapping={_example(own, wanted)} (here as if they stood in this order)"
        )
    _check_distinct(names, whose)
    places = _places(names, wanted)
    if places is None:
        raise ClassNamesError(_mismatch(names, wanted, whose, where))
    return places


def class_place(name, wanted: Sequence[str]) -> int | None:
    """Return the number of the class that a name means, or None if it is none.

    Notes
    -----
    As in :func:`class_order`, case and white space make no difference where the
    names of the classes remain apart without them.

    Examples
    --------
    >>> class_place(" Spam", ["ham", "spam"])
    1
    >>> class_place("us", ["US", "us"]), class_place("Us", ["US", "us"])
    (1, None)
    """
    found = _places([str(name)], list(wanted), least=1)
    if found is None:
        return None
    return next(i for i, place in enumerate(found) if place is not None)


def ordered(array: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Return the columns of an array in another order; itself if it is the same."""
    if list(order) == list(range(len(order))):
        return array
    return np.ascontiguousarray(np.asarray(array)[:, list(order)])


def _renamed(own, count, wanted, whose, where, mapping) -> list[str] | None:
    """What the columns are called once the mapping was applied."""
    given = list(map(str, own)) if own is not None else None
    names: list = real_names(given) or [None] * count
    if len(names) != count:
        raise ClassNamesError(
            f"{whose} has {count} columns but {len(names)} names: {names}"
        )
    if names[0] is None and not mapping and _are_numbers(wanted):
        return _by_number(given, wanted)
    for key, name in dict(mapping or {}).items():
        names[_column(key, given, count, whose)] = _one_of(name, wanted, where)
    return None if None in names else names


def _column(key, given: list[str] | None, count: int, whose: str) -> int:
    """Find the column that a key of a mapping means, by its name or number."""
    if given is not None and str(key) in given:
        return given.index(str(key))
    placeholder = _PLACEHOLDER.fullmatch(str(key))
    number = placeholder[1] if placeholder and not real_names(given) else str(key)
    if number.isascii() and number.isdigit() and int(number) < count:
        return int(number)
    raise ClassNamesError(
        f"mapping names the class {key!r}, but the classes of {whose} are"
        f" {given if given is not None else f'the numbers 0 to {count - 1}'}"
    )


def _one_of(name, wanted: list[str], where: str) -> str:
    place = class_place(name, wanted)
    if place is None:
        raise ClassNamesError(
            f"mapping leads to the class {name!r}, but those of {where} are {wanted}"
        )
    return wanted[place]


def _places(names: list[str], wanted: list[str], least: int | None = None):
    """Where each wanted name stands among `names`; None if one is missing."""
    for key in (str, folded):
        keys = [key(name) for name in names]
        targets = [key(name) for name in wanted]
        if len(set(keys)) < len(keys) or len(set(targets)) < len(targets):
            continue
        found = [keys.index(t) if t in keys else None for t in targets]
        if sum(place is not None for place in found) >= (least or len(wanted)):
            return found
    return None


def _are_numbers(wanted: list[str]) -> bool:
    numbers = [str(number) for number in range(len(wanted))]
    return wanted in (numbers, [f"LABEL_{number}" for number in numbers])


def _by_number(given: list[str] | None, wanted: list[str]) -> list[str]:
    """Classes that are called 0, 1, 2, ... are meant by their number."""
    if given is None:
        return wanted
    numbers = [int(name.removeprefix("LABEL_")) for name in given]
    return [wanted[n] if n < len(wanted) else given[i] for i, n in enumerate(numbers)]


def _check_distinct(names: list[str], whose: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ClassNamesError(f"{whose} names a class more than once: {twice}")


def _example(own, wanted: list[str]) -> dict:
    keys = list(own) if own is not None else range(len(wanted))
    return dict(zip(keys, wanted))


def _mismatch(names: list[str], wanted: list[str], whose: str, where: str) -> str:
    alone = [name for name in names if class_place(name, wanted) is None]
    missing = [name for name in wanted if class_place(name, names) is None]
    return (
        f"the classes of {whose} are not those of {where}: {whose} has {names},"
        f" {where} has {wanted}; without a partner are {alone} and {missing}. If"
        " they mean the same, say so with mapping={"
        + ", ".join(f"{a!r}: {b!r}" for a, b in zip(alone or names, missing or wanted))
        + "} or the like"
    )
