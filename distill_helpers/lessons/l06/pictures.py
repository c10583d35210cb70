"""The pictures of lesson 06, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ...evaluation.cascade import CascadeResult
from ...export.latency import PARTS
from .. import plots

if TYPE_CHECKING:
    import pandas as pd


def tiers():
    """Show device, edge and cloud, and what each hands on."""
    return plots.show(
        plots.draw_tiers(),
        alt="Three boxes from left to right: a small student on the device, a larger"
        " one on a computer near by, the teacher in a data centre. Each hands on what"
        " it is not sure of.",
    )


def latency(budgets: Mapping[str, Mapping[str, float]]):
    """Show where the time of an answer goes.

    Parameters
    ----------
    budgets : mapping of str to mapping of str to float
        By setting and part, milliseconds for one text.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.stacked_bars(
        list(budgets),
        {part: [budget[part] for budget in budgets.values()] for part in PARTS},
        x_label="milliseconds for one text",
        title="Where the time of an answer goes",
    )
    return plots.show(
        figure,
        alt="Milliseconds for one text at batch 1 and 32 with one and two threads,"
        " divided into tokenising, running and post-processing; the sums stand at the"
        " ends of the bars.",
    )


def front(points: pd.DataFrame, best: pd.DataFrame):
    """Show what each model costs and gains.

    Parameters
    ----------
    points, best : DataFrame
        All models, and those on the front: columns ``model``, ``ms`` and
        ``validation``.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.pareto_chart(
        points,
        best,
        "ms",
        "validation",
        name="model",
        x_label="milliseconds for one text",
        y_label="accuracy on validation texts",
        title="Choose on the front",
    )
    return plots.show(
        figure,
        alt="Validation accuracy against milliseconds for the two students in several"
        " forms and the teacher; the dashed steps are those that nothing faster"
        " beats.",
    )


def cascade(
    found: CascadeResult, cloud_alone: CascadeResult, truth: np.ndarray
) -> tuple[Figure, str]:
    """Draw who answers in a cascade, and say what it costs.

    Parameters
    ----------
    found : CascadeResult
        Of several stages; one of them is the device.
    cloud_alone : CascadeResult
    truth : ndarray of int, shape (texts,)

    Returns
    -------
    figure : Figure
    words : str
        Accuracy, time and money of both.
    """
    right, alone = found.accuracy(truth), cloud_alone.accuracy(truth)
    figure = plots.bar_groups(
        list(found.shares),
        {"share": list(found.shares.values())},
        y_label="share of the texts answered",
        y_range=(0, 1),
        title=f"{right:.3f} right, {found.milliseconds:.1f} ms,"
        f" {found.price:.0f} a million",
    )
    return figure, (
        f"The device answers {found.shares['device']:.0%}; accuracy {right:.3f} against"
        f" {alone:.3f} of the cloud alone; {found.milliseconds:.1f} against"
        f" {cloud_alone.milliseconds:.1f} ms, and {found.price:.0f} against"
        f" {cloud_alone.price:.0f} for a million texts."
    )
