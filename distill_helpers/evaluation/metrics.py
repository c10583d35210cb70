"""How good a classifier's answers are: metrics by name.

A new metric is one function and one line in :data:`METRICS`, or in
:data:`SEVERAL_METRICS` where a text may have several labels; results, tables,
collected classes and model cards follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ..arguments import check_whole
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float64, of the same shape as `logits`."""
    return special.softmax(np.asarray(logits, np.float64), axis=-1)


def probabilities(logits: np.ndarray, problem_type: str = ONE_LABEL) -> np.ndarray:
    """Return the probability of each class.

    Parameters
    ----------
    logits : ndarray, shape (examples, classes)
    problem_type : str, default "single_label_classification"
        A softmax over the classes; with ``"multi_label_classification"`` a
        sigmoid for each.

    Returns
    -------
    ndarray of float64, of the same shape

    Raises
    ------
    ValueError
        If `problem_type` is neither.
    """
    if check_problem_type(problem_type) == SEVERAL_LABELS:
        return special.expit(np.asarray(logits, np.float64))
    return softmax(logits)


def chosen_labels(logits: np.ndarray) -> np.ndarray:
    """Say which of several labels hold: those likelier than not.

    Parameters
    ----------
    logits : ndarray, shape (examples, classes)

    Returns
    -------
    ndarray of bool, of the same shape
        A probability above .5, that is a logit above 0.
    """
    return np.asarray(logits) > 0


def same_decisions(
    logits: np.ndarray, others: np.ndarray, problem_type: str = ONE_LABEL
) -> np.ndarray:
    """Say on which texts two models decide alike.

    Parameters
    ----------
    logits, others : ndarray, shape (examples, classes)
    problem_type : str, default "single_label_classification"
        The likeliest class is the same; with ``"multi_label_classification"`` all
        labels of a text are.

    Returns
    -------
    ndarray of bool, shape (examples,)

    Raises
    ------
    ValueError
        If `problem_type` is neither.
    """
    if check_problem_type(problem_type) == SEVERAL_LABELS:
        return (chosen_labels(logits) == chosen_labels(others)).all(1)
    return np.asarray(logits).argmax(1) == np.asarray(others).argmax(1)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of right answers."""
    return float((logits.argmax(1) == labels).mean())


def macro_f1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return F1, averaged over the classes whatever their sizes."""
    return _f1(labels, logits.argmax(1), "macro")


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
    check_whole("bins", bins, least=1)
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


def subset_accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of texts whose labels are all right, no more and no fewer."""
    return float((chosen_labels(logits) == (labels > 0)).all(1).mean())


def several_macro_f1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return F1, averaged over the classes; 0 for one that is never right."""
    return _f1(labels > 0, chosen_labels(logits), "macro")


def several_micro_f1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return F1 over all labels of all texts together: large classes lead."""
    return _f1(labels > 0, chosen_labels(logits), "micro")


def _f1(labels: np.ndarray, chosen: np.ndarray, average: str) -> float:
    from sklearn.metrics import f1_score  # loads slowly, and few need it

    return float(f1_score(labels, chosen, average=average, zero_division=0))


def several_calibration_error(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the calibration error of all yes-or-no answers together.

    Each class of each text is a choice between two, so that
    :func:`expected_calibration_error` applies to it as it stands.
    """
    halves = np.asarray(logits, np.float64).ravel() / 2
    holds = (np.asarray(labels) > 0).ravel()
    return expected_calibration_error(np.stack([-halves, halves], 1), holds)


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "f1": macro_f1,
    "calibration_error": expected_calibration_error,
}
"""From logits (examples, classes) and labels (examples,) to a number."""
SEVERAL_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "subset_accuracy": subset_accuracy,
    "f1": several_macro_f1,
    "micro_f1": several_micro_f1,
    "calibration_error": several_calibration_error,
}
"""The same where labels are rows of 0 and 1, shape (examples, classes)."""
HEADINGS = {
    "f1": "F1",
    "calibration_error": "ECE",
    "subset_accuracy": "all labels right",
    "micro_f1": "micro F1",
}
"""What a table calls a metric, where it is not its name."""
SHARES_OF_TEXTS = ("accuracy", "subset_accuracy", "agreement")
"""Scores that count texts, so that a single run has Wilson's interval."""
WITHIN_ONE = (*SHARES_OF_TEXTS, "f1", "micro_f1", "calibration_error")
"""Scores whose interval must not leave 0 to 1; a score that is added may."""


def stored_metrics() -> tuple[str, ...]:
    """Return the names under which a result may hold scores, in their order."""
    several = [name for name in SEVERAL_METRICS if name not in METRICS]
    return (*METRICS, *several, "agreement")


@dataclass
class Quality:
    """How well a model answers on one set of labelled texts.

    Attributes
    ----------
    scores : dict of str to float
        By the names of :data:`METRICS`, or of :data:`SEVERAL_METRICS`; each is
        an attribute too, as in ``quality.accuracy``.
    agreement : float or None
        Share of texts on which the model and its teacher choose the same class,
        or all the same labels.
    examples : int
        Texts that were asked.
    """

    scores: dict[str, float]
    agreement: float | None
    examples: int

    def __repr__(self) -> str:
        fields = {**self.scores, "agreement": self.agreement, "examples": self.examples}
        shown = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        return f"Quality({shown})"

    def __getattr__(self, name: str) -> float:
        try:
            return vars(self)["scores"][name]
        except KeyError:
            raise AttributeError(f"there is no metric {name!r}") from None


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
        Or rows of 0 and 1, shape (examples, classes), where a text may have
        several labels.
    teacher_logits : ndarray, shape (examples, classes), optional

    Returns
    -------
    Quality

    Raises
    ------
    ValueError
        If the lengths differ, there is no example, a logit is not finite, or a
        label is none of the classes (an example without a label, for one).
    """
    logits, labels = _numbers("logits", logits), _numbers("labels", labels)
    if logits.ndim != 2:
        raise ValueError(
            "logits must have a row for each example and a column for each class, got"
            f" shape {logits.shape}"
        )
    if len(logits) != len(labels) or not len(labels):
        raise ValueError(
            f"logits has {len(logits)} rows and labels {len(labels)}: they"
            " must be equal and not 0"
        )
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite, got NaN or infinite values")
    several = labels.ndim == 2
    _check_labels(labels, logits.shape)
    agreement = None
    if teacher_logits is not None:
        teacher_logits = _numbers("teacher_logits", teacher_logits)
        if teacher_logits.shape != logits.shape:
            raise ValueError(
                f"teacher_logits must have the shape of logits, {logits.shape}, got"
                f" {teacher_logits.shape}"
            )
        if not np.isfinite(teacher_logits).all():
            raise ValueError(
                "teacher_logits must be finite, got NaN or infinite values; leave out"
                " what the teacher has not answered"
            )
        kind = SEVERAL_LABELS if several else ONE_LABEL
        agreement = float(same_decisions(logits, teacher_logits, kind).mean())
    metrics = SEVERAL_METRICS if several else METRICS
    scores = {name: metric(logits, labels) for name, metric in metrics.items()}
    return Quality(scores, agreement, len(labels))


def _numbers(name: str, values) -> np.ndarray:
    try:
        found = np.asarray(values)
    except ValueError as error:  # rows of unequal length
        raise ValueError(f"{name} must be rows of equal length: {error}") from error
    if found.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} must be numbers, got {found.ravel()[:3].tolist()!r:.80}"
        )
    return found


def _check_labels(labels: np.ndarray, shape: tuple[int, ...]) -> None:
    if labels.ndim == 2 and labels.shape != shape:
        raise ValueError(
            f"labels must have a column for each class, shape {shape}, got"
            f" {labels.shape}"
        )
    least, most = 0, 1 if labels.ndim == 2 else shape[1] - 1
    wrong = labels[(labels < least) | (labels > most) | (labels % 1 != 0)]
    if len(wrong):
        raise ValueError(
            f"labels must lie in {least}..{most}, got {wrong[0]!s}: leave out what has"
            " no label"
        )
