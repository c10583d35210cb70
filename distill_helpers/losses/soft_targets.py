"""The loss between soft targets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from ..arguments import check_temperature
from .logits import at_least_float32, check_logit_pair
from .weighted import WeightedLoss


def kd_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
) -> torch.Tensor:
    r"""Return the soft-target loss of Hinton et al. [1]_.

    .. math:: T^2 \; \mathrm{KL}\big(\mathrm{softmax}(z_t / T) \,\|\,
              \mathrm{softmax}(z_s / T)\big)

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

    Examples
    --------
    >>> import torch
    >>> teacher = torch.tensor([[2.0, -2.0]])
    >>> kd_loss(teacher.clone(), teacher, temperature=2.0).item()
    0.0
    """
    check_temperature(temperature)
    return _kd_sum(student_logits, teacher_logits, temperature) / len(student_logits)


def weighted_kd(temperature: float, weight: float = 1.0) -> WeightedLoss:
    """Make :func:`kd_loss` a loss of the trainer's list.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.
    """
    return soft_target_loss(_kd_sum, temperature, weight)


def soft_target_loss(
    kd_sum: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor],
    temperature: float,
    weight: float,
) -> WeightedLoss:
    """Make a divergence from the teacher a loss of the trainer's list.

    Parameters
    ----------
    kd_sum : callable
        From the student's logits, the teacher's and a temperature to a sum over
        the batch.
    temperature, weight : float

    Returns
    -------
    WeightedLoss
        ``kd`` by name; left out where a batch has no ``teacher_logits``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.
    """
    check_temperature(temperature)
    temperature = float(temperature)

    def function(outputs, batch, divisor):
        return kd_sum(outputs.logits, batch["teacher_logits"], temperature) / divisor

    return WeightedLoss("kd", function, weight, needs=frozenset({"teacher_logits"}))


def _kd_sum(student_logits, teacher_logits, temperature) -> torch.Tensor:
    check_logit_pair(student_logits, teacher_logits)
    student = at_least_float32(student_logits)
    teacher = teacher_logits.detach().to(student.dtype)
    student = F.log_softmax(student / temperature, dim=-1)
    teacher = F.log_softmax(teacher / temperature, dim=-1)
    kl = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return kl * temperature**2
