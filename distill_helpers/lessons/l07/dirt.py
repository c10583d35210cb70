"""Dirty text for lesson 07, made of clean text: what is wrong with it is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import check_number, check_whole
from ...data.augment import drop

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_ENTITIES = {'"': "&quot;", "&": "&amp;", "'": "&#39;"}


def full_width(text: str) -> str:
    """Type a text as an East Asian keyboard may: each ASCII sign twice as wide.

    Examples
    --------
    >>> print(full_width("No!"))
    \uff2e\uff4f\uff01
    """
    return text.translate(_WIDE)


def as_html(text: str) -> str:
    """Write a text as a web page holds it: entities, tags, a break a sentence.

    Examples
    --------
    >>> as_html("It's good. Go!")
    'It&#39;s good.<br /><br />Go!'
    """
    written = "".join(_ENTITIES.get(sign, sign) for sign in text)
    return written.replace(". ", ".<br /><br />")


def with_copies(
    texts: Sequence[str], count: int, share: float, seed: int = 0
) -> tuple[np.ndarray, list[str]]:
    """Draw texts and copy them with some words left out.

    Parameters
    ----------
    texts : sequence of str
    count : int
        How many are copied.
    share : float
        Of the words that go, each by chance.
    seed : int, default 0

    Returns
    -------
    (ndarray of int, list of str)
        Which they are, and their copies.
    """
    check_whole("count", count, least=1, most=len(texts))
    check_number("share", share, least=0, most=0.9)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    rows = np.sort(rng.permutation(len(texts))[:count])
    return rows, [drop(texts[row], rng, share) for row in rows]
