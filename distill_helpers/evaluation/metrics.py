"""How good a classifier's answers are: metrics by name.

A new metric is one function and one line in :data:`METRICS`; results, tables,
collected classes and model cards follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float64, of the same shape as `logits`."""
    return special.softmax(np.asarray(logits, np.float64), axis=-1)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of right answers."""
    return float((logits.argmax(1) == labels).mean())


def macro_f1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return F1, averaged over the classes whatever their sizes."""
    from sklearn.metrics import f1_score  # loads slowly, and few need it

    return float(f1_score(labels, logits.argmax(1), average="macro"))


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


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "f1": macro_f1,
    "calibration_error": expected_calibration_error,
}
"""From logits (examples, classes) and labels (examples,) to a number."""
HEADINGS = {"f1": "F1", "calibration_error": "ECE"}
"""What a table calls a metric, where it is not its name."""


def stored_metrics() -> tuple[str, ...]:
    """Return the names under which a result holds scores, in their order."""
    return (*METRICS, "agreement")


@dataclass
class Quality:
    """How well a model answers on one set of labelled texts.

    Attributes
    ----------
    scores : dict of str to float
        By the names of :data:`METRICS`; each is an attribute too, as in
        ``quality.accuracy``.
    agreement : float or None
        Share of texts on which the model and its teacher choose one class.
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
    agreement = None
    if teacher_logits is not None:
        agreement = accuracy(logits, np.asarray(teacher_logits).argmax(1))
    scores = {name: metric(logits, labels) for name, metric in METRICS.items()}
    return Quality(scores, agreement, len(labels))
