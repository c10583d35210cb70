"""Which mistake a loss between hidden states makes."""

from __future__ import annotations

import torch
from torch import nn

from ...losses.hidden import hidden_state_loss
from ..exercises.answers import call, same, scalar
from ..exercises.outcomes import Incorrect
from . import mistakes as known
from .probes import name_mistakes


def examine_hidden(answer) -> str:
    """Examine ``f(student_hidden, teacher_hidden, mask, projection)``."""
    probes = [_hidden_probe(*shape) for shape in _HIDDEN_SHAPES]
    values = [scalar(call(answer, **probe)) for probe in probes]
    lists = [list(_hidden_candidates(**probe)) for probe in probes]
    mistakes = name_mistakes(values, lists)
    given, right = f"{values[0].item():.4f}", f"{lists[0][0][1].item():.4f}"
    if mistakes:
        raise known.describe(mistakes, given, right)
    _check_hidden_teacher(answer)
    if mistakes is None:
        raise Incorrect(
            "The value is not the mean squared error over the real tokens.",
            given,
            right,
            "one text of two tokens, by hand; which places count, and the divisor",
        )
    _check_hidden_gradients(answer)
    return "Padding no longer counts, wherever it stands."


_HIDDEN_SHAPES = (
    (3, 5, [[1, 1, 1, 1], [1, 0, 0, 0]]),
    (4, 6, [[0, 0, 1, 1, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 1]]),
)


def _hidden_probe(width: int, teacher_width: int, mask: list) -> dict:
    generator = torch.Generator().manual_seed(11)
    projection = nn.Linear(width, teacher_width)
    with torch.no_grad():
        for weight in projection.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    place = torch.tensor(mask)
    student = torch.randn(*place.shape, width, generator=generator)
    return {
        "student_hidden": student.requires_grad_(),
        "teacher_hidden": torch.randn(*place.shape, teacher_width, generator=generator),
        "mask": place,
        "projection": projection,
    }


def _hidden_candidates(student_hidden, teacher_hidden, mask, projection):
    place = mask[..., None]
    errors = (projection(student_hidden) - teacher_hidden).detach().pow(2)
    real, lengths, width = errors * place, mask.sum(1), errors.shape[-1]
    right = hidden_state_loss(student_hidden, teacher_hidden, mask, projection)
    yield (), right.detach()
    yield (known.PADDING_COUNTED,), errors.mean()
    yield (known.PADDING_DIVIDES,), real.mean()
    yield (known.TEXT_BY_TEXT,), (real.sum((1, 2)) / lengths / width).mean()
    yield (known.ONLY_PADDING,), errors[mask == 0].mean()
    yield (known.HIDDEN_SUM,), real.sum()
    yield (known.HIDDEN_SUM,), real.sum() / lengths.sum()
    yield (known.PADDING_COUNTED, known.HIDDEN_SUM), errors.sum()
    early = projection(student_hidden * place) - teacher_hidden * place
    yield (known.MASKED_BEFORE,), early.detach().pow(2).mean()
    yield (known.MASKED_BEFORE,), early.detach().pow(2).sum() / lengths.sum() / width


def _check_hidden_teacher(answer) -> None:
    given = _hidden_probe(*_HIDDEN_SHAPES[0])
    weights = given["teacher_hidden"].clone().requires_grad_()
    given["teacher_hidden"] = weights * 1.0  # as a network gives them
    value = scalar(call(answer, **given))
    if value.requires_grad:
        value.backward()
    if weights.grad is not None and weights.grad.abs().max() > 0:
        raise known.describe([known.INTO_TEACHER], "a gradient in teacher_hidden")


def _check_hidden_gradients(answer) -> None:
    slopes = []
    for make in (lambda **given: scalar(call(answer, **given)), hidden_state_loss):
        given = _hidden_probe(*_HIDDEN_SHAPES[0])
        value = make(**given)
        if value.requires_grad:
            value.backward()
        slopes.append(
            {"student_hidden": given["student_hidden"].grad}
            | {
                f"projection.{n}": p.grad
                for n, p in given["projection"].named_parameters()
            }
        )
    for name, right in slopes[1].items():
        got = slopes[0][name]
        if got is None or not same(got, right, 1e-3):
            raise Incorrect(
                f"The gradient that reaches {name} is wrong, although the value is"
                " right.",
                "none" if got is None else f"norm {got.norm().item():.4f}",
                f"norm {right.norm().item():.4f}",
                "detach() and torch.no_grad(): only the teacher is fixed",
            )
