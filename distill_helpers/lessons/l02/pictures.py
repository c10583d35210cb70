"""The pictures of lesson 02, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from .. import plots


def forgotten_square(accuracy: Mapping[str, float]):
    """Show what one forgotten factor cost in our run.

    Parameters
    ----------
    accuracy : mapping of str to float
        With the factor and without.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.bar_groups(
        list(accuracy),
        {"accuracy": list(accuracy.values())},
        y_range=(0, 1),
        y_label="share of test images right",
        title="The same training, one factor apart (our run)",
    )
    return plots.show(
        figure,
        alt="Our run: " + ", ".join(f"{n} {v:.2f}" for n, v in accuracy.items()),
    )


def two_arrows():
    """Show what pulls at a student: its teacher's soft targets, and the label."""
    return plots.show(
        plots.draw_two_arrows(),
        alt="Diagram: the teacher's soft targets pull at the student's logits with"
        " weight alpha, times T squared, by the KL divergence; the label pulls with"
        " weight one minus alpha, by the cross-entropy.",
    )


def price_of_a_label(probabilities: Sequence[float], losses: Sequence[float]):
    """Show the cross-entropy over the probability of the right class.

    Parameters
    ----------
    probabilities : sequence of float
        From low to high.
    losses : sequence of float
        In nats, one for each.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        probabilities,
        {"cross-entropy": losses},
        x_label="probability that the student gives to the right class",
        y_label="loss (nats)",
        title="What a label asks for",
    )
    return plots.show(
        figure,
        alt=f"The cross-entropy falls from {losses[0]:.1f} nats at probability"
        f" {probabilities[0]:.2f} to {abs(losses[-1]):.0f} at {probabilities[-1]:g}.",
    )


def softened(classes: Sequence[str], shares: Mapping[str, Sequence[float]]):
    """Show a teacher's probabilities at several temperatures.

    Parameters
    ----------
    classes : sequence of str
    shares : mapping of str to sequence of float
        By temperature, from low to high, one probability for each class.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.bar_groups(
        classes,
        shares,
        y_label="teacher's probability",
        title=f"The same {len(classes)} logits at {len(shares)} temperatures",
    )
    first, *_, last = shares
    return plots.show(
        figure,
        alt=f"At {first} the {classes[0]} has nearly all the probability; up to"
        f" {last} the {classes[1]} and then the {classes[2]} catch up.",
    )


def right_and_wrong(logits: Sequence[float], curves: Mapping[str, Sequence[float]]):
    """Show what `F.kl_div` returns while one logit of the student moves.

    Parameters
    ----------
    logits : sequence of float
        Those that the student gives to "cat".
    curves : mapping of str to sequence of float
        In nats, by what was passed as the first argument.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        logits,
        curves,
        x_label="student's logit for cat",
        y_label="F.kl_div (nats)",
        title="A divergence, and something that is not one",
    )
    return plots.show(
        figure,
        alt="With log-probabilities the curve has a minimum above zero; with"
        " probabilities it lies below zero and goes on falling.",
    )


def gradients(
    temperatures: Sequence[float], plain: Sequence[float], squared: Sequence[float]
):
    """Show the gradient of the soft targets over the temperature.

    Parameters
    ----------
    temperatures : sequence of float
    plain, squared : sequence of float
        The gradient's norm without the factor T^2, and with it.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        temperatures,
        {"without T^2": plain, "with T^2": squared},
        x_label="temperature T (log scale)",
        y_label="gradient norm (log scale)",
        scale="log-log",
        title="What T does to the gradient of the soft targets",
    )
    return plots.show(
        figure,
        alt="Log-log plot: without the factor the gradient norm falls on a straight"
        " line as one over T squared; with it, it is nearly level.",
    )


def gradients_by_size(
    temperatures: Sequence[float], percent: Mapping[str, Sequence[float]]
):
    """Show the gradient with the factor T^2 for logits of several sizes.

    Parameters
    ----------
    temperatures : sequence of float
    percent : mapping of str to sequence of float
        By size, the gradient in percent of that at T = 1.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        temperatures,
        percent,
        x_label="temperature T (log scale)",
        y_label="gradient with T^2, % of T = 1",
        scale="log-x",
        title="Level once T is as large as the logits",
    )
    ends = ", ".join(f"{name} {each[-1]:.0f}%" for name, each in percent.items())
    return plots.show(
        figure,
        alt="Gradient with T squared, as a percentage of that at T = 1, over T. At"
        f" T = {temperatures[-1]:g}: {ends}.",
    )


def label_and_teacher(logits: Sequence[float], curves: Mapping[str, Sequence[float]]):
    """Show the mixed loss at several alphas while one logit moves.

    Parameters
    ----------
    logits : sequence of float
        Those that the student gives to "cat".
    curves : mapping of str to sequence of float
        The loss in nats, by alpha.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        logits,
        curves,
        x_label="student's logit for cat",
        y_label="loss (nats)",
        title="What label and teacher ask for",
    )
    return plots.show(
        figure,
        alt="At alpha 0 the loss falls for ever; at alpha 1 it has a minimum where the"
        " student is as sure as its teacher; one half lies between.",
    )


def pushes(
    classes: Sequence[str],
    pulls: Mapping[str, Sequence[float]],
    temperature: float,
    alpha: float,
) -> tuple[Figure, str]:
    """Draw which way each term of the loss moves the student's logits.

    Parameters
    ----------
    classes : sequence of str
    pulls : mapping of str to sequence of float
        By term, one push for each class; one of the terms is ``"both"``.
    temperature, alpha : float

    Returns
    -------
    figure : Figure
    words : str
        What both together do.
    """
    most = max(3, *(abs(push) for each in pulls.values() for push in each))
    figure = plots.bar_groups(
        classes,
        pulls,
        y_label="push on the student's logit",
        y_range=(-most, most),
        title="The label is cat",
    )
    words = ", ".join(f"{n} {v:+.2f}" for n, v in zip(classes, pulls["both"]))
    at = f"T = {temperature:g}, alpha = {alpha:g}"
    return figure, f"{at}: both together push {words}."


def two_projections(curves: Mapping[str, Sequence[float]]):
    """Show how the loss on hidden states falls, step by step.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        By what was done with the projection.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        range(len(next(iter(curves.values())))),
        curves,
        x_label="step",
        y_label="hidden-state loss",
        title="Two spaces of different width",
    )
    ends = ", ".join(f"{name} {each[-1]:.2f}" for name, each in curves.items())
    return plots.show(figure, alt=f"Both curves fall. After the last step: {ends}.")


def peaks(places: Sequence[float], curves: Mapping[str, Sequence[float]]):
    """Show a teacher of two peaks and the students that were fitted to it.

    Parameters
    ----------
    places : sequence of float
    curves : mapping of str to sequence of float
        By name, the probability of each place.

    Returns
    -------
    IPython.display.Image
    """
    figure = plots.line_chart(
        places,
        curves,
        x_label="place",
        y_label="probability",
        title="Cover everything, or choose",
    )
    return plots.show(
        figure,
        alt="The teacher has two peaks. The student fitted with forward KL is one wide"
        " curve over both; with reverse KL it sits on one peak.",
    )
