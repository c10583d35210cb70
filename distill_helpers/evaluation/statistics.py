"""What several runs say together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return Student's t interval of the mean.

    Parameters
    ----------
    values : sequence of float
        One per seed.
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


def summary(values: Sequence[float]) -> dict:
    """Return mean, per-seed values and 95% interval as plain data."""
    bounds = interval(values)
    return {
        "mean": float(np.mean(values)),
        "per_seed": [float(value) for value in values],
        "interval": list(bounds) if bounds else None,
    }
