import math

import pytest
import torch
from torch.nn import functional as F

from distill_helpers.losses.combined import DistillationLoss
from distill_helpers.losses.hidden import hidden_state_loss
from distill_helpers.losses.several_labels import multi_label_kd_loss
from distill_helpers.losses.soft_targets import kd_loss


def test_kd_loss_equals_the_sum_written_by_hand(pair):
    student, teacher = pair
    temperature = 3.0
    expected = 0.0
    for s, t in zip(student, teacher):
        p = torch.softmax(t / temperature, 0)
        q = torch.softmax(s / temperature, 0)
        expected += sum(float(a) * (math.log(a) - math.log(b)) for a, b in zip(p, q))
    expected *= temperature**2 / len(student)
    assert kd_loss(student, teacher, temperature).item() == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize("temperature", [0.5, 1, 2, 20])
def test_kd_loss_is_zero_when_student_equals_teacher(pair, temperature):
    _, teacher = pair
    loss = kd_loss(teacher.clone(), teacher, temperature)
    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_kd_loss_ignores_a_constant_added_to_the_logits(pair):
    student, teacher = pair
    shifted = kd_loss(student + 5, teacher - 7, 2.0)
    assert shifted.item() == pytest.approx(kd_loss(student, teacher, 2.0).item())


def test_kd_loss_is_not_symmetric(pair):
    student, teacher = pair
    forward = kd_loss(student, teacher, 1.0).item()
    assert abs(forward - kd_loss(teacher, student, 1.0).item()) > 0.05


def test_kd_loss_is_a_mean_over_the_batch(pair):
    student, teacher = pair
    doubled = kd_loss(student.repeat(2, 1), teacher.repeat(2, 1), 2.0)
    assert doubled.item() == pytest.approx(kd_loss(student, teacher, 2.0).item())


@pytest.mark.parametrize("soft_loss", [kd_loss, multi_label_kd_loss])
def test_the_gradient_keeps_its_size_when_the_temperature_rises(pair, soft_loss):
    sizes = []
    for temperature in (4.0, 8.0, 16.0):
        student = pair[0].clone().requires_grad_()
        soft_loss(student, pair[1], temperature).backward()
        sizes.append(student.grad.norm().item())
    assert max(sizes) / min(sizes) < 1.5


def test_no_gradient_reaches_the_teacher(pair):
    student, teacher = (z.clone().requires_grad_() for z in pair)
    DistillationLoss()(student, teacher, torch.tensor([0, 1, 2, 3, 0, 1])).backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_gives_a_finite_float32_loss(pair, dtype):
    student, teacher = pair[0].to(dtype) * 50, pair[1].to(dtype) * 50
    loss = kd_loss(student, teacher, 1.0)
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)


def test_alpha_weighs_the_two_terms(pair):
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    soft, hard = kd_loss(*pair, 2.0), F.cross_entropy(pair[0], labels)
    for alpha in (0.0, 0.3, 1.0):
        loss = DistillationLoss(temperature=2.0, alpha=alpha)(*pair, labels)
        assert loss.item() == pytest.approx(
            (alpha * soft + (1 - alpha) * hard).item(), rel=1e-6
        )


def test_an_example_without_a_label_counts_only_for_the_soft_targets(pair):
    labels = torch.tensor([0, -100, 2, -100, 0, -100])
    terms = DistillationLoss(2.0, 0.5).terms(*pair, labels)
    known = labels != -100
    expected = F.cross_entropy(pair[0][known], labels[known])
    assert terms.cross_entropy.item() == pytest.approx(expected.item(), rel=1e-6)
    assert terms.kd.item() == pytest.approx(kd_loss(*pair, 2.0).item(), rel=1e-6)


@pytest.mark.parametrize("labels", [None, torch.full((6,), -100)])
def test_without_any_label_cross_entropy_is_zero_not_nan(pair, labels):
    terms = DistillationLoss(2.0, 0.5).terms(*pair, labels)
    assert terms.cross_entropy.item() == 0
    assert terms.total.item() == pytest.approx(terms.kd.item() / 2)


def test_parts_of_a_batch_add_up_to_the_whole(pair):
    labels = torch.tensor([0, -100, -100, -100, 0, 1])
    loss = DistillationLoss(2.0, 0.4)
    parts = sum(
        loss.terms(
            pair[0][rows], pair[1][rows], labels[rows], examples=6, labelled=3
        ).total
        for rows in (slice(0, 2), slice(2, 4), slice(4, 6))
    )
    assert parts.item() == pytest.approx(loss(*pair, labels).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"temperature": 0}, ValueError, "temperature.*above 0, got 0"),
        ({"temperature": -1.0}, ValueError, "temperature.*got -1.0"),
        ({"temperature": math.nan}, ValueError, "temperature.*got nan"),
        ({"temperature": math.inf}, ValueError, "temperature.*got inf"),
        ({"temperature": "2"}, TypeError, "temperature.*str"),
        ({"alpha": 1.1}, ValueError, r"alpha.*\[0, 1\], got 1.1"),
        ({"alpha": -0.1}, ValueError, "alpha.*got -0.1"),
        ({"alpha": math.nan}, ValueError, "alpha.*got nan"),
        ({"alpha": True}, TypeError, "alpha.*bool"),
    ],
)
def test_bad_settings_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        DistillationLoss(**change)


@pytest.mark.parametrize(
    ("student", "teacher", "error", "message"),
    [
        (torch.ones(2, 3), torch.ones(2, 2), ValueError, "teacher_logits of shape"),
        (torch.ones(2), torch.ones(2), ValueError, "student_logits.*2 dimensions"),
        (torch.ones(2, 1), torch.ones(2, 1), ValueError, "two classes"),
        (torch.ones(0, 2), torch.ones(0, 2), ValueError, "at least one example"),
        (torch.ones(2, 2).long(), torch.ones(2, 2), TypeError, "student_logits.*int64"),
        (torch.ones(2, 2), [[1, 1]], TypeError, "teacher_logits.*list"),
        (
            torch.ones(2, 2),
            torch.full((2, 2), math.nan),
            ValueError,
            "teacher_logits.*NaN",
        ),
        (
            torch.full((2, 2), math.inf),
            torch.ones(2, 2),
            ValueError,
            "student_logits.*NaN or inf",
        ),
    ],
)
def test_bad_logits_are_refused_by_name(student, teacher, error, message):
    with pytest.raises(error, match=message):
        kd_loss(student, teacher, 1.0)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (torch.tensor([0, 4, 0, 0, 0, 0]), ValueError, r"0\.\.3.*got 4"),
        (torch.tensor([0, -1, 0, 0, 0, 0]), ValueError, "got -1"),
        (torch.tensor([0, 1]), ValueError, r"labels.*\(6,\)"),
        (torch.zeros(6), TypeError, "labels.*float32"),
        ([0] * 6, TypeError, "labels.*list"),
    ],
)
def test_bad_labels_are_refused(pair, labels, error, message):
    with pytest.raises(error, match=message):
        DistillationLoss()(*pair, labels)


def test_hidden_state_loss_leaves_padding_out():
    student, teacher = torch.zeros(1, 3, 2), torch.zeros(1, 3, 2)
    student[0, 0] = torch.tensor([1.0, 3.0])
    student[0, 2] = 100.0  # padding
    mask = torch.tensor([[1, 1, 0]])
    assert hidden_state_loss(student, teacher, mask).item() == pytest.approx(2.5)


def test_hidden_state_loss_projects_the_student_and_spares_the_teacher():
    projection = torch.nn.Linear(2, 4)
    student = torch.randn(2, 3, 2, requires_grad=True)
    teacher = torch.randn(2, 3, 4, requires_grad=True)
    loss = hidden_state_loss(student, teacher, projection=projection)
    loss.backward()
    expected = (projection(student) - teacher).pow(2).mean()
    assert loss.item() == pytest.approx(expected.item())
    assert teacher.grad is None
    assert projection.weight.grad.abs().sum() > 0


def test_hidden_state_loss_is_zero_when_both_agree():
    states = torch.randn(2, 3, 4)
    assert hidden_state_loss(states, states.clone()).item() == 0


@pytest.mark.parametrize(
    ("student", "teacher", "mask", "message"),
    [
        (torch.ones(1, 2, 3), torch.ones(1, 2, 4), None, "projection"),
        (torch.ones(1, 2, 3), torch.ones(1, 2, 3), torch.ones(1, 3), "mask must"),
        (torch.ones(1, 2, 3), torch.ones(1, 2, 3), torch.zeros(1, 2), "mask must keep"),
        (torch.ones(2, 3), torch.ones(1, 2, 3), None, "student_hidden.*3 dim"),
        (
            torch.full((1, 2, 3), math.nan),
            torch.ones(1, 2, 3),
            None,
            "student_hidden.*NaN",
        ),
    ],
)
def test_hidden_state_loss_names_what_does_not_fit(student, teacher, mask, message):
    with pytest.raises(ValueError, match=message):
        hidden_state_loss(student, teacher, mask)
