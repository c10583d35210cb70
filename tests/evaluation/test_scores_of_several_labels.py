"""Scores of texts that have several labels, held against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from distill_helpers.data.labels import ONE_LABEL, SEVERAL_LABELS
from distill_helpers.evaluation.cascade import CascadeResult, choose_threshold
from distill_helpers.evaluation.metrics import (
    chosen_labels,
    measure_quality,
    probabilities,
    same_decisions,
    stored_metrics,
)
from distill_helpers.evaluation.scorecard import Row, results, table

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(40, 5)) * 2
ROWS = (LOGITS + RNG.normal(size=LOGITS.shape) > 0.5).astype(np.float32)


def test_the_scores_are_those_of_scikit_learn():
    quality = measure_quality(LOGITS, ROWS, -LOGITS)
    said = LOGITS > 0
    assert quality.subset_accuracy == accuracy_score(ROWS, said)
    assert quality.f1 == f1_score(ROWS, said, average="macro")
    assert quality.micro_f1 == f1_score(ROWS, said, average="micro")
    assert list(quality.scores) == [
        "subset_accuracy",
        "f1",
        "micro_f1",
        "calibration_error",
    ]
    assert set(quality.scores) < set(stored_metrics())
    assert quality.agreement == 0 and quality.examples == 40
    assert measure_quality(LOGITS, ROWS, LOGITS * 3).agreement == 1


def test_a_class_that_is_never_given_counts_as_0_without_a_warning(recwarn):
    rows = np.zeros((4, 3))
    rows[:, 0] = 1
    quality = measure_quality(np.where(rows > 0, 2.0, -2.0), rows)
    assert quality.f1 == pytest.approx(1 / 3) and quality.subset_accuracy == 1
    assert not recwarn.list


def test_the_calibration_error_is_0_for_coins_that_are_what_they_say():
    logits = np.full((100, 2), np.log(3.0))  # 75%
    rows = np.zeros((100, 2))
    rows[:75, 0] = rows[25:, 1] = 1
    assert measure_quality(logits, rows).calibration_error == pytest.approx(0)
    assert measure_quality(-logits, rows).calibration_error == pytest.approx(0.5)


def test_probabilities_are_a_sigmoid_each_or_a_softmax_of_all():
    found = probabilities(LOGITS, SEVERAL_LABELS)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-LOGITS)))
    assert ((found > 0.5) == chosen_labels(LOGITS)).all()
    np.testing.assert_allclose(probabilities(LOGITS, ONE_LABEL).sum(1), 1)
    with pytest.raises(ValueError, match="problem_type must be one of"):
        probabilities(LOGITS, "multilabel")


def test_two_models_agree_on_a_text_if_all_its_labels_are_the_same():
    other = LOGITS.copy()
    other[0, 3] *= -1
    assert (
        same_decisions(LOGITS, other, SEVERAL_LABELS).tolist() == [False] + [True] * 39
    )


def test_results_and_table_lead_with_the_score_of_whole_texts():
    row = Row("distilled", [measure_quality(LOGITS, ROWS)] * 2, seeds=[0, 1])
    shown = table([row])
    assert list(shown.columns)[0] == "subset accuracy"
    assert "micro F1" in shown and "accuracy" not in shown
    content = results([row])["rows"][0]
    assert content["micro_f1"]["per_seed"] == [row.per_seed[0].micro_f1] * 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (ROWS[:, :3], r"a column for each class, shape \(40, 5\), got \(40, 3\)"),
        (np.full_like(ROWS, -100), r"0\.\.1, got -100.0: leave out what has no label"),
        (ROWS * 0.9, r"0\.\.1, got 0.9"),
        (np.full(40, -100), r"0\.\.4, got -100"),
        (np.full(40, 5), r"0\.\.4, got 5"),
    ],
)
def test_labels_that_are_none_of_the_classes_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        measure_quality(LOGITS, labels)


def test_a_cascade_is_for_one_label_a_text():
    with pytest.raises(ValueError, match="a cascade hands a text on by the confidence"):
        choose_threshold(LOGITS, LOGITS, ROWS)
    answered = CascadeResult(LOGITS.argmax(1), np.zeros(40, int), {"a": 1.0}, 1.0, 0.0)
    with pytest.raises(ValueError, match="one class number a text"):
        answered.accuracy(ROWS)
