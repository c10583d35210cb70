"""The workflows run the README's commands, on every system and Python it names."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from distill_helpers.classroom.book import command

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))


def load_start():
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    return start


def content(path):
    return yaml.safe_load(path.read_text("utf-8"))


def steps(path):
    return [step for job in content(path)["jobs"].values() for step in job["steps"]]


def test_the_fast_tests_run_on_every_system_and_python():
    start, jobs = load_start(), content(FOLDER / "tests.yml")["jobs"]
    matrix = jobs["fast"]["strategy"]["matrix"]
    first, last = start.OLDEST[1], start.NEWEST[1]
    assert matrix["python"] == [f"3.{minor}" for minor in range(first, last + 1)]
    systems = {name.partition("-")[0] for name in matrix["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    assert jobs["fast"]["steps"][-1]["run"].startswith("python start.py tests ${{")
    assert jobs["full"]["steps"][-1]["run"] == (
        "python start.py tests --full --cpu-torch"
    )
    pinned = "{}.{}".format(*start.PINNED_PYTHON)
    assert jobs["full"]["steps"][1]["with"]["python-version"] == pinned


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_what_there_is_and_needs_no_secret(path):
    start = load_start()
    text = path.read_text("utf-8")
    assert "secrets" not in text
    assert content(path)["permissions"] == {"contents": "read"}
    called = [step["run"] for step in steps(path) if "run" in step]
    assert called
    for line in called:
        python, program, command, *options = line.split()
        assert (python, program) == ("python", "start.py")
        assert command in start.COMMANDS
        known = [word for word in options if word.startswith("--")]
        assert {*known} <= {"--full", "--cpu-torch", "--here", "--repository"}
    folder = content(path)["defaults"]["run"]["working-directory"]
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
            given = step.get("with", {})
            listed = given.get("cache-dependency-path", "").split("\n")
            for name in filter(None, listed):
                where, _, file = name.partition("/")
                assert where == folder and (ROOT / file).is_file()


def test_the_book_is_made_before_it_is_published_and_knows_its_repository():
    jobs = content(FOLDER / "book.yml")["jobs"]
    build, publish = jobs["build"], jobs["publish"]
    (made,) = [step["run"] for step in build["steps"] if "run" in step]
    assert made == (
        "python start.py book --cpu-torch --repository ${{ github.repository }}"
    )
    folder = content(FOLDER / "book.yml")["defaults"]["run"]["working-directory"]
    kept = build["steps"][-1]["with"]["path"]
    assert kept == f"{folder}/{command.FOLDER.as_posix()}"
    assert publish["needs"] == "build"


def test_only_the_job_that_publishes_may_do_more_than_read():
    for path in WORKFLOWS:
        for name, job in content(path)["jobs"].items():
            allowed = (
                {"pages": "write", "id-token": "write"} if name == "publish" else None
            )
            assert job.get("permissions") == allowed, (path.name, name)


def test_all_tests_run_where_the_book_can_be_made():
    jobs = content(FOLDER / "tests.yml")["jobs"]
    runs = [step["run"] for step in jobs["full"]["steps"] if "run" in step]
    assert runs[0] == "python start.py book --cpu-torch"
