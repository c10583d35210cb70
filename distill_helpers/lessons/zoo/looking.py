"""Which mistake is made in cross-attention, in a loss on maps, in modality dropout."""

from __future__ import annotations

import torch

from ...losses.attention import attention_map_loss
from ..exercises.answers import call, same, scalar
from ..exercises.outcomes import Incorrect
from . import mistakes as known

CARDS = 400  # that lose senses in a probe


# ----------------------------------------------------------- cross-attention
def examine_attention(answer) -> str:
    """Examine ``f(queries, keys, values)``, which returns new states and a map."""
    for seed in (1, 2):
        chance = torch.Generator().manual_seed(seed)
        # As many words as cells, so that a swap has the right shape.
        queries, keys, values = (
            torch.randn(5, width, generator=chance) for width in (16, 16, 3)
        )
        given = call(answer, queries=queries, keys=keys, values=values)
        _judge_attention(given, queries, keys, values)
    return "Each word spends one whole look on the cells, where its query fits a key."


def _judge_attention(given, queries, keys, values) -> None:
    states, look = _two_tensors(given, (5, 3), (5, 5))
    scores, scale = queries @ keys.T, queries.shape[-1] ** 0.5
    right = (scores / scale).softmax(-1)
    candidates = {
        known.UNSCALED: scores.softmax(-1),
        known.OVER_WORDS: (scores / scale).softmax(0),
        known.ROLES_SWAPPED: (scores.T / scale).softmax(-1),
    }
    for mistake, wrong in candidates.items():
        if same(look, wrong):
            raise known.describe([mistake])
    if not same(look, right):
        raise Incorrect(
            "The map is not that of scaled dot-product attention.",
            str([round(x, 3) for x in look[0].tolist()]),
            str([round(x, 3) for x in right[0].tolist()]),
            "one row by hand: the products, divided, then the softmax",
        )
    if not same(states, right @ values):
        raise Incorrect(
            "The map is right, but the new states are not its mean of the values.",
            look="the last product: map @ values",
        )


def _two_tensors(given, *shapes):
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    if not pair or not all(isinstance(value, torch.Tensor) for value in given):
        raise Incorrect(
            "Your function must return two tensors.",
            given=type(given).__name__,
            expected="a pair of tensors",
            look="its last line: return first, second",
        )
    for value, shape in zip(given, shapes):
        if tuple(value.shape) != shape:
            raise Incorrect(
                "One of the two tensors has another shape.",
                str(tuple(value.shape)),
                str(shape),
                "what a row stands for, and what a column",
            )
    return [value.detach().float() for value in given]


# -------------------------------------------------------------- loss on maps
def examine_map_loss(answer) -> str:
    """Examine ``f(student_map, teacher_map, mask)``."""
    for seed in (3, 4):
        chance = torch.Generator().manual_seed(seed)
        student, teacher = (
            torch.randn(2, 4, 7, generator=chance).softmax(-1) for _ in range(2)
        )
        mask = torch.tensor([[1.0, 1, 1, 0], [1, 1, 0, 0]])
        value = scalar(
            call(answer, student_map=student, teacher_map=teacher, mask=mask)
        )
        _judge_map_loss(value.detach(), student, teacher, mask)
    learns = torch.randn(1, 3, 7, generator=chance).requires_grad_()
    loss = scalar(
        call(
            answer,
            student_map=learns.softmax(-1),
            teacher_map=teacher[:1, :3],
            mask=torch.ones(1, 3),
        )
    )
    if not loss.requires_grad:
        raise Incorrect(
            "No gradient reaches the student.", look="detach(), .item() and no_grad()"
        )
    return "Zero where both look alike, and padding has no say."


def _judge_map_loss(value, student, teacher, mask) -> None:
    def parts(p, q):
        return (p * (p / q).log()).sum(-1)

    right = attention_map_loss(student, teacher, mask)
    forward, backward = parts(teacher, student), parts(student, teacher)
    candidates = {
        known.MAP_PADDING: forward.mean(),
        known.MAP_DIVISOR: (forward * mask).mean(),
        known.MAP_SIDES: (backward * mask).sum() / mask.sum(),
    }
    if same(value, right):
        return
    for mistake, wrong in candidates.items():
        if same(value, wrong):
            raise known.describe([mistake], f"{value:.4f}", f"{right:.4f}")
    raise Incorrect(
        "The value is not the mean KL divergence of the words that count.",
        f"{value:.4f}",
        f"{right:.4f}",
        "one word by hand: teacher * log(teacher / student), summed over the cells",
    )


# ---------------------------------------------------------- modality dropout
def examine_dropout(answer) -> str:
    """Examine ``f(count, share, generator)``: who loses the picture, who the copy."""
    share = 0.3
    chance = torch.Generator().manual_seed(5)
    given = call(answer, count=CARDS, share=share, generator=chance)
    first, second = (lost.bool() for lost in _two_tensors(given, (CARDS,), (CARDS,)))
    if (first & second).any():
        raise known.describe(
            [known.BOTH_SENSES_LOST], f"{int((first & second).sum())} cards", "none"
        )
    rates = [lost.float().mean().item() for lost in (first, second)]
    told = " and ".join(f"{rate:.2f}" for rate in rates)
    if max(rates) == 1 or max(rates) == 0:
        raise known.describe([known.WHOLE_BATCH], told, f"about {share} each")
    if min(rates) == 0:
        raise known.describe([known.ONE_SENSE], told, f"about {share} each")
    if max(abs(rate - share) for rate in rates) > 0.1:
        raise Incorrect(
            "The senses are not lost as often as `share` says.",
            told,
            f"about {share} each",
            "which random numbers lie below the share, and which above 1 - share",
        )
    return "Each sense is missed now and then, and one is always there."
