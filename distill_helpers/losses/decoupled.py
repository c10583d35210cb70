r"""Soft targets in two parts: the target class against the rest, and the rest alone.

With :math:`p_y` the teacher's probability of the target class and
:math:`\hat p` its probabilities of the others, divided by their sum
:math:`1 - p_y` (and :math:`q` those of the student), the KL divergence is

.. math:: \mathrm{KL}(p \,\|\, q) =
          \mathrm{KL}\bigl((p_y, 1 - p_y) \,\|\, (q_y, 1 - q_y)\bigr)
          + (1 - p_y) \, \mathrm{KL}(\hat p \,\|\, \hat q)

so what a teacher knows of the wrong classes counts the less the surer it is. The
decoupled loss [1]_ weighs the two by numbers of its own.

References
----------
.. [1] B. Zhao et al., "Decoupled knowledge distillation", CVPR 2022,
   arXiv:2203.08679.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional as F

from ..arguments import check_number, check_temperature
from ..data.labels import NO_LABEL
from .logits import check_labels
from .soft_targets import (
    Parts,
    batch_mean,
    kl_divergence,
    soft_log_probabilities,
)


class DecoupledTerms(NamedTuple):
    """The parts of a soft-target loss, a number a text; T^2 is in the first two.

    Attributes
    ----------
    target : Tensor, shape (batch,)
        The target class against all others together.
    others : Tensor, shape (batch,)
        The others among themselves.
    left : Tensor, shape (batch,)
        What the teacher leaves to the others, 1 minus its probability of the
        target: ``target + left * others`` is the KL divergence.
    """

    target: torch.Tensor
    others: torch.Tensor
    left: torch.Tensor


def decoupled_terms(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
    targets: torch.Tensor | None = None,
) -> DecoupledTerms:
    """Cut the soft-target loss of each text in two.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, classes)
        Receives the gradient.
    teacher_logits : Tensor, shape (batch, classes)
        Receives none.
    temperature : float, default 1.0
        Softens both; greater than 0.
    targets : Tensor of int64, shape (batch,), optional
        The target classes. Where one is -100, and by default, it is the teacher's
        likeliest class.

    Returns
    -------
    DecoupledTerms
        Nats, in float32 at least. With two classes ``others`` is exactly 0.

    Raises
    ------
    TypeError, ValueError
        As :func:`~distill_helpers.losses.soft_targets.kd_loss`, or if the targets do
        not fit.

    Examples
    --------
    >>> student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    >>> decoupled_terms(student, teacher).others.tolist()
    [0.0]
    """
    check_temperature(temperature)
    student, teacher = soft_log_probabilities(
        student_logits, teacher_logits, temperature
    )
    hit = _is_target(targets, student_logits, teacher_logits)
    right, wrong = zip(*(_apart(z, hit) for z in (student, teacher)))
    ours, theirs = (torch.stack([r, w.logsumexp(-1)], -1) for r, w in zip(right, wrong))
    target = kl_divergence(theirs, ours)
    ours, theirs = (w - w.logsumexp(-1, keepdim=True) for w in wrong)
    others = kl_divergence(theirs, ours)
    square = temperature**2
    return DecoupledTerms(
        target * square, others * square, wrong[1].logsumexp(-1).exp()
    )


def decoupled_kd_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
    alpha: float = 1.0,
    beta: float = 8.0,
    targets: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""Return the decoupled loss of Zhao et al. [1]_.

    .. math:: T^2 \bigl( \alpha \, \mathrm{KL}((p_y, 1 - p_y) \,\|\, (q_y, 1 - q_y))
              + \beta \, \mathrm{KL}(\hat p \,\|\, \hat q) \bigr)

    averaged over the batch. See :mod:`distill_helpers.losses.decoupled`.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, classes)
        Receives the gradient.
    teacher_logits : Tensor, shape (batch, classes)
        Receives none; at least three classes.
    temperature : float, default 1.0
        Softens both; greater than 0.
    alpha : float, default 1.0
        Weight of the target class against the others; at least 0.
    beta : float, default 8.0
        Weight of the others among themselves; at least 0. The paper's is 8 for most
        of its pairs; the gradient grows with it.
    targets : Tensor of int64, shape (batch,), optional
        The target classes. Where one is -100, and by default, it is the teacher's
        likeliest class; the paper knows every label.

    Returns
    -------
    Tensor, shape ()
        In float32 at least; 0 when both are equal.

    Raises
    ------
    TypeError, ValueError
        As :func:`decoupled_terms`; if a weight is out of range; if there are but two
        classes, where the second term is nothing.

    References
    ----------
    .. [1] B. Zhao et al., "Decoupled knowledge distillation", CVPR 2022,
       arXiv:2203.08679.

    Examples
    --------
    >>> teacher = torch.tensor([[2.0, 0.0, -1.0]])
    >>> decoupled_kd_loss(teacher.clone(), teacher).item()
    0.0
    """
    parts = decoupled_parts(alpha, beta)
    return batch_mean(parts, student_logits, teacher_logits, temperature, targets)


def decoupled_parts(alpha: float = 1.0, beta: float = 8.0) -> Parts:
    """Make the parts of :func:`decoupled_kd_loss`.

    Raises
    ------
    TypeError, ValueError
        If a weight is no number, or below 0, or both are 0.
    """
    check_number("alpha", alpha, least=0)
    check_number("beta", beta, least=0)
    if alpha == beta == 0:
        raise ValueError("alpha and beta must not both be 0: nothing would be learnt")

    def parts(student_logits, teacher_logits, temperature, targets=None):
        terms = decoupled_terms(student_logits, teacher_logits, temperature, targets)
        check_third_class(student_logits.shape[-1])
        return (alpha * terms.target + beta * terms.others) / temperature**2

    return parts


def check_third_class(classes: int) -> None:
    """Raise ValueError where decoupling is nothing, for there are two classes."""
    if classes < 3:
        raise ValueError(
            f"a decoupled loss needs at least three classes, got {classes}: beside the"
            " target class one is left, which takes all that is left over by teacher"
            " and student alike, so the second term is exactly 0 and the first is the"
            " KL divergence itself; use soft_loss='kl', or kd_loss"
        )


def _is_target(targets, student_logits, teacher_logits) -> torch.Tensor:
    chosen = teacher_logits.argmax(-1)
    if targets is not None:
        check_labels(targets, student_logits)
        chosen = torch.where(targets == NO_LABEL, chosen, targets)
    return F.one_hot(chosen, student_logits.shape[-1]).bool()


def _apart(
    values: torch.Tensor, hit: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Part the target class, shape (batch,), from the others, (batch, classes - 1)."""
    return values[hit], values[~hit].view(len(values), -1)
