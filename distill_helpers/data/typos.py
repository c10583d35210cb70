"""Slips of the keyboard: texts with some, and a speller that mends them.

:func:`mistype` and :func:`swap_neighbours` are views of a text as those of
:mod:`~distill_helpers.data.augment` are: ``views(texts, partial(mistype,
share=0.2))`` makes copies to train on.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from ..arguments import check_choice, check_number, check_type, check_whole
from .cleaning import check_texts
from .scripts import SPACELESS
from .word_case import cased_like

SHORTEST = 3
"""Letters of the shortest word that slips are made in, and mended."""
WORD = re.compile(rf"(?:(?![{SPACELESS}])[^\W\d_]){{{SHORTEST},}}")
"""What counts as a word here: a run of letters, in a script that has spaces."""
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _KEYS
    for place, letter in enumerate(row)
}


# --------------------------------------------------------------------- slips
def _swap(word: str, rng: np.random.Generator) -> str:
    """Swap two letters that stand side by side and differ."""
    places = [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]]
    if not places:
        return word
    place = places[int(rng.integers(len(places)))]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _drop(word: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(1, len(word)))
    return word[:place] + word[place + 1 :]


def _double(word: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(1, len(word)))
    return word[:place] + word[place] + word[place:]


def _near(word: str, rng: np.random.Generator) -> str:
    """Hit the key beside the right one, on an English keyboard."""
    place = int(rng.integers(1, len(word)))
    keys = _NEAR.get(word[place].lower())
    if not keys:
        return word
    hit = keys[int(rng.integers(len(keys)))]
    return word[:place] + cased_like(hit, word[place]) + word[place + 1 :]


SLIPS: Mapping[str, Callable[[str, np.random.Generator], str]] = {
    "swap": _swap,
    "drop": _drop,
    "double": _double,
    "near": _near,
}
"""Each changes a word in one place, never its first letter."""


def slip(
    word: str, rng: np.random.Generator, kinds: Collection[str] = tuple(SLIPS)
) -> str:
    """Mistype one word once.

    Parameters
    ----------
    word : str
        Of :data:`SHORTEST` letters or more.
    rng : numpy.random.Generator
    kinds : collection of str
        Which of :data:`SLIPS` may happen; if the one drawn would leave the word as
        it is, another one is tried.

    Returns
    -------
    str
        The word itself only if no kind can change it.
    """
    for kind in rng.permutation([kind for kind in SLIPS if kind in kinds]):
        changed = SLIPS[kind](word, rng)
        if changed != word:
            return changed
    return word


def mistype(
    text: str,
    rng: np.random.Generator,
    share: float = 0.2,
    kinds: Collection[str] = tuple(SLIPS),
) -> str:
    """Mistype a share of a text's words, each of them once [1]_.

    Parameters
    ----------
    text : str
    rng : numpy.random.Generator
        Draws words and slips.
    share : float, default 0.2
        Of the words of :data:`SHORTEST` letters or more, 0 to 1; rounded to whole
        words.
    kinds : collection of str
        ``"swap"``: two neighbouring letters change places; ``"drop"``: one is left
        out; ``"double"``: one comes twice; ``"near"``: the key beside it is hit. The
        first letter of a word stays.

    Returns
    -------
    str
        The text itself where it has no such word, as in a script without spaces.

    Raises
    ------
    ValueError
        If `share` lies outside of [0, 1], or a kind is unknown.

    References
    ----------
    .. [1] Y. Belinkov, Y. Bisk, "Synthetic and natural noise both break neural
       machine translation", ICLR 2018.

    Examples
    --------
    >>> mistype("A very fine film", np.random.default_rng(0), share=1.0)
    'A vwry fime flim'
    """
    check_type("text", text, str, "a text")
    check_number("share", share, least=0, most=1)
    if isinstance(kinds, str) or not len(kinds):
        raise ValueError(f"kinds must be some of {list(SLIPS)}, got {kinds!r}")
    for kind in kinds:
        check_choice("kinds", kind, SLIPS)
    found = list(WORD.finditer(text))
    drawn = set(rng.permutation(len(found))[: round(share * len(found))].tolist())
    pieces, done = [], 0
    for number, word in enumerate(found):
        pieces.append(text[done : word.start()])
        pieces.append(slip(word[0], rng, kinds) if number in drawn else word[0])
        done = word.end()
    return "".join([*pieces, text[done:]])


def swap_neighbours(text: str, rng: np.random.Generator, share: float = 0.2) -> str:
    """Let some words change places with the word behind them.

    Parameters
    ----------
    text : str
    rng : numpy.random.Generator
    share : float, default 0.2
        Of the words that move, 0 to 1; two move at a time, and none moves twice.

    Returns
    -------
    str
        The same words; commas and full stops go with the word they stand at.

    Raises
    ------
    ValueError
        If `share` lies outside of [0, 1].

    Examples
    --------
    >>> swap_neighbours("one two three four", np.random.default_rng(0), share=1.0)
    'two one four three'
    """
    check_type("text", text, str, "a text")
    check_number("share", share, least=0, most=1)
    pieces = re.split(r"(\s+)", text)
    words = [place for place, piece in enumerate(pieces) if piece and place % 2 == 0]
    pairs = list(zip(words[::2], words[1::2]))
    count = round(share * len(words) / 2)
    for drawn in rng.permutation(len(pairs))[:count]:
        left, right = pairs[drawn]
        pieces[left], pieces[right] = pieces[right], pieces[left]
    return "".join(pieces)


# -------------------------------------------------------------------- mending
def _shorter(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


def one_slip_apart(one: str, other: str) -> bool:
    """Say whether two words differ by one letter more, less, other, or swapped.

    Examples
    --------
    >>> [one_slip_apart("film", word) for word in ("flim", "fil", "foil")]
    [True, True, False]
    """
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return short in _shorter(long)
    differ = [i for i, (a, b) in enumerate(zip(one, other)) if a != b]
    if len(differ) == 1:
        return True
    swapped = len(differ) == 2 and differ[1] == differ[0] + 1
    return swapped and one[differ[0]] + one[differ[1]] == (
        other[differ[1]] + other[differ[0]]
    )


class Speller:
    """Puts a known word in the place of one that nobody has seen.

    The commonest known word that is one slip away takes its place [1]_; where there
    is none, the word stays. To find it, all known words lie under what is left of
    them without one letter [2]_.

    Parameters
    ----------
    counts : mapping of str to int
        Known words in small letters, and how often each was met.

    Raises
    ------
    ValueError
        If no word is known.

    References
    ----------
    .. [1] P. Norvig, "How to write a spelling corrector", 2007.
    .. [2] T. Bocek et al., "Fast similarity search in large dictionaries", technical
       report, University of Zurich, 2007.

    Examples
    --------
    >>> speller = Speller({"film": 9, "firm": 2, "fine": 5})
    >>> speller("A Fiml, firm and 80 fien.")
    'A Film, firm and 80 fine.'
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        if not counts:
            raise ValueError("counts must hold at least one known word, got none")
        self.counts = dict(counts)
        self._under: dict[str, list[str]] = defaultdict(list)
        for word in self.counts:
            for key in {word, *_shorter(word)}:
                self._under[key].append(word)
        self._mended: dict[str, str] = {}

    @classmethod
    def of(cls, texts: Sequence[str], at_least: int = 2) -> Speller:
        """Learn the words of some texts, such as those of the training part.

        Parameters
        ----------
        texts : sequence of str
        at_least : int, default 2
            How often a word must stand there: what was met once may be a slip.

        Raises
        ------
        ValueError
            If no word is met so often.
        """
        check_texts(texts)
        check_whole("at_least", at_least, least=1)
        met = Counter(word for text in texts for word in WORD.findall(text.lower()))
        known = {word: count for word, count in met.items() if count >= at_least}
        if not known:
            raise ValueError(
                f"texts hold no word of {SHORTEST} letters that stands in them"
                f" {at_least} times: nothing to mend by"
            )
        return cls(known)

    def __call__(self, text: str) -> str:
        """Return a text with its unknown words mended, where that is possible."""
        check_type("text", text, str, "a text")
        return WORD.sub(self._in_place, text)

    def _in_place(self, found: re.Match) -> str:
        word = found[0]
        lower = word.lower()
        if lower not in self._mended:
            self._mended[lower] = self._mend(lower)
        mended = self._mended[lower]
        return word if mended == lower else cased_like(mended, word)

    def _mend(self, word: str) -> str:
        if word in self.counts:
            return word
        near = {
            known
            for key in (word, *_shorter(word))
            for known in self._under.get(key, ())
            if one_slip_apart(word, known)
        }
        return max(sorted(near), key=self.counts.__getitem__, default=word)
