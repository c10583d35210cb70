"""Pictures for the lessons: pure functions from numbers to figures.

Colours are those of Okabe and Ito, which colour-blind people can tell apart;
markers differ too, so that nothing hangs on colour alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .scorecard import Row, summary

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
    axes.set_xlabel(f"{metric} on the test reviews")
    axes.set_title(title)
    axes.grid(axis="x", alpha=0.3)
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
    axes.set_xlabel("reviews per second on this machine (log scale)")
    axes.set_ylabel("accuracy on the test reviews")
    axes.set_title(title)
    axes.grid(alpha=0.3)
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
            linestyle=("-", "--", ":", "-.")[index % 4],
            label=f"T = {temperature:g}",
        )
    axes.set_xlabel("teacher's probability that the review is positive")
    axes.set_ylabel("reviews")
    axes.set_title(title)
    axes.legend()
    return figure
