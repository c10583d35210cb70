"""Find reviews that are the same, or nearly the same, as another.

A near duplicate on both sides of a split lets a model score by memory. Pairs
are found with word shingles and a bottom-k sketch, then confirmed by their
Jaccard similarity.

References
----------
.. [1] A. Broder, "On the resemblance and containment of documents", 1997.
.. [2] Lee et al., "Deduplicating training data makes language models better",
   ACL 2022.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from .cleaning import signature

SHINGLE_WORDS = 5
SKETCH_SIZE = 8
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def _shingles(word_ids: np.ndarray) -> np.ndarray:
    """Hash every run of `SHINGLE_WORDS` words; return sorted unique hashes."""
    width = min(SHINGLE_WORDS, len(word_ids))
    count = len(word_ids) - width + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(width):
        hashes = (hashes ^ word_ids[offset : offset + count]) * _MULTIPLIER
        hashes ^= hashes >> _SHIFT
    return np.unique(hashes)


def shingle_sets(texts: Sequence[str]) -> list[np.ndarray]:
    """Return each text's word shingles as sorted 64-bit hashes.

    Parameters
    ----------
    texts : sequence of str
        Cleaned reviews.

    Returns
    -------
    list of ndarray of uint64
        One array per text; empty for a text without words.
    """
    vocabulary: dict[str, int] = defaultdict(lambda: len(vocabulary) + 1)
    sets = []
    for text in texts:
        words = signature(text).split()
        ids = np.array([vocabulary[word] for word in words], dtype=np.uint64)
        sets.append(_shingles(ids) if len(ids) else ids)
    return sets


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Share of shingles that two sorted sets have in common, 0 to 1."""
    common = len(np.intersect1d(first, second, assume_unique=True))
    total = len(first) + len(second) - common
    return common / total if total else 0.0


def _union(parents: list[int], first: int, second: int) -> None:
    roots = sorted((_root(parents, first), _root(parents, second)))
    parents[roots[1]] = roots[0]


def _root(parents: list[int], node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


def duplicate_groups(texts: Sequence[str], *, threshold: float = 0.5) -> np.ndarray:
    """Give the same group number to texts that are (nearly) the same.

    Parameters
    ----------
    texts : sequence of str
        Cleaned reviews.
    threshold : float, default 0.5
        Jaccard similarity of five-word shingles from which two reviews count
        as one. Within (0, 1].

    Returns
    -------
    ndarray of int, shape (len(texts),)
        The index of the first member of each text's group; a text that is
        like no earlier one gets its own index.

    Raises
    ------
    ValueError
        If `threshold` is outside (0, 1].

    Examples
    --------
    >>> duplicate_groups(["A fine film.", "a  fine film", "Dull."]).tolist()
    [0, 0, 2]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], got {threshold!r}")
    sets = shingle_sets(texts)
    parents = list(range(len(texts)))
    seen: dict[int, list[int]] = defaultdict(list)
    for index, shingles in enumerate(sets):
        sketch = shingles[:SKETCH_SIZE].tolist()
        candidates = {other for key in sketch for other in seen[key]}
        for other in sorted(candidates):
            if _root(parents, other) == _root(parents, index):
                continue
            if jaccard(sets[other], shingles) >= threshold:
                _union(parents, other, index)
        for key in sketch:
            seen[key].append(index)
    return np.array([_root(parents, i) for i in range(len(texts))], dtype=int)
