"""Lesson 03: what its runs gave, in words and tables."""

from types import SimpleNamespace

import pytest

from distill_helpers.evaluation.comparison import compare_scores
from distill_helpers.evaluation.cost import TimeRatio
from distill_helpers.evaluation.metrics import Quality
from distill_helpers.evaluation.scorecard import Row, stored_results
from distill_helpers.lessons.l03 import reading


@pytest.mark.parametrize(
    "gains, verdict",
    [
        ([0.05, 0.06, 0.07], "distillation: helped"),
        ([-0.05, -0.06, -0.07], "distillation: hurt"),
        ([0.3, -0.2, 0.0], "not shown to help or hurt"),
        ([0.4], "not known from one run"),
    ],
)
def test_a_gain_is_said_with_its_interval_and_verdict(gains, verdict):
    said = reading.gain_in_words(gains)
    assert f"{sum(gains) / len(gains):+.3f}" in said and said.endswith(verdict)
    assert ("interval none" in said) == (len(gains) == 1)


def test_each_part_has_the_interval_of_its_own_size():
    shares = {"validation": {"a": 0.9, "b": 0.5}, "test": {"a": 0.9}}
    table = reading.shares_by_part(shares, {"validation": 10, "test": 1000})
    assert list(table) == ["validation, 10 texts", "test, 1,000 texts"]
    assert table.loc["a"].tolist() == [
        "0.900 (0.596 to 0.982)",
        "0.900 (0.880 to 0.917)",
    ]
    assert table.loc["b", "test, 1,000 texts"] == ""


@pytest.mark.parametrize(
    "interval, verdict",
    [((0.7, 0.9), True), ((1.1, 1.3), False), ((0.9, 1.2), None)],
)
def test_a_habit_is_judged_only_where_its_interval_leaves_one_out(interval, verdict):
    assert reading.no_slower(TimeRatio(1.0, interval, 5)) is verdict


def test_one_pass_saves_nothing_and_many_save_as_often_as_there_are_passes():
    table = reading.seconds_by_passes(stored=1.0, asked=99.0, passes=[1, 5, 10_000])
    assert table.index.tolist() == [1, 5, 10_000]
    assert table.loc[1].tolist() == [100.0, 100.0, 1.0]
    assert table.loc[5].tolist() == [104.0, 500.0, 4.8]
    assert table.loc[10_000, "times"] < 100


def test_a_student_is_set_against_its_teacher():
    def row(accuracy, rate, size, weights):
        cost = SimpleNamespace(
            reviews_per_second=rate, bytes_on_disk=size, parameters=weights
        )
        quality = Quality({"accuracy": accuracy}, None, 10)
        return Row("x", [quality], cost=cost)

    found = reading.ratios(row(0.8, 100, 1, 2), row(0.9, 10, 4, 10))
    assert found == {
        "speed": 10,
        "size": 0.25,
        "weights": 0.2,
        "quality": pytest.approx(0.8 / 0.9),
        "accuracy lost": pytest.approx(0.1),
    }


def test_on_imdb_softness_gives_a_little_and_more_text_most_of_the_gain():
    (rows,) = stored_results("lesson03_imdb_1000").values()
    scores = {r["name"]: dict(zip(r["seeds"], r["accuracy"]["per_seed"])) for r in rows}
    pairs = [
        ("distilled", "hard, all"),
        ("distilled", "soft, labelled"),
        ("hard, all", "hard, labelled"),
    ]
    softness, *more_text = compare_scores(scores, pairs)
    assert softness.verdict == "better" and softness.mean < 0.01
    assert all(text.interval[0] > 4 * softness.mean for text in more_text)
