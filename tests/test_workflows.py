"""The workflow runs the README's commands on every system and Python it names."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


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
    (path,) = WORKFLOWS
    start, jobs = load_start(), content(path)["jobs"]
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
        assert {*known} <= {"--full", "--cpu-torch", "--here"}
    folder = content(path)["defaults"]["run"]["working-directory"]
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
            listed = step["with"].get("cache-dependency-path", "").split("\n")
            for name in filter(None, listed):
                where, _, file = name.partition("/")
                assert where == folder and (ROOT / file).is_file()
