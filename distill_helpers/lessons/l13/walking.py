"""Train on what came first, judge on what came later, and never mix the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...arguments import check_whole

LARGEST_GAP = 10
"""Days without a row; markets never closed so long in the kit's data."""


class Fold(NamedTuple):
    """Numbers of rows; every one of `train` lies before every one of `test`."""

    train: np.ndarray
    test: np.ndarray


def check_dates(dates, largest_gap: int = LARGEST_GAP) -> pd.DatetimeIndex:
    """Return dates as an index if rows may be split by them.

    Parameters
    ----------
    dates : array-like of dates
    largest_gap : int, default 10
        Days that may lie between two rows.

    Returns
    -------
    pandas.DatetimeIndex

    Raises
    ------
    ValueError
        If a date is missing, stands before the one above it or twice, or a gap is
        larger. The message names the first such place.
    """
    check_whole("largest_gap", largest_gap, least=1)
    try:
        index = pd.DatetimeIndex(dates)
    except (ValueError, TypeError) as error:
        raise ValueError(f"dates must be dates, got {error}") from error
    if index.hasnans:
        at = int(np.flatnonzero(index.isna())[0])
        raise ValueError(f"dates must have a date in every row, row {at} has none")
    steps = np.diff(index.to_numpy()) / np.timedelta64(1, "D")
    for wrong, what in (
        (steps < 0, "out of order: sort the rows by date"),
        (steps == 0, "the same twice: keep one row a date"),
        (
            steps > largest_gap,
            f"more than largest_gap={largest_gap} days apart: find the missing rows,"
            " split at the gap, or allow it",
        ),
    ):
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"dates in rows {at} and {at + 1} ({index[at].date()},"
                f" {index[at + 1].date()}) are {what}"
            )
    return index


def walk_forward(
    dates,
    folds: int = 5,
    *,
    test: int,
    horizon: int,
    most_train: int | None = None,
    largest_gap: int = LARGEST_GAP,
) -> Iterator[Fold]:
    """Yield folds in which nothing of the future is in training.

    Parameters
    ----------
    dates : array-like of dates
        Of each row, ascending.
    folds : int, default 5
        At least 1; the last ends with the last row.
    test : int
        Rows that judge, in each fold.
    horizon : int
        How many rows ahead a label looks. So many rows before the test part are left
        out of training: their labels lie within it.
    most_train : int, optional
        A window of so many rows that moves along; all rows of the past without it.
    largest_gap : int, default 10
        As for :func:`check_dates`.

    Yields
    ------
    Fold

    Raises
    ------
    ValueError
        If :func:`check_dates` refuses the dates, or there are too few rows.

    Examples
    --------
    >>> days = pd.bdate_range("2024-01-01", periods=10)
    >>> for train, test in walk_forward(days, 2, test=2, horizon=1):
    ...     print(train, test)
    [0 1 2 3 4] [6 7]
    [0 1 2 3 4 5 6] [8 9]
    """
    index = check_dates(dates, largest_gap)
    check_whole("folds", folds, least=1)
    check_whole("test", test, least=1)
    check_whole("horizon", horizon, least=0)
    check_whole("most_train", most_train, least=1, optional=True)
    first = len(index) - folds * test - horizon
    if first < 1:
        raise ValueError(
            f"folds={folds} of test={test} rows, with horizon={horizon} rows left out,"
            f" need {folds * test + horizon + 1} rows at least, got {len(index)}"
        )
    return _folds(len(index), folds, test, horizon, most_train)


def _folds(rows, folds, test, horizon, most_train) -> Iterator[Fold]:
    for number in range(folds, 0, -1):
        start = rows - number * test
        behind = start - horizon
        begin = 0 if most_train is None else max(0, behind - most_train)
        yield Fold(np.arange(begin, behind), np.arange(start, start + test))


def sees_future(
    features_of: Callable[[pd.Series], np.ndarray],
    series: pd.Series,
    *,
    cuts: int = 5,
    seed: int = 0,
) -> list[int]:
    """Return the rows whose features change when the values behind them do.

    Parameters
    ----------
    features_of : callable
        A series in, out an array with a row for each of its values.
    series : pandas.Series
        Such as returns.
    cuts : int, default 5
        At how many places past and future are parted.
    seed : int, default 0

    Returns
    -------
    list of int
        Empty if every feature is made of the past alone.

    Raises
    ------
    ValueError
        If the series is too short, or the features have another number of rows.
    """
    check_whole("cuts", cuts, least=1)
    if len(series) < 2 * (cuts + 1):
        raise ValueError(
            f"series must have {2 * (cuts + 1)} values at least, got {len(series)}"
        )
    rows = len(series)
    before = _features(features_of, series)
    generator = np.random.default_rng(seed)
    seen: set[int] = set()
    for cut in np.linspace(0, rows, cuts + 2).astype(int)[1:-1]:
        order = np.r_[:cut, cut + generator.permutation(rows - cut)]
        other = pd.Series(series.to_numpy()[order], series.index)
        # Stretched and moved too: a shuffle alone leaves the whole's mean as it was.
        other.iloc[cut:] = 3 * other.iloc[cut:] + 1
        after = _features(features_of, other)[:cut]
        equal = np.isclose(before[:cut], after, rtol=1e-9, atol=1e-12, equal_nan=True)
        seen.update(np.flatnonzero(~equal.all(axis=1)).tolist())
    return sorted(seen)


def _features(features_of, series: pd.Series) -> np.ndarray:
    made = np.asarray(features_of(series), float)
    made = made.reshape(len(made), -1)
    if len(made) != len(series):
        raise ValueError(
            f"features_of must give a row for each of the {len(series)} values, got"
            f" {len(made)}"
        )
    return made
