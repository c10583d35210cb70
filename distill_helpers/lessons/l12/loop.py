"""A training of seconds, in the plainest loop.

It updates a student as ``DistillationTrainer`` does, with the same losses and the same
data set, and leaves out what a training of seconds can do without: checkpoints, logs,
several devices, batches that come one example at a time. A test holds both to the same
weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from transformers import get_cosine_schedule_with_warmup

from ...data.encoding import EncodedReviews
from ...evaluation.predict import accepted_names, for_student
from ...losses.combined import usable
from ...losses.weighted import WeightedLoss, weighted_sum
from ...training.task import DivergedError

WEIGHT_DECAY, WARM_UP, LONGEST_GRADIENT = 0.01, 0.1, 1.0
"""Of weights that are no biases and no scales; share of the updates; a norm."""


def train_plainly(
    student: nn.Module,
    reads: EncodedReviews,
    losses: Sequence[WeightedLoss],
    steps: int,
    rate: float,
    batch_size: int,
    seed: int,
    beside: Sequence[nn.Module] = (),
) -> nn.Module:
    """Train a student on a data set whose texts are all of one length.

    Parameters
    ----------
    student : Module
        A model that returns what the losses ask for; changed in place.
    reads : EncodedReviews
    losses : sequence of WeightedLoss
        Those that need what `reads` lacks are left out, see
        :func:`~distill_helpers.losses.combined.usable`.
    steps : int
        Updates, the first tenth of them to warm up; then the rate falls as a cosine.
    rate : float
        The learning rate at its height.
    batch_size : int
        Or all that there is, if that is less.
    seed : int
        Of the order of the examples.
    beside : sequence of Module
        What else learns, such as the projection of a loss.

    Returns
    -------
    Module
        The student, in evaluation mode.

    Raises
    ------
    DivergedError
        If a weight ends as no number.
    """
    columns = whole_columns(reads)
    losses = usable(losses, columns)
    flags = {flag: True for loss in losses for flag in loss.asks}
    accepted = accepted_names(student)
    learners = [student.train(), *beside]
    with_decay, without = _flat_groups(learners)
    optimizer, schedule = _optimizer(with_decay, without, rate, steps)
    for rows in _batches(len(reads), batch_size, steps, seed):
        batch = {name: column[rows] for name, column in columns.items()}
        outputs = student(**for_student(batch, accepted), **flags)
        loss, _ = weighted_sum(losses, outputs, batch)
        loss.backward()
        nn.utils.clip_grad_norm_([with_decay, without], LONGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=False)
    _unflatten(learners)
    return student.eval()


def whole_columns(reads: EncodedReviews) -> dict[str, torch.Tensor]:
    """Return a data set as one tensor a column, laid out once instead of each update.

    Raises
    ------
    ValueError
        If the texts are not all of one length.
    """
    lengths = set(reads.lengths)
    if len(lengths) != 1:
        raise ValueError(
            "reads must hold texts of one length, as cards are, got lengths from"
            f" {min(lengths, default=0)} to {max(lengths, default=0)}"
        )
    columns = {"input_ids": reads.token_ids, "labels": reads.labels, **reads.tensors}
    if reads.teacher_logits is not None:
        columns["teacher_logits"] = reads.teacher_logits
    return {name: torch.from_numpy(np.asarray(v)) for name, v in columns.items()}


def _batches(count: int, size: int, steps: int, seed: int) -> Iterator[torch.Tensor]:
    """Yield the rows of each batch: every example once before any comes again."""
    chance = torch.Generator().manual_seed(seed)
    size = min(size, count)
    order, start = torch.randperm(count, generator=chance), 0
    for _ in range(steps):
        if start + size > count:
            order, start = torch.randperm(count, generator=chance), 0
        yield order[start : start + size]
        start += size


# One tensor instead of sixty: most of an optimiser's time on a model this small goes
# into reaching its tensors one by one.
def _flat_groups(modules: Sequence[nn.Module]) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay all weights out in two tensors: those that decay, and those that do not."""
    weights = [weight for module in modules for weight in module.parameters()]
    decaying = [weight for weight in weights if weight.ndim > 1]
    return _flat(decaying), _flat([weight for weight in weights if weight.ndim <= 1])


def _flat(weights: Sequence[nn.Parameter]) -> torch.Tensor:
    """Make weights and their gradients views of one tensor, and return that."""
    flat = torch.cat([weight.detach().flatten() for weight in weights])
    flat.grad = torch.zeros_like(flat)
    start = 0
    for weight in weights:
        own = slice(start, start + weight.numel())
        weight.data = flat[own].view_as(weight)
        weight.grad = flat.grad[own].view_as(weight)
        start = own.stop
    return flat


def _unflatten(modules: Sequence[nn.Module]) -> None:
    """Give each weight a memory of its own again, and see that it is a number."""
    for module in modules:
        for name, weight in module.named_parameters():
            weight.data, weight.grad = weight.data.clone(), None
            if not torch.isfinite(weight).all():
                raise DivergedError(f"the student diverged: {name} holds NaN or inf")


def _optimizer(
    with_decay: torch.Tensor, without: torch.Tensor, rate: float, steps: int
) -> tuple[torch.optim.Optimizer, LRScheduler]:
    groups = [
        {"params": [with_decay], "weight_decay": WEIGHT_DECAY},
        {"params": [without], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, rate, fused=True)
    warm_up = math.ceil(WARM_UP * steps)
    return optimizer, get_cosine_schedule_with_warmup(optimizer, warm_up, steps)
