"""A linear head on features that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

STRENGTH = 10.0
"""Inverse of the penalty on squared weights."""


@dataclass(frozen=True)
class Head:
    """One logistic regression for each class: it, against all others.

    Attributes
    ----------
    weights : ndarray of float32, shape (features, classes)
    bias : ndarray of float32, shape (classes,)
    """

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, features) -> np.ndarray:
        """Return logits, shape (texts, classes), of features as it was fitted on."""
        return np.asarray(features @ self.weights, np.float32) + self.bias


def fit_head(features, holds: np.ndarray, seed: int = 0) -> Head:
    """Fit a head to labels, rare classes weighing as much as common ones.

    Parameters
    ----------
    features : ndarray or csr_matrix, shape (texts, features)
    holds : ndarray of bool, shape (texts, classes)
        Whether each class holds. One that holds nowhere, or everywhere, gets no
        weights but a bias, by Laplace's rule of succession.
    seed : int, default 0
        Of the order in which the solver visits the texts.

    Returns
    -------
    Head
    """
    count, classes = holds.shape
    weights = np.zeros((features.shape[1], classes), np.float32)
    bias = np.zeros(classes, np.float32)
    for number in range(classes):
        ever = int(holds[:, number].sum())
        if ever in (0, count):
            bias[number] = np.log((ever + 1) / (count - ever + 1))
            continue
        line = LogisticRegression(
            C=STRENGTH,
            class_weight="balanced",
            solver="liblinear",
            dual=True,
            max_iter=2_000,
            random_state=seed,
        ).fit(features, holds[:, number])
        weights[:, number], bias[number] = line.coef_[0], line.intercept_[0]
    return Head(weights, bias)
