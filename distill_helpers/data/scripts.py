"""What belongs to a word, and which texts have no spaces between words."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPACELESS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\uaa60-\uaa7f"  # Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b"
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3100-\u312f\u31a0-\u31bf"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # ideographs
)
"""Letters of such scripts, as they stand between the brackets of a pattern.

Korean is not among them: its words have spaces.
"""
MARKS = (
    "\u0300-\u036f"  # accents that stand apart
    "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"  # Hebrew, Arabic
    "\u0900-\u0963\u0966-\u0dff"  # the scripts of India, their vowel signs among them
)
"""Marks that belong to a word though a pattern's ``\\w`` does not take them."""
ASKED = 2_000
"""So many texts, and characters of each, tell what a file is written in."""
_SPACELESS = re.compile(f"[{SPACELESS}]")
_LETTER = re.compile(r"[^\W\d_]")


def is_spaceless(texts: Sequence[str]) -> bool:
    """Say whether most letters of some texts belong to scripts without spaces.

    Parameters
    ----------
    texts : sequence of str
        The beginnings of at most :data:`ASKED` of them, evenly spaced, are read.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_spaceless(["\u5f88\u597d\u770b\u7684\u7535\u5f71", "ok"])
    True
    >>> is_spaceless(["a fine film"])
    False
    """
    texts = list(texts)
    step = max(1, len(texts) // ASKED)
    sample = [text[:ASKED] for text in texts[::step]]
    spaceless = sum(len(_SPACELESS.findall(text)) for text in sample)
    return 2 * spaceless > sum(len(_LETTER.findall(text)) for text in sample)


_UNIT = re.compile(rf"[{SPACELESS}]\s*|[^\s{SPACELESS}]+\s*")


def units(text: str) -> list[str]:
    """Cut a text into its words, each with the blanks behind it.

    Where a script has no spaces, each of its letters is a word. Joined again the
    units are the text, but for blanks at its beginning.

    Examples
    --------
    >>> units("A fine film, \u5f88\u597d")
    ['A ', 'fine ', 'film, ', '\u5f88', '\u597d']
    """
    return _UNIT.findall(text)
