"""How much a text counts: by hand, with a mean of 1, and never by mistake."""

import math

import numpy as np
import pytest

from distill_helpers.data.encoding import EncodedReviews
from distill_helpers.data.labels import SEVERAL_LABELS
from distill_helpers.training import (
    certainty,
    example_weights,
    normalised_weights,
    shuffle_wrong_classes,
    shuffled_weights,
    weighted_reads,
)

SHARES = np.array([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1], [1 / 3] * 3])
LOGITS = np.log(SHARES)


def reads(logits=LOGITS):
    ids = [np.array([place]) for place in range(3)]
    return EncodedReviews(ids, np.array([0, -100, 1]), logits)


def test_each_certainty_equals_the_one_worked_by_hand():
    entropy = [-sum(p * math.log(p) for p in row) / math.log(3) for row in SHARES]
    for how, expected in {
        "confidence": SHARES.max(1),
        "margin": [0.25, 0.7, 0.0],
        "entropy": 1 - np.array(entropy),
    }.items():
        assert certainty(how, LOGITS) == pytest.approx(expected, abs=1e-12), how
        # Softer answers are less sure ones, the surest stays the surest.
        soft = certainty(how, LOGITS, temperature=4)
        assert soft[1] < expected[1] and soft.argmax() == 1


def test_of_several_labels_each_class_is_a_coin():
    odds = np.log([[0.9 / 0.1, 0.5 / 0.5]])
    found = {
        how: certainty(how, odds, problem_type=SEVERAL_LABELS).item()
        for how in ("confidence", "margin", "entropy")
    }
    coin = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    expected = {"confidence": 0.7, "margin": 0.4, "entropy": (1 - coin) / 2}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("favour", ["sure", "unsure"])
def test_the_mean_is_one_whichever_is_favoured(favour):
    weights = example_weights("margin", LOGITS, favour=favour)
    assert weights.dtype == np.float32 and weights.mean() == pytest.approx(1)
    assert weights.argmax() == {"sure": 1, "unsure": 2}[favour]


def test_the_control_has_the_same_weights_on_other_texts():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    weights = example_weights("entropy", logits)
    dealt = example_weights("entropy", logits, shuffle_seed=1)
    assert sorted(dealt) == sorted(weights) and not np.array_equal(dealt, weights)
    assert np.array_equal(dealt, shuffled_weights(weights, 1))
    assert not np.array_equal(dealt, shuffled_weights(weights, 2))


def test_reads_get_a_column_and_stay_as_they_were():
    given = reads()
    by_name = weighted_reads(given, "confidence", favour="unsure")
    own = weighted_reads(given, [1, 0, 5])
    expected = example_weights("confidence", LOGITS, favour="unsure")
    assert np.array_equal(by_name[1]["teacher_weight"], expected[1])
    assert own.tensors["teacher_weight"].tolist() == [0.5, 0, 2.5]
    assert not given.tensors


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, -0.5, 1], "not negative, got -0.5 in row 1"),
        ([1, math.nan], "not negative, got nan in row 1"),
        ([math.inf, 1], "finite and not negative, got inf"),
        ([0, 0.0], "must not all be 0, got 2"),
        ([[1, 2]], r"got the shape \(1, 2\)"),
        ([], "at least one text"),
    ],
)
def test_numbers_that_are_no_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        normalised_weights(weights)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certainty("gut", LOGITS), "how must be one of"),
        (lambda: certainty("margin", LOGITS[0]), r"got shape \(3,\)"),
        (lambda: certainty("margin", LOGITS[:, :1]), "two classes"),
        (lambda: certainty("margin", LOGITS * np.nan), "must be finite"),
        (lambda: example_weights("margin", LOGITS, favour="bold"), "favour must be"),
        (
            lambda: example_weights("margin", LOGITS[:2] * 1e4, favour="unsure"),
            "must not all be 0",
        ),
        (lambda: weighted_reads(reads(None), "margin"), "teacher's logits before"),
        (lambda: weighted_reads(reads(), [1, 2]), "a row for each of the 3"),
    ],
)
def test_what_cannot_be_weighed_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ------------------------------------------------------------- wrong classes
def test_only_which_wrong_class_is_likelier_is_lost():
    logits = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    shuffled = shuffle_wrong_classes(logits, seed=3)
    assert np.array_equal(shuffled.argmax(1), logits.argmax(1))
    assert np.array_equal(np.sort(shuffled, 1), np.sort(logits, 1))
    moved = (shuffled != logits).any(1).mean()
    assert 0.9 < moved < 1  # one order in 24 is the old one
    again = shuffle_wrong_classes(logits, seed=3)
    assert np.array_equal(shuffled, again)
    orders = np.argsort(shuffled, 1)
    assert len(np.unique(orders, axis=0)) > 60  # each row is shuffled by itself


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (LOGITS[:, :2], "at least three classes, got 2.*nothing to shuffle"),
        (LOGITS[0], r"got shape \(3,\)"),
        (LOGITS * np.inf, "must be finite"),
    ],
)
def test_what_has_no_order_of_wrong_classes_is_refused(logits, message):
    with pytest.raises(ValueError, match=message):
        shuffle_wrong_classes(logits)
