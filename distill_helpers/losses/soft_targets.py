"""The loss between soft targets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from ..arguments import check_temperature
from .logits import at_least_float32, check_logit_pair
from .weighted import WeightedLoss

Parts = Callable[..., torch.Tensor]
"""What a loss between soft targets is made of, before T^2 and the mean.

Takes the student's logits, the teacher's, T, and the labels of the batch (-100 for
none; None if nobody gives any). Returns a tensor of shape (batch,) or (batch, classes)
whose sum is the loss of the batch.
"""
EXAMPLE_WEIGHT = "teacher_weight"
"""The column of a batch that says how much each text's soft targets count."""


def kd_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
) -> torch.Tensor:
    r"""Return the soft-target loss of Hinton et al. [1]_.

    .. math:: T^2 \; \mathrm{KL}\bigl(\mathrm{softmax}(z_t / T) \,\|\,
              \mathrm{softmax}(z_s / T)\bigr)

    averaged over the batch. The factor :math:`T^2` keeps the size of the
    gradient when the temperature changes.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, classes)
        The student's logits. Receives the gradient.
    teacher_logits : Tensor, shape (batch, classes)
        The teacher's logits. Receives none.
    temperature : float, default 1.0
        Softens both distributions; greater than 0.

    Returns
    -------
    Tensor, shape ()
        Nats, in float32 at least; 0 when both distributions are equal.

    Raises
    ------
    TypeError
        If an argument has the wrong type or dtype.
    ValueError
        If shapes differ, a logit is not finite, or `temperature` is not a
        finite number above 0.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural
       network", 2015, arXiv:1503.02531.

    Examples
    --------
    >>> import torch
    >>> teacher = torch.tensor([[2.0, -2.0]])
    >>> kd_loss(teacher.clone(), teacher, temperature=2.0).item()
    0.0
    """
    return batch_mean(kd_parts, student_logits, teacher_logits, temperature)


def weighted_kd(temperature: float, weight: float = 1.0) -> WeightedLoss:
    """Make :func:`kd_loss` a loss of the trainer's list.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.
    """
    return soft_target_loss(kd_parts, temperature, weight)


def soft_target_loss(
    parts: Parts, temperature: float, weight: float, name: str = "kd"
) -> WeightedLoss:
    """Make a divergence from the teacher a loss of the trainer's list.

    Parameters
    ----------
    parts : callable
        See :data:`Parts`.
    temperature, weight : float
    name : str, default "kd"
        Under which it is logged.

    Returns
    -------
    WeightedLoss
        Left out where a batch has no ``teacher_logits``. Where it has the column
        :data:`EXAMPLE_WEIGHT`, each text counts as much as that says; the divisor
        stays the number of texts, so the weights' mean should be 1.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.
    """
    check_temperature(temperature)
    temperature = float(temperature)

    def function(outputs, batch, divisor):
        found = parts(
            outputs.logits, batch["teacher_logits"], temperature, batch["labels"]
        )
        return _sum(found, batch.get(EXAMPLE_WEIGHT)) * temperature**2 / divisor

    return WeightedLoss(name, function, weight, needs=frozenset({"teacher_logits"}))


def batch_mean(
    parts: Parts,
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float,
    targets: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""Return :math:`T^2` times the mean of a loss over the texts of a batch.

    Parameters
    ----------
    parts : callable
        See :data:`Parts`.
    student_logits, teacher_logits : Tensor, shape (batch, classes)
    temperature : float
    targets : Tensor of int64, shape (batch,), optional

    Returns
    -------
    Tensor, shape ()
    """
    check_temperature(temperature)
    found = parts(student_logits, teacher_logits, temperature, targets)
    return found.sum() * temperature**2 / len(student_logits)


def soft_log_probabilities(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float | torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the softened log-probabilities of both.

    Parameters
    ----------
    student_logits, teacher_logits : Tensor, shape (batch, classes)
    temperature : float, or Tensor of shape (batch, 1)

    Returns
    -------
    student, teacher : Tensor, shape (batch, classes)
        In float32 at least; the teacher's without a gradient.

    Raises
    ------
    TypeError, ValueError
        If the logits do not fit together.
    """
    check_logit_pair(student_logits, teacher_logits)
    student = at_least_float32(student_logits)
    teacher = teacher_logits.detach().to(student.dtype)
    return tuple(F.log_softmax(z / temperature, dim=-1) for z in (student, teacher))


def kl_divergence(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return KL(first || second) of each row; PyTorch takes them the other way round.

    Parameters
    ----------
    first, second : Tensor, shape (..., classes)
        Log-probabilities.

    Returns
    -------
    Tensor, shape (...)
        Nats.
    """
    return F.kl_div(second, first, reduction="none", log_target=True).sum(-1)


def kd_parts(student_logits, teacher_logits, temperature, targets=None) -> torch.Tensor:
    """KL(teacher || student), class by class; see :data:`Parts`."""
    student, teacher = soft_log_probabilities(
        student_logits, teacher_logits, temperature
    )
    return F.kl_div(student, teacher, reduction="none", log_target=True)


def _sum(parts: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    if weights is None:
        return parts.sum()
    rows = parts.flatten(1).sum(1) if parts.ndim > 1 else parts
    return (rows * weights.to(rows.dtype)).sum()
