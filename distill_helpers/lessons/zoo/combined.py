"""Which mistake the whole distillation loss makes."""

from __future__ import annotations

import inspect

import torch

from ...losses.combined import DistillationLoss
from ...losses.labels import labelled_cross_entropy
from ...losses.soft_targets import kd_loss
from ..exercises.answers import call, same, scalar
from ..exercises.outcomes import Incorrect
from . import mistakes as known
from .labels import examine_labels, some_labels
from .probes import as_function, some_logits
from .soft_targets import examine_soft_targets


def examine_distillation(answer) -> str:
    """Examine ``f(student_logits, teacher_logits, labels, temperature, alpha)``.

    A class that is built with ``(temperature, alpha)`` and called with the
    rest will do as well.
    """
    if inspect.isclass(answer):
        answer = as_function(answer, ("temperature", "alpha"))

    def loss(student, teacher, labels, temperature, alpha):
        return call(
            answer,
            student_logits=student,
            teacher_logits=teacher,
            labels=labels,
            temperature=temperature,
            alpha=alpha,
        )

    def soft(student, teacher, temperature):
        labels = torch.arange(len(student)) % student.shape[1]
        return loss(student, teacher, labels, temperature, 1.0)

    def hard(student):
        teacher = some_logits(*student.shape, seed=8)
        value = loss(student, teacher, some_labels(student), 2.7, 0.0)
        return value, student, teacher, 2.7

    _check_missing_labels(loss)
    _check_weights(loss)
    examine_labels(
        hard,
        "what is left at alpha = 0: the cross-entropy of the student's plain"
        " logits with the labels, and nothing else",
        " at alpha = 0",
    )
    examine_soft_targets(soft)
    _check_between(loss)
    return _remark_on_unlabelled(loss)


def _check_missing_labels(loss) -> None:
    """An error that comes from labels of -100 alone should say so."""
    student, teacher = some_logits(5, 4, 1), some_logits(5, 4, 2)
    try:
        loss(student, teacher, some_labels(student), 2.0, 0.5)
    except Incorrect as problem:
        loss(student, teacher, torch.zeros(5, dtype=torch.long), 2.0, 0.5)
        raise Incorrect(
            "Labels of -100, which say that there is none, break it. " + str(problem),
            look="F.cross_entropy leaves them out by itself",
        ) from problem


def _check_weights(loss) -> None:
    student, teacher, temperature = some_logits(5, 4, 1), some_logits(5, 4, 2), 2.7
    labels = some_labels(student)
    soft = scalar(loss(student, teacher, labels, temperature, 1.0))
    hard = scalar(loss(student, teacher, labels, temperature, 0.0))
    kd = kd_loss(student, teacher, temperature)
    ce = labelled_cross_entropy(student, labels)
    made = []
    if same(soft, ce) and same(hard, ce):
        made.append(known.SOFT_MISSING)
    elif same(soft, kd) and same(hard, kd):
        made.append(known.LABELS_MISSING)
    elif same(soft, ce):
        made.append(known.ALPHA_SWAPPED)
    elif same(soft, hard):
        made.append(known.ALPHA_UNUSED)
    elif same(soft, kd + ce):
        made.append(known.CE_UNWEIGHTED)
    elif not same(soft, kd) and not same(soft, _with_other_labels(loss)):
        made.append(known.LABELS_LEFT)
    if same(hard, kd + ce):
        made.append(known.KD_UNWEIGHTED)
    if made:
        raise known.describe(
            made,
            f"{soft.item():.4f} at alpha = 1, {hard.item():.4f} at alpha = 0",
            f"{kd.item():.4f} and {ce.item():.4f}",
        )


def _with_other_labels(loss) -> torch.Tensor:
    student, teacher = some_logits(5, 4, 1), some_logits(5, 4, 2)
    return scalar(loss(student, teacher, torch.tensor([3, 2, 1, 0, 3]), 2.7, 1.0))


def _check_between(loss) -> None:
    student, teacher = some_logits(5, 4, 1), some_logits(5, 4, 2)
    labels = some_labels(student)
    for alpha in (0.25, 0.9):
        got = scalar(loss(student, teacher, labels, 2.7, alpha))
        kd = kd_loss(student, teacher, 2.7)
        expected = alpha * kd + (1 - alpha) * labelled_cross_entropy(student, labels)
        if not same(got, expected):
            raise Incorrect(
                f"Right at alpha = 0 and 1, but wrong at alpha = {alpha}.",
                f"{got.item():.4f}",
                f"{expected.item():.4f}",
                "alpha * soft + (1 - alpha) * hard",
            )
        _check_both_learn(loss, alpha)


def _check_both_learn(loss, alpha: float) -> None:
    """At any alpha the student gets the gradient of both terms."""
    package = DistillationLoss(2.7, alpha)
    slopes = []
    for make in (lambda s, t, y: loss(s, t, y, 2.7, alpha), package):
        student, weights = (some_logits(5, 4, n).requires_grad_() for n in (1, 2))
        value = scalar(make(student, weights * 1.0, some_labels(student)))
        if value.requires_grad:
            value.backward()
        slopes.append(
            torch.zeros_like(student) if student.grad is None else student.grad
        )
        if weights.grad is not None and weights.grad.abs().max() > 0:
            raise known.describe([known.INTO_TEACHER], "a gradient in teacher_logits")
    if not same(*slopes, 1e-3):
        raise known.describe(
            [known.NO_GRADIENT],
            f"a gradient of norm {slopes[0].norm().item():.4f} at alpha = {alpha}",
            f"one of norm {slopes[1].norm().item():.4f}",
        )


def _remark_on_unlabelled(loss) -> str:
    student, teacher = some_logits(4, 3, 5), some_logits(4, 3, 6)
    got = scalar(loss(student, teacher, torch.full((4,), -100), 2.0, 0.5))
    if torch.isnan(got):
        return (
            "It went through the zoo. One thing more: on a batch in which"
            " nobody has a label it is NaN (0 labels, divided by 0). Lesson 03"
            " has such batches; the exercise before this one mends it."
        )
    expected = 0.5 * kd_loss(student, teacher, 2.0)
    if not same(got, expected):
        raise Incorrect(
            "Wrong for a batch in which nobody has a label.",
            f"{got.item():.4f}",
            f"{expected.item():.4f}",
            "the cross-entropy there: it is 0",
        )
    return "It went through the whole zoo, and nothing bit."
