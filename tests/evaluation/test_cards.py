"""A card says what the run measured, and nothing else."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from distill_helpers.evaluation.cards import model_card
from distill_helpers.evaluation.statistics import mean_share_interval, share_interval
from distill_helpers.own_data.runs import HARD
from distill_helpers.students.registry import build_student
from distill_helpers.training.saving import save_run

STORED = Path(__file__).resolve().parents[2] / "data" / "results"


@pytest.fixture(scope="module")
def content():
    return json.loads((STORED / "lesson03_sample.json").read_text())


def test_a_card_carries_data_teacher_scores_with_intervals_limits_and_loading(content):
    card = model_card(content, ["negative", "positive"])
    (row,) = (r for r in content["rows"] if r["name"] == "distilled")
    found = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert found["accuracy"] == pytest.approx(row["accuracy"]["mean"], abs=1e-4)
    low, high = mean_share_interval(row["accuracy"]["per_seed"])
    text = str(card)
    assert f"**distilled** | {row['accuracy']['mean']:.3f} [{low:.3f}, {high:.3f}]" in (
        text
    )
    assert "| control |" in text and "temperature 2, alpha 0.9" in text
    for heading in ("Data, teacher, soft targets", "Scores", "Limits", "How to load"):
        assert f"## {heading}" in text
    assert "negative, positive" in text and "data/soft_targets" in text


def test_a_card_names_a_second_teacher_where_there_was_one(content):
    said = "In its last round also a second teacher"
    assert said not in str(model_card(content, ["bad", "good"]))
    changed = content | {"settings": content["settings"] | {"second_teacher": True}}
    text = " ".join(str(model_card(changed, ["bad", "good"])).split())
    assert f"appendix_teacher.ipynb`. {said}, where that one had answered." in text


def test_a_card_is_read_back_by_the_hubs_own_reader(content, tmp_path):
    model_card(content, ["bad", "good"]).save(tmp_path / "README.md")
    again = ModelCard.load(tmp_path / "README.md")
    assert again.data.pipeline_tag == "text-classification"
    assert again.data.eval_results[0].dataset_name == "sample, test part"


def test_folders_of_the_machine_do_not_reach_the_card(content):
    paths = {
        "source": "/somebody/private/tickets.csv",
        "teacher": "C:\\hidden\\teacher",
    }
    changed = content | {"settings": content["settings"] | paths}
    text = str(model_card(changed, ["a", "b"]))
    assert "tickets.csv" in text and "`teacher`" in text
    assert "private" not in text and "hidden" not in text


def test_the_code_in_the_card_of_a_saved_student_loads_it(
    content, tokenizers, tmp_path, monkeypatch
):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer, label_names=["bad", "good"])
    folder = save_run(tmp_path / "out", content, model, tokenizer)
    text = (folder / "student" / "README.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(folder / "student")
    names = {}
    exec(code.replace("this folder", "."), names)
    assert names["classify"]("a film")[0]["label"] in ("bad", "good")


def test_a_card_of_the_control_says_that_nobody_taught_it_and_why_it_was_kept(content):
    why = "control: accuracy on validation texts 0.800, against distilled 0.790"
    chosen = content | {"choice": {"name": "control", "why": why}}
    card = model_card(chosen, ["bad", "good"])
    text = " ".join(str(card).split())
    assert why in text and "learnt from labels alone" in text
    assert "bigram trained on sample" in text and "400, all with a label" in text
    assert "learnt from the soft targets" not in text and "alpha" not in text
    assert "did not listen to it" in text and "| **control** |" in text
    assert card.data.tags == ["text-classification"]
    (row,) = (r for r in content["rows"] if r["name"] == "control")
    found = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert found["accuracy"] == pytest.approx(row["accuracy"]["mean"], abs=1e-4)


def test_a_card_of_hard_answers_speaks_of_a_teacher_and_of_no_soft_targets(content):
    rows = [r | {"name": HARD} for r in content["rows"] if r["name"] == "distilled"]
    changed = content | {"rows": rows, "choice": {"name": HARD, "why": "it won"}}
    text = " ".join(str(model_card(changed, ["bad", "good"])).split())
    assert "from the hard answers of a larger one" in text
    assert "bigram trained on sample" in text and f"| **{HARD}** |" in text
    assert "learnt from the soft targets" not in text and "alpha" not in text
    assert "the teacher's logits" not in text and "did not listen" not in text


def test_a_card_tells_one_run_from_several_and_keeps_shares_below_one(content):
    (row,) = (r for r in content["rows"] if r["name"] == "distilled")
    several = row | {"accuracy": {"per_seed": [1.0, 0.9], "mean": 0.95}}
    single = row | {"name": "control", "accuracy": {"per_seed": [1.0], "mean": 1.0}}
    text = str(model_card(content | {"rows": [several, single]}, ["a", "b"]))
    low, high = share_interval(row["examples"], row["examples"])
    assert f"| control | 1.000 [{low:.3f}, {high:.3f}, one run]" in text
    assert "0.950 [0." in text and ", 1.000]" in text and "Wilson's" in text
    equal = row | {"accuracy": {"per_seed": [0.9, 0.9], "mean": 0.9}}
    text = str(model_card(content | {"rows": [equal]}, ["a", "b"]))
    assert ", equal runs]" in text and "Wilson's" in text
    assert "Wilson's" not in str(model_card(content | {"rows": [several]}, ["a", "b"]))


def test_no_card_speaks_of_films(content):
    text = str(model_card(content, ["bad", "good"])).lower()
    assert not [word for word in ("film", "review", "joy") if word in text]


def test_results_without_rows_make_a_card_without_scores():
    text = str(model_card({"rows": []}, ["a", "b"]))
    assert "## Scores" not in text and "not recorded" in text
