"""How good a classifier's answers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import f1_score


@dataclass
class Quality:
    """How well a model answers on one set of labelled texts.

    Attributes
    ----------
    accuracy, f1, calibration_error : float
        Shares within [0, 1]; F1 is the macro average.
    agreement : float or None
        Share of texts on which the model and its teacher choose one class.
    examples : int
        Texts that were asked.
    """

    accuracy: float
    f1: float
    calibration_error: float
    agreement: float | None
    examples: int


# ------------------------------------------------------------------ quality
def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float64, of the same shape as `logits`."""
    shifted = np.asarray(logits, np.float64)
    shifted = shifted - shifted.max(-1, keepdims=True)
    exponent = np.exp(shifted)
    return exponent / exponent.sum(-1, keepdims=True)


def expected_calibration_error(
    logits: np.ndarray, labels: Sequence[int], bins: int = 15
) -> float:
    """Return the mean gap between confidence and accuracy [1]_.

    Parameters
    ----------
    logits : ndarray, shape (examples, classes)
    labels : sequence of int, length examples
    bins : int, default 15
        Equal steps of confidence.

    Returns
    -------
    float
        Within [0, 1].

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML
       2017.
    """
    probabilities = softmax(logits)
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == np.asarray(labels)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = place == index
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            error += inside.mean() * gap
    return float(error)


def measure_quality(
    logits: np.ndarray,
    labels: Sequence[int],
    teacher_logits: np.ndarray | None = None,
) -> Quality:
    """Judge logits against labels and, if given, against the teacher.

    Parameters
    ----------
    logits : ndarray, shape (examples, classes)
    labels : sequence of int, length examples
    teacher_logits : ndarray, shape (examples, classes), optional

    Returns
    -------
    Quality

    Raises
    ------
    ValueError
        If the lengths differ, there is no example, or a logit is not finite.
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    if len(logits) != len(labels) or not len(labels):
        raise ValueError(
            f"logits has {len(logits)} rows and labels {len(labels)}: they"
            " must be equal and not 0"
        )
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite, got NaN or infinite values")
    choice = logits.argmax(1)
    agreement = None
    if teacher_logits is not None:
        agreement = float((choice == np.asarray(teacher_logits).argmax(1)).mean())
    return Quality(
        accuracy=float((choice == labels).mean()),
        f1=float(f1_score(labels, choice, average="macro")),
        calibration_error=expected_calibration_error(logits, labels),
        agreement=agreement,
        examples=len(labels),
    )
