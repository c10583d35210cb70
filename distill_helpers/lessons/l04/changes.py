"""Lesson 04: what a student reads, with one thing changed."""

from __future__ import annotations

import numpy as np

from ...data.encoding import EncodedReviews
from ...training.arms import answered


def smoothed(reads: EncodedReviews, classes: int, epsilon: float) -> EncodedReviews:
    """Answer every text by its own label, smoothed.

    Parameters
    ----------
    reads : EncodedReviews
        All of them labelled, one label a text.
    classes : int
    epsilon : float
        Shared equally by all classes, the right one included.

    Returns
    -------
    EncodedReviews
        Their soft targets at T = 1 are the smoothed labels (Szegedy et al., 2016).
    """
    shares = np.full((len(reads), classes), epsilon / classes, np.float32)
    shares[np.arange(len(reads)), reads.labels] += 1 - epsilon
    return answered(reads, np.log(shares))


def shuffled(reads: EncodedReviews, seed: int) -> EncodedReviews:
    """Give each text the teacher's answer to some other text, drawn by a seed."""
    order = np.random.default_rng(seed).permutation(len(reads))
    return answered(reads, reads.teacher_logits[order])


def shortened(reads: EncodedReviews, most: int | None) -> EncodedReviews:
    """Cut every text to its first tokens; None leaves them whole."""
    cut = [ids[:most] for ids in reads.token_ids]
    return reads.changed(token_ids=cut)
