"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from ..data.class_order import real_names
from .base import Teacher, check_answers
from .ordering import in_order


class AverageTeacher(Teacher):
    """Average the probabilities of several teachers.

    Parameters
    ----------
    teachers : sequence of Teacher
        At least one; all with the same classes. Where they name them, the
        others' logits are put in the order of the first that does.
    weights : sequence of float, optional
        One per teacher, not negative; scaled to sum to 1. Equal by default.

    Raises
    ------
    ClassNamesError
        If their names differ.
    ValueError
        If the classes differ in number, or the weights do not fit.

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
        named = (real_names(teacher.label_names) for teacher in teachers)
        self.label_names = next((names for names in named if names), None)
        self.teachers = [
            teacher
            if teacher.label_names is None
            else in_order(teacher, self.label_names)
            for teacher in teachers
        ]
        self.num_labels = classes[0]

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Those of its members, with their weights."""
        return "average-" + "+".join(
            f"{weight!r}*{teacher.fingerprint}"
            for weight, teacher in zip(self.weights, self.teachers)
        )

    def knows(self, texts: Iterable[str]) -> np.ndarray:
        """Say which texts all of them can answer."""
        texts = list(texts)
        return np.all([teacher.knows(texts) for teacher in self.teachers], axis=0)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        answers = [teacher.logits(texts) for teacher in self.teachers]
        for answer in answers:
            check_answers(answer, len(texts), self.num_labels)
        return average_logits(answers, self.weights)


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


def calibration_temperature(logits: np.ndarray, labels: Sequence) -> float:
    """Fit the temperature at which a teacher is as sure as it is right [1]_.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
        Answers to texts that the teacher was not trained on.
    labels : sequence of int, length texts
        Or rows of 0 and 1, shape (texts, classes), where a text may have several:
        then every class of every text is an answer that should be as sure as it
        is right.

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
    labels = np.asarray(labels)

    def surprise(log_temperature: float) -> float:
        cooled = logits / np.exp(log_temperature)
        if labels.ndim > 1:
            return float((np.logaddexp(0, cooled) - labels * cooled).mean())
        right = np.arange(len(labels)), labels
        return -float(log_softmax(cooled, axis=1)[right].mean())

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
