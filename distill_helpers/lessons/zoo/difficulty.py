"""Which mistake is made in pacing, in weights and in a shuffle."""

from __future__ import annotations

from numbers import Real

import torch

from ...training.curriculum import pacing
from ...training.weighting import example_weights
from ..exercises.answers import call, same
from ..exercises.outcomes import Incorrect
from . import mistakes as known
from .probes import some_logits

LOOKS = 40


# -------------------------------------------------------------------- pacing
def examine_pacing(answer) -> str:
    """Examine ``f(done, start, full_at)``.

    The share of the texts in use once a share `done` of the training is over: from
    `start` in a straight line to 1, which it is from `full_at` on.
    """
    for start, full_at in ((0.2, 0.5), (0.4, 1.0)):
        _examine_pace(answer, start, full_at)
    return "It begins small, only grows, and lets every text in."


def _examine_pace(answer, start: float, full_at: float) -> None:
    right = pacing("linear", start, full_at)
    places = [place / LOOKS for place in range(LOOKS + 1)]
    shares = [
        _number(call(answer, done=done, start=start, full_at=full_at))
        for done in places
    ]
    at = f"start = {start:g} and full_at = {full_at:g}"
    if any(later < share - 1e-9 for share, later in zip(shares, shares[1:])):
        raise known.describe(
            [known.PACING_FALLS],
            f"{shares[0]:.3f} at first and {shares[-1]:.3f} at the end, with {at}",
            f"{start:g} at first and 1 at the end",
        )
    if shares[-1] < 1 - 1e-9:
        raise known.describe(
            [known.NEVER_FULL], f"{shares[-1]:.3f} at the end, with {at}", "1"
        )
    if max(shares) > 1 + 1e-9:
        raise known.describe(
            [known.MORE_THAN_ALL], f"{max(shares):.3f}, with {at}", "1 at most"
        )
    for done, share in zip(places, shares):
        if abs(share - right(done)) > 1e-6:
            raise Incorrect(
                "The share does not grow in a straight line from start to 1.",
                f"{share:.3f} at {done:g} of the training, with {at}",
                f"{right(done):.3f}",
                "the two ends of the line: `start` at 0, and 1 at `full_at`",
            )


def _number(value) -> float:
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise Incorrect(
            "Your function must return a share, one number.",
            given=type(value).__name__,
            expected="a number between 0 and 1",
            look="its last line: return",
        )
    return float(value)


# ------------------------------------------------------------------- weights
def examine_weights(answer) -> str:
    """Examine ``f(teacher_logits)``.

    A weight a text, in proportion to the gap between the two largest probabilities;
    their mean is 1.
    """
    for batch, classes in ((6, 3), (9, 5)):
        logits = some_logits(batch, classes, batch)
        weights = _row(call(answer, teacher_logits=logits), batch)
        _judge_weights(weights, logits)
    return "What the teacher is sure of counts more, and the learning rate stays."


def _judge_weights(weights: torch.Tensor, logits: torch.Tensor) -> None:
    right = torch.from_numpy(example_weights("margin", logits.numpy()))
    if same(weights, right):
        return
    if not torch.isfinite(weights).all() or (weights < 0).any():
        raise known.describe(
            [known.NEGATIVE_WEIGHT], f"{weights.min().item():.4f}", "0 at least"
        )
    mean = weights.mean()
    shape = weights / mean
    if same(shape, right):
        raise known.describe([known.MEAN_NOT_ONE], f"a mean of {mean:.4f}", "1")
    turned = torch.from_numpy(
        example_weights("margin", logits.numpy(), favour="unsure")
    )
    top = logits.topk(2).values
    of_logits = top[:, 0] - top[:, 1]
    scale = () if same(mean, torch.tensor(1.0)) else (known.MEAN_NOT_ONE,)
    if same(shape, turned):
        raise known.describe([known.UNSURE_COUNTS, *scale])
    if same(shape, of_logits / of_logits.mean()):
        raise known.describe([known.MARGIN_OF_LOGITS, *scale])
    raise Incorrect(
        "The weights do not follow the gap between the two largest probabilities.",
        str([round(value, 3) for value in weights.tolist()]),
        str([round(value, 3) for value in right.tolist()]),
        "one text by hand: softmax, the two largest, their difference",
    )


def _row(value, texts: int) -> torch.Tensor:
    value = torch.as_tensor(value) if not isinstance(value, str) else None
    if value is None or value.shape != (texts,):
        raise Incorrect(
            "Your function must return one weight a text.",
            given="text" if value is None else f"shape {tuple(value.shape)}",
            expected=f"shape ({texts},)",
            look="the dimension along which you take the largest",
        )
    return value.detach().float()


# ------------------------------------------------------------------- shuffle
def examine_shuffle(answer) -> str:
    """Examine ``f(teacher_logits, generator)``.

    The logits of all classes but each text's likeliest in a new order, text by text.
    """
    for seed in (1, 2):
        logits = some_logits(60, 5, seed)
        generator = torch.Generator().manual_seed(seed)
        given = call(answer, teacher_logits=logits, generator=generator)
        if not isinstance(given, torch.Tensor) or given.shape != logits.shape:
            raise Incorrect(
                "Your function must return logits of the shape that it was given.",
                expected=f"a tensor of shape {tuple(logits.shape)}",
                look="its last line: return",
            )
        _judge_shuffle(given.detach(), logits)
    return "Only which wrong class is likelier than which is lost."


def _judge_shuffle(given: torch.Tensor, logits: torch.Tensor) -> None:
    if not torch.equal(given.sort(1).values, logits.sort(1).values):
        raise known.describe([known.VALUES_CHANGED])
    moved = int((given.argmax(1) != logits.argmax(1)).sum())
    if moved:
        raise known.describe(
            [known.TOP_MOVED], f"{moved} of {len(logits)} texts", "none"
        )
    kept = int((given == logits).all(1).sum())
    if kept > len(logits) // 2:
        raise known.describe(
            [known.NOT_SHUFFLED], f"{kept} of {len(logits)} texts as they were"
        )
    # Where each text's second, third, ... of the wrong classes went.
    orders = {tuple(row) for row in _orders(given, logits).tolist()}
    if len(orders) < 8:
        raise known.describe(
            [known.ONE_ORDER], f"{len(orders)} orders for {len(logits)} texts"
        )


def _orders(given: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """From the places of the wrong classes to their new ones, shape (texts, C - 1)."""
    top = torch.nn.functional.one_hot(logits.argmax(1), logits.shape[1]).bool()
    before, after = (z[~top].view(len(z), -1) for z in (logits, given))
    return (after[:, :, None] == before[:, None, :]).int().argmax(2)
