"""Five questions to a delivered student, and what they leave behind."""

import json
import shutil

import numpy as np
import pytest
from transformers import AutoTokenizer

from distill_helpers.data import ClassNamesError, encode_reviews, load_reviews
from distill_helpers.evaluation import Use, model_card
from distill_helpers.evaluation.scorecard import results
from distill_helpers.export import trace_onnx, write_bundle
from distill_helpers.own_data import open_student, release_check, write_release
from distill_helpers.own_data.release import FAILED, LOOK, NOT_ASKED, PASSED, attacked
from distill_helpers.own_data.release_command import main
from distill_helpers.students import build_student, train_tokenizer
from distill_helpers.training.recipes import train_further
from distill_helpers.training.saving import save_run

USE = Use("Send each ticket to the right desk", person_decides=True)


@pytest.fixture(scope="module")
def tickets(file):
    return load_reviews(file)


@pytest.fixture(scope="module")
def delivered(tickets, tmp_path_factory):
    """A student that learnt its labels, as `distill` leaves it; its classes stand in
    another order than those of the file."""
    texts, names = list(tickets["train"]["text"]), tickets.label_names
    tokenizer = train_tokenizer(texts, "bigram")
    model = build_student("bigram", tokenizer, label_names=names[::-1])
    train, validation = (
        encode_reviews(tickets[part], tokenizer) for part in ("train", "validation")
    )
    for part in (train, validation):
        part.labels = np.where(part.labels < 0, -100, len(names) - 1 - part.labels)
        part.label_names = names[::-1]
    train_further(model, tokenizer, train, validation, steps=60, learning_rate=0.05)
    folder = tmp_path_factory.mktemp("delivered")
    save_run(
        folder, results([], student="bigram", source="tickets.csv"), model, tokenizer
    )
    onnx = trace_onnx(model, folder / "model.onnx")
    write_bundle(folder / "bundle", onnx, tokenizer, names[::-1])
    return folder


@pytest.fixture(scope="module")
def release(delivered, file):
    return release_check(
        delivered, file, use=USE, about=["ticket"], before=delivered / "student"
    )


def test_a_student_and_its_bundle_answer_in_the_order_of_the_data(delivered, tickets):
    texts = list(tickets["test"]["text"])[:20]
    labels = np.array(tickets["test"]["label"])[:20]
    student = open_student(delivered, tickets.label_names)
    assert (student.answer(texts).argmax(1) == labels).mean() > 0.7
    assert student.content["settings"]["student"] == "bigram"
    for folder in (delivered / "student", delivered / "bundle"):
        found = open_student(folder, tickets.label_names)
        assert found.answer(texts) == pytest.approx(student.answer(texts), abs=0.1)
        assert found.content is None
    with pytest.raises(ClassNamesError):
        open_student(delivered, ["one", "two", "three"])
    with pytest.raises(FileNotFoundError, match="holds no student"):
        open_student(delivered / "nothing", tickets.label_names)


def test_every_question_has_its_answer(release):
    found = {one.question: one for one in release.findings}
    assert list(found) == ["attack", "forgetting", "privacy", "fairness", "use"]
    by_share = found["attack"].numbers["accuracy"]
    assert by_share["0"] > 0.7 and set(by_share) == {"0", "0.2", "0.4"}
    # The student that it replaces is itself.
    assert found["forgetting"].answer == PASSED
    assert (found["forgetting"].numbers["won"], found["forgetting"].numbers["p"]) == (
        0,
        1,
    )
    assert 0 <= found["privacy"].numbers["auc"] <= 1
    assert found["fairness"].answer == NOT_ASKED and "name somebody" in (
        found["fairness"].said
    )
    assert found["use"].numbers["outcome"] in ("allow", "ask")
    assert release.outcome == "ask" and "fairness" in release.reason
    assert "=> ask" in str(release)


def test_one_that_forgot_much_is_refused(delivered, file, tickets, tmp_path):
    folder = delivered / "student"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    empty = build_student("bigram", tokenizer, label_names=tickets.label_names)
    empty.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    found = release_check(tmp_path, file, before=delivered)
    answers = {one.question: one.answer for one in found.findings}
    assert answers["forgetting"] == FAILED and answers["use"] == NOT_ASKED
    assert (found.outcome, found.reason) == ("refuse", "failed: forgetting")


def test_the_command_leaves_a_report_and_the_card_with_the_outcome(
    delivered, file, tmp_path, capsys
):
    output = tmp_path / "checked"
    call = [str(delivered), "--data", str(file), "--output", str(output)]
    words = [*call, "--use", "Rank job applicants by ticket", "--about", "ticket"]
    assert main(words) == 4
    assert "refuse: failed: use" in capsys.readouterr().out
    names = {path.name for path in output.iterdir()}
    assert names == {"report.md", "report.html", "release.json", "README.md"}
    content = json.loads((output / "release.json").read_text("utf-8"))
    assert content["outcome"] == "refuse"
    assert len(content["findings"]) == 5
    assert "must not go out" in (output / "report.md").read_text("utf-8")
    card = (output / "README.md").read_text("utf-8")
    assert "## May it go out" in card and "high stakes" not in card
    assert "it touches work" in card and "not examined for unequal errors" in card
    with pytest.raises(SystemExit):
        main(call)  # what stands there stays
    assert "holds something already" in capsys.readouterr().err


def test_a_card_says_what_was_examined(release):
    content = results([], student="bigram", source="tickets.csv")
    assert "May it go out" not in str(model_card(content, ["a", "b"]))
    said = release.to_json()
    said["findings"][3] |= {"answer": LOOK}
    card = str(model_card(content | {"release": said}, ["a", "b"]))
    assert f"for this use: {USE.words}" in card
    assert "examined as said above" in card and "was not examined" not in card
    assert "{" not in card.partition("## May it go out")[2].partition("## How")[0]


def test_another_file_than_the_student_was_made_of_is_refused(
    delivered, file, tmp_path
):
    folder = tmp_path / "noted"
    shutil.copytree(delivered, folder)
    content = json.loads((folder / "results.json").read_text("utf-8"))
    content["data"] = {"sizes": {"train": 3, "test": 5}}
    (folder / "results.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(
        ValueError, match="train texts, and the student was made with 3"
    ):
        release_check(folder, file)


def test_nothing_is_written_where_something_stands(release, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(FileExistsError):
        write_release(release, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_use_without_a_word_for_its_texts_is_named_before_any_work(tmp_path):
    with pytest.raises(ValueError, match="about must hold at least one word"):
        release_check(tmp_path / "none", tmp_path / "none.csv", use=USE)


class Hurt:
    """A student that reads a single word, and that an attacker therefore turns."""

    def __init__(self, texts):
        self.texts, self.train, self.seed = texts, [], 0
        self.labels = np.array(["urgent" in text for text in texts]).astype(int)
        self.chosen = self.logits = None
        self.logits = self.answer(texts)
        self.chosen = self.logits.argmax(1)

    def answer(self, texts):
        marks = np.array(["urgent" in text for text in texts]).astype(float)
        return np.stack([0.5 - marks, marks - 0.5], axis=1)


def test_an_attacker_who_turns_most_answers_asks_for_a_person():
    found = attacked(Hurt([f"urgent matter number {n}" for n in range(30)] + ["123"]))
    assert found.numbers["turned"] > 0.9 and found.answer == LOOK
    assert "1.000 [0.886, 1.000] on 30 texts" in found.said  # one has no word
    kept = attacked(Hurt([f"quiet matter number {n}" for n in range(30)]))
    assert kept.numbers["turned"] == 0 and kept.answer == PASSED


def test_an_output_that_cannot_be_written_is_refused_before_any_work(
    delivered, file, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("distill_helpers.own_data.release.release_check", None)
    (tmp_path / "a file").write_text("kept")
    for output in (tmp_path, tmp_path / "a file" / "below"):
        with pytest.raises(SystemExit) as ended:
            main([str(delivered), "--data", str(file), "--output", str(output)])
        assert ended.value.code == 2
        assert "--output" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


def test_a_check_that_is_stopped_leaves_nothing(
    delivered, file, tmp_path, capsys, monkeypatch
):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("distill_helpers.own_data.release.release_check", stopped)
    output = tmp_path / "checked"
    assert main([str(delivered), "--data", str(file), "--output", str(output)]) == 130
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
