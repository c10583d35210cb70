"""Lesson 07: what its scores say, and two claims judged by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...data.active import RANDOM, STUDENT_DOUBT, TEACHER_DOUBT
from ...evaluation.comparison import BETTER, WORSE, Comparison, compare_scores
from ..claims import Claim, judge
from .ground import ALL_SOFT

Scores = Mapping[str, Mapping[int, float]]


def arms_of(bought: Mapping) -> dict[str, dict[int, float]]:
    """Lay the scores of rules and budgets out as arms with names.

    Parameters
    ----------
    bought : mapping
        From :func:`~distill_helpers.lessons.l07.ground.by_budget`, or what JSON made
        of it.

    Examples
    --------
    >>> arms_of({"random": {"1000": {"0": 0.5}}})
    {'random, 1,000': {0: 0.5}}
    """
    return by_seed(
        {
            f"{how}, {int(budget):,}": found
            for how, by_size in bought.items()
            for budget, found in by_size.items()
        }
    )


def compare_rules(bought: Mapping, budget: int) -> list[Comparison]:
    """Hold every rule against chance at one budget, and the student's doubt against
    chance at the double one."""
    arms = arms_of(bought)
    chance = f"{RANDOM}, {budget:,}"
    pairs = [(f"{how}, {budget:,}", chance) for how in bought if how != RANDOM]
    pairs.append((f"{STUDENT_DOUBT}, {budget:,}", f"{RANDOM}, {2 * budget:,}"))
    return compare_scores(arms, pairs)


def compare_views(scores: Scores, kinds: Sequence[str]) -> list[Comparison]:
    """Hold views against no views, and new answers against stored ones."""
    pairs = [(f"{name}, asked anew", "alone") for name in kinds]
    pairs += [("more real texts", "alone")]
    pairs += [(f"{name}, asked anew", f"{name}, stored") for name in kinds]
    return compare_scores(by_seed(scores), pairs)


def compare_thresholds(scores: Scores) -> list[Comparison]:
    """Hold the surest answers, taken for labels, against all soft answers."""
    pairs = [(name, ALL_SOFT) for name in scores if name != ALL_SOFT]
    return compare_scores(by_seed(scores), pairs)


def by_seed(scores: Scores) -> Scores:
    """Return the scores with whole numbers for seeds, which JSON keeps as texts."""
    return {
        arm: {int(seed): score for seed, score in found.items()}
        for arm, found in scores.items()
    }


def in_words(comparison: Comparison) -> str:
    """Say a comparison in one line."""
    return (
        f"{comparison.treatment} against {comparison.control}: {comparison.in_points()},"
        f" {comparison.verdict}"
    )


def found(
    comparisons: Sequence[Comparison], treatment: str, control: str
) -> Comparison:
    """Return the comparison of two arms.

    Raises
    ------
    KeyError
        If there is none.
    """
    for comparison in comparisons:
        if (comparison.treatment, comparison.control) == (treatment, control):
            return comparison
    raise KeyError(f"no comparison of {treatment!r} against {control!r}")


def judge_doubt(compared: Sequence[Comparison], budget: int) -> Claim:
    """Judge C15: prefer the texts on which the teacher is unsure.

    Held if they are shown to teach more than texts drawn by chance.
    """
    against = found(compared, f"{TEACHER_DOUBT}, {budget:,}", f"{RANDOM}, {budget:,}")
    words = f"at {budget:,} answers, against chance: {against.in_points()}"
    return judge("C15", words, against.verdict == BETTER)


def judge_stored(compared: Sequence[Comparison], kinds: Sequence[str]) -> Claim:
    """Judge C16 where texts change: stored answers may be used again.

    Failed if new answers are shown to teach more for some view.
    """
    pairs = [found(compared, f"{k}, asked anew", f"{k}, stored") for k in kinds]
    words = "stored answers to changed texts cost: " + "; ".join(
        f"{kind} {100 * pair.mean:.1f} points ({shown(pair)})"
        for kind, pair in zip(kinds, pairs)
    )
    return judge("C16", words, not any(pair.verdict == BETTER for pair in pairs))


def shown(comparison: Comparison) -> str:
    """Say whether new answers are shown to be better or worse."""
    known = {BETTER: "a loss", WORSE: "a gain"}
    return known.get(comparison.verdict, "not shown")


def right_by_doubt(
    doubts: np.ndarray, right: np.ndarray, quarters: int = 4
) -> list[tuple[float, float]]:
    """Return mean doubt and share of right answers in each quarter of doubt.

    Parameters
    ----------
    doubts : ndarray, shape (texts,)
    right : ndarray of bool, shape (texts,)
    quarters : int, default 4

    Returns
    -------
    list of (float, float)
        The surest quarter first.
    """
    order = np.array_split(np.argsort(doubts, kind="stable"), quarters)
    return [(float(doubts[rows].mean()), float(right[rows].mean())) for rows in order]
