"""Token by token: as TRL computes it, each token counted once."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from distill_helpers.losses.sequence import (
    count_next_tokens,
    generalized_jsd_loss,
    next_tokens,
    token_cross_entropy,
    weighted_jsd,
    weighted_token_cross_entropy,
)

TRL = json.loads(Path(__file__).with_name("sequence_reference.json").read_text("utf-8"))


@pytest.fixture
def batch():
    """Logits of a student and a teacher on four texts, the first tokens prompts."""
    draw = torch.Generator().manual_seed(0)
    student, teacher = (2 * torch.randn(4, 6, 7, generator=draw) for _ in range(2))
    labels = torch.randint(0, 7, (4, 6), generator=draw)
    labels[0, :3], labels[1, :2], labels[2, 4:], labels[3] = -100, -100, -100, -100
    return student, teacher, labels


@pytest.mark.parametrize(
    "case", TRL["cases"], ids=lambda c: f"beta={c['beta']}, T={c['temperature']}"
)
def test_value_and_gradient_are_those_of_trl(case):
    student = torch.tensor(case["student_logits"], requires_grad=True)
    teacher, labels = torch.tensor(case["teacher_logits"]), torch.tensor(case["labels"])
    given = labels, case["beta"], case["temperature"]
    loss = generalized_jsd_loss(student, teacher, *given)
    assert loss.item() == pytest.approx(case["loss"], rel=1e-6, abs=1e-6)
    over = generalized_jsd_loss(student, teacher, *given, tokens=7)
    assert over.item() == pytest.approx(case["loss_over_7_tokens"], rel=1e-6, abs=1e-6)
    loss.backward()
    torch.testing.assert_close(
        student.grad, torch.tensor(case["gradient"]), rtol=1e-5, atol=1e-6
    )


def test_the_ends_are_forward_and_reverse_kl(batch):
    student, teacher, labels = batch
    p, q = (F.softmax(z[labels != -100], -1) for z in (teacher, student))
    forward = (p * (p / q).log()).sum(-1).mean().item()
    reverse = (q * (q / p).log()).sum(-1).mean().item()
    assert forward != pytest.approx(reverse, rel=0.05)
    for beta, expected in ((0, forward), (1, reverse)):
        loss = generalized_jsd_loss(student, teacher, labels, beta)
        assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_no_gradient_reaches_the_teacher_and_none_a_prompt(batch):
    student, teacher, labels = batch
    student.requires_grad_(), teacher.requires_grad_()
    for beta in (0.0, 0.5, 1.0):
        generalized_jsd_loss(student, teacher * 1, labels, beta).backward()
    assert teacher.grad is None
    assert not student.grad[labels == -100].any()
    assert student.grad[labels != -100].any(-1).all()


def test_parts_over_the_tokens_of_all_make_the_whole(batch):
    student, teacher, labels = batch
    losses = [weighted_jsd(0.3, 2.0), weighted_token_cross_entropy()]
    whole = {"labels": labels, "teacher_logits": teacher}
    for loss in losses:
        count = loss.count(whole)
        assert count == int((labels[:, 1:] != -100).sum()) < int((labels != -100).sum())
        expected = loss.function(SimpleNamespace(logits=student), whole, count)
        parts = [
            {name: tensor[rows] for name, tensor in whole.items()}
            for rows in (slice(0, 1), slice(1, 3), slice(3, 4))  # the last is empty
        ]
        assert count_next_tokens(parts[2]) == 0
        got = sum(
            loss.function(SimpleNamespace(logits=logits), part, count)
            for logits, part in zip((student[:1], student[1:3], student[3:]), parts)
        )
        assert got.item() == pytest.approx(expected.item(), rel=1e-6)
        # Means of means are another number: a token of a short text weighs more.
        means = [
            loss.function(SimpleNamespace(logits=z), part, loss.count(part) or 1)
            for z, part in zip((student[:1], student[1:3]), parts)
        ]
        assert sum(means).item() / 2 != pytest.approx(expected.item(), rel=1e-3)


def test_cross_entropy_is_pytorchs_after_the_shift(batch):
    student, _, labels = batch
    logits, wanted = next_tokens(student, labels)
    expected = F.cross_entropy(logits.flatten(0, 1), wanted.flatten())
    assert token_cross_entropy(logits, wanted).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(batch, dtype):
    student, teacher, labels = batch
    low = generalized_jsd_loss(student.to(dtype), teacher.to(dtype), labels)
    high = generalized_jsd_loss(
        student.to(dtype).float(), teacher.to(dtype).float(), labels
    )
    assert low.dtype == torch.float32
    assert low.item() == high.item()


def test_nothing_that_counts_is_zero_with_a_gradient(batch):
    student, teacher, labels = batch
    student.requires_grad_()
    none = torch.full_like(labels, -100)
    for loss in (
        generalized_jsd_loss(student, teacher, none),
        token_cross_entropy(student, none),
    ):
        loss.backward()
        assert loss.item() == 0
    assert not student.grad.any()


def test_what_a_prompt_holds_need_not_be_finite_but_a_token_must(batch):
    student, teacher, labels = batch
    teacher[0, 0, 0] = torch.nan
    assert torch.isfinite(generalized_jsd_loss(student, teacher, labels))
    teacher[0, 4, 2] = -torch.inf
    with pytest.raises(ValueError, match="teacher_logits must be finite, got 1"):
        generalized_jsd_loss(student, teacher, labels)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"beta": 1.5}, ValueError, r"beta must lie in \[0, 1\], got 1.5"),
        ({"beta": float("nan")}, ValueError, "beta must"),
        ({"temperature": 0}, ValueError, "temperature must be a finite number above 0"),
        ({"teacher_logits": torch.zeros(4, 6, 9)}, ValueError, "of 7 and 9 tokens"),
        (
            {"teacher_logits": torch.zeros(4, 5, 7)},
            ValueError,
            r"\(4, 5, 7\) must have",
        ),
        ({"teacher_logits": torch.zeros(4, 7)}, ValueError, "3 dimensions"),
        ({"labels": torch.zeros(4, 5, dtype=torch.long)}, ValueError, r"got \(4, 5\)"),
        ({"labels": torch.zeros(4, 6)}, TypeError, "int64 token ids"),
    ],
)
def test_what_does_not_fit_is_refused(batch, change, error, message):
    given = dict(zip(("student_logits", "teacher_logits", "labels"), batch)) | change
    with pytest.raises(error, match=message):
        generalized_jsd_loss(**given)


def test_a_label_beyond_the_vocabulary_is_refused(batch):
    student, _, labels = batch
    labels[0, 4] = 7
    with pytest.raises(ValueError, match=r"0..6 or be -100 .* got 7"):
        token_cross_entropy(student, labels)
