"""Bars, and intervals beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .style import COLOURS, HATCHES, canvas, check_lengths, finish, in_kit_style

if TYPE_CHECKING:
    from ...evaluation.scorecard import Row


@in_kit_style
def interval_chart(
    rows: Sequence[Row], metric: str | None = None, title: str = ""
) -> Figure:
    """Draw each row's mean, its interval and the single seeds.

    A row of one run has the interval over the choice of texts, drawn thin.

    Parameters
    ----------
    rows : sequence of Row
    metric : str, optional
        By default the one that leads the rows' table, such as ``"accuracy"``.
    title : str

    Returns
    -------
    Figure
    """
    from ...evaluation.scorecard import summarised
    from ...evaluation.statistics import SEEDS

    metric = metric or rows[0].metrics[0]
    figure = canvas(0.5 * len(rows) + 1.3)
    axes = figure.subplots()
    for place, row in enumerate(reversed(rows)):
        values = summarised(metric, row.values(metric), row.examples)
        colour = COLOURS[(len(rows) - 1 - place) % len(COLOURS)]
        if values["interval"]:
            low, high = values["interval"]
            width = 3 if values["interval_over"] == SEEDS else 1
            axes.plot([low, high], [place, place], color=colour, linewidth=width)
        axes.plot(
            values["per_seed"],
            [place] * len(values["per_seed"]),
            "|",
            color="black",
            markersize=12,
            alpha=0.6,
        )
        axes.plot(values["mean"], place, "o", color=colour, markersize=8)
        axes.annotate(
            f"{values['mean']:.3f}",
            (values["mean"], place),
            textcoords="offset points",
            xytext=(0, 9),
            ha="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(rows)), [row.name for row in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.3)
    finish(axes, f"{metric.replace('_', ' ')} on the test texts", "", title, grid="x")
    return figure


@in_kit_style
def bar_groups(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    y_label: str,
    x_label: str = "",
    title: str = "",
    y_range: tuple[float, float] | None = None,
) -> Figure:
    """Draw bars side by side, told apart by colour and hatching.

    Parameters
    ----------
    names : sequence of str
        One group of bars each.
    series : mapping of str to sequence of float
        One bar in every group; as long as `names`.
    y_label, x_label, title : str
    y_range : (float, float), optional
        Fixed limits, so that a moving picture keeps its scale.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a series is not as long as `names`.
    """
    check_lengths("series", series, len(names))
    figure = canvas(3.4)
    axes = figure.subplots()
    places = np.arange(len(names))
    width = 0.8 / len(series)
    for index, (name, values) in enumerate(series.items()):
        axes.bar(
            places + (index - (len(series) - 1) / 2) * width,
            values,
            width,
            color=COLOURS[index % len(COLOURS)],
            hatch=HATCHES[index % len(HATCHES)],
            edgecolor="white",
            label=name,
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(places, names)
    axes.set_ylim(y_range)
    finish(axes, x_label, y_label, title, grid="y")
    if len(series) > 1:
        axes.legend(fontsize=9)
    return figure


@in_kit_style
def stacked_bars(
    names: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    title: str = "",
) -> Figure:
    """Draw one lying bar for each name, made of parts that follow one another.

    Parameters
    ----------
    names : sequence of str
    parts : mapping of str to sequence of float
        Not negative, each as long as `names`.
    x_label, title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a part is not as long as `names`.
    """
    check_lengths("part", parts, len(names))
    figure = canvas(0.55 * len(names) + 1.5)
    axes = figure.subplots()
    places, ends = np.arange(len(names))[::-1], np.zeros(len(names))
    for index, (name, values) in enumerate(parts.items()):
        axes.barh(
            places,
            values,
            left=ends,
            height=0.6,
            color=COLOURS[index % len(COLOURS)],
            hatch=HATCHES[index % len(HATCHES)],
            edgecolor="white",
            label=name,
        )
        ends = ends + np.asarray(values, float)
    for place, end in zip(places, ends):
        axes.annotate(
            f" {end:.3g}", (end, place), va="center", fontsize=9, annotation_clip=False
        )
    axes.set_yticks(places, names)
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    finish(axes, x_label, "", title, grid="x")
    axes.legend(fontsize=9)
    return figure
