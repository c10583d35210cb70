"""The pictures of lesson 11, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from .. import plots

SIDE = 8  # a digit of the lesson has 8 by 8 pixels


def opening(ours: Mapping[str, Mapping[str, float]]):
    """Show four risks, each as it comes and with the best remedy of the lesson.

    Parameters
    ----------
    ours : mapping of str to mapping of str to float
        ``as it comes`` and ``with a remedy``, each by risk; more is better.

    Returns
    -------
    IPython.display.Image
    """
    risks = list(next(iter(ours.values())))
    figure = plots.bar_groups(
        [risk.replace(" ", "\n", 1) for risk in risks],
        {way: [by[risk] for risk in risks] for way, by in ours.items()},
        y_label="share (1 is best)",
        y_range=(0, 1.25),  # the legend stands above the bars
        title="Four risks, before and after (our run)",
    )
    said = "; ".join(
        f"{risk} " + ", ".join(f"{by[risk]:.2f} {way}" for way, by in ours.items())
        for risk in risks
    )
    return plots.show(figure, alt=f"Bars by risk, more is better: {said}.")


def typos(
    scores: Mapping[str, Mapping[int, float]],
    models: Sequence[str],
    shares: Sequence[float],
):
    """Show each model's accuracy over the share of mistyped words.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        By ``"MODEL, SHARE typos"`` and seed.
    models : sequence of str
    shares : sequence of float

    Returns
    -------
    IPython.display.Image
    """
    lines = {
        model: [_mean(scores[f"{model}, {share:.0%} typos"]) for share in shares]
        for model in models
    }
    figure = plots.line_chart(
        [100 * share for share in shares],
        lines,
        x_label="mistyped words, in percent",
        y_label="share of test texts right",
        title="Typos",
    )
    said = "; ".join(
        f"{model} from {line[0]:.3f} to {line[-1]:.3f}" for model, line in lines.items()
    )
    return plots.show(figure, alt=f"Accuracy falls as more words are mistyped: {said}.")


def two_tasks(upright: torch.Tensor, turned: torch.Tensor, labels: torch.Tensor):
    """Show one digit of each class, as it is and turned.

    Parameters
    ----------
    upright, turned : Tensor, shape (images, 64)
    labels : Tensor of int, shape (images,)

    Returns
    -------
    IPython.display.Image
    """
    rows = [int((labels == digit).nonzero()[0]) for digit in range(10)]
    both = torch.cat([upright[rows], turned[rows]]).view(-1, SIDE, SIDE)
    return plots.show(
        plots.image_grid(list(both), [str(d) for d in range(10)] * 2, columns=10),
        alt="The ten digits in handwriting in two rows: upright, and turned by a"
        " quarter.",
    )


def remembered(found: Mapping[tuple[str, str], Sequence[Sequence[float]]], task: str):
    """Show what each way keeps of the old task, and learns of the new one.

    Parameters
    ----------
    found : mapping of (str, str) to sequence of (float, float)
        By pair of tasks and way: accuracy on the old and on the new task, a pair for
        each seed.
    task : str
        Which pair of tasks.

    Returns
    -------
    IPython.display.Image
    """
    means = {
        way: np.mean(two, axis=0) for (name, way), two in found.items() if name == task
    }
    figure = plots.bar_groups(
        [way.replace(" ", "\n", 1) for way in means],
        {
            "old task": [float(old) for old, _ in means.values()],
            "new task": [float(new) for _, new in means.values()],
        },
        y_label="share of images right",
        y_range=(0, 1.3),  # the legend stands above the bars
        title=f"What is kept, and what is learnt: {task}",
    )
    said = "; ".join(
        f"{way} {old:.2f} and {new:.2f}" for way, (old, new) in means.items()
    )
    return plots.show(figure, alt=f"Right on the old and on the new task: {said}.")


def _mean(by_seed: Mapping[int, float]) -> float:
    return float(np.mean(list(by_seed.values())))


def private(scores: Mapping[str, Mapping[int, float]], epsilons: Sequence[float]):
    """Show what privacy costs, by what is learnt privately.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        Accuracy by ``"epsilon E"`` and ``"not private"``, both also with ``", words"``.
    epsilons : sequence of float

    Returns
    -------
    IPython.display.Image
    """
    names = [f"epsilon {epsilon:g}" for epsilon in sorted(epsilons)] + ["not private"]
    bars = {
        "topics of public reviews": [_mean(scores[name]) for name in names],
        "hashed words": [_mean(scores[f"{name}, words"]) for name in names],
    }
    figure = plots.bar_groups(
        names,
        bars,
        y_label="share of test texts right",
        y_range=(0, 1.1),
        title="What privacy costs",
    )
    said = "; ".join(
        f"{how} "
        + ", ".join(f"{value:.2f} {name}" for name, value in zip(names, found))
        for how, found in bars.items()
    )
    return plots.show(figure, alt=f"Accuracy by budget: {said}.")


def flips(found: Mapping[str, Mapping[int, float]]):
    """Show on how many texts an answer turns when the persons are swapped.

    Parameters
    ----------
    found : mapping of str to mapping of int to float
        Shares by model and seed.

    Returns
    -------
    IPython.display.Image
    """
    means = {name: 100 * _mean(by_seed) for name, by_seed in found.items()}
    figure = plots.bar_groups(
        [name.replace(" ", "\n", 1) for name in means],
        {"turned": list(means.values())},
        y_label="answers that turn, in percent",
        title="He for she, she for he",
    )
    said = ", ".join(f"{name} {value:.1f}%" for name, value in means.items())
    return plots.show(
        figure, alt=f"Answers that turn when persons are swapped: {said}."
    )
