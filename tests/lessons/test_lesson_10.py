"""What lesson 10 is made of: its numbers, its student, its guard before a live run."""

import sys

import numpy as np
import pytest

from distill_helpers.lessons.l10 import judging, live, pictures, teaching
from distill_helpers.lessons.parameters import ParameterError
from distill_helpers.lessons.plots import to_png
from distill_helpers.teachers.base import Teacher

SCORES = {
    "control": {0: 0.70, 1: 0.72},
    "small, soft": {0: 0.60, 1: 0.61},
    "small, votes": {0: 0.58, 1: 0.61},
    "small, hard": {0: 0.55, 1: 0.60},
    "small, soft and true labels": {0: 0.90, 1: 0.90},
    "good, soft": {0: 0.80, 1: 0.821},
    "good, votes": {0: 0.76, 1: 0.78},
    "good, hard": {0: 0.75, 1: 0.79},
    "good, soft and true labels": {0: 0.84, 1: 0.86},
}


class OneLine(Teacher):
    """Says the same of all texts but one, of which it knows nothing."""

    fingerprint, num_labels, label_names = "x", 2, ["negative", "positive"]

    def knows(self, texts):
        return np.array([text != "unknown" for text in texts])

    def logits(self, texts):
        return np.array([[0.0, float(text)] for text in texts], np.float32)


def test_a_line_in_the_wrong_place_is_told_from_a_wrong_order():
    truth = np.array([0, 1, 0, 1, 1])
    texts = ["1", "3", "2", "4", "unknown"]
    found = judging.judged_teacher(OneLine(), texts, truth)
    assert found["accuracy"] == 0.5 and found["AUC"] == 1
    assert found["answered"] == 0.8 and 0 < found["ECE"] < 1


def test_a_bin_with_few_texts_says_nothing():
    sure = np.array([[0.0, 4.0]] * 6 + [[4.0, 0.0]] * 4 + [[np.nan, np.nan]] * 9)
    truth = np.array([1, 1, 1, 0, 0, 1] + [0] * 4 + [1] * 9)
    middles, shares = judging.really_positive(sure, truth)
    assert middles == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert shares[-1] == pytest.approx(4 / 6) and np.isnan(shares[:-1]).all()


def test_gains_and_verdict_follow_from_the_scores():
    gains = judging.gains(SCORES)
    assert gains["good, soft"] == pytest.approx([10, 10.1])
    assert set(gains) == set(SCORES) - {"control"}
    assert {name for pair in judging.pairs(["small", "good"]) for name in pair} == set(
        SCORES
    )
    lost = judging.verdict(SCORES, "small", 400)
    assert lost.startswith("small, soft: against 400 true labels -10.5 points")
    assert lost.endswith("the control wins")
    assert judging.verdict(SCORES, "good", 400).endswith("]: it wins")
    near = SCORES | {"good, soft": {0: 0.80, 1: 0.70}}
    near |= {"good, votes": {0: 0.1, 1: 0.1}, "good, hard": {0: 0.1, 1: 0.1}}
    assert judging.verdict(near, "good", 400).endswith("no difference shown")
    alone = {arm: {0: by_seed[0]} for arm, by_seed in SCORES.items()}
    assert "+10.0 points; one seed" in judging.verdict(alone, "good", 400)


def test_a_name_that_no_server_has_is_judged_only_if_one_was_asked():
    assert judging.judge_names(None).verdict == "not testable here"
    assert judging.judge_names(["deepseek-flash"]).verdict == "did not hold"
    assert "deepseek-flash" in judging.judge_names(["deepseek-flash"]).measured
    assert judging.judge_names(["deepseek-large"]).verdict == "held"


def test_each_picture_is_drawn_and_told_in_words():
    drawn = [
        pictures.two_teachers({arm: by_seed[0] for arm, by_seed in SCORES.items()}),
        pictures.mass_chart({"asked plainly": 0.1, "answer begun": 0.5}),
        pictures.reliability([0.1, 0.9], {"as it speaks": [np.nan, 0.8]}),
        pictures.votes_chart({1: 0.6, 8: 0.7}, 0.75),
        pictures.gains_chart(judging.gains(SCORES)),
    ]
    words = ["soft labels 0.60", "answer begun 0.50", "0.9 0.80", "8 votes 0.70"]
    for (figure, alt), said in zip(drawn, [*words, "good, soft +10.1"], strict=True):
        assert to_png(figure).startswith(b"\x89PNG") and said in alt


def test_a_live_run_begins_with_a_key_and_a_budget(monkeypatch):
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    assert live.check_live("recorded", None, None) is False
    with pytest.raises(ParameterError, match="budget must say how many dollars"):
        live.check_live("deepseek-flash", None, None)
    with pytest.raises(ParameterError, match="DEEPSEEK_API_KEY, set before Jupyter"):
        live.check_live("deepseek-flash", None, 1.0)
    with pytest.raises(ParameterError, match="budget must be above 0"):
        live.check_live("deepseek-flash", None, -1.0)
    assert live.check_live("tiny", "http://127.0.0.1:1/v1", 1.0)
    monkeypatch.setenv("DEEPSEEK_API_KEY", "known to this test alone")
    assert live.check_live("deepseek-flash", None, 1.0)


def test_a_missing_client_is_named_before_anything_is_computed(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ParameterError, match=r"needs the package openai.*\[api\]"):
        live.check_live("recorded", None, None)


def test_the_student_learns_from_answers_and_from_labels():
    rng = np.random.default_rng(0)
    words = [["dull", "slow", "grey"], ["fine", "warm", "bright"]]
    labels = rng.integers(0, 2, 120)
    texts = [
        " ".join([*rng.choice(words[label], 3), *rng.choice(["the", "a", "it"], 4)])
        for label in labels
    ]
    room = teaching.Classroom(texts[:30], labels[:30], texts[30:60], labels[30:60])
    read, truth = texts[60:], labels[60:]
    logits = np.stack([1 - 2.0 * truth, 2.0 * truth - 1], axis=1)
    assert room.accuracy(read, logits) > 0.9
    assert room.accuracy(read, labels=truth) > 0.9
    assert room.accuracy(read, -logits) < 0.5
    few = np.where(np.arange(60) < 10, truth, -100)
    assert room.accuracy(read, logits, few, alpha=0.5) > 0.9
    silent = logits.copy()
    silent[::2] = np.nan
    assert room.accuracy(read, silent) == room.accuracy(read[1::2], logits[1::2])
