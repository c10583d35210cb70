"""What a lesson takes is measured, kept with its machine, and shown."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

from distill_helpers.classroom import running
from distill_helpers.classroom.costs import (
    STORED,
    Cost,
    costs_table,
    read_costs,
    watching,
    write_costs,
)

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
HOLD = "import time; block = bytearray(100 * 2**20); time.sleep(1.0)"


def test_the_memory_of_started_processes_and_the_time_are_seen():
    other = subprocess.Popen([sys.executable, "-c", HOLD])
    with watching() as cost:
        subprocess.run([sys.executable, "-c", HOLD], check=True)
    other.wait()
    assert 100 < cost.peak_mb < 200  # one block, not the one begun before
    assert cost.seconds >= 1.0


def test_an_error_inside_still_ends_the_watch():
    with pytest.raises(ZeroDivisionError), watching() as cost:
        1 / 0  # noqa: B018
    assert cost.seconds > 0


def test_costs_are_kept_with_their_machine_and_shown(tmp_path):
    path = tmp_path / "costs.json"
    costs = {"01_a": Cost(90.04, 512.4), "02_b": Cost(6.0, 100.0)}
    write_costs(costs, {"cores": 2}, path)
    found = read_costs(path)
    assert found["machine"] == {"cores": 2}
    table = costs_table(found)
    assert table.loc["01_a"].tolist() == [1.5, 512]


def test_one_lesson_is_recorded_anew_on_the_same_machine_alone(tmp_path):
    path = tmp_path / "costs.json"
    write_costs({"01_a": Cost(1.0, 1.0), "02_b": Cost(2.0, 2.0)}, {"cores": 2}, path)
    write_costs({"01_a": Cost(3.0, 3.0)}, {"cores": 2}, path)
    kept = read_costs(path)["lessons"]
    assert [(name, kept[name]["seconds"]) for name in kept] == [
        ("01_a", 3),
        ("02_b", 2),
    ]
    before = path.read_bytes()
    with pytest.raises(ValueError, match="the one that 02_b ran on"):
        write_costs({"01_a": Cost(4.0, 4.0)}, {"cores": 8}, path)
    assert path.read_bytes() == before
    write_costs({"01_a": Cost(5.0, 5.0), "02_b": Cost(5.0, 5.0)}, {"cores": 8}, path)
    assert read_costs(path)["machine"] == {"cores": 8}


def test_the_stored_costs_are_those_of_the_lessons_that_there_are():
    lessons = {path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")}
    kept = read_costs(STORED)["lessons"]
    assert set(kept) == lessons
    assert all(cost["seconds"] > 0 and cost["peak_mb"] > 0 for cost in kept.values())
    assert kept["00_start_here"]["seconds"] <= 30  # it promises to be quick


def lessons_that(monkeypatch, kept, fail=()):
    """Stand in for two lessons, of which some fail; note what is recorded."""
    paths = [Path("01_a.ipynb"), Path("02_b.ipynb")]

    def run(path, folder, source, progress):
        if path.name in fail:
            raise PapermillExecutionError(1, 1, "x", "ValueError", "no", [])
        return path

    def write(costs, machine):
        kept.append(set(costs))
        return Path("costs.json")

    monkeypatch.setattr(running, "lesson_paths", lambda: paths)
    monkeypatch.setattr(running, "run_lesson", run)
    monkeypatch.setattr(running, "write_costs", write)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")


def test_the_costs_of_all_lessons_are_recorded(monkeypatch, capsys):
    kept = []
    lessons_that(monkeypatch, kept)
    assert running.main(["--record"]) == 0
    assert kept == [{"01_a", "02_b"}]
    assert "kept costs.json" in capsys.readouterr().out


def test_a_lesson_that_failed_is_named_and_nothing_is_recorded(monkeypatch, capsys):
    kept = []
    lessons_that(monkeypatch, kept, fail=["02_b.ipynb"])
    assert running.main(["--record"]) == 1
    told = capsys.readouterr()
    assert kept == [] and "passed 01_a.ipynb" in told.out
    assert "FAILED 02_b.ipynb" in told.err
    assert "--record: nothing was kept, for 02_b.ipynb failed" in told.err


def test_costs_of_another_machine_end_without_a_traceback(monkeypatch):
    lessons_that(monkeypatch, [])

    def refuses(costs, machine):
        raise ValueError("machine must be the one that 03_c ran on")

    monkeypatch.setattr(running, "write_costs", refuses)
    with pytest.raises(SystemExit, match="--record: machine must be the one"):
        running.main(["--record"])


def test_the_start_page_shows_the_costs_that_are_kept():
    notebook = nbformat.read(NOTEBOOKS / "00_start_here.ipynb", as_version=4)
    shown = [
        "".join(output["data"]["text/html"])
        for cell in notebook.cells
        if "costs_table" in cell.source
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    now = costs_table(read_costs())._repr_html_()
    assert shown == [now], "run 00_start_here.ipynb again and store it"
