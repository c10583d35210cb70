"""The pictures of lesson 13, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...evaluation.comparison import Comparison
from ...evaluation.statistics import interval
from ...own_data.weighing import Weighed
from .. import plots


def opening(ours: Mapping):
    """Show what distillation gave in each domain, in our own runs."""
    points = {
        domain: [100 * one for one in gains] for domain, gains in ours["gains"].items()
    }
    return _gains(points, "distilled minus control, points of macro F1", "Our runs")


def own_gains(gains: Sequence[Comparison]):
    """Show a domain's own comparisons, seed by seed."""
    points = {
        f"{one.treatment}\n- {one.control}": [100 * gain for gain in one.gains]
        for one in gains
    }
    return _gains(points, "gain, percentage points", "What only this domain has")


def _gains(points: Mapping[str, Sequence[float]], x_label: str, title: str):
    intervals = {name: tuple(interval(each)) for name, each in points.items()}
    figure = plots.gain_chart(points, intervals, x_label, title)
    said = "; ".join(
        f"{' '.join(name.split())} [{low:+.1f}, {high:+.1f}]"
        for name, (low, high) in intervals.items()
    )
    return plots.show(figure, alt=f"{title}: {x_label}, with intervals: {said}.")


def front(weighed: Weighed):
    """Show all candidates by size, time and quality, the front and the budget."""
    figure = plots.budget_chart(weighed.table, budget_mb=weighed.budget_mb)
    return plots.show(figure, alt=weighed.alt)
