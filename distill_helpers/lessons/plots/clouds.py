"""Points in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .style import COLOURS, DASHES, MARKERS, canvas, finish, in_kit_style, plain

if TYPE_CHECKING:
    import pandas as pd

    from ...evaluation.scorecard import Row


@in_kit_style
def bubble_chart(rows: Sequence[Row], title: str = "") -> Figure:
    """Draw speed against the leading score; a bubble's area is the model's size.

    Parameters
    ----------
    rows : sequence of Row
        Rows without a cost are left out.
    title : str

    Returns
    -------
    Figure
    """
    figure = canvas(4.5)
    axes = figure.subplots()
    costed = [row for row in rows if row.cost]
    leading = rows[0].metrics[0]
    for index, row in enumerate(costed):
        score = float(np.mean(row.values(leading)))
        megabytes = row.cost.bytes_on_disk / 1e6
        axes.scatter(
            row.cost.reviews_per_second,
            score,
            s=40 + 12 * megabytes,
            color=COLOURS[index % len(COLOURS)],
            alpha=0.65,
            marker=MARKERS[index % len(MARKERS)],
            edgecolor="black",
            label=f"{row.name}: {megabytes:.1f} MB",
        )
    axes.set_xscale("log")
    axes.margins(0.12, 0.18)
    speed = "texts per second on this machine (log scale)"
    finish(axes, speed, f"{leading.replace('_', ' ')} on the test texts", title)
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    for handle in legend.legend_handles:
        handle.set_sizes([60])
    return figure


@in_kit_style
def pareto_chart(
    points: pd.DataFrame,
    front: pd.DataFrame,
    x: str,
    y: str,
    *,
    name: str,
    x_label: str,
    y_label: str,
    title: str = "",
    bars: tuple[str, str] | None = None,
) -> Figure:
    """Draw what each model costs and gains, and the front that none beats.

    Parameters
    ----------
    points, front : DataFrame
        All models, and those of :func:`distill_helpers.classroom.collecting.pareto_front`.
    x, y : str
        Columns for cost (log scale) and gain.
    name : str
        Column that names a point.
    x_label, y_label, title : str
    bars : (str, str), optional
        Columns with the lower and the upper end of an interval around `y`.

    Returns
    -------
    Figure
    """
    figure = canvas(4)
    axes = figure.subplots()
    axes.margins(0.1, 0.15)
    axes.step(front[x], front[y], where="post", color=COLOURS[1], linestyle=DASHES[1])
    for index, (label, group) in enumerate(points.groupby(name, sort=False)):
        colour = COLOURS[index % len(COLOURS)]
        if bars:
            axes.vlines(group[x], group[bars[0]], group[bars[1]], colour, linewidth=2)
        axes.scatter(
            group[x],
            group[y],
            color=colour,
            marker=MARKERS[index % len(MARKERS)],
            edgecolor="black",
            s=36,
            label=str(label),
        )
    axes.set_xscale("log")
    for axis_part in ("major", "minor"):  # plain numbers, not powers of ten
        getattr(axes.xaxis, f"set_{axis_part}_formatter")(FuncFormatter(plain))
    finish(axes, f"{x_label} (log scale)", y_label, title)
    legend = axes.legend(fontsize=9)
    for handle in legend.legend_handles:
        handle.set_sizes([36])
    return figure


@in_kit_style
def budget_chart(
    points: pd.DataFrame,
    *,
    budget_mb: float | None = None,
    budget_ms: float | None = None,
    y_label: str = "macro F1 on validation",
) -> Figure:
    """Draw quality against size and against time, the front and a budget.

    Parameters
    ----------
    points : DataFrame
        A line a candidate, as
        :attr:`distill_helpers.own_data.Weighed.table` has them: ``student``, ``MB``,
        ``ms``, ``f1``, ``low``, ``high``, ``front`` and ``chosen``.
    budget_mb, budget_ms : float, optional
        A dashed line each.
    y_label : str

    Returns
    -------
    Figure
        What is on the front is full, the others are hollow; the chosen one is ringed.
    """
    figure = canvas(4)
    panels = figure.subplots(1, 2, sharey=True)
    costs = {"MB": budget_mb, "ms": budget_ms}
    for axes, (cost, budget), label in zip(
        panels, costs.items(), ("MB as delivered", "ms a text")
    ):
        _front_panel(axes, points, cost)
        if budget is not None:
            axes.axvline(budget, color=COLOURS[1], linestyle=DASHES[1])
        axes.set_xscale("log")
        for axis_part in ("major", "minor"):
            getattr(axes.xaxis, f"set_{axis_part}_formatter")(FuncFormatter(plain))
        axes.tick_params(axis="x", which="both", labelrotation=45)
        axes.margins(0.1, 0.15)
        finish(axes, f"{label} (log scale)", y_label if cost == "MB" else "", "")
    panels[0].legend(fontsize=9)
    return figure


def _front_panel(axes, points: pd.DataFrame, cost: str) -> None:
    front = points[points["front"]].sort_values([cost, "f1"], ascending=[True, False])
    stairs = front[front["f1"] > front["f1"].cummax().shift(fill_value=-np.inf)]
    axes.step(stairs[cost], stairs["f1"], where="post", color="grey", linewidth=1)
    axes.vlines(front[cost], front["low"], front["high"], "grey", linewidth=1)
    for index, (student, group) in enumerate(points.groupby("student", sort=False)):
        colour = COLOURS[index % len(COLOURS)]
        for full in (True, False):
            some = group[group["front"] == full]
            axes.scatter(
                some[cost],
                some["f1"],
                facecolor=colour if full else "none",
                edgecolor=colour,
                marker=MARKERS[index % len(MARKERS)],
                s=36,
                label=student if full or not group["front"].any() else None,
                zorder=3,
            )
    chosen = points[points["chosen"]]
    axes.scatter(
        chosen[cost], chosen["f1"], s=170, facecolor="none", edgecolor="black", zorder=4
    )
