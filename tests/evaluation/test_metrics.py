"""A metric is one function under one name; whatever shows scores follows."""

import copy
import json
import pickle

import numpy as np
import pytest

from distill_helpers.classroom.collecting import collect
from distill_helpers.evaluation import metrics
from distill_helpers.evaluation.cards import model_card
from distill_helpers.evaluation.metrics import measure_quality, softmax
from distill_helpers.evaluation.scorecard import (
    Row,
    results,
    side_by_side,
    table,
    write_json,
)

LOGITS = np.array([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0], [2.0, 0.0]])
LABELS = [0, 1, 0, 0]


@pytest.fixture
def margin(monkeypatch):
    def mean_margin(logits, labels):
        return float(np.abs(logits[:, 0] - logits[:, 1]).mean())

    monkeypatch.setitem(metrics.METRICS, "margin", mean_margin)


def test_a_new_metric_is_measured_shown_stored_collected_and_on_the_card(
    margin, tmp_path
):
    quality = measure_quality(LOGITS, LABELS, LOGITS)
    assert quality.margin == 2 and quality.accuracy == 0.75
    row = Row("distilled", [quality, quality], seeds=[0, 1])
    shown = table([row])
    assert list(shown.columns) == [
        "accuracy",
        "95% interval",
        "F1",
        "ECE",
        "margin",
        "agreement",
    ]
    assert shown.loc["distilled", "margin"] == "2.000"
    content = results([row], lesson="any")
    assert content["rows"][0]["margin"]["per_seed"] == [2, 2]
    runs = {"a run": content["rows"]}
    assert side_by_side(runs, "margin").loc["distilled", "a run"] == (
        "2.000 (2.000 to 2.000)"
    )
    write_json(tmp_path / "results.json", content)
    collected = collect(tmp_path)
    assert collected.table["margin"].tolist() == [2, 2]
    assert "margin" not in collected.knobs
    card = str(model_card(content, ["bad", "good"]))
    assert "| model | accuracy | F1 | margin | seeds | texts |" in card
    assert "type: margin" in card


def test_without_it_the_columns_are_those_of_ever():
    quality = measure_quality(LOGITS, LABELS, LOGITS)
    assert list(quality.scores) == ["accuracy", "f1", "calibration_error"]
    stored = Row("a", [quality]).to_json()
    assert list(stored) == [
        "name",
        "seeds",
        "examples",
        "accuracy",
        "f1",
        "calibration_error",
        "agreement",
        "cost",
        "notes",
    ]
    alone = Row("a", [measure_quality(LOGITS, LABELS)])
    assert "agreement" not in alone.to_json()
    assert table([alone]).loc["a", "agreement"] == ""


def test_a_metric_that_is_none_is_named():
    quality = measure_quality(LOGITS, LABELS)
    with pytest.raises(AttributeError, match="no metric 'recall'"):
        _ = quality.recall
    with pytest.raises(ValueError, match="metric must be one of .*'accuracy'.*'recall"):
        side_by_side({}, "recall")


def test_a_quality_survives_copying_and_another_process():
    quality = measure_quality(LOGITS, LABELS)
    assert copy.deepcopy(quality) == quality
    assert pickle.loads(pickle.dumps(quality)).f1 == quality.f1
    assert json.dumps(quality.scores)


@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_probabilities_are_those_of_the_formula_in_double_precision(scale):
    logits = (np.random.default_rng(0).normal(size=(50, 3)) * scale).astype(np.float32)
    exact = logits.astype(np.float64)
    exact = np.exp(exact - exact.max(1, keepdims=True))
    exact /= exact.sum(1, keepdims=True)
    found = softmax(logits)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, exact)
    np.testing.assert_array_equal(softmax(logits[0]), exact[0])


def test_a_quality_shows_each_score_by_its_name():
    quality = metrics.Quality({"accuracy": 0.5, "f1": 0.25}, None, 4)
    assert repr(quality) == "Quality(accuracy=0.5, f1=0.25, agreement=None, examples=4)"
