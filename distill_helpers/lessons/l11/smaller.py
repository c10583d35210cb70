"""Lesson 11: its student in fewer bits and with fewer weights."""

from __future__ import annotations

import numpy as np
import torch

from ...compression.aware_training import round_weights


def rounded(weights: np.ndarray, bits: int) -> np.ndarray:
    """Round weights to a grid of so many bits, a scale for each row.

    Parameters
    ----------
    weights : ndarray, shape (rows, features)
    bits : int
        From 2 to 8.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    return round_weights(torch.as_tensor(weights), bits).numpy()


def pruned(weights: np.ndarray, keep: float) -> np.ndarray:
    """Keep the largest weights and put 0 in the place of the others.

    Parameters
    ----------
    weights : ndarray
    keep : float
        Their share, above 0 and at most 1; at least one is kept.

    Returns
    -------
    ndarray
        Of the same shape.

    Raises
    ------
    ValueError
        If `keep` is out of range.

    Examples
    --------
    >>> pruned(np.array([[3.0, -0.5, 1.0, -4.0]]), keep=0.5)
    array([[ 3.,  0.,  0., -4.]])
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep must lie in (0, 1], got {keep!r}")
    count = max(1, round(keep * weights.size))
    flat = np.zeros(weights.size, weights.dtype)
    largest = np.argsort(-np.abs(weights), axis=None, kind="stable")[:count]
    flat[largest] = weights.ravel()[largest]
    return flat.reshape(weights.shape)


def sureness(logits: np.ndarray) -> np.ndarray:
    """Deal texts into two halves by how sure a model is of them.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)

    Returns
    -------
    ndarray of str, shape (texts,)
        ``"unsure"`` where the two largest logits lie closest together.

    Examples
    --------
    >>> sureness(np.array([[0.0, 3.0], [1.0, 1.1]])).tolist()
    ['sure', 'unsure']
    """
    two = np.sort(logits, axis=1)[:, -2:]
    margins = two[:, 1] - two[:, 0]
    ranks = margins.argsort(kind="stable").argsort(kind="stable")
    return np.where(ranks < len(ranks) // 2, "unsure", "sure")
