"""The same text about somebody else: words for people, swapped in pairs.

If a model answers otherwise when "he" and "she" change places, the person counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from ..arguments import check_number, check_type, check_whole
from .augment import Views
from .cleaning import check_texts
from .scripts import SPACELESS
from .word_case import cased_like

Pair = tuple[str, str]

PRONOUNS: tuple[Pair, ...] = (
    ("he", "she"),
    ("him", "her"),
    ("his", "her"),
    ("his", "hers"),
    ("himself", "herself"),
)
"""English; which partner "her" and "his" have is told by the word behind them."""

PEOPLE: tuple[Pair, ...] = (
    ("man", "woman"),
    ("men", "women"),
    ("boy", "girl"),
    ("boys", "girls"),
    ("guy", "gal"),
    ("guys", "gals"),
    ("gentleman", "lady"),
    ("gentlemen", "ladies"),
    ("male", "female"),
    ("males", "females"),
    ("father", "mother"),
    ("fathers", "mothers"),
    ("dad", "mom"),
    ("son", "daughter"),
    ("sons", "daughters"),
    ("brother", "sister"),
    ("brothers", "sisters"),
    ("husband", "wife"),
    ("husbands", "wives"),
    ("boyfriend", "girlfriend"),
    ("uncle", "aunt"),
    ("nephew", "niece"),
    ("grandfather", "grandmother"),
    ("actor", "actress"),
    ("actors", "actresses"),
    ("hero", "heroine"),
    ("heroes", "heroines"),
    ("king", "queen"),
    ("prince", "princess"),
    ("sir", "madam"),
    ("mr", "mrs"),
)
"""English nouns for people; not among those of :data:`PRONOUNS`."""

NAMES: tuple[Pair, ...] = (
    ("James", "Emily"),
    ("John", "Mary"),
    ("Robert", "Linda"),
    ("Michael", "Jennifer"),
    ("William", "Elizabeth"),
    ("David", "Susan"),
    ("Richard", "Sarah"),
    ("Joseph", "Karen"),
    ("Thomas", "Nancy"),
    ("Charles", "Lisa"),
    ("Daniel", "Margaret"),
    ("Matthew", "Sandra"),
    ("Anthony", "Ashley"),
    ("Paul", "Donna"),
    ("Steven", "Michelle"),
    ("Andrew", "Carol"),
    ("Kenneth", "Amanda"),
    ("George", "Melissa"),
    ("Kevin", "Deborah"),
    ("Brian", "Stephanie"),
    ("Edward", "Rebecca"),
    ("Jason", "Laura"),
    ("Jeffrey", "Helen"),
    ("Ryan", "Amy"),
    ("Jacob", "Anna"),
    ("Peter", "Julia"),
    ("Henry", "Emma"),
    ("Arthur", "Alice"),
    ("Steve", "Kate"),
    ("Tom", "Jane"),
    ("Jack", "Sally"),
    ("Harry", "Lucy"),
)
"""First names, which are swapped where they are written with a capital."""

_HIS_OR_HIM = {"her": ("his", "him"), "his": ("her", "hers")}
"""Before what somebody owns, and where the word stands for itself."""
_CLOSING = frozenset(
    """a an the this that these those some any no all both each every either neither
    and or but nor so yet if because when while though although unless until since than
    as at by for from in into of off on onto out over through to toward towards under up
    upon with within without about after against along among around away back before
    behind below beneath beside between beyond down during inside near outside past
    again alone also always anyway ever even here just never not now once only rather
    still then there too very well i me my you your he him his she it its we us our they
    them their who whom whose which what where why how is are was were be been am do does
    did has have had can could will would shall should may might must""".split()
)
"""A word of these does not name what is owned: "her and", "her to"."""
_NEXT = re.compile(r"[^\S\n]+([^\W\d_]+)")


class Swaps:
    """Pairs of words that change places in a text.

    Whole words are swapped, in both directions and in one pass, so that none is
    swapped back. Capitals are kept. A word that is written with a capital in its pair,
    as a name is, is found with a capital alone. "her" becomes "his" before a word that
    may name what is owned, and "him" elsewhere; "his" becomes "her" or "hers" [1]_.

    Parameters
    ----------
    pairs : sequence of (str, str), or mapping of str to str
        Such as :data:`PRONOUNS`, or ``PRONOUNS + PEOPLE + NAMES``. A mapping must
        lead back from every word.

    Raises
    ------
    ValueError
        If a pair has one side only, a word stands in two pairs, or ``"her"`` has not
        both its partners.

    Notes
    -----
    Which of the two "her" is, the next word tells in most cases and not in all: in
    "made her laugh" a verb looks like a thing that is owned.

    References
    ----------
    .. [1] J. Zhao et al., "Gender bias in coreference resolution: evaluation and
       debiasing methods", NAACL 2018.

    Examples
    --------
    >>> swaps = Swaps(PRONOUNS)
    >>> swaps("She gave him her book. HE thanked her; it is hers.")
    'He gave her his book. SHE thanked him; it is his.'
    """

    def __init__(self, pairs: Sequence[Pair] | Mapping[str, str]) -> None:
        self.pairs = _pairs(pairs)
        self._partners: dict[str, list[str]] = {}
        for one, other in self.pairs:
            self._partners.setdefault(one, []).append(other)
            self._partners.setdefault(other, []).append(one)
        for word, partners in self._partners.items():
            _check_partners(word, partners)
        self._first = {first for first, _ in self.pairs}
        self._capitals = {word.upper(): word for word in self._partners}
        self._pattern = _pattern(self._partners)

    def __call__(self, text: str) -> str:
        """Return a text with the words of all pairs swapped."""
        check_type("text", text, str, "a text")
        return self._pattern.sub(self._swapped, text)

    def touches(self, text: str) -> bool:
        """Say whether a text holds a word that is swapped."""
        check_type("text", text, str, "a text")
        return self._pattern.search(text) is not None

    def sides(self, text: str) -> tuple[int, int]:
        """Count the words of a text on the first and on the second side of the pairs.

        Examples
        --------
        >>> Swaps(PRONOUNS).sides("He and his wife saw her there.")
        (2, 1)
        """
        check_type("text", text, str, "a text")
        found = [self._listed(word[0]) in self._first for word in self._found(text)]
        return sum(found), len(found) - sum(found)

    def _found(self, text: str):
        return self._pattern.finditer(text)

    def _listed(self, word: str) -> str:
        """Return a word as it is written in its pair."""
        if word not in self._partners and word.lower() in self._partners:
            return word.lower()
        return self._capitals.get(word, word)

    def _swapped(self, found: re.Match) -> str:
        word = found[0]
        partners = self._partners[self._listed(word)]
        if len(partners) == 1:
            return cased_like(partners[0], word)
        owning, alone = _HIS_OR_HIM[word.lower()]
        behind = _NEXT.match(found.string, found.end())
        owns = behind is not None and behind[1].lower() not in _CLOSING
        return cased_like(owning if owns else alone, word)


def _pairs(given) -> tuple[Pair, ...]:
    if isinstance(given, Mapping):
        for word, other in given.items():
            if given.get(other) != word:
                raise ValueError(
                    f"pairs must lead both ways, got {word!r}: {other!r} and no"
                    f" {other!r}: {word!r}; or give pairs, such as [({word!r},"
                    f" {other!r})]"
                )
        found = []
        for pair in given.items():
            if pair[::-1] not in found:
                found.append(pair)
    else:
        check_type("pairs", given, Sequence, "pairs of words")
        found = [tuple([pair] if isinstance(pair, str) else pair) for pair in given]
    for pair in found:
        sides = [side for side in pair if isinstance(side, str) and side.strip()]
        if len(pair) != 2 or len(sides) != 2 or pair[0] == pair[1]:
            raise ValueError(
                f"pairs must have two sides, such as ('he', 'she'), got {pair!r}"
            )
    if not found:
        raise ValueError("pairs must hold at least one pair of words, got none")
    return tuple(found)


def _check_partners(word: str, partners: list[str]) -> None:
    both = _HIS_OR_HIM.get(word)
    if both is None and len(partners) > 1:
        raise ValueError(
            f"pairs must name a word once, got {word!r} with {partners}: into which of"
            " them shall it change?"
        )
    if both is not None and set(partners) != set(both):
        raise ValueError(
            f"pairs must give {word!r} both its partners, {both[0]!r} and {both[1]!r},"
            f" got {partners}; PRONOUNS does"
        )


def _pattern(words) -> re.Pattern:
    """Find whole words; in a script without spaces a word has no edge."""
    edged, plain = [], []
    for word in sorted(words, key=len, reverse=True):
        spaceless = re.search(f"[{SPACELESS}]", word)
        (plain if spaceless else edged).append(_written(word))
    parts = [rf"(?<!\w)(?:{'|'.join(edged)})(?!\w)"] if edged else []
    return re.compile("|".join(parts + plain))


def _written(word: str) -> str:
    """Return the pattern of a word in the ways it may be written."""
    if word == word.lower():
        return f"(?i:{re.escape(word)})"
    return f"(?:{re.escape(word)}|{re.escape(word.upper())})"


def swapped_copies(
    texts: Sequence[str], swaps: Swaps, share: float = 1.0, seed: int = 0
) -> Views:
    """Make the copies that a correction set adds to what is trained on [1]_.

    Parameters
    ----------
    texts : sequence of str
    swaps : Swaps
    share : float, default 1.0
        Of the texts that the swaps touch, above 0 and at most 1; part of one is a
        whole one.
    seed : int, default 0
        Draws which.

    Returns
    -------
    Views
        Swapped texts and the rows they were made of. Here the old label, or answer, is
        the right one: that it holds for the copy as well is what is taught.

    Raises
    ------
    ValueError
        If `share` is out of range, or no text has a word to swap.

    References
    ----------
    .. [1] K. Lu et al., "Gender bias in neural natural language processing", 2020:
       counterfactual data augmentation.

    Examples
    --------
    >>> swapped_copies(["He left.", "A film."], Swaps(PRONOUNS)).texts
    ['She left.']
    """
    check_texts(texts)
    check_number("share", share, above=0, most=1)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    touched = [row for row, text in enumerate(texts) if swaps.touches(text)]
    if not touched:
        raise ValueError(
            f"texts hold none of the words of {len(swaps.pairs)} pairs, such as"
            f" {swaps.pairs[0]}: there is nothing to swap"
        )
    count = math.ceil(share * len(touched) - 1e-9)
    rows = np.sort(rng.permutation(touched)[:count])
    return Views([swaps(texts[row]) for row in rows], rows)
