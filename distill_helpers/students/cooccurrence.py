"""First embeddings learnt from the texts: from the company that words keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from ..arguments import check_whole
from .ngrams import log_count_ratio

SPREAD = 0.1
"""Standard deviation of a first embedding, as of one taken from a teacher."""


def embeddings_from_texts(
    rows: Sequence[np.ndarray],
    size: int,
    probabilities: np.ndarray,
    *,
    width: int = 64,
    reach: int = 3,
    seed: int = 0,
) -> torch.Tensor:
    """Start a student's embedding from the company that its words keep.

    Words that stand beside the same words get like rows: how much more often two
    stand together than chance has it, the negative cut off, narrowed by SVD [1]_,
    [2]_. Good and bad keep the same company, though; so the last column says how
    strongly a word speaks for the second class, by the teacher's soft counts.

    Parameters
    ----------
    rows : sequence of ndarray of int, each of shape (tokens,)
        Token ids of many texts, labelled or not; 0 is padding.
    size : int
        Rows of the embedding; above every id.
    probabilities : ndarray, shape (texts,)
        Of the second of two classes, for each text, within [0, 1].
    width : int, default 64
        Columns of the result, at least 2 and at most `size`.
    reach : int, default 3
        Neighbours that are counted on either side; the nearer, the more they count.
    seed : int, default 0
        Of the approximate SVD.

    Returns
    -------
    Tensor, shape (size, width)
        The row of padding is zero.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, an id does not fit into `size`, or `rows` and
        `probabilities` differ in length.

    References
    ----------
    .. [1] O. Levy, Y. Goldberg, "Neural word embedding as implicit matrix
       factorization", NeurIPS 2014.
    .. [2] O. Levy, Y. Goldberg, I. Dagan, "Improving distributional similarity with
       lessons learned from word embeddings", TACL 2015.

    Examples
    --------
    >>> rows = [np.array([1, 2, 3]), np.array([1, 2, 4]), np.array([3, 4])]
    >>> embeddings_from_texts(rows, 5, np.array([0.9, 0.8, 0.1]), width=2).shape
    torch.Size([5, 2])
    """
    check_whole("size", size, 2)
    check_whole("width", width, 2, size)
    check_whole("reach", reach, 1)
    tokens, texts = _flat(rows, size)
    said = np.asarray(probabilities, float)
    if said.shape != (len(rows),) or not ((said >= 0) & (said <= 1)).all():
        raise ValueError(
            f"probabilities must be a number within [0, 1] for each of the {len(rows)}"
            f" rows, got shape {said.shape}"
        )
    company = _surprise(_neighbours(tokens, texts, size, reach))
    left, strengths, _ = randomized_svd(
        company, width - 1, n_oversamples=10, n_iter=2, random_state=seed
    )
    company = _same_length(left * np.sqrt(strengths))
    present = sparse.csr_matrix(
        (np.ones(len(tokens), np.float32), (texts, tokens)), (len(rows), size)
    )
    mood = log_count_ratio(present > 0, said)
    mood = mood * (2 * SPREAD / max(mood.std(), 1e-12))
    start = np.concatenate([company, mood[:, None]], axis=1).astype(np.float32)
    start[0] = 0
    return torch.from_numpy(start)


def _flat(rows: Sequence[np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay all texts end to end, without padding; say which text each token is of."""
    if not len(rows):
        raise ValueError("rows must hold the ids of at least one text, got none")
    tokens = np.concatenate([np.asarray(row, np.int64) for row in rows])
    if len(tokens) and not 0 <= tokens.min() <= tokens.max() < size:
        raise ValueError(
            f"rows must hold ids from 0 to {size - 1} (size={size}), got"
            f" {tokens.min()} to {tokens.max()}"
        )
    texts = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return tokens[tokens != 0], texts[tokens != 0]


def _neighbours(tokens, texts, size: int, reach: int) -> sparse.csr_matrix:
    """Count who stands beside whom; a neighbour at distance d counts 1 / d."""
    found = sparse.csr_matrix((size, size), dtype=np.float32)
    for distance in range(1, reach + 1):
        same = texts[:-distance] == texts[distance:]
        pair = (tokens[:-distance][same], tokens[distance:][same])
        weight = np.full(len(pair[0]), 1 / distance, np.float32)
        found = found + sparse.csr_matrix((weight, pair), (size, size))
    found = (found + found.T).tocsr()
    found.data[found.data < 1] = 0  # seen once, and far apart: most pairs, little said
    found.eliminate_zeros()
    return found


def _surprise(counts: sparse.csr_matrix, smoothing: float = 0.75) -> sparse.csr_matrix:
    """Return the positive pointwise mutual information of a table of counts."""
    counts = counts.copy()
    totals = np.asarray(counts.sum(1)).ravel()
    chance = totals**smoothing / max((totals**smoothing).sum(), 1e-12)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    expected = totals[rows] * chance[counts.indices]
    counts.data = np.maximum(np.log(counts.data / expected), 0).astype(np.float32)
    counts.eliminate_zeros()
    return counts


def _same_length(rows: np.ndarray) -> np.ndarray:
    """Centre rows, bring them to one length, and all together to `SPREAD`."""
    rows = rows - rows.mean(0)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return rows * (SPREAD / max(rows.std(), 1e-12))
