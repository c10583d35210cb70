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

from typing import NamedTuple

import torch
from torch import nn

from ..arguments import check_alpha, check_temperature
from ..data.labels import NO_LABEL
from .labels import labelled_cross_entropy
from .logits import check_labels, check_logit_pair
from .soft_targets import kd_sum


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
        kd = kd_sum(student_logits, teacher_logits, self.temperature) / examples
        cross_entropy = labelled_cross_entropy(student_logits, labels, labelled)
        total = self.alpha * kd + (1 - self.alpha) * cross_entropy
        return LossTerms(total, kd, cross_entropy)

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}, alpha={self.alpha:g}"
