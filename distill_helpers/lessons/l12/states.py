"""Lesson 12: the loss between what two readers make of each word."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from ...data.encoding import EncodedReviews
from ...losses.hidden import hidden_state_loss
from ...losses.weighted import WeightedLoss
from ...students.card_reading import PAD_ID, looking

STATES, STATES_MASK = "teacher_states", "teacher_states_mask"
"""Columns of a batch: a teacher's last states, and the words that are no padding."""


def with_states(reads: EncodedReviews, states: np.ndarray) -> EncodedReviews:
    """Add a teacher's states to what a student reads.

    Parameters
    ----------
    reads : EncodedReviews
        Of :func:`~distill_helpers.students.encode_cards`.
    states : ndarray, shape (cards, 8, width)
        Behind the teacher's last block: of the answer token and the question's words.

    Returns
    -------
    EncodedReviews
    """
    words = looking(np.asarray(reads.token_ids)) != PAD_ID
    return reads.changed(**{STATES: states, STATES_MASK: words})


def projection(width: int, teacher_width: int, seed: int) -> nn.Linear:
    """Make the map from a student's states to its teacher's, which learns too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(width, teacher_width)


def weighted_states(bridge: nn.Module, weight: float) -> WeightedLoss:
    """Make the loss between last states one of a trainer's list.

    Parameters
    ----------
    bridge : Module
        From the student's width to the teacher's.
    weight : float

    Returns
    -------
    WeightedLoss
        Asks for ``hidden_states``; needs the columns of :func:`with_states`. Mean
        squared error, see :func:`~distill_helpers.losses.hidden.hidden_state_loss`.
    """

    def function(outputs, batch: Mapping, divisor: float) -> torch.Tensor:
        found = hidden_state_loss(
            outputs.hidden_states[-1], batch[STATES], batch[STATES_MASK], bridge
        )
        return found * (_count(batch) / divisor)

    return WeightedLoss(
        "states",
        function,
        weight,
        count=_count,
        needs=frozenset({STATES, STATES_MASK}),
        asks=frozenset({"output_hidden_states"}),
    )


def _count(batch: Mapping) -> int:
    return int(batch[STATES_MASK].sum())
