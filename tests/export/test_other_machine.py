"""A file is asked again by a script that needs nothing of the kit."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ODD_TEXTS

from distill_helpers.export import other_machine
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx

STORED = Path(__file__).resolve().parents[2] / "data" / "results"


@pytest.fixture
def asked(trained, reviews, tmp_path):
    model, tokenizer = trained("text-cnn")
    path = trace_onnx(model, tmp_path / "model.onnx")
    texts = [*reviews["test"]["text"][:20], *ODD_TEXTS]
    where = tmp_path / "questions.json"
    other_machine.write_questions(where, OnnxClassifier(path, tokenizer), texts)
    return path, where


def test_the_script_alone_gives_the_same_answers(asked, tmp_path):
    model, questions = asked
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copyfile(other_machine.__file__, alone / "other_machine.py")
    command = ["other_machine.py", str(model), str(questions), "answers.json"]
    done = subprocess.run(
        [sys.executable, *command], cwd=alone, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((alone / "answers.json").read_text())
    assert found == json.loads(done.stdout)
    assert found["texts"] == 26 and found["agreement"] == 1
    assert found["largest_difference"] < 1e-4


def test_another_model_is_found_out(asked, trained, tmp_path, capsys):
    _, questions = asked
    content = json.loads(questions.read_text())
    for row in content["rows"]:
        row["logits"].reverse()
    questions.write_text(json.dumps(content))
    assert other_machine.main([str(asked[0]), str(questions)]) == 1
    assert json.loads(capsys.readouterr().out)["agreement"] < 0.2


def test_what_cannot_be_asked_is_refused(asked, trained, tmp_path):
    model, questions = asked
    classifier = OnnxClassifier(model, trained("text-cnn")[1])
    with pytest.raises(FileExistsError, match="exists already"):
        other_machine.write_questions(questions, classifier, ["a"])
    with pytest.raises(ValueError, match="at least one text"):
        other_machine.write_questions(tmp_path / "q.json", None, [])
    questions.write_text("{}")
    with pytest.raises(ValueError, match="must have the format"):
        other_machine.answer_questions(model, questions)


def test_the_stored_answers_of_an_emulated_arm_agree():
    stored = json.loads((STORED / "arm_emulated.json").read_text())
    assert {run["machine"] for run in stored["runs"]} == {"aarch64"}
    assert {run["asked_on"] for run in stored["runs"]} == {"x86_64"}
    assert all(run["texts"] >= 500 for run in stored["runs"])
    assert all(run["agreement"] == 1 for run in stored["runs"])
