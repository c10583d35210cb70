"""Shares of the classes from several answers, where probabilities are not told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...arguments import check_number, check_whole

SMOOTHING = 0.5
"""Answers that each class is given beforehand (Jeffreys' prior)."""


@dataclass(frozen=True)
class Votes:
    """What several answers to one text say.

    Attributes
    ----------
    shares : ndarray of float64, shape (classes,)
        Smoothed; they sum to 1. All NaN where no answer named a class.
    error : float
        Standard error of the largest share.
    counted, outside : int
        Answers that named a class, and those that did not.
    """

    shares: np.ndarray
    error: float
    counted: int
    outside: int


def vote_shares(
    votes: Sequence[int | None], classes: int, smoothing: float = SMOOTHING
) -> Votes:
    r"""Turn answers into smoothed shares.

    Parameters
    ----------
    votes : sequence of (int or None)
        The class of each answer; None for one that named no class: it is counted,
        and is no vote.
    classes : int
    smoothing : float, default 0.5
        Above 0, for three answers of one kind are no certainty: with n votes a
        class that has v of them gets
        :math:`(v + s) / (n + s \cdot \text{classes})`.

    Returns
    -------
    Votes

    Raises
    ------
    ValueError
        If a vote is no class, or a number does not fit.

    Examples
    --------
    >>> found = vote_shares([1, 1, None, 1], 2)
    >>> found.shares.tolist(), found.outside
    ([0.125, 0.875], 1)
    """
    check_whole("classes", classes, least=2)
    check_number("smoothing", smoothing, above=0)
    given = [vote for vote in votes if vote is not None]
    wrong = [vote for vote in given if not 0 <= vote < classes]
    if wrong:
        raise ValueError(f"votes must lie in 0..{classes - 1} or be None, got {wrong}")
    outside = len(votes) - len(given)
    if not given:
        return Votes(np.full(classes, np.nan), math.nan, 0, outside)
    counts = np.bincount(given, minlength=classes) + smoothing
    shares, total = counts / counts.sum(), counts.sum()
    largest = float(shares.max())
    error = math.sqrt(largest * (1 - largest) / (total + 1))
    return Votes(shares, error, len(given), outside)
