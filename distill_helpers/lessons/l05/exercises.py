"""The exercises of lesson 05: fewer bits, fewer channels."""

from __future__ import annotations

from ..exercises.engine import Exercise, Prediction, Question
from .removal import (
    examine_removal,
    first_ones,
    masked,
    most_important_gone,
    my_removal,
    no_bias,
    second_bias_gone,
    with_helper,
    wrong_columns,
)
from .rounding import (
    all_codes,
    clamped,
    cut_off,
    examine_quantise,
    inverse_scale,
    my_quantise,
    restored,
    unrounded,
    unsigned,
    without_sign,
)
from .sensitivity import (
    all_but_one,
    by_loop,
    error_of_the_weight,
    examine_sensitivities,
    in_place,
    my_sensitivities,
    never_restored,
    not_the_rise,
    turned_round,
)

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
        examine=examine_quantise,
        right=(clamped,),
        wrong=(
            (all_codes, "one step too far"),
            (unsigned, "zero point"),
            (cut_off, "Cut off"),
            (without_sign, "with its sign"),
            (inverse_scale, "upside down"),
            (restored, "after the way back"),
            (unrounded, "Not rounded"),
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
        examine=examine_sensitivities,
        right=(by_loop,),
        wrong=(
            (never_restored, "stay rounded"),
            (in_place, "belong to its caller"),
            (not_the_rise, "These are losses"),
            (turned_round, "sign is turned round"),
            (all_but_one, "all layers but one"),
            (error_of_the_weight, "Not the rise"),
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
        examine=examine_removal,
        right=(with_helper,),
        wrong=(
            (masked, "Nothing was removed"),
            (most_important_gone, "most important units are gone"),
            (first_ones, "whatever their scores"),
            (wrong_columns, "columns of other units"),
            (no_bias, "first layer was lost"),
            (second_bias_gone, "second layer was lost"),
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
            "c": "about twice: rounding saves most where most is multiplied",
        },
        answer="b",
        because={
            "a": "A quarter of what was rounded, and that was a tenth.",
            "b": "0.9 + 0.1 / 4 is left. Look at where the bytes are first.",
            "c": "Bytes are weights on disk, however often they are multiplied.",
        },
    ),
    Question(
        key="05.q_static",
        prompt="**Question 2.** What does static quantisation know that dynamic"
        " quantisation does not?",
        options={
            "a": "which weights matter most, from calibration texts",
            "b": "the ranges of activations, from calibration texts, before it runs",
            "c": "the ranges of the weights, which dynamic finds while it runs",
        },
        answer="b",
        because={
            "a": "That is what pruning asks; calibration looks at activations.",
            "b": "And if those texts are unlike the real ones, it knows them wrongly.",
            "c": "Weights are there beforehand, and both round them then.",
        },
    ),
    Question(
        key="05.q_flops",
        prompt="**Question 3.** A model has half the multiplications of another. Is it"
        " twice as fast?",
        options={
            "a": "yes, if nothing but the model runs on the machine",
            "b": "no: multiplications hardly count on today's processors",
            "c": "at best: what is not multiplication does not shrink with it",
        },
        answer="c",
        because={
            "a": "Even alone it reads memory, starts operators and tokenises.",
            "b": "It may come near, where matrices are large and little else happens.",
            "c": "Count multiplications for the bound, and a clock for the answer.",
        },
    ),
)
