"""Find reviews that are the same, or nearly the same, as another.

A near duplicate on both sides of a split lets a model score by memory. Pairs
are found with word shingles and a bottom-k sketch, then confirmed by their
Jaccard similarity. What very many texts share, as a footer, makes no pair.

References
----------
.. [1] A. Broder, "On the resemblance and containment of documents", 1997.
.. [2] Lee et al., "Deduplicating training data makes language models better",
   ACL 2022.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from tqdm.auto import tqdm

from .cleaning import check_texts, signature
from .scripts import SPACELESS

SHINGLE_WORDS = 5
SKETCH_SIZE = 8
BOILERPLATE_SHARE = 0.01
BOILERPLATE_TEXTS = (50, 200)
"""A shingle is boilerplate in more than this share of the texts; the number of
texts from which it is so lies within these two, however many there are."""
OWN_WORDS = 3
"""A text is judged without its boilerplate if so many words are left of it."""
PATIENCE = 5
"""Seconds after which a progress bar appears."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_DIGITS = re.compile(r"\d+")
_SPACELESS = re.compile(f"([{SPACELESS}])")


# --------------------------------------------------------------- shingles
def _shingles(word_ids: np.ndarray) -> np.ndarray:
    """Hash every run of `SHINGLE_WORDS` words, in the order of the text."""
    width = min(SHINGLE_WORDS, len(word_ids))
    count = len(word_ids) - width + 1
    hashes = np.zeros(count if width else 0, dtype=np.uint64)
    for offset in range(width):
        hashes = (hashes ^ word_ids[offset : offset + count]) * _MULTIPLIER
        hashes ^= hashes >> _SHIFT
    return hashes


def _words(mark: str) -> list[str]:
    """Part a signature into words; a script without spaces into its letters."""
    if not mark.isascii():
        mark = _SPACELESS.sub(r" \1 ", mark)
    return mark.split()


def _runs(marks: Sequence[str], progress: bool) -> list[np.ndarray]:
    """Return the hashes of each signature's shingles in the order of the text."""
    vocabulary: dict[str, int] = defaultdict(lambda: len(vocabulary) + 1)
    runs = []
    for mark in _bar(marks, "shingles", progress):
        ids = np.array([vocabulary[w] for w in _words(mark)], dtype=np.uint64)
        runs.append(_shingles(ids))
    return runs


def _bar(items, title: str, progress: bool):
    name = f"near duplicates: {title}"
    return tqdm(items, name, delay=PATIENCE, mininterval=1, disable=not progress)


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Share of shingles that two sorted sets have in common, 0 to 1."""
    if not len(first) or not len(second):
        return 0.0
    small, large = sorted((first, second), key=len)
    places = np.searchsorted(large[:-1], small)
    common = int(np.count_nonzero(large[places] == small))
    return common / (len(first) + len(second) - common)


# ------------------------------------------------------------ boilerplate
def boilerplate_limit(texts: int) -> int:
    """Return how many of so many texts may share a shingle that tells them apart."""
    least, most = BOILERPLATE_TEXTS
    return int(min(max(least, BOILERPLATE_SHARE * texts), most))


def _boilerplate(hashes: np.ndarray, limit: int) -> np.ndarray:
    """Return the hashes that stand there more than `limit` times, sorted."""
    if len(hashes) <= limit:
        return hashes[:0]
    every = np.sort(hashes)
    far = every[limit:] == every[: len(every) - limit]
    return np.unique(every[limit:][far])


def _content(runs: list[np.ndarray], limit: int) -> list[np.ndarray]:
    """Return, of each text, the set of shingles that it is compared by."""
    sets = [np.unique(run) for run in runs]
    if len(sets) <= limit:
        return sets
    every = np.concatenate(sets)
    common = _boilerplate(every, limit)
    if not len(common):
        return sets
    tell = _own_words(runs, common) >= OWN_WORDS
    owner = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    keep = ~(_within(every, common) & tell[owner])
    ends = np.cumsum(np.bincount(owner[keep], minlength=len(sets)))
    return np.split(every[keep], ends[:-1])


def _within(values: np.ndarray, sorted_set: np.ndarray) -> np.ndarray:
    return sorted_set[np.searchsorted(sorted_set[:-1], values)] == values


def _own_words(runs: list[np.ndarray], common: np.ndarray) -> np.ndarray:
    """Count the words of each text that no common shingle covers."""
    shared = _within(np.concatenate(runs), common)
    lengths = np.array([len(run) for run in runs])
    owner = np.repeat(np.arange(len(runs)), lengths)
    reach = SHINGLE_WORDS - 1  # a text has so many words more than shingles
    place = np.arange(len(shared)) + reach * owner
    covered = np.zeros(len(shared) + reach * len(runs), bool)
    for offset in range(SHINGLE_WORDS):
        covered[place[shared] + offset] = True
    words = np.repeat(np.arange(len(runs)), lengths + reach)
    return np.bincount(words[~covered], minlength=len(runs))


# ----------------------------------------------------------------- groups
def _union(parents: list[int], first: int, second: int) -> None:
    roots = sorted((_root(parents, first), _root(parents, second)))
    parents[roots[1]] = roots[0]


def _root(parents: list[int], node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


def duplicate_groups(
    texts: Sequence[str], *, threshold: float = 0.5, progress: bool = True
) -> np.ndarray:
    """Give the same group number to texts that are (nearly) the same.

    Parameters
    ----------
    texts : sequence of str
        Cleaned reviews. Scripts without spaces are compared by their letters.
    threshold : float, default 0.5
        Jaccard similarity of five-word shingles from which two reviews count
        as one. Within (0, 1]. Shingles that more texts share than
        :func:`boilerplate_limit` says do not count, as long as a text has words
        of its own beside them.
    progress : bool, default True
        Show a progress bar where it takes more than a few seconds.

    Returns
    -------
    ndarray of int, shape (len(texts),)
        The index of the first member of each text's group; a text that is
        like no earlier one gets its own index.

    Raises
    ------
    ValueError
        If `threshold` is outside (0, 1].
    TypeError
        If `texts` are none; the message names the row.

    Examples
    --------
    >>> duplicate_groups(["A fine film.", "a  fine film", "Dull."]).tolist()
    [0, 0, 2]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], got {threshold!r}")
    check_texts(texts)
    marks = [signature(text) for text in _bar(texts, "words", progress)]
    firsts: dict[str, int] = {}
    twins = [firsts.setdefault(m, i) if m else i for i, m in enumerate(marks)]
    alone = list(firsts.values())  # the texts that equal no earlier one
    near = _near_groups([marks[i] for i in alone], threshold, progress)
    group_of = dict(zip(alone, (alone[i] for i in near)))
    return np.array([group_of.get(twin, twin) for twin in twins], dtype=int)


def _near_groups(marks: list[str], threshold: float, progress: bool) -> list[int]:
    """Group signatures that all differ by the shingles that they share."""
    limit = boilerplate_limit(len(marks))
    sets = _content(_runs(marks, progress), limit)
    parents = list(range(len(sets)))
    seen: dict[int, list[int]] = defaultdict(list)
    for index, shingles in enumerate(_bar(sets, "pairs", progress)):
        sketch = shingles[:SKETCH_SIZE].tolist()
        candidates = {other for key in sketch for other in seen[key]}
        for other in sorted(candidates):
            if _root(parents, other) == _root(parents, index):
                continue
            if jaccard(sets[other], shingles) >= threshold:
                _union(parents, other, index)
        for key in sketch:
            if len(seen[key]) <= limit:  # boilerplate alone has longer lists
                seen[key].append(index)
    return [_root(parents, index) for index in range(len(parents))]


def alike_but_for_numbers(texts: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Say which texts some other text repeats, but for the numbers in it.

    Forms that a machine filled in differ by a case number; no shingle of a short one
    may be the same, so that it is no near duplicate, and yet it is known by heart.

    Parameters
    ----------
    texts, known : sequence of str

    Returns
    -------
    ndarray of bool, shape (texts,)

    Examples
    --------
    >>> alike_but_for_numbers(["Case 7: no heat", "Case 7: no light"], ["case 41, no heat"])
    array([ True, False])
    """
    check_texts(texts)
    check_texts(known)
    seen = set(map(_without_numbers, known))
    return np.array([_without_numbers(text) in seen for text in texts], bool)


def _without_numbers(text: str) -> str:
    return _DIGITS.sub("0", signature(text))
