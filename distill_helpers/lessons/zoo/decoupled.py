"""Which mistake a decoupled loss makes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch.nn import functional as F

from ...losses.decoupled import decoupled_kd_loss
from ..exercises.answers import call, scalar
from ..exercises.outcomes import Incorrect
from . import mistakes as known
from .probes import gradient_of, name_mistakes, same_gradients, some_logits

_OTHERS = {
    "among themselves": (),
    "as they are": (known.NOT_RENORMALISED,),
    "coupled": (known.COUPLED,),
    "all classes": (known.TARGET_KEPT,),
}
_SCALES = {2: (), 0: (known.NO_SQUARE,), 1: (known.ONE_T,)}
_REDUCTIONS = {"batchmean": (), "sum": (known.SUM,)}


def examine_decoupled(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, targets, temperature, alpha, beta)``.

    T^2 times alpha times the target class against the others together, and beta times
    the others among themselves; a mean over the batch.
    """

    def loss(student, teacher, targets, temperature, alpha, beta):
        return call(
            answer,
            student_logits=student,
            teacher_logits=teacher,
            targets=targets.clone(),
            temperature=temperature,
            alpha=alpha,
            beta=beta,
        )

    probes = [_probe(5, 4, 1, 2.7, 1.0, 3.0), _probe(3, 6, 3, 1.7, 2.0, 0.5)]
    values = [scalar(loss(*probe)) for probe in probes]
    given, right = f"{values[0].item():.4f}", f"{_right(*probes[0]).item():.4f}"
    if not all(torch.isfinite(value) for value in values):
        raise known.describe([known.NOT_A_NUMBER], given, right)
    mistakes = name_mistakes(values, [list(_candidates(*probe)) for probe in probes])
    if mistakes:
        raise known.describe(mistakes, given, right)
    if mistakes is None:
        raise Incorrect(
            "The value is not that of the decoupled loss.",
            given,
            right,
            "one text of three classes, by hand: first the two numbers p and 1 - p,"
            " then the two others divided by their sum",
        )
    _check_gradients(loss, probes[0])
    return "Both terms stand alone, and each weighs what it should."


def _probe(batch, classes, seed, temperature, alpha, beta):
    student, teacher = (some_logits(batch, classes, seed + n) for n in (0, 1))
    return student, teacher, torch.arange(batch) % classes, temperature, alpha, beta


def _right(student, teacher, targets, temperature, alpha, beta) -> torch.Tensor:
    return decoupled_kd_loss(student, teacher, temperature, alpha, beta, targets)


def _candidates(
    student, teacher, targets, temperature, alpha, beta
) -> Iterator[tuple[tuple[known.Mistake, ...], torch.Tensor]]:
    for turned in (False, True):
        both = (teacher, student) if turned else (student, teacher)
        q, p = (F.log_softmax(z / temperature, -1) for z in both)
        hit = F.one_hot(targets, student.shape[1]).bool()
        target = _kl(*(_two(z, hit) for z in (q, p)))
        others = _others(q, p, hit)
        way = (known.SWAPPED,) if turned else ()
        for form, swapped, scale, reduction in product(
            _OTHERS, (False, True), _SCALES, _REDUCTIONS
        ):
            first, second = (beta, alpha) if swapped else (alpha, beta)
            rows = (first * target + second * others[form]) * temperature**scale
            value = rows.mean() if reduction == "batchmean" else rows.sum()
            exchanged = (known.BETA_SWAPPED,) if swapped else ()
            made = way + _OTHERS[form] + exchanged + _SCALES[scale]
            yield made + _REDUCTIONS[reduction], value


def _others(q, p, hit) -> dict[str, torch.Tensor]:
    """The second term as it is, and as it is mistaken."""
    q, p, rows = q[~hit].view(len(q), -1), p[~hit].view(len(p), -1), (q, p)
    divided = _kl(*(z - z.logsumexp(-1, keepdim=True) for z in (q, p)))
    return {
        "among themselves": divided,
        "as they are": _kl(q, p),
        "coupled": p.logsumexp(-1).exp() * divided,
        "all classes": _kl(*rows),
    }


def _two(values: torch.Tensor, hit: torch.Tensor) -> torch.Tensor:
    rest = values[~hit].view(len(values), -1).logsumexp(-1)
    return torch.stack([values[hit], rest], dim=-1)


def _kl(q: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """KL(p || q) a row, whether the rows sum to 1 or not."""
    return (p.exp() * (p - q)).sum(-1)


def _check_gradients(loss, probe) -> None:
    student, teacher, *rest = probe
    weights = teacher.clone().requires_grad_()
    value = scalar(loss(student.clone().requires_grad_(), weights * 1.0, *rest))
    if value.requires_grad:
        value.backward()
    if weights.grad is not None and weights.grad.abs().max() > 0:
        raise known.describe([known.INTO_TEACHER], "a gradient in teacher_logits")
    same_gradients(gradient_of(loss, *probe), gradient_of(_right, *probe))
