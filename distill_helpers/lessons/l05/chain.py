"""Lesson 05: several seeds side by side, and what is kept of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...compression.forms import Form
from ...evaluation.comparison import BETTER, WORSE, Comparison, compare_scores

Scores = Mapping[int, float]

WORTH = 1.05
"""So many times smaller or faster counts; less is the luck of the clock."""


def paired_curve(
    scores: Sequence[Scores], base: Scores
) -> tuple[list[float], tuple[list[float], list[float]]]:
    """Return what each point of a line gains over a base, and how sure that is.

    Parameters
    ----------
    scores : sequence of mapping of int to float
        One mapping by seed for each point.
    base : mapping of int to float
        What they are held against, by the same seeds.

    Returns
    -------
    gains : list of float
        The mean paired gain.
    band : (list of float, list of float)
        The ends of its 95% interval.

    Examples
    --------
    >>> gains, (low, high) = paired_curve([{0: 0.5, 1: 0.7}], {0: 0.6, 1: 0.8})
    >>> round(gains[0], 3), round(low[0], 3), round(high[0], 3)
    (-0.1, -0.1, -0.1)
    """
    arms = {str(place): by_seed for place, by_seed in enumerate(scores)} | {"": base}
    found = compare_scores(arms, [(str(place), "") for place in range(len(scores))])
    lows, highs = zip(*(comparison.interval for comparison in found))
    return [comparison.mean for comparison in found], (list(lows), list(highs))


def verdict_on(step: Comparison, smaller: float, faster: float) -> str:
    """Say whether a step of the chain is kept, and why.

    Parameters
    ----------
    step : Comparison
        The form after the step against the one before, on validation texts.
    smaller, faster : float
        Times, against the form before.

    Returns
    -------
    str
        Begins with ``"kept"`` or ``"rejected"``.

    Examples
    --------
    >>> scores = {"a": {0: 0.8, 1: 0.8}, "b": {0: 0.8, 1: 0.8}}
    >>> step = compare_scores(scores, [("a", "b")])[0]
    >>> verdict_on(step, smaller=4.0, faster=1.0), verdict_on(step, 1.0, 1.0)
    ('kept: smaller, no loss shown', 'rejected: nothing gained')
    """
    if step.verdict == WORSE:
        return "rejected: worse"
    sizes = {"smaller": smaller, "faster": faster}
    gained = [name for name, times in sizes.items() if times >= WORTH]
    if step.verdict == BETTER:
        return f"kept: {' and '.join(['better', *gained])}"
    if not gained:
        return "rejected: nothing gained"
    return f"kept: {' and '.join(gained)}, no loss shown"


def steps_of(
    on_validation: Sequence[Comparison],
    on_test: Sequence[Comparison],
    costs: Mapping[str, Form],
    spent: Mapping[str, float],
) -> dict[str, dict]:
    """Lay the steps of the chain side by side, each with its verdict.

    Parameters
    ----------
    on_validation, on_test : sequence of Comparison
        The form after each step against the one before it, by the same steps.
    costs : mapping of str to Form
        Each form, for its bytes.
    spent : mapping of str to float
        Milliseconds that each form takes for a text.

    Returns
    -------
    dict of str to dict
        By the form after the step. The verdict is by validation texts alone.
    """
    return {
        step.treatment: _told(step, test, costs, spent)
        for step, test in zip(on_validation, on_test, strict=True)
    }


def _told(step: Comparison, test: Comparison, costs, spent) -> dict:
    new, old = step.treatment, step.control
    smaller, faster = costs[old].bytes / costs[new].bytes, spent[old] / spent[new]
    return {
        "against": old,
        "smaller": round(smaller, 2),
        "faster": round(faster, 2),
        "validation": f"{step.mean:+.3f}",
        "95% interval": "{:+.3f} to {:+.3f}".format(*step.interval),
        "test": f"{test.mean:+.3f}",
        "verdict": verdict_on(step, smaller, faster),
    }
