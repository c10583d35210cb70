"""Flips of swapped texts, and the rates of groups."""

import numpy as np
import pytest

from distill_helpers.data.swaps import PRONOUNS, Swaps
from distill_helpers.evaluation import fairness
from distill_helpers.evaluation.fairness import (
    RATES,
    group_rates,
    lost_examples,
    swap_test,
)

SWAPS = Swaps(PRONOUNS)
TEXTS = ["he won", "she won", "the team won"] * 30


def biased(texts):
    """A model that is surer of class 1 where "he" stands."""
    he = np.array([("he" in text.split()) for text in texts], float)
    return np.stack([np.zeros(len(texts)), 2 * he - 1], axis=1)


def test_a_biased_model_flips_and_its_direction_is_told():
    found = swap_test(biased, TEXTS, SWAPS)
    assert len(found.rows) == 60 and found.flipped.all() and found.share == 1
    assert found.interval[0] > 0.9
    step = 1 / (1 + np.exp(-1)) - 1 / (1 + np.exp(1))
    assert found.shift == pytest.approx(step)
    assert found.to_second == pytest.approx(-step)  # "she" is answered worse
    other = swap_test(biased, TEXTS, SWAPS, positive=0)
    assert other.to_second == pytest.approx(step)


def test_a_model_that_does_not_see_people_flips_nothing():
    found = swap_test(lambda texts: np.ones((len(texts), 3)), TEXTS, SWAPS)
    assert found.share == found.shift == found.to_second == 0


@pytest.mark.parametrize(
    ("texts", "options", "named"),
    [
        (TEXTS[:40], {}, "in 30 of them at least, got 27 of 40"),
        (TEXTS, {"positive": 2}, "positive must be at most 1"),
    ],
)
def test_too_few_texts_or_no_such_class_are_named(texts, options, named):
    with pytest.raises(ValueError, match=named):
        swap_test(biased, texts, SWAPS, **options)


# --------------------------------------------------------------------- groups
def answers(count=300, seed=0):
    """Three classes, two groups; the first one is wronged."""
    rng = np.random.default_rng(seed)
    groups = np.where(np.arange(count) % 3 == 0, "a", "b")
    labels = rng.integers(0, 3, count)
    wrong = rng.random(count) < np.where(groups == "a", 0.5, 0.1)
    return labels, np.where(wrong, (labels + 1) % 3, labels), groups


def test_rates_are_those_of_each_group():
    labels, chosen, groups = answers()
    found = group_rates(labels, chosen, groups)
    assert found.table.index.tolist() == ["a", "b", "all"]
    for name in ("a", "b"):
        own = groups == name
        row = found.table.loc[name]
        assert row["texts"] == own.sum()
        assert row["accuracy"] == pytest.approx((labels == chosen)[own].mean())
        assert row["selection"] == pytest.approx((chosen == 1)[own].mean())
        held = own & (labels == 1)
        assert row["true_positive"] == pytest.approx((chosen == 1)[held].mean())
        free = own & (labels != 1)
        assert row["false_positive"] == pytest.approx((chosen == 1)[free].mean())
        for rate in RATES:
            assert row[f"{rate}_low"] <= row[rate] <= row[f"{rate}_high"]
    gap = found.gaps.loc["accuracy"]
    a, b = found.table["accuracy"][["a", "b"]]
    assert gap["gap"] == pytest.approx(b - a)
    assert (gap["largest"], gap["smallest"]) == ("b", "a")
    assert 0.2 < gap["low"] < gap["gap"] < gap["high"]
    assert "accuracy" in str(found)


def test_the_interval_is_that_of_a_bootstrap_of_the_texts():
    labels, chosen, groups = answers()
    found = group_rates(labels, chosen, groups).table.loc["a"]
    right = (labels == chosen)[groups == "a"]
    rng = np.random.default_rng(5)
    means = rng.choice(right, (2_000, len(right))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    assert found["accuracy_low"] == pytest.approx(low, abs=0.02)
    assert found["accuracy_high"] == pytest.approx(high, abs=0.02)


def test_a_rate_without_texts_is_no_number_and_has_no_gap():
    labels, chosen = np.zeros(80, int), np.zeros(80, int)
    found = group_rates(labels, chosen, np.repeat([1, 2], 40))
    assert np.isnan(found.table["true_positive"]).all()
    assert np.isnan(found.gaps.loc["true_positive", "gap"])
    assert found.gaps.loc["accuracy", "gap"] == 0


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        (np.repeat(["a", "b"], [271, 29]), r"30 texts each at least, got b \(29\)"),
        (np.repeat("a", 300), "two groups at least"),
        (np.repeat("a", 3), "one entry for each text"),
        ([None, *["a", "b"] * 149, "a"], "got None for text 0"),
        ([*["a", "b"] * 149, "a", float("nan")], "a group for each text"),
    ],
    ids=["small", "alone", "lengths", "none", "nan"],
)
def test_groups_that_say_too_little_are_named(groups, named):
    labels, chosen, _ = answers()
    with pytest.raises(ValueError, match=named):
        group_rates(labels, chosen, groups)


def test_fairlearn_gives_the_same_rates():
    pytest.importorskip("fairlearn", reason="Fairlearn is not installed: [trust]")
    labels, chosen, groups = answers()
    frame = fairness.metric_frame(labels, chosen, groups)
    ours = group_rates(labels, chosen, groups).table
    for rate in RATES:
        theirs = frame.by_group[rate]
        assert theirs.to_dict() == pytest.approx(ours[rate][["a", "b"]].to_dict())


def test_without_fairlearn_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fairlearn", None)
    with pytest.raises(ImportError, match=r"distill-helpers\[trust\]"):
        fairness.metric_frame(*answers())


# ------------------------------------------------- what a smaller form has lost
SIDES = np.array(["a"] * 40 + ["b"] * 60)


def test_what_is_lost_and_won_is_counted_group_by_group():
    truth = np.arange(100) % 2
    source, smaller = truth.copy(), truth.copy()
    source[:10] = 1 - truth[:10]  # wrong before, of a
    smaller[5:10] = 1 - truth[5:10]  # five of them are right now
    smaller[10:16] = 1 - truth[10:16]  # lost, of a
    smaller[99] = 1 - truth[99]  # lost, of b
    found = lost_examples(truth, source, smaller, SIDES)
    assert found.rows.tolist() == [*range(10, 16), 99]
    assert found.won.tolist() == [*range(5)]
    table = found.table
    assert table.loc["a", ["texts", "right", "lost", "won"]].tolist() == [40, 30, 6, 5]
    assert table.loc["b", ["texts", "right", "lost", "won"]].tolist() == [60, 60, 1, 0]
    assert found.share == {"a": 0.2, "b": 1 / 60, "all": 7 / 90}
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()
    assert "share" in str(found)


def test_a_form_that_answers_alike_has_lost_nothing():
    truth = np.arange(100) % 3
    found = lost_examples(truth, truth, truth, SIDES)
    assert len(found.rows) == len(found.won) == 0
    assert set(found.share.values()) == {0.0}


@pytest.mark.parametrize(
    ("source", "groups", "named"),
    [
        (np.zeros(100, int), ["a"] * 90 + ["b"] * 10, r"got b \(10\)"),
        (np.zeros(100, int), ["a"] * 100, "two groups at least"),
        (np.repeat([1, 0], [40, 60]), SIDES, "no text of 'a' right"),
        (np.zeros(99, int), SIDES, "one entry for each text"),
        (np.full(100, 0.5), SIDES, "chosen"),
    ],
    ids=["small", "one group", "nothing right", "lengths", "no classes"],
)
def test_what_cannot_be_compared_is_refused(source, groups, named):
    truth = np.zeros(100, int)
    with pytest.raises((ValueError, TypeError), match=named):
        lost_examples(truth, source, truth, groups)
