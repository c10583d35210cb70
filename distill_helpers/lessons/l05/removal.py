"""Lesson 05: the answers to removing channels, right and wrong."""

from __future__ import annotations

import torch
from torch import nn

from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect


def my_removal(first, second, scores, share):
    left = len(scores) - int(share * len(scores))
    kept = scores.topk(left).indices.sort().values
    narrow = nn.Linear(first.in_features, left)
    after = nn.Linear(left, second.out_features)
    with torch.no_grad():
        narrow.weight.copy_(first.weight[kept])
        narrow.bias.copy_(first.bias[kept])
        after.weight.copy_(second.weight[:, kept])
        after.bias.copy_(second.bias)
    return narrow, after


def with_helper(first, second, scores, share):
    from transformers.pytorch_utils import prune_linear_layer

    gone = int(share * len(scores))
    kept = scores.argsort()[gone:].sort().values
    with torch.no_grad():
        return prune_linear_layer(first, kept), prune_linear_layer(second, kept, 1)


def masked(first, second, scores, share):
    import copy

    first, second = copy.deepcopy(first), copy.deepcopy(second)
    with torch.no_grad():
        first.weight[scores.argsort()[: int(share * len(scores))]] = 0
    return first, second


def most_important_gone(first, second, scores, share):
    return my_removal(first, second, -scores, share)


def first_ones(first, second, scores, share):
    order = torch.arange(len(scores), 0, -1, dtype=torch.float)
    return my_removal(first, second, order, share)


def wrong_columns(first, second, scores, share):
    narrow, after = my_removal(first, second, scores, share)
    with torch.no_grad():
        after.weight.copy_(second.weight[:, : narrow.out_features])
    return narrow, after


def no_bias(first, second, scores, share):
    narrow, after = my_removal(first, second, scores, share)
    with torch.no_grad():
        narrow.bias.zero_()
    return narrow, after


def second_bias_gone(first, second, scores, share):
    narrow, after = my_removal(first, second, scores, share)
    with torch.no_grad():
        after.bias.zero_()
    return narrow, after


def examine_removal(answer) -> str:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        first, second = nn.Linear(5, 8), nn.Linear(8, 3)
        x = torch.randn(7, 5)
    scores = torch.tensor([0.3, 2.0, 0.1, 1.5, 0.9, 0.2, 1.1, 0.8])
    before = [p.detach().clone() for p in (*first.parameters(), *second.parameters())]
    given = {"first": first, "second": second, "scores": scores, "share": 0.3}
    got = call(answer, **given)
    if not (isinstance(got, tuple) and len(got) == 2):
        raise Incorrect("Two layers are wanted.", type(got).__name__, "first, second")
    now = (*first.parameters(), *second.parameters())
    if any(a.shape != b.shape or not a.equal(b) for a, b in zip(before, now)):
        raise Incorrect(
            "Your function changed the layers that it was given.",
            look="new layers, filled from the old ones",
        )
    sizes = [tuple(layer.weight.shape) for layer in got]
    if sizes == [(8, 5), (3, 8)]:
        raise Incorrect(
            "Nothing was removed: zeros take as much room and time as other numbers.",
            str(sizes),
            "[(6, 5), (3, 6)]",
            "smaller layers: nn.Linear(in, out) with fewer units",
        )
    if sizes != [(6, 5), (3, 6)]:
        raise Incorrect(
            "Rows of the first layer and columns of the second belong together; of 8"
            " units and a share of 0.3, rounded down, 6 stay.",
            str(sizes),
            "[(6, 5), (3, 6)]",
            "first.weight[kept] and second.weight[:, kept]",
        )

    def through(layers):
        return layers[1](layers[0](x).relu())

    known = {
        "The most important units are gone.": (
            most_important_gone,
            "the order: topk gives the largest scores",
        ),
        "The first units were kept, whatever their scores.": (
            first_ones,
            "the scores",
        ),
        "The second layer reads the columns of other units.": (
            wrong_columns,
            "second.weight[:, kept]",
        ),
        "The bias of the first layer was lost.": (no_bias, "first.bias[kept]"),
        "The bias of the second layer was lost.": (
            second_bias_gone,
            "second.bias, which stays as it is",
        ),
    }
    settle(
        through(got),
        through(my_removal(**given)),
        {what: (through(f(**given)), look) for what, (f, look) in known.items()},
        ("Not what the remaining units give.", "weights and biases of both layers"),
        shown=lambda y: str([round(v, 3) for v in y[0].tolist()]),
    )
    return "Fewer rows here, fewer columns there: less to store and less to multiply."
