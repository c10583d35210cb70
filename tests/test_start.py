"""start.py calls the right programs, in the environment that they need."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def started(monkeypatch):
    """Call start.py; return the words and the environment of what it starts."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    calls = []

    def call(words, cwd, env):
        calls.append((words, env))
        return 0

    monkeypatch.setattr(start.subprocess, "call", call)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["start.py", *words, "--here"])
        start.main()
        return calls

    return run


def test_the_fast_tests_leave_whole_lessons_and_benchmarks_out(started):
    ((words, environment),) = started("tests")
    assert words[-2:] == ["-m", "not full"]
    assert "--ignore=tests/benchmarks" in words
    assert int(environment["OMP_NUM_THREADS"]) >= 1


def test_the_full_tests_are_all_of_them_and_the_benchmarks(started):
    (tests, _), (benchmarks, environment) = started("tests", "--full")
    assert "not full" not in tests and tests[1:3] == ["-m", "pytest"]
    assert benchmarks[-1] == "tests/benchmarks"
    assert "--full" not in tests + benchmarks
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert ci.rstrip().endswith("start.py tests --full")


def test_chosen_tests_are_handed_on_to_pytest(started):
    ((words, _),) = started("tests", "tests/test_start.py", "-k", "ci")
    assert words[1:] == ["-m", "pytest", "tests/test_start.py", "-k", "ci"]


@pytest.mark.parametrize(
    ("command", "name"),
    [("lessons", "lessons"), ("doctor", "doctor"), ("fetch-imdb", "fetch")],
)
def test_the_kit_is_called_by_its_one_program(started, command, name):
    ((words, _),) = started(command, "--option")
    assert words[1:] == ["-m", "distill_helpers", name, "--option"]


def test_threads_that_wait_sleep_unless_the_reader_wants_otherwise(
    started, monkeypatch
):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert started("lab")[-1][1]["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert started("lab")[-1][1]["OMP_WAIT_POLICY"] == "ACTIVE"
