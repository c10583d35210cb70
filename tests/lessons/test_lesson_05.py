"""Lesson 05: what its seeds say together, and what is kept of the chain."""

import numpy as np
import pandas as pd
import pytest

from distill_helpers.compression.forms import Form
from distill_helpers.evaluation.comparison import compare_scores
from distill_helpers.lessons.l05 import chain, judging, pictures

TRUTH = np.array([0, 1] * 50)


def test_a_curve_is_paired_with_its_base_seed_by_seed():
    base = {0: 0.90, 1: 0.70, 2: 0.80}
    steady = {seed: value - 0.05 for seed, value in base.items()}
    shaken = {0: 0.90, 1: 0.60, 2: 0.80}
    gains, (low, high) = chain.paired_curve([base, steady, shaken], base)
    assert gains == pytest.approx([0, -0.05, -0.1 / 3])
    # The seeds differ by twenty points, the pairs of a steady loss by none.
    assert high[1] - low[1] == pytest.approx(0) and low[2] < 0 < high[2]


@pytest.mark.parametrize(
    ("after", "smaller", "faster", "expected"),
    [
        ((0.60, 0.61), 9.0, 9.0, "rejected: worse"),
        ((0.80, 0.80), 1.04, 0.5, "rejected: nothing gained"),
        ((0.81, 0.79), 1.0, 1.1, "kept: faster, no loss shown"),
        ((0.81, 0.79), 4.0, 1.1, "kept: smaller and faster, no loss shown"),
        ((0.90, 0.90), 1.0, 1.0, "kept: better"),
        ((0.90, 0.90), 2.0, 1.0, "kept: better and smaller"),
    ],
)
def test_a_step_is_kept_only_if_it_gains_something_and_is_not_worse(
    after, smaller, faster, expected
):
    scores = {"after": dict(enumerate(after)), "before": {0: 0.8, 1: 0.8}}
    (step,) = compare_scores(scores, [("after", "before")])
    assert chain.verdict_on(step, smaller, faster) == expected


def test_the_steps_are_judged_by_validation_and_show_the_test_texts_beside():
    arms = [("after", "before")]
    scores = {"after": {0: 0.81, 1: 0.79}, "before": {0: 0.8, 1: 0.8}}
    worse = {"after": {0: 0.5, 1: 0.5}, "before": {0: 0.8, 1: 0.8}}
    costs = {"after": Form(None, 50), "before": Form(None, 200)}
    steps = chain.steps_of(
        compare_scores(scores, arms),
        compare_scores(worse, arms),
        costs,
        {"after": 2.0, "before": 1.0},
    )
    line = steps.pop("after")
    assert not steps and line.pop("95% interval").startswith("-0.127 to ")
    assert line == {
        "against": "before",
        "smaller": 4.0,
        "faster": 0.5,
        "validation": "+0.000",
        "test": "-0.300",
        "verdict": "kept: smaller, no loss shown",
    }


def test_a_paired_chart_says_what_its_gains_are_against():
    curves = {"a": ([0.0, -0.1], ([-0.1, -0.2], [0.1, 0.0]))}
    axes = pictures.paired_chart(
        [8, 2], curves, x_label="bits", against="itself", title="Rounded"
    ).axes[0]
    assert axes.get_ylabel().endswith("against itself")
    assert axes.get_title().startswith("Rounded (shaded: 95% interval")
    assert axes.lines[0].get_ydata().tolist() == [0.0, -0.1]


def table(smaller, lost):
    return pd.DataFrame(
        {"smaller": [1.0, smaller], "accuracy": [0.8, 0.8 - lost]},
        index=["PyTorch", "dynamic INT8"],
    )


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (table(3.98, 0.01), "held"),
        (table(3.7, 0.01), "did not hold"),
        (table(3.98, 0.03), "did not hold"),
    ],
)
def test_four_times_smaller_must_hold_for_every_model(second, verdict):
    claim = judging.judge_size({"a": table(4.0, 0.0), "b": second}, 1.5)
    assert claim.verdict == verdict and "linear layers only: 1.50x" in claim.measured


def test_the_claim_on_channels_is_judged_by_the_clock_not_by_the_bound():
    assert judging.judge_channels(2.5, 1.4).verdict == "did not hold"
    claim = judging.judge_channels(1.4, 2.1)
    assert claim.verdict == "held" and claim.statement.startswith("30% of")


def form(wrong):
    """Right but for so many texts from the first on."""
    answers = TRUTH.copy()
    answers[:wrong] = 1 - answers[:wrong]
    return Form(lambda texts: np.eye(2)[answers], 1)


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [(0, "did not hold"), (3, "did not hold"), (20, "held")],
)
def test_dynamic_is_ahead_only_where_chance_would_not_put_it(wrong, verdict):
    forms = {"a": {"dynamic INT8": form(0), "static INT8": form(wrong)}}
    claim = judging.judge_static(forms, ["text"] * len(TRUTH), TRUTH)
    assert claim.verdict == verdict and f"won {wrong}, lost 0" in claim.measured
