import json
import math

import numpy as np
import pytest

from distill_helpers.evaluation.cost import (
    Cost,
    count_parameters,
    measure_cost,
    size_on_disk,
)
from distill_helpers.evaluation.hardware import machine
from distill_helpers.evaluation.metrics import (
    Quality,
    expected_calibration_error,
    measure_quality,
)
from distill_helpers.evaluation.predict import predictor
from distill_helpers.evaluation.scorecard import Row, results, table, write_json
from distill_helpers.evaluation.statistics import (
    interval,
    mcnemar,
    mean_share_interval,
    share_interval,
)
from distill_helpers.lessons import plots
from distill_helpers.students.registry import build_student


def log_odds(p):
    return [0.0, math.log(p / (1 - p))]


def quality(accuracy):
    scores = {"accuracy": accuracy, "f1": accuracy, "calibration_error": 0.05}
    return Quality(scores, 0.9, 100)


def cost(**change):
    values = dict(
        parameters=10,
        bytes_on_disk=4_000_000,
        median_ms=1.0,
        p95_ms=2.0,
        reviews_per_second=900.0,
        peak_memory_mb=3.0,
        batch_size=64,
        threads=2,
    )
    return Cost(**{**values, **change})


def test_quality_by_hand():
    logits = np.array([[2, 0], [0, 2], [0, 2], [2, 0]], float)
    teacher = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], float)
    found = measure_quality(logits, [0, 1, 0, 0], teacher)
    assert found.accuracy == 0.75
    assert found.agreement == 0.75
    # class 0: precision 1, recall 2/3; class 1: precision 1/2, recall 1
    assert found.f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.examples == 4
    assert measure_quality(logits, [0, 1, 0, 0]).agreement is None


def test_a_model_as_sure_as_it_is_right_has_no_calibration_error():
    logits = np.array([log_odds(0.8)] * 10)
    assert expected_calibration_error(logits, [1] * 8 + [0] * 2) == pytest.approx(
        0, abs=1e-9
    )


def test_an_over_confident_model_has_the_gap_as_its_error():
    logits = np.array([log_odds(0.99)] * 10)
    error = expected_calibration_error(logits, [1] * 6 + [0] * 4)
    assert error == pytest.approx(0.39)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.ones((2, 2)), [0], "2 rows and labels 1"),
        (np.ones((0, 2)), [], "not 0"),
        (np.full((1, 2), np.nan), [0], "logits must be finite"),
    ],
)
def test_bad_logits_are_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        measure_quality(logits, labels)


def test_the_interval_is_students_t():
    low, high = interval([0.80, 0.82, 0.84])
    half = 4.302653 * 0.02 / math.sqrt(3)
    assert (low, high) == (pytest.approx(0.82 - half), pytest.approx(0.82 + half))
    assert interval([0.8]) is None


@pytest.mark.parametrize(
    "values", [[1.0, 0.97, 0.99], [0.02, 0.0], [0.5, 1.0], [0.999, 0.9, 1.0, 0.95, 0.7]]
)
def test_the_interval_of_a_mean_of_shares_holds_it_and_stays_within_0_and_1(values):
    low, high = mean_share_interval(values)
    assert 0 <= low < np.mean(values) < high <= 1


def test_the_interval_of_shares_is_students_t_on_log_odds():
    values = [0.80, 0.82, 0.84]
    low, high = mean_share_interval(values)
    half = 4.302653 * 0.02 / math.sqrt(3) / (0.82 * 0.18)
    ends = [math.log(p / (1 - p)) - math.log(0.82 / 0.18) for p in (low, high)]
    assert ends == [pytest.approx(-half), pytest.approx(half)]
    plain = interval(values)  # in the middle and with little spread, nearly the same
    assert (low, high) == (
        pytest.approx(plain[0], abs=0.01),
        pytest.approx(plain[1], 0.01),
    )
    assert mean_share_interval([0.8]) is None
    assert mean_share_interval([1.0, 1.0]) == (1, 1)
    with pytest.raises(ValueError, match="shares within 0 and 1, got .*1.2"):
        mean_share_interval([0.5, 1.2])


def test_the_interval_of_shares_covers_the_true_mean():
    """Seeds whose log-odds scatter: 95 of 100 intervals hold the mean, about."""
    rng = np.random.default_rng(0)
    drawn = 1 / (1 + np.exp(-rng.normal(3, 0.5, (400, 5))))
    truth = float((1 / (1 + np.exp(-rng.normal(3, 0.5, 200_000)))).mean())
    bounds = [mean_share_interval(row) for row in drawn]
    assert 0.92 <= np.mean([low <= truth <= high for low, high in bounds]) <= 0.98


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(50, 50, 0.9287, 1.0), (0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433)],
)
def test_the_interval_of_one_run_is_wilsons(right, total, low, high):
    assert share_interval(right, total) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("won", "lost", "p"), [(74, 40, 0.00187), (5, 0, 0.0625), (3, 3, 1), (0, 0, 1)]
)
def test_two_models_on_the_same_texts_get_mcnemars_exact_test(won, lost, p):
    first = np.array([True] * won + [False] * lost + [True, False])
    second = np.array([False] * won + [True] * lost + [True, False])
    found = mcnemar(first, second)
    assert (found.won, found.lost) == (won, lost)
    assert found.p == pytest.approx(p, rel=0.01)
    assert mcnemar(second, first).p == found.p  # two-sided
    assert f"won {won}, lost {lost}" in str(found)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([True], [True, False], "the same texts, got 1 and 2"),
        ([1, 0], [True, False], "first must hold True or False for each text"),
        ([True], [[True]], r"second must .* shape \(1, 1\)"),
    ],
)
def test_mcnemar_refuses_what_is_not_right_or_wrong(first, second, message):
    with pytest.raises(ValueError, match=message):
        mcnemar(first, second)


@pytest.mark.parametrize(("right", "total"), [(11, 10), (-1, 10), (0, 0)])
def test_what_is_no_share_is_refused(right, total):
    with pytest.raises(ValueError, match="right must|total must"):
        share_interval(right, total)


@pytest.fixture
def student(tokenizers):
    return build_student("text-cnn", tokenizers["text-cnn"], filters=8), tokenizers[
        "text-cnn"
    ]


def test_the_predictor_keeps_the_order_of_the_texts(student, texts):
    model, tokenizer = student
    answers = predictor(model, tokenizer, batch_size=7)(texts[:30])
    alone = np.concatenate([predictor(model, tokenizer)([text]) for text in texts[:30]])
    np.testing.assert_allclose(answers, alone, atol=1e-5)


def test_costs_are_measured(student, texts):
    model, tokenizer = student
    parameters = count_parameters(model)
    assert parameters == sum(p.numel() for p in model.parameters())
    size = size_on_disk(model)
    assert 4 * parameters < size < 4 * parameters + 20_000
    assert size_on_disk(model, tokenizer) > size + 1_000
    found = measure_cost(
        predictor(model, tokenizer),
        texts,
        parameters=parameters,
        bytes_on_disk=size,
        single=10,
        batch_size=32,
    )
    assert 0 < found.median_ms <= found.p95_ms
    assert found.reviews_per_second > 0
    assert found.threads >= 1
    assert size / 2**20 < found.peak_memory_mb < size / 2**20 + 200


def test_a_slower_model_measures_slower(texts, monkeypatch):
    now = 0.0

    def slow(batch):
        nonlocal now
        now += 0.01 * len(batch)
        return np.zeros((len(batch), 2))

    monkeypatch.setattr("time.perf_counter", lambda: now)
    found = measure_cost(
        slow, texts, parameters=0, bytes_on_disk=0, single=5, batch_size=8
    )
    assert found.median_ms == pytest.approx(10)
    assert found.reviews_per_second == pytest.approx(100)


def test_the_peak_of_memory_counts_what_is_held_at_once_and_no_weights():
    import torch

    from distill_helpers.evaluation.memory import PeakMemory

    layer = torch.nn.Linear(256, 256, bias=False)
    given = torch.zeros(64, 256)
    with torch.inference_mode(), PeakMemory() as memory:
        for _ in range(3):
            layer(given).relu()
    assert memory.peak == 2 * 64 * 256 * 4  # the product and its relu


def test_results_hold_mean_seeds_and_interval(tmp_path):
    row = Row("control", [quality(0.7), quality(0.8)], cost(), "a note", [0, 1])
    path = write_json(tmp_path / "deep" / "results.json", results([row], alpha=0.5))
    content = json.loads(path.read_text())
    stored = content["rows"][0]
    assert stored["name"] == "control"
    assert stored["accuracy"]["mean"] == pytest.approx(0.75)
    assert stored["accuracy"]["per_seed"] == [0.7, 0.8]
    assert 0 < stored["accuracy"]["interval"][0] < 0.7
    assert stored["accuracy"]["interval"][1] < 1
    assert stored["accuracy"]["interval_over"] == "seeds"
    assert stored["cost"]["parameters"] == 10
    assert content["settings"] == {"alpha": 0.5}
    assert content["machine"]["threads"] >= 1
    with pytest.raises(FileExistsError, match="holds a result already"):
        write_json(path, {})
    assert json.loads(path.read_text()) == content


def test_a_result_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "results.json", {"accuracy": math.nan})
    assert list(tmp_path.iterdir()) == []


def test_rows_need_different_names():
    with pytest.raises(ValueError, match="row names must differ"):
        results([Row("a", [quality(1)]), Row("a", [quality(1)])])


def test_the_machine_names_no_person_and_no_path():
    import getpass
    import socket

    text = json.dumps(machine())
    assert socket.gethostname() not in text
    assert getpass.getuser() not in text.split('"')
    assert "/" not in text


def test_the_table_says_whose_luck_an_interval_covers():
    shown = table(
        [
            Row("teacher", [quality(0.9)], cost()),
            Row("control", [quality(0.7), quality(0.8)]),
            Row("always right", [quality(1.0), quality(1.0)]),
        ]
    )
    assert shown.loc["always right", "95% interval"] == "0.963 to 1.000, equal runs"
    assert shown.loc["teacher", "95% interval"] == "0.826 to 0.945, one run"
    low, high = mean_share_interval([0.7, 0.8])
    assert shown.loc["control", "95% interval"] == f"{low:.3f} to {high:.3f}"
    assert shown.loc["control", "accuracy"] == "0.750"
    assert shown.loc["control", "MB on disk"] == ""


def test_the_charts_show_what_they_are_given():
    rows = [
        Row("teacher", [quality(0.9)], cost(reviews_per_second=50.0)),
        Row("distilled", [quality(0.84), quality(0.86)], cost()),
    ]
    axes = plots.interval_chart(rows).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "distilled",
        "teacher",
    ]
    assert {text.get_text() for text in axes.texts} == {"0.900", "0.850"}
    assert "accuracy" in axes.get_xlabel()
    axes = plots.bubble_chart(rows).axes[0]
    points = [tuple(c.get_offsets()[0]) for c in axes.collections]
    assert points == [(50.0, 0.9), (900.0, pytest.approx(0.85))]
    assert axes.get_xlabel() and axes.get_ylabel()


def test_a_picture_needs_alternative_text():
    figure = plots.interval_chart([Row("a", [quality(0.9)])])
    with pytest.raises(ValueError, match="alt must say"):
        plots.show(figure, " ")
    image = plots.show(figure, "one bar")
    assert image.data.startswith(b"\x89PNG")
    assert image._repr_mimebundle_()[1]["image/png"]["alt"] == "one bar"
