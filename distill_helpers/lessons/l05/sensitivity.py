"""Lesson 05: the answers to which layer suffers, right and wrong."""

from __future__ import annotations

import math

import torch

from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect


def my_sensitivities(weights, loss_of, rounded):
    before = loss_of(weights)
    return {
        name: loss_of({**weights, name: rounded(weights[name])}) - before
        for name in weights
    }


def by_loop(weights, loss_of, rounded):
    rises = {}
    for name, value in weights.items():
        tried = dict(weights)
        tried[name] = rounded(value)
        rises[name] = loss_of(tried) - loss_of(weights)
    return rises


def never_restored(weights, loss_of, rounded):
    before, tried, rises = loss_of(weights), dict(weights), {}
    for name in weights:
        tried[name] = rounded(tried[name])
        rises[name] = loss_of(tried) - before
    return rises


def in_place(weights, loss_of, rounded):
    before, rises = loss_of(weights), {}
    for name in weights:
        kept, weights[name] = weights[name], rounded(weights[name])
        rises[name] = loss_of(weights) - before
        weights[name] = kept * 1.01
    return rises


def not_the_rise(weights, loss_of, rounded):
    return {
        name: loss_of({**weights, name: rounded(weights[name])}) for name in weights
    }


def turned_round(weights, loss_of, rounded):
    return {n: -v for n, v in my_sensitivities(weights, loss_of, rounded).items()}


def all_but_one(weights, loss_of, rounded):
    before, rises = loss_of(weights), {}
    for name in weights:
        tried = {n: v if n == name else rounded(v) for n, v in weights.items()}
        rises[name] = loss_of(tried) - before
    return rises


def error_of_the_weight(weights, loss_of, rounded):
    return {n: float((rounded(v) - v).norm()) for n, v in weights.items()}


def examine_sensitivities(answer) -> str:
    pull = {"embedding": 9.0, "first": 0.5, "last": 3.0}

    def loss_of(weights):
        return 0.4 + sum(
            pull[name] * float((value - 0.3).pow(2).sum())
            for name, value in weights.items()
        )

    def given():
        return {
            "weights": {
                "embedding": torch.tensor([0.35, 0.22]),
                "first": torch.tensor([0.8, 0.35, 0.1]),
                "last": torch.tensor([0.30, 0.45]),
            },
            "loss_of": loss_of,
            "rounded": torch.round,
        }

    handed = given()
    got = call(answer, **handed)
    wanted = f"a dict from {', '.join(map(repr, pull))} to a number"
    try:
        got = {name: float(value) for name, value in dict(got).items()}
    except (TypeError, ValueError) as error:
        raise Incorrect(
            "A rise for every layer is wanted.", repr(got), wanted
        ) from error
    untouched = all(
        torch.equal(handed["weights"][name], value)
        for name, value in given()["weights"].items()
    )
    if not untouched:
        raise Incorrect(
            "Your function changed weights, which belong to its caller.",
            look="a copy: {**weights, name: ...} or dict(weights)",
        )
    known = {
        "The layers rounded before stay rounded: each rise is that of all so far.": (
            never_restored,
            "begin each time from the unrounded weights",
        ),
        "These are losses; the rise over the unrounded model is wanted.": (
            not_the_rise,
            "subtract loss_of(weights)",
        ),
        "The sign is turned round: a rise is the loss afterwards minus the loss"
        " before.": (turned_round, "the subtraction"),
        "Here all layers but one are rounded; the question is what one alone does.": (
            all_but_one,
            "which of them is rounded",
        ),
    }
    settle(
        got,
        my_sensitivities(**given()),
        {what: (f(**given()), look) for what, (f, look) in known.items()},
        (
            "Not the rise of the loss. (How far a weight moves is not what the loss"
            " feels.)",
            f"for each layer loss_of(...) twice; {wanted}",
        ),
        equal=_same_numbers,
        shown=lambda d: str({name: round(value, 3) for name, value in d.items()}),
    )
    return "The layer that moves most need not be the one that matters most."


def _same_numbers(got: dict, expected: dict) -> bool:
    return set(got) == set(expected) and all(
        math.isclose(got[name], expected[name], rel_tol=1e-4, abs_tol=1e-6)
        for name in expected
    )
