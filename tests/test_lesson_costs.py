"""What a lesson takes is measured, kept with its machine, and shown."""

import subprocess
import sys
from pathlib import Path

import pytest

from distill_helpers.lesson_costs import (
    STORED,
    Cost,
    costs_table,
    read_costs,
    watching,
    write_costs,
)

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
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


def test_the_stored_costs_are_those_of_the_lessons_that_there_are():
    lessons = {path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")}
    kept = read_costs(STORED)["lessons"]
    assert set(kept) == lessons
    assert all(cost["seconds"] > 0 and cost["peak_mb"] > 0 for cost in kept.values())
    assert kept["00_start_here"]["seconds"] <= 30  # it promises to be quick
