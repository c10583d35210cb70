"""Every lesson runs as its users run it: by papermill, solved and as it stands.

Each lesson runs once in its short profile with every exercise solved, and once
untouched with its defaults; all that is asked of such a run, reads its one copy.
"""

import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import nbformat
import numpy as np
import pandas as pd
import pytest
from lesson_runs import (
    FACTS,
    KEY,
    LESSON,
    LESSONS,
    ROOT,
    STORED,
    LessonRun,
    by_name,
    code_cells,
    differences,
    environment,
    run_lesson,
    run_papermill,
)
from transformers import pipeline

from distill_helpers.evaluation.statistics import interval
from distill_helpers.export.bundle import TextClassifier
from distill_helpers.lessons import openings
from distill_helpers.training.search import open_study

MIRROR = ROOT.parent / "shared" / "imdb"
SANITIZE = ROOT / "tests" / "nbval_sanitize.cfg"
SLIDER = "application/vnd.jupyter.widget-view+json"


def lessons(*keys):
    """Ask a test of these lessons, or of all."""
    paths = [LESSON[key] for key in keys] or LESSONS
    return pytest.mark.parametrize("notebook", paths, ids=lambda path: path.name)


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Run a lesson the first time that it is asked for."""
    kept = {}

    def run(notebook, solved):
        key = notebook, solved
        if key not in kept:
            kept[key] = None  # a lesson that fails is not run again
            folder = tmp_path_factory.mktemp(notebook.stem)
            short = FACTS[notebook.stem].short if solved else {}
            kept[key] = run_lesson(notebook, folder, short, solved)
        return kept[key] or pytest.fail("the lesson did not run through, see above")

    return run


@pytest.fixture
def solved_run(runs, notebook) -> LessonRun:
    """The lesson with every exercise solved, in its short profile."""
    return runs(notebook, solved=True)


@pytest.fixture
def default_run(runs, notebook) -> LessonRun:
    """The lesson as it stands, on the sample."""
    return runs(notebook, solved=False)


# ------------------------------------------------- solved, in the short profile
@lessons()
def test_a_solved_lesson_runs_in_a_short_profile(notebook, solved_run):
    outputs, entries = solved_run.outputs, solved_run.entries
    assert not [o for o in outputs if o.get("name") == "stderr"]
    assert solved_run.results
    stored = json.loads((solved_run.folder / "progress.json").read_text())["exercises"]
    assert {key: entry["status"] for key, entry in stored.items()} == {
        entry.key: "correct" for entry in entries
    }
    assert f"{len(entries)} of {len(entries)} done" in "".join(solved_run.said)


@lessons("04")
def test_lesson_04_accumulates_exactly_and_leaves_a_study_to_resume(
    notebook, solved_run
):
    folder, results = solved_run.folder, solved_run.results
    off = results["accumulation_off_by"]
    assert off["divided by the counts"] < 1e-9
    assert off["undivided"] > 1 > off["divided by the parts"] > 0.1
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert set(verdicts) == {"C06", "C07", "C09"}
    assert verdicts["C06"] == verdicts["C07"] == "not testable here"
    assert verdicts["C09"] == "did not hold"
    assert len(results["test"]["found"]) == len(results["settings"]["seeds"])
    assert results["two_processes_apart"] < 1e-5
    lines = results["diagnosis"]
    healthy = lines["nothing is wrong"]
    for line in lines.values():
        assert line["cured"] == healthy["cured"]
    slow = lines["learning rate far too low"]
    far, near = slow["KL to targets"], healthy["KL to targets"]
    assert far > near + 0.05  # 0.43, 0.31 when short
    swapped = lines["the teacher's classes swapped"]
    assert swapped["twice the steps"] < 0.4 < healthy["twice the steps"]
    study = open_study(folder / "out" / "study.jsonl", "lesson04")
    assert len(study.trials) == FACTS[notebook.stem].short["trials"]


@lessons("05")
def test_lesson_05_keeps_safe_files_and_says_what_it_rejected(notebook, solved_run):
    folder, results = solved_run.folder, solved_run.results
    kinds = {path.suffix for path in (folder / "out").rglob("*") if path.is_file()}
    assert kinds == {".onnx", ".json"}
    assert results["forms"]["bigram"]["dynamic INT8"]["smaller"] >= 3.7
    for forms in results["forms"].values():
        assert forms["ONNX"]["agreement"] == 1.0
        assert forms["ONNX"]["largest difference"] < 1e-3
    assert results["teacher_shape"]["dynamic INT8"]["smaller"] >= 3.5
    assert results["failures"]["masks"]["smaller"] < 1
    steps = [step["verdict"] for step in results["steps"].values()]
    assert {verdict.partition(":")[0] for verdict in steps} <= {"kept", "rejected"}
    assert 1.1 < results["speed"]["30% gone"]["bound"] < 2.04
    few, eight, packed = results["few_bits_bytes"].values()
    assert few == pytest.approx(eight, rel=0.02) and packed < eight
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert set(verdicts) == {"C03", "C04", "C05"}


@lessons("06")
def test_lesson_06_leaves_bundles_that_answer(notebook, solved_run):
    folder, results = solved_run.folder, solved_run.results
    reader = TextClassifier(folder / "out" / "edge_bundle")
    assert reader.classify(["A joy from start to finish."])[0].label in reader.labels
    assert max(results["bundle_bytes"].values()) < 2_000_000
    shares = results["cascade"]["shares"]
    assert sum(shares.values()) == pytest.approx(1) and len(shares) == 3
    assert set(results["latency"]) == {
        f"batch {b}, {t}" for b in (1, 32) for t in ("1 thread", "2 threads")
    }
    assert {claim["id"] for claim in results["claims"]} == {"C01"}
    mixed, alike = results["claimed"].values()
    assert alike["times as small"] < mixed["times as small"]
    assert results["tiers"]["cloud"]["accuracy"] == results["cascade"]["cloud_accuracy"]
    assert results["tiers"]["device, edge, cloud"]["device"] == shares["device"]
    if results["service"]:  # the extra is installed
        assert [said["cached"] for said in results["service"]] == [False, True]


@lessons("10")
def test_lesson_10_leaves_the_key_of_the_environment_in_no_file(notebook, solved_run):
    files = [path for path in solved_run.folder.rglob("*") if path.is_file()]
    assert {".ipynb", ".json", ".sqlite"} <= {path.suffix for path in files}
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []


def test_the_stored_cascade_on_imdb_keeps_the_teachers_accuracy_on_few_of_its_answers():
    results = json.loads((STORED / "lesson06_imdb.json").read_text())
    cascade, settings = results["cascade"], results["settings"]
    assert cascade["accuracy"] >= cascade["cloud_accuracy"] - settings["within"]
    assert settings["within"] <= 0.003 and cascade["shares"]["device"] >= 0.6
    assert settings["source"] == "imdb" and settings["test_reviews"] >= 19_800
    assert set(results["page_ms"]) == {"student", "teacher"}


# --------------------------------------------------- untouched, with its defaults
@lessons()
def test_the_stored_outputs_still_come_out(notebook, default_run, request):
    found = differences(
        request.session, notebook, default_run.notebook, SANITIZE.read_text()
    )
    assert not found, "\n\n".join(found)


@pytest.mark.full
@lessons("02")
def test_nbval_itself_passes(notebook, tmp_path):
    """The plain command, which runs the lesson in its own kernel."""
    command = [sys.executable, "-m", "pytest", "--nbval", str(notebook), "-q"]
    command += ["-p", "no:cacheprovider", "--nbval-cell-timeout", "600"]
    command += ["--nbval-sanitize-with", str(SANITIZE)]
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


@lessons("01")
def test_an_output_that_differs_is_noticed(notebook, request):
    seconds = "[seconds]\nregex: \\d+ s\\b\nreplace: SECONDS"

    def found(change):
        """Change what the last cell says that nbval compares."""
        executed = nbformat.read(notebook, as_version=4)
        cells = [
            cell
            for cell in code_cells(executed)
            if "nbval-ignore-output" not in cell.metadata.get("tags", [])
            and [o for o in cell.outputs if o.get("text")]
        ]
        change(cells[-1])
        return differences(request.session, notebook, executed, seconds)

    def say(words):
        def change(cell):
            cell.outputs[0].text += words

        return change

    assert found(say("")) == []
    assert len(found(say("One word more."))) == 1
    assert len(found(lambda cell: cell.outputs.clear())) == 1


@lessons()
def test_an_untouched_lesson_says_not_attempted_and_keeps_no_progress(
    notebook, default_run
):
    said = sum("Not attempted yet" in text for text in default_run.said)
    assert said == len(default_run.entries)
    assert not (default_run.folder / "progress.json").exists()
    assert not [o for o in default_run.outputs if o.get("name") == "stderr"]


@lessons("01", "02")
def test_an_untouched_lesson_draws_its_sliders(notebook, default_run):
    data = [output.get("data", {}) for output in default_run.outputs]
    assert [d for d in data if SLIDER in d and "image/png" in d]


@lessons("00", "01", "02", "07", "08", "10")
def test_a_lesson_measures_what_its_first_picture_shows(notebook, default_run):
    key = default_run.lesson
    kept, fresh = openings.ours(key), openings.picked(key, default_run.results)
    for name, values in kept.items():
        assert fresh[name] == pytest.approx(values, abs=0.05), name


@lessons("09")
def test_checked_texts_teach_most_and_answers_alone_hardly_anything(
    notebook, default_run
):
    results = default_run.results
    scores = {k: np.mean(list(by.values())) for k, by in results["scores"].items()}
    assert scores["answers alone"] < 0.12 < 0.6 < scores["traces"]
    best = scores["checked traces"]
    assert best > max(scores["traces"], results["first"]["teacher"]) + 0.05
    assert max(map(max, results["longer"].values())) < 0.2
    assert 0 < results["lucky"] < 0.2
    told = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert set(told) == {"C12", "C17", "C18", "C19", "C20"}
    assert told["C18"] == told["C20"] == "did not hold"


@lessons("12")
def test_where_a_teacher_looks_teaches_and_where_it_does_not_look_does_not(
    notebook, default_run
):
    results = default_run.results
    assert openings.ours("12")["question"] == results["opening"]["question"]
    teacher = results["teacher"]
    alone = (teacher["the picture alone"], teacher["the typed copy alone"])
    assert teacher["both senses"] > max(alone) + 0.02

    def accuracy(name, steps, sense="both"):
        return np.array(
            [
                mark["accuracy"][sense]
                for mark in results["marks"]
                if (mark["student"], mark["steps"]) == (name, steps)
            ]
        )

    settings = results["settings"]
    early = [
        accuracy(name, settings["steps"])
        for name in ("soft targets and maps", "soft targets", "maps of other cards")
    ]
    assert all(len(scores) == len(settings["seeds"]) for scores in early)
    assert interval(early[0] - early[1])[0] > 0.1
    assert (early[2] - early[1]).mean() < 0.02
    looks = [
        m["looks"] for m in results["marks"] if m["student"] == "soft targets and maps"
    ]
    assert min(looks) > 0.85 and results["looks_of_teacher"] > 0.9
    late = accuracy("soft targets and maps", settings["longer"])
    assert late.mean() > early[0].mean() + 0.05
    typed = [
        accuracy(name, settings["steps"], "typed").mean()
        for name in ("with senses dropped", "soft targets and maps")
    ]
    assert typed[0] > typed[1] + 0.05
    assert results["onnx"] == {"cards": 200, "alike": 200}


@lessons("01")
def test_a_raised_logit_finds_the_threes_that_the_student_knew(notebook, default_run):
    raised = default_run.results["raised"]
    assert raised["2"]["3s right"] > raised["0"]["3s right"] + 0.07
    assert raised["2"]["all right"] >= raised["0"]["all right"] - 0.005
    assert raised["8"]["other digits right"] < raised["2"]["other digits right"]


@lessons("01")
def test_the_missing_three_is_learnt_from_soft_targets_alone(notebook, default_run):
    results = default_run.results
    threes = results["threes"]
    taught = threes[str(results["settings"]["temperature"])]
    assert len(taught) == len(threes["labels"]) >= 5
    assert max(threes["labels"]) == 0
    assert min(taught) >= 0.6
    assert sum(threes["1.0"]) < sum(threes["2.0"]) < sum(threes["20.0"])


@lessons("01")
def test_the_order_among_wrong_classes_is_what_helps_with_few_labels(
    notebook, default_run
):
    results = default_run.results
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


@lessons("02")
def test_lesson_02_measures_what_its_prose_says(notebook, default_run):
    results = default_run.results
    plain = results["gradient_without_square"]
    squared = results["gradient_with_square"]
    for t in ("5", "10", "20"):
        ratio = plain[t] / plain["1"] * float(t) ** 2
        assert 0.7 < ratio < 1.3
        assert 0.7 < squared[t] / squared["1"] < 1.3
    sizes = {
        name: dict(zip((1, 2, 5, 10, 20, 40), found))
        for name, found in results["gradient_by_size"].items()
    }
    assert all(90 < percent < 110 for percent in sizes["size 1"].values())
    for size, level in ((5, 5), (10, 10)):
        found = sizes[f"size {size}"]
        assert found[level] > 200 and found[level] > 1.2 * found[2]
        assert found[40] == pytest.approx(found[level], rel=0.1)
    alone, mixed = (
        {name: np.mean(each) for name, each in results[mix].items()}
        for mix in ("soft_targets_alone", "wrong_labels")
    )
    assert alone["with T^2"] == pytest.approx(alone["without T^2"], abs=0.01)
    assert mixed["with T^2"] > mixed["without T^2"] + 0.08
    assert results["accumulation_times_too_large"] == pytest.approx(4, rel=1e-3)
    forward, reverse = results["forward_shape"], results["reverse_shape"]
    assert abs(forward[0]) < 1.5 < abs(reverse[0])
    assert forward[1] > reverse[1] + 1  # log widths
    assert set(results["zoo"].values()) == {"incorrect"}
    assert results["largest_difference_to_package"] < 1e-6


@lessons("07")
def test_lesson_07_measures_what_its_prose_says(notebook, default_run):
    results = default_run.results
    budget = str(results["settings"]["budget"])

    def gain(scores, name, base):
        return interval([scores[name][s] - scores[base][s] for s in scores[base]])

    cleaning = results["cleaning"]
    assert cleaning["full-width"]["texts recovered"] == 1
    clean = cleaning["clean"]["as it comes"]
    assert cleaning["full-width"]["cleaned"] == clean
    assert cleaning["full-width"]["as it comes"] < clean - 0.2
    leak = {name: list(by.values()) for name, by in results["leak"].items()}
    assert np.mean(leak["leaked"]) >= np.mean(leak["clean"]) + 0.015
    other = np.mean(leak["leaked, on the other test texts"])
    assert other <= np.mean(leak["clean"]) + 0.01
    views = results["views"]
    assert gain(views, "splice, asked anew", "splice, stored")[0] > 0.04
    crops = [
        np.mean([*views[f"crop, {how}"].values()]) for how in ("asked anew", "stored")
    ]
    assert crops[0] >= crops[1] + 0.01
    assert gain(views, "more real texts", "alone")[0] > 0.02
    at = {how: by[budget] for how, by in results["bought"].items()}
    assert gain(at, "teacher-doubt", "random")[1] < -0.04
    assert gain(at, "student-doubt", "random")[0] < 0  # not shown to help
    rights = [right for _, right in results["doubt"]]
    assert rights == sorted(rights, reverse=True)
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert verdicts == {"C15": "did not hold", "C16": "did not hold"}


@lessons("03")
def test_on_the_sample_distillation_gives_six_points_and_more(notebook, default_run):
    rows = by_name(default_run.results)
    gain = rows["distilled"]["accuracy"]["mean"] - rows["control"]["accuracy"]["mean"]
    assert gain >= 0.06
    assert rows["teacher"]["accuracy"]["mean"] >= 0.89
    for name in ("control", "distilled", "linear baseline"):
        assert len(rows[name]["accuracy"]["per_seed"]) == 3
        low, high = rows[name]["accuracy"]["interval"]
        assert low <= rows[name]["accuracy"]["mean"] <= high


@lessons("03")
def test_on_the_sample_the_gain_is_unlabelled_text_and_not_softness(
    notebook, default_run
):
    results = default_run.results
    score = {row["name"]: row["accuracy"]["per_seed"] for row in results["rows"]}

    def gain(first, second):
        return [a - b for a, b in zip(score[first], score[second])]

    assert interval(gain("hard, all", "hard, labelled"))[0] > 0.02
    assert interval(gain("distilled", "soft, labelled"))[0] > 0.02
    softness = gain("distilled", "hard, all")
    assert abs(sum(softness) / len(softness)) < 0.025
    assert len(results["softness_or_text"]) == 6


@lessons("03")
def test_trained_numbers_are_in_the_range_of_the_stored_ones(notebook, default_run):
    stored = by_name(json.loads((STORED / "lesson03_sample.json").read_text()))
    fresh = by_name(default_run.results)
    assert set(fresh) == set(stored)
    for name, row in stored.items():
        for metric in ("accuracy", "f1", "agreement"):
            if metric in row:
                assert fresh[name][metric]["mean"] == pytest.approx(
                    row[metric]["mean"], abs=0.03
                ), (name, metric)
    assert fresh["teacher"]["accuracy"] == stored["teacher"]["accuracy"]


@lessons("03")
def test_the_student_it_wrote_is_small_fast_and_loads(notebook, default_run):
    rows = by_name(default_run.results)
    teacher, student = rows["teacher"]["cost"], rows["distilled"]["cost"]
    assert student["bytes_on_disk"] <= 0.1 * teacher["bytes_on_disk"]
    saved = default_run.folder / "out" / "student"
    classify = pipeline("text-classification", model=str(saved))
    assert classify("A joy from start to finish.")[0]["label"] == "positive"
    assert not {".bin", ".pt", ".pkl"} & {path.suffix for path in saved.iterdir()}


@lessons("10")
def test_lesson_10_measures_what_its_prose_says(notebook, default_run):
    results = default_run.results
    assert abs(results["forecast_off"]) < 0.05
    plain, begun = results["mass"].values()
    assert begun > plain + 0.3
    asked = results["teacher"]
    for way in ("asked plainly", "answer begun"):
        assert asked[way]["AUC"] > asked[way]["accuracy"] + 0.05
        mended = asked[f"{way}, calibrated"]
        assert mended["ECE"] < asked[way]["ECE"]
        assert mended["AUC"] == pytest.approx(asked[way]["AUC"], abs=1e-6)
    assert results["position"]["flipped"] > 0.2
    votes = results["votes"]
    assert list(votes) == ["1", "3", "5", "8"]
    assert votes["8"]["AUC"] < asked["answer begun"]["AUC"]
    answered = [found["answered"] for found in votes.values()]
    assert answered == sorted(answered)


@lessons("10")
def test_a_poor_teacher_loses_to_the_control_and_a_good_one_wins(notebook, default_run):
    scores = default_run.results["students"]
    assert all(len(by_seed) == 3 for by_seed in scores.values())

    def gain(arm):
        return [scores[arm][s] - scores["control"][s] for s in scores["control"]]

    assert interval(gain("good, soft"))[0] > 0
    assert max(gain("small, soft")) < 0
    (claim,) = default_run.results["claims"]
    assert (claim["id"], claim["verdict"]) == ("C13", "not testable here")


@lessons("08")
def test_lesson_08_measures_what_its_prose_says_of_digits(notebook, default_run):
    results = default_run.results
    assert results["second_term_of_two_classes"] == 0
    ideas = results["ideas"]["digits"]
    assert ideas["soft"]["interval"][0] > 0.02
    for lost in ("wrong classes shuffled", "hard answers", "tiny, reverse KL"):
        assert ideas[lost]["interval"][1] < 0, lost
    for same in ("reverse KL", "Jensen-Shannon", "alpha divergence"):
        assert abs(ideas[same]["mean"]) < 0.01, same
    asked = results["several_teachers"]
    assert asked["average"] < min(asked["upright teacher"], asked["turned teacher"])
    assert asked["gate"] > 0.95
    assert ideas["taught by gate"]["interval"][0] > 0


@lessons("08")
def test_lesson_08_tells_the_order_of_texts_from_its_pacing(notebook, default_run):
    results = default_run.results
    ideas, scores = results["ideas"]["reviews"], results["scores"]
    few, many = (ideas[f"hard first, {b}"] for b in ("half the steps", "all steps"))
    assert few["mean"] <= -0.05 and few["interval"][1] < 0
    assert few["mean"] < many["mean"]
    for budget in ("half the steps", "all steps"):
        easy, paced = (
            scores[f"{o}, {budget}"] for o in ("easy first", "random, paced")
        )
        gains = [easy[seed] - paced[seed] for seed in easy]
        assert ideas[f"order alone, {budget}"]["gains"] == pytest.approx(gains)
    (claim,) = results["claims"]
    assert (claim["id"], claim["verdict"]) == ("C14", "did not hold")


@lessons("11")
def test_lesson_11_measures_what_its_prose_says(notebook, default_run):
    scores = default_run.results["scores"]

    def mean(name):
        return np.mean(list(scores[name].values()))

    def gain(first, second):
        return interval([scores[first][s] - scores[second][s] for s in scores[first]])

    assert mean("AUC, control") >= 0.9 and mean("AUC, its student") <= 0.75
    assert gain("AUC, its student", "AUC, stranger")[0] > 0
    assert mean("epsilon 2") >= mean("not private") - 0.04
    assert gain("epsilon 2, words", "not private, words")[1] < 0
    assert gain("student, picked", "student, by lot")[0] > 0.1
    assert mean("100% corrected, flips") <= 0.3 * mean("student, flips")
    assert abs(mean("100% corrected") - mean("student")) < 0.015
    for task in ("turned", "new digits"):
        kept, lost = (
            f"{w}, {task}, old task" for w in ("answers to old", "fine-tuned")
        )
        assert gain(kept, lost)[0] > 0 and mean(kept) >= mean(lost) + 0.15
    assert gain("answers to old, new digits", "EWC, new digits")[0] > 0
    assert mean("INT8: all") <= 0.01 < mean("a tenth: all")
    assert gain("a tenth: unsure", "a tenth: sure")[0] > 0
    verdicts = {c["id"]: c["verdict"] for c in default_run.results["claims"]}
    assert verdicts["C22"] == verdicts["C23"] == "did not hold"


# ------------------------------------------------------- with other parameters
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


@pytest.mark.full
def test_the_hub_is_asked_only_if_the_reader_says_so(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        online = environment(
            HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HUB_OFFLINE="0"
        )
        parameters = dict(FACTS[LESSON["01"].stem].short) | {
            "ask_hub": True,
            "output_dir": str(tmp_path / "out"),
        }
        done, _ = run_papermill(LESSON["01"], tmp_path, parameters, env=online)
        server.shutdown()
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path for path in Hub.asked if path.startswith("/api/models/")]
    claims = json.loads((tmp_path / "out" / "results.json").read_text())["claims"]
    by_id = {claim["id"]: claim for claim in claims}
    assert by_id["C13"]["verdict"] == "did not hold"
    assert "deepseek/deepseek-large: False" in by_id["C13"]["measured"]
    assert "Qwen-1.5B: True" in by_id["C13"]["measured"]


@pytest.fixture
def fifth_of_imdb(tmp_path):
    """A mirror that holds every fifth review: IMDB itself, in a fifth of the time."""
    if not MIRROR.is_dir():
        pytest.skip("no IMDB mirror beside the project (../shared/imdb)")
    folder = tmp_path / "imdb"
    (folder / "plain_text").mkdir(parents=True)
    shutil.copy(MIRROR / "README.md", folder)
    for path in sorted((MIRROR / "plain_text").glob("*.parquet")):
        rows = pd.read_parquet(path)[::5]
        rows.to_parquet(folder / "plain_text" / path.name, index=False)
    return folder


@pytest.mark.full
def test_the_lesson_runs_on_imdb(tmp_path, fifth_of_imdb):
    # The runs with all of the pool are stored, and take a quarter hour.
    parameters = {"seeds": [0], "labelled": 1000, "transfer": 3500}
    done, _ = run_papermill(
        LESSON["03"],
        tmp_path,
        {**parameters, "output_dir": str(tmp_path / "out")},
        env=environment(DISTILL_IMDB=str(fifth_of_imdb)),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    content = json.loads((tmp_path / "out" / "results.json").read_text())
    assert content["settings"]["source"] == "imdb"
    rows = {row["name"]: row["accuracy"]["mean"] for row in content["rows"]}
    assert rows["teacher"] >= 0.928
    assert rows["distilled"] >= 0.87
    assert rows["distilled"] - rows["control"] >= 0.025


def test_the_lessons_command_knows_which_lessons_there_are(tmp_path):
    command = [
        sys.executable,
        "-m",
        "distill_helpers",
        "lessons",
        "--only",
        "99",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert done.returncode == 2
    assert "there is no lesson 99; there are 00, 01, " in done.stderr
