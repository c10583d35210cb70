"""Pictures for the lessons: pure functions from numbers to figures.

Colours are those of Okabe and Ito, which colour-blind people can tell apart;
markers differ too, so that nothing hangs on colour alone.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

if TYPE_CHECKING:  # the scorecard brings transformers along; pictures need not
    import pandas as pd

    from .scorecard import Row

COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#F0E442",
)
MARKERS = "osD^vP*X"
DASHES = ("-", "--", ":", "-.")
HATCHES = ("", "//", "..", "xx", "\\\\", "oo", "++", "**")


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """Render a figure to PNG bytes on a white ground."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=dpi, facecolor="white", bbox_inches="tight"
    )
    return buffer.getvalue()


def show(figure: Figure, alt: str):
    """Return a figure as an image with alternative text.

    Parameters
    ----------
    figure : Figure
    alt : str
        What the picture shows, for those who cannot see it.

    Returns
    -------
    IPython.display.Image

    Raises
    ------
    ValueError
        If `alt` is empty.
    """
    from IPython.display import Image

    if not alt.strip():
        raise ValueError("alt must say what the picture shows, got nothing")
    # As wide as it would be on screen, however fine it was rendered.
    width = int(figure.get_figwidth() * 90)
    return Image(data=to_png(figure), format="png", alt=alt, width=width)


def _finish(axes, x_label: str, y_label: str, title: str, grid: str = "both") -> None:
    """Label the axes and draw a faint grid."""
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title)
    axes.grid(axis=grid, alpha=0.3)


def interval_chart(
    rows: Sequence[Row], metric: str = "accuracy", title: str = ""
) -> Figure:
    """Draw each row's mean, its interval and the single seeds.

    Parameters
    ----------
    rows : sequence of Row
    metric : str, default "accuracy"
    title : str

    Returns
    -------
    Figure
    """
    from .scorecard import summary

    figure = Figure(figsize=(7.5, 0.5 * len(rows) + 1.3), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(reversed(rows)):
        values = summary(row.values(metric))
        colour = COLOURS[(len(rows) - 1 - place) % len(COLOURS)]
        if values["interval"]:
            low, high = values["interval"]
            axes.plot([low, high], [place, place], color=colour, linewidth=3)
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
    _finish(axes, f"{metric} on the test reviews", "", title, grid="x")
    return figure


def bubble_chart(rows: Sequence[Row], title: str = "") -> Figure:
    """Draw speed against accuracy; the area of a bubble is the model's size.

    Parameters
    ----------
    rows : sequence of Row
        Rows without a cost are left out.
    title : str

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.subplots()
    costed = [row for row in rows if row.cost]
    for index, row in enumerate(costed):
        accuracy = float(np.mean(row.values("accuracy")))
        megabytes = row.cost.bytes_on_disk / 1e6
        axes.scatter(
            row.cost.reviews_per_second,
            accuracy,
            s=40 + 12 * megabytes,
            color=COLOURS[index % len(COLOURS)],
            alpha=0.65,
            marker=MARKERS[index % len(MARKERS)],
            edgecolor="black",
            label=f"{row.name}: {megabytes:.1f} MB",
        )
    axes.set_xscale("log")
    axes.margins(0.12, 0.18)
    speed = "reviews per second on this machine (log scale)"
    _finish(axes, speed, "accuracy on the test reviews", title)
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    for handle in legend.legend_handles:
        handle.set_sizes([60])
    return figure


def confidence_chart(
    probabilities: np.ndarray, temperatures: Sequence[float], title: str = ""
) -> Figure:
    """Draw how sure a two-class teacher is, at several temperatures.

    Parameters
    ----------
    probabilities : ndarray, shape (temperatures, reviews)
        Probability of the positive class.
    temperatures : sequence of float
    title : str

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
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
    axes.set_xlabel("teacher's probability that the review is positive")
    axes.set_ylabel("reviews")
    axes.set_title(title)
    axes.legend()
    return figure


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
    scales = ("linear", "log-x", "log-y", "log-log")
    if scale not in scales:
        raise ValueError(f"scale must be one of {scales}, got {scale!r}")
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axes = figure.subplots()
    for index, (name, values) in enumerate(series.items()):
        if len(values) != len(x):
            raise ValueError(
                f"series {name!r} must have {len(x)} values as x, got {len(values)}"
            )
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
    _finish(axes, x_label, y_label, title)
    if len(series) > 1:
        axes.legend()
    return figure


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
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    width = 0.8 / len(series)
    for index, (name, values) in enumerate(series.items()):
        if len(values) != len(names):
            raise ValueError(
                f"series {name!r} must have {len(names)} values, got {len(values)}"
            )
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
    _finish(axes, x_label, y_label, title, grid="y")
    if len(series) > 1:
        axes.legend(fontsize=9)
    return figure


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
    figure = Figure(figsize=(7.5, 0.55 * len(names) + 1.5), layout="constrained")
    axes = figure.subplots()
    places, ends = np.arange(len(names))[::-1], np.zeros(len(names))
    for index, (name, values) in enumerate(parts.items()):
        if len(values) != len(names):
            raise ValueError(
                f"part {name!r} must have {len(names)} values, got {len(values)}"
            )
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
    _finish(axes, x_label, "", title, grid="x")
    axes.legend(fontsize=9)
    return figure


def image_grid(
    images: Sequence[np.ndarray], titles: Sequence[str], columns: int = 10
) -> Figure:
    """Draw small grey images in rows, each under its title.

    Parameters
    ----------
    images : sequence of ndarray, shape (height, width)
        0 is drawn white, the largest value black.
    titles : sequence of str
        One for each image.
    columns : int, default 10

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no image, or not one title for each.
    """
    if not len(images) or len(images) != len(titles):
        raise ValueError(
            f"titles must name each of {len(images)} images (at least one), got"
            f" {len(titles)}"
        )
    columns = min(columns, len(images))
    lines = -(-len(images) // columns)
    figure = Figure(figsize=(0.8 * columns, 1.05 * lines), layout="constrained")
    for place, (image, title) in enumerate(zip(images, titles)):
        axes = figure.add_subplot(lines, columns, place + 1)
        axes.imshow(np.asarray(image), cmap="gray_r")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return figure


def image_and_bars(
    image: np.ndarray,
    names: Sequence[str],
    values: Sequence[float],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
) -> Figure:
    """Draw an image and, beside it, one bar for each class from 0 to 1.

    Parameters
    ----------
    image : ndarray, shape (height, width)
    names : sequence of str
    values : sequence of float
        As many as there are names.
    x_label, y_label, title : str

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(7.5, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.6))
    left.imshow(np.asarray(image), cmap="gray_r")
    left.set_axis_off()
    bars = right.bar(names, values, color=COLOURS[0])
    right.bar_label(bars, [f"{value:.2f}" for value in values], fontsize=8)
    right.set_ylim(0, 1.08)
    _finish(right, x_label, y_label, title, grid="y")
    return figure


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
    figure = Figure(figsize=(7.5, 0.55 * len(gains) + 1.3), layout="constrained")
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
    _finish(axes, x_label, "", title, grid="x")
    return figure


def heat_map(
    summary: pd.DataFrame, x: str, y: str, *, label: str, title: str = ""
) -> Figure:
    """Draw a mean for each pair of settings, its interval written below it.

    Parameters
    ----------
    summary : DataFrame
        From :func:`distill_helpers.collecting.summarise`: columns `x`, `y`,
        ``mean``, ``low``, ``high`` and ``seeds``.
    x, y : str
        Columns on the axes. A pair that was never run stays empty.
    label : str
        Of the colours: what the mean is of.
    title : str

    Returns
    -------
    Figure
    """
    means = summary.pivot(index=y, columns=x, values="mean").sort_index()
    cells = summary.set_index([y, x])
    height = 0.75 * len(means) + 1.4
    figure = Figure(figsize=(1.25 * means.shape[1] + 2, height), layout="constrained")
    axes = figure.subplots()
    shades = axes.imshow(means, cmap="cividis", aspect="auto", origin="lower")
    middle = float(np.nanmean([np.nanmin(means), np.nanmax(means)]))
    for row, y_value in enumerate(means.index):
        for column, x_value in enumerate(means.columns):
            mean = means.iloc[row, column]
            if np.isnan(mean):
                continue
            cell = cells.loc[(y_value, x_value)]
            half = (cell["high"] - cell["low"]) / 2
            around = "one run" if np.isnan(half) else f"\u00b1{half:.3f}"
            axes.text(
                column,
                row,
                f"{mean:.3f}\n{around}",
                ha="center",
                va="center",
                fontsize=9,
                color="black" if mean > middle else "white",
            )
    axes.set_xticks(range(means.shape[1]), [f"{value:g}" for value in means.columns])
    axes.set_yticks(range(len(means)), [f"{value:g}" for value in means.index])
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    figure.colorbar(shades, ax=axes, label=label)
    return figure


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
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    left.hist(values, bins=80, color=COLOURS[5], edgecolor="none")
    bottom = left.get_xaxis_transform()  # levels stand in the lowest tenth
    left.vlines(levels, 0, 0.1, COLOURS[1], linewidth=0.8, transform=bottom)
    left.xaxis.set_major_locator(MaxNLocator(5))
    _finish(left, x_label, "weights", title, grid="y")
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
    _finish(right, "", "relative error", "What rounding costs", grid="y")
    return figure


def _plain(value: float, _place=None) -> str:
    """Write 1, 2 and 5 times a power of ten, and nothing else."""
    lead = value / 10 ** np.floor(np.log10(value)) if value > 0 else 0
    return f"{value:g}" if round(lead, 6) in (1, 2, 5) else ""


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
    area: str | None = None,
) -> Figure:
    """Draw what each model costs and gains, and the front that none beats.

    Parameters
    ----------
    points, front : DataFrame
        All models, and those of :func:`distill_helpers.collecting.pareto_front`.
    x, y : str
        Columns for cost (log scale) and gain.
    name : str
        Column that names a point.
    x_label, y_label, title : str
    area : str, optional
        Column that the area of a point is in proportion to.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.margins(0.1, 0.15)
    axes.step(front[x], front[y], where="post", color=COLOURS[1], linestyle=DASHES[1])
    for index, (label, group) in enumerate(points.groupby(name, sort=False)):
        axes.scatter(
            group[x],
            group[y],
            color=COLOURS[index % len(COLOURS)],
            marker=MARKERS[index % len(MARKERS)],
            edgecolor="black",
            s=36 if area is None else 300 * group[area] / points[area].max(),
            label=str(label),
        )
    axes.set_xscale("log")
    for axis_part in ("major", "minor"):  # plain numbers, not powers of ten
        getattr(axes.xaxis, f"set_{axis_part}_formatter")(FuncFormatter(_plain))
    _finish(axes, f"{x_label} (log scale)", y_label, title)
    legend = axes.legend(fontsize=9)
    for handle in legend.legend_handles:
        handle.set_sizes([36])
    return figure


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
    import textwrap

    if not steps or columns < 1:
        raise ValueError(
            f"steps must hold at least one, columns be at least 1, got {len(steps)}"
            f" steps and columns={columns!r}"
        )
    rows = -(-len(steps) // columns)
    figure = Figure(figsize=(7.5, 1.35 * rows + 0.2), layout="constrained")
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
