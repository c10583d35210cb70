"""What several examinations share: logits, gradients, and naming mistakes."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ..exercises.answers import call, same, scalar
from . import mistakes as known

Loss = Callable[..., torch.Tensor]


def name_mistakes(values, lists) -> tuple[known.Mistake, ...] | None:
    """Find the fewest mistakes that explain the values of all probes.

    Returns
    -------
    tuple of Mistake or None
        Empty if the values are right, None if nothing known explains them.
    """
    fitting = [
        rows[0][0]
        for rows in zip(*lists)
        if all(same(value, row[1]) for value, row in zip(values, rows))
    ]
    return min(fitting, key=len, default=None)


def some_logits(batch, classes, seed, **options) -> torch.Tensor:
    """Return logits of that shape, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(batch, classes, generator=generator, **options)


def uses_student(loss: Loss) -> bool:
    """Tell whether the student's logits have a part in the value."""
    student = some_logits(4, 3, 5).requires_grad_()
    return scalar(loss(student, some_logits(4, 3, 6), 2.0)).requires_grad


def reaches_teacher(loss: Loss) -> bool:
    """Tell whether a gradient flows back into the teacher."""
    student = some_logits(4, 3, 5).requires_grad_()
    weights = some_logits(4, 3, 6).requires_grad_()
    value = scalar(loss(student, weights * 1.0, 2.0))  # as a network gives them
    if value.requires_grad:
        value.backward()
    return weights.grad is not None and bool(weights.grad.abs().max() > 0)


def gradient_of(loss: Loss, student, *rest) -> torch.Tensor:
    """Return the gradient of a loss with respect to the student's logits."""
    student = student.detach().clone().requires_grad_()
    value = scalar(loss(student, *rest))
    if not value.requires_grad:
        return torch.zeros_like(student)
    slope = torch.autograd.grad(value, student, allow_unused=True)[0]
    return torch.zeros_like(student) if slope is None else slope


def same_gradients(got: torch.Tensor, expected: torch.Tensor) -> None:
    """Raise where a right value gives the student a wrong gradient, or none."""
    if not same(got, expected, 1e-3):
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {got.norm().item():.4f}",
            f"one of norm {expected.norm().item():.4f}",
        )


def as_function(kind, settings: tuple[str, ...]):
    """Turn a class, built with some settings, into a function of everything."""

    def built(**given):
        made = call(kind, **{name: given.pop(name) for name in settings})
        return call(made, **given)

    return built
