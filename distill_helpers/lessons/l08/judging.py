"""Lesson 08: what its comparisons show, and a claim on curricula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...evaluation.comparison import Comparison, compare_scores
from ..claims import Claim, judge

if TYPE_CHECKING:
    import pandas as pd

PLAIN, EASY, RANDOM = "all steps, all texts", "easy first, less", "random order, less"
"""The three students of the claim: plain, and two with the claim's savings."""
FEWER_STEPS, FEWER_TEXTS = 0.4, 0.3
"""What the claim says that a curriculum saves, as shares."""
MAY_LOSE = 0.01
"""Accuracy that a saving may cost and still be called one."""
CONFIDENCE = 0.95
"""Of every interval: one in twenty misses."""
OPENING = (
    "wrong classes shuffled",
    "reverse KL",
    "decoupled, beta 8",
    "sure counts more",
    "relational",
    "generation 3",
    "hard first, half the steps",
    "order alone, half the steps",
    "soft answers",
)
"""Ideas of the picture that the lesson opens with; what a gate gives is ten times as
much as all of them and has its own section."""


def judge_curriculum(scores: Mapping[str, Mapping[int, float]]) -> Claim:
    """Judge C14: a curriculum trains faster and with less data.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        Accuracy by student (:data:`PLAIN`, :data:`EASY`, :data:`RANDOM`) and seed.

    Returns
    -------
    Claim
        Held if the student with the savings is shown to lose no more than
        :data:`MAY_LOSE`, and the order to be better than a random one that saves
        as much. Did not hold if it is shown to lose more, or if the order is not
        shown to be better; nothing else would be an effect of the curriculum.
    """
    lost, order = compare_scores(scores, [(EASY, PLAIN), (EASY, RANDOM)])
    words = (
        f"against {PLAIN}: {lost.in_points('')};"
        f" against {RANDOM}: {order.in_points('')}"
    )
    held = lost.interval[0] >= -MAY_LOSE and order.interval[0] > 0
    return judge("C14", f"{words} (points)", bool(held))


def ideas_table(ideas: Mapping[str, Comparison]) -> pd.DataFrame:
    """Lay what each idea gave side by side, in percentage points.

    Parameters
    ----------
    ideas : mapping of str to Comparison
        By its name.

    Returns
    -------
    DataFrame
        A line for each idea, in the given order.
    """
    import pandas as pd

    rows = {
        name: {
            "against": found["against"],
            "points, 95% interval": found["points"],
            "runs": len(found["gains"]),
            "verdict": found["verdict"],
        }
        for name, found in kept(ideas).items()
    }
    return pd.DataFrame(rows).T.rename_axis("idea")


def kept(ideas: Mapping[str, Comparison]) -> dict[str, dict]:
    """Return what each idea gave, as plain data.

    Parameters
    ----------
    ideas : mapping of str to Comparison

    Returns
    -------
    dict of str to dict
        With ``against``, ``gains`` (run by run), ``mean``, ``interval``, ``points``
        (the last two in words) and ``verdict``.
    """
    return {
        name: {
            "against": found.control,
            "gains": list(found.gains),
            "mean": found.mean,
            "interval": list(found.interval),
            "points": found.in_points(unit=""),
            "verdict": found.verdict,
        }
        for name, found in ideas.items()
    }


def for_opening(
    ideas: Mapping[str, Mapping[str, Comparison]],
) -> dict[str, dict[str, float]]:
    """Pick what the lesson's first picture shows.

    Parameters
    ----------
    ideas : mapping of str to mapping of str to Comparison
        By data set and idea.

    Returns
    -------
    dict of str to dict of str to float
        ``mean``, ``low`` and ``high`` of each idea of :data:`OPENING`.
    """
    found = {name: c for by_name in ideas.values() for name, c in by_name.items()}
    shown = {name: found[name] for name in OPENING}
    return {
        "mean": {name: c.mean for name, c in shown.items()},
        "low": {name: c.interval[0] for name, c in shown.items()},
        "high": {name: c.interval[1] for name, c in shown.items()},
    }


def verdicts_in_words(ideas: Mapping[str, Comparison]) -> str:
    """Say which ideas gained, which lost, and which showed neither.

    Parameters
    ----------
    ideas : mapping of str to Comparison

    Returns
    -------
    str
        A line for each verdict, and how many of so many intervals would lie beside 0
        by chance alone.
    """
    groups: dict[str, list[str]] = {}
    for name, found in ideas.items():
        groups.setdefault(found.verdict, []).append(name)
    lines = [f"{verdict}: {'; '.join(names)}" for verdict, names in groups.items()]
    by_chance = (1 - CONFIDENCE) * len(ideas)
    return "\n".join(
        [
            *lines,
            f"of {len(ideas)} intervals, {by_chance:.1f} would miss 0 by chance if"
            " nothing did anything",
        ]
    )
