"""start.py calls the right programs, in the environment that they need."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ODD_NAME = "für's 100% [x]"


def load_start(root=ROOT):
    spec = importlib.util.spec_from_file_location("start", root / "start.py")
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    return start


@pytest.fixture
def started(monkeypatch):
    """Call start.py; return the words and the environment of what it starts."""
    start = load_start()
    calls = []

    def call(words, cwd, env, close_fds):
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


# ------------------------------------- an environment that was stopped, moved or spoilt
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "distill-helpers"
version = "1"
"""
BACKEND = r"""
import pathlib, zipfile
INFO, NAME = "distill_helpers-1.dist-info", "distill_helpers-1-py3-none-any.whl"
FILES = {
    "kit.pth": str(pathlib.Path.cwd()),
    f"{INFO}/METADATA":
        "Metadata-Version: 2.1\nName: distill-helpers\nVersion: 1\nProvides-Extra: test\n",
    f"{INFO}/WHEEL":
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/RECORD": f"kit.pth,,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n",
}
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(pathlib.Path(folder, NAME), "w") as wheel:
        for name, content in FILES.items():
            wheel.writestr(name, content)
    return NAME
"""
PIP = r"""
import os, pathlib, signal, sys, time
site = pathlib.Path(__file__).parent.parent
if "--editable" in sys.argv:
    if pathlib.Path("kill").exists():
        pathlib.Path("kill").unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        until = time.monotonic() + 60  # and goes on alone
        while not pathlib.Path("go").exists() and time.monotonic() < until:
            time.sleep(0.05)
        pathlib.Path("orphan").write_text("ended")
    elif "--no-index" in sys.argv and pathlib.Path("no-setuptools").exists():
        sys.exit(1)
    site.joinpath("kit.pth").write_text(os.getcwd(), "utf-8")
    info = site / "tqdm-1.dist-info"
    info.mkdir(exist_ok=True)
    info.joinpath("RECORD").write_bytes(b"tqdm.py,,6\n")
    site.joinpath("tqdm.py").write_bytes(b"whole\n")
"""
"""Does what pip would, in no time: our code, and one package."""


def make_clone(folder):
    package = folder / "distill_helpers"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("print(ascii(__file__))", "utf-8")
    shutil.copy(ROOT / "start.py", folder)
    (folder / "pyproject.toml").write_text(PROJECT, "utf-8")
    (folder / "backend.py").write_text(BACKEND, "utf-8")
    (folder / "constraints.txt").touch()
    return folder


def site_of(clone):
    return next(clone.glob(".venv/[Ll]ib/**/site-packages"))


def put_pip(clone):
    """Give an environment the pip from above."""
    site = site_of(clone)
    (site / "pip").mkdir(exist_ok=True)
    (site / "pip" / "__init__.py").touch()
    (site / "pip" / "__main__.py").write_bytes(PIP.encode())
    info = site / "pip-1.dist-info"
    info.mkdir(exist_ok=True)
    listed = f"pip/__main__.py,,{len(PIP.encode())}\n../../../bin/pip,,7\n"
    (info / "RECORD").write_text(listed, "utf-8")


def stand_in(monkeypatch):
    """Return what sets a clone up: it gives start.py and what that has called."""
    really = subprocess.call

    def run(clone):
        start = load_start(clone)
        calls = []

        def call(words, cwd, env, close_fds):
            calls.append(words[1:])
            if words[1:3] == ["-m", "venv"]:
                status = really([*words[:3], "--without-pip", *words[3:]], cwd=cwd)
                put_pip(clone)
                return status
            return really(words, cwd=cwd, env=env) if "pip" in words else 0

        monkeypatch.setattr(start.subprocess, "call", call)
        monkeypatch.setattr(sys, "argv", ["start.py", "doctor"])
        start.main()
        return start, calls

    return run


@pytest.fixture
def set_up(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """Make a clone that is set up; tests copy it."""
    clone = make_clone(tmp_path_factory.mktemp("start") / ODD_NAME)
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)(clone)
    return clone


@pytest.fixture
def clone(ready, tmp_path):
    """Give a clone that believes itself at home."""
    folder = shutil.copytree(ready, tmp_path / ODD_NAME, symlinks=True)
    start = load_start(folder)
    script = start.venv_python().with_name("activate")
    there = os.fsencode(ready.parent), os.fsencode(tmp_path)
    script.write_bytes(script.read_bytes().replace(*there))
    site_of(folder).joinpath("kit.pth").write_text(str(folder), "utf-8")
    start.STAMP.write_text(start.fingerprint(), "utf-8")
    return folder


def stamp(content):
    return lambda clone: (clone / ".venv/distill-setup.txt").write_bytes(content)


def lose(name, *more):
    """Take a file or a folder of the environment away, as if pip had been killed."""

    def do(clone):
        stamp(b"unfinished\n")(clone)
        for lost in (name, *more):
            (path,) = clone.glob(lost)
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return do


def empty(clone):
    shutil.rmtree(clone / ".venv")
    (clone / ".venv").mkdir()


def stop_early(clone):
    empty(clone)
    stamp(b"unfinished\n")(clone)


SITE = ".venv/[Ll]ib/**/site-packages"
MENDED = {
    "stopped before anything was made": stop_early,
    "stopped before pip was there": lose(f"{SITE}/pip", f"{SITE}/pip-1.dist-info"),
    "stopped before the stamp": lose(".venv/distill-setup.txt"),
    "stopped within pip's own files": lose(f"{SITE}/pip/__main__.py"),
    "stopped within a package": lose(f"{SITE}/tqdm.py"),
    "stopped before a package's list": lose(f"{SITE}/tqdm-1.dist-info/RECORD"),
    "its description lost": lose(".venv/pyvenv.cfg"),
    "our code not imported": lambda clone: (site_of(clone) / "kit.pth").unlink(),
    "a folder without anything": empty,
    "an empty stamp": stamp(b""),
    "a damaged stamp": stamp(b"\xff\xfe\x00\x80" * 9),
    "a stamp of another version": stamp(b'{"format": 99}'),
}


@pytest.mark.parametrize("spoil", MENDED)
def test_what_a_stopped_or_damaged_set_up_has_left_is_mended(clone, set_up, spoil):
    MENDED[spoil](clone)
    start, calls = set_up(clone)
    assert start.is_ready() and not start.is_moved()
    assert calls[-1] == ["-m", "distill_helpers", "doctor"]
    assert (site_of(clone) / "tqdm.py").read_text("utf-8") == "whole\n"
    assert not list(clone.glob(".venv-old*"))  # nothing was given up


@pytest.mark.skipif(os.name == "nt", reason="there a Python is copied, not linked")
@pytest.mark.parametrize("which", ["same", "another"])
def test_a_python_that_is_gone_is_replaced_and_nothing_deleted(clone, set_up, which):
    (clone / ".venv/mine.txt").write_text("mine", "utf-8")
    for link in clone.glob(".venv/bin/python*"):
        link.unlink()
        link.symlink_to("/no/such/python")
    if which == "another":
        text = "home = /no/such\nversion = 3.9.1\n"
        (clone / ".venv/pyvenv.cfg").write_text(text, "utf-8")
    assert set_up(clone)[0].is_ready()
    kept = ".venv-old" if which == "another" else ".venv"
    assert (clone / kept / "mine.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("way", ["moved", "copied"])
def test_a_clone_elsewhere_runs_its_own_code_and_needs_no_network(clone, set_up, way):
    first = load_start(clone)
    script = first.venv_python().with_name("tool")
    script.write_bytes(first.with_python(b"#!/a/bin/python\n1", first_python(first)))
    target = clone.with_name("elsewhere")
    if way == "moved":
        clone.rename(target)
    else:
        shutil.copytree(clone, target, symlinks=True)
    start, calls = set_up(target)
    assert start.own_code(start.ask(start.venv_python())) and not start.is_moved()
    script = start.venv_python().with_name("tool").read_bytes()
    assert script == start.with_python(b"#!/a/bin/python\n1", first_python(start))
    (pip,) = [words for words in calls if "pip" in words]
    assert {"--no-index", "--no-deps", "--no-build-isolation"} <= {*pip}
    assert way == "moved" or first.is_ready()
    assert set_up(target)[1] == [["-m", "distill_helpers", "doctor"]]


def first_python(start):
    return os.fsencode(start.venv_python())


def test_a_moved_clone_that_lacks_a_builder_asks_the_network(clone, set_up):
    (clone / "no-setuptools").touch()
    start, calls = set_up(clone.rename(clone.with_name("elsewhere")))
    assert start.is_ready()
    assert [words[-1] for words in calls if "pip" in words] == [".", ".[test]"]


def test_a_changed_list_of_packages_is_installed_and_no_more(clone, set_up):
    (clone / "constraints.txt").write_text("tqdm==1", "utf-8")
    _, calls = set_up(clone)
    assert [words[-1] for words in calls[:-1]] == [".[test]"]


def test_an_environment_of_the_readers_is_used_as_it_is(clone, set_up):
    """Made by another tool: no stamp, no pip, and it sees its Python's packages."""
    lose(".venv/distill-setup.txt", f"{SITE}/pip", f"{SITE}/pip-1.dist-info")(clone)
    config = clone / ".venv/pyvenv.cfg"
    text = config.read_text("utf-8").replace("packages = false", "packages = true")
    config.write_text(text, "utf-8")
    assert set_up(clone)[0].is_ready()
    assert "packages = true" in config.read_text("utf-8")


def link_to_nothing(clone):
    (clone / ".venv").symlink_to("/media/no stick/venv")


def folder_of_the_reader(clone):
    (clone / ".venv").mkdir()
    (clone / ".venv/thesis.txt").write_text("mine", "utf-8")


def stamp_that_is_a_folder(clone):
    (clone / ".venv/distill-setup.txt").mkdir(parents=True)


REFUSED = {
    "is a file": lambda clone: (clone / ".venv").touch(),
    "is a folder, but no virtual environment": folder_of_the_reader,
    "has no file, but something else as distill-setup.txt": stamp_that_is_a_folder,
}
if os.name != "nt":
    REFUSED["is a link to /media/no stick/venv, which is not there"] = link_to_nothing


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_environment_is_left_alone(tmp_path, set_up, what):
    clone = make_clone(tmp_path / "kit")
    REFUSED[what](clone)
    before = sorted(clone.rglob("*"))
    with pytest.raises(SystemExit, match=what) as refused:
        set_up(clone)
    assert "Rename or delete it, and call again" in " ".join(str(refused.value).split())
    assert sorted(clone.rglob("*")) == before


def test_a_living_python_that_does_not_fit_is_left_alone(clone, monkeypatch):
    start = load_start(clone)
    stamp(b"")(clone)
    monkeypatch.setattr(start, "OLDEST", (3, 98))
    monkeypatch.setattr(start, "NEWEST", (3, 99))
    this = "{}.{}".format(*sys.version_info)
    with pytest.raises(SystemExit, match=f"has Python {this}, .*rename or delete"):
        start.set_up(cpu_torch=False)
    assert start.stamped() == ""


def test_a_folder_that_cannot_be_written_is_told(tmp_path, set_up, monkeypatch):
    clone = make_clone(tmp_path / "kit")

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(SystemExit, match="cannot be made: .*Permission denied"):
            set_up(clone)


def test_a_clone_that_is_ready_needs_to_write_nothing(clone, set_up):
    before = {path: path.lstat().st_mtime_ns for path in clone.rglob("*")}
    assert set_up(clone)[1] == [["-m", "distill_helpers", "doctor"]]
    assert {path: path.lstat().st_mtime_ns for path in clone.rglob("*")} == before


def test_another_folders_code_behind_here_is_told(clone, monkeypatch, capsys):
    start = load_start(clone)
    monkeypatch.setattr(start.sys, "executable", str(start.venv_python()))
    start.warn_of_other_code()
    assert not capsys.readouterr().err
    site_of(clone).joinpath("kit.pth").write_text(str(ROOT), "utf-8")
    start.warn_of_other_code()
    told = capsys.readouterr().err
    assert f"imports distill_helpers from {ROOT}" in told and "--editable ." in told


@pytest.mark.skipif(os.name == "nt", reason="its locks do not pass on to a child")
def test_a_call_after_a_kill_waits_for_the_pip_that_goes_on(clone):
    stamp(b"unfinished\n")(clone)
    (clone / "kill").touch()
    words = [sys.executable, "start.py", "doctor"]
    killed = subprocess.run(words, cwd=clone, stdout=subprocess.DEVNULL, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not (clone / "orphan").exists()
    with subprocess.Popen(words, cwd=clone, stdout=subprocess.PIPE) as again:
        assert b"waiting for another start.py" in again.stdout.readline()
        assert not (clone / "orphan").exists()
        (clone / "go").touch()
        last = again.stdout.read().splitlines()[-1]
    assert (clone / "orphan").read_text("utf-8") == "ended"
    assert last.decode() == code_of(clone)


def code_of(clone):
    return ascii(str(clone / "distill_helpers" / "__main__.py"))


LONG = "/" + "l" * 130
EXEC = "#!/bin/sh\n'''exec' {} \"$0\" \"$@\"\n' '''\n1"
PROGRAMS = [  # what it is, where Python is now, what it should be
    ("#!/a/.venv/bin/python\n1", "/b/bin/python", "#!/b/bin/python\n1"),
    ("#!/a/bin/python3.11\n1", "/b'%/bin/python", "#!/b'%/bin/python\n1"),
    ("#!/a b/bin/python\n1", "/b c/bin/python", EXEC.format('"/b c/bin/python"')),
    ("#!/a/bin/python\n1", f"{LONG}/python", EXEC.format(f'"{LONG}/python"')),
    (EXEC.format('"/a b/bin/python"'), "/b/bin/python", "#!/b/bin/python\n1"),
    (EXEC.format(f"{LONG}/bin/python3"), "/b/bin/python", "#!/b/bin/python\n1"),
    *(
        (other, "/b/bin/python", other)
        for other in ("#!/usr/bin/env python3\n1", "#!/bin/sh\n/a/bin/python\n", "1")
    ),
    (
        'MZ\0#!"C:\\a b\\.venv\\Scripts\\python.exe"\r\nPK\3\4',
        "D:\\für's\\.venv\\Scripts\\python.exe",
        'MZ\0#!"D:\\für\'s\\.venv\\Scripts\\python.exe"\r\nPK\3\4',
    ),
    (
        "MZ\0#!C:\\a\\Scripts\\python.exe\nPK\3\4",
        "C:\\b\\Scripts\\python.exe",
        'MZ\0#!"C:\\b\\Scripts\\python.exe"\nPK\3\4',
    ),
]


@pytest.mark.parametrize(("old", "python", "new"), PROGRAMS)
def test_an_installed_program_starts_with_the_python_beside_it(old, python, new):
    start = load_start()
    assert start.with_python(old.encode(), python.encode()).decode() == new
    assert start.with_python(new.encode(), python.encode()).decode() == new


@pytest.mark.full
def test_the_real_venv_and_pip_set_up_move_and_mend(tmp_path):
    """The same once more without anything that stands in for venv or pip."""
    clone = make_clone(tmp_path / ODD_NAME)
    for step in ("made", "moved", "stopped"):
        if step == "moved":
            clone = clone.rename(clone.with_name("anders wo"))
        elif step == "stopped":
            lose(f"{SITE}/pip/_internal")(clone)
        words = [sys.executable, clone / "start.py", "doctor"]
        said = subprocess.run(words, capture_output=True, cwd=tmp_path, timeout=300)
        assert said.stdout.splitlines()[-1].decode() == code_of(clone), said.stderr
        start = load_start(clone)
        assert start.is_ready()
        pip = start.venv_python().with_name("pip")
        subprocess.run([pip, "--version"], check=True, capture_output=True)
