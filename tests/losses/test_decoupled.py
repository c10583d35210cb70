"""The two parts of a soft target, and temperatures that follow the input."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.autograd import gradcheck

from distill_helpers.losses import (
    check_soft_loss,
    decoupled_kd_loss,
    decoupled_terms,
    input_temperatures,
    kd_loss,
    soft_loss,
)

LABELS = torch.tensor([0, 1, -100, 3, 0, 2])


def test_the_terms_equal_the_sums_worked_by_hand():
    # Teacher (1/2, 1/3, 1/6), student (1/4, 1/4, 1/2), target 0.
    teacher = torch.tensor([[3.0, 2.0, 1.0]]).log()
    student = torch.tensor([[1.0, 1.0, 2.0]]).log()
    terms = decoupled_terms(student, teacher, targets=torch.tensor([0]))
    target = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    others = 2 / 3 * math.log((2 / 3) / (1 / 3)) + 1 / 3 * math.log((1 / 3) / (2 / 3))
    assert terms.target.item() == pytest.approx(target, rel=1e-5)
    assert terms.others.item() == pytest.approx(others, rel=1e-5)
    assert terms.left.item() == pytest.approx(0.5)
    loss = decoupled_kd_loss(student, teacher, 1.0, 0.5, 3.0, torch.tensor([0]))
    assert loss.item() == pytest.approx(0.5 * target + 3 * others, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_target_and_others_add_up_to_the_kl_divergence(pair, temperature):
    pair = [z.double() for z in pair]
    terms = decoupled_terms(*pair, temperature, LABELS)
    whole = (terms.target + terms.left * terms.others).mean()
    assert whole.item() == pytest.approx(kd_loss(*pair, temperature).item())


def test_with_two_classes_the_second_term_is_exactly_nothing(pair):
    student, teacher = pair[0][:, :2].clone().requires_grad_(), pair[1][:, :2]
    terms = decoupled_terms(student, teacher, 2.0)
    assert terms.others.tolist() == [0.0] * 6
    assert terms.target.mean().item() == pytest.approx(
        kd_loss(student, teacher, 2.0).item(), rel=1e-5
    )
    terms.others.sum().backward()
    assert not student.grad.any()
    with pytest.raises(ValueError, match="three classes, got 2.*exactly 0.*'kl'"):
        decoupled_kd_loss(student, teacher, 2.0)
    with pytest.raises(ValueError, match="three classes, got 2"):
        check_soft_loss("decoupled", classes=2)
    check_soft_loss("decoupled", classes=3)


def test_where_nobody_says_the_target_it_is_the_teachers_likeliest(pair):
    unsaid = torch.full((6,), -100)
    by_teacher = decoupled_kd_loss(*pair, 2.0, targets=pair[1].argmax(1))
    for targets in (None, unsaid):
        found = decoupled_kd_loss(*pair, 2.0, targets=targets)
        assert found.item() == by_teacher.item()
    assert decoupled_kd_loss(*pair, 2.0, targets=LABELS).item() != by_teacher.item()
    # In training the labels of the batch are the targets.
    named = soft_loss("decoupled", 2.0, options={"alpha": 0.5, "beta": 2.0})
    batch = {"labels": LABELS, "teacher_logits": pair[1]}
    found = named.function(SimpleNamespace(logits=pair[0]), batch, 6)
    expected = decoupled_kd_loss(*pair, 2.0, 0.5, 2.0, LABELS)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_its_gradient_is_exact_finite_and_keeps_its_size(pair):
    teacher, exact = pair[1].double(), pair[0].double().requires_grad_()
    assert gradcheck(lambda z: decoupled_kd_loss(z, teacher, 2.0), exact)
    sizes = []
    for temperature in (8.0, 32.0):
        student, fixed = (z.clone().requires_grad_() for z in pair)
        decoupled_kd_loss(student, fixed, temperature).backward()
        sizes.append(student.grad.norm().item())
        assert fixed.grad is None
    assert 2 / 3 < sizes[0] / sizes[1] < 1.5
    sure = torch.tensor([[400.0, -400.0, 0.0]]).half().requires_grad_()
    value = decoupled_kd_loss(sure, sure.detach().flip(1))
    value.backward()
    assert value.dtype == torch.float32 and torch.isfinite(sure.grad).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"alpha": -1}, ValueError, "alpha must be at least 0, got -1"),
        ({"beta": math.nan}, ValueError, "beta must be a finite number, got nan"),
        ({"alpha": 0, "beta": 0}, ValueError, "must not both be 0"),
        ({"targets": torch.tensor([4] * 6)}, ValueError, "labels must lie in 0..3"),
        ({"targets": torch.zeros(6)}, TypeError, "labels must be int64"),
    ],
)
def test_what_does_not_fit_is_refused(pair, options, error, message):
    with pytest.raises(error, match=message):
        decoupled_kd_loss(*pair, **options)


# ------------------------------------------------- a temperature for each input
def test_a_hard_input_gets_a_sharper_answer_and_the_mean_stays():
    teacher = torch.tensor([[4.0, 0.0, 0.0]] * 3)
    student = torch.tensor([[4.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 4.0, 0.0]])
    found = input_temperatures(student, teacher, 5.0, "flsw", spread=2.0)
    # 1 - cosine: 0, 1 - 1/sqrt(2), 1.
    hard = torch.tensor([0.0, 1 - 0.5**0.5, 1.0])
    torch.testing.assert_close(found, 5 + 2 * (hard.mean() - hard))
    found = input_temperatures(student, teacher, 5.0, "cwsm", spread=2.0)
    hard = 1 / student.softmax(1).amax(1)
    torch.testing.assert_close(found, 5 + 2 * (hard.mean() - hard))
    lowest = input_temperatures(student, teacher, 1.0, spread=100.0).min()
    assert lowest.item() == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["flsw", "cwsm"])
def test_without_a_spread_it_is_the_usual_loss(pair, name):
    batch = {"labels": LABELS, "teacher_logits": pair[1]}
    outputs = SimpleNamespace(logits=pair[0])
    same = soft_loss(name, 2.0, options={"spread": 0}).function(outputs, batch, 6)
    assert same.item() == pytest.approx(kd_loss(*pair, 2.0).item(), rel=1e-6)
    other = soft_loss(name, 2.0).function(outputs, batch, 6)
    assert abs(other.item() - same.item()) > 1e-3
