"""Pictures of pictures and of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .style import COLOURS, canvas, finish, in_kit_style

if TYPE_CHECKING:
    import pandas as pd


@in_kit_style
def image_grid(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int = 10,
    inches: float = 0.8,
) -> Figure:
    """Draw small grey images in rows, each under its title.

    Parameters
    ----------
    images : sequence of ndarray, shape (height, width)
        0 is drawn white, the largest value black.
    titles : sequence of str
        One for each image.
    columns : int, default 10
    inches : float, default 0.8
        The width of one image.

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
    figure = canvas((inches + 0.25) * lines, width=inches * columns)
    for place, (image, title) in enumerate(zip(images, titles)):
        axes = figure.add_subplot(lines, columns, place + 1)
        axes.imshow(np.asarray(image), cmap="gray_r")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return figure


@in_kit_style
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
    figure = canvas(3.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 2.6))
    left.imshow(np.asarray(image), cmap="gray_r")
    left.set_axis_off()
    bars = right.bar(names, values, color=COLOURS[0])
    right.bar_label(bars, [f"{value:.2f}" for value in values], fontsize=8)
    right.set_ylim(0, 1.08)
    finish(right, x_label, y_label, title, grid="y")
    return figure


@in_kit_style
def heat_map(
    summary: pd.DataFrame, x: str, y: str, *, label: str, title: str = ""
) -> Figure:
    """Draw a mean for each pair of settings, its interval written below it.

    Parameters
    ----------
    summary : DataFrame
        From :func:`distill_helpers.classroom.collecting.summarise`: columns `x`, `y`,
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
    figure = canvas(height, width=1.25 * means.shape[1] + 2)
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


@in_kit_style
def confusion_chart(counts: pd.DataFrame, title: str = "") -> Figure:
    """Draw a confusion matrix: the shade is the share of the true class.

    Parameters
    ----------
    counts : DataFrame
        A line a true class, a column a class that was said; its cells are counts of
        texts, which are written into the squares. Zeros stay without a number.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If lines and columns are not the same classes.
    """
    if list(counts.index) != list(counts.columns):
        raise ValueError(
            "counts must have the same classes in lines and columns, got"
            f" {list(counts.index)} and {list(counts.columns)}"
        )
    names = [str(name) for name in counts.columns]
    values = counts.to_numpy()
    shares = values / np.maximum(values.sum(1, keepdims=True), 1)
    figure = canvas(0.45 * len(names) + 1.8, width=0.65 * len(names) + 3)
    axes = figure.subplots()
    shades = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(values)):
        axes.text(
            column,
            row,
            f"{values[row, column]:,}",
            ha="center",
            va="center",
            color="black" if shares[row, column] > 0.5 else "white",
        )
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    finish(axes, "class that was said", "class that it is", title)
    axes.grid(False)
    figure.colorbar(shades, label="share of the class")
    return figure
