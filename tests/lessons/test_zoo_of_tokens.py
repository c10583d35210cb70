"""The bug zoo on tokens: every exhibit is named, right answers pass."""

import pytest
import torch
from torch.nn import functional as F

from distill_helpers.lessons.exercises.outcomes import Incorrect
from distill_helpers.lessons.zoo import exhibits, tokens
from distill_helpers.losses.sequence import generalized_jsd_loss

ALL = [
    (function, mistake, examine)
    for cage, examine in exhibits.TOKEN_CAGES
    for function, mistake in cage
]


def right_completion(logits, input_ids, attention_mask, prompt_lengths):
    total, count = 0, 0
    for text, ids, mask, start in zip(
        logits, input_ids, attention_mask, prompt_lengths
    ):
        for place in range(int(start), int(mask.sum())):
            total = total - text[place - 1].log_softmax(-1)[ids[place]]
            count += 1
    return total / count


def right_kl(student_logits, teacher_logits, labels):
    keep = labels != -100
    student, teacher = student_logits[keep], teacher_logits.detach()[keep]
    p = teacher.softmax(-1)
    return (p * (teacher.log_softmax(-1) - student.log_softmax(-1))).sum() / keep.sum()


@pytest.mark.parametrize(
    ("examine", "answer"),
    [
        (tokens.examine_completion_loss, right_completion),
        (tokens.examine_token_kl, right_kl),
        (tokens.examine_token_kl, lambda s, t, y: generalized_jsd_loss(s, t, y, 0.0)),
    ],
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
    def both(logits, input_ids, attention_mask, prompt_lengths):
        labels = torch.where(attention_mask == 1, input_ids, -100)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten())

    with pytest.raises(Incorrect, match="own place.* And: Tokens of the prompt"):
        tokens.examine_completion_loss(both)


@pytest.mark.parametrize(
    ("examine", "answer", "said"),
    [
        (
            tokens.examine_completion_loss,
            lambda *given: right_completion(given[0].detach(), *given[1:]),
            "No gradient",
        ),
        (
            tokens.examine_token_kl,
            lambda s, t, y: right_kl(s.detach(), t, y),
            "No gradient",
        ),
        (tokens.examine_token_kl, lambda s, t, y: 2 * right_kl(s, t, y), "is not the"),
    ],
)
def test_what_no_exhibit_explains_is_still_caught(examine, answer, said):
    with pytest.raises(Incorrect, match=said):
        examine(answer)


def test_the_tour_of_tokens_stands_beside_that_of_classifiers():
    tour = exhibits.tour(exhibits.TOKEN_CAGES)
    assert len(tour) == len(ALL) and set(tour["verdict"]) == {"incorrect"}
    assert not set(tour.index) & set(exhibits.tour().index)
