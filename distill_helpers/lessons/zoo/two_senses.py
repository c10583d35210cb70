"""Exhibits of cross-attention, maps and missing senses, with one mistake each.

``exhibits.tour(two_senses.CAGES)`` shows them.
"""

from __future__ import annotations

import torch

from . import looking, mistakes


def attention_unscaled(queries, keys, values):
    look = (queries @ keys.T).softmax(-1)
    return look @ values, look


def attention_over_the_words(queries, keys, values):
    look = (queries @ keys.T / queries.shape[-1] ** 0.5).softmax(0)
    return look @ values, look


def queries_and_keys_swapped(queries, keys, values):
    look = (keys @ queries.T / queries.shape[-1] ** 0.5).softmax(-1)
    return look @ values, look


ATTENTION = (
    (attention_unscaled, mistakes.UNSCALED),
    (attention_over_the_words, mistakes.OVER_WORDS),
    (queries_and_keys_swapped, mistakes.ROLES_SWAPPED),
)
"""Functions of (queries, keys, values), and their mistake."""


def _apart(first, second):
    return (first * (first / second).log()).sum(-1)


def maps_with_padding(student_map, teacher_map, mask):
    return _apart(teacher_map, student_map).mean()


def maps_divided_by_padding(student_map, teacher_map, mask):
    return (_apart(teacher_map, student_map) * mask).mean()


def maps_swapped(student_map, teacher_map, mask):
    return (_apart(student_map, teacher_map) * mask).sum() / mask.sum()


MAPS = (
    (maps_with_padding, mistakes.MAP_PADDING),
    (maps_divided_by_padding, mistakes.MAP_DIVISOR),
    (maps_swapped, mistakes.MAP_SIDES),
)
"""Losses of (student_map, teacher_map, mask), and their mistake."""


def both_senses_dropped(count, share, generator):
    chance = torch.rand(2, count, generator=generator)
    return chance[0] < share, chance[1] < share


def whole_batch_dropped(count, share, generator):
    chance = torch.rand(1, generator=generator).expand(count)
    return chance < share, chance >= 1 - share


def picture_alone_dropped(count, share, generator):
    chance = torch.rand(count, generator=generator)
    return chance < share, torch.zeros(count, dtype=torch.bool)


DROPOUT = (
    (both_senses_dropped, mistakes.BOTH_SENSES_LOST),
    (whole_batch_dropped, mistakes.WHOLE_BATCH),
    (picture_alone_dropped, mistakes.ONE_SENSE),
)
"""Functions of (count, share, generator), and their mistake."""

CAGES = (
    (ATTENTION, looking.examine_attention),
    (MAPS, looking.examine_map_loss),
    (DROPOUT, looking.examine_dropout),
)
"""Every group of them, and the examiner that they meet."""
