"""The exercise of raising one logit, as Hinton et al. did for the missing 3."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..exercises.answers import call, settle
from ..exercises.engine import Exercise
from .tensors import row_of, tensor_like


def my_raise_logit(logits, digit, amount):
    raised = logits.clone()
    raised[:, digit] += amount
    return raised


def _by_one_hot(logits, digit, amount):
    classes = logits.shape[-1]
    return logits + amount * F.one_hot(torch.tensor(digit), classes)


def _by_parts(logits, digit, amount):
    columns = list(logits.unbind(1))
    columns[digit] = columns[digit] + amount
    return torch.stack(columns, dim=1)


def _raised_everywhere(logits, digit, amount):
    return logits + amount


def _raised_image(logits, digit, amount):
    raised = logits.clone()
    raised[digit] += amount
    return raised


def _raised_probability(logits, digit, amount):
    raised = logits.softmax(-1)
    raised[:, digit] += amount
    return raised


def _multiplied(logits, digit, amount):
    raised = logits.clone()
    raised[:, digit] *= amount
    return raised


def _raised_in_place(logits, digit, amount):
    logits[:, digit] += amount
    return logits


def _examine_raise(answer) -> str:
    logits = torch.tensor([[1.0, 4.0, -1.0], [2.0, -1.0, 0.5], [0.5, 1.0, 2.0]])
    right = my_raise_logit(logits, 1, 2.5)
    got = tensor_like(call(answer, logits=logits, digit=1, amount=2.5), right)
    known = {
        "Every logit is raised; then the softmax, and the answer, stay as they were.": (
            _raised_everywhere,
            "one column: logits[:, digit]",
        ),
        "One image is raised in all its classes; one class in all images is wanted.": (
            _raised_image,
            "the colon before the comma: logits[:, digit]",
        ),
        "The amount belongs to the logit, before any softmax.": (
            _raised_probability,
            "no softmax here",
        ),
        "The logit is multiplied; the amount is to be added.": (_multiplied, "+="),
    }
    values = {k: (wrong(logits, 1, 2.5), look) for k, (wrong, look) in known.items()}
    otherwise = ("Not the logits with one of them raised.", "one row, by hand")
    settle(got, right, values, otherwise, shown=row_of)
    return "Nothing was trained, and yet the student answers 3 more often."


ENTRY = Exercise(
    key="01.raise_logit",
    prompt="**Exercise.** Write `my_raise_logit(logits, digit, amount)`, which"
    " returns logits of shape (batch, classes) with `amount` added to the class"
    " `digit` of every row. The logits that it was given stay as they are.",
    hints=(
        "logits[:, digit] is the column of one class.",
        "raised = logits.clone() makes a copy that you may change.",
    ),
    solution=my_raise_logit,
    why="It is the same as a larger bias of the last layer.",
    examine=_examine_raise,
    right=(_by_one_hot, _by_parts),
    wrong=(
        (_raised_everywhere, "Every logit is raised"),
        (_raised_image, "One image is raised"),
        (_raised_probability, "before any softmax"),
        (_multiplied, "multiplied"),
        (_raised_in_place, "changed logits"),
        (lambda logits, digit, amount: logits[:, digit] + amount, "wrong shape"),
        (lambda logits, digit, amount: logits, "Not the logits"),
    ),
)
