"""The task's own loss, on those examples that have a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F

from ..data.labels import NO_LABEL
from .balance import check_weights, weights_like
from .logits import at_least_float32, check_floating, check_labels
from .weighted import WeightedLoss, count_labels

CROSS_ENTROPY = "cross_entropy"


def labelled_cross_entropy(
    logits: torch.Tensor,
    labels: torch.Tensor,
    labelled: float | None = None,
    class_weights: Sequence[float] | None = None,
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
    class_weights : sequence of float, length classes, optional
        What an example of each class counts. The sum is divided by the number of
        labels all the same, so weights whose mean over the examples is 1 keep
        the loss its size.

    Returns
    -------
    Tensor, shape ()
        Nats, in float32 at least; 0 if there is no label.

    Raises
    ------
    TypeError, ValueError
        If labels or weights do not fit the logits.
    """
    check_floating("logits", logits, dimensions=2)
    check_labels(labels, logits)
    if labelled is None:
        labelled = int((labels != NO_LABEL).sum())
    values = at_least_float32(logits)
    weights = weights_like(values, class_weights)
    total = F.cross_entropy(
        values, labels, weights, ignore_index=NO_LABEL, reduction="sum"
    )
    return total / (labelled or 1)


def weighted_cross_entropy(
    weight: float = 1.0, class_weights: Sequence[float] | None = None
) -> WeightedLoss:
    """Make :func:`labelled_cross_entropy` a loss of the trainer's list."""
    return label_loss(labelled_cross_entropy, weight, class_weights)


def label_loss(
    cross_entropy: Callable[..., torch.Tensor],
    weight: float,
    class_weights: Sequence[float] | None,
) -> WeightedLoss:
    """Make a cross-entropy with the labels a loss of the trainer's list.

    Parameters
    ----------
    cross_entropy : callable
        With the parameters of :func:`labelled_cross_entropy`.
    weight : float
    class_weights : sequence of float, length classes, or None

    Returns
    -------
    WeightedLoss
        ``cross_entropy`` by name, whatever the labels look like.
    """

    if class_weights is not None:
        check_weights(class_weights, len(class_weights))

    def function(outputs, batch, divisor):
        return cross_entropy(outputs.logits, batch["labels"], divisor, class_weights)

    return WeightedLoss(CROSS_ENTROPY, function, weight, count_labels)
