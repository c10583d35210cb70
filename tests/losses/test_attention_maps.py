"""The loss between attention maps."""

import math
from types import SimpleNamespace

import pytest
import torch

from distill_helpers.losses import attention_map_loss, weighted_maps


def maps(seed, *shape):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=chance).softmax(-1)


def test_the_value_is_the_kl_divergence_of_the_words_that_count():
    student, teacher = maps(0, 2, 3, 4), maps(1, 2, 3, 4)
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    by_hand = [
        sum(p * math.log(p / q) for p, q in zip(t, s))
        for row in range(2)
        for t, s, m in zip(teacher[row].tolist(), student[row].tolist(), mask[row])
        if m
    ]
    found = attention_map_loss(student, teacher, mask)
    assert found.item() == pytest.approx(sum(by_hand) / 3, rel=1e-5)
    assert attention_map_loss(teacher, teacher, mask).item() == pytest.approx(
        0, abs=1e-6
    )


def test_heads_are_averaged_or_matched():
    student, teacher = maps(2, 2, 4, 3, 5), maps(3, 2, 2, 3, 5)
    averaged = attention_map_loss(student, teacher)
    assert averaged == attention_map_loss(student.mean(1), teacher.mean(1))
    swapped = student[:, [1, 0, 2, 3]]
    assert attention_map_loss(swapped, teacher) == pytest.approx(averaged)
    wide = teacher.repeat(1, 2, 1, 1)
    matched = attention_map_loss(student, wide, heads="matched")
    assert attention_map_loss(swapped, wide, heads="matched") != matched
    with pytest.raises(ValueError, match="with as many heads"):
        attention_map_loss(student, teacher, heads="matched")


def test_cells_that_nobody_may_look_at_cost_nothing_and_learn_nothing():
    scores = torch.zeros(1, 1, 3).requires_grad_()
    teacher = torch.tensor([[[0.5, 0.5, 0.0]]]).requires_grad_()
    loss = attention_map_loss(scores.softmax(-1), teacher)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(3 / 2), rel=1e-5)
    assert torch.isfinite(scores.grad).all() and teacher.grad is None


def test_nothing_that_counts_is_no_loss():
    nothing = torch.zeros(2, 3)
    assert attention_map_loss(maps(0, 2, 3, 4), maps(1, 2, 3, 4), nothing) == 0


def test_small_batches_add_up_to_the_loss_of_a_large_one():
    student, teacher = maps(4, 6, 2, 2, 3, 5), maps(5, 6, 2, 3, 5)
    mask = torch.tensor(
        [[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1], [1, 1, 0]]
    )
    loss = weighted_maps(2.0)

    def on(rows):
        outputs = SimpleNamespace(cross_attentions=student[rows].unbind(1))
        batch = {
            "teacher_attention": teacher[rows],
            "teacher_attention_mask": mask[rows],
        }
        return loss.function(outputs, batch, int(mask.sum()))

    whole = on(slice(0, 6))
    assert whole == pytest.approx((on(slice(0, 2)) + on(slice(2, 6))).item(), rel=1e-5)
    first, second = (
        attention_map_loss(student[:, i], teacher[:, i], mask) for i in (0, 1)
    )
    assert whole.item() == pytest.approx((first + second).item() / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ((maps(0, 2, 3, 4), maps(1, 2, 3, 5)), ValueError, "do not match teacher_maps"),
        ((maps(0, 2, 3, 4), maps(1, 1, 3, 4)), ValueError, "do not match teacher_maps"),
        ((maps(0, 3, 4), maps(1, 4)), ValueError, "student_maps must have 4 dim"),
        ((maps(0, 2, 3, 4), 2 * maps(1, 2, 3, 4)), ValueError, "sum to 1"),
        (
            (maps(0, 2, 3, 4), maps(1, 2, 3, 4), torch.ones(2, 4)),
            ValueError,
            r"mask must have the shape \(2, 3\)",
        ),
        ((maps(0, 2, 3, 4), [[1.0]]), TypeError, "teacher_maps must be a Tensor"),
        (
            (maps(0, 2, 3, 4), maps(1, 2, 3, 4), None, "best"),
            ValueError,
            "heads must be one of",
        ),
    ],
    ids=range(7),
)
def test_bad_input_is_named(given, error, said):
    with pytest.raises(error, match=said):
        attention_map_loss(*given)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"layers": ()}, "layers must hold"), ({"weight": -1}, "weight must be at least")],
    ids=range(2),
)
def test_bad_settings_of_the_trainers_loss_are_named(given, said):
    with pytest.raises(ValueError, match=said):
        weighted_maps(**given)
