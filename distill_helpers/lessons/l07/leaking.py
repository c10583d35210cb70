"""Lesson 07: what test texts in the training part do to a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ...data.leaks import find_leaks
from ...students.tfidf import learn_labels
from .dirt import with_copies

READ = 0.8
"""Share of the labelled texts that each seed draws."""


def leaked_scores(
    labelled: tuple[sparse.csr_matrix, np.ndarray],
    tested: tuple[sparse.csr_matrix, np.ndarray],
    classes: int,
    seeds: Sequence[int],
    share: float = 0.1,
) -> dict[str, dict[int, float]]:
    """Train with and without some of the test texts, and test.

    Parameters
    ----------
    labelled, tested : (csr_matrix, ndarray of int)
        Features and labels.
    classes : int
    seeds : sequence of int
        Each draws labelled texts, and which test texts leak.
    share : float, default 0.1
        Of the test texts that leak, with their labels.

    Returns
    -------
    dict
        From what is scored to seed to accuracy.
    """
    (x, y), (test_x, test_y) = labelled, tested
    found: dict[str, dict[int, float]] = {
        name: {} for name in ("clean", "leaked", "leaked, on the other test texts")
    }
    for seed in seeds:
        rng = np.random.default_rng(seed)
        own = rng.permutation(len(y))[: round(READ * len(y))]
        order = rng.permutation(len(test_y))
        count = max(1, round(share * len(test_y)))
        leaks, others = order[:count], order[count:]
        clean = learn_labels(x[own], y[own], classes)
        both = sparse.vstack([x[own], test_x[leaks]]).tocsr()
        leaked = learn_labels(both, np.append(y[own], test_y[leaks]), classes)
        scores = (
            clean.accuracy(test_x, test_y),
            leaked.accuracy(test_x, test_y),
            leaked.accuracy(test_x[others], test_y[others]),
        )
        for by_seed, score in zip(found.values(), scores):
            by_seed[seed] = score
    return found


def found_copies(
    train: Sequence[str], test: Sequence[str], shares: Sequence[float], seed: int = 0
) -> dict[float, float]:
    """Hide copies of test texts in train, and count those that are found.

    Parameters
    ----------
    train, test : sequence of str
    shares : sequence of float
        Of the words that each copy lacks.
    seed : int, default 0

    Returns
    -------
    dict of float to float
        From share of words to share of the copies found.
    """
    found = {}
    for share in shares:
        _, copies = with_copies(test, max(1, len(test) // 10), share, seed)
        parts = {"train": [*train, *copies], "test": list(test)}
        rows = find_leaks(parts, progress=False).rows("train")
        found[share] = float((rows >= len(train)).sum() / len(copies))
    return found
