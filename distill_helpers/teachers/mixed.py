"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from ..data.class_order import real_names
from ..data.labels import SEVERAL_LABELS, check_problem_type
from .base import Teacher, check_answers
from .ordering import in_order

COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of a fitted temperature."""


class SharedClasses(NamedTuple):
    """What several teachers must agree on to be one.

    Attributes
    ----------
    teachers : list of Teacher
        Their logits in one order.
    label_names : list of str or None
    num_labels : int
    problem_type : str
    """

    teachers: list[Teacher]
    label_names: list[str] | None
    num_labels: int
    problem_type: str

    @classmethod
    def of(cls, teachers: Sequence[Teacher], problem_type: str | None = None):
        """Put teachers into the order of the first that names its classes.

        Raises
        ------
        ClassNamesError
            If their names differ.
        ValueError
            If there is none, the classes differ in number, or they answer other
            kinds of question.
        """
        if not teachers:
            raise ValueError("teachers must name at least one teacher, got none")
        classes = [teacher.num_labels for teacher in teachers]
        if len(set(classes)) > 1:
            raise ValueError(
                f"teachers must share their classes, got num_labels {classes}"
            )
        kind = _shared_kind(teachers, problem_type)
        named = (real_names(teacher.label_names) for teacher in teachers)
        names = next((found for found in named if found), None)
        ordered = [
            teacher if teacher.label_names is None else in_order(teacher, names)
            for teacher in teachers
        ]
        return cls(ordered, names, classes[0], kind)


class AverageTeacher(Teacher):
    """Average the probabilities of several teachers.

    Parameters
    ----------
    teachers : sequence of Teacher
        At least one; all with the same classes. Where they name them, the
        others' logits are put in the order of the first that does.
    weights : sequence of float, optional
        One per teacher, not negative; scaled to sum to 1. Equal by default.
    problem_type : str, optional
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`. By default what
        those of them say that say it; one label a text where none does.

    Raises
    ------
    ClassNamesError
        If their names differ.
    ValueError
        If the classes differ in number, the weights do not fit, or a teacher
        answers another kind of question.

    Notes
    -----
    A softmax of the logits returned (of several labels a text: a sigmoid of each)
    gives the averaged probabilities back.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        weights: Sequence[float] | None = None,
        problem_type: str | None = None,
    ) -> None:
        shared = SharedClasses.of(teachers, problem_type)
        if weights is None:
            weights = [1.0] * len(teachers)
        self.weights = _normalised(weights, len(teachers))
        self.teachers = shared.teachers
        self.problem_type = shared.problem_type
        self.label_names, self.num_labels = shared.label_names, shared.num_labels

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Those of its members, with their weights."""
        several = self.problem_type == SEVERAL_LABELS
        return ("average-several-" if several else "average-") + "+".join(
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
        return average_logits(answers, self.weights, self.problem_type)


def average_logits(
    logits: Sequence[np.ndarray],
    weights: Sequence[float] | np.ndarray,
    problem_type: str | None = None,
) -> np.ndarray:
    """Average distributions; return logits of the average.

    Parameters
    ----------
    logits : sequence of ndarray, each of shape (texts, classes)
    weights : sequence of float, or ndarray of shape (teachers, texts)
        Sum to 1, over the teachers.
    problem_type : str, optional
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`; one label a text
        by default.

    Returns
    -------
    ndarray of float32, shape (texts, classes)
        The logarithm of the average; where a text may have several labels, each
        class's log-odds of its own average.
    """
    stacked = torch.stack([torch.as_tensor(z, dtype=torch.float32) for z in logits])
    log_weights = torch.tensor(np.asarray(weights), dtype=torch.float32).log()
    log_weights = log_weights.view(len(stacked), -1, 1)

    def mixed(log_probabilities: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(log_probabilities + log_weights, dim=0)

    if check_problem_type(problem_type) == SEVERAL_LABELS:
        return (mixed(F.logsigmoid(stacked)) - mixed(F.logsigmoid(-stacked))).numpy()
    return mixed(torch.log_softmax(stacked, dim=-1)).numpy()


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

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))


def _shared_kind(teachers: Sequence[Teacher], asked: str | None) -> str:
    """Return what kind of question they all answer."""
    said = [teacher.problem_type for teacher in teachers]
    known = {kind for kind in said if kind is not None}
    kind = check_problem_type(asked or next(iter(known), None))
    if known - {kind}:
        wanted = f"problem_type={asked!r}, but " if asked else ""
        raise ValueError(
            f"teachers must answer one kind of question: {wanted}theirs are {said};"
            " a softmax and a sigmoid for each class have no average"
        )
    return kind


def _normalised(weights: Sequence[float], count: int) -> list[float]:
    values = [float(weight) for weight in weights]
    if len(values) != count or min(values) < 0 or not sum(values) > 0:
        raise ValueError(
            f"weights must hold {count} numbers, none negative and not all"
            f" zero, got {list(weights)!r}"
        )
    return [value / sum(values) for value in values]
