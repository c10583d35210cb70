"""Which mistake is made in the diagonal of a Fisher information."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.nn import functional as F

from ..exercises.answers import call
from ..exercises.outcomes import Incorrect
from . import mistakes_of_trust as known
from .mistakes import describe
from .probes import name_mistakes


def examine_fisher(answer) -> str:
    """Examine ``f(weight, inputs, labels, draw)`` for logits ``inputs @ weight.T``.

    The mean over the inputs of the squared gradient of the log-probability of a label
    that ``draw(probabilities)`` drew.
    """
    found = [_ask(answer, *shape) for shape in ((30, 4, 3, 1), (17, 3, 5, 2))]
    values = [value for value, _ in found]
    lists = [list(_candidates(*probe)) for _, probe in found]
    mistakes = name_mistakes(values, lists)
    if mistakes:
        raise describe(mistakes, _shown(values[0]), _shown(lists[0][0][1]))
    if mistakes is None:
        raise Incorrect(
            "That is not the diagonal of the Fisher information.",
            _shown(values[0]),
            _shown(lists[0][0][1]),
            "one input: the gradient of log_softmax(logits)[label] with respect to"
            " weight, each entry squared",
        )
    return "What the model itself believes says which weights it depends on."


def _ask(answer, rows, features, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, features, generator=generator)
    inputs = torch.randn(rows, features, generator=generator)
    labels = torch.randint(classes, (rows,), generator=generator)
    calls = []

    def draw(probabilities):
        probabilities = torch.as_tensor(probabilities).detach().reshape(-1, classes)
        drawn = torch.multinomial(probabilities, 1, generator=generator).flatten()
        calls.append(drawn)
        return drawn

    value = call(answer, weight=weight, inputs=inputs, labels=labels, draw=draw)
    if not isinstance(value, torch.Tensor) or value.shape != weight.shape:
        raise Incorrect(
            "Your function must return a number for each weight.",
            given=str(tuple(getattr(value, "shape", ()))),
            expected=f"a tensor of shape {tuple(weight.shape)}",
            look="its last line: return",
        )
    drawn = torch.cat(calls) if calls else torch.zeros(0, dtype=torch.long)
    if calls and len(drawn) != rows:
        raise Incorrect(
            "draw must be asked for one label of each input.",
            f"{len(drawn)} labels",
            f"{rows} labels",
            "draw(logits.softmax(-1)) with a row for each input",
        )
    return value.detach(), (weight, inputs, labels, drawn)


def _candidates(weight, inputs, labels, drawn) -> Iterator[tuple[tuple, torch.Tensor]]:
    probabilities = (inputs @ weight.T).softmax(-1)
    likeliest = probabilities.argmax(-1)
    if not len(drawn):
        drawn = torch.full_like(likeliest, -1)  # nobody asked for these
    sources = {
        (): drawn,
        (known.TRUE_LABELS,): labels,
        (known.LIKELIEST_LABELS,): likeliest,
    }
    for of_labels, chosen in sources.items():
        if (chosen < 0).any():
            yield of_labels, torch.full_like(weight, torch.nan)
            continue
        slopes = F.one_hot(chosen, len(weight)) - probabilities
        each = slopes[:, :, None] * inputs[:, None, :]
        ways = {
            (): each.square().mean(0),
            (known.BATCH_SQUARED,): each.mean(0).square(),
            (known.SUM_OF_SQUARES,): each.square().sum(0),
            (known.BATCH_SQUARED, known.SUM_OF_SQUARES): each.sum(0).square(),
            (known.NOT_SQUARED,): each.abs().mean(0),
        }
        for of_way, value in ways.items():
            yield of_labels + of_way, value


def _shown(value: torch.Tensor) -> str:
    return str([round(number, 3) for number in value.flatten().tolist()[:4]]) + " ..."
