"""The loss between soft targets."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..arguments import check_temperature
from .logits import check_logit_pair


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
        Nats, float32; 0 when both distributions are equal.

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
    check_logit_pair(student_logits, teacher_logits)
    return kd_sum(student_logits, teacher_logits, temperature) / len(student_logits)


def kd_sum(student_logits, teacher_logits, temperature) -> torch.Tensor:
    student = F.log_softmax(student_logits.float() / temperature, dim=-1)
    teacher = F.log_softmax(teacher_logits.detach().float() / temperature, dim=-1)
    kl = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return kl * temperature**2
