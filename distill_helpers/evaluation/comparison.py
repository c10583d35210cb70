"""Did it help? Paired seeds, equal budgets, and "no" as a possible answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .statistics import interval, sign_test

if TYPE_CHECKING:
    from .scorecard import Row

BETTER, WORSE, UNSHOWN = "better", "worse", "no difference shown"
SIGN_TEST_PAIRS = 8
"""Seeds below which there is no sign test: five wins of five still give 0.0625."""


@dataclass(frozen=True)
class Runs:
    """One setting, run once for every seed.

    Attributes
    ----------
    name : str
    scores : mapping of int to float
        By seed, such as the accuracy on validation reviews.
    steps : int or None
        Updates in each run; None if there is no such budget.
    """

    name: str
    scores: Mapping[int, float]
    steps: int | None = None


@dataclass(frozen=True)
class Comparison:
    """What a paired comparison showed.

    Attributes
    ----------
    treatment, control : str
    gains : tuple of float
        Treatment minus control, seed by seed.
    mean : float
    interval : (float, float)
        Student's t interval of the mean gain.
    sign_p : float or None
        Two-sided sign test: how often a fair coin would favour one side so
        clearly. None below eight seeds, with which it can hardly say anything.
    verdict : str
        ``"better"``, ``"worse"`` or ``"no difference shown"``: whether the
        interval lies above, below or around 0.
    """

    treatment: str
    control: str
    gains: tuple[float, ...]
    mean: float
    interval: tuple[float, float]
    sign_p: float | None
    verdict: str

    def __str__(self) -> str:
        low, high = self.interval
        sign = "" if self.sign_p is None else f", sign test p = {self.sign_p:.3f}"
        return (
            f"{self.treatment} against {self.control}: {self.mean:+.3f}"
            f" [{low:+.3f}, {high:+.3f}]{sign}: {self.verdict}"
        )

    def in_points(self, unit: str = " points") -> str:
        """Say the mean gain and its interval in percentage points.

        Parameters
        ----------
        unit : str, default " points"
            What stands behind the mean.

        Returns
        -------
        str

        Examples
        --------
        >>> scores = {"a": {0: 0.86, 1: 0.87}, "b": {0: 0.80, 1: 0.81}}
        >>> (gain,) = compare_scores(scores, [("a", "b")])
        >>> gain.in_points(), gain.in_points(unit="")
        ('+6.0 points [+6.0, +6.0]', '+6.0 [+6.0, +6.0]')
        """
        # Rounded first, and 0.0 added, so that no -0.0 is printed.
        mean, low, high = (
            f"{round(100 * value, 1) + 0.0:+.1f}"
            for value in (self.mean, *self.interval)
        )
        return f"{mean}{unit} [{low}, {high}]"


def compare_runs(
    treatment: Runs, control: Runs, *, confidence: float = 0.95
) -> Comparison:
    """Compare two settings that ran on the same seeds with the same budget.

    Parameters
    ----------
    treatment, control : Runs
    confidence : float, default 0.95
        Of the interval, between 0 and 1.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If the seeds or the budgets differ, there are fewer than two seeds, a
        score is not finite, or `confidence` is out of range.

    Examples
    --------
    >>> taught = Runs("distilled", {0: 0.86, 1: 0.87, 2: 0.86}, steps=500)
    >>> alone = Runs("control", {0: 0.80, 1: 0.81, 2: 0.81}, steps=500)
    >>> compare_runs(taught, alone).verdict
    'better'
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}")
    _check_pair(treatment, control)
    seeds = sorted(treatment.scores)
    gains = np.array([treatment.scores[s] - control.scores[s] for s in seeds])
    low, high = interval(gains, confidence)
    sign_p = None
    if len(seeds) >= SIGN_TEST_PAIRS:
        sign_p = sign_test(int((gains > 0).sum()), int((gains < 0).sum()))
    verdict = BETTER if low > 0 else WORSE if high < 0 else UNSHOWN
    return Comparison(
        treatment.name,
        control.name,
        tuple(gains.tolist()),
        float(gains.mean()),
        (low, high),
        sign_p,
        verdict,
    )


def compare_rows(
    rows: Mapping[str, Row],
    pairs: Sequence[tuple[str, str]],
    *,
    metric: str = "accuracy",
    steps: int | None = None,
) -> list[Comparison]:
    """Compare lines of a scorecard in pairs, seed by seed.

    Parameters
    ----------
    rows : mapping of str to Row
    pairs : sequence of (str, str)
        Treatment and control by name. A pair is passed over if one of the two is
        not among the rows.
    metric : str, default "accuracy"
        One of which more is better.
    steps : int, optional
        The budget of them all.

    Returns
    -------
    list of Comparison

    Raises
    ------
    ValueError
        As :func:`compare_runs`, for fewer than two seeds mostly.
    """
    present = [pair for pair in pairs if set(pair) <= set(rows)]
    scores = {
        name: dict(zip(rows[name].seeds, rows[name].values(metric)))
        for name in dict.fromkeys(name for pair in present for name in pair)
    }
    return compare_scores(scores, present, steps=steps)


def compare_scores(
    scores: Mapping[str, Mapping[int, float]],
    pairs: Sequence[tuple[str, str]],
    *,
    steps: int | None = None,
) -> list[Comparison]:
    """Compare settings in pairs, seed by seed, by their scores alone.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        By setting and seed.
    pairs : sequence of (str, str)
        Treatment and control by name.
    steps : int, optional
        The budget of them all.

    Returns
    -------
    list of Comparison

    Raises
    ------
    KeyError
        If a pair names what has no scores.
    ValueError
        As :func:`compare_runs`.

    Examples
    --------
    >>> scores = {"taught": {0: 0.86, 1: 0.87}, "alone": {0: 0.80, 1: 0.81}}
    >>> print(compare_scores(scores, [("taught", "alone")])[0])
    taught against alone: +0.060 [+0.060, +0.060]: better
    """
    runs = {name: Runs(name, by_seed, steps) for name, by_seed in scores.items()}
    return [compare_runs(runs[first], runs[second]) for first, second in pairs]


def _check_pair(treatment: Runs, control: Runs) -> None:
    if set(treatment.scores) != set(control.scores):
        raise ValueError(
            f"{treatment.name!r} ran with seeds {sorted(treatment.scores)} and"
            f" {control.name!r} with {sorted(control.scores)}: pairs need the same"
        )
    if len(treatment.scores) < 2:
        raise ValueError(
            f"at least two seeds are needed, got {sorted(treatment.scores)}"
        )
    if treatment.steps != control.steps:
        raise ValueError(
            f"{treatment.name!r} had {treatment.steps} steps and"
            f" {control.name!r} {control.steps}: budgets must be equal"
        )
    for runs in (treatment, control):
        for seed, score in runs.scores.items():
            if not math.isfinite(score):
                raise ValueError(
                    f"the score of {runs.name!r} with seed {seed} must be"
                    f" finite, got {score!r}"
                )


def comparison_table(comparisons: Sequence[Comparison]):
    """Lay comparisons out as a table.

    Returns
    -------
    pandas.DataFrame
        With a column for the sign test where a comparison has one.
    """
    import pandas as pd

    rows = [
        {
            "compared": f"{c.treatment} - {c.control}",
            "mean gain": f"{c.mean:+.3f}",
            "95% interval": f"{c.interval[0]:+.3f} to {c.interval[1]:+.3f}",
            "sign test p": "" if c.sign_p is None else f"{c.sign_p:.3f}",
            "seeds": len(c.gains),
            "verdict": c.verdict,
        }
        for c in comparisons
    ]
    table = pd.DataFrame(rows).set_index("compared")
    tested = any(c.sign_p is not None for c in comparisons)
    return table if tested else table.drop(columns="sign test p")
