"""A teacher's surest answers as labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from ..arguments import check_number
from .targets import as_logits, check_logits, check_no_probabilities


class PseudoLabels(NamedTuple):
    """Texts whose answer is taken for a label.

    Attributes
    ----------
    rows : ndarray of int
    labels : ndarray of int
        The class of each of them.
    counts : list of int
        Texts of each class. The surest texts may all be of one.
    """

    rows: np.ndarray
    labels: np.ndarray
    counts: list[int]


def pseudo_labels(logits: np.ndarray, threshold: float = 0.9) -> PseudoLabels:
    """Keep the texts of which a teacher is sure, with its choice as their label.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
        The teacher's, of classes that exclude each other. Not probabilities: the
        softmax is taken here.
    threshold : float, default 0.9
        Least probability of the class that is chosen, above .5 and at most 1.

    Returns
    -------
    PseudoLabels

    Raises
    ------
    ValueError
        If `threshold` is .5 or less, which any of two classes passes; if the logits
        are probabilities; if the texts that are left are of fewer than two classes,
        from which nothing can be learnt.

    References
    ----------
    .. [1] D.-H. Lee, "Pseudo-label: the simple and efficient semi-supervised learning
       method for deep neural networks", ICML 2013 workshop.

    Examples
    --------
    >>> found = pseudo_labels(np.array([[5.0, 0.0], [0.0, 0.2], [0.0, 4.0]]))
    >>> found.rows.tolist(), found.labels.tolist(), found.counts
    ([0, 2], [0, 1], [1, 1])
    """
    check_number("threshold", threshold, above=0.5, most=1)
    logits = as_logits(logits)
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(
            "logits must have a row a text and a column for each of two or more"
            f" classes, got shape {logits.shape}"
        )
    check_logits(logits, *logits.shape)
    check_no_probabilities(logits)
    shares = softmax(logits.astype(float), axis=1)
    rows = np.flatnonzero(shares.max(1) >= threshold)
    labels = shares[rows].argmax(1)
    counts = np.bincount(labels, minlength=logits.shape[1]).tolist()
    if np.count_nonzero(counts) < 2:
        raise ValueError(
            f"threshold={threshold:g} leaves {len(rows)} of {len(logits)} texts, of the"
            f" classes {counts}: nothing can be learnt from fewer than two classes; the"
            f" surest answer is {shares.max(initial=0):.3f}"
        )
    return PseudoLabels(rows, labels, counts)
