"""Texts changed by chance and by an attacker, and what a model loses by it."""

import numpy as np
import pytest

from distill_helpers.data.typos import Speller
from distill_helpers.evaluation.robustness import accuracy_under, attack

GOOD, BAD = ("splendid", "moving"), ("dreary", "clumsy")


def counting(texts):
    """A model that counts words it knows, and is a little for class 0."""
    good = [sum(text.split().count(word) for word in GOOD) for text in texts]
    bad = [sum(text.split().count(word) for word in BAD) for text in texts]
    return np.stack([np.array(bad) + 0.5, np.array(good)], axis=1).astype(np.float32)


FILLED = "with many words that nobody would ever miss in such a note"
TEXTS = [f"{FILLED} splendid", f"{FILLED} moving {FILLED}", f"dreary {FILLED}"] * 4
LABELS = [1, 1, 0] * 4


def test_accuracy_falls_with_the_share_and_comes_back_by_repair():
    shares = (0.0, 0.5, 1.0)
    found = accuracy_under(counting, TEXTS, LABELS, shares=shares)
    assert found[0.0] == 1.0 > found[0.5] > found[1.0] == pytest.approx(1 / 3)
    assert found == accuracy_under(counting, TEXTS, LABELS, shares=shares)
    speller = Speller.of(TEXTS)
    mended = accuracy_under(counting, TEXTS, LABELS, shares=shares, repair=speller)
    assert mended[1.0] > found[1.0] + 0.4


def test_the_attacker_finds_the_word_that_counts():
    found = attack(counting, TEXTS, LABELS, words=1, seed=3)
    assert found.right.all()
    assert [words for words in found.picked][:2] == [["splendid"], ["moving"]]
    # Class 0 holds without any word: it cannot be turned.
    assert found.flipped.tolist() == [True, True, False] * 4
    assert found.share == pytest.approx(8 / 12)
    low, high = found.interval
    assert low < found.share < high
    assert found.random_flipped.sum() < found.flipped.sum()
    for text, before in zip(found.texts, TEXTS):
        assert sum(a != b for a, b in zip(text.split(), before.split())) == 1
    assert "of 12 right answers" in str(found)


def test_a_text_that_was_wrong_before_is_not_turned():
    labels = [0, 1, 0] * 4
    found = attack(counting, TEXTS, labels, words=1)
    assert found.right.sum() == 8
    assert not found.flipped[::3].any()


@pytest.mark.parametrize(
    ("texts", "labels", "named"),
    [
        (TEXTS, LABELS[:3], "labels must hold one class for each of the 12"),
        ([], [], "at least one"),
        (TEXTS, [-1, *LABELS[1:]], "classes from 0 on, got -1 for text 0"),
        (TEXTS, [*LABELS[1:], 2], "classes from 0 to 1, got 2 for text 11"),
        (TEXTS, [1.0, *LABELS[1:]], "must be whole numbers"),
        (TEXTS, [0, 0, 1] * 4, "wrong about every text"),
        (["so", "it"], [0, 0], "no word of 3 letters"),
    ],
)
def test_what_cannot_be_attacked_is_named(texts, labels, named):
    with pytest.raises(ValueError, match=named):
        attack(counting, texts, labels)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda texts: np.full((len(texts), 2), np.nan), "must be finite"),
        (lambda texts: np.zeros(len(texts)), "two classes or more"),
        (lambda texts: np.zeros((1, 2)), r"shape \(12, 2\), got \(1, 2\)"),
    ],
    ids=["nan", "flat", "short"],
)
def test_what_answers_with_no_logits_is_named(answer, named):
    for ask in (attack, accuracy_under):
        with pytest.raises(ValueError, match=named):
            ask(answer, TEXTS, LABELS)
