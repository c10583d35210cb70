"""The pictures of lesson 01, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from ...evaluation.statistics import interval
from .. import plots

SIDE = 8  # a digit of the lesson has 8 by 8 pixels


def digits(images: torch.Tensor, labels: torch.Tensor):
    """Show images, each under its label.

    Parameters
    ----------
    images : Tensor, shape (images, 64)
    labels : Tensor of int, shape (images,)

    Returns
    -------
    IPython.display.Image
    """
    names = [str(label) for label in labels.tolist()]
    return plots.show(
        plots.image_grid(list(images.view(-1, SIDE, SIDE)), names),
        alt=f"{len(names)} handwritten digits of 8 by 8 pixels with their labels. Some"
        " are easy to mistake for another digit.",
    )


def second_choices(images: torch.Tensor, pairs: Sequence[tuple[int, int]]):
    """Show images, each under its digit and the one that it resembles.

    Parameters
    ----------
    images : Tensor, shape (images, 64)
    pairs : sequence of (int, int)
        Digit and second choice of each image.

    Returns
    -------
    IPython.display.Image
    """
    titles = [f"{digit}, perhaps {other}" for digit, other in pairs]
    return plots.show(
        plots.image_grid(list(images.view(-1, SIDE, SIDE)), titles, inches=1.4),
        alt=f"{len(pairs)} digits, each with the teacher's second choice: "
        + ", ".join(f"a {digit} that could be a {other}" for digit, other in pairs),
    )


def softening(logits: Sequence[float], temperature: float):
    """Show the way from the logits of a 9 to its soft targets.

    Parameters
    ----------
    logits : sequence of float
        One for each digit.
    temperature : float

    Returns
    -------
    IPython.display.Image
    """
    return plots.show(
        plots.draw_softening(range(len(logits)), logits, temperature),
        alt="Diagram: the teacher's ten logits for the 9 are divided by"
        f" T = {temperature:g}, the softmax makes soft targets of them, and the"
        " student learns these.",
    )


def digit_and_shares(
    image: torch.Tensor,
    shares: torch.Tensor,
    pair: tuple[int, int],
    temperature: float,
) -> tuple[Figure, str]:
    """Draw a digit beside what a teacher makes of it.

    Parameters
    ----------
    image : Tensor, shape (64,)
    shares : Tensor, shape (digits,)
        The teacher's probabilities at that temperature.
    pair : (int, int)
        The digit, and the teacher's second choice.
    temperature : float

    Returns
    -------
    figure : Figure
    words : str
        What the two choices get.
    """
    digit, other = pair
    figure = plots.image_and_bars(
        image.view(SIDE, SIDE),
        [str(d) for d in range(len(shares))],
        shares.tolist(),
        x_label="digit",
        y_label="teacher's probability",
        title=f"A {digit} that could be a {other}, at T = {temperature:g}",
    )
    return figure, (
        f"T = {temperature:g}: the teacher gives {digit} a probability of"
        f" {shares[digit]:.3f}, and its second choice, {other}, {shares[other]:.3f}."
    )


def missing_three(
    shares: Mapping[float, Sequence[float]], labels: Sequence[float], note: str
):
    """Show what students that never saw a 3 make of the 3s.

    Parameters
    ----------
    shares : mapping of float to sequence of float
        For each temperature the share of the 3s that came out right, seed by seed.
    labels : sequence of float
        The same of the control, which learnt from labels.
    note : str
        For the title, in brackets.

    Returns
    -------
    IPython.display.Image
        Each line a mean over the seeds; a band, if there are several, reaches from
        the worst to the best.
    """
    means = {t: float(np.mean(each)) for t, each in shares.items()}
    never = float(np.mean(labels))
    edges = [[edge(each) for each in shares.values()] for edge in (min, max)]
    several = max(map(len, shares.values())) > 1
    figure = plots.line_chart(
        list(shares),
        {"soft targets": list(means.values()), "labels": [never] * len(means)},
        bands={"soft targets": tuple(edges)} if several else None,
        x_label="temperature T",
        y_label="share of the test 3s got right",
        title=f"A student that never saw a 3 ({note})",
    )
    points = ", ".join(f"{mean:.0%} at T = {t:g}" for t, mean in means.items())
    return plots.show(
        figure,
        alt=f"The share of 3s that the student gets right: {points}; a student taught"
        f" by labels {never:.0%}.",
    )


def shares_right(shares: Mapping[str, float], amount: float) -> tuple[Figure, str]:
    """Draw what comes out right after raising the logit of class 3.

    Parameters
    ----------
    shares : mapping of str to float
        From 0 to 1; those whose name does not end in "right" are left out.
    amount : float
        What was added to the logit.

    Returns
    -------
    figure : Figure
    words : str
        The same numbers.
    """
    right = {name: s for name, s in shares.items() if name.endswith("right")}
    figure = plots.bar_groups(
        list(right),
        {"share": list(right.values())},
        y_label="share of test images",
        y_range=(0, 1),
        title=f"{amount:g} added to the logit of class 3",
    )
    words = ", ".join(f"{name} {share:.3f}" for name, share in right.items())
    return figure, f"{amount:g} added: {words}."


def paired_gains(gains: Mapping[str, Sequence[float]], per_class: int):
    """Show what each way of teaching gained over labels alone.

    Parameters
    ----------
    gains : mapping of str to sequence of float
        Gains in accuracy, draw by draw.
    per_class : int
        Labelled images of each digit in a draw.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.gain_chart(
        gains,
        {name: interval(values) for name, values in gains.items()},
        "gain in accuracy over labels alone",
        f"{per_class} labelled images of each digit",
    )
    means = ", ".join(f"{n} {np.mean(values):+.3f}" for n, values in gains.items())
    return plots.show(
        figure,
        alt="Gain over labels alone, each draw a tick, the interval a bar. On average"
        f" {means}.",
    )


def two_class_curves(margins: Sequence[float], curves: Mapping[str, Sequence[float]]):
    """Show what a teacher of two classes can say at several temperatures.

    Parameters
    ----------
    margins : sequence of float
        Logit 1 minus logit 0.
    curves : mapping of str to sequence of float
        By temperature, the probability of class 1 at each margin.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        margins,
        curves,
        x_label="margin: logit 1 minus logit 0",
        y_label="probability of class 1",
        title="All that a two-class teacher can say",
    )
    return plots.show(
        figure,
        alt=f"{len(curves)} sigmoid curves through one half at margin 0, the flatter"
        " the higher the temperature.",
    )
