"""The loss between hidden states."""

from __future__ import annotations

import torch
from torch import nn

from .logits import at_least_float32, check_finite, check_floating


def hidden_state_loss(
    student_hidden: torch.Tensor,
    teacher_hidden: torch.Tensor,
    mask: torch.Tensor | None = None,
    projection: nn.Module | None = None,
) -> torch.Tensor:
    """Mean squared error between hidden states, padding left out [2]_, [3]_.

    Parameters
    ----------
    student_hidden : Tensor, shape (batch, length, student width)
    teacher_hidden : Tensor, shape (batch, length, teacher width)
        Receives no gradient.
    mask : Tensor, shape (batch, length), optional
        1 for a real token, 0 for padding. By default every token counts.
    projection : Module, optional
        Maps the student's width to the teacher's; needed where they differ.

    Returns
    -------
    Tensor, shape ()
        Mean over the real tokens and the teacher's width, in float32 at least.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit, a value is not finite, or the mask
        leaves no token.

    References
    ----------
    .. [2] Romero et al., ICLR 2015, arXiv:1412.6550.
    .. [3] Jiao et al., Findings of EMNLP 2020, arXiv:1909.10351.
    """
    check_floating("student_hidden", student_hidden, dimensions=3)
    check_floating("teacher_hidden", teacher_hidden, dimensions=3)
    projected = student_hidden if projection is None else projection(student_hidden)
    if projected.shape != teacher_hidden.shape:
        raise ValueError(
            f"student_hidden of shape {tuple(student_hidden.shape)}"
            f"{' after projection' if projection is not None else ''} does not"
            f" match teacher_hidden of shape {tuple(teacher_hidden.shape)}:"
            " batch and length must agree, and where the widths differ, pass"
            " projection=nn.Linear(student width, teacher width)"
        )
    if mask is None:
        mask = projected.new_ones(projected.shape[:2])
    if mask.shape != projected.shape[:2]:
        raise ValueError(
            f"mask must have shape {tuple(projected.shape[:2])} (batch,"
            f" length), got {tuple(mask.shape)}"
        )
    real = mask.bool()
    if not real.any():
        raise ValueError("mask must keep at least one token, it keeps none")
    projected = at_least_float32(projected)
    difference = projected - teacher_hidden.detach().to(projected.dtype)
    check_finite("student_hidden", student_hidden[real])
    check_finite("teacher_hidden", teacher_hidden[real])
    return difference[real].pow(2).mean()
