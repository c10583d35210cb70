"""Lesson 13: what a run comes to, in tables and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...evaluation.comparison import BETTER, WORSE, Comparison
from ..claims import Claim, judge
from .own_parts import ARTICLES_MS, OwnPart

if TYPE_CHECKING:
    import pandas as pd


def gains_table(gains: Sequence[Comparison]) -> pd.DataFrame:
    """Lay comparisons out, in percentage points."""
    import pandas as pd

    rows = {
        f"{one.treatment} - {one.control}": {
            "points, 95% interval": one.in_points(unit=""),
            "seeds": len(one.gains),
            "verdict": one.verdict,
        }
        for one in gains
    }
    columns = ["points, 95% interval", "seeds", "verdict"]
    return pd.DataFrame(rows, index=columns).T.rename_axis("compared")


def for_opening(ours: Mapping, project, part: OwnPart) -> dict:
    """Put this run's gain among those of our own runs in the other domains.

    Parameters
    ----------
    ours : mapping
        What the lesson's first picture shows.
    project : TextProject or MarketProject
        That has learnt.
    part : OwnPart

    Returns
    -------
    dict
        ``gains`` by domain and seed, and ``two stages`` in points.
    """
    fresh = {project.story.domain: [round(one, 4) for one in project.gain.gains]}
    stages = ours["two stages"] if part.two_stages is None else part.two_stages
    return {"gains": dict(ours["gains"]) | fresh, "two stages": round(stages, 2)}


def judge_milliseconds(project) -> Claim:
    """Judge C24: a distilled finance model answers in 85 ms a query.

    Parameters
    ----------
    project : TextProject or MarketProject
        That has learnt.

    Returns
    -------
    Claim
        Judged in the finance domain alone.
    """
    spent = project.milliseconds
    said = f"{spent:.3g} ms for the student of the {project.story.domain} domain"
    held = bool(spent <= ARTICLES_MS) if project.numeric else None
    return judge("C24", said, held)


def verdicts_in_words(comparisons: Sequence[Comparison]) -> str:
    """Count what the comparisons of a run showed."""
    told = [one.verdict for one in comparisons]
    better, worse = told.count(BETTER), told.count(WORSE)
    return (
        f"{len(told)} comparisons: {better} better, {worse} worse, for"
        f" {len(told) - better - worse} no difference shown"
    )


def choice_in_words(project, weighed) -> str:
    """Say which student fits the budget, or what would; of days where it reads days."""
    said = weighed.why
    if project.numeric:
        said = said.replace("validation texts", "the days held back")
        said = said.replace("a text", "a day")
    return said


def summary_in_words(project, part: OwnPart, weighed, release) -> str:
    """Sum a run up in a few lines.

    Parameters
    ----------
    project : TextProject or MarketProject
    part : OwnPart
    weighed : own_data.Weighed
    release : own_data.Release

    Returns
    -------
    str
    """
    lines = [project.helped.rstrip(".")]
    lines += [
        f"{one.treatment} against {one.control}: {one.in_points()}, {one.verdict}"
        for one in part.gains
    ]
    chosen = weighed.chosen.name if weighed.chosen else "nothing"
    lines.append(f"within the budget: {chosen}")
    lines.append(f"may it go out: {release.outcome}, {release.reason}")
    return "\n".join(f"- {line}" for line in lines)


def kept(project, part: OwnPart) -> dict:
    """Return a run's comparisons as plain data."""
    found = {"distilled - control": project.gain} | project.own
    return {
        name: {
            "gains": list(one.gains),
            "mean": one.mean,
            "interval": list(np.asarray(one.interval, float)),
            "verdict": one.verdict,
        }
        for name, one in found.items()
    }
