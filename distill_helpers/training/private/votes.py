"""Many teachers, each of its own texts, and only their noisy votes are seen: PATE.

The private texts are cut into shards that share nothing, and each shard teaches one
teacher. A query is answered by counting the teachers' votes and adding noise to the
counts. One text can change one vote, so the noise hides it, and a student that learns
from the noisy answers alone, on public texts, is as private as they are [1]_.

References
----------
.. [1] N. Papernot et al., "Semi-supervised knowledge transfer for deep learning from
   private training data", ICLR 2017.
.. [2] N. Papernot et al., "Scalable private learning with PATE", ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...arguments import check_number, check_whole

_LEAST_SHARE = 1e-3  # of which a logit can still be taken


def disjoint_shards(rows: int, teachers: int, seed: int = 0) -> list[np.ndarray]:
    """Deal rows out to teachers, each row to one.

    Parameters
    ----------
    rows : int
        Private texts.
    teachers : int
        At least 2, and no more than rows.
    seed : int, default 0

    Returns
    -------
    list of ndarray of int
        One a teacher, of like size; together every row once.

    Raises
    ------
    ValueError
        If a teacher would get nothing.

    Examples
    --------
    >>> sorted(len(shard) for shard in disjoint_shards(10, 3))
    [3, 3, 4]
    """
    check_whole("rows", rows, least=2)
    check_whole("teachers", teachers, least=2, most=rows)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    return np.array_split(rng.permutation(rows), teachers)


def gather_votes(
    fit: Callable[[np.ndarray], Callable],
    shards: Sequence[np.ndarray],
    queries,
    classes: int,
) -> np.ndarray:
    """Train a teacher on each shard and count their votes.

    Parameters
    ----------
    fit : callable
        From the rows of a shard to a teacher; a teacher gives queries their classes, as
        ints of shape (queries,).
    shards : sequence of ndarray of int
        See :func:`disjoint_shards`.
    queries
        What the teachers are asked: texts, features or whatever they take.
    classes : int

    Returns
    -------
    ndarray of int, shape (queries, classes)
        These counts are private; :func:`noisy_votes` makes them fit to be seen.

    Raises
    ------
    ValueError
        If two shards share a row (one text would then move several votes), or a vote is
        no class.
    """
    check_whole("classes", classes, least=2)
    dealt = np.concatenate([np.asarray(shard) for shard in shards])
    twice = np.unique(dealt)[np.unique(dealt, return_counts=True)[1] > 1]
    if len(twice):
        raise ValueError(
            f"shards must share no row, got row {twice[0]} in several of them: one text"
            " would move more than one vote, and the noise would be too little"
        )
    votes = 0
    for number, shard in enumerate(shards):
        chosen = np.asarray(fit(np.asarray(shard))(queries))
        if chosen.ndim != 1 or not np.isin(chosen, np.arange(classes)).all():
            raise ValueError(
                f"fit must give teachers that answer with classes from 0 to"
                f" {classes - 1}, one a query; teacher {number} gave {chosen[:5]!r}"
            )
        votes = votes + np.eye(classes, dtype=int)[chosen]
    return votes


def noisy_votes(votes: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    """Add noise to the counts, before anything is made of them.

    Parameters
    ----------
    votes : ndarray, shape (queries, classes)
    noise : float
        Standard deviation, in votes; from
        :func:`~distill_helpers.evaluation.privacy.votes_noise`.
    seed : int, default 0
        Keep it secret where texts are really private.

    Returns
    -------
    ndarray of float, shape (queries, classes)
    """
    check_number("noise", noise, above=0)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    votes = _counts("votes", votes)
    return votes + noise * rng.standard_normal(votes.shape)


def hard_labels(noisy: np.ndarray) -> np.ndarray:
    """Keep the class with most of the noisy votes.

    Parameters
    ----------
    noisy : ndarray, shape (queries, classes)

    Returns
    -------
    ndarray of int, shape (queries,)
    """
    return _counts("noisy", noisy).argmax(axis=1)


def soft_shares(noisy: np.ndarray, teachers: int) -> np.ndarray:
    """Keep the noisy shares of the votes, which cost the same as the choice does.

    Parameters
    ----------
    noisy : ndarray, shape (queries, classes)
    teachers : int
        Who voted: the counts lie around a share of so many.

    Returns
    -------
    ndarray of float, shape (queries, classes)
        At least a thousandth each, rows of sum 1: soft targets.
    """
    check_whole("teachers", teachers, least=2)
    noisy = _counts("noisy", noisy)
    even = 1 / noisy.shape[1]
    centred = (noisy - noisy.mean(axis=1, keepdims=True)) / teachers
    shares = np.clip(even + centred, _LEAST_SHARE, 1)
    return shares / shares.sum(axis=1, keepdims=True)


def soft_logits(shares: np.ndarray) -> np.ndarray:
    """Turn shares into logits, so that they are taught as any teacher's answers are.

    Parameters
    ----------
    shares : ndarray, shape (queries, classes)
        From :func:`soft_shares`.

    Returns
    -------
    ndarray of float32, shape (queries, classes)
        Taught at a temperature of 1, the student's targets are the shares.
    """
    return np.log(np.asarray(shares, float)).astype(np.float32)


def _counts(name: str, votes: np.ndarray) -> np.ndarray:
    votes = np.asarray(votes, float)
    if votes.ndim != 2 or votes.shape[1] < 2 or not np.isfinite(votes).all():
        raise ValueError(
            f"{name} must hold a finite count for each query and class, got shape"
            f" {votes.shape}"
        )
    return votes
