"""The exercise of paired gains and their standard error."""

from __future__ import annotations

import torch

from ..exercises.answers import call, same, settle
from ..exercises.engine import Exercise
from ..exercises.outcomes import Incorrect
from .tensors import row_of


def my_paired_gain(with_teacher, without_teacher):
    gains = with_teacher - without_teacher
    return gains.mean(), gains.std() / len(gains) ** 0.5


def _in_floats(with_teacher, without_teacher):
    gains = [a - b for a, b in zip(with_teacher.tolist(), without_teacher.tolist())]
    mean = sum(gains) / len(gains)
    variance = sum((g - mean) ** 2 for g in gains) / (len(gains) - 1)
    return mean, (variance / len(gains)) ** 0.5


def _sign_turned(with_teacher, without_teacher):
    gains = without_teacher - with_teacher
    return gains.mean(), gains.std() / len(gains) ** 0.5


def _spread_only(with_teacher, without_teacher):
    gains = with_teacher - without_teacher
    return gains.mean(), gains.std()


def _not_paired(with_teacher, without_teacher):
    gain = with_teacher.mean() - without_teacher.mean()
    variance = with_teacher.var() + without_teacher.var()
    return gain, (variance / len(with_teacher)) ** 0.5


def _population(with_teacher, without_teacher):
    gains = with_teacher - without_teacher
    return gains.mean(), gains.std(correction=0) / len(gains) ** 0.5


def _nearly(got, right) -> bool:
    return same(got, right, 1e-3)


def _examine_gain(answer) -> str:
    given = {
        "with_teacher": torch.tensor([0.80, 0.86, 0.83, 0.85]),
        "without_teacher": torch.tensor([0.74, 0.82, 0.75, 0.86]),
    }
    got = call(answer, **given)
    try:
        mean, error = (float(value) for value in got)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise Incorrect(
            "Two numbers are wanted.",
            type(got).__name__,
            "the mean and its standard error",
            "the return line; .mean() makes one number of the gains",
        ) from problem
    got = torch.tensor([mean, error])
    right = torch.tensor(_in_floats(**given))
    known = {
        "The sign is turned round: a gain is with minus without.": (
            _sign_turned,
            "the subtraction",
        ),
        "That is the spread of single seeds, not of their mean.": (
            _spread_only,
            "the division by the square root of the number of seeds",
        ),
        "These seeds are pairs: subtract first, seed by seed.": (
            _not_paired,
            "the standard deviation of the differences",
        ),
        "The standard deviation divides by n - 1 here, since the mean was"
        " taken from the same seeds.": (_population, "std() without correction=0"),
    }
    values = {
        k: (torch.tensor([float(v) for v in wrong(**given)]), look)
        for k, (wrong, look) in known.items()
    }
    otherwise = ("Not the mean gain and its standard error.", "the four gains, by hand")
    settle(got, right, values, otherwise, equal=_nearly, shown=row_of)
    return (
        "With four runs a 95% interval reaches 3.2 standard errors to either side"
        " (Student's t); only with very many is it twice."
    )


ENTRY = Exercise(
    key="01.paired_gain",
    prompt="**Exercise.** Write `my_paired_gain(with_teacher,"
    " without_teacher)`: from two tensors of accuracies, seed by seed, the"
    " mean gain and its standard error (the standard deviation of the gains"
    " over the square root of their number).",
    hints=(
        "The seeds are pairs: both students saw the same images and began"
        " with the same weights. Subtract first.",
        "gains.std() divides by n - 1 by itself; len(gains) ** 0.5 is the square root.",
    ),
    solution=my_paired_gain,
    why="Pairing takes the luck of the draw out of the comparison.",
    examine=_examine_gain,
    right=(_in_floats,),
    wrong=(
        (_sign_turned, "sign"),
        (_spread_only, "single seeds"),
        (_not_paired, "pairs"),
        (_population, "n - 1"),
        (lambda with_teacher, without_teacher: 0.1, "Two numbers"),
        (lambda with_teacher, without_teacher: (0.0, 0.0), "Not the mean"),
        (
            lambda with_teacher, without_teacher: (with_teacher, 0.1),
            "Two numbers",
        ),
    ),
)
