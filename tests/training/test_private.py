"""Training under differential privacy: what it keeps, what it refuses."""

import numpy as np
import pytest

from distill_helpers.evaluation.privacy import votes_noise
from distill_helpers.training.private.linear import (
    PublicTopics,
    fit_private,
    hashed_features,
)
from distill_helpers.training.private.votes import (
    disjoint_shards,
    gather_votes,
    hard_labels,
    noisy_votes,
    soft_logits,
    soft_shares,
)


def heaps(count=600, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    return np.eye(4)[labels] + rng.normal(size=(count, 4)) / 3, labels


# ------------------------------------------------------------------- linear
def test_a_private_fit_is_near_its_twin_and_says_what_it_cost():
    features, labels = heaps()
    tests, truth = heaps(seed=1)
    twin = fit_private(features, labels, 3, epsilon=None)
    private = fit_private(features, labels, 3, epsilon=2.0)
    assert twin.spent is None and twin.accuracy(tests, truth) > 0.9
    assert private.accuracy(tests, truth) > twin.accuracy(tests, truth) - 0.04
    assert 1.99 < private.spent.epsilon <= 2
    assert private.spent.steps == 10 and private.spent.rate == 1
    little = fit_private(features, labels, 3, epsilon=0.02)
    assert little.accuracy(tests, truth) < private.accuracy(tests, truth)
    again = fit_private(features, labels, 3, epsilon=2.0)
    assert np.array_equal(again.weights, private.weights)
    other = fit_private(features, labels, 3, epsilon=2.0, seed=1)
    assert not np.allclose(other.weights, private.weights)


def test_no_text_moves_a_step_by_more_than_the_clip():
    # One step from zero: take a text away, however long it is, and compare.
    features, labels = heaps(40)
    features[7] *= 1e6
    options = {"epsilon": None, "steps": 1, "learning_rate": 1.0, "penalty": 0.0}
    whole = fit_private(features, labels, 3, **options).weights * 40
    for row in (3, 7):
        rest = np.delete(features, row, 0), np.delete(labels, row)
        without = fit_private(*rest, 3, **options).weights * 39
        assert np.linalg.norm(whole - without) <= 1 + 1e-9


def test_features_of_a_text_hang_on_no_other_text():
    texts = ["a fine film", "a dull one", ""]
    together = hashed_features(texts)
    for row, text in enumerate(texts):
        assert (together[row] != hashed_features([text])).nnz == 0
    lengths = np.sqrt(together.multiply(together).sum(1)).ravel()
    assert np.allclose(lengths, [1, 1, 0])


def test_public_topics_are_rows_of_length_one(texts):
    read = PublicTopics(texts, 10)
    assert read(texts[:5]).shape == (5, 10)
    assert np.allclose(np.linalg.norm(read(texts[:5]), axis=1), 1)
    with pytest.raises(ValueError, match="half as many as texts, got 33 for 64"):
        PublicTopics(texts, 33)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epsilon": 0}, "epsilon must be a finite number above 0"),
        ({"epsilon": -2.0}, "epsilon must be"),
        ({"epsilon": 2.0, "delta": 0.1}, "delta must lie below 1 / 40"),
        ({"epsilon": 2.0, "delta": 0}, "delta must be"),
        ({"epsilon": None, "classes": 2}, "labels must be classes from 0 to 1, got 2"),
        ({"epsilon": None, "steps": 0}, "steps must be at least 1"),
    ],
)
def test_a_fit_that_promises_nothing_is_refused(options, named):
    features, labels = heaps(40)
    with pytest.raises(ValueError, match=named):
        fit_private(features, labels, **({"classes": 3} | options))


# -------------------------------------------------------------------- votes
def test_every_row_has_one_teacher_and_every_teacher_one_vote():
    shards = disjoint_shards(103, 10, seed=2)
    assert sorted(np.concatenate(shards)) == list(range(103))
    asked = []

    def fit(rows):
        asked.append(len(rows))
        return lambda queries: np.full(len(queries), len(asked) % 2)

    votes = gather_votes(fit, shards, range(4), 2)
    assert asked == [len(shard) for shard in shards]
    assert (votes == 5).all() and votes.shape == (4, 2)


def test_a_text_in_two_shards_is_refused():
    with pytest.raises(ValueError, match="share no row, got row 2 in several"):
        gather_votes(lambda rows: len, [np.array([1, 2]), np.array([2])], [], 2)
    with pytest.raises(ValueError, match="teachers must lie in"):
        disjoint_shards(5, 6)
    with pytest.raises(ValueError, match="classes from 0 to 1"):
        shards = disjoint_shards(4, 2)
        gather_votes(lambda rows: lambda queries: np.array([2]), shards, [0], 2)


def test_noise_comes_before_the_choice_and_shares_keep_what_it_left():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 0.8, 2_000)
    votes = np.stack([rng.binomial(100, truth), np.zeros(2_000, int)], axis=1)
    votes[:, 1] = 100 - votes[:, 0]
    noise = votes_noise(8.0, 20)
    noisy = noisy_votes(votes, noise)
    assert (noisy - votes).std() == pytest.approx(noise, rel=0.05)
    shares = soft_shares(noisy, 100)
    assert np.allclose(shares.sum(1), 1) and shares.min() > 0
    assert (shares.argmax(1) == hard_labels(noisy)).all()
    # A share tells how sure the votes were, a choice does not.
    assert (
        np.corrcoef(shares[:, 0], truth)[0, 1]
        > np.corrcoef(hard_labels(noisy) == 0, truth)[0, 1]
    )
    back = np.exp(soft_logits(shares))
    assert np.allclose(back / back.sum(1, keepdims=True), shares, atol=1e-6)
