"""The exercises of lesson 06: from the notebook to the edge."""

from __future__ import annotations

import math

import numpy as np

from ..exercises.answers import call, settle
from ..exercises.engine import Exercise, Prediction, Question
from ..exercises.outcomes import Incorrect


# ----------------------------------------------------------------- swapped
def my_is_swapped(run, input_ids, attention_mask, expected):
    straight = np.abs(run(input_ids, attention_mask) - expected).max()
    crossed = np.abs(run(attention_mask, input_ids) - expected).max()
    return bool(straight > 1e-3 and crossed <= 1e-3)


def _by_allclose(run, input_ids, attention_mask, expected):
    if np.allclose(run(input_ids, attention_mask), expected, atol=1e-4):
        return False
    return np.allclose(run(attention_mask, input_ids), expected, atol=1e-4)


def _any_difference(run, input_ids, attention_mask, expected):
    return bool(np.abs(run(input_ids, attention_mask) - expected).max() > 1e-3)


def _by_label(run, input_ids, attention_mask, expected):
    got = run(input_ids, attention_mask).argmax(1)
    return bool((got != expected.argmax(1)).any())


def _turned_round(run, input_ids, attention_mask, expected):
    return not my_is_swapped(run, input_ids, attention_mask, expected)


def _shape_only(run, input_ids, attention_mask, expected):
    return run(input_ids, attention_mask).shape != expected.shape


def _toy(first, second):
    """Logits that tell which of two inputs is which."""
    score = (first * second).sum(1) - 3.0 * second.sum(1)
    return np.stack([-score, score], axis=1) / 10


def _lenient(first, second):
    """The same, so sure of one label that nothing turns it."""
    return _toy(first, second) / 50 + np.array([-9.0, 9.0])


_FILES = (  # what it was made of, the file, whether its inputs are swapped
    (_toy, _toy, False),
    (_toy, lambda a, b: _toy(b, a), True),
    (_toy, lambda a, b: _toy(a, b) + np.array([0.5, -0.5]), False),
    (_lenient, lambda a, b: _lenient(b, a), True),
)


def _asked_of_all(answer, checked: bool = False) -> tuple:
    ids = np.array([[5.0, 7, 2, 9], [4, 8, 6, 3]])
    mask = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    found = []
    for source, run, _ in _FILES:
        given = {
            "run": run,
            "input_ids": ids,
            "attention_mask": mask,
            "expected": source(ids, mask),
        }
        got = call(answer, **given) if checked else answer(**given)
        if not isinstance(got, (bool, np.bool_)):
            raise Incorrect("True or False is wanted.", repr(got))
        found.append(bool(got))
    return tuple(found)


def _examine_swapped(answer) -> str:
    known = {
        "Different, but not swapped: one file is wrong in another way, which the"
        " crossed order would not cure.": (
            _any_difference,
            "run it with the two inputs crossed, and see whether that is right",
        ),
        "The labels alone do not tell: logits may be far off and the label the same.": (
            _by_label,
            "compare logits, not their argmax",
        ),
        "Turned round: True is for a swapped file.": (_turned_round, "the return"),
        "The shape is the same either way.": (_shape_only, "the values"),
    }
    settle(
        _asked_of_all(answer, checked=True),
        tuple(swapped for *_, swapped in _FILES),
        {what: (_asked_of_all(f), look) for what, (f, look) in known.items()},
        (
            "Not right for every file.",
            "a good file, a swapped one, one that is wrong otherwise, and a swapped"
            " one that is too sure to change its label",
        ),
        equal=lambda a, b: a == b,
    )
    return "Nothing raises when two inputs of one shape are swapped. Logits tell."


# --------------------------------------------------------------- threshold
def my_threshold(confidence, device_right, larger_right, within):
    order = sorted(range(len(confidence)), key=lambda i: -confidence[i])
    best, lost = 1.0, 0
    for place, i in enumerate(order):
        lost += int(larger_right[i]) - int(device_right[i])
        last = place + 1 == len(order) or confidence[order[place + 1]] < confidence[i]
        if last and lost <= within * len(order) + 1e-9:
            best = confidence[i]
    return best


def _by_trying(confidence, device_right, larger_right, within):
    confidence = np.asarray(confidence)
    wanted = np.mean(larger_right) - within
    good = [
        t
        for t in set(confidence.tolist())
        if np.where(confidence >= t, device_right, larger_right).mean() >= wanted - 1e-9
    ]
    return min(good, default=1.0)


def _highest(confidence, device_right, larger_right, within):
    return max(confidence)


def _device_alone(confidence, device_right, larger_right, within):
    confidence = np.asarray(confidence)
    good = [
        t
        for t in set(confidence.tolist())
        if np.mean(np.asarray(device_right)[confidence >= t])
        >= np.mean(larger_right) - within
    ]
    return min(good, default=1.0)


def _ignores_within(confidence, device_right, larger_right, within):
    return _by_trying(confidence, device_right, larger_right, 0.0)


def _everything(confidence, device_right, larger_right, within):
    return 0.0


def _examine_threshold(answer) -> str:
    rng = np.random.default_rng(2)
    confidence = np.round(0.5 + 0.5 * rng.random(40), 3)
    device = rng.random(40) < confidence - 0.1
    larger = rng.random(40) < 0.9
    cases = (
        (confidence.tolist(), device.tolist(), larger.tolist(), 0.05),
        ([0.99, 0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1, 0], [1, 1, 1, 1, 1], 0.2),
    )
    for case in cases:
        given = dict(
            zip(("confidence", "device_right", "larger_right", "within"), case)
        )
        got = call(answer, **given)
        try:
            got = float(got)
        except (TypeError, ValueError) as error:
            raise Incorrect("One number is wanted.", repr(got)) from error
        known = {
            "That asks the device's own accuracy on what it answers. What counts is"
            " the whole: its answers and, for the rest, those of the larger model.": (
                _device_alone,
                "np.where(confidence >= t, device_right, larger_right).mean()",
            ),
            "As good as the larger model, but it may be worse by `within`.": (
                _ignores_within,
                "within",
            ),
            "At this threshold the device answers hardly anything; the lowest one"
            " that is good enough is wanted.": (_highest, "min, not max"),
            "At 0 the device answers everything, right or wrong.": (
                _everything,
                "the accuracy of the whole at that threshold",
            ),
        }
        settle(
            got,
            my_threshold(**given),
            {what: (f(**given), look) for what, (f, look) in known.items()},
            ("Not the lowest threshold that is good enough.", "one case, by hand"),
            equal=lambda a, b: math.isclose(a, b, abs_tol=1e-6),
            shown="{:.3f}".format,
        )
    return "Chosen on validation, judged on test: the threshold is a guess as well."


# --------------------------------------------------------------------- cut
def my_cut(ids, before, after, most):
    room = most - len(before) - len(after)
    return before + ids[:room] + after


def _by_steps(ids, before, after, most):
    whole = list(ids)
    while len(before) + len(whole) + len(after) > most:
        whole.pop()
    return [*before, *whole, *after]


def _eats_the_last(ids, before, after, most):
    return (before + ids + after)[:most]


def _forgets_the_room(ids, before, after, most):
    return before + ids[:most] + after


def _only_one_side(ids, before, after, most):
    return before + ids[: most - len(before)]


def _keeps_the_end(ids, before, after, most):
    room = most - len(before) - len(after)
    return before + ids[-room:] + after


def _examine_cut(answer) -> str:
    cases = (
        (list(range(10, 14)), [2], [3], 8),
        (list(range(10, 30)), [2], [3], 8),
        (list(range(10, 16)), [2], [3], 8),
        (list(range(10, 40)), [], [], 12),
    )
    for ids, before, after, most in cases:
        given = {
            "ids": list(ids),
            "before": list(before),
            "after": list(after),
            "most": most,
        }
        got = call(answer, **given)
        try:
            got = [int(i) for i in got]
        except (TypeError, ValueError) as error:
            raise Incorrect("A list of token ids is wanted.", repr(got)) from error
        known = {
            "The last token is gone: the special token that ends a text was cut off"
            " with the rest.": (_eats_the_last, "cut the ids first, then add `after`"),
            "Longer than the model can read.": (
                _forgets_the_room,
                "the room that before and after take",
            ),
            "What stands after a text is missing.": (_only_one_side, "after"),
            "The beginning is to be kept here, not the end.": (
                _keeps_the_end,
                "ids[:room]",
            ),
        }
        fresh = dict(ids=ids, before=before, after=after, most=most)
        settle(
            got,
            my_cut(**fresh),
            {what: (f(**fresh), look) for what, (f, look) in known.items()},
            ("Not what the model should read.", f"{len(ids)} ids, at most {most}"),
            equal=lambda a, b: a == b,
        )
    return "A text that is longer than the model reads belongs into every test."


ENTRIES = (
    Exercise(
        key="06.swapped",
        prompt="**Exercise.** Write `my_is_swapped(run, input_ids, attention_mask,"
        " expected)`: True if a file has its two inputs swapped. `run` takes the two"
        " inputs in that order and returns logits; `expected` are the logits of the"
        " model it was made of.",
        hints=(
            "A swapped file is wrong in the usual order and right in the other.",
            "np.abs(run(a, b) - expected).max() is the largest difference.",
        ),
        solution=my_is_swapped,
        why="Both inputs have one shape and one type, so nothing complains. An exporter"
        " has done this without a word.",
        examine=_examine_swapped,
        right=(_by_allclose,),
        wrong=(
            (_any_difference, "wrong in another way"),
            (_by_label, "labels alone"),
            (_turned_round, "Turned round"),
            (_shape_only, "shape is the same"),
            (lambda run, input_ids, attention_mask, expected: "yes", "True or False"),
            (lambda run, input_ids, attention_mask, expected: True, "Not right for"),
        ),
    ),
    Exercise(
        key="06.cut",
        prompt="**Exercise.** Write `my_cut(ids, before, after, most)`: the token ids"
        " that a model reads, at most `most` of them: the special tokens `before`, the"
        " beginning of the text's `ids`, the special tokens `after`. All are lists.",
        hints=(
            "How much room is left once the special tokens have theirs?",
            "Cut the ids to that room, and put the rest around them afterwards.",
        ),
        solution=my_cut,
        why="A tokeniser for pages cut the final token off every long text; short ones"
        " showed nothing.",
        examine=_examine_cut,
        right=(_by_steps,),
        wrong=(
            (_eats_the_last, "last token is gone"),
            (_forgets_the_room, "Longer than"),
            (_only_one_side, "missing"),
            (_keeps_the_end, "beginning is to be kept"),
            (lambda ids, before, after, most: 3, "A list of token ids"),
            (lambda ids, before, after, most: [], "Not what the model"),
        ),
    ),
    Prediction(
        key="06.predict_ms",
        prompt="**Predict.** How many milliseconds will the INT8 student take for one"
        " text in this notebook, tokenising included?",
        unit=" ms",
        allowed=(0.0, 10_000.0),
        close=0.5,
        why="The articles speak of 85 and 150 ms per query, without naming a machine or"
        " a length. This is your machine and your texts.",
        example=5,
        hints=(
            "The scorecard of lesson 03 timed the same student in PyTorch.",
            "And lesson 05 told what ONNX Runtime and INT8 change.",
        ),
    ),
    Exercise(
        key="06.threshold",
        prompt="**Exercise.** Write `my_threshold(confidence, device_right,"
        " larger_right, within)`: the lowest confidence from which the device may"
        " answer by itself so that the cascade as a whole loses at most `within` of the"
        " larger model's accuracy; 1.0 if there is none. The first three are lists,"
        " one entry a text.",
        hints=(
            "At threshold t the device answers where confidence >= t, and the larger"
            " model everywhere else.",
            "Try every confidence that occurs as a threshold; keep the lowest at which"
            " the accuracy of the whole is high enough.",
        ),
        solution=my_threshold,
        why="What the device gets wrong where the larger model is wrong too costs"
        " nothing.",
        examine=_examine_threshold,
        right=(_by_trying,),
        wrong=(
            (_device_alone, "What counts is the whole"),
            (_ignores_within, "may be worse by"),
            (_highest, "hardly anything"),
            (_everything, "answers everything"),
            (
                lambda confidence, device_right, larger_right, within: "low",
                "One number",
            ),
            (lambda confidence, device_right, larger_right, within: 0.87, "Not the"),
        ),
    ),
    Question(
        key="06.q_parity",
        prompt="**Question 1.** A converted model has the same accuracy on the test"
        " texts as its source. Is the conversion right?",
        options={
            "a": "yes: the same texts were answered equally well",
            "b": "not shown: compare logits and labels, also on odd texts",
            "c": "yes, provided that there were a thousand test texts or more",
        },
        answer="b",
        because={
            "a": "Two models may err equally often in different places.",
            "b": "Long, empty and foreign texts are where conversions come apart.",
            "c": "More texts make the accuracy surer. That both err on the same texts they do not show.",
        },
    ),
    Question(
        key="06.q_emulation",
        prompt="**Question 2.** A file was run on an emulated ARM processor and gave the"
        " same labels. What does that show?",
        options={
            "a": "that it loads there and gives the same labels",
            "b": "that, and its speed on a phone, up to a constant factor",
            "c": "nothing: the emulator computes with the host's arithmetic",
        },
        answer="a",
        because={
            "a": "And no more: an emulator's time is that of the emulator.",
            "b": "Each instruction is translated at a price of its own; no factor leads back.",
            "c": "It plays ARM's instructions: an operator without a kernel would have shown.",
        },
    ),
    Question(
        key="06.q_cascade",
        prompt="**Question 3.** In a cascade the device answers the texts it is sure"
        " of. What happens if its confidence is too high throughout?",
        options={
            "a": "it hands on too much, and the cascade is slow",
            "b": "it answers what it should have handed on, and accuracy falls",
            "c": "little: the larger model has the last word",
        },
        answer="b",
        because={
            "a": "That would be too little confidence.",
            "b": "So calibrate it first, and choose the threshold on validation.",
            "c": "The larger model is never asked where the device is sure.",
        },
    ),
)
