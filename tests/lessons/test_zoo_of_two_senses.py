"""The bug zoo of cross-attention, maps and missing senses."""

import pytest
import torch

from distill_helpers.lessons.exercises.outcomes import Incorrect
from distill_helpers.lessons.zoo import looking, two_senses

ALL = [
    (function, mistake, examine)
    for cage, examine in two_senses.CAGES
    for function, mistake in cage
]


@pytest.mark.parametrize(
    ("function", "mistake", "examine"), ALL, ids=[row[0].__name__ for row in ALL]
)
def test_every_exhibit_is_called_by_its_mistake(function, mistake, examine):
    with pytest.raises(Incorrect) as caught:
        examine(function)
    assert str(caught.value).startswith(mistake.what)


@pytest.mark.parametrize(
    ("examine", "answer", "said"),
    [
        (looking.examine_attention, lambda q, k, v: (v, (q + k).softmax(-1)), "shape"),
        (looking.examine_attention, lambda q, k, v: (v, torch.eye(5)), "not that of"),
        (looking.examine_map_loss, lambda s, t, mask: (s - t).pow(2).mean(), "not the"),
        (
            looking.examine_dropout,
            lambda count, share, generator: (torch.zeros(3), torch.zeros(3)),
            "another shape",
        ),
        (
            looking.examine_dropout,
            lambda count, share, generator: (torch.zeros(count), torch.zeros(count)),
            "lose the same sense",
        ),
    ],
    ids=range(5),
)
def test_what_no_exhibit_explains_is_still_caught(examine, answer, said):
    with pytest.raises(Incorrect, match=said):
        examine(answer)
