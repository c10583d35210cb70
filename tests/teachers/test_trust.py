"""What a teacher's answers to labelled texts say about it."""

import numpy as np
import pytest
from datasets import Dataset

from distill_helpers.teachers.stored import SoftTargets
from distill_helpers.teachers.trust import (
    WeakTeacherWarning,
    check_trust,
    compare_trust,
    warn_if_at_chance,
)


def answers(labels, right, classes=3):
    """Logits of which so many are right, the others the next class."""
    said = np.array(labels)
    said[right:] = (said[right:] + 1) % classes
    return np.eye(classes, dtype=np.float32)[said] * 3


def trust(train, held_out):
    sides = []
    for right, total in (train, held_out):
        labels = np.arange(total) % 3
        sides += [answers(labels, right), labels]
    return compare_trust(*sides)


@pytest.mark.parametrize(
    ("train", "held_out", "word"),
    [
        ((198, 200), (80, 100), "trained on them, and is too sure"),
        ((80, 100), (198, 200), "'split'"),
        # The same gap in few texts says nothing, a small one in many does.
        ((20, 20), (8, 10), None),
        ((9_900, 10_000), (9_800, 10_000), "too sure"),
        ((180, 200), (88, 100), None),
        ((60, 200), (35, 100), "no better than chance"),
        ((2, 200), (1, 100), "worse than chance.*another order"),
        ((0, 4), (0, 4), None),
    ],
)
def test_a_gap_is_named_where_chance_does_not_explain_it(train, held_out, word):
    found = trust(train, held_out)
    assert (found.train, found.held_out) == (train, held_out)
    assert found.train_accuracy == train[0] / train[1]
    if word is None:
        assert found.warnings == []
    else:
        import re

        assert re.search(word, " ".join(found.warnings))
        assert re.search(word, str(found))


def test_chance_knows_how_often_each_class_is_said():
    labels = np.array([0] * 90 + [1] * 10)
    always = np.tile([[1.0, -1.0]], (100, 1))
    with pytest.warns(WeakTeacherWarning, match="no better than chance"):
        warn_if_at_chance(always, labels)


def test_several_labels_are_right_if_all_of_them_are(recwarn):
    labels = np.tile([[0, 1, 1], [1, 0, 0]], (30, 1))
    found = compare_trust(labels * 4.0 - 2, labels, labels * 4.0 - 2, labels)
    assert found.train_accuracy == 1 and found.warnings == []
    warn_if_at_chance(labels * 4.0 - 2, labels)
    assert not recwarn
    with pytest.warns(WeakTeacherWarning, match="worse than chance"):
        warn_if_at_chance(2 - labels * 4.0, labels)


def test_unlabelled_texts_and_those_without_an_answer_are_left_out():
    from distill_helpers.data.cleaning import text_hash

    parts = {"train": ["a", "b", "c", "new"], "test": ["d"]}
    reviews = {
        name: Dataset.from_dict({"text": texts, "label": [0] * len(texts)})
        for name, texts in parts.items()
    }
    reviews["train"] = Dataset.from_dict(
        {"text": parts["train"], "label": [0, 1, None, 0]}
    )
    table = {text_hash(t): np.array([2.0, 0.0], np.float32) for t in "abcd"}
    found = check_trust(SoftTargets(table, "f"), reviews, against=["test"])
    assert (found.train, found.held_out) == ((1, 2), (1, 1))
    assert np.isnan(
        compare_trust(np.ones((1, 2)), [None], np.ones((1, 2)), [1]).train_accuracy
    )
