"""The losses of knowledge distillation, as small functions that compose.

Everything is computed in float32 at least, whatever the dtype of the logits,
and no gradient ever reaches the teacher.

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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn

from ..arguments import check_alpha
from ..data.labels import NO_LABEL, ONE_LABEL, SEVERAL_LABELS, check_problem_type
from .labels import CROSS_ENTROPY, weighted_cross_entropy
from .named import KL
from .named import soft_loss as named_loss
from .several_labels import weighted_multi_label_cross_entropy
from .weighted import WeightedLoss, weighted_sum


def standard_losses(
    temperature: float,
    alpha: float,
    problem_type: str = ONE_LABEL,
    class_weights: Sequence[float] | None = None,
    *,
    soft_loss: str = KL,
    soft_loss_kwargs: Mapping | None = None,
) -> list[WeightedLoss]:
    """List soft targets and labels, as the trainer takes them.

    Parameters
    ----------
    temperature, alpha : float
        As for :class:`DistillationLoss`, which is the sum of these two.
    problem_type : str, default "single_label_classification"
        Or ``"multi_label_classification"``: several labels a text.
    class_weights : sequence of float, length classes, optional
        Of the classes in the cross-entropy; soft targets count as they come. See
        :func:`~distill_helpers.losses.balance.class_weights`.
    soft_loss : str, default "kl"
        What compares the soft targets, one of
        :data:`~distill_helpers.losses.named.SOFT_LOSSES`.
    soft_loss_kwargs : mapping, optional
        Its options; see :func:`~distill_helpers.losses.named.soft_loss`.

    Returns
    -------
    list of WeightedLoss
        ``kd`` (or what another soft loss is called) and ``cross_entropy``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range, or there is no such loss.
    """
    check_alpha(alpha)
    soft = named_loss(
        soft_loss, temperature, float(alpha), problem_type, soft_loss_kwargs
    )
    return [soft, _label_loss(problem_type)(1 - float(alpha), class_weights)]


def _label_loss(problem_type: str) -> Callable[..., WeightedLoss]:
    """Return what makes the loss of the labels for a task."""
    if check_problem_type(problem_type) == SEVERAL_LABELS:
        return weighted_multi_label_cross_entropy
    return weighted_cross_entropy


def usable(
    losses: Sequence[WeightedLoss], batch: Mapping, problem_type: str = ONE_LABEL
) -> list[WeightedLoss]:
    """Leave out the losses that need what a batch lacks.

    Where one is left out (the teacher did not speak, at evaluation mostly)
    the labels count in full: the cross-entropy with the weight 1.

    Returns
    -------
    list of WeightedLoss
        At least one.
    """
    present = [loss for loss in losses if loss.needs <= batch.keys()]
    if present and len(present) == len(losses):
        return present
    others = [loss for loss in present if loss.name != CROSS_ENTROPY]
    given = [loss for loss in losses if loss.name == CROSS_ENTROPY]
    labels = replace(given[0], weight=1.0) if given else _label_loss(problem_type)()
    return [labels, *others]


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
    problem_type : str, default "single_label_classification"
        With ``"multi_label_classification"`` each class has a sigmoid of its
        own; see :mod:`~distill_helpers.losses.several_labels`. Labels are then
        rows of 0 and 1, float, shape (batch, classes), of -100 for none.
    class_weights : sequence of float, length classes, optional
        See :func:`standard_losses`.

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

    def __init__(
        self,
        temperature: float = 2.0,
        alpha: float = 0.5,
        *,
        problem_type: str = ONE_LABEL,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        standard_losses(temperature, alpha, problem_type, class_weights)  # or refuse
        self.temperature = float(temperature)
        self.alpha = float(alpha)
        self.problem_type = problem_type
        self.class_weights = class_weights

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
        if labels is None:
            labels = self._no_labels(student_logits)
        total, terms = weighted_sum(
            self._losses(),
            SimpleNamespace(logits=student_logits),
            {"labels": labels, "teacher_logits": teacher_logits},
            {"kd": examples, CROSS_ENTROPY: labelled},
        )
        return LossTerms(total, **terms)

    def _losses(self) -> list[WeightedLoss]:
        return standard_losses(
            self.temperature, self.alpha, self.problem_type, self.class_weights
        )

    def _no_labels(self, logits: torch.Tensor) -> torch.Tensor:
        if self.problem_type == SEVERAL_LABELS:
            return torch.full_like(logits, NO_LABEL)
        return logits.new_full((len(logits),), NO_LABEL, dtype=torch.long)

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}, alpha={self.alpha:g}"
