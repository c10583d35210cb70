"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from .base import Teacher, check_answers


class AverageTeacher(Teacher):
    """Average the probabilities of several teachers.

    Parameters
    ----------
    teachers : sequence of Teacher
        At least one; all with the same classes.
    weights : sequence of float, optional
        One per teacher, not negative; scaled to sum to 1. Equal by default.

    Raises
    ------
    ValueError
        If the classes differ or the weights do not fit.

    Notes
    -----
    The logits returned are log-probabilities, which softmax turns back into
    the averaged probabilities.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        weights: Sequence[float] | None = None,
    ) -> None:
        if not teachers:
            raise ValueError("teachers must name at least one teacher, got none")
        classes = [teacher.num_labels for teacher in teachers]
        if len(set(classes)) > 1:
            raise ValueError(
                f"teachers must share their classes, got num_labels {classes}"
            )
        if weights is None:
            weights = [1.0] * len(teachers)
        self.weights = _normalised(weights, len(teachers))
        self.teachers = list(teachers)
        self.num_labels = classes[0]
        self.fingerprint = "average-" + "+".join(
            f"{weight:.6g}*{teacher.fingerprint}"
            for weight, teacher in zip(self.weights, self.teachers)
        )

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        return average_logits(
            [teacher.logits(texts) for teacher in self.teachers], self.weights
        )


def average_logits(
    logits: Sequence[np.ndarray], weights: Sequence[float]
) -> np.ndarray:
    """Average distributions; return the logarithm of the average.

    Parameters
    ----------
    logits : sequence of ndarray, each of shape (texts, classes)
    weights : sequence of float
        Sum to 1.

    Returns
    -------
    ndarray of float32, shape (texts, classes)
    """
    stacked = torch.stack([torch.as_tensor(z, dtype=torch.float32) for z in logits])
    log_weights = torch.tensor(list(weights)).log()[:, None, None]
    mixed = torch.log_softmax(stacked, dim=-1) + log_weights
    return torch.logsumexp(mixed, dim=0).numpy()


def calibration_temperature(logits: np.ndarray, labels: Sequence[int]) -> float:
    """Fit the temperature at which a teacher is as sure as it is right [1]_.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
        Answers to texts that the teacher was not trained on.
    labels : sequence of int, length texts

    Returns
    -------
    float
        Divide the logits by it. Above 1: the teacher was too sure.

    Raises
    ------
    ValueError
        If the lengths differ, there is no text, or a logit is not finite.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML
       2017.
    """
    logits = np.asarray(logits, np.float64)
    check_answers(logits, len(labels), logits.shape[-1])
    if not len(labels):
        raise ValueError("labels must hold at least one label, got none")
    right = np.arange(len(labels)), np.asarray(labels)

    def surprise(log_temperature: float) -> float:
        cooled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(cooled[right].mean())

    bounds = (np.log(0.05), np.log(20.0))
    return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))


def _normalised(weights: Sequence[float], count: int) -> list[float]:
    values = [float(weight) for weight in weights]
    if len(values) != count or min(values) < 0 or not sum(values) > 0:
        raise ValueError(
            f"weights must hold {count} numbers, none negative and not all"
            f" zero, got {list(weights)!r}"
        )
    return [value / sum(values) for value in values]
