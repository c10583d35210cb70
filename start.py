#!/usr/bin/env python3
"""Set up the kit and run it. Needs nothing but Python 3.10 to 3.13.

    python start.py lessons      run every lesson on the sample, offline
    python start.py tests        run the tests that need no whole lesson
    python start.py tests --full  run all tests, and measure the speed
    python start.py lab          open JupyterLab on the lessons
    python start.py doctor       check this machine, and say what to do
    python start.py fetch-imdb   download IMDB from the Hub (asks the network)
    python start.py fetch-browser  install what runs a model in a page (npm)
    python start.py book         make a site of the course, in build/book

The first call makes a virtual environment in .venv and installs the packages;
later calls reuse it, and mend it if a call was killed or the folder was moved.
--here uses the Python that runs this script instead, as inside a conda
environment. --cpu-torch installs PyTorch without CUDA.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "distill-setup.txt"
OWN_CODE = ROOT / "distill_helpers" / "__init__.py"
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST, NEWEST = (3, 10), (3, 13)
PINNED_PYTHON = (3, 11)
PATIENCE = 1800  # seconds that a call waits for another one to set up
# Two tests at a time; what measures time has the machine for itself afterwards.
TESTS = ["-m", "pytest", "-n", "2", "--dist", "loadgroup", "--durations=40"]
TESTS += ["--ignore=tests/benchmarks"]
FAST = ["-m", "not full"]
BENCHMARKS = ["-m", "pytest", "tests/benchmarks"]
NPM = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
# It opens at the start page, and asks no network for news or newer versions.
LAB = [
    "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
COMMANDS = {
    "lessons": ["-m", "distill_helpers", "lessons"],
    "tests": ["-m", "pytest"],
    "lab": ["-m", "jupyterlab", "--notebook-dir", str(ROOT), *LAB],
    "doctor": ["-m", "distill_helpers", "doctor"],
    "fetch-imdb": ["-m", "distill_helpers", "fetch"],
    "fetch-browser": [],
    "book": ["-m", "distill_helpers", "book"],
}
BOOK = ("sphinx", "myst_nb", "numpydoc", "pydata_sphinx_theme")  # make its pages
# What a Python says of itself; as in a notebook, the current folder does not count.
QUESTION = """
import importlib.util, json, sys
sys.path[:] = [place for place in sys.path if place]
code = importlib.util.find_spec("distill_helpers")
print(json.dumps({
    "version": sys.version_info[:2],
    "prefix": sys.prefix,
    "base": getattr(sys, "_base_executable", sys.executable),
    "code": code and code.origin,
}))
"""


def venv_python() -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    name = "python.exe" if os.name == "nt" else "python"
    return VENV / folder / name


def run(*command: object, threads: int | None = None) -> None:
    """Run a program; end with its exit status if it fails."""
    status = status_of(*command, threads=threads)
    if status:
        raise SystemExit(status)


def status_of(*command: object, threads: int | None = None) -> int:
    """Run a program; return its exit status."""
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    # Threads that wait sleep: processes side by side do not hold each other up.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    # The lock of `alone` goes along, and is held until the program has ended.
    return subprocess.call(words, cwd=ROOT, env=environment, close_fds=False)


# ------------------------------------------------------------ what there is already
def ask(python: str | Path) -> dict | None:
    """Ask a Python what it is and whose code it imports; None if it does not run."""
    words = [str(python), "-c", QUESTION]
    try:
        said = subprocess.run(words, capture_output=True, cwd=ROOT, timeout=300).stdout
        found = json.loads(said.splitlines()[-1])
        return found if isinstance(found, dict) else None
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None


def own_code(found: dict) -> bool:
    """Say whether a Python imports the code of this folder, not of another one."""
    return bool(found["code"]) and Path(found["code"]).resolve() == OWN_CODE


def fingerprint(python: tuple[int, int] = sys.version_info[:2]) -> str:
    """Name a set-up: by what is installed, and in a second line by its folder."""
    packages = hashlib.sha256(repr(tuple(python)).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        packages.update((ROOT / name).read_bytes())
    return f"{packages.hexdigest()}\n{place()}\n"


def place() -> str:
    return hashlib.sha256(os.fsencode(ROOT)).hexdigest()


def stamped() -> str:
    """Return what the last set-up has left; what cannot be read fits nothing."""
    try:
        return STAMP.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def is_ready() -> bool:
    found = ask(venv_python())
    if not is_at_home(found) or not own_code(found):
        return False
    return stamped() == fingerprint(found["version"])


def is_at_home(found: dict | None) -> bool:
    """Say whether what runs is the environment, not the Python that made it.

    Without its ``pyvenv.cfg`` an environment's Python is that of the whole
    machine, into which nothing must be installed.
    """
    return found is not None and Path(found["prefix"]).resolve() == VENV.resolve()


def is_moved() -> bool:
    """Say whether the environment takes itself for one in another folder."""
    script = venv_python().with_name("activate")
    if not script.is_file():
        return True
    text = script.read_bytes()
    return not any(os.fsencode(it) in text for it in (VENV, shlex.quote(str(VENV))))


def has_pip() -> bool:
    if not is_at_home(ask(venv_python())):
        return False
    if not any(info.name.startswith("pip-") for info in installed()):
        return False
    words = [str(venv_python()), "-m", "pip", "--version"]
    return not subprocess.run(words, capture_output=True, cwd=ROOT).returncode


def made_by() -> tuple[int, int] | None:
    """Read from the environment for which Python it was made."""
    try:
        text = (VENV / "pyvenv.cfg").read_text("utf-8", errors="replace")
    except OSError:
        return None
    told = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
    return told and (int(told[1]), int(told[2]))


def installed() -> list[Path]:
    """Return the folders in which packages say what they are."""
    inside = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
    return sorted(VENV.glob(f"{inside}/*.dist-info"))


def is_torn(info: Path) -> bool:
    """Say whether a package lacks a file that its own list names, or that list."""
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if len(row) == 3]
        return any(
            os.stat(info.parent / name).st_size != int(size)
            for name, _, size in rows
            if size and not name.startswith("..")  # scripts name their Python
        )
    except (OSError, ValueError, csv.Error):
        return True


# ------------------------------------------------------------------- making it ready
def set_up(cpu_torch: bool) -> None:
    """Make the environment, or mend it, unless it is there and up to date."""
    if is_ready():
        return
    try:
        with alone():
            if not is_ready():
                make_ready(cpu_torch)
    except OSError as error:
        raise SystemExit(
            f"The environment {VENV} cannot be made: {error}. Copy the project to a"
            " folder of yours with space in it, or install the packages elsewhere"
            " and add --here (docs/ways_in.md)."
        ) from None


@contextmanager
def alone() -> Iterator[None]:
    """Let one call at a time set up; what a killed one has started counts as well."""
    path = Path(tempfile.gettempdir(), f"distill-setup-{place()[:16]}.lock")
    try:
        file = path.open("ab")
    except OSError:  # another account's, perhaps; then go on as well as may be
        yield
        return
    with file:
        until = time.monotonic() + PATIENCE
        while not locked(file.fileno()):
            if time.monotonic() > until:
                raise SystemExit(
                    "Another call of start.py has been setting up this folder for"
                    f" {PATIENCE // 60} minutes. End it, and call again."
                )
            if until - time.monotonic() > PATIENCE - 0.5:
                print("waiting for another start.py that sets up .venv", flush=True)
            time.sleep(1)
        yield


def locked(handle: int) -> bool:
    """Try to lock a file until it is closed; where locks are unknown, say yes."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.set_inheritable(handle, True)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def make_ready(cpu_torch: bool) -> None:
    """Bring the environment, whatever there is of it, to what it should be."""
    refuse_what_is_no_environment()
    VENV.mkdir(exist_ok=True)
    before = stamped()
    found = ask(venv_python())
    version = tuple(found["version"]) if found else made_by()
    if found is None and version not in (None, sys.version_info[:2]):
        put_aside(f"Its Python {version[0]}.{version[1]} is gone")
    elif found and not OLDEST <= version <= NEWEST:
        raise SystemExit(
            f"{VENV} has Python {version[0]}.{version[1]}, and {supported()} is needed:"
            " rename or delete that folder, and call again."
        )
    wanted = fingerprint(version if found else sys.version_info[:2])
    same_packages = before.split("\n")[0] == wanted.split("\n")[0]
    if not same_packages:
        STAMP.write_text("unfinished\n", "utf-8")
        drop_torn_packages()
    if not has_pip() or ((VENV / "pyvenv.cfg").is_file() and is_moved()):
        renew(found)
    if not has_pip():
        put_aside("Its pip cannot be mended")
        STAMP.write_text("unfinished\n", "utf-8")
        renew(None)
        same_packages = False
    if not (same_packages and install_own_code()):
        install(cpu_torch)
    found = ask(venv_python())
    if not is_at_home(found) or not own_code(found):
        raise SystemExit(
            f"{VENV} is set up, but imports distill_helpers from"
            f" {found and found['code']} where {OWN_CODE} is meant: unset PYTHONPATH if"
            " it leads there, or rename .venv, and call again."
        )
    STAMP.write_text(fingerprint(found["version"]), "utf-8")


def refuse_what_is_no_environment() -> None:
    """Leave alone what somebody else keeps under the environment's name."""
    if not os.path.lexists(VENV):
        return
    if not VENV.exists():
        what = f"is a link to {os.readlink(VENV)}, which is not there"
    elif not VENV.is_dir():
        what = "is a file"
    elif STAMP.exists() and not STAMP.is_file():
        what = f"has no file, but something else as {STAMP.name}"
    elif (
        any(VENV.iterdir())
        and not (VENV / "pyvenv.cfg").is_file()
        and not STAMP.is_file()
        and not is_at_home(ask(venv_python()))
    ):
        what = "is a folder, but no virtual environment"
    else:
        return
    raise SystemExit(
        f"{VENV} {what}; start.py keeps its packages there. Rename or delete it, and"
        " call again."
    )


def put_aside(why: str) -> None:
    """Make way for a new environment; what there was may hold what is wanted."""
    names = (f"{VENV.name}-old{number}" for number in ("", *range(2, 1000)))
    free = next(name for name in names if not os.path.lexists(ROOT / name))
    VENV.rename(ROOT / free)
    print(f"{why}: .venv is now {free}; delete it when you miss nothing.", flush=True)
    VENV.mkdir()


def drop_torn_packages() -> None:
    """Forget packages that a killed pip has left half installed: pip adds them anew."""
    for info in filter(is_torn, installed()):
        print(f"{info.name.removesuffix('.dist-info')} is incomplete", flush=True)
        shutil.rmtree(info)


def renew(found: dict | None) -> None:
    """Make the environment's Python, pip and scripts; packages stay as they are."""
    for link in venv_python().parent.glob("python*"):
        if link.is_symlink() and not link.exists():
            link.unlink()
    base = found["base"] if found else getattr(sys, "_base_executable", sys.executable)
    run(base, "-m", "venv", *shared_packages(), VENV)
    for script in venv_python().parent.iterdir():
        if script.is_file() and not script.is_symlink():
            mend_script(script)


def shared_packages() -> list[str]:
    """Return the option for an environment that sees its Python's packages too."""
    try:
        text = (VENV / "pyvenv.cfg").read_text("utf-8", errors="replace")
    except OSError:
        return []
    shared = re.search(r"^include-system-site-packages\s*=\s*true", text, re.M | re.I)
    return ["--system-site-packages"] if shared else []


def mend_script(script: Path) -> None:
    """Let an installed program start with this environment's Python."""
    old = script.read_bytes()
    new = with_python(old, os.fsencode(venv_python()))
    if new != old:
        script.write_bytes(new)


def with_python(script: bytes, python: bytes) -> bytes:
    """Exchange the Python that a program starts with, as pip has written it there.

    Elsewhere it stands in the first line, or in the second if it is long or has
    spaces; on Windows inside of a program, in front of the archive that it runs.
    """
    line = b"#!" + python + b"\n"
    if b" " in python or len(line) > 127:
        start = b"#!/bin/sh\n'''exec' \""  # what sh runs, Python reads as a text
        line = start + python + b'" "$0" "$@"\n' + b"' '''\n"
    plain = rb"\A#!/[^\n]*/bin/python[\d.]*\n"
    indirect = rb"\A#!/bin/sh\n'''exec' [^\n]*/bin/python[\d.]*\"? [^\n]*\n' '''\n"
    for shape in (plain, indirect):
        script = re.sub(shape, lambda _: line, script, count=1)
    inside = rb'#!"?[A-Za-z]:[^\n"\x00]*\\Scripts\\python\.exe"?(?=\r?\n)'
    quoted = b'#!"' + python + b'"'
    return re.sub(inside, lambda _: quoted, script, count=1)


def install_own_code() -> bool:
    """Let the environment import this folder's code, without a network if it can."""
    pip = [venv_python(), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    return not status_of(*pip, "--no-build-isolation", "--editable", ".")


def install(cpu_torch: bool) -> None:
    """Install the kit and all that it needs."""
    pip = [venv_python(), "-m", "pip", "install", "--quiet"]
    pins = pinned(ask(venv_python()))
    if cpu_torch:
        run(*pip, "uv")
        uv = [venv_python(), "-m", "uv", "pip", "install"]
        run(*uv, "--python", venv_python(), "--torch-backend=cpu", *pins, "torch")
    run(*pip, *pins, "--editable", ".[test]")


def pinned(found: dict | None) -> list[object]:
    """Return the option for tested versions, where they fit the Python."""
    fits = found and tuple(found["version"]) == PINNED_PYTHON
    return ["--constraint", CONSTRAINTS] if fits else []


def set_up_book(python: Path, here: bool) -> None:
    """Install what the book needs, once; with --here it says itself what lacks."""
    if not here and lacks_book(python):
        print("The book needs Sphinx and a theme: installing them, once", flush=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        run(*pip, *pinned(ask(python)), "--editable", ".[book]")


def lacks_book(python: Path) -> bool:
    """Say whether a Python lacks something that makes the book's pages."""
    looks = f"import importlib.util as u; exit(not all(map(u.find_spec, {BOOK})))"
    return subprocess.run([str(python), "-c", looks], cwd=ROOT).returncode != 0


def warn_of_other_code() -> None:
    """Say so if notebooks would import another folder's code."""
    found = ask(sys.executable)
    if found and found["code"] and not own_code(found):
        print(
            f"{sys.executable} imports distill_helpers from {found['code']}, not from"
            f" {OWN_CODE}: call '{sys.executable} -m pip install --editable .' if you"
            " mean this folder's.",
            file=sys.stderr,
            flush=True,
        )


def supported() -> str:
    return "Python {}.{} to {}.{}".format(*OLDEST, *NEWEST)


def fetch_browser() -> None:
    """Install the pinned packages of browser/package.json with npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed for this; it comes with Node.js")
    run(npm, *NPM, "--prefix", ROOT / "browser")


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a path may hold what a terminal cannot
            stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--cpu-torch", action="store_true")
    options, rest = parser.parse_known_args()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        this = "{}.{}".format(*sys.version_info)
        parser.error(f"{supported()} is needed, this is {this}")
    if options.command == "fetch-browser":
        fetch_browser()
        return
    python = Path(sys.executable)
    if options.here:
        warn_of_other_code()
    else:
        set_up(options.cpu_torch)
        python = venv_python()
    if options.command == "book" and not {"-h", "--help"} & {*rest}:
        set_up_book(python, options.here)
    if options.command == "tests" and rest in ([], ["--full"]):
        threads = max(1, (os.cpu_count() or 2) // 2)
        run(python, *TESTS, *([] if rest else FAST), threads=threads)
        if rest:
            run(python, *BENCHMARKS)
    else:
        run(python, *COMMANDS[options.command], *rest)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("\nstopped") from None
