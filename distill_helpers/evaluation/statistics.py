"""What several runs say together, and how sure a share is.

Gains may be of any size, and get Student's t interval. A share lies within 0 and
1, and so must its interval: Wilson's for one run, whose luck is the choice of the
texts; for a mean over seeds, whose luck is the draw of labels and the training,
Student's t on the scale of log-odds. Two models on the same texts get McNemar's test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from ..arguments import check_whole

SEEDS, TEXTS = "seeds", "texts"
"""What an interval covers: the luck of the seeds, or of the choice of texts."""


def interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return Student's t interval of the mean.

    Parameters
    ----------
    values : sequence of float
        One per seed, such as paired gains; a mean of shares has
        :func:`mean_share_interval`.
    confidence : float, default 0.95

    Returns
    -------
    (float, float) or None
        None for fewer than two values: one seed has no interval.
    """
    values = np.asarray(values, float)
    if len(values) < 2:
        return None
    # Not scaled by SciPy, whose interval of equal values is NaN.
    unit = np.array(stats.t.interval(confidence, len(values) - 1))
    error = values.std(ddof=1) / np.sqrt(len(values))
    low, high = (values.mean() + unit * error).tolist()
    return low, high


def mean_share_interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return the interval of a mean of shares; it stays within 0 and 1.

    Student's t interval of the mean is laid out on the scale of log-odds: its
    standard error is carried there by the delta method, and the ends are carried
    back [1]_.

    Parameters
    ----------
    values : sequence of float
        One share per seed, such as accuracies, within [0, 1].
    confidence : float, default 0.95

    Returns
    -------
    (float, float) or None
        None for fewer than two values: one seed has no such interval. It holds
        the mean; equal values have no width.

    Raises
    ------
    ValueError
        If a value is no share.

    References
    ----------
    .. [1] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions
       with small expected number of positive counts estimated from survey data",
       Survey Methodology 24, 1998.

    Examples
    --------
    >>> low, high = mean_share_interval([0.95, 1.0, 0.99])
    >>> low < 0.98 < high < 1
    True
    """
    values = np.asarray(values, float)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        raise ValueError(f"values must be shares within 0 and 1, got {values.tolist()}")
    bounds = interval(values, confidence)
    if bounds is None:
        return None
    low, high = bounds
    mean = float(values.mean())
    if low == high or mean in (0.0, 1.0):  # the latter also by rounding
        return mean, mean
    half = (high - low) / 2 / (mean * (1 - mean))
    centre = special.logit(mean)
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def share_interval(
    right: int, total: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's interval of a share [1]_.

    Parameters
    ----------
    right : int
        How many of `total` are right.
    total : int
        At least 1.
    confidence : float, default 0.95

    Returns
    -------
    (float, float)
        Within [0, 1]; of some width even where all or none are right.

    Raises
    ------
    ValueError
        If `right` does not lie between 0 and `total`.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and
       statistical inference", JASA 22, 1927.

    Examples
    --------
    >>> low, high = share_interval(50, 50)
    >>> round(low, 3), high
    (0.929, 1.0)
    """
    check_whole("total", total, least=1)
    check_whole("right", right, least=0)
    if right > total:
        raise ValueError(f"right must not exceed total={total:,}, got {right:,}")
    found = stats.binomtest(int(right), int(total)).proportion_ci(
        confidence, method="wilson"
    )
    return float(found.low), float(found.high)


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided p of the exact sign test.

    How often a fair coin, tossed once for each pair that is no tie, would favour one
    side at least so clearly.

    Parameters
    ----------
    wins, losses : int
        Pairs in which the one or the other is ahead; ties do not count.

    Returns
    -------
    float
        1.0 where there are only ties.

    Raises
    ------
    ValueError
        If a count is below 0.

    Examples
    --------
    >>> sign_test(5, 0)  # five pairs cannot say more
    0.0625
    """
    check_whole("wins", wins, least=0)
    check_whole("losses", losses, least=0)
    if not wins + losses:
        return 1.0
    return float(stats.binomtest(int(wins), int(wins + losses)).pvalue)


@dataclass(frozen=True)
class McNemar:
    """Two models on the same texts: where only one of them is right.

    Attributes
    ----------
    won : int
        Texts that the first has right and the second wrong.
    lost : int
        Texts that the second has right and the first wrong.
    p : float
        Two-sided, exact.
    """

    won: int
    lost: int
    p: float

    def __str__(self) -> str:
        shown = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"won {self.won:,}, lost {self.lost:,}: exact McNemar test, {shown}"


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Ask whether two models differ on the same texts, by McNemar's exact test [1]_.

    Texts that both have right, or both wrong, say nothing about a difference. Of the
    others a model that is no better would win about every second, like a tossed
    coin. The test covers the choice of texts, and nothing of the luck of training.

    Parameters
    ----------
    first, second : sequence of bool
        Whether each text was answered rightly, in the same order.

    Returns
    -------
    McNemar

    Raises
    ------
    ValueError
        If they are not as long as each other, or hold anything but True and False.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between
       correlated proportions or percentages", Psychometrika 12, 1947.

    Examples
    --------
    >>> print(mcnemar([True, True, True, False], [False, True, True, False]))
    won 1, lost 0: exact McNemar test, p = 1.000
    """
    first, second = _rights("first", first), _rights("second", second)
    if len(first) != len(second):
        raise ValueError(
            "first and second must be about the same texts, got"
            f" {len(first):,} and {len(second):,}"
        )
    won, lost = int((first & ~second).sum()), int((second & ~first).sum())
    return McNemar(won, lost, sign_test(won, lost))


def _rights(name: str, values: Sequence[bool]) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim != 1 or (values.size and values.dtype != bool):
        raise ValueError(
            f"{name} must hold True or False for each text, got {values.dtype} of"
            f" shape {values.shape}"
        )
    return values.astype(bool)


def summary(values: Sequence[float], bounded: bool = True) -> dict:
    """Return mean, per-seed values and the mean's 95% interval as plain data.

    Parameters
    ----------
    values : sequence of float
        One per seed.
    bounded : bool, default True
        Whether they are shares, as accuracy and F1 are.
    """
    bounds = mean_share_interval(values) if bounded else interval(values)
    return {
        "mean": float(np.mean(values)),
        "per_seed": [float(value) for value in values],
        "interval": list(bounds) if bounds else None,
    }
