"""Exhibits about privacy, fairness and forgetting, with one mistake each.

``exhibits.tour(trust.CAGES)`` shows them.
"""

from __future__ import annotations

import math
import re

import torch
from torch.nn import functional as F

from . import fisher, private, swapping
from . import mistakes_of_trust as mistakes


# ------------------------------------------------------------------- epsilon
def _converted(divergence, delta, order):
    return (
        divergence
        + math.log((order - 1) / order)
        - (math.log(delta) + math.log(order)) / (order - 1)
    )


def epsilons_added(noise, steps, delta, orders):
    return steps * min(_converted(a / (2 * noise**2), delta, a) for a in orders)


def no_delta(noise, steps, delta, orders):
    return min(steps * a / (2 * noise**2) for a in orders)


def loose_conversion(noise, steps, delta, orders):
    return min(
        steps * a / (2 * noise**2) + math.log(1 / delta) / (a - 1) for a in orders
    )


def noise_not_squared(noise, steps, delta, orders):
    return min(_converted(steps * a / (2 * noise), delta, a) for a in orders)


def first_order(noise, steps, delta, orders):
    return _converted(steps * orders[0] / (2 * noise**2), delta, orders[0])


EPSILONS = (
    (epsilons_added, mistakes.EPSILONS_ADDED),
    (no_delta, mistakes.NO_DELTA),
    (loose_conversion, mistakes.LOOSE),
    (noise_not_squared, mistakes.NOISE_NOT_SQUARED),
    (first_order, mistakes.NOT_THE_BEST_ORDER),
)
"""Functions of (noise, steps, delta, orders), and their mistake."""


# --------------------------------------------------------------------- votes
def _counted(shards, fit, classes):
    return sum(F.one_hot(fit(shard), classes) for shard in shards)


def overlapping_shards(rows, teachers, fit, classes, noise, generator):
    half = max(1, len(rows) // 2)
    shards = [rows[k : k + half] for k in range(teachers)]
    counts = _counted(shards, fit, classes)
    drawn = noise * torch.randn(counts.shape, generator=generator)
    return (counts + drawn).argmax(-1)


def rows_left_over(rows, teachers, fit, classes, noise, generator):
    counts = _counted([rows[k : k + 1] for k in range(teachers)], fit, classes)
    drawn = noise * torch.randn(counts.shape, generator=generator)
    return (counts + drawn).argmax(-1)


def noise_after_the_winner(rows, teachers, fit, classes, noise, generator):
    shards = [rows[k::teachers] for k in range(teachers)]
    winner = _counted(shards, fit, classes).argmax(-1)
    drawn = noise * torch.randn(winner.shape, generator=generator)
    return (winner + drawn).round().clamp(0, classes - 1).long()


def noise_on_shares(rows, teachers, fit, classes, noise, generator):
    shards = [rows[k::teachers] for k in range(teachers)]
    shares = _counted(shards, fit, classes) / teachers
    drawn = noise * torch.randn(shares.shape, generator=generator)
    return (shares + drawn).argmax(-1)


def no_noise(rows, teachers, fit, classes, noise, generator):
    shards = [rows[k::teachers] for k in range(teachers)]
    return _counted(shards, fit, classes).argmax(-1)


def one_noise_for_all_classes(rows, teachers, fit, classes, noise, generator):
    shards = [rows[k::teachers] for k in range(teachers)]
    counts = _counted(shards, fit, classes)
    drawn = noise * torch.randn((len(counts), 1), generator=generator)
    return (counts + drawn).argmax(-1)


VOTES = (
    (overlapping_shards, mistakes.OVERLAP),
    (rows_left_over, mistakes.NOT_ALL_ROWS),
    (noise_after_the_winner, mistakes.NOISE_TOO_LATE),
    (noise_on_shares, mistakes.NOISE_TOO_LATE),
    (no_noise, mistakes.NO_VOTE_NOISE),
    (one_noise_for_all_classes, mistakes.NO_VOTE_NOISE),
)
"""Functions of (rows, teachers, fit, classes, noise, generator), and their mistake."""


# ----------------------------------------------------------------------- AUC
def _pairs(member_losses, other_losses, tie=0.5):
    ours, theirs = member_losses[:, None], other_losses[None, :]
    return ((ours < theirs).float() + tie * (ours == theirs).float()).mean().item()


def direction_turned(member_losses, other_losses):
    return _pairs(other_losses, member_losses)


def folded_upwards(member_losses, other_losses):
    auc = _pairs(member_losses, other_losses)
    return max(auc, 1 - auc)


def ties_lost(member_losses, other_losses):
    return _pairs(member_losses, other_losses, tie=0)


def ties_won(member_losses, other_losses):
    return _pairs(member_losses, other_losses, tie=1)


AUCS = (
    (direction_turned, mistakes.TURNED_ROUND),
    (folded_upwards, mistakes.FOLDED),
    (ties_lost, mistakes.TIES_LOST),
    (ties_won, mistakes.TIES_WON),
)
"""Functions of (member_losses, other_losses), and their mistake."""


# ---------------------------------------------------------------------- swap
_TABLE = {"he": "she", "she": "he", "him": "her", "his": "her"}


def _each_word(text, of_her, table=_TABLE, keep_case=True, find_capitals=True):
    def swapped(match):
        word = match[0]
        if not find_capitals and word != word.lower():
            return word
        behind = text[match.end() :]
        new = of_her(behind) if word.lower() == "her" else table[word.lower()]
        return new.capitalize() if keep_case and word[0].isupper() else new

    return re.sub(r"\b(?:he|she|him|his|her)\b", swapped, text, flags=re.I)


def _rule(behind):
    return "his" if re.match(r" \w", behind) else "him"


def her_is_him(text):
    return _each_word(text, lambda behind: "him")


def her_is_his(text):
    return _each_word(text, lambda behind: "his")


def capitals_lost(text):
    return _each_word(text, _rule, keep_case=False)


def capitals_not_found(text):
    return _each_word(text, _rule, find_capitals=False)


def swapped_twice(text):
    text = re.sub(r"\bshe\b", "he", text)
    return re.sub(r"\bhe\b", "she", text)


def one_direction(text):
    return re.sub(r"\bshe\b", "he", re.sub(r"\bher\b", "his", text))


def letters_in_words(text):
    return text.replace("he", "she")


SWAPS = (
    (her_is_him, mistakes.ONLY_HIM),
    (her_is_his, mistakes.ONLY_HIS),
    (capitals_lost, mistakes.CASE_LOST),
    (capitals_not_found, mistakes.CAPITALS_MISSED),
    (swapped_twice, mistakes.ONE_SIDE),
    (one_direction, mistakes.ONE_SIDE),
    (letters_in_words, mistakes.PART_OF_A_WORD),
)
"""Functions of (text), and their mistake."""


# -------------------------------------------------------------------- Fisher
def _each_gradient(weight, inputs, labels):
    slopes = F.one_hot(labels, len(weight)) - (inputs @ weight.T).softmax(-1)
    return slopes[:, :, None] * inputs[:, None, :]


def empirical_fisher(weight, inputs, labels, draw):
    return _each_gradient(weight, inputs, labels).square().mean(0)


def fisher_of_the_likeliest(weight, inputs, labels, draw):
    likeliest = (inputs @ weight.T).argmax(-1)
    return _each_gradient(weight, inputs, likeliest).square().mean(0)


def batch_gradient_squared(weight, inputs, labels, draw):
    drawn = draw((inputs @ weight.T).softmax(-1))
    return _each_gradient(weight, inputs, drawn).mean(0).square()


def squares_added_up(weight, inputs, labels, draw):
    drawn = draw((inputs @ weight.T).softmax(-1))
    return _each_gradient(weight, inputs, drawn).square().sum(0)


def gradients_not_squared(weight, inputs, labels, draw):
    drawn = draw((inputs @ weight.T).softmax(-1))
    return _each_gradient(weight, inputs, drawn).abs().mean(0)


FISHERS = (
    (empirical_fisher, mistakes.TRUE_LABELS),
    (fisher_of_the_likeliest, mistakes.LIKELIEST_LABELS),
    (batch_gradient_squared, mistakes.BATCH_SQUARED),
    (squares_added_up, mistakes.SUM_OF_SQUARES),
    (gradients_not_squared, mistakes.NOT_SQUARED),
)
"""Functions of (weight, inputs, labels, draw), and their mistake."""

CAGES = (
    (EPSILONS, private.examine_epsilon),
    (VOTES, private.examine_votes),
    (AUCS, private.examine_auc),
    (SWAPS, swapping.examine_swap),
    (FISHERS, fisher.examine_fisher),
)
"""Every group of them, and the examiner that they meet."""
