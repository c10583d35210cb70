"""Which mistake accumulated gradients make."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ..exercises.answers import call, same
from ..exercises.outcomes import Incorrect
from . import mistakes as known
from .probes import some_logits


def examine_accumulation(answer) -> str:
    """Examine ``f(model, loss_function, parts)``, which leaves gradients."""
    for count in (4, 2):
        _examine_parts(answer, count)
    return "Four small batches have become one large one."


def _squared_error(outputs, targets):
    """Return a mean over the examples that is no cross-entropy."""
    return (outputs - F.one_hot(targets, outputs.shape[1])).pow(2).mean()


def _examine_parts(answer, count: int) -> None:
    inputs, targets = some_logits(8, 3, 5), torch.arange(8) % 2
    model, whole, last = (nn.Linear(3, 2) for _ in range(3))
    for copy in (whole, last):
        copy.load_state_dict(model.state_dict())
    parts = list(zip(inputs.chunk(count), targets.chunk(count)))
    lent = [(x.clone(), y.clone()) for x, y in parts]
    _squared_error(whole(inputs), targets).backward()
    _squared_error(last(parts[-1][0]), parts[-1][1]).backward()
    call(answer, model=model, loss_function=_squared_error, parts=lent)
    if len(lent) != count or not all(
        torch.equal(a, b) for p, q in zip(parts, lent) for a, b in zip(p, q)
    ):
        raise Incorrect(
            "Your function changed the parts, which belong to its caller.",
            look="pop() and operations that end in _",
        )
    for name in ("weight", "bias"):
        _check_part_gradients(name, count, model, whole, last)


def _check_part_gradients(name, count, model, whole, last) -> None:
    learnt, right = getattr(model, name), getattr(whole, name).grad
    only_last = getattr(last, name).grad
    if not same(learnt, getattr(whole, name), 1e-6):
        raise Incorrect(
            "The weights have changed; only their gradients should be filled.",
            look="an optimizer's step(): it belongs behind this function",
        )
    if learnt.grad is None:
        raise Incorrect(
            f"There is no gradient in the model's {name}.",
            look="backward(), for every part",
        )
    got = learnt.grad
    given = f"a gradient {(got.norm() / right.norm()).item():.2f} times as large"
    expected = "that of one batch with all examples"
    if same(got, count * right):
        raise known.describe([known.UNDIVIDED], given, expected)
    if same(got, only_last) or same(got, only_last / count):
        raise known.describe([known.LAST_PART], given, expected)
    if not same(got, right, 1e-3):
        raise Incorrect(
            f"The gradient of the {name} is not that of one large batch.",
            given,
            expected,
            "the mean over all parts, each part once, for every parameter",
        )
