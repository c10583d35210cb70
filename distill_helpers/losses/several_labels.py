"""Soft targets and labels where a text may have several labels, or none.

Each class is a question of its own, answered by a sigmoid: the loss of a text is
the mean over its classes, as ``torch.nn.BCEWithLogitsLoss`` has it, and so the
loss of transformers' own ``multi_label_classification``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from ..data.labels import has_label
from .balance import weights_like
from .labels import label_loss
from .logits import (
    at_least_float32,
    check_floating,
    check_label_rows,
    check_logit_pair,
)
from .soft_targets import batch_mean, soft_target_loss
from .weighted import WeightedLoss


def multi_label_kd_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
) -> torch.Tensor:
    r"""Return the soft-target loss of independent classes.

    For each class the divergence between two coins, with
    :math:`p_t = \sigma(z_t / T)` and :math:`p_s = \sigma(z_s / T)`:

    .. math:: T^2 \Bigl( p_t \log \frac{p_t}{p_s}
              + (1 - p_t) \log \frac{1 - p_t}{1 - p_s} \Bigr)

    averaged over classes and batch [1]_. The factor :math:`T^2` keeps the size
    of the gradient when the temperature changes [2]_.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, classes)
        Receives the gradient.
    teacher_logits : Tensor, shape (batch, classes)
        Receives none.
    temperature : float, default 1.0
        Softens both; greater than 0.

    Returns
    -------
    Tensor, shape ()
        Nats, in float32 at least; 0 when both are equal.

    Raises
    ------
    TypeError
        If an argument has the wrong type or dtype.
    ValueError
        If shapes differ, a logit is not finite, or `temperature` is not a
        finite number above 0.

    References
    ----------
    .. [1] P. Yang et al., "Multi-label knowledge distillation", ICCV 2023,
       arXiv:2308.06453.
    .. [2] G. Hinton, O. Vinyals, J. Dean, 2015, arXiv:1503.02531.

    Examples
    --------
    >>> teacher = torch.tensor([[2.0, -2.0, 0.5]])
    >>> multi_label_kd_loss(teacher.clone(), teacher, temperature=2.0).item()
    0.0
    """
    return batch_mean(multi_kd_parts, student_logits, teacher_logits, temperature)


def weighted_multi_label_kd(temperature: float, weight: float = 1.0) -> WeightedLoss:
    """Make :func:`multi_label_kd_loss` a loss of the trainer's list, ``kd`` by name.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.
    """
    return soft_target_loss(multi_kd_parts, temperature, weight)


def multi_kd_parts(
    student_logits, teacher_logits, temperature, targets=None
) -> torch.Tensor:
    """The mean over the classes for each text; see ``soft_targets.Parts``."""
    check_logit_pair(student_logits, teacher_logits)
    student = at_least_float32(student_logits)
    teacher = teacher_logits.detach().to(student.dtype) / temperature
    student = student / temperature
    holds = teacher.sigmoid() * (F.logsigmoid(teacher) - F.logsigmoid(student))
    fails = (-teacher).sigmoid() * (F.logsigmoid(-teacher) - F.logsigmoid(-student))
    return (holds + fails).mean(-1)


def multi_label_cross_entropy(
    logits: torch.Tensor,
    labels: torch.Tensor,
    labelled: float | None = None,
    class_weights: Sequence[float] | None = None,
) -> torch.Tensor:
    """Return the cross-entropy of the examples that have labels.

    Parameters
    ----------
    logits : Tensor, shape (batch, classes)
    labels : Tensor of float, shape (batch, classes)
        1 where a class holds, 0 where it does not; a row of -100 where nobody
        said.
    labelled : float, optional
        What the sum is divided by; by default the labelled rows of this batch.
    class_weights : sequence of float, length classes, optional
        What a class that holds counts, against one that does not.

    Returns
    -------
    Tensor, shape ()
        Nats, a mean over classes and labelled rows, in float32 at least; 0 if
        there is no label.

    Raises
    ------
    TypeError, ValueError
        If labels or weights do not fit the logits.
    """
    check_floating("logits", logits, dimensions=2)
    check_label_rows(labels, logits)
    known = has_label(labels)
    if labelled is None:
        labelled = int(known.sum())
    values = at_least_float32(logits)
    weights = weights_like(values, class_weights)
    total = F.binary_cross_entropy_with_logits(
        values[known],
        labels[known].to(values.dtype),
        pos_weight=weights,
        reduction="sum",
    )
    return total / logits.shape[-1] / (labelled or 1)


def weighted_multi_label_cross_entropy(
    weight: float = 1.0, class_weights: Sequence[float] | None = None
) -> WeightedLoss:
    """Make :func:`multi_label_cross_entropy` a loss of the trainer's list."""
    return label_loss(multi_label_cross_entropy, weight, class_weights)
