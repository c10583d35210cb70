"""Did it help? Paired seeds, equal budgets, and "no" as a possible answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .statistics import interval

BETTER, WORSE, UNSHOWN = "better", "worse", "no difference shown"


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
    sign_p : float
        Two-sided sign test: how often a fair coin would favour one side so
        clearly. With five seeds it cannot fall below 1/16.
    verdict : str
        ``"better"``, ``"worse"`` or ``"no difference shown"``: whether the
        interval lies above, below or around 0.
    """

    treatment: str
    control: str
    gains: tuple[float, ...]
    mean: float
    interval: tuple[float, float]
    sign_p: float
    verdict: str

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.treatment} against {self.control}: {self.mean:+.3f}"
            f" [{low:+.3f}, {high:+.3f}], sign test p = {self.sign_p:.2f}:"
            f" {self.verdict}"
        )


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
    wins, losses = int((gains > 0).sum()), int((gains < 0).sum())
    sign_p = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    verdict = BETTER if low > 0 else WORSE if high < 0 else UNSHOWN
    return Comparison(
        treatment.name,
        control.name,
        tuple(gains.tolist()),
        float(gains.mean()),
        (low, high),
        float(sign_p),
        verdict,
    )


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
    """
    import pandas as pd

    rows = [
        {
            "compared": f"{c.treatment} - {c.control}",
            "mean gain": f"{c.mean:+.3f}",
            "95% interval": f"{c.interval[0]:+.3f} to {c.interval[1]:+.3f}",
            "sign test p": f"{c.sign_p:.3f}",
            "seeds": len(c.gains),
            "verdict": c.verdict,
        }
        for c in comparisons
    ]
    return pd.DataFrame(rows).set_index("compared")
