"""Texts that are kept from the students of lesson 06, to set thresholds with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...arguments import check_whole
from ...data.reviews import ReviewDict

if TYPE_CHECKING:
    from datasets import Dataset

FEWEST = 20
"""With fewer, a threshold would be chance."""


class HeldOut(NamedTuple):
    """What students may read, and what is kept from them."""

    train: Dataset
    transfer: Dataset
    texts: list[str]


def hold_out(reviews: ReviewDict, wanted: int) -> HeldOut:
    """Keep some texts from the students, unlabelled ones if there are enough.

    Parameters
    ----------
    reviews : ReviewDict
        Its parts ``train`` and ``transfer``.
    wanted : int
        Texts to keep; no more than half of the unlabelled ones are taken. Where
        that leaves fewer than :data:`FEWEST`, up to a quarter of the labelled ones
        stand in, without their labels.

    Returns
    -------
    HeldOut

    Raises
    ------
    ValueError
        If `wanted` is below 1.
    """
    check_whole("wanted", wanted, least=1)
    train, transfer = reviews["train"], reviews["transfer"]
    count = min(wanted, len(transfer) // 2)
    if count >= FEWEST:
        texts, transfer = _split(transfer, count)
    else:
        texts, train = _split(train, min(wanted, len(train) // 4))
    return HeldOut(train, transfer, texts)


def _split(part: Dataset, count: int) -> tuple[list[str], Dataset]:
    """Return the first texts of a part, and what is left of it."""
    return list(part["text"])[:count], part.select(range(count, len(part)))
