"""Small model first: it answers when it is sure, else it asks a larger one.

Device, edge and cloud are three models with three prices. Each answers the
texts of whose label it is confident enough and hands the rest on; the last one
answers whatever reaches it. How sure is sure enough is chosen on validation
texts, from calibrated confidence. It is for one label a text: of several there is
no single confidence that could stand for the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arguments import check_number
from .metrics import softmax


@dataclass(frozen=True)
class Stage:
    """One model of a cascade, with what it said and what asking it takes.

    Attributes
    ----------
    name : str
    logits : ndarray, shape (texts, classes)
        Its answers to all texts, calibrated.
    milliseconds : float
        For one text, the way there and back included.
    price : float
        For a million texts, in any currency; 0 on the reader's own device.
    """

    name: str
    logits: np.ndarray
    milliseconds: float
    price: float = 0.0


@dataclass(frozen=True)
class CascadeResult:
    """What a cascade answered, and what it took.

    Attributes
    ----------
    labels : ndarray of int, shape (texts,)
    answered_by : ndarray of int, shape (texts,)
        Number of the stage that answered.
    shares : dict of str to float
        Of the texts, by the name of the stage that answered.
    milliseconds : float
        Mean for one text: every stage that was asked is waited for.
    price : float
        For a million texts.
    """

    labels: np.ndarray
    answered_by: np.ndarray
    shares: dict[str, float]
    milliseconds: float
    price: float

    def accuracy(self, labels: Sequence[int]) -> float:
        """Return the share of right answers."""
        _check_one_label(labels)
        return float((self.labels == np.asarray(labels)).mean())


def confidence(logits: np.ndarray) -> np.ndarray:
    """Return how sure a model is of its label, shape (texts,), within (0, 1]."""
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite, got NaN or infinite values")
    return softmax(logits).max(1)


def run_cascade(stages: Sequence[Stage], thresholds: Sequence[float]) -> CascadeResult:
    """Let each stage answer what it is sure of and hand on the rest.

    Parameters
    ----------
    stages : sequence of Stage
        From the smallest to the largest; at least one.
    thresholds : sequence of float
        One for each stage but the last, within [0, 1]: the confidence from
        which its answer stands.

    Returns
    -------
    CascadeResult

    Raises
    ------
    ValueError
        If the numbers do not fit, or the stages answered different texts.

    Examples
    --------
    >>> sure, doubtful = [[0.0, 5.0]], [[0.0, 0.1]]
    >>> device = Stage("device", np.array(sure + doubtful), 1.0)
    >>> cloud = Stage("cloud", np.array([[0.0, 9.0], [9.0, 0.0]]), 50.0)
    >>> found = run_cascade([device, cloud], [0.9])
    >>> found.labels.tolist(), found.answered_by.tolist(), found.milliseconds
    ([1, 0], [0, 1], 26.0)
    """
    _check(stages, thresholds)
    count = len(stages[0].logits)
    answered_by = np.full(count, len(stages) - 1)
    labels = stages[-1].logits.argmax(1)
    open_ = np.ones(count, bool)
    spent = price = 0.0
    for place, stage in enumerate(stages):
        spent += stage.milliseconds * open_.mean()
        price += stage.price * open_.mean()
        if place == len(stages) - 1:
            break
        sure = open_ & (confidence(stage.logits) >= thresholds[place])
        labels = np.where(sure, stage.logits.argmax(1), labels)
        answered_by = np.where(sure, place, answered_by)
        open_ &= ~sure
    shares = {s.name: float((answered_by == i).mean()) for i, s in enumerate(stages)}
    return CascadeResult(labels, answered_by, shares, float(spent), float(price))


def _check(stages: Sequence[Stage], thresholds: Sequence[float]) -> None:
    if not stages or len(thresholds) != len(stages) - 1:
        raise ValueError(
            f"thresholds must hold one number for each stage but the last, got"
            f" {len(thresholds)} for {len(stages)} stages"
        )
    for value in thresholds:
        check_number("a threshold", value, least=0, most=1)
    shapes = {stage.logits.shape for stage in stages}
    if len(shapes) > 1 or not len(stages[0].logits):
        raise ValueError(
            f"all stages must have answered the same texts, got logits of {shapes}"
        )


def choose_threshold(
    device: np.ndarray,
    larger: np.ndarray,
    labels: Sequence[int] | None = None,
    within: float = 0.003,
) -> float:
    """Find the lowest confidence at which a cascade is as good as its larger part.

    Without labels, the larger model is taken at its word: where the two disagree
    the cascade loses the probability that the larger one gives its own label,
    less the one that it gives the device's. That needs a larger model that is
    calibrated, and texts that neither was trained on, but nobody to label them.

    Parameters
    ----------
    device, larger : ndarray, shape (texts, classes)
        Logits of both models.
    labels : sequence of int, length texts, optional
    within : float, default 0.003
        How far below the larger model's accuracy the cascade may be.

    Returns
    -------
    float
        Within [0, 1]; the more the device may answer, the lower.

    Raises
    ------
    ValueError
        If the lengths differ, there is no text, `within` is below 0, or a text
        has several labels.

    Notes
    -----
    The threshold is an estimate from a sample: with a thousand texts the
    accuracy at it is known to about a point. Judge it on other texts.
    """
    count = len(device)
    lengths = {count, len(larger), count if labels is None else len(labels)}
    if not count or len(lengths) > 1:
        raise ValueError(
            f"device, larger and labels must be of one length, got {count},"
            f" {len(larger)} and {'none' if labels is None else len(labels)}"
        )
    check_number("within", within, least=0)
    if labels is not None:
        _check_one_label(labels)
    sure = confidence(device)
    order = np.argsort(-sure, kind="stable")
    # With the k surest texts answered on the device, so much is lost in all.
    losses = _losses(device, larger, labels)[order]
    lost = np.concatenate([[0], np.cumsum(losses)]) / count
    ends = np.append(sure[order], 0.0)
    possible = np.flatnonzero(lost <= within + 1e-12)
    # Texts of equal confidence go together.
    whole = [k for k in possible if k in (0, count) or ends[k - 1] > ends[k]]
    best = max(whole)
    return 1.0 if best == 0 else float(ends[best - 1])


def choose_thresholds(
    stages: Sequence[Stage],
    labels: Sequence[int] | None = None,
    within: float = 0.003,
) -> list[float]:
    """Choose the threshold of every stage but the last.

    What the cascade may lose is shared out evenly, and each stage is held against
    the last one.

    Parameters
    ----------
    stages : sequence of Stage
        From the smallest to the largest; at least one.
    labels, within
        As for :func:`choose_threshold`.

    Returns
    -------
    list of float
        For :func:`run_cascade`; empty for a single stage.

    Raises
    ------
    ValueError
        As for :func:`choose_threshold`, or if there is no stage.

    Examples
    --------
    >>> phone = Stage("phone", np.array([[0.0, 2.0], [0.0, 0.1]]), 1.0)
    >>> cloud = Stage("cloud", np.array([[0.0, 9.0], [9.0, 0.0]]), 50.0)
    >>> [round(value, 2) for value in choose_thresholds([phone, cloud])]
    [0.88]
    """
    if not stages:
        raise ValueError("stages must hold at least one model, got none")
    *smaller, last = stages
    return [
        choose_threshold(stage.logits, last.logits, labels, within / len(smaller))
        for stage in smaller
    ]


def _check_one_label(labels) -> None:
    if np.ndim(labels) != 1:
        raise ValueError(
            "labels must hold one class number a text, got shape"
            f" {np.shape(labels)}: a cascade hands a text on by the confidence in its"
            " one label, which several labels do not have"
        )


def _losses(device, larger, labels) -> np.ndarray:
    """Return what each text loses if the device answers it."""
    rows = np.arange(len(device))
    if labels is not None:
        truth = np.asarray(labels)
        right = [(z.argmax(1) == truth).astype(float) for z in (larger, device)]
        return right[0] - right[1]
    shares = softmax(larger)
    return shares[rows, larger.argmax(1)] - shares[rows, device.argmax(1)]
