"""A loss as the trainer takes it: name, function, weight.

A new loss is one small file beside this one that makes a
:class:`WeightedLoss`, and one entry in the list given to the trainer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import torch

from ..arguments import check_number, check_type
from ..data.labels import has_label

LOGGED_ANYWAY = frozenset({"loss", "grad_norm", "learning_rate", "epoch"})


def count_examples(batch: Mapping) -> int:
    """Return how many examples a batch holds."""
    return len(batch["labels"])


def count_labels(batch: Mapping) -> int:
    """Return how many examples of a batch have a label."""
    labels = check_type("labels", batch["labels"], torch.Tensor, "a Tensor")
    return int(has_label(labels).sum())


def count_tokens(batch: Mapping) -> int:
    """Return how many tokens of a batch are no padding."""
    return int(batch["attention_mask"].sum())


@dataclass(frozen=True)
class WeightedLoss:
    """One term of what a student is trained on.

    Attributes
    ----------
    name : str
        Under which its value, before the weight, is logged.
    function : callable
        Takes the student's outputs, the batch (a mapping from name to
        tensor) and a divisor; returns its sum over the batch, divided by
        that, as a scalar tensor. The divisor is what `count` gives for all
        batches of one update, on all processes: so do many small batches
        make the gradient of a large one.
    weight : float, default 1.0
        At least 0.
    count : callable, default :func:`count_examples`
        From a batch to a whole number: what the function's sum runs over.
    needs : frozenset of str
        Names that a batch must have besides ``labels``; without them the
        loss is left out, see :func:`~distill_helpers.losses.combined.usable`.
    asks : frozenset of str
        Flags that the student is called with, such as
        ``output_hidden_states``. A loss with any is left to training.

    Raises
    ------
    TypeError, ValueError
        If the weight is no number or below 0, or the name is taken by the
        log itself.

    Examples
    --------
    >>> def squared(outputs, batch, divisor):
    ...     gap = outputs.logits - batch["teacher_logits"]
    ...     return gap.pow(2).sum() / divisor
    >>> loss = WeightedLoss("squared", squared, 0.5, needs={"teacher_logits"})
    >>> loss.weight
    0.5
    """

    name: str
    function: Callable[[Any, Mapping, float], torch.Tensor]
    weight: float = 1.0
    count: Callable[[Mapping], int] = count_examples
    needs: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_number("weight", self.weight, least=0)
        if self.name in LOGGED_ANYWAY:
            raise ValueError(
                f"name must be none of {sorted(LOGGED_ANYWAY)}, which the log"
                f" holds anyway, got {self.name!r}"
            )


def weighted_sum(
    losses: Sequence[WeightedLoss],
    outputs,
    batch: Mapping,
    divisors: Mapping[str, float] | None = None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Add up some losses.

    Parameters
    ----------
    losses : sequence of WeightedLoss
    outputs : ModelOutput
        The student's.
    batch : mapping of str to Tensor
    divisors : mapping of str to float, optional
        By the losses' names; by default what this batch alone counts.

    Returns
    -------
    (Tensor, dict of str to Tensor)
        The weighted sum, and each loss without its weight.
    """
    divisors = divisors or {}
    terms = {}
    for loss in losses:
        divisor = divisors.get(loss.name)
        if divisor is None:
            divisor = loss.count(batch)
        terms[loss.name] = loss.function(outputs, batch, divisor or 1)
    return reduce(add, (loss.weight * terms[loss.name] for loss in losses)), terms
