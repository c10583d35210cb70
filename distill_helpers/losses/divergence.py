r"""Other ways to say how far a student's soft targets lie from its teacher's.

With :math:`p = \mathrm{softmax}(z_t / T)` of the teacher and
:math:`q = \mathrm{softmax}(z_s / T)` of the student. Where both are close, all of
these are the same quadratic but for a factor, and so scale as :math:`1 / T^2`: each
is multiplied by :math:`T^2` as :func:`~distill_helpers.losses.soft_targets.kd_loss`,
which is the forward KL divergence.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from ..arguments import check_number
from .logits import at_least_float32, check_logit_pair
from .soft_targets import (
    Parts,
    batch_mean,
    kl_divergence,
    soft_log_probabilities,
)

Divergence = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From log-probabilities of teacher and student, shape (..., classes), to (...)."""


def reverse_kl_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
) -> torch.Tensor:
    r"""Return :math:`T^2 \, \mathrm{KL}(q \,\|\, p)`, averaged over the batch.

    The student pays for what it holds likely and its teacher does not; a class that
    it forgets costs little. A student too small for all of its teacher keeps the
    likeliest classes then, where the forward KL spreads over all [1]_.

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
    TypeError, ValueError
        As :func:`~distill_helpers.losses.soft_targets.kd_loss`.

    References
    ----------
    .. [1] Y. Gu et al., "MiniLLM: knowledge distillation of large language models",
       ICLR 2024, arXiv:2306.08543.

    Examples
    --------
    >>> even, sure = torch.zeros(1, 2), torch.tensor([[4.0, 0.0]])
    >>> bool(reverse_kl_loss(even, sure) > reverse_kl_loss(sure, even))
    True
    """
    return batch_mean(
        divergence_parts(_reverse_kl), student_logits, teacher_logits, temperature
    )


def jensen_shannon_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
    beta: float = 0.5,
) -> torch.Tensor:
    r"""Return the Jensen-Shannon divergence [1]_ with a weight.

    .. math:: T^2 \bigl( \beta \, \mathrm{KL}(p \,\|\, m)
              + (1 - \beta) \, \mathrm{KL}(q \,\|\, m) \bigr),
              \qquad m = \beta p + (1 - \beta) q

    averaged over the batch. Before :math:`T^2` it is never above
    :math:`\log 2`, however far the two lie apart. At the ends it is a KL divergence
    by definition, forward for ``beta=0`` and reverse for ``beta=1``, as in
    :func:`~distill_helpers.losses.sequence.generalized_jsd_loss`.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, classes)
        Receives the gradient.
    teacher_logits : Tensor, shape (batch, classes)
        Receives none.
    temperature : float, default 1.0
        Softens both; greater than 0.
    beta : float, default 0.5
        Within [0, 1].

    Returns
    -------
    Tensor, shape ()
        Nats, in float32 at least; 0 when both are equal.

    Raises
    ------
    TypeError, ValueError
        As :func:`~distill_helpers.losses.soft_targets.kd_loss`, or if `beta` is out
        of range.

    Notes
    -----
    Near the teacher its gradient is :math:`\beta (1 - \beta)` times that of the KL
    divergence, a quarter by default: compare the two at learning rates of their own.

    References
    ----------
    .. [1] J. Lin, "Divergence measures based on the Shannon entropy", IEEE
       Transactions on Information Theory 37(1), 1991.

    Examples
    --------
    >>> apart = torch.tensor([[60.0, 0.0]]), torch.tensor([[0.0, 60.0]])
    >>> round(jensen_shannon_loss(*apart).item(), 4)
    0.6931
    """
    return batch_mean(
        divergence_parts(jensen_shannon(beta)),
        student_logits,
        teacher_logits,
        temperature,
    )


def alpha_divergence_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float = 1.0,
    order: float = 0.5,
) -> torch.Tensor:
    r"""Return the alpha divergence [1]_, a way from the reverse to the forward KL.

    .. math:: T^2 \; \frac{1 - \sum_c p_c^a \, q_c^{1 - a}}{a (1 - a)}

    averaged over the batch. Its limits are :math:`\mathrm{KL}(q \,\|\, p)` for
    ``order=0`` and :math:`\mathrm{KL}(p \,\|\, q)`, the usual loss, for ``order=1``;
    half way it is four times one minus the overlap :math:`\sum_c \sqrt{p_c q_c}`.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, classes)
        Receives the gradient.
    teacher_logits : Tensor, shape (batch, classes)
        Receives none.
    temperature : float, default 1.0
        Softens both; greater than 0.
    order : float, default 0.5
        The exponent :math:`a`, within [0, 1].

    Returns
    -------
    Tensor, shape ()
        In float32 at least; 0 when both are equal.

    Raises
    ------
    TypeError, ValueError
        As :func:`~distill_helpers.losses.soft_targets.kd_loss`, or if `order` is out
        of range.

    References
    ----------
    .. [1] S. Amari, "Alpha-divergence is unique, belonging to both f-divergence and
       Bregman divergence classes", IEEE Transactions on Information Theory 55(11),
       2009.

    Examples
    --------
    >>> z = torch.tensor([[2.0, 0.0, -1.0]])
    >>> abs(alpha_divergence_loss(z.clone(), z).item()) < 1e-6
    True
    """
    return batch_mean(
        divergence_parts(alpha_divergence(order)),
        student_logits,
        teacher_logits,
        temperature,
    )


# ------------------------------------------------------------ for named losses
def divergence_parts(divergence: Divergence) -> Parts:
    """Make a divergence between softmaxes the parts of a loss."""

    def parts(student_logits, teacher_logits, temperature, targets=None):
        student, teacher = soft_log_probabilities(
            student_logits, teacher_logits, temperature
        )
        return divergence(teacher, student)

    return parts


def coin_parts(divergence: Divergence) -> Parts:
    """Make a divergence the parts of a loss where each class is a coin of its own.

    Of a text's classes the mean, as in ``multi_label_kd_loss``.
    """

    def parts(student_logits, teacher_logits, temperature, targets=None):
        check_logit_pair(student_logits, teacher_logits)
        student = at_least_float32(student_logits)
        teacher = teacher_logits.detach().to(student.dtype)
        return divergence(_coins(teacher / temperature), _coins(student / temperature))

    return lambda *given: parts(*given).mean(-1)


def _coins(logits: torch.Tensor) -> torch.Tensor:
    return torch.stack([F.logsigmoid(logits), F.logsigmoid(-logits)], dim=-1)


def reverse_kl() -> Divergence:
    """Make the divergence of :func:`reverse_kl_loss`."""
    return _reverse_kl


def jensen_shannon(beta: float = 0.5) -> Divergence:
    """Make the divergence of :func:`jensen_shannon_loss`.

    Raises
    ------
    TypeError, ValueError
        If `beta` is no number within [0, 1].
    """
    check_number("beta", beta, least=0, most=1)
    if beta in (0, 1):
        return _reverse_kl if beta else kl_divergence

    def divergence(teacher, student):
        weights = student.new_tensor([beta, 1 - beta]).log()
        mixture = torch.logaddexp(teacher + weights[0], student + weights[1])
        return beta * kl_divergence(teacher, mixture) + (1 - beta) * kl_divergence(
            student, mixture
        )

    return divergence


def alpha_divergence(order: float = 0.5) -> Divergence:
    """Make the divergence of :func:`alpha_divergence_loss`.

    Raises
    ------
    TypeError, ValueError
        If `order` is no number within [0, 1].
    """
    check_number("order", order, least=0, most=1)
    if order in (0, 1):
        return kl_divergence if order else _reverse_kl
    # The same with both exchanged and 1 - order; so it never divides by a small 1 - a.
    small = min(order, 1 - order)

    def divergence(teacher, student):
        if order > small:
            return _small_order(student, teacher, small)
        return _small_order(teacher, student, small)

    return divergence


def _small_order(p: torch.Tensor, q: torch.Tensor, order: float) -> torch.Tensor:
    """The alpha divergence as a sum of q (1 - (p / q)^a): exact for orders near 0."""
    ratio = order * (p - q)
    near = ratio < 1
    some = q.exp() * torch.expm1(ratio.clamp(max=1))
    whole = (q + ratio).exp() - q.exp()  # where the exponential alone would overflow
    return -torch.where(near, some, whole).sum(-1) / (order * (1 - order))


def _reverse_kl(teacher: torch.Tensor, student: torch.Tensor) -> torch.Tensor:
    return kl_divergence(student, teacher)
