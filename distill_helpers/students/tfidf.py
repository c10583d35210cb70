"""A quick student: linear, on words and pairs of words, taught by soft answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from ..arguments import check_number, check_temperature
from ..data.cleaning import check_texts
from ..data.targets import as_logits, check_logits, check_no_probabilities
from .linear import tokens

STRENGTH = 100.0
"""Inverse of the penalty on squared weights."""


class Reader:
    """Texts as the student reads them: tf-idf of words and pairs of words.

    It takes a text as it comes, but for capitals: what nobody cleaned stays dirty.

    Parameters
    ----------
    texts : sequence of str
        Texts that need no label. What stands in fewer than two of them is not seen.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        check_texts(texts)
        self._features = TfidfVectorizer(
            tokenizer=tokens,
            token_pattern=None,
            ngram_range=(1, 2),
            sublinear_tf=True,
            min_df=2,
        ).fit(list(texts))

    def __call__(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return the features of some texts, shape (texts, features)."""
        return self._features.transform(list(texts)).tocsr()


@dataclass(frozen=True)
class Learnt:
    """A student that has learnt.

    Attributes
    ----------
    model : LogisticRegression
    classes : int
    temperature : float
        At which it was taught; its logits are on the teacher's scale again.
    """

    model: LogisticRegression
    classes: int
    temperature: float = 1.0

    def logits(self, features: sparse.csr_matrix) -> np.ndarray:
        """Return logits, shape (texts, classes)."""
        found = self.model.decision_function(features) * self.temperature
        if found.ndim == 1:
            found = np.stack([-found / 2, found / 2], axis=1)
        logits = np.full((len(found), self.classes), found.min() - 30.0)
        logits[:, self.model.classes_] = found
        return logits

    def accuracy(self, features: sparse.csr_matrix, truth: np.ndarray) -> float:
        """Return the share of texts whose class it finds."""
        return float((self.logits(features).argmax(1) == np.asarray(truth)).mean())


def learn(
    features: sparse.csr_matrix, logits: np.ndarray, temperature: float = 2.0
) -> Learnt:
    """Teach a student soft answers.

    The cross-entropy against a soft target is that against each class, weighted by
    the class's probability. So every text is read once for each class.

    Parameters
    ----------
    features : csr_matrix, shape (texts, features)
    logits : ndarray, shape (texts, classes)
        The teacher's.
    temperature : float, default 2.0

    Returns
    -------
    Learnt

    Raises
    ------
    ValueError
        If there is not a row of finite logits for each text.
    """
    check_temperature(temperature)
    logits = as_logits(logits)
    check_logits(logits, features.shape[0], logits.shape[-1])
    check_no_probabilities(logits)
    shares = softmax(logits.astype(float) / temperature, axis=1)
    texts, classes = shares.shape
    labels = np.repeat(np.arange(classes), texts)
    stacked = sparse.vstack([features] * classes).tocsr()
    model = _fresh().fit(stacked, labels, sample_weight=shares.T.ravel())
    return Learnt(model, classes, temperature)


def learn_labels(
    features: sparse.csr_matrix, labels: Sequence[int], classes: int
) -> Learnt:
    """Teach a student labels.

    Parameters
    ----------
    features : csr_matrix, shape (texts, features)
    labels : sequence of int
        Of two classes at least.
    classes : int
        In all; one without a label is never its answer.

    Returns
    -------
    Learnt
    """
    check_number("classes", classes, least=2)
    return Learnt(_fresh().fit(features, np.asarray(labels)), classes)


def _fresh() -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=2_000)
