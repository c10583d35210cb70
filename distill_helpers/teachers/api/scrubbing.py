"""Personal data that has a form, taken out of a text before it is sent."""

from __future__ import annotations

from ...data.personal import find_forms, replace_marks

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
    return replace_marks(text, find_forms(text))
