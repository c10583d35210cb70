"""Lesson 07: its student, what it is taught, and how its scores are judged."""

import json

import numpy as np
import pytest

from distill_helpers.data.active import HOW
from distill_helpers.data.augment import crop, synonyms
from distill_helpers.data.cleaning import clean_text
from distill_helpers.evaluation.comparison import compare_scores
from distill_helpers.lessons.l07 import dirt, ground, judging, leaking
from distill_helpers.places import RESULTS
from distill_helpers.students import tfidf

WORDS = {0: ["dull", "long", "grey"], 1: ["fine", "joy", "warm"], 2: ["loud", "odd"]}


def texts_of(classes, count, seed=0):
    """Texts of a few words of their class among words of none."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return [
        " ".join([*rng.choice(["and", "the", "film"], 3), *rng.choice(WORDS[c], 2)])
        for c in labels
    ], labels


class Teacher:
    """Counts the words of each class; every answer is given a little unsurely."""

    num_labels, name = 3, "counting"

    def knows(self, texts):
        return np.ones(len(texts), bool)

    def logits(self, texts):
        counts = [[sum(w in t for w in WORDS[c]) for c in range(3)] for t in texts]
        return np.array(counts, np.float32) * 2 - 1


@pytest.fixture(scope="module")
def three():
    """A ground of three classes."""
    pool, _ = texts_of(3, 120)
    pool = [f"{text} {number}0" for number, text in enumerate(pool)]
    tests, truth = texts_of(3, 60, seed=1)
    return ground.Ground.of(pool, Teacher(), tests, truth)


# --------------------------------------------------------------- the student
@pytest.mark.parametrize("classes", [2, 3])
def test_soft_answers_teach_the_teachers_shares(classes):
    texts, labels = texts_of(classes, 90)
    read = tfidf.Reader(texts)
    soft = 2.0 * np.eye(classes)[labels]
    learnt = tfidf.learn(read(texts), soft, temperature=2.0)
    assert learnt.accuracy(read(texts), labels) == 1.0
    # What is said at temperature 2 comes back on the teacher's scale.
    margins = np.sort(learnt.logits(read(texts)), axis=1)
    assert np.median(margins[:, -1] - margins[:, -2]) == pytest.approx(2.0, rel=0.15)


def test_a_class_without_a_label_is_never_the_answer():
    texts, labels = texts_of(2, 40)
    read = tfidf.Reader(texts)
    learnt = tfidf.learn_labels(read(texts), labels * 2, 3)
    assert set(learnt.logits(read(texts)).argmax(1)) == {0, 2}
    assert learnt.accuracy(read(texts), labels * 2) == 1.0


def test_probabilities_are_no_answers():
    read = tfidf.Reader(["a fine film"] * 2 + ["a dull film"] * 2)
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    with pytest.raises(ValueError, match="probabilities"):
        tfidf.learn(read(["fine", "film", "dull", "a"]), shares)


# ------------------------------------------------------------------- dirt
def test_dirt_is_washed_off_to_the_letter(reviews):
    texts = reviews["test"]["text"][:]
    for made in (dirt.full_width, dirt.as_html):
        dirty = [made(text) for text in texts]
        assert np.mean([a != b for a, b in zip(dirty, texts)]) > 0.99
        assert [clean_text(text) for text in dirty] == texts


def test_full_width_text_is_not_read_before_it_is_cleaned():
    read = tfidf.Reader(["a fine film"] * 2)
    assert read(["fine film"]).nnz == 3
    assert read([dirt.full_width("fine film")]).nnz == 0


def test_leaked_texts_are_answered_from_memory_and_teach_nothing():
    rng = np.random.default_rng(0)
    texts = [
        " ".join(rng.choice([f"w{n}" for n in range(400)], 30)) for _ in range(200)
    ]
    read = tfidf.Reader(texts)
    labels = rng.integers(0, 2, 200)  # nothing can be learnt
    found = leaking.leaked_scores(
        (read(texts[:100]), labels[:100]),
        (read(texts[100:]), labels[100:]),
        2,
        range(8),
        share=0.3,
    )
    pairs = [("leaked", "clean"), ("leaked, on the other test texts", "clean")]
    false, real = compare_scores(found, pairs)
    assert false.verdict == "better" and false.mean > 0.08
    assert abs(real.mean) < 0.06


def test_copies_with_more_words_gone_are_found_less_often(reviews):
    train, test = reviews["train"]["text"][:100], reviews["test"]["text"][:200]
    found = leaking.found_copies(train, test, [0.0, 0.1, 0.4])
    assert found[0.0] == 1.0 > found[0.1] > found[0.4] == 0.0


# ----------------------------------------------------------------- the ground
def test_each_seed_draws_other_texts_and_none_twice(three):
    first, second = three.draw(0), three.draw(1)
    assert len(first) == len(set(first)) == 80
    assert set(first) != set(second)


@pytest.mark.parametrize("how", HOW)
def test_a_larger_budget_goes_on_where_the_smaller_one_stopped(three, how):
    rows = three.draw(0)
    more = three.ask_in_turn(rows, how, 40, 10, seed=0)
    assert len(set(more)) == 40 and set(more) <= set(rows)
    assert three.ask_in_turn(rows, how, 20, 10, seed=0).tolist() == more[:20].tolist()


def test_a_budget_above_the_pool_is_refused(three):
    with pytest.raises(ValueError, match="more than the 80 texts"):
        three.ask_in_turn(three.draw(0), "random", 81, 10)


def test_views_are_taught_with_new_and_with_stored_answers(three):
    kinds = {"crop": (crop, 2), "synonyms": (synonyms, 1)}
    scores, kept = ground.by_view(three, kinds, 40, 60, [0, 1])
    arms = [f"{kind}, {way}" for kind in kinds for way in ("stored", "asked anew")]
    assert list(scores) == ["alone", "more real texts", *arms]
    assert all(list(by_seed) == [0, 1] for by_seed in scores.values())
    # The table knows none of these words: the views are the texts themselves.
    assert kept["synonyms"] == 1.0 > kept["crop"]
    assert scores["synonyms, stored"] == scores["synonyms, asked anew"]


def test_the_surest_are_fewer_and_all_soft_answers_drop_none(three):
    scores, left = ground.by_threshold(three, [0.6, 0.9], [0, 1])
    assert left["all, soft"] == 80 >= left["0.6 and surer"] > left["0.9 and surer"]
    assert set(scores) == set(left)


# ----------------------------------------------------------------- verdicts
def bought(teacher, student=0.8):
    """Scores of three rules; chance has 0.8, and 0.85 at the double budget."""
    noise = {0: -0.01, 1: 0.0, 2: 0.01}
    means = {"random": 0.8, "teacher-doubt": teacher, "student-doubt": student}
    return {
        how: {
            budget: {
                seed: mean + 0.05 * (budget > 100) + n for seed, n in noise.items()
            }
            for budget in (100, 200)
        }
        for how, mean in means.items()
    }


@pytest.mark.parametrize(
    ("teacher", "verdict"),
    [(0.9, "held"), (0.8, "did not hold"), (0.7, "did not hold")],
)
def test_the_teachers_doubt_must_beat_chance(teacher, verdict):
    compared = judging.compare_rules(bought(teacher), 100)
    claim = judging.judge_doubt(compared, 100)
    assert (claim.id, claim.verdict) == ("C15", verdict)
    assert f"{100 * (teacher - 0.8):+.1f} points" in claim.measured


def test_the_last_comparison_gives_chance_twice_the_budget():
    last = judging.compare_rules(bought(0.7, student=0.82), 100)[-1]
    assert (last.treatment, last.control) == ("student-doubt, 100", "random, 200")
    assert last.mean == pytest.approx(-0.03) and last.verdict == "worse"


def test_scores_that_went_through_json_are_compared_the_same():
    scores = bought(0.7)
    again = json.loads(json.dumps(scores))
    assert judging.compare_rules(again, 100) == judging.compare_rules(scores, 100)


@pytest.mark.parametrize(
    ("anew", "verdict", "words"),
    [
        (0.9, "did not hold", "crop 10.0 points (a loss)"),
        (0.8, "held", "crop 0.0 points (not shown)"),
        (0.7, "held", "crop -10.0 points (a gain)"),
    ],
)
def test_stored_answers_fail_where_new_ones_teach_more(anew, verdict, words):
    means = {"alone": 0.7, "more real texts": 0.9}
    means |= {"crop, asked anew": anew, "crop, stored": 0.8}
    scores = {arm: {0: mean, 1: mean} for arm, mean in means.items()}
    compared = judging.compare_views(scores, ["crop"])
    claim = judging.judge_stored(compared, ["crop"])
    assert (claim.id, claim.verdict) == ("C16", verdict) and words in claim.measured


def test_a_comparison_that_nobody_made_is_refused():
    with pytest.raises(KeyError, match="no comparison of 'a' against 'b'"):
        judging.found([], "a", "b")


def test_answers_are_sorted_into_quarters_by_doubt():
    doubts = np.array([0.4, 0.1, 0.3, 0.2])
    right = np.array([False, True, False, True])
    assert judging.right_by_doubt(doubts, right, 2) == [
        (pytest.approx(0.15), 1.0),
        (pytest.approx(0.35), 0.0),
    ]


# ------------------------------------------------------ what we measured on IMDB
def test_the_stored_run_on_imdb_says_what_the_lesson_says_of_it():
    stored = json.loads((RESULTS / "lesson07_imdb.json").read_text("utf-8"))
    settings = stored["settings"]
    assert settings["source"] == "imdb" and len(settings["seeds"]) >= 3
    assert stored["teacher_accuracy"] > 0.9
    once, twice = (f"random, {n * settings['budget']:,}" for n in (1, 2))
    rules = judging.compare_rules(stored["bought"], settings["budget"])
    views = judging.compare_views(stored["views"], list(stored["kept"]))

    def of_rule(name, control):
        return judging.found(rules, f"{name}, {settings['budget']:,}", control)

    assert of_rule("teacher-doubt", once).verdict == "worse"
    assert of_rule("student-doubt", once).verdict == "better"
    assert of_rule("student-doubt", twice).verdict != "better"
    splice = judging.found(views, "splice, asked anew", "splice, stored")
    crop, more = (
        judging.found(views, name, "alone")
        for name in ("crop, asked anew", "more real texts")
    )
    assert splice.verdict == crop.verdict == more.verdict == "better"
    assert crop.mean < more.mean
    thresholds = judging.compare_thresholds(stored["pseudo"])
    assert len(thresholds) == 4
    assert {c.verdict for c in thresholds} == {"worse"}
