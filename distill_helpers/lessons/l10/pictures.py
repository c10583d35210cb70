"""The pictures of lesson 10, each with its words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...evaluation.statistics import interval
from ..plots import bar_groups, gain_chart, line_chart
from .judging import CONTROL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = tuple["Figure", str]


def two_teachers(accuracy: Mapping[str, float]) -> Picture:
    """Draw one student as two teachers taught it, beside the control.

    Parameters
    ----------
    accuracy : mapping of str to float
        By arm: ``"control"``, ``"small, soft"``, ``"good, votes"`` and the like.

    Returns
    -------
    figure : Figure
    alt : str
    """
    ways = {"soft labels": "soft", "hard labels": "hard", "votes": "votes"}
    names = ["true labels", *ways]
    bars = {
        f"{name} teacher": [
            accuracy[CONTROL],
            *(accuracy[f"{name}, {way}"] for way in ways.values()),
        ]
        for name in ("small", "good")
    }
    figure = bar_groups(
        names,
        bars,
        y_range=(0, 1),
        y_label="share of test reviews right",
        title="One student, two teachers behind an API",
    )
    return figure, f"Accuracy in our run: {_told(bars, names)}"


def mass_chart(mass: Mapping[str, float]) -> Picture:
    """Draw how much probability lies on the classes, by the way of asking."""
    figure = bar_groups(
        list(mass),
        {"mass": list(mass.values())},
        y_range=(0, 1),
        y_label="probability on the classes",
        title="The same model, asked in two ways",
    )
    said = ", ".join(f"{way} {value:.2f}" for way, value in mass.items())
    return figure, f"Mean probability on the names of the classes: {said}"


def reliability(middles: Sequence[float], lines: Mapping) -> Picture:
    """Draw how many texts are positive by the share that a teacher gives them."""
    lines = {**lines, "ideal": list(middles)}
    figure = line_chart(
        middles,
        lines,
        x_label="share that the model gives to positive",
        y_label="really positive",
        title="Two numbers mend a habit",
    )
    told = _told(lines, [f"{middle:.1f}" for middle in middles])
    return figure, f"Share of really positive reviews (nan: too few): {told}"


def votes_chart(aucs: Mapping[int, float], logprobs: float) -> Picture:
    """Draw the AUC by the number of votes, and that of log-probabilities."""
    lines = {
        "votes": list(aucs.values()),
        "log-probabilities": [logprobs] * len(aucs),
    }
    figure = line_chart(
        list(aucs),
        lines,
        x_label="requests a text (votes)",
        y_label="AUC on validation",
        title="Several answers, and one row of probabilities",
    )
    return figure, "AUC: " + _told(lines, [f"{k} votes" for k in aucs])


def gains_chart(gains: Mapping[str, Sequence[float]]) -> Picture:
    """Draw the paired gains of all arms over the control, in percentage points."""
    figure = gain_chart(
        gains,
        {a: interval(v) if len(v) > 1 else None for a, v in gains.items()},
        "percentage points above the control on true labels",
        "What a teacher behind an API is worth",
    )
    said = ", ".join(f"{arm} {np.mean(v):+.1f}" for arm, v in gains.items())
    return figure, f"Gain over the control in percentage points: {said}"


def _told(lines: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    return "; ".join(
        f"{line}: " + ", ".join(f"{n} {v:.2f}" for n, v in zip(names, values))
        for line, values in lines.items()
    )
