"""Pictures of a value over another."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...arguments import check_choice, check_whole
from .style import (
    COLOURS,
    DASHES,
    HATCHES,
    MARKERS,
    canvas,
    check_lengths,
    finish,
    in_kit_style,
)


@in_kit_style
def confidence_chart(
    probabilities: np.ndarray,
    temperatures: Sequence[float],
    title: str = "",
    *,
    x_label: str = "teacher's probability of its first choice",
) -> Figure:
    """Draw how sure a teacher is, at several temperatures.

    Parameters
    ----------
    probabilities : ndarray, shape (temperatures, texts)
        Of one class, or of the class that is chosen.
    temperatures : sequence of float
    title : str
    x_label : str
        Which probability it is.

    Returns
    -------
    Figure
    """
    figure = canvas(3.4)
    axes = figure.subplots()
    bins = np.linspace(0, 1, 26)
    for index, (temperature, values) in enumerate(zip(temperatures, probabilities)):
        axes.hist(
            values,
            bins=bins,
            histtype="step",
            linewidth=2,
            color=COLOURS[index],
            linestyle=DASHES[index % len(DASHES)],
            label=f"T = {temperature:g}",
        )
    axes.set_xlabel(x_label)
    axes.set_ylabel("texts")
    axes.set_title(title)
    axes.legend()
    return figure


@in_kit_style
def line_chart(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    scale: str = "linear",
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> Figure:
    """Draw one line for each series, told apart by colour, dash and marker.

    Parameters
    ----------
    x : sequence of float
    series : mapping of str to sequence of float
        Each as long as `x`.
    x_label, y_label, title : str
    scale : {"linear", "log-x", "log-y", "log-log"}
        Which axes are logarithmic.
    bands : mapping of str to (low, high), optional
        Shaded intervals around series of the same name.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a series is not as long as `x` or the scale is unknown.
    """
    check_choice("scale", scale, ("linear", "log-x", "log-y", "log-log"))
    check_lengths("series", series, len(x))
    figure = canvas(3.6)
    axes = figure.subplots()
    for index, (name, values) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(
            x,
            values,
            color=colour,
            linestyle=DASHES[index % len(DASHES)],
            marker=MARKERS[index % len(MARKERS)] if len(x) <= 25 else None,
            label=name,
        )
        if bands and name in bands:
            axes.fill_between(x, *bands[name], color=colour, alpha=0.2)
    axes.set_xscale("log" if scale in ("log-x", "log-log") else "linear")
    axes.set_yscale("log" if scale in ("log-y", "log-log") else "linear")
    finish(axes, x_label, y_label, title)
    if len(series) > 1:
        axes.legend()
    return figure


def curve_chart(
    curves: Mapping, x: str, *, y_label: str, x_label: str | None = None, **options
) -> Figure:
    """Draw a mean and its interval over a column, one line for each table.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        With the columns `x`, ``mean``, ``low`` and ``high``. Where one of them lacks
        a value of `x` that another has, its line has a gap.
    x, y_label : str
    x_label : str, optional
        By default the name of the column.
    **options
        For :func:`line_chart`: title, scale.

    Returns
    -------
    Figure
    """
    places = sorted(set().union(*(curve[x] for curve in curves.values())))
    tables = {
        name: curve.set_index(x).reindex(places) for name, curve in curves.items()
    }
    return line_chart(
        places,
        {name: table["mean"].tolist() for name, table in tables.items()},
        bands={name: (table["low"], table["high"]) for name, table in tables.items()},
        x_label=x_label or x,
        y_label=y_label,
        **options,
    )


@in_kit_style
def gain_chart(
    gains: Mapping[str, Sequence[float]],
    intervals: Mapping[str, tuple[float, float] | None],
    x_label: str,
    title: str = "",
) -> Figure:
    """Draw paired gains: every run a tick, the mean a dot, the interval a bar.

    Parameters
    ----------
    gains : mapping of str to sequence of float
    intervals : mapping of str to (low, high) or None
        By the same names; None draws no bar.
    x_label, title : str

    Returns
    -------
    Figure
    """
    figure = canvas(0.55 * len(gains) + 1.3)
    axes = figure.subplots()
    for place, (name, values) in enumerate(reversed(list(gains.items()))):
        colour = COLOURS[(len(gains) - 1 - place) % len(COLOURS)]
        if intervals[name]:
            axes.plot(intervals[name], [place] * 2, color=colour, linewidth=3)
        axes.plot(values, [place] * len(values), "|", color="black", alpha=0.6)
        axes.plot(np.mean(values), place, "o", color=colour, markersize=8)
    axes.axvline(0, color="black", linewidth=0.8, linestyle=DASHES[1])
    axes.set_yticks(range(len(gains)), list(reversed(gains)))
    axes.set_ylim(-0.6, len(gains) - 0.4)
    finish(axes, x_label, "", title, grid="x")
    return figure


@in_kit_style
def levels_chart(
    values: Sequence[float],
    levels: Sequence[float],
    errors: Mapping[str, float],
    *,
    x_label: str,
    title: str = "",
) -> Figure:
    """Draw how numbers are spread, the levels they are rounded to, and errors.

    Parameters
    ----------
    values : sequence of float
    levels : sequence of float
        Drawn as lines below the histogram.
    errors : mapping of str to float
        One bar each, on a scale from 0 to 1.
    x_label, title : str

    Returns
    -------
    Figure
    """
    figure = canvas(3.2)
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    left.hist(values, bins=80, color=COLOURS[5], edgecolor="none")
    bottom = left.get_xaxis_transform()  # levels stand in the lowest tenth
    left.vlines(levels, 0, 0.1, COLOURS[1], linewidth=0.8, transform=bottom)
    left.xaxis.set_major_locator(MaxNLocator(5))
    finish(left, x_label, "weights", title, grid="y")
    names = list(errors)
    bars = right.bar(
        names,
        list(errors.values()),
        color=COLOURS[: len(names)],
        hatch=[HATCHES[i % len(HATCHES)] for i in range(len(names))],
        edgecolor="white",
    )
    right.bar_label(bars, [f"{100 * e:.1f}%" for e in errors.values()], fontsize=9)
    right.set_ylim(0, 1.08)
    finish(right, "", "relative error", "What rounding costs", grid="y")
    return figure


@in_kit_style
def path_chart(steps: Sequence[tuple[str, str]], columns: int = 4) -> Figure:
    """Draw the way through a course: boxes, joined by arrows, row by row.

    Parameters
    ----------
    steps : sequence of (str, str)
        Number and title of each lesson; long titles are broken.
    columns : int, default 4
        Boxes in a row.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no step, or `columns` is below 1.
    """
    check_whole("the number of steps", len(steps), least=1)
    check_whole("columns", columns, least=1)
    rows = -(-len(steps) // columns)
    figure = canvas(1.35 * rows + 0.2)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-rows + 0.5, 0.5)
    boxes = []
    for index, (number, title) in enumerate(steps):
        box = axes.annotate(
            f"{number}\n" + "\n".join(textwrap.wrap(title, 15)),
            (index % columns, -(index // columns)),
            ha="center",
            va="center",
            fontsize=9,
            bbox={
                "boxstyle": "round,pad=0.5",
                "facecolor": "white",
                "edgecolor": COLOURS[0],
                "linewidth": 1.8,
            },
        )
        boxes.append(box)
    for here, there in zip(boxes, boxes[1:]):
        ends = {"patchA": here.get_bbox_patch(), "patchB": there.get_bbox_patch()}
        axes.annotate(
            "",
            there.xy,
            here.xy,
            arrowprops={"arrowstyle": "-|>", "color": "black", "shrinkB": 2} | ends,
        )
    return figure


@in_kit_style
def search_chart(
    values: Sequence[float | None],
    cut: Sequence[bool],
    *,
    y_label: str,
    title: str = "",
) -> Figure:
    """Draw the trials of a search in order, and the best one so far.

    Parameters
    ----------
    values : sequence of float or None
        What each trial reached, more being better; None where it failed.
    cut : sequence of bool
        Which trials were cut before their end: drawn as crosses, never the best.
    y_label, title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is not one entry of `cut` for each value.
    """
    check_lengths("series", {"cut": cut}, len(values))
    scores = np.array([np.nan if v is None else v for v in values], float)
    stopped, place = np.asarray(cut, bool), np.arange(1, len(scores) + 1)
    whole = np.where(stopped | np.isnan(scores), -np.inf, scores)
    best = np.maximum.accumulate(whole) if len(whole) else whole
    figure = canvas(3.4)
    axes = figure.subplots()
    for kind, marker, colour, name in (
        (~stopped, "o", COLOURS[0], "whole trial"),
        (stopped, "x", COLOURS[1], "cut trial"),
    ):
        axes.plot(
            place[kind], scores[kind], marker, color=colour, markersize=8, label=name
        )
    known = np.isfinite(best)
    axes.step(
        place[known],
        best[known],
        where="post",
        color=COLOURS[2],
        linestyle=DASHES[1],
        label="best so far",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=9)
    finish(axes, "trial", y_label, title)
    return figure
