"""Lesson 06: what is held out, what is measured, and how its claim is judged."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from datasets import Dataset

from distill_helpers.compression.forms import Form
from distill_helpers.evaluation.cascade import Stage, run_cascade
from distill_helpers.export.latency import PARTS
from distill_helpers.lessons.l06 import holding_out, judging, measuring, pictures


def parts(labelled, unlabelled):
    return {
        "train": Dataset.from_dict({"text": [f"l{i}" for i in range(labelled)]}),
        "transfer": Dataset.from_dict({"text": [f"u{i}" for i in range(unlabelled)]}),
    }


@pytest.mark.parametrize(
    ("labelled", "unlabelled", "wanted", "kept", "left"),
    [
        (50, 100, 30, ("u0", 30), (50, 70)),  # as many as are wanted
        (50, 60, 500, ("u0", 30), (50, 30)),  # half of the unlabelled ones at most
        (100, 38, 500, ("l0", 25), (75, 38)),  # 19 would be too few
        (100, 0, 20, ("l0", 20), (80, 0)),
    ],
)
def test_texts_are_held_out_and_nobody_else_reads_them(
    labelled, unlabelled, wanted, kept, left
):
    train, transfer, texts = holding_out.hold_out(parts(labelled, unlabelled), wanted)
    assert (texts[0], len(texts)) == kept
    assert (len(train), len(transfer)) == left
    assert not set(texts) & {*train["text"], *transfer["text"]}


def test_no_text_to_hold_out_is_refused():
    with pytest.raises(ValueError, match="wanted must be"):
        holding_out.hold_out(parts(50, 50), 0)


def test_answers_stand_beside_each_other():
    truth = np.array([0, 1, 1])
    logits = {"all": np.eye(2)[truth], "none": -np.eye(2)[truth]}
    table = measuring.beside_each_other(logits, truth, ["bad", "good"])
    assert table["accuracy"].to_dict() == {"all": 1.0, "none": 0.0}
    assert table["first text's logit, bad"].to_dict() == {"all": 1.0, "none": -1.0}


def test_a_budget_is_for_one_text_whatever_the_batch(monkeypatch):
    def budget(path, tokenizer, texts, *, batch_size, threads, rounds):
        return dict.fromkeys(PARTS, 10.0 * batch_size / threads)

    monkeypatch.setattr(measuring, "latency_budget", budget)
    found = measuring.latency_budgets("model.onnx", None, ["text"])
    assert found == {
        "batch 1, 1 thread": dict.fromkeys(PARTS, 10.0),
        "batch 1, 2 threads": dict.fromkeys(PARTS, 5.0),
        "batch 32, 1 thread": dict.fromkeys(PARTS, 10.0),
        "batch 32, 2 threads": dict.fromkeys(PARTS, 5.0),
    }


def test_a_form_that_does_not_answer_has_no_accuracy():
    zero = Form(lambda texts: np.tile([1.0, 0.0], (len(texts), 1)), 2_000_000)
    texts = ["a", "b", "c", "d"]
    table = measuring.candidates(
        {"small": zero, "mute": Form(None, 500_000)},
        {"mute": 3.0, "small": 1.0},
        {"small": zero.answer},
        {
            "validation": (texts, np.array([0, 0, 0, 1])),
            "accuracy": (texts[:2], np.array([1, 0])),
        },
    )
    assert list(table) == ["MB", "ms", "validation", "accuracy"]
    assert table.loc["small"].tolist() == [2.0, 1.0, 0.75, 0.5]
    assert table.loc["mute"].tolist()[:2] == [0.5, 3.0]
    assert table.loc["mute", ["validation", "accuracy"]].isna().all()


def test_the_first_answers_of_a_page_are_not_counted(monkeypatch):
    took = [1000.0] * measuring.WARM_UP + [1.0, 2.0, 9.0]
    said = [SimpleNamespace(milliseconds=ms) for ms in took]
    monkeypatch.setattr(measuring, "ask_page", lambda page, texts: said)
    assert measuring.page_milliseconds("page", ["text"] * len(took)) == 2.0


@pytest.fixture
def two_runs():
    """A cascade that loses one text of four, the cloud alone, and the truth."""
    truth = np.array([0, 1, 0, 1])
    device = Stage("device", np.array([[9.0, 0], [9.0, 0], [0.1, 0], [0, 0.1]]), 2.0)
    cloud = Stage("cloud", 9 * np.eye(2)[truth], 50.0, 300.0)
    return run_cascade([device, cloud], [0.9]), run_cascade([cloud], []), truth


def test_a_run_stands_beside_those_that_are_stored(two_runs, tmp_path):
    stored = {
        "title": "elsewhere",
        "settings": {"test_reviews": 7},
        "cascade": {
            "accuracy": 0.8,
            "cloud_accuracy": 0.9,
            "shares": {"device": 0.25, "cloud": 0.75},
        },
    }
    (tmp_path / "lesson06_x.json").write_text(json.dumps(stored))
    table = measuring.cascades(*two_runs, folder=tmp_path)
    assert table.loc["this one"].tolist() == [1.0, 0.75, 0.5, 0.5, 4]
    assert table.loc["elsewhere"].tolist() == [0.9, 0.8, 0.25, 0.75, 7]


def test_a_cascade_is_said_beside_the_cloud_alone(two_runs):
    figure, words = pictures.cascade(*two_runs)
    assert words == (
        "The device answers 50%; accuracy 0.750 against 1.000 of the cloud alone;"
        " 27.0 against 50.0 ms, and 150 against 300 for a million texts."
    )
    assert figure.axes[0].get_title() == "0.750 right, 27.0 ms, 150 a million"


@pytest.mark.parametrize(
    ("faster", "smaller", "gap", "verdict"),
    [
        (10.0, 10.0, 2.0, "held"),
        (9.9, 50.0, 0.0, "did not hold"),
        (50.0, 9.9, 0.0, "did not hold"),
        (50.0, 50.0, 2.1, "did not hold"),
    ],
)
def test_the_student_is_judged_like_with_like(faster, smaller, gap, verdict):
    alike = {"times as fast": faster, "times as small": smaller}
    mixed = {"times as fast": 300.0, "times as small": 90.0}
    claim = judging.judge_student(alike, mixed, gap)
    assert claim.verdict == verdict
    assert claim.measured.startswith("like with like ") and "300x)" in claim.measured
    spared = judging.judge_student(alike, mixed, gap, stand_in=True)
    assert spared.verdict == "not testable here"
