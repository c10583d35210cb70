"""Lesson 09: five claims, judged by its own runs and by those that are stored."""

from __future__ import annotations

import json
from pathlib import Path

from ...evaluation.comparison import BETTER, Comparison, compare_scores
from ...places import RESULTS
from ..claims import Claim, judge

STORED = RESULTS / "lesson09_arms.json"


def stored_scores(path: Path = STORED) -> dict[str, dict[int, float]]:
    """Return our runs by arm: those too long for the lesson, and their controls.

    Parameters
    ----------
    path : Path
        As :mod:`~distill_helpers.lessons.l09.making` writes it.

    Returns
    -------
    dict of str to dict of int to float
        The share of right test stories by seed.
    """
    arms = json.loads(Path(path).read_text("utf-8"))["arms"]
    return {
        name: {int(seed): mark["right"] for seed, mark in by_seed.items()}
        for name, by_seed in arms.items()
    }


def stored_seconds(path: Path = STORED) -> dict[str, float]:
    """Return the seconds of one processor that each of those arms took, a mean."""
    arms = json.loads(Path(path).read_text("utf-8"))["arms"]
    return {
        name: sum(mark["seconds"] for mark in by_seed.values()) / len(by_seed)
        for name, by_seed in arms.items()
    }


def compare_stored(*pairs: tuple[str, str]) -> list[Comparison]:
    """Compare stored arms in pairs, seed by seed."""
    return compare_scores(stored_scores(), pairs)


def judge_stages(stages: Comparison) -> Claim:
    """Judge C12 by three stages of changing weights against plain fine-tuning.

    Parameters
    ----------
    stages : Comparison

    Returns
    -------
    Claim
        Held only if the stages are shown to be better: whoever says that they made
        R1's students should see a gain.
    """
    return judge("C12", f"three stages - plain: {stages.in_points()}", _better(stages))


def judge_soft_targets(*gains: Comparison) -> Claim:
    """Judge C17: held if no text is better learned without them."""
    return judge("C17", _gains(gains), all(map(_better, gains)))


def judge_student(gain: Comparison) -> Claim:
    """Judge C18 by a student against its teacher."""
    return judge("C18", f"student - teacher: {gain.in_points()}", not _better(gain))


def judge_on_policy(*gains: Comparison) -> Claim:
    """Judge C19: held if every on-policy arm beats the off-policy one."""
    return judge("C19", _gains(gains), all(map(_better, gains)))


def judge_running(share: float) -> Claim:
    """Judge C20 by the share of right queries among those that run."""
    return judge("C20", f"{share:.1%} of those that run are right", share > 0.99)


def _gains(gains) -> str:
    return "; ".join(f"{g.treatment} - {g.control}: {g.in_points()}" for g in gains)


def _better(gain: Comparison) -> bool:
    return gain.verdict == BETTER
