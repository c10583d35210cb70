"""A regular install, outside the clone: the wheel has all that a lesson asks for."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest

from distill_helpers.teachers.opening import open_teacher

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.xdist_group("wheel")  # one process builds and installs

ROOT = Path(__file__).resolve().parent.parent
IN_THE_ARCHIVE = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


def call(*words, cwd, **change):
    """Run Python's programs without a network and without the clone's packages."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"HF_HUB_OFFLINE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment | change,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_wheel(source, folder):
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    call(*pip, "--no-build-isolation", "--wheel-dir", folder, source, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """What of the project goes into an archive; building leaves things behind."""
    folder = tmp_path_factory.mktemp("source")
    for name in IN_THE_ARCHIVE:
        shutil.copy(ROOT / name, folder)
    for name in ("distill_helpers", "data"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


@pytest.fixture(scope="session")
def wheel(source, tmp_path_factory):
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel: its folder and its Python.

    Everything else comes from the environment of the tests, whose own copy of
    the kit is not reached: files that switch on editable installs are not read.
    """
    folder = tmp_path_factory.mktemp("fresh")
    call(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    programs = "Scripts" if os.name == "nt" else "bin"
    python = folder / programs / ("python.exe" if os.name == "nt" else "python")
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(call(python, "-c", asked, cwd=folder).strip())
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    # A copy among the borrowed packages is not to be taken for an older version.
    call(*pip, "--no-deps", "--no-index", "--ignore-installed", wheel, cwd=folder)
    assert (packages / "distill_helpers").is_dir()
    return folder, python


def ask(installed, code, tmp_path):
    """Run code in the fresh environment, in a folder that holds nothing."""
    _, python = installed
    return json.loads(call(python, "-c", code, cwd=tmp_path).splitlines()[-1])


def test_the_wheel_holds_every_file_of_the_package_and_of_data(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    for folder, home in (("data", "distill_helpers/shipped"),) + (
        ("distill_helpers", "distill_helpers"),
    ):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"{home}/{path.relative_to(ROOT / folder).as_posix()}"
                assert name in packed


def test_the_wheel_holds_nothing_else(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops - {"distill_helpers"} == {f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}


def test_a_wheel_made_of_the_source_archive_is_the_same(source, wheel, tmp_path):
    code = "from setuptools import build_meta as b; b.build_sdist({!r})"
    call(sys.executable, "-c", code.format(str(tmp_path)), cwd=source)
    (archive,) = tmp_path.glob("*.tar.gz")
    again = build_wheel(archive, tmp_path)
    names = [sorted(zipfile.ZipFile(one).namelist()) for one in (again, wheel)]
    assert names[0] == names[1]


def test_an_installed_kit_has_its_reviews_and_teacher(installed, reviews, tmp_path):
    folder, _ = installed
    code = """
import json, distill_helpers
from distill_helpers import load_reviews
from distill_helpers.places import DATA
from distill_helpers.teachers import open_teacher
reviews = load_reviews("sample")
logits = open_teacher("shipped", "no-cache").logits(reviews["test"]["text"][:3])
print(json.dumps([distill_helpers.__file__, str(DATA), reviews["test"].num_rows,
    logits.tolist()]))
"""
    home, data, rows, logits = ask(installed, code, tmp_path)
    assert Path(home).is_relative_to(folder) and Path(data).is_relative_to(folder)
    assert rows == reviews["test"].num_rows
    expected = open_teacher("shipped", "no-cache").logits(reviews["test"]["text"][:3])
    assert logits == expected.tolist()


def test_the_doctor_finds_nothing_amiss_in_an_installed_kit(installed, tmp_path):
    folder, _ = installed
    code = """
import json
from distill_helpers.classroom.doctor import data, jupyter, packages
checks = data.check_data, jupyter.check_browser, packages.check_installation
found = [check() for check in checks]
wanted = packages.declared()
print(json.dumps([[f.status, f.seen] for f in found] + [sorted(wanted.packages)]))
"""
    files, browser, installation, extras = ask(installed, code, tmp_path)
    assert files[0] == browser[0] == installation[0] == "OK"
    assert str(folder) in installation[1]
    assert {"", "phone", "serve"} <= set(extras)


def test_what_only_a_clone_has_is_named_as_such(installed, tmp_path):
    code = """
import json
from distill_helpers.export.browser import RuntimeMissingError, runtime_files
try:
    runtime_files()
except RuntimeMissingError as error:
    print(json.dumps(str(error)))
"""
    said = ask(installed, code, tmp_path)
    assert "has no package.json: it comes with a clone of the project" in said
    _, python = installed
    lessons = [python, "-m", "distill_helpers", "lessons"]
    done = subprocess.run(lessons, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "a clone of the project" in done.stderr


@pytest.mark.full
def test_lesson_00_runs_from_the_wheel_outside_the_clone(installed, tmp_path):
    folder, python = installed
    lesson = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    where = "import distill_helpers\nprint('kit:', distill_helpers.__file__)"
    lesson.cells.append(nbformat.v4.new_code_cell(where))
    nbformat.write(lesson, tmp_path / "lesson.ipynb")
    # The short profile is read from the wheel, too.
    (facts,) = folder.rglob("distill_helpers/lessons/l00/lesson.toml")
    short = tomllib.loads(facts.read_text("utf-8"))["short"]
    assert set(short) == {"labelled", "transfer", "seeds"}
    (tmp_path / "short.json").write_text(json.dumps(short))
    words = ["lesson.ipynb", "done.ipynb", "-f", "short.json", "--no-progress-bar"]
    call(python, "-m", "papermill", *words, cwd=tmp_path)
    cells = json.loads((tmp_path / "done.ipynb").read_text("utf-8"))["cells"]
    outputs = [o for c in cells if c["cell_type"] == "code" for o in c["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error"]
    (home,) = cells[-1]["outputs"]
    assert Path("".join(home["text"]).removeprefix("kit:").strip()).is_relative_to(
        folder
    )
