"""Every lesson runs as its users run it: papermill, nbval, plain command."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import small_bert
from transformers import pipeline

from distill_helpers.classroom.collecting import collect, summarise
from distill_helpers.data.reviews import load_reviews
from distill_helpers.evaluation.statistics import interval
from distill_helpers.export.bundle import TextClassifier
from distill_helpers.lessons import plots
from distill_helpers.lessons.exercises import answer_key, notebook_api
from distill_helpers.students.pocket import PocketStudent
from distill_helpers.teachers.stored import read_soft_targets
from distill_helpers.training.search import open_study

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
LESSON_03 = NOTEBOOKS / "03_imdb_distillation.ipynb"
LESSONS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
STORED = ROOT / "data" / "results"
MIRROR = ROOT.parent / "shared" / "imdb"
SHORT = {
    "00": {"labelled": 60, "transfer": 150, "seeds": [0, 1]},
    "01": {"seeds": [0, 1], "draws": 2},
    "02": {},
    "03": {
        "source": "sample",
        "epochs": 1.0,
        "labelled": 60,
        "transfer": 150,
        "seeds": [0, 1],
    },
    "04": {
        "source": "sample",
        "epochs": 1.0,
        "labelled": 60,
        "transfer": 150,
        "seeds": [0, 1],
        "trials": 2,
    },
    "05": {
        "source": "sample",
        "epochs": 1.0,
        "labelled": 60,
        "transfer": 150,
        "calibration": 32,
        "seeds": [0, 1],
    },
    "06": {
        "source": "sample",
        "epochs": 1.0,
        "labelled": 60,
        "transfer": 250,
        "held_out": 100,
    },
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


def test_every_lesson_has_a_short_profile():
    assert set(SHORT) == {path.name[:2] for path in LESSONS}


@pytest.fixture(scope="session")
def solved_run(tmp_path_factory):
    """Run a lesson with every exercise solved, once, in its short profile."""
    runs = {}

    def run(notebook):
        if notebook not in runs:
            folder = tmp_path_factory.mktemp(notebook.stem)
            lesson = nbformat.read(notebook, as_version=4)
            nbformat.write(answer_key.solve(lesson), folder / notebook.name)
            done, copy = run_papermill(
                folder / notebook.name,
                folder,
                SHORT[notebook.name[:2]] | {"output_dir": str(folder / "out")},
                env=environment(DISTILL_PROGRESS=str(folder / "progress.json")),
            )
            assert done.returncode == 0, done.stderr[-3000:]
            runs[notebook] = folder, copy
        return runs[notebook]

    return run


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.name)
def test_a_solved_lesson_runs_in_a_short_profile(notebook, solved_run):
    folder, copy = solved_run(notebook)
    outputs, _ = printed(copy)
    assert not [o for o in outputs if o.get("name") == "stderr"]
    assert (folder / "out" / "results.json").is_file()
    entries = [e for e in notebook_api.all_entries() if e.key[:2] == notebook.name[:2]]
    stored = json.loads((folder / "progress.json").read_text())["exercises"]
    assert {key: entry["status"] for key, entry in stored.items()} == {
        entry.key: "correct" for entry in entries
    }
    shown = "".join("".join(o.get("data", {}).get("text/plain", "")) for o in outputs)
    assert f"{len(entries)} of {len(entries)} done" in shown


@pytest.mark.parametrize("notebook", [NOTEBOOKS / "04_tuning.ipynb"])
def test_lesson_04_accumulates_exactly_and_leaves_a_study_to_resume(
    notebook, solved_run
):
    folder, _ = solved_run(notebook)
    results = json.loads((folder / "out" / "results.json").read_text())
    off = results["accumulation_off_by"]
    assert off["divided by the counts"] < 1e-9
    assert off["undivided"] > 1 > off["divided by the parts"] > 0.1
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert set(verdicts) == {"C06", "C07", "C09"}
    assert verdicts["C09"] == "did not hold"
    assert len(results["test"]["found"]) == len(results["settings"]["seeds"])
    assert results["two_processes_apart"] < 1e-5
    lines = results["diagnosis"]
    healthy = lines["nothing is wrong"]
    for line in lines.values():
        assert line["cured"] == healthy["cured"]
    slow = lines["learning rate far too low"]
    assert slow["unlearnt"] > healthy["unlearnt"] + 0.05  # 0.43, 0.31 when short
    swapped = lines["the teacher's classes swapped"]
    assert swapped["twice the steps"] < 0.4 < healthy["twice the steps"]
    study = open_study(folder / "out" / "study.jsonl", "lesson04")
    assert len(study.trials) == SHORT["04"]["trials"]


@pytest.mark.parametrize("notebook", [NOTEBOOKS / "05_quantisation.ipynb"])
def test_lesson_05_keeps_safe_files_and_says_what_it_rejected(notebook, solved_run):
    folder, _ = solved_run(notebook)
    results = json.loads((folder / "out" / "results.json").read_text())
    kinds = {path.suffix for path in (folder / "out").rglob("*") if path.is_file()}
    assert kinds == {".onnx", ".json"}
    assert results["forms"]["bigram"]["dynamic INT8"]["smaller"] >= 3.7
    for forms in results["forms"].values():
        assert forms["ONNX"]["agreement"] == 1.0
        assert forms["ONNX"]["largest difference"] < 1e-3
    assert results["teacher_shape"]["dynamic INT8"]["smaller"] >= 3.5
    assert results["failures"]["masks"]["smaller"] < 1
    assert results["failures"]["masks"]["faster"] < 1.3
    assert set(results["kept"].values()) <= {"kept", "rejected"}
    assert results["bound"] > 1.1
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert set(verdicts) == {"C03", "C04", "C05"}


@pytest.mark.parametrize("notebook", [NOTEBOOKS / "06_edge_export.ipynb"])
def test_lesson_06_leaves_bundles_that_answer(notebook, solved_run):
    folder, _ = solved_run(notebook)
    results = json.loads((folder / "out" / "results.json").read_text())
    reader = TextClassifier(folder / "out" / "edge_bundle")
    assert reader.classify(["A joy from start to finish."])[0].label in reader.labels
    assert max(results["bundle_bytes"].values()) < 2_000_000
    shares = results["cascade"]["shares"]
    assert sum(shares.values()) == pytest.approx(1) and len(shares) == 3
    assert set(results["latency"]) == {
        f"batch {b}, {t}" for b in (1, 32) for t in ("1 thread", "2 threads")
    }
    assert {claim["id"] for claim in results["claims"]} == {"C01"}
    if results["service"]:  # the extra is installed
        assert [said["cached"] for said in results["service"]] == [False, True]


def test_the_stored_cascade_on_imdb_keeps_the_teachers_accuracy_on_few_of_its_answers():
    results = json.loads((STORED / "lesson06_imdb.json").read_text())
    cascade, settings = results["cascade"], results["settings"]
    assert cascade["accuracy"] >= cascade["cloud_accuracy"] - settings["within"]
    assert settings["within"] <= 0.003 and cascade["shares"]["device"] >= 0.6
    assert settings["source"] == "imdb" and settings["test_reviews"] >= 19_800
    assert set(results["page_ms"]) == {"student", "teacher"}


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """Lessons 01 and 02 as they stand; their results and executed copies."""
    runs = {}
    for notebook in LESSONS[1:3]:
        folder = tmp_path_factory.mktemp(notebook.stem)
        done, copy = run_papermill(
            notebook,
            folder,
            {"output_dir": str(folder / "out")},
            env=environment(DISTILL_PROGRESS=str(folder / "progress.json")),
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert not (folder / "progress.json").exists()
        runs[notebook.name[:2]] = (
            json.loads((folder / "out" / "results.json").read_text()),
            copy,
        )
    return runs


def test_an_untouched_lesson_says_not_attempted_and_draws_its_sliders(untouched):
    for lesson, (_, copy) in untouched.items():
        outputs, _ = printed(copy)
        data = [o.get("data", {}) for o in outputs]
        said = ["".join(d.get("text/plain", "")) for d in data]
        entries = [e for e in notebook_api.all_entries() if e.key[:2] == lesson]
        assert sum("Not attempted yet" in text for text in said) == len(entries)
        live = "application/vnd.jupyter.widget-view+json"
        assert [d for d in data if live in d and "image/png" in d]
        assert not [o for o in outputs if o.get("name") == "stderr"]


def test_the_missing_three_is_learnt_from_soft_targets_alone(untouched):
    results, _ = untouched["01"]
    threes = results["threes"]
    taught = threes[str(results["settings"]["temperature"])]
    assert len(taught) == len(threes["labels"]) >= 5
    assert max(threes["labels"]) == 0
    assert min(taught) >= 0.6
    assert sum(threes["1.0"]) < sum(threes["2.0"]) < sum(threes["20.0"])


def test_the_order_among_wrong_classes_is_what_helps_with_few_labels(untouched):
    results, _ = untouched["01"]
    runs = results["few_labels"]
    assert len(runs) >= 10

    def gain(runs, name, base="labels"):
        return interval([run[name] - run[base] for run in runs])

    assert gain(runs, "soft")[0] > 0.03
    assert gain(runs, "soft", "soft, order lost")[0] > 0.03
    assert gain(runs, "soft, order lost")[0] < 0.02
    assert gain(runs, "soft, all images")[0] > gain(runs, "soft")[0]
    two = results["two_classes"]
    assert gain(two, "soft")[1] < gain(runs, "soft")[0]
    assert gain(two, "soft, all images")[0] > 0.05
    for run in two:
        assert run["soft"] == pytest.approx(run["soft, order lost"], abs=0.02)


def test_lesson_02_measures_what_its_prose_says(untouched):
    results, _ = untouched["02"]
    plain = results["gradient_without_square"]
    squared = results["gradient_with_square"]
    for t in ("5", "10", "20"):
        ratio = plain[t] / plain["1"] * float(t) ** 2
        assert 0.7 < ratio < 1.3
        assert 0.7 < squared[t] / squared["1"] < 1.3
    assert results["accumulation_times_too_large"] == pytest.approx(4, rel=1e-3)
    forward, reverse = results["forward_shape"], results["reverse_shape"]
    assert abs(forward[0]) < 1.5 < abs(reverse[0])
    assert forward[1] > reverse[1] + 1  # log widths
    assert set(results["zoo"].values()) == {"incorrect"}
    assert results["largest_difference_to_package"] < 1e-6


class Hub(BaseHTTPRequestHandler):
    """Knows one model and counts what it was asked."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        known = self.path == "/api/models/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"
        body = json.dumps({"id": self.path[12:]} if known else {}).encode()
        self.send_response(200 if known else 404)
        if not known:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_the_hub_is_asked_only_if_the_reader_says_so(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        online = environment(
            HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HUB_OFFLINE="0"
        )
        parameters = SHORT["01"] | {
            "ask_hub": True,
            "output_dir": str(tmp_path / "out"),
        }
        done, _ = run_papermill(LESSONS[1], tmp_path, parameters, env=online)
        server.shutdown()
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path for path in Hub.asked if path.startswith("/api/models/")]
    claims = json.loads((tmp_path / "out" / "results.json").read_text())["claims"]
    by_id = {claim["id"]: claim for claim in claims}
    assert by_id["C13"]["verdict"] == "did not hold"
    assert "deepseek/deepseek-large: False" in by_id["C13"]["measured"]
    assert "Qwen-1.5B: True" in by_id["C13"]["measured"]


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


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.name)
def test_the_stored_outputs_still_come_out(notebook, tmp_path):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        str(notebook),
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
        env=environment(DISTILL_PROGRESS=str(tmp_path / "progress.json")),
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


WRONG_PARAMETERS = [
    ("00", ["-p", "labeled", "300"], "did you mean 'labelled'"),
    ("00", ["-y", "seeds: [1]"], "the number of seeds must lie between 2 and 100"),
    ("01", ["-p", "temprature", "3.0"], "did you mean 'temperature'"),
    ("01", ["-p", "draws", "1"], "draws must lie between 2 and 200"),
    ("01", ["-p", "per_class", "0"], "per_class must lie between 1 and 50"),
    ("01", ["-y", "seeds: [1, 1]"], "seeds must hold"),
    ("02", ["-p", "aplha", "0.5"], "did you mean 'alpha'"),
    ("02", ["-p", "temperature", "0"], "temperature must be a finite number above 0"),
    ("03", ["-p", "temprature", "3.0"], "did you mean 'temperature'"),
    ("03", ["-p", "temperature", "hot"], "'temperature' must be of type float"),
    ("03", ["-p", "alpha", "1.5"], "alpha must lie in"),
    ("03", ["-p", "temperature", "0"], "temperature must be a finite number above 0"),
    ("03", ["-y", "seeds: 3"], "'seeds' must be of type"),
    ("03", ["-p", "student", "bert"], "student must be one of"),
    ("03", ["-p", "source", "imbd"], "source must be"),
    ("03", ["-p", "labelled", "1"], "labelled must be at least 2"),
    ("04", ["-y", "seeds: [3]"], "the number of seeds must lie between 2 and 100"),
    ("04", ["-p", "trials", "0"], "trials must lie between 1 and 1000"),
    ("04", ["-p", "sweep", "nowhere"], "there is no folder 'nowhere'"),
    ("05", ["-p", "calibraton", "64"], "did you mean 'calibration'"),
    ("05", ["-p", "share", "1.0"], "share must lie between 0.05 and 0.9"),
    ("05", ["-p", "epochs", "0"], "epochs must be above 0"),
    ("05", ["-y", "seeds: [0]"], "the number of seeds must lie between 2 and 100"),
    ("06", ["-p", "prize", "10"], "did you mean 'price'"),
    ("06", ["-p", "within", "0.9"], "within must lie between 0 and 0.5"),
    ("06", ["-p", "round_trip", "soon"], "'round_trip' must be of type float"),
]


@pytest.mark.parametrize(("lesson", "options", "message"), WRONG_PARAMETERS)
def test_a_wrong_parameter_stops_the_plain_command(tmp_path, lesson, options, message):
    notebook = next(path for path in LESSONS if path.name.startswith(lesson))
    where = ["-p", "output_dir", str(tmp_path / "out")]
    done, _ = run_papermill(notebook, tmp_path, options=[*where, *options])
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


ONE_SETTING = NOTEBOOKS / "appendix_one_setting.ipynb"


def test_a_class_sweeps_one_setting_each_and_makes_one_heat_map(tmp_path):
    """Two learners, two cells of a grid, one shared folder."""
    shared = tmp_path / "shared"
    shared.mkdir()
    command = [sys.executable, "-m", "distill_helpers.classroom.sweeps", str(ONE_SETTING)]
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "tempreature", "2.0"], "did you mean 'temperature'"),
        (["-p", "learning_rate", "0.0"], "learning_rate must be above 0"),
    ],
)
def test_one_setting_refuses_what_it_cannot_run(tmp_path, options, message):
    where = ["-p", "output_dir", str(tmp_path / "out")]
    done, _ = run_papermill(ONE_SETTING, tmp_path, options=[*where, *options])
    assert done.returncode != 0 and message in done.stderr
    assert not (tmp_path / "out").exists()


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


SMALL = NOTEBOOKS / "appendix_best_small_student.ipynb"
SMALL_SHORT = {
    "source": "sample",
    "labelled": 200,
    "transfer": 500,
    "validation": 100,
    "held_out": 200,
    "longest_run": 2,
    "ngrams": 2000,
    "vocabulary": 800,
    "filters": 8,
    "passes": 0.5,
    "ladder_passes": 0.2,
    "seeds": [0, 1],
}


def test_the_best_small_student_is_made_in_one_file(tmp_path, bert_tokenizer):
    """Its real run takes most of an hour; here every cell runs on the sample."""
    small_bert(bert_tokenizer, hidden_size=64).save_pretrained(tmp_path / "base")
    bert_tokenizer.save_pretrained(tmp_path / "base")
    parameters = SMALL_SHORT | {
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
    assert results["steps"][-1]["test accuracy"] == pytest.approx(right.mean())


def test_the_stored_small_student_is_what_its_parameters_ask_for():
    results = json.loads((STORED / "best_small_student_imdb.json").read_text())
    asked = json.loads((ROOT / "data" / "best_small_student_imdb.json").read_text())
    (row,) = results["rows"]
    assert row["cost"]["bytes_on_disk"] <= 1_000_000
    assert row["accuracy"]["mean"] >= 0.922
    assert row["examples"] == results["sizes"]["test"] >= 19_800
    assert results["steps"][-1]["test accuracy"] == row["accuracy"]["mean"]
    assert results["settings"]["seconds"] <= 3_600
    for name in ("source", "labelled", "passes", "vocabulary", "filters", "ngrams"):
        assert results["settings"][name] == asked[name], name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "vocabluary", "100"], "did you mean 'vocabulary'"),
        (["-p", "held_out", "60000"], "held_out must lie between 1 and 1199"),
        (["-p", "passes", "0"], "passes must be above 0"),
    ],
)
def test_the_small_student_refuses_what_it_cannot_run(tmp_path, options, message):
    where = ["-p", "output_dir", str(tmp_path / "out")]
    done, _ = run_papermill(SMALL, tmp_path, options=[*where, *options])
    assert done.returncode != 0 and message in done.stderr
    assert not (tmp_path / "out").exists()


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
    command = [sys.executable, "-m", "distill_helpers.classroom.running", "--only", "99"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert done.returncode == 2
    assert "no such lesson" in done.stderr
