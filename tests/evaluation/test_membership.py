"""Losses that give members away, or do not."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from distill_helpers.evaluation.membership import losses_of, membership_attack

RNG = np.random.default_rng(0)


def test_the_auc_is_that_of_low_losses_with_ties_counted_half():
    members = RNG.integers(0, 6, 80) / 2
    others = RNG.integers(0, 9, 50) / 2
    is_member = np.repeat([1, 0], [80, 50])
    wanted = roc_auc_score(is_member, -np.concatenate([members, others]))
    found = membership_attack(members, others)
    assert found.auc == pytest.approx(wanted)
    assert found.auc > 0.5  # members have the lower losses
    assert membership_attack(others, members).auc == pytest.approx(1 - wanted)
    assert (found.members, found.others) == (80, 50)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    # A loss of exponential(1 / 2) is below one of exponential(1) with p = 2 / 3.
    held = []
    for _ in range(400):
        found = membership_attack(RNG.exponential(0.5, 60), RNG.exponential(1.0, 90))
        held.append(found.interval[0] < 2 / 3 < found.interval[1])
    assert 0.92 < np.mean(held) < 0.98


def test_memorised_texts_are_all_found_and_the_interval_has_no_width():
    found = membership_attack(np.zeros(40), np.ones(100))
    assert (found.auc, found.interval, found.caught) == (1.0, (1.0, 1.0), 1.0)
    assert found.shown


def test_members_are_found_at_few_false_alarms():
    others = np.arange(100.0)
    # One false alarm is allowed: members below the second smallest are found.
    found = membership_attack(np.repeat([0.5, 50.0], [10, 30]), others)
    assert found.caught == 0.25
    assert not membership_attack(others, others).shown


def test_losses_are_cross_entropies():
    logits = RNG.normal(size=(5, 3))
    labels = [0, 2, 1, 1, 0]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert losses_of(logits, labels) == pytest.approx(-np.log(shares[range(5), labels]))
    with pytest.raises(ValueError, match="one class for each of the 5"):
        losses_of(logits, labels[:2])
    with pytest.raises(ValueError, match="classes from 0 to 2, got 3 for text 3"):
        losses_of(logits, [0, 1, 2, 3, 0])


@pytest.mark.parametrize(
    ("members", "others", "named"),
    [
        (np.zeros(29), np.zeros(99), "member_losses .* 30 texts at least"),
        (np.zeros(40), np.zeros((40, 2)), "other_losses .* one loss a text"),
        (np.zeros(40), np.full(40, np.nan), "other_losses must be finite"),
    ],
)
def test_too_few_or_broken_losses_are_named(members, others, named):
    with pytest.raises(ValueError, match=named):
        membership_attack(members, others)
