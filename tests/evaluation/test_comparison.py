"""Paired seeds, equal budgets, and "no" as a possible answer."""

from types import SimpleNamespace

import numpy as np
import pytest

from distill_helpers.evaluation.comparison import (
    BETTER,
    UNSHOWN,
    WORSE,
    Runs,
    compare_rows,
    compare_runs,
    compare_scores,
    comparison_table,
)


def simulated(rng, gain, seeds=5, spread=0.005):
    """Two settings whose seeds share luck, as paired runs do."""
    luck = rng.normal(0, 0.02, seeds)
    return (
        Runs(name, dict(enumerate(0.85 + luck + lift + rng.normal(0, spread, seeds))))
        for name, lift in (("treatment", gain), ("control", 0.0))
    )


def test_identical_settings_show_no_difference_in_ninety_of_a_hundred():
    rng = np.random.default_rng(0)
    verdicts = [compare_runs(*simulated(rng, 0.0)).verdict for _ in range(100)]
    assert verdicts.count(UNSHOWN) >= 90


def test_two_points_with_five_seeds_are_seen():
    rng = np.random.default_rng(1)
    verdicts = [compare_runs(*simulated(rng, 0.02)).verdict for _ in range(100)]
    assert verdicts.count(BETTER) >= 90
    rng = np.random.default_rng(1)
    verdicts = [compare_runs(*simulated(rng, -0.02)).verdict for _ in range(100)]
    assert verdicts.count(WORSE) >= 90


def test_the_numbers_are_those_of_a_paired_t_interval():
    treatment = Runs("a", {0: 0.82, 1: 0.84, 2: 0.83, 3: 0.86})
    control = Runs("b", {3: 0.80, 2: 0.80, 1: 0.80, 0: 0.80})
    result = compare_runs(treatment, control)
    gains = np.array([0.02, 0.04, 0.03, 0.06])
    half = 3.182446 * gains.std(ddof=1) / 2
    assert result.gains == pytest.approx(gains)
    assert result.interval == pytest.approx(
        (gains.mean() - half, gains.mean() + half), abs=1e-6
    )
    assert "a against b" in str(result)


@pytest.mark.parametrize(("seeds", "p"), [(7, None), (8, 2 / 2**8), (10, 2 / 2**10)])
def test_the_sign_test_is_left_out_below_eight_pairs(seeds, p):
    better = Runs("a", {seed: 0.9 + seed / 1000 for seed in range(seeds)})
    result = compare_runs(better, Runs("b", dict.fromkeys(range(seeds), 0.8)))
    assert result.sign_p == (p and pytest.approx(p))
    assert ("sign test" in str(result)) == (p is not None)
    assert ("sign test p" in comparison_table([result])) == (p is not None)


def test_equal_runs_show_no_difference_and_have_a_sign_test_of_one():
    scores = dict.fromkeys(range(8), 0.8)
    result = compare_runs(Runs("a", scores), Runs("b", scores))
    assert (result.sign_p, result.verdict, result.interval) == (1.0, UNSHOWN, (0, 0))


@pytest.mark.parametrize(
    ("treatment", "control", "message"),
    [
        (Runs("a", {0: 1.0, 1: 1.0}), Runs("b", {0: 1.0, 2: 1.0}), "the same"),
        (Runs("a", {0: 1.0}), Runs("b", {0: 1.0}), "at least two seeds"),
        (Runs("a", {0: 1, 1: 1}, 10), Runs("b", {0: 1, 1: 1}, 20), "budgets"),
        (
            Runs("a", {0: float("nan"), 1: 1.0}),
            Runs("b", {0: 1.0, 1: 1.0}),
            "'a' with seed 0 must be finite",
        ),
    ],
)
def test_what_cannot_be_paired_is_refused(treatment, control, message):
    with pytest.raises(ValueError, match=message):
        compare_runs(treatment, control)


def test_a_confidence_out_of_range_is_refused():
    runs = Runs("a", {0: 0.8, 1: 0.9})
    with pytest.raises(ValueError, match="confidence must lie"):
        compare_runs(runs, runs, confidence=95)


def test_a_table_has_one_line_a_comparison():
    runs = Runs("a", {0: 0.8, 1: 0.9})
    table = comparison_table([compare_runs(runs, Runs("b", {0: 0.7, 1: 0.8}))])
    assert list(table.index) == ["a - b"]
    assert table.loc["a - b", "verdict"] == BETTER


def test_rows_of_a_scorecard_are_compared_in_pairs():
    def row(*values):
        return SimpleNamespace(seeds=[3, 4], values={"accuracy": values}.__getitem__)

    rows = {"a": row(0.8, 0.9), "b": row(0.7, 0.8), "c": row(0.9, 0.9)}
    found = compare_rows(rows, [("a", "b"), ("a", "absent"), ("b", "c")], steps=9)
    assert [(c.treatment, c.control) for c in found] == [("a", "b"), ("b", "c")]
    assert found[0].gains == pytest.approx((0.1, 0.1))
    assert found[1].gains == pytest.approx((-0.2, -0.1))


def test_scores_are_compared_in_the_pairs_that_were_asked_for():
    scores = {"a": {0: 0.5, 1: 0.6}, "b": {1: 0.5, 0: 0.4}, "c": {0: 0.7, 1: 0.2}}
    first, second = compare_scores(scores, [("a", "b"), ("c", "a")], steps=9)
    runs = {name: Runs(name, by_seed, 9) for name, by_seed in scores.items()}
    assert first == compare_runs(runs["a"], runs["b"]) and first.verdict == BETTER
    assert second == compare_runs(runs["c"], runs["a"]) and second.verdict == UNSHOWN
    with pytest.raises(KeyError, match="nobody"):
        compare_scores(scores, [("a", "nobody")])
