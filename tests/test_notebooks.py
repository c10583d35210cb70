"""Every lesson runs as its users run it: papermill, nbval, plain command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import small_bert
from transformers import pipeline

from distill_helpers.teachers import read_soft_targets

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
LESSON_03 = NOTEBOOKS / "03_imdb_distillation.ipynb"
LESSONS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
MIRROR = ROOT.parent / "shared" / "imdb"
SHORT = {
    "source": "sample",
    "epochs": 1.0,
    "labelled": 60,
    "transfer": 150,
    "seeds": [0, 1],
}


def environment(**change):
    """No mirror, no cache, and a proxy where nobody answers."""
    clean = {k: v for k, v in os.environ.items() if k != "DISTILL_IMDB"}
    dead = "http://127.0.0.1:9"
    return clean | {
        "HF_HUB_OFFLINE": "1",
        "HTTP_PROXY": dead,
        "HTTPS_PROXY": dead,
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_CACHE": str(ROOT / "no-such-cache"),
        **change,
    }


def run_papermill(notebook, folder, parameters=None, options=(), env=None):
    """Run the plain papermill command; return process and executed copy."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "executed.ipynb"
    command = [sys.executable, "-m", "papermill", str(notebook), str(copy)]
    command += ["--no-progress-bar", "--cwd", str(folder), *options]
    if parameters:
        source = folder / "parameters.json"
        source.write_text(json.dumps(parameters))
        command += ["-f", str(source)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=1500, env=env or environment()
    )
    return done, copy


def printed(copy):
    cells = json.loads(copy.read_text("utf-8"))["cells"]
    outputs = [o for c in cells if c["cell_type"] == "code" for o in c["outputs"]]
    return outputs, "".join("".join(o.get("text", "")) for o in outputs)


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.name)
def test_a_lesson_runs_in_a_short_profile(notebook, tmp_path):
    done, copy = run_papermill(
        notebook, tmp_path, {**SHORT, "output_dir": str(tmp_path / "out")}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs, _ = printed(copy)
    assert not [o for o in outputs if o.get("name") == "stderr"]
    assert (tmp_path / "out" / "results.json").is_file()


@pytest.fixture(scope="session")
def default_run(tmp_path_factory):
    """Lesson 03 as it stands, on the sample."""
    folder = tmp_path_factory.mktemp("lesson03")
    done, copy = run_papermill(
        LESSON_03, folder, {"source": "sample", "output_dir": str(folder / "out")}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "out", copy


def by_name(path):
    return {row["name"]: row for row in json.loads(path.read_text())["rows"]}


def test_on_the_sample_distillation_gives_six_points_and_more(default_run):
    folder, _ = default_run
    rows = by_name(folder / "results.json")
    gain = rows["distilled"]["accuracy"]["mean"] - rows["control"]["accuracy"]["mean"]
    assert gain >= 0.06
    assert rows["teacher"]["accuracy"]["mean"] >= 0.89
    for name in ("control", "distilled", "linear baseline"):
        assert len(rows[name]["accuracy"]["per_seed"]) == 3
        low, high = rows[name]["accuracy"]["interval"]
        assert low <= rows[name]["accuracy"]["mean"] <= high


def test_trained_numbers_are_in_the_range_of_the_stored_ones(default_run):
    folder, _ = default_run
    stored = by_name(ROOT / "data" / "results" / "lesson03_sample.json")
    fresh = by_name(folder / "results.json")
    assert set(fresh) == set(stored)
    for name, row in stored.items():
        for metric in ("accuracy", "f1", "agreement"):
            if metric in row:
                assert fresh[name][metric]["mean"] == pytest.approx(
                    row[metric]["mean"], abs=0.03
                ), (name, metric)
    assert fresh["teacher"]["accuracy"] == stored["teacher"]["accuracy"]


def test_the_student_it_wrote_is_small_fast_and_loads(default_run):
    folder, _ = default_run
    rows = by_name(folder / "results.json")
    teacher, student = rows["teacher"]["cost"], rows["distilled"]["cost"]
    assert student["bytes_on_disk"] <= 0.1 * teacher["bytes_on_disk"]
    assert student["reviews_per_second"] >= 10 * teacher["reviews_per_second"]
    classify = pipeline("text-classification", model=str(folder / "student"))
    assert classify("A joy from start to finish.")[0]["label"] == "positive"
    unsafe = [
        p for p in (folder / "student").iterdir() if p.suffix in (".bin", ".pt", ".pkl")
    ]
    assert unsafe == []


def test_the_stored_outputs_still_come_out(tmp_path):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        str(LESSON_03),
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval-cell-timeout",
        "600",
        "--nbval-sanitize-with",
        str(ROOT / "tests" / "nbval_sanitize.cfg"),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=1500,
        cwd=tmp_path,
        env=environment(),
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "temprature", "3.0"], "did you mean 'temperature'"),
        (["-p", "temperature", "hot"], "'temperature' must be of type float"),
        (["-p", "alpha", "1.5"], "alpha must lie in"),
        (["-p", "temperature", "0"], "temperature must be a finite number above 0"),
        (["-y", "seeds: 3"], "'seeds' must be of type"),
        (["-p", "student", "bert"], "student must be one of"),
        (["-p", "source", "imbd"], "source must be"),
        (["-p", "labelled", "1"], "labelled must be at least 2"),
    ],
)
def test_a_wrong_parameter_stops_the_plain_command(tmp_path, options, message):
    where = ["-p", "output_dir", str(tmp_path / "out")]
    done, _ = run_papermill(LESSON_03, tmp_path, options=[*where, *options])
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_with_a_result_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.json").write_text("precious")
    options = ["-p", "output_dir", str(tmp_path / "out")]
    done, _ = run_papermill(LESSON_03, tmp_path, options=options)
    assert done.returncode != 0
    assert "already holds a result" in done.stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["results.json"]
    assert (tmp_path / "out" / "results.json").read_text() == "precious"


def test_imdb_without_network_mirror_and_cache_names_the_next_step(tmp_path):
    done, _ = run_papermill(LESSON_03, tmp_path, options=["-p", "source", "imdb"])
    assert done.returncode != 0
    assert "Next step" in done.stderr


@pytest.fixture
def own_file(tmp_path, reviews):
    """Three classes, some rows without a label."""
    frame = pd.DataFrame({"text": reviews["transfer"]["text"][:260]})
    frame["label"] = [("bad", "fair", "good")[len(t) % 3] for t in frame["text"]]
    frame.loc[::4, "label"] = ""
    frame.to_csv(tmp_path / "own.csv", index=False)
    return tmp_path / "own.csv"


def test_own_data_needs_an_own_teacher_and_says_so(tmp_path, own_file):
    frame = pd.read_csv(own_file)
    frame["text"] = frame["text"] + " And that is all."
    frame.to_csv(own_file, index=False)
    options = ["-p", "source", str(own_file), "-p", "output_dir", str(tmp_path / "out")]
    done, _ = run_papermill(LESSON_03, tmp_path, options=options)
    assert done.returncode != 0
    assert "give a live teacher" in done.stderr
    assert not (tmp_path / "out").exists()


def test_own_data_with_three_classes_and_an_own_teacher(
    tmp_path, own_file, bert_tokenizer
):
    small_bert(bert_tokenizer, num_labels=3).save_pretrained(tmp_path / "teacher")
    bert_tokenizer.save_pretrained(tmp_path / "teacher")
    done, _ = run_papermill(
        LESSON_03,
        tmp_path,
        {
            "source": str(own_file),
            "teacher": str(tmp_path / "teacher"),
            "epochs": 1.0,
            "seeds": [0, 1],
            "output_dir": str(tmp_path / "out"),
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = by_name(tmp_path / "out" / "results.json")
    assert {"teacher", "control", "distilled"} <= set(rows)
    names = json.loads((tmp_path / "out" / "student" / "config.json").read_text())
    assert names["id2label"] == {"0": "bad", "1": "fair", "2": "good"}


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


def test_the_lesson_runs_on_imdb(tmp_path):
    if not MIRROR.is_dir():
        pytest.skip("no IMDB mirror beside the project (../shared/imdb)")
    done, copy = run_papermill(
        LESSON_03,
        tmp_path,
        {"seeds": [0], "output_dir": str(tmp_path / "out")},
        env=environment(DISTILL_IMDB=str(MIRROR)),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    content = json.loads((tmp_path / "out" / "results.json").read_text())
    assert content["settings"]["source"] == "imdb"
    rows = {row["name"]: row["accuracy"]["mean"] for row in content["rows"]}
    assert rows["teacher"] >= 0.928
    assert rows["distilled"] >= 0.885
    assert rows["distilled"] - rows["control"] >= 0.05


def test_the_lessons_command_runs_one_lesson(tmp_path):
    command = [sys.executable, "-m", "distill_helpers.lessons", "--only", "99"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert done.returncode == 2
    assert "no such lesson" in done.stderr
