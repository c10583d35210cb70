"""Guards for arguments and options: who is told no is told what is allowed."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import TypeVar

T = TypeVar("T")


def check_whole(
    name: str,
    value,
    least: int | None = None,
    most: int | None = None,
    *,
    optional: bool = False,
) -> int | None:
    """Return `value` as an int, or None where that is allowed.

    Raises
    ------
    TypeError
        If it is no whole number (``True`` is none).
    ValueError
        If it lies outside of [`least`, `most`].

    Examples
    --------
    >>> check_whole("steps", 0, least=1)
    Traceback (most recent call last):
        ...
    ValueError: steps must be at least 1, got 0
    """
    if value is None and optional:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral):
        or_none = " or None" if optional else ""
        raise TypeError(
            f"{name} must be a whole number{or_none}, got"
            f" {type(value).__name__}: {value!r}"
        )
    _check_bounds(name, value, least, most)
    return int(value)


def check_number(
    name: str,
    value,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> None:
    """Raise unless `value` is a finite number within the bounds given.

    Raises
    ------
    TypeError
        If it is no number (``True`` is none).
    ValueError
        If it is NaN, infinite, not above `above`, or outside of
        [`least`, `most`].

    Examples
    --------
    >>> check_number("alpha", 1.5, least=0, most=1)
    Traceback (most recent call last):
        ...
    ValueError: alpha must lie in [0, 1], got 1.5
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{name} must be a number, got {type(value).__name__}: {value!r}"
        )
    if above is not None and not (math.isfinite(value) and value > above):
        raise ValueError(
            f"{name} must be a finite number above {above:g}, got {value!r}"
        )
    if not math.isfinite(value) and (least is None or most is None):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    _check_bounds(name, value, least, most)


def _check_bounds(name: str, value, least, most) -> None:
    if least is not None and most is not None:
        if not least <= value <= most:
            raise ValueError(f"{name} must lie in [{least}, {most}], got {value!r}")
    elif least is not None and not value >= least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    elif most is not None and not value <= most:
        raise ValueError(f"{name} must be at most {most}, got {value!r}")


def check_choice(name: str, value: T, allowed: Collection[T]) -> T:
    """Return `value` if it is one of `allowed`.

    Raises
    ------
    ValueError
        If it is none of them.

    Examples
    --------
    >>> check_choice("fit", "mean", ("max", "error"))
    Traceback (most recent call last):
        ...
    ValueError: fit must be one of ['max', 'error'], got 'mean'
    """
    if value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}")
    return value


def check_type(name: str, value: T, kinds: type | tuple[type, ...], what: str) -> T:
    """Return `value` if it is of one of the types; `what` says which in words.

    Raises
    ------
    TypeError
        If it is of another type.
    """
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be {what}, got {type(value).__name__}")
    return value


def check_temperature(temperature: float) -> None:
    """Raise unless `temperature` is a finite number above 0."""
    check_number("temperature", temperature, above=0)


def check_alpha(alpha: float) -> None:
    """Raise unless `alpha` is a number within [0, 1]."""
    check_number("alpha", alpha, least=0, most=1)


def nearest(given: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that is most like a given one; None where none is near.

    Parameters
    ----------
    given : str
    known : iterable of str
    cutoff : float, default 0.6
        How alike they must be, as :func:`difflib.get_close_matches` counts.

    Examples
    --------
    >>> nearest("alhpa", ["alpha", "ask"])
    'alpha'
    """
    found = difflib.get_close_matches(str(given), list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def did_you_mean(
    given: str,
    known: Iterable[str],
    cutoff: float = 0.6,
    *,
    before: str = "",
    after: str = "",
) -> str:
    """Name the nearest of the known names, for a message; empty where none is near.

    Parameters
    ----------
    given, known, cutoff
        As in :func:`nearest`.
    before, after : str
        What parts the hint from the rest of the message, where there is a hint.

    Returns
    -------
    str

    Examples
    --------
    >>> did_you_mean("--alhpa", ["--alpha", "--ask"], before="; ")
    "; did you mean '--alpha'?"
    >>> did_you_mean("--colour", ["--alpha", "--ask"])
    ''
    """
    near = nearest(given, known, cutoff)
    return "" if near is None else f"{before}did you mean {near!r}?{after}"


class CommandLine(argparse.ArgumentParser):
    """A reader of a command's words that names the option an unknown one is nearest to.

    Parameters and methods are those of :class:`argparse.ArgumentParser`.
    """

    def parse_args(self, args: Sequence[str] | None = None, namespace=None):
        """Return what was given; end the program where it makes no sense."""
        given, unknown = self.parse_known_args(args, namespace)
        if unknown:
            known = re.findall(r"--[a-z][\w-]*", self.format_help())
            said = " ".join(["unrecognized arguments:", *unknown])
            for word in unknown:
                said += did_you_mean(word.partition("=")[0], known, before="; ")
            self.error(said)
        return given


def as_typed(message: str, options: Mapping[str, str]) -> str:
    """Spell the names of arguments in a message as options that can be typed.

    Parameters
    ----------
    message : str
        Of an error; it may begin with an argument's name, and may name others with
        their values further on, as in ``text_column='Text'``.
    options : mapping of str to str
        From the argument to the option.

    Returns
    -------
    str
        The same message where it names no argument of the command.

    Examples
    --------
    >>> as_typed("budget_mb must be above 0", {"budget_mb": "--budget-mb"})
    '--budget-mb must be above 0'
    >>> as_typed("source='a.csv' is empty", {"source": "--data"})
    "--data='a.csv' is empty"
    >>> as_typed("no such column; label_column='a'?", {"label_column": "--label"})
    "no such column; --label 'a'?"
    >>> as_typed("nothing fits", {})
    'nothing fits'
    """
    head = message.partition(" ")[0].partition("=")[0].rstrip(":")
    rest = message[len(head) :]
    for name, option in options.items():
        rest = re.sub(rf"(?<![\w-]){name}=(?=['\"])", f"{option} ", rest)
    return options.get(head, head) + rest


def option_of(argument: str) -> str:
    """Return an argument's name as an option.

    Examples
    --------
    >>> option_of("budget_mb")
    '--budget-mb'
    """
    return f"--{argument.replace('_', '-')}"
