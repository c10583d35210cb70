"""The exercises of lesson 05: fewer bits, fewer channels."""

from __future__ import annotations

import math

import torch
from torch import nn

from .exercise import Exercise, Incorrect, Prediction, Question, call, settle


# ---------------------------------------------------------------- quantise
def my_quantise(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.abs().max() / most
    return (values / scale).round(), scale


def _clamped(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.abs().max() / most
    return (values / scale).round().clamp(-most, most).to(torch.int8), float(scale)


def _all_codes(values, bits):
    scale = values.abs().max() / 2 ** (bits - 1)
    return (values / scale).round(), scale


def _unsigned(values, bits):
    scale = (values.max() - values.min()) / (2**bits - 1)
    return ((values - values.min()) / scale).round(), scale


def _cut_off(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.abs().max() / most
    return (values / scale).trunc(), scale


def _without_sign(values, bits):
    most = 2 ** (bits - 1) - 1
    scale = values.max() / most
    return (values / scale).round(), scale


def _inverse_scale(values, bits):
    numbers, scale = my_quantise(values, bits)
    return numbers, 1 / scale


def _restored(values, bits):
    numbers, scale = my_quantise(values, bits)
    return numbers * scale, scale


def _unrounded(values, bits):
    scale = values.abs().max() / (2 ** (bits - 1) - 1)
    return values / scale, scale


def _examine_quantise(answer) -> str:
    cases = (
        (torch.tensor([0.30, -1.27, 0.66, 0.02, 1.00]), 8),
        (torch.tensor([0.31, -0.70, 0.66, 0.05, 0.49]), 4),
    )
    for values, bits in cases:
        got = _pair(call(answer, values=values, bits=bits))
        known = {
            "Not rounded: these are still fractions.": (
                _unrounded,
                "round(), after the division",
            ),
            "Cut off instead of rounded: every error leans towards 0.": (
                _cut_off,
                "round(), not int() or trunc()",
            ),
            "The scale takes the largest value with its sign; the largest"
            " magnitude may be negative.": (_without_sign, "abs() before max()"),
            "The grid reaches one step too far: of 256 codes a symmetric grid uses"
            " 255, so that 0 stays 0 and both sides are alike.": (
                _all_codes,
                "2 ** (bits - 1) - 1",
            ),
            "That is the grid from the smallest to the largest value. It is in use,"
            " but it needs a zero point too; here a symmetric one is asked for.": (
                _unsigned,
                "one scale, from the largest magnitude",
            ),
            "The scale is upside down: whole number times scale gives the value.": (
                _inverse_scale,
                "the division",
            ),
            "These are the values after the way back; the whole numbers are wanted.": (
                _restored,
                "what is returned",
            ),
        }
        settle(
            got,
            my_quantise(values, bits),
            {what: (f(values, bits), look) for what, (f, look) in known.items()},
            ("Not the numbers of a symmetric grid.", "one value, by hand"),
            equal=_same_pair,
            shown=_shown_pair,
        )
    return "A byte each instead of four, and one scale for all of them."


def _pair(got) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        numbers, scale = got
        return torch.as_tensor(numbers).double(), torch.as_tensor(scale).double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise Incorrect(
            "Two things are wanted: the whole numbers and their scale.",
            type(got).__name__,
            "numbers, scale",
        ) from error


def _same_pair(got, expected) -> bool:
    pairs = [
        (torch.as_tensor(a).double(), torch.as_tensor(b).double())
        for a, b in zip(got, expected)
    ]
    return all(
        a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-6)
        for a, b in pairs
    )


def _shown_pair(pair) -> str:
    numbers, scale = (torch.as_tensor(part).double() for part in pair)
    listed = [round(v, 3) for v in numbers.flatten().tolist()]
    scales = [round(v, 5) for v in scale.flatten().tolist()]
    return f"{listed} with scale {', '.join(map(str, scales))}"


# ------------------------------------------------------------- sensitivity
def my_sensitivities(weights, loss_of, rounded):
    before = loss_of(weights)
    return {
        name: loss_of({**weights, name: rounded(weights[name])}) - before
        for name in weights
    }


def _by_loop(weights, loss_of, rounded):
    rises = {}
    for name, value in weights.items():
        tried = dict(weights)
        tried[name] = rounded(value)
        rises[name] = loss_of(tried) - loss_of(weights)
    return rises


def _never_restored(weights, loss_of, rounded):
    before, tried, rises = loss_of(weights), dict(weights), {}
    for name in weights:
        tried[name] = rounded(tried[name])
        rises[name] = loss_of(tried) - before
    return rises


def _in_place(weights, loss_of, rounded):
    before, rises = loss_of(weights), {}
    for name in weights:
        kept, weights[name] = weights[name], rounded(weights[name])
        rises[name] = loss_of(weights) - before
        weights[name] = kept * 1.01
    return rises


def _not_the_rise(weights, loss_of, rounded):
    return {
        name: loss_of({**weights, name: rounded(weights[name])}) for name in weights
    }


def _turned_round(weights, loss_of, rounded):
    return {n: -v for n, v in my_sensitivities(weights, loss_of, rounded).items()}


def _all_but_one(weights, loss_of, rounded):
    before, rises = loss_of(weights), {}
    for name in weights:
        tried = {n: v if n == name else rounded(v) for n, v in weights.items()}
        rises[name] = loss_of(tried) - before
    return rises


def _error_of_the_weight(weights, loss_of, rounded):
    return {n: float((rounded(v) - v).norm()) for n, v in weights.items()}


def _examine_sensitivities(answer) -> str:
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
            _never_restored,
            "begin each time from the unrounded weights",
        ),
        "These are losses; the rise over the unrounded model is wanted.": (
            _not_the_rise,
            "subtract loss_of(weights)",
        ),
        "The sign is turned round: a rise is the loss afterwards minus the loss"
        " before.": (_turned_round, "the subtraction"),
        "Here all layers but one are rounded; the question is what one alone does.": (
            _all_but_one,
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


# ----------------------------------------------------------------- removal
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


def _with_helper(first, second, scores, share):
    from transformers.pytorch_utils import prune_linear_layer

    gone = int(share * len(scores))
    kept = scores.argsort()[gone:].sort().values
    with torch.no_grad():
        return prune_linear_layer(first, kept), prune_linear_layer(second, kept, 1)


def _masked(first, second, scores, share):
    import copy

    first, second = copy.deepcopy(first), copy.deepcopy(second)
    with torch.no_grad():
        first.weight[scores.argsort()[: int(share * len(scores))]] = 0
    return first, second


def _most_important_gone(first, second, scores, share):
    return my_removal(first, second, -scores, share)


def _first_ones(first, second, scores, share):
    order = torch.arange(len(scores), 0, -1, dtype=torch.float)
    return my_removal(first, second, order, share)


def _wrong_columns(first, second, scores, share):
    narrow, after = my_removal(first, second, scores, share)
    with torch.no_grad():
        after.weight.copy_(second.weight[:, : narrow.out_features])
    return narrow, after


def _no_bias(first, second, scores, share):
    narrow, after = my_removal(first, second, scores, share)
    with torch.no_grad():
        narrow.bias.zero_()
    return narrow, after


def _second_bias_gone(first, second, scores, share):
    narrow, after = my_removal(first, second, scores, share)
    with torch.no_grad():
        after.bias.zero_()
    return narrow, after


def _examine_removal(answer) -> str:
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
            _most_important_gone,
            "the order: topk gives the largest scores",
        ),
        "The first units were kept, whatever their scores.": (
            _first_ones,
            "the scores",
        ),
        "The second layer reads the columns of other units.": (
            _wrong_columns,
            "second.weight[:, kept]",
        ),
        "The bias of the first layer was lost.": (_no_bias, "first.bias[kept]"),
        "The bias of the second layer was lost.": (
            _second_bias_gone,
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


ENTRIES = (
    Exercise(
        key="05.quantise",
        prompt="**Exercise.** Write `my_quantise(values, bits)`: the whole numbers of a"
        " symmetric grid and its scale, so that number times scale is near the value."
        " The largest magnitude becomes the largest whole number, 127 for 8 bits.",
        hints=(
            "With b bits the whole numbers go from -(2 ** (b - 1) - 1) to the same"
            " above 0.",
            "scale = values.abs().max() / most; then divide by it and round.",
        ),
        solution=my_quantise,
        why="That is all of INT8: everything else is about where the scales come from.",
        examine=_examine_quantise,
        right=(_clamped,),
        wrong=(
            (_all_codes, "one step too far"),
            (_unsigned, "zero point"),
            (_cut_off, "Cut off"),
            (_without_sign, "with its sign"),
            (_inverse_scale, "upside down"),
            (_restored, "after the way back"),
            (_unrounded, "Not rounded"),
            (lambda values, bits: values, "Two things"),
            (lambda values, bits: (values * 0, 1.0), "Not the numbers"),
        ),
    ),
    Prediction(
        key="05.predict_size",
        prompt="**Predict.** How many MB will the transformer's file have after dynamic"
        " INT8? You know its size in floating point, and where its bytes are.",
        unit=" MB",
        allowed=(0.0, 500.0),
        close=0.2,
        why="A quarter of the weights' bytes, and what cannot be rounded: biases,"
        " norms, scales, and the graph itself, which weighs in a small model.",
        example=2,
        hints=(
            "A byte instead of four, for whatever is rounded.",
            "What is left as it was? The cell above lists the operators.",
        ),
    ),
    Exercise(
        key="05.sensitivities",
        prompt="**Exercise.** Write `my_sensitivities(weights, loss_of, rounded)`: for"
        " every layer, by how much the loss rises if this layer *alone* is rounded."
        " `weights` is a dict of tensors, `loss_of` takes such a dict and returns a"
        " number, `rounded` rounds one tensor.",
        hints=(
            "Begin every time with the unrounded weights; {**weights, name: ...} is a"
            " copy with one of them changed.",
            "The rise is the loss with that layer rounded minus loss_of(weights).",
        ),
        solution=my_sensitivities,
        why="Layers that hardly matter can have few bits, and the others more.",
        examine=_examine_sensitivities,
        right=(_by_loop,),
        wrong=(
            (_never_restored, "stay rounded"),
            (_in_place, "belong to its caller"),
            (_not_the_rise, "These are losses"),
            (_turned_round, "sign is turned round"),
            (_all_but_one, "all layers but one"),
            (_error_of_the_weight, "Not the rise"),
            (lambda weights, loss_of, rounded: 3, "A rise for every layer"),
        ),
    ),
    Exercise(
        key="05.removal",
        prompt="**Exercise.** Write `my_removal(first, second, scores, share)`: two new"
        " layers without the least important units between them. `first` and `second`"
        " are `nn.Linear` layers with a ReLU in between, `scores` has one number for"
        " each unit, and `share` of the units, rounded down, shall go.",
        hints=(
            "kept = scores.topk(left).indices.sort().values are the units that stay.",
            "A unit is a row (and a bias) of the first layer and a column of the"
            " second.",
        ),
        solution=my_removal,
        why="A mask would have kept both matrices as large as they were.",
        examine=_examine_removal,
        right=(_with_helper,),
        wrong=(
            (_masked, "Nothing was removed"),
            (_most_important_gone, "most important units are gone"),
            (_first_ones, "whatever their scores"),
            (_wrong_columns, "columns of other units"),
            (_no_bias, "first layer was lost"),
            (_second_bias_gone, "second layer was lost"),
            (lambda first, second, scores, share: first, "Two layers"),
            (
                lambda first, second, scores, share: my_removal(
                    first, second, scores, 0.6
                ),
                "6 stay",
            ),
        ),
    ),
    Question(
        key="05.q_embedding",
        prompt="**Question 1.** A small encoder is 90% embedding. Its linear layers"
        " are rounded to INT8 and nothing else. How much smaller is its file?",
        options={
            "a": "four times: INT8 has a quarter of the bytes",
            "b": "about 1.1 times: only a tenth of it shrank",
            "c": "not at all: files do not change",
        },
        answer="b",
        because={
            "a": "A quarter of what was rounded, and that was a tenth.",
            "b": "0.9 + 0.1 / 4 is left. Look at where the bytes are first.",
            "c": "The linear layers did shrink; there was just little of them.",
        },
    ),
    Question(
        key="05.q_static",
        prompt="**Question 2.** What does static quantisation know that dynamic"
        " quantisation does not?",
        options={
            "a": "the labels",
            "b": "the ranges of activations, from calibration texts, before it runs",
            "c": "the teacher",
        },
        answer="b",
        because={
            "a": "Calibration reads texts; nobody asks for their labels.",
            "b": "And if those texts are unlike the real ones, it knows them wrongly.",
            "c": "Neither does, unless the student trains with rounded weights.",
        },
    ),
    Question(
        key="05.q_flops",
        prompt="**Question 3.** A model has half the multiplications of another. Is it"
        " twice as fast?",
        options={
            "a": "yes, time is multiplications",
            "b": "no, never",
            "c": "at best: what is not multiplication does not shrink with it",
        },
        answer="c",
        because={
            "a": "Reading memory, starting kernels and tokenising take time too.",
            "b": "It may come near, where matrices are large and little else happens.",
            "c": "Count multiplications for the bound, and a clock for the answer.",
        },
    ),
)
