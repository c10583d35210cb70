"""A linear model fitted under differential privacy, by noisy gradients.

Every text's gradient is clipped to length 1, so that no text can move the sum by more,
and noise is added to the sum [1]_. All texts are read in every step: there is nothing to
sample, and the accountant has an easy task.

References
----------
.. [1] M. Abadi et al., "Deep learning with differential privacy", CCS 2016.
.. [2] K. Chaudhuri, C. Monteleoni, A. Sarwate, "Differentially private empirical risk
   minimization", JMLR 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from ...arguments import check_number, check_whole
from ...data.cleaning import check_texts
from ...data.labels import class_numbers
from ...evaluation.privacy import (
    PrivacySpent,
    check_budget,
    gaussian_spent,
    noise_for,
)
from ...students.linear import tokens
from ...students.tfidf import Reader

CLIP = 1.0
"""Length that the features of a text, and its gradient, are clipped to."""


def hashed_features(texts: Sequence[str], bits: int = 16) -> sparse.csr_matrix:
    """Turn texts into features that no other text has a part in.

    A vocabulary, or weights such as those of tf-idf, are learnt from texts and tell of
    them; made of private texts they would have to be paid for. Hashed words need none.

    Parameters
    ----------
    texts : sequence of str
    bits : int, default 16
        Of the hash: words and pairs of words share ``2**bits`` columns.

    Returns
    -------
    csr_matrix, shape (texts, 2**bits)
        Rows of length 1; of length 0 where a text has no word.
    """
    check_texts(texts)
    check_whole("bits", bits, least=4, most=24)
    reader = HashingVectorizer(
        tokenizer=tokens,
        token_pattern=None,
        ngram_range=(1, 2),
        n_features=2**bits,
        binary=True,
        norm="l2",
    )
    return reader.transform(list(texts)).tocsr()


class PublicTopics:
    """Features that are learnt from public texts, without a label.

    A latent semantic analysis [1]_. Words that keep company are drawn together, so that
    few directions hold most of what counts; with few of them there is little room for
    noise.

    Parameters
    ----------
    texts : sequence of str
        Public ones, or private ones that nothing is promised about. None of them may be
        among those that are fitted on.
    topics : int, default 100
        Directions; half as many as texts at most.
    seed : int, default 0

    Raises
    ------
    ValueError
        If there are too few texts for so many topics.

    References
    ----------
    .. [1] S. Deerwester et al., "Indexing by latent semantic analysis", Journal of
       the American Society for Information Science, 1990.
    """

    def __init__(self, texts: Sequence[str], topics: int = 100, seed: int = 0) -> None:
        check_whole("topics", topics, least=2)
        if len(texts) < 2 * topics:
            raise ValueError(
                f"topics must be at most half as many as texts, got {topics} for"
                f" {len(texts):,} texts"
            )
        self._read = Reader(texts)
        counted = self._read(texts)
        self._topics = TruncatedSVD(topics, n_iter=2, random_state=seed).fit(counted)
        self._mean = self._topics.transform(counted).mean(axis=0)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return rows of length 1, shape (texts, topics)."""
        return normalize(self._topics.transform(self._read(texts)) - self._mean)


@dataclass(frozen=True)
class PrivateLinear:
    """A fitted linear model, and what it cost.

    Attributes
    ----------
    weights : ndarray, shape (features + 1, classes)
        The last row belongs to a constant.
    spent : PrivacySpent or None
        None where nothing was promised.
    """

    weights: np.ndarray
    spent: PrivacySpent | None

    def logits(self, features) -> np.ndarray:
        """Return logits, shape (texts, classes)."""
        return np.asarray(_unit_rows(features) @ self.weights)

    def accuracy(self, features, truth: Sequence[int]) -> float:
        """Return the share of texts whose class it finds."""
        return float((self.logits(features).argmax(1) == np.asarray(truth)).mean())


def fit_private(
    features,
    labels: Sequence[int],
    classes: int = 2,
    *,
    epsilon: float | None,
    delta: float = 1e-5,
    steps: int = 10,
    learning_rate: float = 20.0,
    penalty: float = 1e-3,
    seed: int = 0,
) -> PrivateLinear:
    """Fit a linear model so that no text leaves more than a bounded trace.

    Parameters
    ----------
    features : csr_matrix or ndarray, shape (texts, features)
        Longer rows are cut to length 1. Made without the private texts, or of each
        alone: :class:`PublicTopics`, :func:`hashed_features`.
    labels : sequence of int
        One a text.
    classes : int, default 2
    epsilon : float or None
        What may be spent in all; None fits the twin without noise, clipped and trained
        alike.
    delta : float, default 1e-5
        Must lie below 1 / texts.
    steps : int, default 10
        Of gradient descent on all texts; the mean of the later half of the weights is
        kept, which costs nothing.
    learning_rate : float, default 20.0
    penalty : float, default 1e-3
        On squared weights.
    seed : int, default 0
        Of the noise. Whoever knows it can take the noise off again: keep it secret, or
        draw it anew, where texts are really private.

    Returns
    -------
    PrivateLinear

    Raises
    ------
    ValueError
        If the budget promises nothing (see
        :func:`~distill_helpers.evaluation.privacy.check_budget`), or labels do not fit.

    Notes
    -----
    The number of texts is taken as known. Settings that were chosen by trying several
    on the private texts are not covered by epsilon.
    """
    check_whole("classes", classes, least=2)
    labels = class_numbers(labels, features.shape[0], classes)
    check_whole("steps", steps, least=1)
    check_number("learning_rate", learning_rate, above=0)
    check_number("penalty", penalty, least=0)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    noise = 0.0
    if epsilon is not None:
        check_budget(epsilon, delta, len(labels))
        noise = noise_for(epsilon, delta, steps)
    rows = _unit_rows(features)
    weights = _descend(
        rows, np.eye(classes)[labels], steps, learning_rate, penalty, noise, rng
    )
    spent = gaussian_spent(noise, steps, 1.0, delta) if noise else None
    return PrivateLinear(weights, spent)


def _descend(rows, targets, steps, rate, penalty, noise, rng) -> np.ndarray:
    shape = (rows.shape[1], targets.shape[1])
    weights, kept = np.zeros(shape), np.zeros(shape)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
    for step in range(steps):
        residuals = special.softmax(rows @ weights, axis=1) - targets
        long = np.linalg.norm(residuals, axis=1) * lengths / CLIP
        total = rows.T @ (residuals / np.maximum(long, 1)[:, None])
        total = total + noise * CLIP * rng.standard_normal(shape) if noise else total
        weights = weights - rate * (total / len(targets) + penalty * weights)
        if step >= steps // 2:
            kept += weights
    return kept / (steps - steps // 2)


def _unit_rows(features) -> sparse.csr_matrix:
    """Cut rows to length 1 and put a constant behind them."""
    rows = sparse.csr_matrix(features, dtype=float)
    if not np.isfinite(rows.data).all():
        raise ValueError("features must be finite, got NaN or infinite values")
    long = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel()) > 1
    if long.any():
        cut = normalize(rows)
        rows = sparse.diags(long * 1.0) @ cut + sparse.diags(~long * 1.0) @ rows
    constant = np.full((rows.shape[0], 1), 0.1)
    return sparse.hstack([rows, constant]).tocsr()
