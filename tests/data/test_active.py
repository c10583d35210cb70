"""The budget goes to whom the rule says, and never twice to one text."""

import numpy as np
import pytest

from distill_helpers.data.active import HOW, choose, doubt
from distill_helpers.data.labels import SEVERAL_LABELS
from distill_helpers.data.pseudo import pseudo_labels


@pytest.fixture
def logits(texts):
    return np.random.default_rng(1).normal(0, 3, (len(texts), 2))


@pytest.mark.parametrize("how", HOW)
def test_no_text_is_chosen_twice_nor_one_that_was_taken(texts, logits, how):
    pool = [*texts[:30], texts[3].upper(), texts[4] + "!"]
    given = {"student": logits[:32], "teacher": logits[:32], "taken": [3, 7]}
    rows = choose(how, pool, 28, **given)
    assert sorted({*rows.tolist(), 3, 7}) == list(range(30))  # no copy at the end
    assert len(rows) == 28
    assert choose(how, pool, 28, **given).tolist() == rows.tolist()
    assert choose(how, pool, 9, **given).tolist() == rows[:9].tolist()
    with pytest.raises(ValueError, match="k=29 is more than the 28 texts"):
        choose(how, pool, 29, **given)


def test_doubt_and_sureness_are_opposite_and_of_whom_they_say(texts, logits):
    gap = np.abs(logits[:, 0] - logits[:, 1])
    near = np.argsort(gap)
    count = len(texts)
    unsure = choose("teacher-doubt", texts, count, teacher=logits)
    assert unsure.tolist() == near.tolist()
    sure = choose("teacher-sure", texts, count, teacher=logits)
    assert sure.tolist() == near[::-1].tolist()
    other = logits[::-1]
    by_student = choose("student-doubt", texts, 5, student=other, teacher=logits)
    assert set(by_student) == set((count - 1 - near[:5]).tolist())
    asked = choose("student-doubt", texts, 5, student=lambda some: other[: len(some)])
    assert asked.tolist() == by_student.tolist()


def test_several_labels_add_their_doubts():
    logits = np.array([[0.0, 9.0, -9.0], [0.0, 0.0, 9.0], [9.0, -9.0, 9.0]])
    found = doubt(logits, SEVERAL_LABELS)
    assert found == pytest.approx([np.log(2), 2 * np.log(2), 0], abs=0.01)


def test_chance_follows_its_seed(texts):
    draws = {tuple(choose("random", texts, 5, seed=seed)) for seed in range(5)}
    assert len(draws) == 5


def test_diverse_texts_are_unlike_each_other():
    kinds = ["red fox jumps", "blue whale swims", "green tea cools"]
    pool = [f"{kind} {n}" for kind in kinds for n in range(10)]
    for seed in range(4):
        rows = choose("diverse", pool, 3, seed=seed)
        assert {row // 10 for row in rows} == {0, 1, 2}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"how": "doubt"}, "how must be one of"),
        ({"k": 0}, "k must be at least 1"),
        ({"k": 3}, "k=3 is more than the 2 texts"),
        ({"pool": "ab"}, "pool must be a list of texts"),
        ({"taken": [2]}, "taken must lie in [0, 1]"),
        ({"how": "student-doubt"}, "how='student-doubt' needs student"),
        ({"how": "teacher-sure", "student": [[1, 2]] * 2}, "needs teacher"),
        ({"how": "teacher-doubt", "teacher": [[1.0, 2]]}, "each of the 2 texts"),
        ({"how": "teacher-doubt", "teacher": [[0.2, 0.8]] * 2}, "must be logits"),
        ({"how": "teacher-doubt", "teacher": [[np.nan, 1]] * 2}, "must be finite"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(given, says):
    with pytest.raises((ValueError, TypeError)) as refused:
        choose(**({"how": "random", "pool": ["a", "b"], "k": 1} | given))
    assert says in str(refused.value)


def test_only_sure_answers_become_labels():
    logits = np.array([[0.0, 1.0], [4.0, 0.0], [0.0, 3.0], [1.0, 0.9]])
    found = pseudo_labels(logits, 0.9)
    assert found.rows.tolist() == [1, 2] and found.labels.tolist() == [0, 1]
    assert pseudo_labels(logits, 0.51).counts == [2, 2]


@pytest.mark.parametrize(
    ("logits", "threshold", "says"),
    [
        ([[0.0, 3.0]], 0.5, "threshold must be a finite number above 0.5"),
        ([[0.0, 3.0]], -1, "threshold must be a finite number above 0.5"),
        ([[0.0, 3.0]], 1.01, "threshold must be at most 1"),
        ([[0.0, 3.0], [0.0, 4.0]], 0.9, "of the classes [0, 2]: nothing"),
        ([[0.0, 0.1], [0.1, 0.0]], 0.9, "leaves 0 of 2 texts"),
        ([[0.3, 0.7], [0.9, 0.1]], 0.9, "must be logits"),
        ([0.3, 0.7], 0.9, "must have a row a text"),
        ([[np.inf, 0.7]], 0.9, "must be finite"),
    ],
)
def test_labels_that_teach_nothing_are_refused(logits, threshold, says):
    with pytest.raises(ValueError) as refused:
        pseudo_labels(np.array(logits), threshold)
    assert says in str(refused.value)
