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
