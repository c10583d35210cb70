"""Diagrams of ideas: boxes and arrows, where the charts show measurements.

They are drawn on a white card with dark letters, so that they can be read on a light
page and on a dark one. What a box means is written in it, never told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ...arguments import check_temperature
from ...evaluation.metrics import softmax
from .style import COLOURS, DASHES, HATCHES, canvas, in_kit_style

UNIT = 0.75  # inches a unit of a diagram is long; ten units are as wide as a chart
PARTS = {
    "train": "texts with labels:\nthe student learns\nfrom them",
    "transfer": "texts without labels:\nthe teacher answers,\nthe student learns",
    "validation": "with labels:\nwhat to keep is\nchosen here",
    "test": "with labels:\njudged here, when all\nis chosen",
}


@in_kit_style
def draw_softening(
    names: Sequence[str] = ("cat", "dog", "car"),
    logits: Sequence[float] = (5.0, 3.0, -4.0),
    temperature: float = 4.0,
) -> Figure:
    """Draw the way from a teacher's logits over a temperature to the student.

    Parameters
    ----------
    names : sequence of str
        The classes; up to ten can be read.
    logits : sequence of float
        What a teacher says to one example, a number for each class.
    temperature : float
        Divides the logits before the softmax.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is not one logit for each name, or the temperature is not above 0.
    """
    if not len(names) or len(names) != len(logits):
        raise ValueError(
            f"logits must have one number for each of the names {list(names)}, got"
            f" {list(logits)}"
        )
    check_temperature(temperature)
    axes = _board(3.8)
    _box(axes, 0.9, 1.8, 1.5, 1.1, "teacher", COLOURS[0], bold=True)
    _column(axes, 2.15, "logits", names, logits, "{:+.1f}", COLOURS[0])
    _box(axes, 4.85, 1.8, 1.4, 1.1, f"divide by\nT = {temperature:g},\nsoftmax")
    shares = softmax(np.asarray(logits, float) / temperature)
    _column(axes, 6.05, "soft targets", names, shares, "{:.2f}", COLOURS[1])
    _box(axes, 8.95, 1.8, 1.7, 1.1, "student", COLOURS[2], bold=True)
    for start, end in ((1.65, 2.05), (3.75, 4.15), (5.55, 5.95), (7.65, 8.1)):
        _arrow(axes, (start, 1.8), (end, 1.8))
    axes.text(0.9, 0.85, "answers\none example", **_CENTRED)
    axes.text(8.95, 0.85, "learns to give\nthe same shares", **_CENTRED)
    return axes.figure


@in_kit_style
def draw_two_arrows() -> Figure:
    """Draw what pulls at a student: its teacher's soft targets, and the label.

    Returns
    -------
    Figure
    """
    axes = _board(3.6)
    _box(axes, 1.35, 2.75, 2.3, 0.95, "teacher's\nsoft targets", COLOURS[0], bold=True)
    _box(axes, 1.35, 0.85, 2.3, 0.95, "label", COLOURS[1], bold=True)
    _box(axes, 8.6, 1.8, 2.3, 1.1, "student's\nlogits", COLOURS[2], bold=True)
    _arrow(axes, (2.6, 2.75), (7.35, 2.1), COLOURS[0])
    _arrow(axes, (2.6, 0.85), (7.35, 1.5), COLOURS[1], DASHES[1])
    soft = (
        "weight $\\alpha$:  $T^2\\,\\times$ KL divergence,\nboth sides softened by $T$"
    )
    hard = "weight $1-\\alpha$:  cross-entropy,\nnothing softened"
    axes.text(5.0, 3.05, soft, **_CENTRED)
    axes.text(5.0, 0.55, hard, **_CENTRED)
    return axes.figure


@in_kit_style
def draw_parts(counts: Mapping[str, int]) -> Figure:
    """Draw the four parts of the data, what each is for, and its number of texts.

    Parameters
    ----------
    counts : mapping of str to int
        Texts in ``train``, ``transfer``, ``validation`` and ``test``.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the parts are not these four.
    """
    if set(counts) != set(PARTS):
        raise ValueError(f"counts must name {list(PARTS)}, got {list(counts)}")
    axes = _board(3.8)
    places = {"train": 1.25, "transfer": 3.7, "validation": 6.3, "test": 8.75}
    for index, (part, purpose) in enumerate(PARTS.items()):
        text = f"{part}\n{counts[part]:,} texts"
        _box(axes, places[part], 2.0, 2.2, 0.9, text, COLOURS[index], bold=True)
        axes.text(places[part], 1.4, purpose, va="top", ha="center", fontsize=9)
    axes.text(2.475, 3.35, "the student reads these", **_CENTRED)
    axes.text(7.525, 3.35, "the student never learns from these", **_CENTRED)
    for low, high in ((0.15, 4.8), (5.2, 9.85)):
        axes.plot([low, low, high, high], [2.75, 2.95, 2.95, 2.75], color="black", lw=1)
    axes.text(5.0, 0.2, "no text, nor one much like it, in two parts", **_CENTRED)
    return axes.figure


@in_kit_style
def draw_bytes(sizes: Mapping[str, int]) -> Figure:
    """Draw where a model's bytes go: a block for each part, as long as its share.

    Parameters
    ----------
    sizes : mapping of str to int
        Bytes of each part, such as the embedding and the layers.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no part, one is negative, or all are empty.
    """
    if not sizes or min(sizes.values()) < 0 or not sum(sizes.values()):
        raise ValueError(
            f"sizes must hold bytes, 0 or more, and some above 0, got {dict(sizes)}"
        )
    whole = sum(sizes.values())
    axes = _board(0.75 * len(sizes) + 0.5)
    for index, (part, size) in enumerate(sizes.items()):
        height = 0.75 * (len(sizes) - index) - 0.15
        length = max(5.0 * size / whole, 0.02)  # a sliver can still be seen
        axes.barh(
            height,
            length,
            left=2.6,
            height=0.5,
            color=COLOURS[index % len(COLOURS)],
            hatch=HATCHES[index % len(HATCHES)],
            edgecolor="white",
        )
        axes.text(2.45, height, part, va="center", ha="right", fontsize=10)
        share = size / whole
        percent = "under 1%" if 0 < share < 0.01 else f"{share:.0%}"
        words = f"{_readable(size)}, {percent}"
        axes.text(2.75 + length, height, words, va="center", fontsize=10)
    axes.text(2.6, 0.1, f"all together: {_readable(whole)}", va="center", fontsize=10)
    return axes.figure


@in_kit_style
def draw_tiers() -> Figure:
    """Draw device, edge and cloud: who answers, and what goes on to the next.

    Returns
    -------
    Figure
    """
    tiers = {
        "device": ("page or phone:\na small student", "nothing leaves it"),
        "edge": (
            "a computer near by:\na larger student",
            "the text stays in the house",
        ),
        "cloud": ("a data centre:\nthe teacher", "the text travels"),
    }
    axes = _board(3.3)
    for index, (tier, (holds, privacy)) in enumerate(tiers.items()):
        place = 1.45 + 3.55 * index
        _box(axes, place, 2.4, 2.5, 1.3, "", COLOURS[index])
        axes.text(place, 2.8, tier, **_CENTRED | {"weight": "bold", "fontsize": 11})
        axes.text(place, 2.25, holds, **_CENTRED)
        axes.text(place, 1.4, privacy, **_CENTRED)
        if index:
            _arrow(axes, (place - 2.3, 2.4), (place - 1.25, 2.4))
            axes.text(place - 1.775, 2.8, "not\nsure?", **_CENTRED)
    _arrow(axes, (0.3, 0.75), (9.7, 0.75), "#555555")
    growing = "further away: better answers, at a higher price, over a network"
    axes.text(5.0, 0.4, growing, **_CENTRED)
    return axes.figure


_CENTRED = {"ha": "center", "va": "center", "fontsize": 10, "color": "black"}


def _board(height: float):
    """Return axes without a frame: ten units wide, `height` units high."""
    axes = canvas(UNIT * height).add_subplot()
    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, height)
    return axes


def _box(axes, x, y, width, height, text, colour="#555555", bold=False) -> None:
    """Draw a rounded box around a middle, in units, with words in it."""
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor="white",
            edgecolor=colour,
            linewidth=2,
        )
    )
    axes.text(x, y, text, **_CENTRED | {"weight": "bold" if bold else "normal"})


def _arrow(axes, start, end, colour="black", dash="-") -> None:
    """Draw an arrow from one point to another."""
    look = {"arrowstyle": "-|>", "color": colour, "linestyle": dash, "linewidth": 2}
    axes.annotate("", end, start, arrowprops=look | {"shrinkA": 0, "shrinkB": 0})


def _column(axes, x, title, names, values, form, colour) -> None:
    """Draw a small table of classes and numbers, a bar beside each."""
    axes.text(x + 0.75, 3.55, title, **_CENTRED | {"weight": "bold"})
    step = 3.2 / max(len(names), 4)
    top = 1.8 + step * (len(names) - 1) / 2
    low, high = min(0.0, *values), max(0.0, *values)
    scale = 0.5 / max(high - low, 1e-9)
    for line, (name, value) in enumerate(zip(names, values)):
        y = top - step * line
        axes.text(x, y, f"{name}", va="center", fontsize=9)
        zero = x + 0.45 - low * scale
        axes.barh(y, value * scale, left=zero, height=0.55 * step, color=colour)
        axes.text(x + 1.55, y, form.format(value), va="center", ha="right", fontsize=9)


def _readable(size: float) -> str:
    """Write bytes as kB or MB, in powers of ten as the tables do."""
    return f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
