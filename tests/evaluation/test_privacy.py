"""The accountant, held against dp-accounting and against the integral itself."""

import math

import numpy as np
import pytest

from distill_helpers.evaluation import privacy
from distill_helpers.evaluation.privacy import (
    ORDERS,
    check_budget,
    gaussian_spent,
    noise_for,
    reference_epsilon,
    renyi_cost,
    votes_noise,
    votes_spent,
)

# noise, steps, rate, delta, and the epsilon of dp-accounting 0.6's RdpAccountant.
REFERENCES = [
    (1.1, 1_000, 0.01, 1e-5, 1.71177),
    (5.0, 30, 1.0, 1e-5, 5.25240),
    (20.0, 1_000, 0.05, 1e-5, 0.29226),
    (1.3, 3_000, 0.002, 1e-5, 0.49890),
    (8.0, 1, 1.0, 1e-5, 0.47755),
    (0.3, 3, 0.01, 1e-5, 14.92988),
    (300.0, 2, 0.01, 1e-3, 0.0),
]


@pytest.mark.parametrize(("noise", "steps", "rate", "delta", "epsilon"), REFERENCES)
def test_epsilon_is_that_of_dp_accounting(noise, steps, rate, delta, epsilon):
    found = gaussian_spent(noise, steps, rate, delta)
    assert found.epsilon == pytest.approx(epsilon, abs=5e-4)


def test_epsilon_is_that_of_dp_accounting_as_installed():
    pytest.importorskip(
        "dp_accounting", reason="dp-accounting is not installed: [trust]"
    )
    for noise, steps, rate, delta, _ in REFERENCES:
        theirs = reference_epsilon(noise, steps, rate, delta)
        ours = gaussian_spent(noise, steps, rate, delta).epsilon
        assert ours == pytest.approx(theirs, abs=5e-4)


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.9])
def test_the_cost_is_the_integral_that_it_stands_for(rate):
    noise = 2.0
    z = np.linspace(-60, 80, 400_001)
    log_density = -(z**2) / (2 * noise**2) - math.log(noise * math.sqrt(2 * math.pi))
    shifted = (2 * z - 1) / (2 * noise**2)
    log_ratio = np.logaddexp(math.log1p(-rate), math.log(rate) + shifted)
    cost = renyi_cost(noise, rate)
    for order in (1.9, 2.9, 4.0, 9.7, 20.0):
        moment = np.trapezoid if hasattr(np, "trapezoid") else np.trapz
        wanted = math.log(moment(np.exp(order * log_ratio + log_density), z))
        assert cost[ORDERS.index(order)] * (order - 1) == pytest.approx(
            wanted, rel=1e-6
        )


def test_what_is_left_out_is_never_the_cheap_one():
    # A series that comes to no end must not pass for a low cost.
    cost = renyi_cost(0.7, 0.1)
    assert np.isinf(cost).any() and not np.isnan(cost).any()
    assert (np.diff(cost[np.isfinite(cost)]) > -1e-12).all()


@pytest.mark.parametrize(
    ("epsilon", "rate"), [(0.5, 1.0), (2.0, 1.0), (8.0, 1.0), (2.0, 0.05)]
)
def test_the_noise_found_keeps_the_promise_and_is_hardly_more(epsilon, rate):
    noise = noise_for(epsilon, 1e-5, 40, rate)
    assert gaussian_spent(noise, 40, rate).epsilon <= epsilon
    assert gaussian_spent(noise * 0.998, 40, rate).epsilon > epsilon


def test_adding_epsilons_up_would_claim_more():
    one = gaussian_spent(5.0, 1).epsilon
    many = gaussian_spent(5.0, 30).epsilon
    assert one < many < 30 * one / 2


def test_votes_move_by_the_square_root_of_two():
    noise = votes_noise(2.0, 400)
    spent = votes_spent(noise, 400)
    assert 1.99 < spent.epsilon <= 2
    assert spent.noise * math.sqrt(2) == pytest.approx(noise)
    said = str(spent)
    for part in ("delta 1e-05", "one text, added or removed", "400 steps", "Renyi"):
        assert part in said


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda: check_budget(0, 1e-5, 400), "epsilon must be a finite number above 0"),
        (lambda: check_budget(-1.0, 1e-5, 400), "epsilon must be"),
        (lambda: check_budget(2.0, 0, 400), "delta must be a finite number above 0"),
        (lambda: check_budget(2.0, 1 / 400, 400), "delta must lie below 1 / 400"),
        (lambda: check_budget(2.0, 1.5, 1), "delta must lie below 1, got 1.5"),
        (lambda: gaussian_spent(0.0, 3), "noise must be a finite number above 0"),
        (lambda: gaussian_spent(1.0, 0), "steps must be at least 1"),
        (lambda: gaussian_spent(1.0, 1, 1.2), "rate must be"),
        (lambda: noise_for(0, 1e-5, 10), "epsilon must be"),
    ],
    ids=["zero", "below", "no delta", "large", "one", "noise", "steps", "rate", "find"],
)
def test_what_promises_nothing_is_refused(ask, named):
    with pytest.raises(ValueError, match=named):
        ask()


def test_without_dp_accounting_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dp_accounting", None)
    with pytest.raises(ImportError, match=r"distill-helpers\[trust\]"):
        privacy.reference_epsilon(1.0, 1)
