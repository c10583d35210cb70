"""Every student in every form on one front, and the one that a budget leaves."""

import html
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from distill_helpers.export import TextClassifier, bundle_bytes, refilling
from distill_helpers.own_data import (
    NothingFitsError,
    Request,
    TrainedInForm,
    delivered_forms,
    distil,
    look,
    open_guide,
    plan,
    request,
    runs,
    train,
    weigh,
)
from distill_helpers.own_data.command import NOTHING_FITS, main
from distill_helpers.own_data.front import Candidate
from distill_helpers.own_data.weighing import Weighed

QUICK = {"values": "probabilities", "seeds": (0, 1), "epochs": 2}
FORMS = ("fp32", "int8", "int4", "pruned", "fewer-words")
BUDGET = 0.24


@pytest.fixture(scope="module")
def done(file, answers, tmp_path_factory):
    """Two students under a budget in MB: request, what was said, the folder."""
    folder = tmp_path_factory.mktemp("weighed") / "student"
    said = []
    asked = Request(
        file,
        teacher=str(answers),
        output=folder,
        students="bigram,text-cnn",
        forms=FORMS,
        budget_mb=BUDGET,
        **QUICK,
    )
    delivered = distil(asked, progress=False, say=said.append)
    return asked, delivered, "\n".join(said)


@pytest.fixture(scope="module")
def content(done):
    return json.loads((done[0].folder / "results.json").read_text("utf-8"))


def test_the_chosen_one_is_on_the_front_and_is_what_lies_there(done, content):
    asked, delivered, _ = done
    front = content["front"]
    by_name = {f"{c['student']}, {c['form']}": c for c in front["candidates"]}
    chosen = by_name[front["chosen"]]
    assert chosen["front"] and chosen["mb"] <= BUDGET
    within = [c for c in by_name.values() if c["mb"] <= BUDGET]
    assert 0 < len(within) < len(by_name)
    means = [np.mean(list(c["validation"].values())) for c in within]
    assert np.mean(list(chosen["validation"].values())) == max(means)
    size = bundle_bytes(asked.folder / "bundle") / 1e6
    assert chosen["mb"] * 0.99 < size <= chosen["mb"]
    assert content["settings"]["student"] == chosen["student"]
    assert content["parity"][f"onnx {chosen['form']}"] >= 0.95
    assert [path.name for path in asked.folder.parent.iterdir()] == ["student"]
    assert delivered.parity == content["parity"]


def test_what_applies_to_a_student_is_there_and_what_does_not_is_said(content):
    front = content["front"]
    names = {(c["student"], c["form"]) for c in front["candidates"]}
    assert {("text-cnn", form) for form in FORMS} <= names
    assert {form for student, form in names if student == "bigram"} == {
        "fp32",
        "int8",
        "int4",
    }
    assert any(line.startswith("bigram, pruned: ") for line in front["left_out"])
    assert any(line.startswith("bigram, fewer-words: ") for line in front["left_out"])
    sizes = {(c["student"], c["form"]): c["mb"] for c in front["candidates"]}
    assert sizes["text-cnn", "int8"] < sizes["text-cnn", "fp32"]
    assert sizes["text-cnn", "pruned"] < sizes["text-cnn", "int8"]
    assert sizes["text-cnn", "fewer-words"] < sizes["text-cnn", "int8"]


def test_every_student_read_the_same_texts_as_often(content, frame):
    front, reads = content["front"], (frame["split"].isin(["train", "transfer"])).sum()
    assert front["passes"] == 2
    for student, batch in (("bigram", 64), ("text-cnn", 32)):
        assert front["steps"][student] == 2 * np.ceil(reads / batch)
    assert all(len(c["validation"]) == 2 for c in front["candidates"])


def test_the_report_has_the_table_the_chart_and_how_it_was_measured(done, content):
    asked, _, said = done
    front = content["front"]
    page = html.unescape((asked.folder / "report.html").read_text("utf-8"))
    plain = (asked.folder / "report.md").read_text("utf-8")
    for candidate in front["candidates"]:
        name = f"{candidate['student']}, {candidate['form']}"
        assert f"| {name} |" in plain and f">{name}<" in page.replace("bdi>", ">")
    assert 'role="img" aria-label="Macro F1 on validation texts against size' in page
    assert f"budget {BUDGET}" in page
    assert front["why"] in page and front["why"] in said
    assert "in one thread" in front["measured"] and front["measured"] in page
    assert "the test texts had no part in it" in page
    assert "does not fit" in page


def test_the_test_texts_judge_the_form_that_is_delivered(done, content, frame):
    asked, _, _ = done
    rows = {row["name"]: row for row in content["rows"]}
    choice = content["choice"]
    place = rows[choice["name"]]["seeds"].index(choice["seed"])
    test = frame[frame["split"] == "test"]
    bundle = TextClassifier(asked.folder / "bundle", threads=1)
    said = [answer.label for answer in bundle.classify(test["text"].tolist())]
    right = np.mean([a == b for a, b in zip(said, test["label"])])
    stored = rows[choice["name"]]["accuracy"]["per_seed"][place]
    assert right == pytest.approx(stored)
    assert rows["control"]["cost"]["bytes_on_disk"] == bundle_bytes(
        asked.folder / "bundle"
    )
    scores = choice["validation"]
    assert set(scores) == {"control", "hard answers", "distilled"}


# ------------------------------------------------------- what is not looked at
@pytest.fixture
def small(file, answers, tmp_path):
    """One quick student in three forms."""
    return Request(
        file,
        teacher=str(answers),
        output=tmp_path / "o",
        students="bigram",
        forms=("fp32", "int8", "int4"),
        budget_mb=3,
        **(QUICK | {"seeds": (0,)}),
    )


def weighed_by(asked):
    texts = look(asked)
    return weigh(asked, texts, open_guide(asked, texts, False), progress=False)


def test_other_labels_on_the_test_texts_change_nothing(small, frame, tmp_path):
    table = frame[["text", "label", "split"]].copy()
    held = table["split"] == "test"
    table.loc[held, "label"] = np.roll(table.loc[held, "label"], 1)
    assert (table["label"] != frame["label"]).any()
    table.to_csv(tmp_path / "turned.csv", index=False)
    turned = replace(small, source=tmp_path / "turned.csv", output=tmp_path / "p")
    first, second = weighed_by(small), weighed_by(turned)
    assert [(c.name, c.mb, c.scores) for c in first.candidates] == [
        (c.name, c.mb, c.scores) for c in second.candidates
    ]
    assert first.chosen.mean == second.chosen.mean


def test_weighing_needs_no_test_part_at_all(small):
    texts = look(small)
    guide = open_guide(small, texts, False)
    del texts.reviews["test"]
    assert weigh(small, texts, guide, progress=False).chosen is not None


# ------------------------------------------------------------------- going on
@pytest.fixture
def work(monkeypatch):
    """Note each training and each trace that really happens."""
    noted = {"train": 0, "trace": 0, "stop at": None}
    trained, traced = runs.train_student, refilling.trace_onnx

    def training(*arguments, **options):
        noted["train"] += 1
        return trained(*arguments, **options)

    def tracing(*arguments):
        if noted["trace"] == noted["stop at"]:
            raise KeyboardInterrupt
        noted["trace"] += 1
        return traced(*arguments)

    monkeypatch.setattr(runs, "train_student", training)
    monkeypatch.setattr(refilling, "trace_onnx", tracing)
    return noted


def test_stopped_it_goes_on_and_does_nothing_twice(small, work):
    asked = replace(small, seeds=(0, 1))
    work["stop at"] = 0
    with pytest.raises(KeyboardInterrupt):
        weighed_by(asked)
    assert (work["train"], work["trace"]) == (2, 0)
    work["stop at"] = None
    first = weighed_by(asked)
    assert (work["train"], work["trace"]) == (2, 1)  # six bundles of one shape
    again = weighed_by(asked)
    assert (work["train"], work["trace"]) == (2, 1)
    assert [c.scores for c in again.candidates] == [c.scores for c in first.candidates]
    more = weighed_by(replace(asked, temperature=3.0))
    assert work["train"] == 4 and len(more.candidates) == 3


def test_where_nothing_fits_the_front_is_kept_and_a_larger_budget_goes_on(small, work):
    asked = replace(small, budget_mb=0.01)
    texts = look(asked)
    guide = open_guide(asked, texts, False)
    with pytest.raises(NothingFitsError, match="budget_mb=0.01: the smallest, bigram"):
        train(asked, texts, guide, progress=False)
    assert not asked.folder.exists()
    kept = asked.working / request.FRONT
    stored = json.loads((kept / "front.json").read_text("utf-8"))
    assert stored["chosen"] is None and len(stored["candidates"]) == 3
    page = (kept / "front.html").read_text("utf-8")
    assert "does not fit" in page and "the test texts were not looked at" in page
    assert str(asked.folder.parent) not in page + json.dumps(stored)
    before = dict(work)
    weighed = weigh(asked, texts, guide, progress=False)
    assert weighed.chosen is None and weighed.alike is None
    larger = weighed.within(budget_mb=3)
    assert larger.chosen is not None and larger.table["fits"].all()
    assert work == before
    found = train(asked, texts, guide, progress=False, weighed=larger)
    assert isinstance(found, TrainedInForm) and found.weighed is larger
    assert work["train"] == before["train"] + 2  # control and hard answers


def test_the_command_says_so_with_a_status_of_its_own(small, tmp_path, capsys):
    words = [str(small.source), "--teacher", small.teacher, "--values", "probabilities"]
    words += [
        "--students",
        "bigram",
        "--forms",
        "int8",
        "--seeds",
        "1",
        "--epochs",
        "1",
    ]
    words += ["--budget-ms", "0.0001", "--output", str(tmp_path / "new")]
    assert main(words) == NOTHING_FITS
    said = capsys.readouterr().err
    assert "nothing fits budget_ms=0.0001" in said and "front.html" in said
    assert not (tmp_path / "new").exists()


# ------------------------------------------------------------------ the wishes
def test_a_budget_alone_is_about_the_forms_of_one_student(file, tmp_path):
    asked = Request(file, output=tmp_path / "o", student="bigram", budget_ms=5)
    assert asked.kinds == ("bigram",) and asked.weighs
    assert not Request(file, output=tmp_path / "o").weighs


def test_all_are_all_that_there_are(file, tmp_path):
    asked = Request(file, output=tmp_path / "o", students="all", forms="all")
    assert asked.students == ("bigram", "text-cnn", "tiny-transformer")
    assert asked.forms == tuple(delivered_forms.FORMS) == request.FORMS
    assert replace(asked, seeds=(0,)).students == asked.students
    one = asked.of_one("bigram", 3.0)
    assert not one.weighs and one.student == "bigram" and one.epochs == 3


def test_the_plan_names_every_student(small, monkeypatch):
    asked = replace(small, students="bigram,text-cnn")
    texts = look(asked)
    monkeypatch.setattr(
        "distill_helpers.own_data.planning._run_seconds", lambda *_: 2.0
    )
    made = plan(asked, texts, open_guide(asked, texts, False))
    assert {"bigram", "text-cnn", "forms", "control"} <= set(made.stages.index)
    assert made.stages.loc["control", "seconds"] == 4.0  # two ways, a seed each
    assert "fp32, int8, int4" in str(made)


def test_several_labels_a_text_are_weighed_too(frame, tmp_path):
    table = frame[["text", "label", "split"]].copy()
    both = np.arange(len(table)) % 5 == 0
    table.loc[both & (table["label"] != ""), "label"] += "|urgent"
    table.to_csv(tmp_path / "several.csv", index=False)
    asked = Request(
        tmp_path / "several.csv",
        several_labels="|",
        output=tmp_path / "o",
        students="bigram",
        forms="int8",
        seeds=(0,),
        epochs=1,
    )
    found = weighed_by(asked)
    assert 0 <= found.chosen.mean <= 1 and isinstance(found.table, pd.DataFrame)


def test_a_choice_among_equals_says_that_the_size_decided():
    seeds = (0.7, 0.8, 0.9)
    scores = [dict(enumerate(values)) for values in (seeds, seeds[::-1], seeds)]
    points = [
        Candidate("bigram", form, mb, 1.0, some)
        for form, mb, some in zip(("fp32", "int8", "int4"), (0.3, 0.1, 0.2), scores)
    ]
    weighed = Weighed(points, [], {}, 1.0, "")
    assert weighed.chosen.form == "int8"
    assert "2 others are as good there, and it is the smallest of them" in weighed.why
    assert "1 other is as good" in weighed.within(budget_mb=0.2).why
    assert "as good" not in weighed.within(budget_mb=0.1).why
