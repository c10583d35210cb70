"""The losses of knowledge distillation, as small functions that compose.

Everything is computed in float32, whatever the dtype of the logits, and no
gradient ever reaches the teacher.

References
----------
.. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural
   network", 2015, arXiv:1503.02531.
.. [2] A. Romero et al., "FitNets: hints for thin deep nets", ICLR 2015,
   arXiv:1412.6550.
.. [3] X. Jiao et al., "TinyBERT: distilling BERT for natural language
   understanding", Findings of EMNLP 2020, arXiv:1909.10351.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

NO_LABEL = -100
"""The label of an example that has none."""


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
    return _kd_sum(student_logits, teacher_logits, temperature) / len(student_logits)


def _kd_sum(student_logits, teacher_logits, temperature) -> torch.Tensor:
    student = F.log_softmax(student_logits.float() / temperature, dim=-1)
    teacher = F.log_softmax(teacher_logits.detach().float() / temperature, dim=-1)
    kl = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return kl * temperature**2


def labelled_cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, labelled: float | None = None
) -> torch.Tensor:
    """Return the cross-entropy of the examples that have a label.

    Parameters
    ----------
    logits : Tensor, shape (batch, classes)
    labels : Tensor of int64, shape (batch,)
        -100 where there is none.
    labelled : float, optional
        What the sum is divided by; by default the labels of this batch. May
        be a fraction: one process's share of the labels of all.

    Returns
    -------
    Tensor, shape ()
        Nats, float32; 0 if there is no label.
    """
    if labelled is None:
        labelled = int((labels != NO_LABEL).sum())
    total = F.cross_entropy(
        logits.float(), labels, ignore_index=NO_LABEL, reduction="sum"
    )
    return total / (labelled or 1)


class LossTerms(NamedTuple):
    """The parts of a distillation loss, each a scalar tensor."""

    total: torch.Tensor
    kd: torch.Tensor
    cross_entropy: torch.Tensor


class DistillationLoss(nn.Module):
    r"""Soft targets and hard labels in one loss.

    .. math:: \alpha \, T^2 \, \mathrm{KL}(p_t \,\|\, p_s)
              + (1 - \alpha) \, \mathrm{CE}(y, z_s)

    The KL term is a mean over all examples, the cross-entropy a mean over
    those that have a label.

    Parameters
    ----------
    temperature : float, default 2.0
        Greater than 0.
    alpha : float, default 0.5
        Weight of the soft targets, within [0, 1].

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.

    References
    ----------
    .. [1] Hinton et al., 2015, arXiv:1503.02531.

    Examples
    --------
    >>> import torch
    >>> loss = DistillationLoss(temperature=2.0, alpha=1.0)
    >>> logits = torch.tensor([[1.0, -1.0], [0.5, 0.0]])
    >>> loss(logits, logits, torch.tensor([0, -100])).item()
    0.0
    """

    def __init__(self, temperature: float = 2.0, alpha: float = 0.5) -> None:
        super().__init__()
        check_temperature(temperature)
        check_alpha(alpha)
        self.temperature = float(temperature)
        self.alpha = float(alpha)

    def forward(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the weighted sum of both terms.

        Parameters
        ----------
        student_logits, teacher_logits : Tensor, shape (batch, classes)
        labels : Tensor of int64, shape (batch,), optional
            Class numbers; -100 where an example has no label.

        Returns
        -------
        Tensor, shape ()
        """
        return self.terms(student_logits, teacher_logits, labels).total

    def terms(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None = None,
        *,
        examples: float | None = None,
        labelled: float | None = None,
    ) -> LossTerms:
        """Return the loss and its two parts.

        Parameters
        ----------
        student_logits, teacher_logits : Tensor, shape (batch, classes)
        labels : Tensor of int64, shape (batch,), optional
        examples, labelled : float, optional
            Divisors of the two sums, where this batch is one part of a larger
            one (gradient accumulation, several processes). By default the
            counts of this batch.

        Returns
        -------
        LossTerms
        """
        check_logit_pair(student_logits, teacher_logits)
        if labels is None:
            labels = student_logits.new_full(
                (len(student_logits),), NO_LABEL, dtype=torch.long
            )
        check_labels(labels, student_logits)
        examples = len(labels) if examples is None else examples
        kd = _kd_sum(student_logits, teacher_logits, self.temperature) / examples
        cross_entropy = labelled_cross_entropy(student_logits, labels, labelled)
        total = self.alpha * kd + (1 - self.alpha) * cross_entropy
        return LossTerms(total, kd, cross_entropy)

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}, alpha={self.alpha:g}"


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
        Mean over the real tokens and the teacher's width, float32.

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
    _check_floating("student_hidden", student_hidden, dimensions=3)
    _check_floating("teacher_hidden", teacher_hidden, dimensions=3)
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
    difference = projected.float() - teacher_hidden.detach().float()
    _check_finite("student_hidden", student_hidden[real])
    _check_finite("teacher_hidden", teacher_hidden[real])
    return difference[real].pow(2).mean()


def check_temperature(temperature: float) -> None:
    """Raise unless `temperature` is a finite number above 0."""
    _check_number("temperature", temperature)
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(
            f"temperature must be a finite number above 0, got {temperature!r}"
        )


def check_alpha(alpha: float) -> None:
    """Raise unless `alpha` is a number within [0, 1]."""
    _check_number("alpha", alpha)
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie in [0, 1], got {alpha!r}")


def check_logit_pair(
    student_logits: torch.Tensor, teacher_logits: torch.Tensor
) -> None:
    """Raise unless both are finite float tensors of one shape."""
    _check_floating("student_logits", student_logits, dimensions=2)
    _check_floating("teacher_logits", teacher_logits, dimensions=2)
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f"teacher_logits of shape {tuple(teacher_logits.shape)} must have"
            " the shape of student_logits (batch, classes),"
            f" {tuple(student_logits.shape)}"
        )
    if len(student_logits) < 1 or student_logits.shape[1] < 2:
        raise ValueError(
            "student_logits must hold at least one example and two classes,"
            f" got shape {tuple(student_logits.shape)}"
        )
    _check_finite("student_logits", student_logits)
    _check_finite("teacher_logits", teacher_logits)


def check_labels(labels: torch.Tensor, student_logits: torch.Tensor) -> None:
    """Raise unless every label is a class number or -100."""
    if not isinstance(labels, torch.Tensor):
        raise TypeError(f"labels must be a Tensor, got {type(labels).__name__}")
    if labels.dtype != torch.long:
        raise TypeError(f"labels must be int64 class numbers, got {labels.dtype}")
    batch, classes = student_logits.shape
    if labels.shape != (batch,):
        raise ValueError(
            f"labels must have shape ({batch},) as student_logits has {batch}"
            f" rows, got {tuple(labels.shape)}"
        )
    wrong = labels[(labels != NO_LABEL) & ((labels < 0) | (labels >= classes))]
    if len(wrong):
        raise ValueError(
            f"labels must lie in 0..{classes - 1} or be {NO_LABEL} for none,"
            f" got {int(wrong[0])}"
        )


def _check_number(name: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{name} must be a number, got {type(value).__name__}: {value!r}"
        )


def _check_floating(name: str, value, dimensions: int) -> None:
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} must be a Tensor, got {type(value).__name__}")
    if not value.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {value.dtype}")
    if value.ndim != dimensions:
        raise ValueError(
            f"{name} must have {dimensions} dimensions, got shape {tuple(value.shape)}"
        )


def _check_finite(name: str, value: torch.Tensor) -> None:
    if not torch.isfinite(value).all():
        bad = int((~torch.isfinite(value)).sum())
        raise ValueError(
            f"{name} must be finite, got {bad} NaN or infinite"
            f" value{'s' if bad > 1 else ''} of {value.numel()}"
        )
