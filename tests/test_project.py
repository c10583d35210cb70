"""The project's own promises: one list of dependencies, safe formats, size."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = sorted((ROOT / "distill_helpers").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def requirement_names(lines):
    return {
        re.split(r"[\s<>=;\[~!]", line)[0].lower().replace("_", "-") for line in lines
    }


def test_conda_installs_the_project_and_lists_nothing_twice():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["--editable .[test]"]
    listed = requirement_names(PROJECT["dependencies"])
    assert not requirement_names(plain) & listed
    python = next(d for d in plain if d.startswith("python="))
    low, high = re.match(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(low) <= int(python.split(".")[1]) < int(high)


def test_every_dependency_has_a_lower_and_an_upper_bound():
    extras = PROJECT["optional-dependencies"]["test"]
    for line in PROJECT["dependencies"] + extras:
        bounds, *_ = line.split(";")
        assert re.fullmatch(r"[a-z0-9-]+>=[\d.]+,<[\d.]+", bounds), line


def test_the_constraints_pin_every_dependency_within_its_bounds():
    from packaging.requirements import Requirement

    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pins[name.lower().replace("_", "-")] = version
    extras = PROJECT["optional-dependencies"]["test"]
    for line in PROJECT["dependencies"] + extras:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        assert requirement.specifier.contains(pins[requirement.name]), line


def test_importing_the_package_is_cheap():
    code = "import sys, distill_helpers; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_every_name_that_the_package_hands_on_exists():
    import distill_helpers

    for name in distill_helpers.__all__:
        assert getattr(distill_helpers, name).__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        distill_helpers.no_such_name  # noqa: B018


def test_no_module_is_named_for_nothing_in_particular():
    vague = {"utils", "util", "common", "misc", "helpers", "tools"}
    assert not vague & {source.stem for source in SOURCES}


def test_no_script_beside_the_package_is_long():
    scripts = [*ROOT.glob("*.py"), *(ROOT / "docs").glob("*.py")]
    assert ROOT / "start.py" in scripts
    for script in scripts:
        assert len(script.read_text("utf-8").splitlines()) < 500, script.name


def test_only_safe_formats_and_no_remote_code():
    banned = (
        r"\bpickle\b|torch\.save\(|torch\.load\(|joblib|trust_remote_code\s*=\s*True"
        r"|(?<!\.)\beval\("  # the built-in function, not a module's .eval()
    )
    assert re.search(banned, "x = eval(text)")
    for source in SOURCES:
        assert not re.search(banned, source.read_text()), source.name


def test_no_path_of_a_machine_and_no_registry_host_is_in_the_project():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of files")
    banned = re.compile(
        r"(^|[^\w.])/(work|root|home/[a-z]+|tmp/[a-z]+)/|"
        + "pypi"
        + r"\.org|python"
        + "hosted|npm"
        + r"js\.org"
    )
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".yml", ".txt", ".ipynb", ".json"):
            if path.is_file() and path.name != "test_project.py":
                assert not banned.search(path.read_text("utf-8")), name


def test_no_tracked_file_is_large():
    for path in (ROOT / "data").rglob("*"):
        assert path.stat().st_size < 5 * 2**20, path.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_whole_and_fit_to_read(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", [])]
    assert tags.count("parameters") == 1
    outputs = [output for cell in code for output in cell["outputs"]]
    assert all(cell["execution_count"] for cell in code), "a cell was never run"
    assert not [o for o in outputs if o["output_type"] == "error"]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    sources = ["".join(cell["source"]) for cell in code]
    assert max(len(line) for s in sources for line in s.splitlines()) <= 79
    assert not any(re.search(r"^\s*[!%]\s*(pip|conda)", s, re.M) for s in sources)
    run = longest = 0
    for cell in cells:
        run = run + 1 if cell["cell_type"] == "code" else 0
        longest = max(longest, run)
    assert longest <= 3
    for output in outputs:
        if "image/png" in output.get("data", {}):
            assert output["metadata"]["image/png"]["alt"], "a picture without alt text"


def test_the_readme_names_commands_that_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    start = (ROOT / "start.py").read_text("utf-8")
    for module in re.findall(r"python -m (distill_helpers[\w.]*)", readme):
        assert importlib.util.find_spec(module), module
    commands = set(re.findall(r"python start\.py ([a-z-]+)", readme))
    assert {"lessons", "tests", "lab"} <= commands
    for command in commands:
        assert f'"{command}"' in start


@pytest.mark.xdist_group("together")
def test_tests_that_share_a_long_run_go_to_one_process(request):
    """Pytest-xdist marks a group in the test's name; without it, lessons run twice."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("the tests run in one process, or without --dist loadgroup")
    assert request.node.nodeid.endswith("@together")


def test_no_two_test_files_share_a_name():
    """Pytest imports them by their names alone, ``conftest`` too."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py")]
    assert len(set(names)) == len(names)
