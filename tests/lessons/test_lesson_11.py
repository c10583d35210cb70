"""Lesson 11: its bench, its verdicts and its pictures."""

from functools import partial

import numpy as np
import pytest
import torch

from distill_helpers.evaluation.comparison import compare_scores
from distill_helpers.evaluation.privacy import gaussian_spent
from distill_helpers.evaluation.refusal import CardFacts, Use, cases, score_cases
from distill_helpers.lessons.exercises.outcomes import INCORRECT
from distill_helpers.lessons.l11 import judging, pictures, smaller
from distill_helpers.lessons.l11.bench import Bench
from distill_helpers.lessons.parameters import ParameterError
from distill_helpers.lessons.zoo import exhibits, trust
from distill_helpers.students.tfidf import Reader

TEXTS = ["a fine warm film", "a dull grey film", "fine and warm", "dull and grey"] * 5
LABELS = np.array([1, 0, 1, 0] * 5)


class Teacher:
    """Sure of one word."""

    num_labels, name = 2, "one word"

    def knows(self, texts):
        return np.ones(len(texts), bool)

    def logits(self, texts):
        fine = np.array(["fine" in text for text in texts], np.float32)
        return np.stack([1 - fine, fine], 1) * 4 - 2


@pytest.fixture(scope="module")
def bench():
    reviews = {
        "train": {"text": TEXTS[:8], "label": LABELS[:8]},
        "transfer": {"text": TEXTS[8:]},
    }
    return Bench.of(reviews, Teacher(), texts=12, temperature=2.0, seed=3)


def test_a_bench_draws_anew_for_each_seed_and_asks_about_what_it_drew(bench):
    assert len(bench.drawn) == 12 and bench.people == TEXTS[:8]
    np.testing.assert_array_equal(bench.answers, Teacher().logits(bench.drawn))
    assert isinstance(bench.reader, Reader)


def test_models_learn_from_labels_and_from_answers_alike(bench):
    for answer in (
        bench.by_labels(bench.people, bench.labels),
        bench.by_answers(bench.drawn, bench.answers),
    ):
        assert answer(["warm and fine", "grey and dull"]).argmax(1).tolist() == [1, 0]


def test_a_student_is_made_smaller_and_its_source_stays(bench):
    forms = bench.in_forms(
        {
            "same": lambda weights: weights,
            "nothing": np.zeros_like,
            "INT8": partial(smaller.rounded, bits=8),
        }
    )
    asked = ["warm and fine", "grey and dull"]
    source = bench.by_answers(bench.drawn, bench.answers)(asked)
    np.testing.assert_allclose(forms["same"](asked), source)
    np.testing.assert_allclose(forms["INT8"](asked), source, atol=0.1)
    blind = forms["nothing"](asked)
    np.testing.assert_allclose(blind[0], blind[1])


def test_pruning_keeps_the_largest_weights():
    weights = np.array([[1.0, -5.0], [3.0, 0.1]])
    kept = smaller.pruned(weights, 0.5)
    assert kept.tolist() == [[0, -5], [3, 0]] and weights[0, 0] == 1
    assert (smaller.pruned(weights, 1) == weights).all()
    assert np.count_nonzero(smaller.pruned(weights, 1e-9)) == 1
    for keep in (0, 1.5):
        with pytest.raises(ValueError, match="keep must lie in"):
            smaller.pruned(weights, keep)


def test_the_unsure_half_is_that_of_the_narrow_margins():
    logits = np.array([[0, 1, 9], [0, 4, 5], [2, 2, 2], [0, 0, 3]])
    assert smaller.sureness(logits).tolist() == ["sure", "unsure", "unsure", "sure"]
    assert (smaller.sureness(np.zeros((6, 2))) == "sure").sum() == 3  # all tied


def test_the_tour_rejects_every_exhibit_of_trust():
    tour = exhibits.tour(trust.CAGES)
    assert set(tour["verdict"]) == {INCORRECT}


@pytest.mark.parametrize(
    ("epsilons", "delta", "said"),
    [
        ([], 1e-5, "at least one"),
        ([1.0, 1.0], 1e-5, "all different"),
        ([-1.0], 1e-5, "epsilons must be a finite number above 0"),
        ([1.0], 0.0, "delta must be a finite number above 0"),
        ([1.0], 0.9, "delta must be at most 0.1"),
    ],
)
def test_budgets_that_mean_nothing_are_refused(epsilons, delta, said):
    with pytest.raises(ParameterError, match=said):
        judging.check_epsilons(epsilons, delta)
    judging.check_epsilons([0.5, 2.0], 1e-5)


# ------------------------------------------------------------------- claims
def budgets(half, two):
    plain = {0: 0.80, 1: 0.81, 2: 0.79}
    scores = {"not private": plain}
    for name, gain in (("epsilon 0.5", half), ("epsilon 2", two)):
        scores[name] = {seed: value + gain for seed, value in plain.items()}
    return scores


@pytest.mark.parametrize(
    ("half", "two", "verdict"),
    [
        (-0.03, -0.01, "held"),
        (-0.05, -0.01, "did not hold"),
        (-0.03, -0.05, "did not hold"),
    ],
)
def test_privacy_must_be_cheap_at_both_ends(half, two, verdict):
    claim = judging.judge_epsilon(budgets(half, two))
    assert claim.verdict == verdict
    assert f"epsilon 0.5: {100 * half:+.1f} points" in claim.measured


def test_a_budget_that_was_not_tried_leaves_the_claim_open():
    scores = budgets(0, 0)
    del scores["epsilon 0.5"]
    claim = judging.judge_epsilon(scores)
    assert claim.verdict == "not testable here"
    assert claim.measured == "tried were epsilon 2 alone"


def kept(turned, new):
    after = {"turned": turned, "new digits": new}
    return {
        (name, way): [(0.95 if way == "before" else after[name], 0.9)] * 3
        for name in after
        for way in ("before", "EWC", "fine-tuned", "answers to old")
    }


@pytest.mark.parametrize(
    ("turned", "new", "verdict"),
    [(0.94, 0.92, "held"), (0.94, 0.3, "did not hold"), (0.8, 0.94, "did not hold")],
)
def test_springs_must_keep_the_old_task_whatever_the_new_one(turned, new, verdict):
    claim = judging.judge_consolidation(kept(turned, new))
    assert claim.verdict == verdict
    assert f"new digits: {100 * (new - 0.95):+.1f} points" in claim.measured


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.10, 0.03, "held"),
        (0.10, 0.04, "did not hold"),
        (0.0, 0.0, "not testable here"),
    ],
)
def test_a_correction_must_take_most_flips_away(before, after, verdict):
    flips = {"student": {0: before, 1: before}, "5% corrected": {0: after, 1: after}}
    assert judging.judge_correction(flips).verdict == verdict


# -------------------------------------------------------------------- words
def test_verdicts_say_higher_and_lower_and_luck_is_counted():
    arms = {
        "up": {0: 0.9, 1: 0.91},
        "down": {0: 0.6, 1: 0.61},
        "level": {0: 0.8, 1: 0.6},
        "plain": {0: 0.7, 1: 0.71},
    }
    found = compare_scores(arms, [(a, "plain") for a in ("up", "down", "level")])
    assert judging.points_table(found)["verdict"].tolist() == [
        "higher",
        "lower",
        "no difference shown",
    ]
    said = judging.verdicts_in_words(found)
    assert said.startswith(
        "3 comparisons: 1 higher, 1 lower, 1 no difference shown; 0.2"
    )


def test_an_epsilon_has_a_second_opinion_or_says_how_to_get_one(monkeypatch):
    spent = gaussian_spent(noise=20.0, steps=100)

    def missing(*_):
        raise ImportError("pip install it")

    monkeypatch.setattr(judging, "reference_epsilon", missing)
    assert judging.second_opinion(spent) == "pip install it"
    monkeypatch.setattr(judging, "reference_epsilon", lambda *given: sum(given) * 0 + 1)
    assert judging.second_opinion(spent) == (
        f"dp-accounting says 1.000, this accountant {spent.epsilon:.3f}"
    )


def test_uses_get_their_outcome_and_cases_their_count():
    card = CardFacts(("film",), test_texts=700)
    uses = [Use("Count the positive film reviews"), Use("Hire people by film reviews")]
    table = judging.uses_table(card, uses)
    assert table["outcome"].tolist() == ["allow", "refuse"]
    said = judging.refusals_in_words({"all": score_cases(cases())})
    first, *missed = said.splitlines()
    assert first.startswith("all: ") and f" of {len(cases())} right" in first
    assert len(missed) == len(score_cases(cases()).missed)


# ------------------------------------------------------------------ pictures
@pytest.fixture
def scores():
    names = ["student, 40% typos", "repaired", "AUC, control", "AUC, epsilon 2"]
    names += ["control, flips", "100% corrected, flips", "AUC, epsilon 8, words"]
    values = dict(zip(names, (0.7, 0.8, 0.95, 0.4, 0.1, 0.01, 0.9)))
    return {name: {0: value, 1: value} for name, value in values.items()}


def test_the_opening_has_each_risk_before_and_after(scores):
    shown = judging.for_opening(scores, kept(0.9, 0.5))
    assert shown["as it comes"] == pytest.approx(
        dict(zip(judging.RISKS, (0.7, 0.5, 0.1, 0.9)))
    )
    assert shown["with a remedy"] == pytest.approx(
        dict(zip(judging.RISKS, (0.8, 0.5, 1.0, 0.99)))
    )
    assert "typos 0.70 as it comes, 0.80 with a remedy" in pictures.opening(shown).alt


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (
            lambda: pictures.typos(
                {"a, 0% typos": {0: 0.8, 1: 0.9}, "a, 40% typos": {0: 0.5, 1: 0.7}},
                ["a"],
                (0.0, 0.4),
            ),
            "a from 0.850 to 0.600",
        ),
        (
            lambda: pictures.two_tasks(
                torch.rand(10, 64), torch.rand(10, 64), torch.arange(10)
            ),
            "two rows: upright, and turned",
        ),
        (
            lambda: pictures.remembered(kept(0.9, 0.3), "new digits"),
            "before 0.95 and 0.90; EWC 0.30 and 0.90",
        ),
        (
            lambda: pictures.private(
                {
                    name: {0: 0.7, 1: 0.8}
                    for one in ("epsilon 2", "not private")
                    for name in (one, f"{one}, words")
                },
                [2.0],
            ),
            "topics of public reviews 0.75 epsilon 2, 0.75 not private",
        ),
        (lambda: pictures.flips({"control": {0: 0.1, 1: 0.12}}), "control 11.0%"),
    ],
    ids=["typos", "tasks", "remembered", "private", "flips"],
)
def test_a_picture_says_the_numbers_that_it_was_given(picture, said):
    assert said in picture().alt
