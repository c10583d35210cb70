"""Exhibits of what goes beyond soft targets, with one mistake each.

``exhibits.tour(beyond_logits.CAGES)`` shows them.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ...losses.decoupled import decoupled_terms
from ...losses.soft_targets import kd_loss
from . import decoupled, difficulty, mistakes


def not_renormalised(student_logits, teacher_logits, targets, temperature, alpha, beta):
    target = decoupled_terms(student_logits, teacher_logits, temperature, targets)[0]
    wrong = 1 - F.one_hot(targets, student_logits.shape[1])
    student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = F.log_softmax(teacher_logits.detach() / temperature, dim=-1)
    others = (teacher.exp() * (teacher - student) * wrong).sum(-1) * temperature**2
    return (alpha * target + beta * others).mean()


def decoupled_without_a_square(
    student_logits, teacher_logits, targets, temperature, alpha, beta
):
    scaled = student_logits / temperature, teacher_logits / temperature
    target, others, _ = decoupled_terms(*scaled, 1.0, targets)
    return (alpha * target + beta * others).mean()


def alpha_and_beta_swapped(
    student_logits, teacher_logits, targets, temperature, alpha, beta
):
    target, others, _ = decoupled_terms(
        student_logits, teacher_logits, temperature, targets
    )
    return (beta * target + alpha * others).mean()


def coupled_again(student_logits, teacher_logits, targets, temperature, alpha, beta):
    target, others, left = decoupled_terms(
        student_logits, teacher_logits, temperature, targets
    )
    return (alpha * target + beta * left * others).mean()


def target_among_the_others(
    student_logits, teacher_logits, targets, temperature, alpha, beta
):
    target = decoupled_terms(student_logits, teacher_logits, temperature, targets)[0]
    whole = kd_loss(student_logits, teacher_logits, temperature)
    return alpha * target.mean() + beta * whole


DECOUPLED = (
    (not_renormalised, mistakes.NOT_RENORMALISED),
    (decoupled_without_a_square, mistakes.NO_SQUARE),
    (alpha_and_beta_swapped, mistakes.BETA_SWAPPED),
    (coupled_again, mistakes.COUPLED),
    (target_among_the_others, mistakes.TARGET_KEPT),
)
"""Losses of (student_logits, teacher_logits, targets, temperature, alpha, beta)."""


def never_full(done, start, full_at):
    return start + (full_at - start) * done


def reversed_pacing(done, start, full_at):
    return 1 - (1 - start) * min(1, done / full_at)


def more_than_all(done, start, full_at):
    return start + (1 - start) * done / full_at if full_at < 1 else start + done


PACINGS = (
    (never_full, mistakes.NEVER_FULL),
    (reversed_pacing, mistakes.PACING_FALLS),
    (more_than_all, mistakes.MORE_THAN_ALL),
)
"""Functions of (done, start, full_at), and their mistake."""


def raw_gaps(teacher_logits):
    top = teacher_logits.softmax(-1).topk(2).values
    return top[:, 0] - top[:, 1]


def gaps_that_sum_to_one(teacher_logits):
    gaps = raw_gaps(teacher_logits)
    return gaps / gaps.sum()


def gaps_turned_round(teacher_logits):
    doubts = 1 - raw_gaps(teacher_logits)
    return doubts / doubts.mean()


def gaps_between_logits(teacher_logits):
    top = teacher_logits.topk(2).values
    gaps = top[:, 0] - top[:, 1]
    return gaps / gaps.mean()


WEIGHTS = (
    (raw_gaps, mistakes.MEAN_NOT_ONE),
    (gaps_that_sum_to_one, mistakes.MEAN_NOT_ONE),
    (gaps_turned_round, mistakes.UNSURE_COUNTS),
    (gaps_between_logits, mistakes.MARGIN_OF_LOGITS),
)
"""Functions of (teacher_logits), and their mistake."""


def whole_rows_shuffled(teacher_logits, generator):
    chance = torch.rand(teacher_logits.shape, generator=generator)
    return teacher_logits.gather(1, chance.argsort(1))


def texts_shuffled(teacher_logits, generator):
    order = torch.randperm(len(teacher_logits), generator=generator)
    return teacher_logits[order]


def classes_renamed(teacher_logits, generator):
    top = F.one_hot(teacher_logits.argmax(1), teacher_logits.shape[1]).bool()
    wrong = teacher_logits[~top].view(len(teacher_logits), -1)
    shuffled = teacher_logits.clone()
    shuffled[~top] = wrong.roll(1, dims=1).flatten()
    return shuffled


SHUFFLES = (
    (whole_rows_shuffled, mistakes.TOP_MOVED),
    (texts_shuffled, mistakes.VALUES_CHANGED),
    (classes_renamed, mistakes.ONE_ORDER),
)
"""Functions of (teacher_logits, generator), and their mistake."""

CAGES = (
    (DECOUPLED, decoupled.examine_decoupled),
    (PACINGS, difficulty.examine_pacing),
    (WEIGHTS, difficulty.examine_weights),
    (SHUFFLES, difficulty.examine_shuffle),
)
"""Every group of them, and the examiner that they meet."""
