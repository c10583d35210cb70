"""The loss between attention maps: a student learns where its teacher looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ..arguments import check_choice, check_type, check_whole
from .logits import at_least_float32, check_floating
from .weighted import WeightedLoss

HEADS = ("averaged", "matched")
MAPS, MAPS_MASK = "teacher_attention", "teacher_attention_mask"
"""Columns of a batch: a teacher's maps, and the words whose look counts."""
_LEAST = 1e-9  # of a probability, before its logarithm


def attention_map_loss(
    student_maps: torch.Tensor,
    teacher_maps: torch.Tensor,
    mask: torch.Tensor | None = None,
    heads: str = "averaged",
) -> torch.Tensor:
    r"""Return how differently two models look, KL(teacher || student) [1]_, [2]_.

    Each query (a word) has a distribution over the keys (cells of a picture). The loss
    is the mean over the queries that count.

    Parameters
    ----------
    student_maps, teacher_maps : Tensor, shape (batch, heads, queries, keys)
        Behind the softmax, so that each row sums to 1. Or (batch, queries, keys) where
        the heads are averaged already. The teacher's receive no gradient.
    mask : Tensor, shape (batch, queries), optional
        1 where a query counts: 0 for padding, and for every word of an example whose
        picture is missing. By default all count.
    heads : {"averaged", "matched"}
        Compare the means over the heads, of which both may have different numbers, or
        each head with that of the same place.

    Returns
    -------
    Tensor, shape ()
        Nats, in float32 at least; 0 where nothing counts.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes do not fit, or rows of the teacher do not sum to 1.

    References
    ----------
    .. [1] S. Zagoruyko, N. Komodakis, "Paying more attention to attention", ICLR 2017,
       arXiv:1612.03928: maps as what is passed on.
    .. [2] W. Wang et al., "MiniLM", NeurIPS 2020, arXiv:2002.10957: the KL divergence
       between attention distributions.

    Examples
    --------
    >>> looks = torch.tensor([[[0.5, 0.5]]])
    >>> attention_map_loss(looks, torch.tensor([[[1.0, 0.0]]])).item()  # ln 2
    0.6931471824645996
    """
    student, teacher = _pair(student_maps, teacher_maps, heads)
    mask = _checked_mask(mask, student)
    parts = _divergence(student, teacher)
    counted = mask.to(parts.dtype)
    if parts.ndim == 3:  # (batch, heads, queries)
        parts = parts.mean(1)
    return (parts * counted).sum() / counted.sum().clamp(min=1)


def weighted_maps(
    weight: float = 1.0,
    layers: Sequence[tuple[int, int]] = ((0, 0), (1, 1)),
    heads: str = "averaged",
) -> WeightedLoss:
    """Make :func:`attention_map_loss` a loss of the trainer's list.

    Parameters
    ----------
    weight : float, default 1.0
    layers : sequence of (int, int)
        Which of the student's layers learns from which of the teacher's.
    heads : {"averaged", "matched"}

    Returns
    -------
    WeightedLoss
        Asks the student for ``cross_attentions``, which it must return with
        ``output_attentions=True``; needs the column ``teacher_attention`` of shape
        (batch, layers, queries, keys), or (batch, layers, heads, queries, keys), and
        ``teacher_attention_mask`` of shape (batch, queries). A mean over the pairs of
        layers.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range.
    """
    check_choice("heads", heads, HEADS)
    pairs = [tuple(pair) for pair in layers]
    if not pairs:
        raise ValueError("layers must hold at least one pair, got none")
    for pair in pairs:
        for layer in pair:
            check_whole("layers", layer, least=0)

    def function(outputs, batch: Mapping, divisor: float) -> torch.Tensor:
        mask, total = batch[MAPS_MASK], 0.0
        for ours, theirs in pairs:
            found = attention_map_loss(
                outputs.cross_attentions[ours], batch[MAPS][:, theirs], mask, heads
            )
            total = total + found
        return total * (count_looks(batch) / divisor / len(pairs))

    return WeightedLoss(
        "maps",
        function,
        weight,
        count=count_looks,
        needs=frozenset({MAPS, MAPS_MASK}),
        asks=frozenset({"output_attentions"}),
    )


def count_looks(batch: Mapping) -> int:
    """Return how many words of a batch have a look that counts."""
    return int(batch[MAPS_MASK].sum())


def _divergence(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """KL(teacher || student) over the keys; 0 log 0 is 0."""
    gap = teacher.clamp(min=_LEAST).log() - student.clamp(min=_LEAST).log()
    return (teacher * gap).sum(-1)


def _pair(student, teacher, heads: str):
    check_choice("heads", heads, HEADS)
    for name, maps in (("student_maps", student), ("teacher_maps", teacher)):
        check_type(name, maps, torch.Tensor, "a Tensor")
        check_floating(name, maps, dimensions=3 if maps.ndim == 3 else 4)
    if heads == "averaged":
        student, teacher = (m.mean(1) if m.ndim == 4 else m for m in (student, teacher))
    if student.shape != teacher.shape:
        raise ValueError(
            f"student_maps of shape {tuple(student.shape)} do not match teacher_maps of"
            f" shape {tuple(teacher.shape)}"
            f"{' (heads averaged)' if heads == 'averaged' else ''}: both must read the"
            " same examples, words and cells"
            + (", with as many heads" if heads == "matched" else "")
        )
    student = at_least_float32(student)
    teacher = teacher.detach().to(student.dtype)
    off = (teacher.sum(-1) - 1).abs().max() if teacher.numel() else 0.0
    if not off < 1e-3:
        raise ValueError(
            "teacher_maps must be shares that sum to 1 over the keys, got a row that is"
            f" off by {float(off):.3g}: take them behind the softmax"
        )
    return student, teacher


def _checked_mask(mask, maps: torch.Tensor) -> torch.Tensor:
    shape = (maps.shape[0], maps.shape[-2])
    if mask is None:
        return maps.new_ones(shape)
    if tuple(mask.shape) != shape:
        raise ValueError(
            f"mask must have the shape {shape} (batch, queries), got"
            f" {tuple(mask.shape)}"
        )
    return mask
