"""The bug zoo of decoupled losses, pacing, weights and shuffles."""

import pytest
import torch
from torch.nn import functional as F

from distill_helpers.lessons.exercises.outcomes import Incorrect
from distill_helpers.lessons.zoo import (
    beyond_logits,
    decoupled,
    difficulty,
    exhibits,
)
from distill_helpers.losses import decoupled_kd_loss
from distill_helpers.training import example_weights, shuffle_wrong_classes

ALL = [
    (function, mistake, examine)
    for cage, examine in beyond_logits.CAGES
    for function, mistake in cage
]


def right_decoupled(student_logits, teacher_logits, targets, temperature, alpha, beta):
    total = 0
    for student, teacher, y in zip(student_logits, teacher_logits, targets):
        q = (student / temperature).softmax(0)
        p = (teacher.detach() / temperature).softmax(0)
        total = total + alpha * p[y] * (p[y] / q[y]).log()
        total = total + alpha * (1 - p[y]) * ((1 - p[y]) / (1 - q[y])).log()
        for c in range(len(p)):
            if c != y:
                a, b = p[c] / (1 - p[y]), q[c] / (1 - q[y])
                total = total + beta * a * (a / b).log()
    return total * temperature**2 / len(targets)


def right_pacing(done, start, full_at):
    return min(1.0, start + (1 - start) * done / full_at)


def right_weights(teacher_logits):
    return example_weights("margin", teacher_logits.numpy())


def right_shuffle(teacher_logits, generator):
    chance = torch.rand(teacher_logits.shape, generator=generator)
    chance[F.one_hot(teacher_logits.argmax(1), 5).bool()] = 2  # the last one stays last
    top = F.one_hot(teacher_logits.argmax(1), 5).bool()
    order = chance.argsort(1)[:, :-1]
    shuffled = teacher_logits.clone()
    shuffled[~top] = teacher_logits.gather(1, order).flatten()
    return shuffled


@pytest.mark.parametrize(
    ("examine", "answer"),
    [
        (decoupled.examine_decoupled, right_decoupled),
        (
            decoupled.examine_decoupled,
            lambda s, t, y, T, a, b: decoupled_kd_loss(s, t, T, a, b, y),
        ),
        (difficulty.examine_pacing, right_pacing),
        (difficulty.examine_weights, right_weights),
        (difficulty.examine_shuffle, right_shuffle),
        (
            difficulty.examine_shuffle,
            lambda z, generator: torch.from_numpy(
                shuffle_wrong_classes(z.numpy(), generator.initial_seed())
            ),
        ),
    ],
    ids=lambda given: given.__name__.strip("<>"),
)
def test_a_right_answer_passes(examine, answer):
    assert examine(answer)


@pytest.mark.parametrize(
    ("function", "mistake", "examine"), ALL, ids=[row[0].__name__ for row in ALL]
)
def test_every_exhibit_is_called_by_its_mistake(function, mistake, examine):
    with pytest.raises(Incorrect) as caught:
        examine(function)
    assert str(caught.value).startswith(mistake.what)
    assert " And: " not in str(caught.value)


def test_two_mistakes_at_once_are_both_named():
    def both(student_logits, teacher_logits, targets, temperature, alpha, beta):
        return beyond_logits.not_renormalised(
            student_logits, teacher_logits, targets, temperature, beta, alpha
        )

    with pytest.raises(Incorrect, match="not divided by their sum.* And: alpha and"):
        decoupled.examine_decoupled(both)

    def summed(teacher_logits):
        return beyond_logits.gaps_turned_round(teacher_logits) * 2

    with pytest.raises(Incorrect, match="turned round.* And: The mean of the weights"):
        difficulty.examine_weights(summed)


@pytest.mark.parametrize(
    ("examine", "answer", "said"),
    [
        (
            decoupled.examine_decoupled,
            lambda s, *rest: right_decoupled(s.detach(), *rest),
            "No gradient",
        ),
        (
            decoupled.examine_decoupled,
            lambda s, *rest: 1.1 * right_decoupled(s, *rest),
            "not that of the decoupled loss",
        ),
        (difficulty.examine_pacing, lambda done, start, full_at: "1", "one number"),
        (
            difficulty.examine_pacing,
            lambda done, start, full_at: min(1.0, start + done),
            "straight line",
        ),
        (difficulty.examine_weights, lambda z: z.softmax(1), "one weight a text"),
        (difficulty.examine_weights, lambda z: z[:, 0], "negative"),
        (difficulty.examine_weights, lambda z: z.abs().amax(1), "do not follow"),
        (difficulty.examine_shuffle, lambda z, generator: z, "stand as they stood"),
        (difficulty.examine_shuffle, lambda z, generator: z[:, :2], "of the shape"),
    ],
    ids=range(9),
)
def test_what_no_exhibit_explains_is_still_caught(examine, answer, said):
    with pytest.raises(Incorrect, match=said):
        examine(answer)


def test_the_tour_of_these_stands_beside_the_others():
    tour = exhibits.tour(beyond_logits.CAGES)
    assert len(tour) == len(ALL) and set(tour["verdict"]) == {"incorrect"}
    others = [*exhibits.CAGES, *exhibits.TOKEN_CAGES]
    named = {loss.__name__.replace("_", " ") for cage, _ in others for loss, _ in cage}
    assert not set(tour.index) & named
