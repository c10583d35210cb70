"""Can one tell from a model's answers whether a text was in its training data?

Who trains on a text lowers its loss. An attacker who holds a text and its label asks
the model, and calls the text a member if the loss is low [1]_. How well that works
says how much of its training data a model gives away, and what privacy would have to
prevent.

References
----------
.. [1] S. Yeom et al., "Privacy risk in machine learning: analyzing the connection to
   overfitting", IEEE CSF 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from ..arguments import check_number
from ..data.labels import class_numbers

LEAST = 30
"""Texts below which a side says too little."""
FALSE_ALARMS = 0.01
"""Share of the other texts that the attacker may call members."""


@dataclass(frozen=True)
class Membership:
    """How well losses tell members from other texts.

    Attributes
    ----------
    auc : float
        Area under the ROC curve: how often a member has the lower loss of the two,
        if one text is drawn from each side; 0.5 is a coin.
    interval : (float, float)
        Of the AUC, over the choice of the texts.
    caught : float
        Share of the members that are found if at most :data:`FALSE_ALARMS` of the
        others are called members [1]_.
    members, others : int
        Texts on each side.

    References
    ----------
    .. [1] N. Carlini et al., "Membership inference attacks from first principles",
       IEEE S&P 2022.
    """

    auc: float
    interval: tuple[float, float]
    caught: float
    members: int
    others: int

    @property
    def shown(self) -> bool:
        """Whether the interval lies above the coin."""
        return self.interval[0] > 0.5

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"AUC {self.auc:.3f} [{low:.3f}, {high:.3f}], {self.caught:.1%} of"
            f" {self.members:,} members found at {FALSE_ALARMS:.0%} false alarms among"
            f" {self.others:,} other texts"
        )


def losses_of(logits: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """Return the cross-entropy of each text with its label.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
    labels : sequence of int, length texts

    Returns
    -------
    ndarray of float, shape (texts,)
        In nats.

    Raises
    ------
    ValueError
        If there is not one label a text, or one is no class.

    Examples
    --------
    >>> losses_of(np.array([[0.0, 0.0], [0.0, 9.0]]), [0, 1]).round(3)
    array([0.693, 0.   ])
    """
    logits = np.asarray(logits, float)
    if logits.ndim != 2:
        raise ValueError(
            f"logits must have the shape (texts, classes), got {logits.shape}"
        )
    labels = class_numbers(labels, *logits.shape)
    rows = np.arange(len(labels))
    return -special.log_softmax(logits, axis=1)[rows, labels]


def membership_attack(
    member_losses: Sequence[float],
    other_losses: Sequence[float],
    confidence: float = 0.95,
) -> Membership:
    """Attack a model by the losses of its texts.

    Parameters
    ----------
    member_losses : sequence of float
        Of texts that it, or its teacher, was trained on; see :func:`losses_of`.
    other_losses : sequence of float
        Of texts that come from the same source and were in no training, such as
        those of the test part.
    confidence : float, default 0.95
        Of the interval.

    Returns
    -------
    Membership

    Raises
    ------
    ValueError
        If there are fewer than :data:`LEAST` texts on a side, or a loss is not finite.

    Notes
    -----
    The interval is DeLong's [1]_, laid out on the scale of log-odds so that it stays
    within 0 and 1. Where no loss of the one side lies among those of the other, it is
    the AUC alone.

    References
    ----------
    .. [1] E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the areas under two or
       more correlated receiver operating characteristic curves", Biometrics 44, 1988.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> members, others = rng.exponential(0.5, 400), rng.exponential(1.0, 700)
    >>> found = membership_attack(members, others)
    >>> found.shown, round(found.auc, 1)
    (True, 0.6)
    """
    check_number("confidence", confidence, above=0, most=1)
    members = _losses("member_losses", member_losses)
    others = _losses("other_losses", other_losses)
    # The share of the other side that each loss beats; a tie counts half.
    wins = _share_above(members, others)
    lost = 1 - _share_above(others, members)
    auc = float(wins.mean())
    variance = wins.var(ddof=1) / len(members) + lost.var(ddof=1) / len(others)
    threshold = np.sort(others)[int(FALSE_ALARMS * len(others))]
    return Membership(
        auc,
        _interval(auc, variance, confidence),
        float((members < threshold).mean()),
        len(members),
        len(others),
    )


def _losses(name: str, values: Sequence[float]) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 1 or len(values) < LEAST:
        raise ValueError(
            f"{name} must hold one loss a text, of {LEAST} texts at least, got shape"
            f" {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name} must be finite, got {values[~np.isfinite(values)][0]}"
        )
    return values


def _share_above(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For each of `own` give the share of `other` above it; equal ones count half."""
    other = np.sort(other)
    below = np.searchsorted(other, own, "left") + np.searchsorted(other, own, "right")
    return 1 - below / (2 * len(other))


def _interval(auc: float, variance: float, confidence: float) -> tuple[float, float]:
    if not 0 < auc < 1 or variance == 0:
        return auc, auc
    half = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(variance) / (auc * (1 - auc))
    centre = special.logit(auc)
    return float(special.expit(centre - half)), float(special.expit(centre + half))
