"""Two things timed in turn: a ratio, and how far it can be trusted."""

import time

import pytest

from distill_helpers.evaluation.cost import compare_seconds


def waits(*seconds):
    """Wait for another time at each call."""
    left = iter(seconds)
    return lambda: time.sleep(next(left))


def test_the_ratio_is_that_of_each_round_and_the_first_one_warms_up():
    # A machine that becomes slow slows both; the first round is far off.
    found = compare_seconds(waits(0.5, 0.04, 0.4), waits(0.01, 0.01, 0.1), rounds=2)
    assert found.ratio == pytest.approx(4, rel=0.3) and found.rounds == 2
    assert found.interval[0] < found.ratio < found.interval[1]
    assert str(found).endswith("2 rounds")


def test_what_takes_equally_long_cannot_be_told_apart():
    found = compare_seconds(waits(0, 0.02, 0.03, 0.02), waits(0, 0.03, 0.02, 0.02), 3)
    assert found.interval[0] < 1 < found.interval[1]


@pytest.mark.parametrize("rounds", [1, 0, 2.5, True])
def test_one_round_is_no_comparison(rounds):
    with pytest.raises((ValueError, TypeError), match="rounds"):
        compare_seconds(lambda: None, lambda: None, rounds)
