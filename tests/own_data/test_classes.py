"""Class by class, for one label a text and for several."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from distill_helpers.own_data import classes, mistakes

NAMES = ["a", "b", "c"]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("several", [False, True])
def test_scores_of_a_class_are_those_of_sklearn(rng, several):
    logits = rng.normal(size=(80, 3))
    labels = rng.integers(0, 2, (80, 3)) if several else rng.integers(0, 3, 80)
    is_it = classes.marks_of_labels(labels, 3)
    said = classes.marks_of_logits(logits, several)
    table = classes.class_table(NAMES, is_it, [said, said], [said])
    theirs = precision_recall_fscore_support(is_it, said)
    for name, values in zip(("precision", "recall", "F1"), theirs):
        np.testing.assert_allclose(table[name], values)
    assert list(table["texts"]) == theirs[3].tolist()
    np.testing.assert_allclose(table["control's F1"], table["F1"])


def test_a_class_that_is_never_said_has_no_precision():
    is_it = classes.marks_of_labels(np.array([0, 0, 1]), 3)
    said = classes.marks_of_labels(np.array([0, 0, 0]), 3)
    table = classes.class_table(NAMES, is_it, [said], [said])
    assert np.isnan(table.loc["b", "precision"]) and table.loc["b", "recall"] == 0
    assert np.isnan(table.loc["c", "recall"])


def test_the_confusion_counts_each_text_once(rng):
    labels, logits = rng.integers(0, 3, 50), rng.normal(size=(50, 3))
    counts = classes.confusion(NAMES, labels, logits)
    assert counts.to_numpy().sum() == 50
    assert counts.loc["a", "b"] == ((labels == 0) & (logits.argmax(1) == 1)).sum()


def test_the_bootstrap_is_centred_on_the_gain_and_knows_none(rng):
    labels = rng.integers(0, 3, 300)
    is_it = classes.marks_of_labels(labels, 3)
    better = classes.marks_of_labels(np.where(rng.random(300) < 0.8, labels, 0), 3)
    worse = classes.marks_of_labels(np.where(rng.random(300) < 0.5, labels, 0), 3)
    gain = f1_score(is_it, better, average="macro") - f1_score(
        is_it, worse, average="macro"
    )
    low, high = classes.gain_over_texts(is_it, [better], [worse])
    assert 0 < low < gain < high < 1
    assert classes.gain_over_texts(is_it, [worse], [worse]) == (0, 0)
    differ = (better != worse).any(1).sum()
    assert classes.told_apart([better], [worse]) == differ
    assert classes.told_apart([worse, worse], [worse, better]) == differ
    assert classes.told_apart([worse, worse], [worse]) == 0


def test_errors_are_told_apart_and_the_surest_come_first():
    texts = [f"text {n}" for n in range(5)]
    labels = np.array([0, 0, 0, 0, 0])
    logits = np.array([[0, 2, 0], [0, 3, 0], [0, 1, 0], [5, 0, 0], [0, 0, 1.0]])
    teacher = np.array([[0, 9, 0], [9, 0, 0], [0, 0, 9], [9, 0, 0], [np.nan] * 3])
    found = mistakes.worth_reading(texts, labels, logits, NAMES, teacher=teacher)
    assert found["text"].tolist() == ["text 0", "text 1", "text 2", "text 4"]
    assert found["why"].tolist() == [
        mistakes.DOUBTED,
        mistakes.TAUGHT,
        mistakes.ALONE,
        mistakes.ALONE,
    ]
    assert found["teacher says"].tolist() == ["b", "a", "c", ""]
    assert set(found["is"]) == {"a"}


def test_errors_of_several_labels_name_all_of_them():
    labels = np.array([[1, 1, 0], [0, 0, 0]])
    logits = np.array([[3.0, -3, -3], [-2, -2, 2]])
    found = mistakes.worth_reading(["x", "y"], labels, logits, NAMES, several=True)
    assert found[["is", "said"]].values.tolist() == [["a, b", "a"], ["none", "c"]]
    assert (found["why"] == mistakes.ALONE).all()
