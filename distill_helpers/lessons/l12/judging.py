"""Lesson 12: what its students' marks show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...evaluation.comparison import Comparison, compare_scores
from .arms import Marks

if TYPE_CHECKING:
    import pandas as pd

SENSES = {
    "both": "both senses",
    "picture": "the picture alone",
    "typed": "the typed copy alone",
}


def scores_of(
    marks: Sequence[Marks], steps: int, sense: str = "both"
) -> dict[str, dict[int, float]]:
    """Return accuracy by student and seed.

    Parameters
    ----------
    marks : sequence of Marks
    steps : int
        Those with as many steps.
    sense : {"both", "picture", "typed"}
        What the student had of the test cards.

    Returns
    -------
    dict of str to dict of int to float
    """
    found: dict[str, dict[int, float]] = {}
    for mark in marks:
        if mark.steps == steps and sense in mark.accuracy:
            found.setdefault(mark.name, {})[mark.seed] = mark.accuracy[sense]
    return found


def gain(
    marks: Sequence[Marks],
    treatment: str,
    control: str,
    steps: int,
    sense: str = "both",
) -> Comparison:
    """Compare two kinds of students on the seeds that both have."""
    scores = scores_of(marks, steps, sense)
    shared = sorted(set(scores[treatment]) & set(scores[control]))
    pair = {
        name: {seed: scores[name][seed] for seed in shared}
        for name in (treatment, control)
    }
    return compare_scores(pair, [(treatment, control)], steps=steps)[0]


def marks_table(marks: Sequence[Marks], steps: int, names: Sequence[str]):
    """Lay means over the seeds out as a table.

    Parameters
    ----------
    marks : sequence of Marks
    steps : int
    names : sequence of str
        The students, in this order.

    Returns
    -------
    DataFrame
        Accuracy with both senses, the least and the most of the seeds, the share of
        the look on the cells asked for, and how many seeds.
    """
    import pandas as pd

    rows = {}
    for name in names:
        own = [mark for mark in marks if mark.name == name and mark.steps == steps]
        accuracy = [mark.accuracy["both"] for mark in own]
        rows[name] = {
            "accuracy": f"{np.mean(accuracy):.3f}",
            "least to most": f"{min(accuracy):.3f} to {max(accuracy):.3f}",
            "looks at what is asked": f"{np.mean([m.looks for m in own]):.2f}",
            "seeds": len(own),
        }
    return pd.DataFrame(rows).T.rename_axis("student")


def sense_means(
    marks: Sequence[Marks], steps: int, names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return mean accuracy by student and sense, in words."""
    return {
        name: {
            told: float(np.mean(list(scores_of(marks, steps, sense)[name].values())))
            for sense, told in SENSES.items()
        }
        for name in names
    }


def gains_table(gains: Mapping[str, Comparison]) -> pd.DataFrame:
    """Lay comparisons out, in percentage points."""
    import pandas as pd

    rows = {
        name: {
            "points, 95% interval": found.in_points(unit=""),
            "seeds": len(found.gains),
            "verdict": found.verdict,
        }
        for name, found in gains.items()
    }
    return pd.DataFrame(rows).T.rename_axis("compared")


def early_and_late(early: Comparison, late: Comparison) -> str:
    """Say whether the maps' gain fades as training goes on.

    Parameters
    ----------
    early, late : Comparison
        Maps against soft targets alone, after few and after more steps.

    Returns
    -------
    str
    """
    gains = f"early {early.in_points()}, late {late.in_points()}"
    if early.interval[0] <= 0:
        return f"{gains}: no gain is shown early."
    if late.interval[0] > 0 and late.mean >= early.mean:
        return f"{gains}: the gain does not fade here."
    if late.interval[0] > 0:
        return f"{gains}: the gain shrinks, and is still there."
    return f"{gains}: the gain is gone; where to look bought time."


def two_teachers(gain: Comparison) -> str:
    """Say which teacher is better for a student with one sense.

    Parameters
    ----------
    gain : Comparison
        The teacher who saw as little as the student, against the one who saw more.

    Returns
    -------
    str
    """
    if gain.interval[0] > 0:
        verdict = "who saw less taught better"
    elif gain.interval[1] < 0:
        verdict = "who saw more taught better"
    else:
        verdict = "no difference is shown"
    return f"{gain.in_points()}: {verdict}."


def kept(marks: Sequence[Marks]) -> list[dict]:
    """Return marks as plain data."""
    return [
        {
            "student": mark.name,
            "seed": mark.seed,
            "steps": mark.steps,
            "accuracy": mark.accuracy,
            "looks": mark.looks,
            "seconds": mark.seconds,
        }
        for mark in marks
    ]
