"""Losses on the tokens of a text: of the next one, and between two who foresee it.

Only tokens with a label count: a prompt and padding are -100.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional as F

from ..arguments import check_number, check_temperature, check_type
from ..data.labels import NO_LABEL
from .divergence import jensen_shannon
from .logits import at_least_float32, check_finite, check_floating
from .weighted import WeightedLoss


def next_tokens(
    logits: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Put each token beside the logits that foresaw it.

    Parameters
    ----------
    logits : Tensor, shape (batch, length, vocabulary)
        Those at a place foresee the token one place on.
    labels : Tensor of int64, shape (batch, length)

    Returns
    -------
    logits : Tensor, shape (batch, length - 1, vocabulary)
    labels : Tensor of int64, shape (batch, length - 1)

    Examples
    --------
    >>> logits, labels = torch.zeros(1, 3, 5), torch.tensor([[-100, 4, 2]])
    >>> next_tokens(logits, labels)[1].tolist()
    [[4, 2]]
    """
    return logits[:, :-1], labels[:, 1:]


def generalized_jsd_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    labels: torch.Tensor | None = None,
    beta: float = 0.5,
    temperature: float = 1.0,
    *,
    tokens: float | None = None,
) -> torch.Tensor:
    r"""Return the generalised Jensen-Shannon divergence of Agarwal et al. [1]_.

    With the mixture :math:`m = \beta p_t + (1 - \beta) p_s` of both distributions
    of the next token:

    .. math:: \beta \, \mathrm{KL}(p_t \,\|\, m)
              + (1 - \beta) \, \mathrm{KL}(p_s \,\|\, m)

    At the ends it is a KL divergence by definition: :math:`\mathrm{KL}(p_t \,\|\,
    p_s)`, forward, for ``beta=0`` and :math:`\mathrm{KL}(p_s \,\|\, p_t)`, reverse,
    for ``beta=1``. The same numbers as TRL's loss of this name, which has no factor
    :math:`T^2` either.

    Parameters
    ----------
    student_logits : Tensor, shape (batch, length, vocabulary)
        Receives the gradient.
    teacher_logits : Tensor, shape (batch, length, vocabulary)
        Receives none.
    labels : Tensor of int64, shape (batch, length), optional
        -100 where a place does not count; each beside the logits that foresaw it,
        as :func:`next_tokens` puts them. By default every place counts.
    beta : float, default 0.5
        Within [0, 1].
    temperature : float, default 1.0
        Softens both distributions; greater than 0.
    tokens : float, optional
        What the sum is divided by, where this batch is one part of a larger one
        (accumulated gradients, several processes); by default the places that
        count in this batch.

    Returns
    -------
    Tensor, shape ()
        Nats per token, in float32 at least; 0 where both foresee the same, or
        nothing counts.

    Raises
    ------
    TypeError
        If an argument has the wrong type or dtype.
    ValueError
        If shapes or vocabularies differ, a logit that counts is not finite, or a
        number is out of range.

    References
    ----------
    .. [1] R. Agarwal et al., "On-policy distillation of language models", ICLR
       2024, arXiv:2306.13649.

    Examples
    --------
    >>> teacher = torch.tensor([[[2.0, 0.0, -1.0]]])
    >>> abs(generalized_jsd_loss(teacher.clone(), teacher).item()) < 1e-6
    True
    """
    divergence = jensen_shannon(beta)
    check_temperature(temperature)
    _check_pair(student_logits, teacher_logits)
    if labels is None:
        labels = student_logits.new_zeros(student_logits.shape[:2], dtype=torch.long)
    _check_labels(labels, student_logits)
    counts = labels != NO_LABEL
    # Chosen first: a long prompt then costs no softmax over the vocabulary.
    student, teacher = student_logits[counts], teacher_logits[counts]
    check_finite("student_logits", student)
    check_finite("teacher_logits", teacher)
    student = at_least_float32(student)
    teacher = teacher.detach().to(student.dtype)
    total = divergence(
        F.log_softmax(teacher / temperature, dim=-1),
        F.log_softmax(student / temperature, dim=-1),
    ).sum()
    return total / (_count(counts) if tokens is None else tokens)


def token_cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, tokens: float | None = None
) -> torch.Tensor:
    """Return the cross-entropy of the tokens that have a label.

    Parameters
    ----------
    logits : Tensor, shape (batch, length, vocabulary)
    labels : Tensor of int64, shape (batch, length)
        Token ids, -100 where a place does not count; each beside the logits that
        foresaw it, as :func:`next_tokens` puts them.
    tokens : float, optional
        What the sum is divided by; by default the places that count in this batch.

    Returns
    -------
    Tensor, shape ()
        Nats per token, in float32 at least; 0 where nothing counts.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, or a label is no token of the vocabulary.
    """
    check_floating("logits", logits, dimensions=3)
    _check_labels(labels, logits)
    counts = labels != NO_LABEL
    values, wanted = at_least_float32(logits[counts]), labels[counts]
    vocabulary = logits.shape[-1]
    wrong = wanted[(wanted < 0) | (wanted >= vocabulary)]
    if len(wrong):
        raise ValueError(
            f"labels must lie in 0..{vocabulary - 1} or be {NO_LABEL} where a token"
            f" does not count, got {int(wrong[0])}"
        )
    total = F.cross_entropy(values, wanted, reduction="sum")
    return total / (_count(counts) if tokens is None else tokens)


# ------------------------------------------------ as the trainer takes them
def count_next_tokens(batch: Mapping) -> int:
    """Return how many tokens of a batch are learned: the first has no one before."""
    return int((batch["labels"][:, 1:] != NO_LABEL).sum())


def weighted_jsd(
    beta: float = 0.5, temperature: float = 1.0, weight: float = 1.0
) -> WeightedLoss:
    """Make :func:`generalized_jsd_loss` a loss of the trainer's list, ``jsd`` by name.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number or out of range.
    """
    check_number("beta", beta, least=0, most=1)
    check_temperature(temperature)

    def function(outputs, batch, divisor):
        student, labels = next_tokens(outputs.logits, batch["labels"])
        teacher = batch["teacher_logits"][:, :-1]
        return generalized_jsd_loss(
            student, teacher, labels, beta, temperature, tokens=divisor
        )

    return WeightedLoss(
        "jsd", function, weight, count_next_tokens, frozenset({"teacher_logits"})
    )


def weighted_token_cross_entropy(weight: float = 1.0) -> WeightedLoss:
    """Make :func:`token_cross_entropy` a loss of the trainer's list.

    ``cross_entropy`` by name.
    """

    def function(outputs, batch, divisor):
        return token_cross_entropy(
            *next_tokens(outputs.logits, batch["labels"]), tokens=divisor
        )

    return WeightedLoss("cross_entropy", function, weight, count_next_tokens)


def _count(counts: torch.Tensor) -> int:
    return int(counts.sum()) or 1


def _check_pair(student: torch.Tensor, teacher: torch.Tensor) -> None:
    check_floating("student_logits", student, dimensions=3)
    check_floating("teacher_logits", teacher, dimensions=3)
    if student.shape[-1] != teacher.shape[-1]:
        raise ValueError(
            "student and teacher write with other vocabularies, of"
            f" {student.shape[-1]} and {teacher.shape[-1]} tokens: token by token they"
            " cannot be compared; let the student learn the teacher's texts instead"
        )
    if student.shape != teacher.shape:
        raise ValueError(
            f"teacher_logits of shape {tuple(teacher.shape)} must have the shape of"
            f" student_logits (batch, length, vocabulary), {tuple(student.shape)}"
        )


def _check_labels(labels: torch.Tensor, logits: torch.Tensor) -> None:
    check_type("labels", labels, torch.Tensor, "a Tensor")
    if labels.dtype != torch.long:
        raise TypeError(f"labels must be int64 token ids, got {labels.dtype}")
    if labels.shape != logits.shape[:2]:
        raise ValueError(
            f"labels must have the shape (batch, length) of the logits,"
            f" {tuple(logits.shape[:2])}, got {tuple(labels.shape)}"
        )
