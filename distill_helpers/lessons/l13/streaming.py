"""What a day looks like from what came before it, one day at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...arguments import check_number, check_whole

WEEK = 5
"""Trading days."""
REGIMES = ["calm", "normal", "wild"]
STREAMED = [
    "return",
    "volatility_fast",
    "volatility_slow",
    "fast_to_slow",
    "downside",
    "surprise",
    "below_peak",
]
_FAST, _SLOW = 1 - 0.5 ** (1 / 5), 1 - 0.5 ** (1 / 22)
"""Weights of today in averages with half-lives of a week and a month."""


class StreamingFeatures:
    """Seven features of a day, from six numbers that are kept from the day before.

    A model that reads them needs no history: this is what makes the student small.

    Examples
    --------
    >>> stream = StreamingFeatures()
    >>> stream.update(1.0).shape
    (7,)
    """

    def __init__(self):
        self._fast = self._slow = self._down = None
        self._level = self._peak = 0.0

    def update(self, value: float) -> np.ndarray:
        """Take the day's return and give the day's features.

        Parameters
        ----------
        value : float
            Logarithmic return in per cent.

        Returns
        -------
        numpy.ndarray, shape (7,)
            In the order of :data:`STREAMED`; volatilities in per cent a day.

        Raises
        ------
        ValueError
            If it is no finite number; the stream stays as it was.
        """
        check_number("value", float(value))
        square = value * value
        if self._fast is None:
            self._fast = self._slow = self._down = square
        surprise = abs(value) / (np.sqrt(self._slow) + 1e-9)
        self._fast += _FAST * (square - self._fast)
        self._slow += _SLOW * (square - self._slow)
        self._down += _SLOW * (square * (value < 0) - self._down)
        self._level += value
        self._peak = max(self._peak, self._level)
        fast, slow, down = np.sqrt([self._fast, self._slow, self._down])
        below = self._peak - self._level
        ratio = fast / (slow + 1e-9)
        return np.array([value, fast, slow, ratio, down, surprise, below])


def streamed(returns: pd.Series) -> np.ndarray:
    """Return the features of every day, streamed from the first to the last.

    Parameters
    ----------
    returns : pandas.Series, length days
        In per cent.

    Returns
    -------
    numpy.ndarray, shape (days, 7)
    """
    stream = StreamingFeatures()
    return np.array([stream.update(value) for value in returns.to_numpy(float)])


def windows(returns: pd.Series, days: int = 120) -> np.ndarray:
    """Return what a heavy teacher may read: the last `days` returns of every day.

    Parameters
    ----------
    returns : pandas.Series, length rows
    days : int, default 120

    Returns
    -------
    numpy.ndarray, shape (rows, days + 4)
        Absolute returns, the newest first, then volatility over a week, a month, a
        quarter and the whole window. NaN where the series had not begun.
    """
    check_whole("days", days, least=63)
    lagged = np.column_stack([returns.abs().shift(lag) for lag in range(days)])
    rolled = [returns.rolling(span).std() for span in (WEEK, 21, 63, days)]
    return np.column_stack([lagged, *rolled])


def leaky(returns: pd.Series) -> np.ndarray:
    """Return features that see the future, in two ways that look harmless.

    They are here for the lesson to catch: a rolling volatility that is centred on the
    day, and returns scaled by mean and deviation of the whole series.

    Parameters
    ----------
    returns : pandas.Series, length days

    Returns
    -------
    numpy.ndarray, shape (days, 2)
    """
    centred = returns.rolling(2 * WEEK + 1, center=True, min_periods=1).std()
    scaled = (returns - returns.mean()) / returns.std()
    return np.column_stack([centred.bfill().fillna(0), scaled])


def next_volatility(returns: pd.Series, horizon: int = WEEK) -> pd.Series:
    """Return how much the days behind each day moved: what is to be foretold.

    Parameters
    ----------
    returns : pandas.Series
        In per cent.
    horizon : int, default 5
        Days ahead; today is none of them.

    Returns
    -------
    pandas.Series
        Root of the mean square of the returns, in per cent a day; NaN for the last
        `horizon` days.
    """
    check_whole("horizon", horizon, least=1)
    mean = (returns**2).rolling(horizon).mean().shift(-horizon)
    return np.sqrt(mean)


def regime_edges(volatility: np.ndarray) -> tuple[float, float]:
    """Return where calm ends and wild begins, thirds of what was seen in training.

    Parameters
    ----------
    volatility : array-like
        Of the training rows alone: the test part's thirds are of the future.

    Returns
    -------
    (float, float)

    Raises
    ------
    ValueError
        If a value is missing, or the thirds do not differ.
    """
    values = np.asarray(volatility, float)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(
            "volatility must be finite in every training row, got"
            f" {int((~np.isfinite(values)).sum())} of {len(values)} that are not"
        )
    low, high = (float(edge) for edge in np.quantile(values, [1 / 3, 2 / 3]))
    if not low < high:
        raise ValueError(
            f"volatility must differ from day to day, a third of it ends at {low:g} and"
            f" two thirds at {high:g}"
        )
    return low, high


def regimes(volatility: np.ndarray, edges: tuple[float, float]) -> np.ndarray:
    """Return 0 (calm), 1 (normal) or 2 (wild) for each volatility.

    Parameters
    ----------
    volatility : array-like
        Finite.
    edges : (float, float)
        From :func:`regime_edges` of the training rows.

    Returns
    -------
    numpy.ndarray of int

    Raises
    ------
    ValueError
        If a value is missing.
    """
    values = np.asarray(volatility, float)
    if not np.isfinite(values).all():
        raise ValueError(
            "volatility must be finite: leave out the last days, whose week is not"
            f" over yet, got {int((~np.isfinite(values)).sum())} missing"
        )
    return np.digitize(values, edges)
