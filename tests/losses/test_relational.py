"""Relations within a batch: by hand, whatever moves or scales a whole side."""

from types import SimpleNamespace

import pytest
import torch
from torch.autograd import gradcheck

from distill_helpers.losses import (
    angle_loss,
    distance_loss,
    relational_loss,
    weighted_relational,
)
from distill_helpers.losses.weighted import weighted_sum

RIGHT = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
"""A triangle with sides 3, 4 and 5."""
EVEN = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])
"""One with three equal sides."""


def test_distances_equal_those_worked_by_hand():
    # 3, 4, 5 over their mean 4, against 1, 1, 1: squares of 1/4, 0 and 1/4, halved.
    expected = (0.25**2 / 2 + 0 + 0.25**2 / 2) / 3
    assert distance_loss(EVEN, RIGHT).item() == pytest.approx(expected, rel=1e-5)


def test_angles_equal_those_worked_by_hand():
    # Cosines 1/2 at each corner, against 0, 3/5 and 4/5.
    expected = (0.5**2 + 0.1**2 + 0.3**2) / 2 / 3
    assert angle_loss(EVEN, RIGHT).item() == pytest.approx(expected, rel=1e-5)


def test_a_side_may_be_moved_turned_scaled_and_wider():
    turned = torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    assert relational_loss(7 * RIGHT @ turned + 2, RIGHT).item() < 1e-6
    assert relational_loss(EVEN, RIGHT).item() > 0.01


def test_the_two_terms_are_weighed(pair):
    found = relational_loss(*pair, distance=0.5, angle=3.0)
    expected = 0.5 * distance_loss(*pair) + 3 * angle_loss(*pair)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    assert relational_loss(*pair, angle=0).item() == distance_loss(*pair).item()


def test_its_gradient_is_exact_and_not_the_teachers(pair):
    teacher, exact = pair[1].double(), pair[0].double().requires_grad_()
    assert gradcheck(lambda z: relational_loss(z, teacher), exact)
    student, fixed = (z.clone().requires_grad_() for z in pair)
    relational_loss(student, fixed).backward()
    assert fixed.grad is None and student.grad.abs().max() > 0


def test_texts_that_lie_on_one_point_break_nothing(pair):
    for student in (torch.ones(6, 4), torch.cat([pair[0][:5], pair[0][:1]])):
        student = student.clone().requires_grad_()
        value = relational_loss(student, pair[1])
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(student.grad).all()


def test_in_training_what_a_softmax_ignores_is_left_out(pair):
    loss = weighted_relational(2.0, angle=1.0)
    batch = {"labels": torch.zeros(6, dtype=torch.long), "teacher_logits": pair[1]}
    offsets = torch.arange(6.0)[:, None]
    values = [
        weighted_sum([loss], SimpleNamespace(logits=pair[0] + moved), batch)[0].item()
        for moved in (0, offsets)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    centred = (z - z.mean(1, keepdim=True) for z in pair)
    assert values[0] == pytest.approx(2 * relational_loss(*centred, angle=1).item())


@pytest.mark.parametrize("count", [1, 2])
def test_a_last_batch_may_be_too_small_for_a_relation(pair, count):
    student = pair[0][:count].clone().requires_grad_()
    batch = {"labels": torch.zeros(count), "teacher_logits": pair[1][:count]}
    outputs = SimpleNamespace(logits=student)
    value = weighted_relational().function(outputs, batch, count)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((RIGHT[:1], RIGHT[:1]), "same 2 texts or more"),
        ((RIGHT[:2], RIGHT[:2]), "same 3 texts or more"),
        ((RIGHT, RIGHT[:2]), "same 2 texts"),
        ((RIGHT / 0, RIGHT), "student must be finite"),
        ((RIGHT, RIGHT, -1.0), "distance must be at least 0"),
        ((RIGHT, RIGHT, 0, 0), "must not both be 0"),
    ],
)
def test_what_has_no_relations_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        relational_loss(*given)
