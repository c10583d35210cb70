"""The pictures of lesson 08, with what they show in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from .. import plots

SIDE = 8  # a digit of the lesson has 8 by 8 pixels
LOOKS = 101


def ideas(gains: Mapping[str, Sequence[float]], bounds: Mapping, title: str):
    """Show what each idea gained or lost, in percentage points.

    Parameters
    ----------
    gains : mapping of str to sequence of float
        Differences of accuracy by idea, run by run; or their mean alone.
    bounds : mapping of str to (float, float)
        The interval of each.
    title : str

    Returns
    -------
    IPython.display.Image
    """
    in_points = {name: [100 * gain for gain in found] for name, found in gains.items()}
    ends = {name: tuple(100 * end for end in bounds[name]) for name in gains}
    figure = plots.gain_chart(
        in_points, ends, "percentage points of accuracy, 95% interval", title
    )
    means = ", ".join(
        f"{name} {np.mean(found):+.1f}" for name, found in in_points.items()
    )
    return plots.show(
        figure,
        alt=f"A bar for each idea, from one end of its interval to the other;"
        f" a dashed line at 0. On average, in points: {means}.",
    )


def opening(ours: Mapping[str, Mapping[str, float]]):
    """Show what our own run made of the lesson's ideas.

    Parameters
    ----------
    ours : mapping
        ``mean``, ``low`` and ``high``, each by idea.

    Returns
    -------
    IPython.display.Image
    """
    means = {name: [mean] for name, mean in ours["mean"].items()}
    bounds = {name: (ours["low"][name], ours["high"][name]) for name in means}
    return ideas(means, bounds, "Against plain distillation (our run)")


def wrong_classes(digit: int, before: torch.Tensor, after: torch.Tensor):
    """Show what a teacher says of the images of one digit, as it is and shuffled.

    Parameters
    ----------
    digit : int
    before, after : Tensor, shape (digits,)
        Mean soft targets.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.bar_groups(
        [str(d) for d in range(len(before))],
        {"as the teacher says it": before.tolist(), "shuffled": after.tolist()},
        x_label="digit",
        y_label="mean soft target",
        title=f"What the teacher says of a {digit}",
    )
    others = [d for d in before.argsort(descending=True).tolist() if d != digit]
    spread = [max(v[d].item() for d in others) for v in (before, after)]
    return plots.show(
        figure,
        alt=f"Mean soft targets of images of a {digit}. As the teacher says it, the"
        f" likeliest wrong digit is {others[0]} with {spread[0]:.3f}; shuffled, no wrong"
        f" digit has more than {spread[1]:.3f}.",
    )


def paces(functions: Mapping[str, Callable[[float], float]]):
    """Show how much of the texts is in use, as the training goes on.

    Parameters
    ----------
    functions : mapping of str to callable
        From :func:`~distill_helpers.training.curriculum.pacing`, by name.

    Returns
    -------
    IPython.display.Image
    """
    done = np.linspace(0, 1, LOOKS)
    curves = {name: [pace(float(d)) for d in done] for name, pace in functions.items()}
    figure = plots.line_chart(
        done.tolist(),
        curves,
        x_label="share of the training that is done",
        y_label="share of the texts in use",
        title="Three ways to let the texts in",
    )
    halves = ", ".join(f"{name} {c[LOOKS // 2]:.2f}" for name, c in curves.items())
    return plots.show(figure, alt=f"Share of the texts in use half way: {halves}.")


def orders(scores: Mapping[str, Mapping[str, float]]):
    """Show the accuracy of each order after few and after more steps.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float
        Mean accuracy by order and budget of steps.

    Returns
    -------
    IPython.display.Image
    """
    budgets = list(next(iter(scores.values())))
    figure = plots.bar_groups(
        budgets,
        {name: [by[title] for title in budgets] for name, by in scores.items()},
        y_label="share of test texts right",
        y_range=(0, 1.3),  # the legend stands above the bars
        title="The same texts in four orders",
    )
    said = "; ".join(
        f"{name} " + ", ".join(f"{by[title]:.3f} after {title}" for title in budgets)
        for name, by in scores.items()
    )
    return plots.show(figure, alt=f"Accuracy by order: {said}.")


def two_domains(upright: torch.Tensor, turned: torch.Tensor, labels: torch.Tensor):
    """Show a few digits as they are, and turned.

    Parameters
    ----------
    upright, turned : Tensor, shape (images, 64)
    labels : Tensor of int, shape (images,)

    Returns
    -------
    IPython.display.Image
    """
    both = torch.cat([upright, turned]).view(-1, SIDE, SIDE)
    names = [str(label) for label in labels.tolist()]
    return plots.show(
        plots.image_grid(list(both), names * 2, columns=len(names)),
        alt=f"{len(names)} handwritten digits in two rows: upright, and turned by a"
        " quarter.",
    )
