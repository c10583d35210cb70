"""What several runs say together, and how sure a share is.

Gains may be of any size, and get Student's t interval. A share lies within 0 and
1, and so must its interval: Wilson's for one run, whose luck is the choice of the
texts; for a mean over seeds, whose luck is the draw of labels and the training,
Student's t on the scale of log-odds.
"""

from __future__ import annotations

from collections.abc import Sequence

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
