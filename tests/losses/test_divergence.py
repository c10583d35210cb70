"""Other divergences: by hand, at their limits, and as exact as what goes in."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from distill_helpers.losses import (
    alpha_divergence_loss,
    jensen_shannon_loss,
    kd_loss,
    multi_label_kd_loss,
    reverse_kl_loss,
    soft_loss,
)
from distill_helpers.losses.divergence import alpha_divergence, coin_parts
from distill_helpers.losses.soft_targets import batch_mean

LOSSES = {
    "reverse": reverse_kl_loss,
    "jensen-shannon": jensen_shannon_loss,
    "jensen-shannon, unequal": lambda *z: jensen_shannon_loss(*z, beta=0.2),
    "alpha": alpha_divergence_loss,
    "alpha, near forward": lambda *z: alpha_divergence_loss(*z, order=0.9),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))


def logits_of(*probabilities):
    return torch.tensor([probabilities], dtype=torch.float64).log()


TEACHER, STUDENT = logits_of(0.75, 0.25), logits_of(0.5, 0.5)


def test_each_divergence_equals_the_sum_worked_by_hand():
    reverse = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    assert reverse_kl_loss(STUDENT, TEACHER).item() == pytest.approx(reverse)
    # m = .2 (3/4, 1/4) + .8 (1/2, 1/2) = (.55, .45)
    first = 0.75 * math.log(0.75 / 0.55) + 0.25 * math.log(0.25 / 0.45)
    second = 0.5 * math.log(0.5 / 0.55) + 0.5 * math.log(0.5 / 0.45)
    mixed = jensen_shannon_loss(STUDENT, TEACHER, beta=0.2).item()
    assert mixed == pytest.approx(0.2 * first + 0.8 * second)
    overlap = math.sqrt(0.75 * 0.5) + math.sqrt(0.25 * 0.5)
    half = alpha_divergence_loss(STUDENT, TEACHER).item()
    assert half == pytest.approx(4 * (1 - overlap))
    some = 0.75**0.9 * 0.5**0.1 + 0.25**0.9 * 0.5**0.1
    nine = alpha_divergence_loss(STUDENT, TEACHER, order=0.9).item()
    assert nine == pytest.approx((1 - some) / 0.09)


def test_the_ends_are_the_two_kl_divergences(pair):
    pair = [z.double() for z in pair]
    forward, reverse = kd_loss(*pair, 2.0).item(), reverse_kl_loss(*pair, 2.0).item()
    assert reverse == pytest.approx(kd_loss(*reversed(pair), 2.0).item())
    for order, end in (
        (0, reverse),
        (1e-9, reverse),
        (1 - 1e-9, forward),
        (1, forward),
    ):
        found = alpha_divergence_loss(*pair, 2.0, order).item()
        assert found == pytest.approx(end, rel=1e-6), order
    assert jensen_shannon_loss(*pair, 2.0, 0).item() == pytest.approx(forward)
    assert jensen_shannon_loss(*pair, 2.0, 1).item() == pytest.approx(reverse)
    for beta, end in ((1e-6, forward), (1 - 1e-6, reverse)):
        found = jensen_shannon_loss(*pair, 2.0, beta).item()
        assert found / (beta * (1 - beta)) == pytest.approx(end, rel=1e-4)


def test_what_is_symmetric_is_and_the_rest_is_not(pair):
    for loss in (jensen_shannon_loss, alpha_divergence_loss):
        there, back = loss(*pair, 2.0), loss(*reversed(pair), 2.0)
        assert there.item() == pytest.approx(back.item(), rel=1e-5)
    turned = alpha_divergence_loss(*reversed(pair), order=0.3)
    assert alpha_divergence_loss(*pair, order=0.7).item() == pytest.approx(
        turned.item()
    )
    apart = reverse_kl_loss(*pair) - reverse_kl_loss(*reversed(pair))
    assert abs(apart.item()) > 0.05


def test_jensen_and_shannon_never_pass_the_logarithm_of_two():
    far = torch.tensor([[80.0, 0.0, 0.0]]), torch.tensor([[0.0, 80.0, 0.0]])
    assert jensen_shannon_loss(*far).item() == pytest.approx(math.log(2))
    assert kd_loss(*far).item() > 50


@each_loss
def test_it_is_zero_for_equals_and_else_above(pair, loss):
    assert loss(pair[1].clone(), pair[1], 3.0).item() == pytest.approx(0, abs=1e-6)
    assert loss(*pair, 3.0).item() > 0.01


@each_loss
def test_the_gradient_is_exact_and_keeps_its_size(pair, loss):
    teacher = pair[1].double()
    exact = pair[0].double().requires_grad_()
    assert loss(exact, teacher, 2.0).dtype == torch.float64
    assert gradcheck(lambda z: loss(z, teacher, 2.0), exact)
    sizes = []
    for temperature in (8.0, 32.0):
        student, fixed = (z.clone().requires_grad_() for z in pair)
        loss(student, fixed, temperature).backward()
        sizes.append(student.grad.norm().item())
        assert fixed.grad is None
    assert 2 / 3 < sizes[0] / sizes[1] < 1.5


@each_loss
def test_sure_logits_of_half_precision_stay_numbers(loss):
    student = torch.tensor([[300.0, -300.0, 0.0]], dtype=torch.float16)
    student.requires_grad_()
    value = loss(student, student.detach().flip(1), 1.0)
    value.backward()
    assert value.dtype == torch.float32
    assert torch.isfinite(value) and torch.isfinite(student.grad).all()


def test_a_coin_for_each_class_follows_the_same_formula(pair):
    parts = coin_parts(alpha_divergence(1))
    found = batch_mean(parts, *pair, 2.0)
    assert found.item() == pytest.approx(
        multi_label_kd_loss(*pair, 2.0).item(), rel=1e-5
    )


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (jensen_shannon_loss, {"beta": 1.2}, r"beta must lie in \[0, 1\], got 1.2"),
        (alpha_divergence_loss, {"order": -0.1}, "order must lie in"),
        (alpha_divergence_loss, {"order": math.nan}, "order must lie in"),
        (reverse_kl_loss, {"temperature": 0}, "temperature must be .* got 0"),
    ],
)
def test_a_parameter_out_of_range_is_refused(pair, loss, options, message):
    with pytest.raises(ValueError, match=message):
        loss(*pair, **options)


# ------------------------------------------------------------------- by name
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mse", {}, "soft_loss must be one of .*reverse_kl.* got 'mse'"),
        ("kl", {"beta": 1}, "'kl' takes none, got 'beta'"),
        ("alpha", {"beta": 1}, r"'alpha' takes \['order'\], got 'beta'"),
        ("jensen_shannon", {"beta": 2}, "beta must lie in"),
        ("flsw", {"gamma": 0}, "gamma must be a finite number above 0"),
    ],
)
def test_a_name_or_an_option_that_there_is_not_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        soft_loss(name, 2.0, options=options)


def test_what_knows_one_label_a_text_says_so():
    for name in ("decoupled", "flsw", "cwsm"):
        with pytest.raises(ValueError, match="several labels a text say one of"):
            soft_loss(name, 2.0, problem_type="multi_label_classification")
