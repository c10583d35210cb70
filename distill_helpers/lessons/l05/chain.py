"""Lesson 05: several seeds side by side, and what is kept of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...evaluation.comparison import BETTER, WORSE, Comparison, Runs, compare_runs

Scores = Mapping[int, float]

WORTH = 1.05
"""So many times smaller or faster counts; less is the luck of the clock."""


def compared(scores: Mapping[str, Scores], pairs: Sequence[tuple[str, str]]):
    """Compare arms with each other, seed by seed.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        By arm and seed.
    pairs : sequence of (str, str)
        The arm, and the one that it is held against.

    Returns
    -------
    list of Comparison
    """
    runs = {name: Runs(name, by_seed) for name, by_seed in scores.items()}
    return [compare_runs(runs[arm], runs[base]) for arm, base in pairs]


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
    found = compared(arms, [(str(place), "") for place in range(len(scores))])
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
    >>> step = compared({"a": {0: 0.8, 1: 0.8}, "b": {0: 0.8, 1: 0.8}}, [("a", "b")])[0]
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
