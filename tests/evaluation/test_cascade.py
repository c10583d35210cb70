"""Small model first: who answers, how right, how fast, at what price."""

import numpy as np
import pytest

from distill_helpers.evaluation.cascade import (
    Stage,
    choose_threshold,
    choose_thresholds,
    confidence,
    run_cascade,
)


def margins(*values):
    return np.array([[-v / 2, v / 2] for v in values])


DEVICE = Stage("device", margins(5, 0.1, -4, -0.2), 2.0)
EDGE = Stage("edge", margins(5, 3, 1, -0.1), 10.0, price=1.0)
CLOUD = Stage("cloud", margins(9, 9, -9, 9), 100.0, price=50.0)


def test_each_stage_answers_what_it_is_sure_of():
    found = run_cascade([DEVICE, EDGE, CLOUD], [0.9, 0.9])
    assert found.answered_by.tolist() == [0, 1, 0, 2]
    assert found.labels.tolist() == [1, 1, 0, 1]
    assert found.shares == {"device": 0.5, "edge": 0.25, "cloud": 0.25}
    assert found.accuracy([1, 1, 0, 0]) == 0.75


def test_every_stage_that_was_asked_is_waited_for_and_paid():
    found = run_cascade([DEVICE, EDGE, CLOUD], [0.9, 0.9])
    assert found.milliseconds == 2.0 + 0.5 * 10.0 + 0.25 * 100.0
    assert found.price == 0.5 * 1.0 + 0.25 * 50.0


def test_the_ends_are_the_two_models_alone():
    all_here = run_cascade([DEVICE, CLOUD], [0.0])
    assert all_here.shares["device"] == 1 and all_here.milliseconds == 2
    alone = run_cascade([CLOUD], [])
    assert alone.labels.tolist() == [1, 1, 0, 1] and alone.price == 50.0


@pytest.mark.parametrize(
    ("stages", "thresholds", "message"),
    [
        ([DEVICE, CLOUD], [], "0 for 2 stages"),
        ([], [], "0 stages"),
        ([DEVICE, CLOUD], [1.5], r"must lie in \[0, 1\], got 1.5"),
        ([DEVICE, Stage("x", margins(1), 1.0)], [0.5], "the same texts"),
    ],
)
def test_a_cascade_that_does_not_fit_is_refused(stages, thresholds, message):
    with pytest.raises(ValueError, match=message):
        run_cascade(stages, thresholds)


def random_pair(count=4_000, seed=0):
    """A device that is right as often as it says, beside a better model."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, count)
    margin = np.abs(rng.normal(size=count)) * 3
    right = rng.random(count) < 1 / (1 + np.exp(-margin))
    sign = np.where(right, 1, -1) * np.where(truth == 1, 1, -1)
    device = margins(*(sign * margin))
    better = margins(
        *np.where(rng.random(count) < 0.95, 1, -1) * np.where(truth, 4, -4)
    )
    return device, better, truth


def test_the_threshold_lets_the_device_answer_as_much_as_accuracy_allows():
    device, larger, truth = random_pair()
    reached = (larger.argmax(1) == truth).mean()
    shares = []
    for within in (0.0, 0.003, 0.02):
        threshold = choose_threshold(device, larger, truth, within)
        found = run_cascade(
            [Stage("d", device, 1.0), Stage("c", larger, 9.0)], [threshold]
        )
        assert found.accuracy(truth) >= reached - within - 1e-9
        shares.append(found.shares["d"])
    assert 0.2 < shares[0] <= shares[1] <= shares[2] < 1
    lower = run_cascade(
        [Stage("d", device, 1.0), Stage("c", larger, 9.0)], [threshold - 0.02]
    )
    assert lower.accuracy(truth) < reached - within


def test_without_labels_a_calibrated_larger_model_is_taken_at_its_word():
    device, _, _ = random_pair(20_000)
    rng = np.random.default_rng(1)
    honest = np.abs(rng.normal(size=len(device))) * 4
    sign = np.where(rng.random(len(device)) < 0.9, 1, -1) * np.sign(device[:, 1])
    larger = margins(*(sign * honest))
    share = 1 / (1 + np.exp(-(larger[:, 1] - larger[:, 0])))
    truth = (rng.random(len(device)) < share).astype(int)
    threshold = choose_threshold(device, larger, within=0.01)
    found = run_cascade([Stage("d", device, 1.0), Stage("c", larger, 9.0)], [threshold])
    lost = (larger.argmax(1) == truth).mean() - found.accuracy(truth)
    assert lost == pytest.approx(0.01, abs=0.005)
    assert threshold == pytest.approx(
        choose_threshold(device, larger, truth, within=0.01), abs=0.1
    )


def test_texts_of_equal_confidence_go_together():
    device, larger = margins(1, 1, 1, 1), margins(1, 1, 1, -1)
    truth = [1, 1, 1, 0]
    assert choose_threshold(device, larger, truth, within=0.2) == 1.0
    assert choose_threshold(device, larger, truth, within=0.25) <= confidence(device)[0]


def test_a_device_that_is_never_worse_answers_everything():
    device, larger = margins(0.1, -2), margins(-9, -9)
    assert choose_threshold(device, larger, [1, 0]) <= confidence(device).min()


@pytest.mark.parametrize(
    ("labels", "within", "message"),
    [([1], 0.0, "one length"), ([1, 0], -0.1, "within must be at least 0, got -0.1")],
)
def test_a_threshold_from_nothing_is_refused(labels, within, message):
    with pytest.raises(ValueError, match=message):
        choose_threshold(margins(1, 2), margins(1, 2), labels, within)


def test_what_a_cascade_may_lose_is_shared_among_its_stages():
    device, larger, truth = random_pair()
    small, middle = Stage("small", device, 1.0), Stage("middle", device, 2.0)
    cloud = Stage("cloud", larger, 3.0)
    half = choose_threshold(device, larger, truth, within=0.01)
    assert choose_thresholds([small, middle, cloud], truth, 0.02) == [half, half]
    assert choose_thresholds([small, cloud], truth, 0.01) == [half]
    assert choose_thresholds([cloud]) == []
    with pytest.raises(ValueError, match="at least one model, got none"):
        choose_thresholds([])
