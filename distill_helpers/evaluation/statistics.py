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
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * error)
    return float(values.mean()) - half, float(values.mean()) + half


def summary(values: Sequence[float]) -> dict:
    """Return mean, per-seed values and 95% interval as plain data."""
    bounds = interval(values)
    return {
        "mean": float(np.mean(values)),
        "per_seed": [float(value) for value in values],
        "interval": list(bounds) if bounds else None,
    }
