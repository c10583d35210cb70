"""Soft targets and labels of independent classes, and classes that count unequally."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import small_bert
from torch.nn import functional as F

from distill_helpers.data.labels import ONE_LABEL, SEVERAL_LABELS
from distill_helpers.losses.balance import class_weights
from distill_helpers.losses.combined import (
    DistillationLoss,
    standard_losses,
    usable,
)
from distill_helpers.losses.labels import labelled_cross_entropy
from distill_helpers.losses.several_labels import (
    multi_label_cross_entropy,
    multi_label_kd_loss,
)
from distill_helpers.losses.soft_targets import kd_loss
from distill_helpers.losses.weighted import count_labels, weighted_sum

NONE = [-100.0] * 4


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(1)
    found = torch.randint(0, 2, (6, 4), generator=generator).float()
    found[2] = found[5] = -100.0
    return found


def test_the_soft_loss_equals_the_sum_written_by_hand(pair):
    student, teacher = pair
    temperature, total = 3.0, 0.0
    for s, t in zip(student.flatten().tolist(), teacher.flatten().tolist()):
        q, p = (1 / (1 + math.exp(-z / temperature)) for z in (s, t))
        total += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    expected = total * temperature**2 / student.numel()
    found = multi_label_kd_loss(student, teacher, temperature).item()
    assert found == pytest.approx(expected, rel=1e-4)


def test_one_coin_is_a_softmax_of_two(pair):
    """A class that holds or not is a choice between two: the losses must agree."""
    student, teacher = (torch.stack([-z / 2, z / 2], -1).reshape(-1, 2) for z in pair)
    assert multi_label_kd_loss(*pair, 2.0).item() == pytest.approx(
        kd_loss(student, teacher, 2.0).item(), rel=1e-5
    )


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_huge_logits_give_a_finite_loss_and_gradient(pair, size):
    student = (pair[0] * 50).requires_grad_()
    loss = multi_label_kd_loss(student, pair[1].sign() * size, 1.0)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(student.grad).all()
    same = multi_label_kd_loss(pair[1].sign() * size, pair[1].sign() * size, 1.0)
    assert same.item() == 0


def test_the_cross_entropy_is_that_of_transformers(rows, bert_tokenizer):
    known = rows[:, 0] != -100
    model = small_bert(bert_tokenizer, num_labels=4, problem_type=SEVERAL_LABELS)
    ids = torch.arange(8).reshape(4, 2)
    stock = model(input_ids=ids, labels=rows[known])
    found = multi_label_cross_entropy(stock.logits, rows[known])
    assert found.item() == pytest.approx(stock.loss.item(), rel=1e-6)
    # Rows without labels do not count.
    logits = torch.zeros(6, 4)
    logits[known] = stock.logits
    again = multi_label_cross_entropy(logits, rows)
    assert again.item() == pytest.approx(stock.loss.item(), rel=1e-6)


def test_without_a_label_the_cross_entropy_is_0_and_can_be_followed(pair):
    student = pair[0].clone().requires_grad_()
    loss = multi_label_cross_entropy(student, torch.full((6, 4), -100.0))
    loss.backward()
    assert loss.item() == 0 and student.grad.abs().sum() == 0


def test_the_losses_of_the_trainer_are_these(pair, rows):
    student, teacher = pair
    batch = {"labels": rows, "teacher_logits": teacher}
    assert count_labels(batch) == 4
    losses = standard_losses(2.0, 0.7, SEVERAL_LABELS)
    total, terms = weighted_sum(losses, SimpleNamespace(logits=student), batch)
    assert list(terms) == ["kd", "cross_entropy"]
    expected = 0.7 * multi_label_kd_loss(student, teacher, 2.0)
    expected += 0.3 * multi_label_cross_entropy(student, rows)
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)
    module = DistillationLoss(2.0, 0.7, problem_type=SEVERAL_LABELS)
    assert module(student, teacher, rows).item() == pytest.approx(total.item())
    soft = DistillationLoss(2.0, 1.0, problem_type=SEVERAL_LABELS)
    assert soft(student, teacher).item() == pytest.approx(terms["kd"].item())
    # Where the teacher is silent the labels count in full, still as sigmoids.
    left = usable(losses, {"labels": rows}, SEVERAL_LABELS)
    alone, _ = weighted_sum(left, SimpleNamespace(logits=student), {"labels": rows})
    assert alone.item() == pytest.approx(
        multi_label_cross_entropy(student, rows).item()
    )


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (torch.zeros(6, dtype=torch.long), TypeError, "rows of 0.0 and 1.0"),
        (torch.zeros(6, 3), ValueError, r"\(6, 4\), got \(6, 3\)"),
        (torch.full((6, 4), 0.9), ValueError, "0 or 1 for each class.* got 0.9"),
        (torch.tensor([[1.0, 0, 0, -100]] * 6), ValueError, "got -100"),
        (torch.full((6, 4), float("nan")), ValueError, "got nan"),
    ],
)
def test_labels_that_are_no_rows_of_0_and_1_are_refused(pair, labels, error, message):
    losses = standard_losses(2.0, 0.0, SEVERAL_LABELS)[1:]
    with pytest.raises(error, match=message):
        weighted_sum(losses, SimpleNamespace(logits=pair[0]), {"labels": labels})


def test_other_kinds_of_problems_are_refused():
    with pytest.raises(ValueError, match="problem_type must be one of .*'regression'"):
        standard_losses(2.0, 0.5, "regression")


# ------------------------------------------------------------ unequal classes
def test_class_weights_are_those_of_torch_but_for_the_divisor(pair):
    labels = torch.tensor([0, 1, 2, 3, -100, 1])
    weights = [0.5, 1.0, 2.0, 4.0]
    found = labelled_cross_entropy(pair[0], labels, class_weights=weights)
    torch_mean = F.cross_entropy(
        pair[0], labels, torch.tensor(weights), ignore_index=-100
    )
    total = sum(weights[y] for y in labels.tolist() if y >= 0)
    assert found.item() == pytest.approx(torch_mean.item() * total / 5, rel=1e-6)
    ones = labelled_cross_entropy(pair[0], labels, class_weights=[1.0] * 4)
    assert ones.item() == labelled_cross_entropy(pair[0], labels).item()


def test_a_weight_counts_what_a_class_that_holds_costs(pair, rows):
    weights = [3.0, 1.0, 1.0, 1.0]
    more = multi_label_cross_entropy(pair[0], rows, class_weights=weights)
    less = multi_label_cross_entropy(pair[0], rows)
    first = rows[:, 0] == 1
    extra = 2 * F.softplus(-pair[0][first, 0]).sum() / 4 / 4
    assert more.item() == pytest.approx((less + extra).item(), rel=1e-5)


def test_balanced_weights_make_every_class_count_alike():
    labels = np.array([0] * 6 + [1] * 3 + [3] + [-100] * 5)
    weights = class_weights("balanced", labels, 4)
    sums = [weights[c] * (labels == c).sum() for c in (0, 1, 3)]
    assert sums == pytest.approx([10 / 3] * 3) and weights[2] == 1.0
    assert np.mean([weights[y] for y in labels if y >= 0]) == pytest.approx(1.0)


def test_balanced_weights_of_several_labels_weigh_with_against_without():
    rows = np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 1], NONE[:3]], np.float32)
    assert class_weights("balanced", rows, 3) == [3.0, 3.0, 1.0]


@pytest.mark.parametrize(
    ("asked", "labels", "error", "message"),
    [
        ("even", [0, 1], ValueError, "None, 'balanced' or a number"),
        ([1.0], [0, 1], ValueError, "each of the 2 classes, got 1"),
        ([1.0, 0.0], [0, 1], ValueError, r"class_weights\[1\] must be .* above 0"),
        ([1.0, "2"], [0, 1], TypeError, r"class_weights\[1\] must be a number"),
        ("balanced", [-100, -100], ValueError, "no text has one"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(asked, labels, error, message):
    with pytest.raises(error, match=message):
        class_weights(asked, np.array(labels), 2)


def test_one_label_a_text_is_the_default(pair):
    plain = standard_losses(2.0, 0.5)
    named = standard_losses(2.0, 0.5, ONE_LABEL)
    batch = {"labels": torch.tensor([0, 1, 2, 3, 0, 1]), "teacher_logits": pair[1]}
    outputs = SimpleNamespace(logits=pair[0])
    assert weighted_sum(plain, outputs, batch)[0].equal(
        weighted_sum(named, outputs, batch)[0]
    )
