"""The student that is kept wins on validation, whether it was taught or not."""

import json

import numpy as np
import pytest

from distill_helpers.data.encoding import EncodedReviews
from distill_helpers.training import choosing
from distill_helpers.training.choosing import choose_student

TRUTH = np.array([0, 1, 0, 1, 1, 0, 0, 1, 1, 1])
PART = EncodedReviews([[1]] * 10, TRUTH, None)


def answering(right):
    """A model that gets so many of the ten texts right."""
    said = np.where(np.arange(10) < right, TRUTH, 1 - TRUTH)
    return np.eye(2)[said]


@pytest.fixture(autouse=True)
def models_are_their_answers(monkeypatch):
    monkeypatch.setattr(choosing, "predict_encoded", lambda model, *_: model)


def choose(control, distilled, **options):
    arms = {"control": control, "distilled": distilled}
    candidates = {arm: [answering(n) for n in rights] for arm, rights in arms.items()}
    seeds = list(range(7, 7 + len(control)))
    return choose_student(candidates, PART, None, seeds=seeds, **options), candidates


def test_the_mean_over_the_seeds_decides_and_then_the_best_seed():
    # The single best run is a control, the better arm is the distilled one.
    choice, candidates = choose([9, 4, 5], [7, 8, 6])
    assert (choice.name, choice.seed) == ("distilled", 8)
    assert choice.model is candidates["distilled"][1]
    assert choice.means == pytest.approx({"control": 0.6, "distilled": 0.7})
    assert choice.why == (
        "distilled: accuracy on validation texts 0.700, the mean of 3 seeds, against"
        " control 0.600; seed 8 is its best there"
    )


def test_a_control_that_wins_is_what_is_kept():
    choice, candidates = choose([8, 9], [8, 7])
    assert choice.name == "control" and choice.model is candidates["control"][1]
    stored = json.loads(json.dumps(choice.to_json()))
    assert stored["validation"]["distilled"] == {"7": 0.8, "8": 0.7}
    assert stored["why"] == choice.why and "model" not in stored


def test_of_equal_arms_the_one_named_first_is_kept_and_that_is_said():
    choice, _ = choose([8], [8])
    assert choice.name == "control"
    assert "equal to distilled, and named first" in choice.why
    assert "seed" not in choice.why


def test_another_metric_may_decide():
    choice, _ = choose([8, 9], [8, 7], metric="f1")
    assert choice.metric == "f1" and "f1 on validation" in choice.why
    with pytest.raises(ValueError, match="metric must be one of .*'recall'"):
        choose([8], [8], metric="recall")


@pytest.mark.parametrize(
    ("candidates", "validation", "says"),
    [
        ({}, PART, "at least one entry"),
        ({"control": [1]}, PART, "'control' must have one entry a seed"),
        ({"control": [1, 2]}, [PART], "'validation' must have one entry a seed"),
    ],
)
def test_what_cannot_be_compared_is_refused(candidates, validation, says):
    with pytest.raises(ValueError, match=says):
        choose_student(candidates, validation, None, seeds=[0, 1])
