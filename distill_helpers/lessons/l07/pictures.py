"""The pictures of lesson 07, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...evaluation.comparison import Comparison
from ...evaluation.statistics import mean_share_interval
from .. import plots


def opening(accuracy: Mapping[str, float]):
    """Show what the same number of answers is worth, by who chose the texts."""
    names = [name.replace("-", "\n") for name in accuracy]
    return plots.show(
        plots.bar_groups(
            names,
            {"accuracy": list(accuracy.values())},
            y_range=(0, 1),
            y_label="share of test texts right",
            title="As many answers each; who chose the texts?",
        ),
        alt="Bars, the student's accuracy by the rule that chose its texts: "
        + ", ".join(f"{name} {value:.2f}" for name, value in accuracy.items()),
    )


def gains(compared: Sequence[Comparison], title: str):
    """Show paired gains in points."""
    named = {f"{c.treatment}\n- {c.control}": c for c in compared}
    return plots.show(
        plots.gain_chart(
            {name: [100 * gain for gain in c.gains] for name, c in named.items()},
            {
                name: (100 * c.interval[0], 100 * c.interval[1])
                for name, c in named.items()
            },
            "points of test accuracy",
            title,
        ),
        alt="Paired gains in points with 95% intervals: "
        + "; ".join(f"{c.treatment} {100 * c.mean:+.1f}" for c in compared),
    )


def budgets(bought: Mapping[str, Mapping[int, Mapping[int, float]]]):
    """Show each rule's accuracy over the number of answers."""
    sizes = list(next(iter(bought.values())))
    lines = {
        how: [float(np.mean(list(by_size[size].values()))) for size in sizes]
        for how, by_size in bought.items()
    }
    bands = {
        how: tuple(
            zip(
                *(mean_share_interval(list(by_size[size].values())) for size in sizes),
                strict=True,
            )
        )
        for how, by_size in bought.items()
    }
    return plots.show(
        plots.line_chart(
            sizes,
            lines,
            bands=bands,
            x_label="answers bought",
            y_label="share of test texts right",
            title="Whom to ask next (shaded: 95% interval over seeds)",
        ),
        alt="Accuracy over answers bought, one line for each rule; at the last budget: "
        + ", ".join(f"{how} {line[-1]:.2f}" for how, line in lines.items()),
    )
