"""The appendices run as their users run them, on a fraction of their real work."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import small_bert
from lesson_runs import (
    FACTS,
    NOTEBOOKS,
    ROOT,
    STORED,
    environment,
    run_papermill,
)

from distill_helpers.classroom.collecting import collect, summarise
from distill_helpers.data.cleaning import text_hash
from distill_helpers.data.reviews import load_reviews
from distill_helpers.lessons import plots
from distill_helpers.students.pocket import PocketStudent
from distill_helpers.teachers.stored import (
    SoftTargets,
    read_soft_targets,
    write_soft_targets,
)

ONE_SETTING = NOTEBOOKS / "appendix_one_setting.ipynb"
SMALL = NOTEBOOKS / "appendix_best_small_student.ipynb"


@pytest.mark.full
def test_a_class_sweeps_one_setting_each_and_makes_one_heat_map(tmp_path):
    """Two learners, two cells of a grid, one shared folder."""
    shared = tmp_path / "shared"
    shared.mkdir()
    command = [
        sys.executable,
        "-m",
        "distill_helpers",
        "sweep",
        str(ONE_SETTING),
    ]
    fixed = ["labelled=60", "transfer=150", "epochs=1.0"]
    for learner in (1, 2):
        own = tmp_path / f"learner{learner}"
        settings = own.with_suffix(".json")
        settings.write_text(
            json.dumps([{"temperature": 1.0 * learner, "seeds": [0, 1]}])
        )
        options = [str(own), "--list", str(settings)]
        for pair in fixed:
            options += ["--fixed", pair]
        done = subprocess.run(
            command + options,
            capture_output=True,
            text=True,
            timeout=600,
            cwd=tmp_path,
            env=environment(),
        )
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
        (result,) = own.glob("runs/*/results.json")
        (shared / f"learner{learner}.json").write_bytes(result.read_bytes())
    found = collect(shared)
    assert found.problems == []
    assert set(found.table["model"]) == {"control", "distilled"}
    taught = found.table[found.table["model"] == "distilled"]
    means = summarise(taught, ["temperature", "alpha"])
    assert set(means["temperature"]) == {1.0, 2.0}
    figure = plots.heat_map(means, "temperature", "alpha", label="accuracy")
    assert len(figure.axes[0].texts) == 2


@pytest.mark.full
def test_the_appendix_makes_a_teacher_from_another_base(
    tmp_path, small_mirror, bert_tokenizer
):
    """Its real run takes hours; here every cell runs on a thousandth of it."""
    small_bert(bert_tokenizer).save_pretrained(tmp_path / "base")
    bert_tokenizer.save_pretrained(tmp_path / "base")
    parameters = {
        "base": str(tmp_path / "base"),
        "work_dir": str(tmp_path / "work"),
        "output_dir": str(tmp_path / "out"),
        "epochs": 1.0,
        "sample_epochs": 0.2,
        "validation_size": 200,
    }
    done, _ = run_papermill(
        NOTEBOOKS / "appendix_teacher.ipynb",
        tmp_path,
        parameters,
        env=environment(DISTILL_IMDB=str(small_mirror)),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    card = json.loads((tmp_path / "out" / "teacher.json").read_text())
    assert card["shape"]["hidden_size"] == 32
    keys, logits, _ = read_soft_targets(
        tmp_path / "out" / "soft_targets" / "sample.parquet"
    )
    assert logits.shape == (3400, 2) and len(set(keys)) == 3400


@pytest.mark.full
def test_the_best_small_student_is_made_in_one_file(tmp_path, bert_tokenizer):
    """Its real run takes most of an hour; here every cell runs on the sample."""
    small_bert(bert_tokenizer, hidden_size=64).save_pretrained(tmp_path / "base")
    bert_tokenizer.save_pretrained(tmp_path / "base")
    parameters = dict(FACTS[SMALL.stem].short) | {
        "encoder": str(tmp_path / "base"),
        "output_dir": str(tmp_path / "out"),
    }
    done, copy = run_papermill(SMALL, tmp_path, parameters)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    texts = load_reviews("sample")["test"]
    student = PocketStudent.load(tmp_path / "out" / "student.safetensors")
    right = student.logits(list(texts["text"])).argmax(1) == np.array(texts["label"])
    (row,) = results["rows"]
    assert row["accuracy"]["mean"] == pytest.approx(right.mean())
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert f"**the file** | {row['accuracy']['mean']:.3f}" in card
    names = [step["step"] for step in results["steps"]]
    assert names[0] == "words, labels alone" and names[-1] == "the file"
    assert "CNN, + the teacher's embedding (seed 1)" in names
    assert {"+ divided by a root", "+ penalty chosen anew", "the first file"} < set(
        names
    )
    rounds = [f"the CNN after round {n + 2}" for n in range(2)]
    assert names[-9:-6] == [*rounds, "the mean of the rounds"]
    assert results["chosen"] in names[-9:-6]
    assert results["settings"]["more_passes"] == parameters["more_passes"]
    assert student.rooted and student.cnn.config.pooling[-1] == "attention"
    first, second, third = (
        PocketStudent.load(tmp_path / "out" / f"{name}.safetensors")
        for name in ("first", "second", "third")
    )
    assert first.cnn.config.pooling == ["max", "mean"]
    assert (first.weights == second.weights).all()
    # Fitted anew to the same margins, by a method that draws nothing by lot.
    assert (second.weights == third.weights).all()
    ladder = {s["step"] for s in results["steps"] if "test accuracy" not in s}
    assert ladder == {name for name in names if "(seed" in name}
    assert results["steps"][-1]["test accuracy"] == pytest.approx(right.mean())
    steps = {step["step"]: step for step in results["steps"]}
    nearest = max(
        ("the second file", "the third file"), key=lambda n: steps[n]["correlation"]
    )
    assert results["last"] == nearest
    assert steps["the file"] == steps[nearest] | {
        key: steps["the file"][key] for key in ("step", "against the one before")
    }


@pytest.mark.full
def test_the_best_small_student_may_have_a_second_teacher(tmp_path):
    """It has answered a few texts, all with the other class; the others stay."""
    reviews = load_reviews("sample", 200, 500, 100, validation_blocks=100)
    guide = SoftTargets.load(ROOT / "data" / "soft_targets" / "sample.parquet")
    held_out = FACTS[SMALL.stem].short["held_out"]
    others = list(reviews["transfer"]["text"])[held_out : held_out + 30]
    few = list(reviews["train"]["text"])[:20] + others
    keys = [text_hash(text) for text in few]
    opposite, names = -guide.logits(few), ["negative", "positive"]
    write_soft_targets(tmp_path / "few.parquet", keys, opposite, "other", names)
    given = {
        "second_teacher": str(tmp_path / "few.parquet"),
        "output_dir": str(tmp_path / "out"),
    }
    done, copy = run_papermill(SMALL, tmp_path, dict(FACTS[SMALL.stem].short) | given)
    assert done.returncode == 0, done.stderr[-3000:]
    said = Path(copy).read_text("utf-8")
    # 50 of 200 labelled ones and 300 others
    assert "10.0% of the texts that are read have another verdict" in said
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["settings"]["second_teacher"] is True
    second, third = (
        PocketStudent.load(tmp_path / "out" / f"{name}.safetensors")
        for name in ("second", "third")
    )
    assert (second.weights != third.weights).any()


def test_the_stored_small_student_is_what_its_parameters_ask_for():
    results = json.loads((STORED / "best_small_student_imdb.json").read_text())
    asked = json.loads((ROOT / "data" / "best_small_student_imdb.json").read_text())
    (row,) = results["rows"]
    assert row["cost"]["bytes_on_disk"] <= 1_000_000
    assert row["accuracy"]["mean"] >= 0.93
    assert row["examples"] == results["sizes"]["test"] >= 19_800
    assert results["steps"][-1]["test accuracy"] == row["accuracy"]["mean"]
    settings = ("source", "labelled", "vocabulary", "filters", "ngrams")
    for name in (*settings, "passes", "more_passes", "left_out"):
        assert results["settings"][name] == asked[name], name
    sizes = results["sizes"]
    assert sizes["held out"] == asked["held_out"]
    assert sizes["transfer"] + sizes["held out"] == asked["transfer"]


def test_the_stored_small_student_gained_by_a_root_and_by_its_texts():
    """What the prose of the notebook says of the steps holds in the stored run."""
    results = json.loads((STORED / "best_small_student_imdb.json").read_text())
    steps = {step["step"]: step for step in results["steps"]}
    names = list(steps)
    before = steps[names[names.index("+ divided by a root") - 1]]
    assert steps["+ divided by a root"]["correlation"] > before["correlation"]
    both, alone = steps["both, averaged"], steps["the CNN"]
    assert both["agreement"] > alone["agreement"]
    seeds = [name for name in names if name.startswith("CNN, + an embedding")]
    assert len(seeds) >= 3
    for name in seeds:
        chance = name.replace("an embedding from the texts", "unlabelled texts")
        assert steps[name]["agreement"] > steps[chance]["agreement"]


def test_the_stored_small_student_went_on_from_its_first_file():
    results = json.loads((STORED / "best_small_student_imdb.json").read_text())
    steps = {step["step"]: step for step in results["steps"]}
    first, second = steps["the first file"], steps["the second file"]
    kept = results["first_file"]
    assert kept["accuracy"] == first["test accuracy"]
    gain = second["test accuracy"] - first["test accuracy"]
    assert kept["gain"] == pytest.approx(gain)
    by_heart = results["by_heart"]
    assert by_heart["held out"] == pytest.approx(
        steps["the CNN"]["agreement"], abs=2e-3
    )
    assert by_heart["read"] > by_heart["held out"] + 0.01  # as the prose says
    rounds = [f"the CNN after round {n + 2}" for n in range(2)]
    nearest = max(
        [*rounds, "the mean of the rounds"], key=lambda n: steps[n]["correlation"]
    )
    assert results["chosen"] == nearest
    assert results["also_tried"]["correlation"] < steps[nearest]["correlation"]
    assert second["correlation"] > first["correlation"]
    for arm in ("CNN, + attention", "CNN, + words left out"):
        assert {f"{arm} (seed {seed})" for seed in range(3)} < set(steps)
        assert any(line.startswith(f"{arm} against") for line in results["climbed"])


def test_the_stored_small_student_had_a_better_teacher_at_the_end():
    results = json.loads((STORED / "best_small_student_imdb.json").read_text())
    steps = {step["step"]: step for step in results["steps"]}
    third, last = steps["the third file"], steps["the file"]
    kept = results["second_file"]
    before = steps["the second file"]["test accuracy"]
    assert kept["accuracy"] == before
    assert kept["gain"] == pytest.approx(third["test accuracy"] - before)
    assert results["last"] in ("the second file", "the third file")
    chosen = steps[results["last"]]["test accuracy"]
    assert last["test accuracy"] == chosen == results["rows"][0]["accuracy"]["mean"]
    right = results["teacher"]
    assert right["corrected"] > right["first"]  # as the prose says
    rounds = results["second_rounds"]
    taught, control = rounds["second teacher"], rounds["first teacher again"]
    assert len(taught) == len(control) >= 3
    assert taught[0]["test accuracy"] == third["test accuracy"]
    for key, gain in rounds["gain"].items():
        apart = [a[key] - b[key] for a, b in zip(taught, control)]
        assert gain["per_seed"] == pytest.approx(apart)
        assert gain["interval"][0] <= gain["mean"] <= gain["interval"][1]


def test_the_stored_trial_of_a_larger_encoder_is_what_the_appendix_shows():
    tried = json.loads((STORED / "stronger_teacher.json").read_text("utf-8"))
    last = {
        trial["encoder"]: [run[-1]["accuracy"] for run in trial["runs"]]
        for trial in tried["trials"]
    }
    assert all(len(by_seed) >= 3 for by_seed in last.values())
    sizes = {(trial["labelled"], trial["held out"]) for trial in tried["trials"]}
    assert len(sizes) == 1 and min(min(sizes)) > 0
    shown = (NOTEBOOKS / "appendix_teacher.ipynb").read_text("utf-8")
    for name, gain in tried["gains"].items():
        apart = np.subtract(last[name], last[tried["control"]])
        assert gain["mean"] == pytest.approx(apart.mean())
        assert gain["interval"][0] <= gain["mean"] <= gain["interval"][1]
        low, high = gain["interval"]
        line = f"{name} against {tried['control']}: {gain['mean']:+.3f}"
        assert f"{line} [{low:+.3f}, {high:+.3f}]" in shown
    ((labelled, held_out),) = sizes
    assert f"{labelled} labels, judged on {held_out} reviews" in shown
    for row in tried["rows"]:
        assert row["accuracy"]["mean"] == pytest.approx(
            np.mean(row["accuracy"]["per_seed"])
        )


def test_the_stored_answers_to_unsure_reviews_are_what_the_appendix_shows():
    told = json.loads((STORED / "stronger_teacher_unsure.json").read_text("utf-8"))
    table = ROOT / "data" / "stronger_teacher" / "imdb_unsure.parquet"
    keys, logits, name = read_soft_targets(table)
    assert len(set(keys)) <= len(keys) == told["asked"]
    assert np.isfinite(logits).all() and logits.shape == (told["asked"], 2)
    first, before, by = read_soft_targets(ROOT / "data/soft_targets/imdb.parquet")
    assert name.startswith(by + "+")
    margins = dict(zip(first, np.diff(before, axis=1)[:, 0]))
    asked = np.abs([margins[key] for key in keys])
    assert asked.max() == pytest.approx(told["margin of the least sure"], rel=1e-5)
    # They are the least sure of all but those that are like what taught.
    below = sum(abs(value) <= asked.max() for value in margins.values())
    assert len(keys) > 0.85 * below
    judged, over = told["out of fold, of those asked"], told["out of fold"]
    assert judged["gain"] == pytest.approx(judged["both"] - judged["first"])
    low, high = judged["interval of the gain"]
    assert 0 < low < judged["gain"] < high  # as the prose says
    spread = judged["gain"] * judged["texts"] / over["texts"]
    assert over["gain"] == pytest.approx(spread)
    shown = (NOTEBOOKS / "appendix_teacher.ipynb").read_text("utf-8")
    assert f"{judged['gain']:+.3f} [{low:+.3f}, {high:+.3f}]" in shown
    after = over["first"] + over["gain"]
    assert f"split: {over['first']:.4f}, then {after:.4f}" in shown
