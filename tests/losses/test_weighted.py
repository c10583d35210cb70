"""Losses as a list: named, weighted, and as exact as what goes in."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from distill_helpers.data.labels import SEVERAL_LABELS
from distill_helpers.losses.combined import (
    DistillationLoss,
    standard_losses,
    usable,
)
from distill_helpers.losses.hidden import hidden_state_loss
from distill_helpers.losses.labels import labelled_cross_entropy
from distill_helpers.losses.logits import at_least_float32
from distill_helpers.losses.several_labels import (
    multi_label_cross_entropy,
    multi_label_kd_loss,
)
from distill_helpers.losses.soft_targets import kd_loss
from distill_helpers.losses.weighted import WeightedLoss, count_labels, weighted_sum

LABELS = torch.tensor([0, -100, 2, 1, -100])
ROWS = torch.tensor([[1, 0, 1], [0, 0, 0], [-100] * 3, [1, 1, 1], [0, 1, 0.0]])


def drawn(*shape, seed=0, **options):
    return torch.randn(
        *shape,
        generator=torch.Generator().manual_seed(seed),
        dtype=options.pop("dtype", torch.float64),
        **options,
    )


def batch_of(dtype=torch.float32):
    return {"labels": LABELS, "teacher_logits": drawn(5, 3, seed=1, dtype=dtype)}


# ------------------------------------------------------------------ precision
@pytest.mark.parametrize(
    "loss",
    [
        lambda z: kd_loss(z, drawn(5, 3, seed=1) * 3, 2.5),
        lambda z: labelled_cross_entropy(z, LABELS),
        lambda z: DistillationLoss(3.0, 0.3)(z, drawn(5, 3, seed=1), LABELS),
        lambda z: weighted_sum(
            standard_losses(3.0, 0.3), SimpleNamespace(logits=z), batch_of()
        )[0],
        lambda z: labelled_cross_entropy(z, LABELS, class_weights=[0.5, 1.0, 2.0]),
        lambda z: multi_label_kd_loss(z, drawn(5, 3, seed=1) * 3, 2.5),
        lambda z: multi_label_cross_entropy(z, ROWS, class_weights=[0.5, 1.0, 2.0]),
        lambda z: DistillationLoss(3.0, 0.3, problem_type=SEVERAL_LABELS)(
            z, drawn(5, 3, seed=1), ROWS
        ),
    ],
    ids=[
        "kd_loss",
        "labelled_cross_entropy",
        "DistillationLoss",
        "list",
        "class weights",
        "multi_label_kd_loss",
        "multi_label_cross_entropy",
        "DistillationLoss of several labels",
    ],
)
def test_gradients_in_float64_are_those_of_finite_differences(loss):
    assert torch.autograd.gradcheck(loss, drawn(5, 3, requires_grad=True))


def test_the_gradient_of_hidden_states_is_exact_in_float64_too():
    projection = nn.Linear(2, 4).double()
    teacher, mask = drawn(2, 3, 4, seed=1), torch.tensor([[1, 1, 0], [1, 1, 1]])

    def loss(student, weight, bias):
        return hidden_state_loss(
            student, teacher, mask, lambda states: F.linear(states, weight, bias)
        )

    student = drawn(2, 3, 2, requires_grad=True)
    assert torch.autograd.gradcheck(loss, (student, *projection.parameters()))


@pytest.mark.parametrize(
    ("given", "computed"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
@pytest.mark.parametrize("teachers", [torch.float32, torch.float64])
def test_the_students_precision_decides_and_is_float32_at_least(
    given, computed, teachers
):
    student, teacher = drawn(5, 3, dtype=given), drawn(5, 3, seed=1, dtype=teachers)
    assert at_least_float32(student).dtype == computed
    assert kd_loss(student, teacher, 2.0).dtype == computed
    assert labelled_cross_entropy(student, LABELS).dtype == computed
    terms = DistillationLoss().terms(student, teacher, LABELS)
    assert {term.dtype for term in terms} == {computed}
    states = drawn(2, 3, 4, dtype=given)
    other = drawn(2, 3, 4, seed=1, dtype=teachers)
    assert hidden_state_loss(states, other).dtype == computed


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_up_to_float32_it_gives_the_bits_of_the_formula_in_float32(dtype):
    student, teacher = (drawn(5, 3, seed=s, dtype=dtype) * 4 for s in (0, 1))
    expected = F.kl_div(
        F.log_softmax(student.float() / 2.5, dim=-1),
        F.log_softmax(teacher.float() / 2.5, dim=-1),
        reduction="sum",
        log_target=True,
    )
    assert torch.equal(kd_loss(student, teacher, 2.5), expected * 2.5**2 / 5)
    hard = F.cross_entropy(student.float(), LABELS, ignore_index=-100, reduction="sum")
    hard = hard / 3
    soft = kd_loss(student, teacher, 2.5)
    total = DistillationLoss(2.5, 0.7)(student, teacher, LABELS)
    assert torch.equal(total, 0.7 * soft + (1 - 0.7) * hard)


# ------------------------------------------------------------------- the list
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_list_gives_the_bits_of_the_class(alpha, dtype):
    results = []
    for listed in (True, False):
        logits = drawn(5, 3, dtype=dtype, requires_grad=True)
        batch = batch_of(dtype)
        if listed:
            outputs = SimpleNamespace(logits=logits)
            total, terms = weighted_sum(standard_losses(2.0, alpha), outputs, batch)
        else:
            found = DistillationLoss(2.0, alpha).terms(
                logits, batch["teacher_logits"], LABELS
            )
            total, terms = found.total, found._asdict()
        total.backward()
        results.append([total, terms["kd"], terms["cross_entropy"], logits.grad])
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_the_divisors_are_those_of_the_whole_and_by_default_of_the_batch():
    def summed(outputs, batch, divisor):
        return outputs.logits.sum() / divisor

    losses = [
        WeightedLoss("one", summed, 2.0),
        WeightedLoss("two", summed, 0.5, count_labels),
    ]
    outputs = SimpleNamespace(logits=torch.full((5, 3), 4.0))
    total, terms = weighted_sum(losses, outputs, batch_of())
    assert {k: v.item() for k, v in terms.items()} == {"one": 12.0, "two": 20.0}
    assert total.item() == 2 * 12 + 0.5 * 20
    _, terms = weighted_sum(losses, outputs, batch_of(), {"one": 10, "two": 0})
    assert {k: v.item() for k, v in terms.items()} == {"one": 6.0, "two": 60.0}


def test_without_the_teachers_word_the_labels_count_in_full():
    extra = WeightedLoss("extra", lambda *_: torch.tensor(1.0), 0.1)
    losses = [*standard_losses(2.0, 1.0), extra]
    assert usable(losses, batch_of()) == losses
    left = usable(losses, {"labels": LABELS})
    assert [(loss.name, loss.weight) for loss in left] == [
        ("cross_entropy", 1.0),
        ("extra", 0.1),
    ]
    outputs = SimpleNamespace(logits=drawn(5, 3, dtype=torch.float32))
    total, _ = weighted_sum(usable(losses[:2], {"labels": LABELS}), outputs, batch_of())
    assert torch.equal(total, labelled_cross_entropy(outputs.logits, LABELS))
    assert [loss.name for loss in usable([], batch_of())] == ["cross_entropy"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": -0.1}, ValueError, "weight must be at least 0, got -0.1"),
        ({"weight": math.nan}, ValueError, "weight.*got nan"),
        ({"weight": "1"}, TypeError, "weight.*str"),
        ({"name": "loss"}, ValueError, "name must be none of.*got 'loss'"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        WeightedLoss(**({"name": "mine", "function": print} | change))
