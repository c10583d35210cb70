"""The exercises of lesson 00: how exercises work."""

from __future__ import annotations

import math

from ..exercises.answers import call, settle
from ..exercises.engine import Exercise, Question
from ..exercises.outcomes import Incorrect

_LOGITS, _TEMPERATURE = [1.0, 3.0, 2.0], 2.0


def my_soft_targets(logits, temperature):
    powers = [math.exp(z / temperature) for z in logits]
    return [p / sum(powers) for p in powers]


def _shifted(logits, temperature):
    highest = max(logits)
    powers = [math.exp((z - highest) / temperature) for z in logits]
    return [p / sum(powers) for p in powers]


def _without_temperature(logits, temperature):
    return my_soft_targets(logits, 1.0)


def _times_temperature(logits, temperature):
    return my_soft_targets(logits, 1 / temperature)


def _not_divided(logits, temperature):
    return [math.exp(z / temperature) for z in logits]


def _divided_after(logits, temperature):
    return [p / temperature for p in my_soft_targets(logits, 1.0)]


def _shares_of_logits(logits, temperature):
    return [z / sum(logits) for z in logits]


def _examine_soft_targets(answer) -> str:
    got = call(answer, logits=list(_LOGITS), temperature=_TEMPERATURE)
    try:
        got = [float(p) for p in got]
    except (TypeError, ValueError):
        raise Incorrect("A list of numbers is wanted.", repr(got)) from None
    known = {
        "The temperature is not used.": (
            _without_temperature,
            "divide every logit by the temperature first",
        ),
        "The temperature makes it sharper here, not softer.": (
            _times_temperature,
            "divide by the temperature",
        ),
        "These do not add up to 1.": (_not_divided, "divide each by their sum"),
        "The temperature must divide the logits, not the probabilities: these no"
        " longer add up to 1.": (_divided_after, "divide before the softmax"),
        "Shares of the logits themselves are no softmax.": (
            _shares_of_logits,
            "the exponential of each, before they are divided",
        ),
    }
    settle(
        got,
        my_soft_targets(_LOGITS, _TEMPERATURE),
        {what: (f(_LOGITS, _TEMPERATURE), look) for what, (f, look) in known.items()},
        ("Not the soft targets.", "softmax of the logits over the temperature"),
        equal=_near,
        shown=lambda values: ", ".join(f"{v:.3f}" for v in values),
    )
    return "That is all that a teacher hands on: probabilities, softened."


def _near(a, b) -> bool:
    return len(a) == len(b) and all(abs(x - y) < 1e-6 for x, y in zip(a, b))


ENTRIES = (
    Exercise(
        key="00.soft_targets",
        prompt="**Exercise.** Write `my_soft_targets(logits, temperature)`: the softmax"
        " of the logits divided by the temperature, as a list. `logits` is a list of"
        " numbers, one for each class.",
        hints=(
            "`math.exp` of each logit, divided by the temperature, comes first.",
            "Then divide each of these by their sum.",
        ),
        solution=my_soft_targets,
        why="A softmax with a temperature turns logits into soft targets. You will meet"
        " it in every lesson.",
        examine=_examine_soft_targets,
        right=(_shifted,),
        wrong=(
            (_without_temperature, "temperature is not used"),
            (_times_temperature, "sharper"),
            (_not_divided, "These do not add up to 1"),
            (_divided_after, "not the probabilities"),
            (_shares_of_logits, "no softmax"),
            (lambda logits, temperature: 0.5, "list of numbers"),
            (lambda logits, temperature: [0.2, 0.3, 0.5], "Not the soft targets"),
        ),
    ),
    Question(
        key="00.q_control",
        prompt="**Question.** A distilled student gets 87% of the test reviews right."
        " Which comparison shows best that its *teacher* helped?",
        options={
            "a": "with the teacher: the student comes close to it",
            "b": "with the same student, trained as long without a teacher",
            "c": "with the same student before any training",
        },
        answer="b",
        because={
            "a": "Being close to the teacher is welcome, but perhaps the student would"
            " have come as close without it.",
            "b": "That is the control. Every comparison in these lessons has one.",
            "c": "That shows that training helped, with a teacher or without one.",
        },
    ),
)
