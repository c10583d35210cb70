"""From the file to the folder, by the code of the lessons; stopped and gone on."""

import html
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

from distill_helpers.data import load_reviews
from distill_helpers.export import TextClassifier
from distill_helpers.export.headless import PageFaultError
from distill_helpers.own_data import (
    Request,
    delivery,
    distil,
    judge,
    look,
    open_guide,
    runs,
    train,
)
from distill_helpers.own_data.command import main
from distill_helpers.students import build_student

QUICK = {"student": "bigram", "seeds": (0, 1), "epochs": 40}
NO_PAGE = "not installed"
FOREIGN = re.compile(r"\b(films?|movies?|reviews?|actors?|imdb)\b", re.I)


@pytest.fixture(scope="module")
def done(file, answers, tmp_path_factory):
    """The command's result on the file, taught by a table: folder and output."""
    folder = tmp_path_factory.mktemp("results") / "student"
    said = []
    request = Request(
        file, teacher=str(answers), values="probabilities", output=folder, **QUICK
    )
    delivered = distil(request, progress=False, say=said.append)
    return request, delivered, "\n".join(said)


@pytest.fixture(scope="module")
def content(done):
    return json.loads((done[0].folder / "results.json").read_text("utf-8"))


def test_everything_lies_in_one_folder_and_nothing_beside_it(done):
    request, delivered, _ = done
    names = {path.name for path in request.folder.iterdir()}
    wanted = {"student", "bundle", "results.json", "report.md", "report.html"}
    assert names - {"page"} == wanted
    assert "page" in names or NO_PAGE in " ".join(delivered.missing)
    assert [path.name for path in request.folder.parent.iterdir()] == ["student"]
    assert not list(request.folder.rglob("*.bin"))


def test_the_student_answers_alike_everywhere(done, frame):
    request, delivered, _ = done
    asked = frame["text"].tolist()
    assert delivered.parity["texts"] == min(len(frame), 200)
    assert delivered.parity["onnx int8"] == 1
    assert delivered.parity["page"] in (None, 1)
    classify = pipeline("text-classification", model=str(request.folder / "student"))
    said = [answer["label"] for answer in classify(asked)]
    bundle = TextClassifier(request.folder / "bundle")
    assert said == [answer.label for answer in bundle.classify(asked)]
    assert len(set(said)) > 1


def test_the_result_names_what_was_done(content, frame):
    labelled = (frame["label"] != "").sum()
    assert sum(content["data"]["classes"].values()) == labelled
    settings = content["settings"]
    assert settings["labelled"] == (frame["split"] == "train").sum()
    assert settings["labels"] == ["billing", "delivery", "login"]
    rows = {row["name"]: row for row in content["rows"]}
    assert list(rows) == [
        "teacher",
        "linear baseline",
        "control",
        "hard answers",
        "distilled",
    ]
    assert rows["teacher"]["accuracy"]["mean"] == 1  # its columns were put in order
    assert rows["control"]["cost"] and rows["control"]["seeds"] == [0, 1]
    (first, second) = content["comparisons"]["f1"]
    assert (first["control"], second["control"]) == ("control", "hard answers")
    gains = np.subtract(
        rows["distilled"]["f1"]["per_seed"], rows["control"]["f1"]["per_seed"]
    )
    np.testing.assert_allclose(first["gains"], gains)
    low, high = content["gain_over_texts"]
    assert low <= gains.mean() <= high
    assert [row["class"] for row in content["per_class"]] == settings["labels"]
    assert np.sum(content["confusion"]) == (frame["split"] == "test").sum()


def test_the_student_that_is_kept_won_on_validation(content):
    choice = content["choice"]
    means = {arm: np.mean([*s.values()]) for arm, s in choice["validation"].items()}
    assert means[choice["name"]] == max(means.values())
    best = choice["validation"][choice["name"]]
    assert best[str(choice["seed"])] == max(best.values())


def test_what_is_said_is_true_and_in_the_readers_words(done, content):
    request, _, said = done
    report = (request.folder / "report.md").read_text("utf-8")
    page = html.unescape((request.folder / "report.html").read_text("utf-8"))
    card = (request.folder / "student" / "README.md").read_text("utf-8")
    for text in (said, report, page, card):
        assert not FOREIGN.findall(text), FOREIGN.findall(text)
    for text in (said, page):
        assert content["helped"] in text and content["choice"]["why"] in text
        assert all(warning in text for warning in content["warnings"])
    assert re.search(r"plan \(about .* an estimate", said)
    assert "fewer than 10 test texts" not in said or content["warnings"]
    assert content["choice"]["why"] in card
    folder = str(request.folder.parent)
    assert not any(folder in text for text in (report, page, card, json.dumps(content)))
    assert str(request.source.parent) not in report + page + card + json.dumps(content)


def test_a_gain_is_claimed_only_where_no_luck_explains_it(content):
    low, helped = content["comparisons"]["f1"][0]["interval"][0], content["helped"]
    both = low > 0 and content["gain_over_texts"][0] > 0
    assert helped.startswith("Distillation helped:") == both
    assert ("not" in helped.split(":")[0]) == (not both)


def test_an_output_that_holds_something_stays(done):
    request, _, _ = done
    before = {path: path.stat().st_mtime_ns for path in request.folder.rglob("*")}
    with pytest.raises(FileExistsError, match="output"):
        replace(request)
    after = {path: path.stat().st_mtime_ns for path in request.folder.rglob("*")}
    assert before == after


# ------------------------------------------------------------------ going on
@pytest.fixture
def trained(monkeypatch):
    """Note each training that really happens; the one that is `stop_at` is cut."""

    class Noted(list):
        stop_at, untrained = None, False

    noted, whole = Noted(), runs.train_student

    def training(*arguments, **options):
        if len(noted) == noted.stop_at:
            noted.stop_at = None
            raise KeyboardInterrupt
        noted.append((options["seed"], options["steps"]))
        noted.given = options["config"]
        if noted.untrained:
            return build_student(*arguments[:2], label_names=options["label_names"])
        return whole(*arguments, **options)

    monkeypatch.setattr(runs, "train_student", training)
    return noted


def test_stopped_it_goes_on_to_the_same_student(
    done, trained, answers, tmp_path, capsys, monkeypatch
):
    request, _, _ = done
    folder = tmp_path / "again"
    words = [str(request.source), "--teacher", str(answers), "--output", str(folder)]
    words += ["--values", "probabilities", "--seeds", "2", "--epochs", "40"]
    words += ["--student", "bigram"]
    monkeypatch.setattr("distill_helpers.own_data.whole.plan", lambda *_: "no plan")
    trained.stop_at = 4
    assert main(words) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert not folder.exists() and len(trained) == 4
    again = replace(request, output=folder)
    texts = look(again)
    found = train(again, texts, open_guide(again, texts, False), progress=False)
    assert len(trained) == 6  # two ways were left of the second seed
    found.choice.model.save_pretrained(tmp_path / "kept")
    name = "model.safetensors"
    kept = (tmp_path / "kept" / name).read_bytes()
    assert kept == (request.folder / "student" / name).read_bytes()


def test_a_finished_run_is_used_only_for_what_it_was_made_of(
    file, frame, answers, trained, tmp_path
):
    given = {"teacher": str(answers), "values": "probabilities", "epochs": 1}
    given["student"] = "bigram"
    trained.untrained = True
    first = Request(file, output=tmp_path / "o", seeds=(0,), **given)

    def fresh(request):
        texts = look(request)
        before = len(trained)
        train(request, texts, open_guide(request, texts, False), progress=False)
        return len(trained) - before

    assert fresh(first) == 3
    assert fresh(first) == 0
    assert fresh(replace(first, seeds=(0, 1))) == 3
    assert fresh(replace(first, alpha=0.5)) == 3
    assert fresh(replace(first, class_weights="balanced")) == 3
    assert fresh(replace(first, soft_loss="decoupled", example_weights="margin")) == 3
    assert trained.given["soft_loss"] == "decoupled"
    other = tmp_path / "other.csv"
    turned = pd.read_csv(answers)
    turned["login"], turned["billing"] = turned["billing"], turned["login"].copy()
    turned.to_csv(other, index=False)
    assert fresh(replace(first, teacher=str(other))) == 2  # the control is the same
    changed = frame[["text", "label", "split"]].copy()
    changed.loc[0, "label"] = "login" if changed.label[0] != "login" else "billing"
    changed.to_csv(tmp_path / "changed.csv", index=False)
    assert fresh(replace(first, source=tmp_path / "changed.csv")) == 3


def test_a_dry_run_plans_and_leaves_nothing(file, tmp_path, capsys, trained):
    words = [str(file), "--output", str(tmp_path / "o"), "--seeds", "2", "--dry-run"]
    words += ["--student", "bigram"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "6 runs of" in said and "an estimate" in said
    assert not list(tmp_path.iterdir())
    assert len(trained) == 3  # those that were timed


def test_a_second_process_is_kept_away(file, answers, tmp_path, monkeypatch):
    monkeypatch.setattr("distill_helpers.own_data.whole.plan", lambda *_: "no plan")
    request = Request(
        file, teacher=str(answers), values="probabilities", output=tmp_path / "o"
    )
    with FileLock(tmp_path / "o.unfinished.lock"):
        with pytest.raises(BlockingIOError, match="another process"):
            distil(request, progress=False, say=lambda _: None)


# ------------------------------------------------------- labels and teachers
def test_each_seed_has_a_teacher_of_its_own_where_labels_are_hidden(file, tmp_path):
    request = Request(
        file, labelled=20, seeds=(0, 1), output=tmp_path / "o", how="linear"
    )
    texts = look(request)
    guide = open_guide(request, texts, progress=False)
    assert guide.of(0) is guide.teacher
    assert guide.of(1) is not guide.teacher and guide.of(1) is guide.of(1)
    assert texts.report.hidden_labels > 0
    whole = replace(request, labelled=None)
    texts = look(whole)
    guide = open_guide(whole, texts, progress=False)
    assert guide.of(1) is guide.teacher


def test_the_seeds_draw_no_test_text_into_training(file, tmp_path):
    request = Request(file, labelled=20, seeds=(0, 1), output=tmp_path / "o")
    texts = look(request)
    held = {t for part in ("validation", "test") for t in texts.reviews[part]["text"]}
    for seed in request.seeds:
        drawn = texts.drawn(seed)
        read = {t for part in ("train", "transfer") for t in drawn[part]["text"]}
        assert not held & read
        assert set(drawn["test"]["text"]) == set(texts.reviews["test"]["text"])


@pytest.mark.filterwarnings("error::RuntimeWarning")  # of a mean of nothing
def test_a_teacher_that_knows_only_some_texts(file, frame, answers, tmp_path, trained):
    trained.untrained = True
    table = pd.read_csv(answers)
    few = table[frame["split"] == "transfer"].iloc[:-5]
    few.to_csv(tmp_path / "few.csv", index=False)
    request = Request(
        file,
        teacher=str(tmp_path / "few.csv"),
        values="probabilities",
        output=tmp_path / "o",
        student="bigram",
        seeds=(0,),
    )
    texts = look(request)
    guide = open_guide(request, texts, progress=False)
    (said,) = guide.warnings
    labelled, unlabelled = (len(texts.reviews[p]) for p in ("train", "transfer"))
    assert f"{labelled} of {labelled} in train" in said
    assert f"5 of {unlabelled} in transfer" in said
    found = train(request, texts, guide, progress=False)
    arms, _ = runs.encoded_arms(guide, 0, found.tokenizer)
    reads = arms[runs.DISTILLED]()
    assert len(reads) == labelled + unlabelled - 5
    labels = reads.labels[:labelled]
    assert (reads.teacher_logits[:labelled].argmax(1) == labels).all()
    shares = np.exp(reads.teacher_logits[:labelled])
    np.testing.assert_allclose(shares.max(1), 0.9, rtol=1e-5)
    verdict = judge(request, texts, guide, found)
    assert verdict.row("teacher") is None
    assert verdict.helped.startswith("One seed cannot say")


def test_parts_come_from_the_files_own_column(file, frame):
    reviews = load_reviews(file)
    sizes = frame["split"].value_counts()
    assert {name: len(part) for name, part in reviews.items()} == sizes.to_dict()


def test_a_page_that_does_not_answer_is_reported_and_the_rest_is_kept(
    done, tmp_path, monkeypatch
):
    request, _, _ = done
    texts = look(replace(request, output=tmp_path / "other"))
    student = request.folder / "student"
    model = AutoModelForSequenceClassification.from_pretrained(student)
    tokenizer = AutoTokenizer.from_pretrained(student)
    shutil.copytree(request.folder / "bundle", tmp_path / "bundle")
    (tmp_path / "page").mkdir()

    def silent(*_):
        raise PageFaultError("it is silent")

    monkeypatch.setattr(delivery, "ask_page", silent)
    parity, missing = delivery.ask_all(tmp_path, model, tokenizer, texts)
    assert parity["page"] is None and parity["onnx int8"] == 1
    assert missing == ["the page does not answer: it is silent"]
