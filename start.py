#!/usr/bin/env python3
"""Set up the kit and run it. Needs nothing but Python 3.10 to 3.13.

    python start.py lessons      run every lesson on the sample, offline
    python start.py tests        run the tests that need no whole lesson
    python start.py tests --full  run all tests, and measure the speed
    python start.py lab          open JupyterLab on the lessons
    python start.py doctor       check this machine, and say what to do
    python start.py fetch-imdb   download IMDB from the Hub (asks the network)
    python start.py fetch-browser  install what runs a model in a page (npm)

The first call makes a virtual environment in .venv and installs the packages;
later calls reuse it. --here uses the Python that runs this script instead, as
inside a conda environment. --cpu-torch installs PyTorch without CUDA.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "distill-setup.txt"
CONSTRAINTS = ROOT / "constraints.txt"
PINNED_PYTHON = (3, 11)
# Two tests at a time; what measures time has the machine for itself afterwards.
TESTS = ["-m", "pytest", "-n", "2", "--dist", "loadgroup", "--ignore=tests/benchmarks"]
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
}


def venv_python() -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    name = "python.exe" if os.name == "nt" else "python"
    return VENV / folder / name


def run(*command: object, threads: int | None = None) -> None:
    """Run a program; end with its exit status if it fails."""
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    # Threads that wait sleep: processes side by side do not hold each other up.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    status = subprocess.call(words, cwd=ROOT, env=environment)
    if status:
        raise SystemExit(status)


def fingerprint() -> str:
    """Name the set-up by what it is made from."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def set_up(cpu_torch: bool) -> None:
    """Make the environment, unless it is there and up to date."""
    if STAMP.is_file() and STAMP.read_text() == fingerprint():
        return
    if not venv_python().is_file():
        run(sys.executable, "-m", "venv", VENV)
    pip = [venv_python(), "-m", "pip", "install", "--quiet"]
    pins = []
    if sys.version_info[:2] == PINNED_PYTHON:
        pins = ["--constraint", CONSTRAINTS]
    if cpu_torch:
        run(*pip, "uv")
        uv = [venv_python(), "-m", "uv", "pip", "install"]
        run(*uv, "--python", venv_python(), "--torch-backend=cpu", *pins, "torch")
    run(*pip, *pins, "--editable", f"{ROOT}[test]")
    STAMP.write_text(fingerprint())


def fetch_browser() -> None:
    """Install the pinned packages of browser/package.json with npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed for this; it comes with Node.js")
    run(npm, *NPM, "--prefix", ROOT / "browser")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--cpu-torch", action="store_true")
    options, rest = parser.parse_known_args()
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        parser.error(
            "Python 3.10 to 3.13 is needed, this is"
            f" {sys.version_info[0]}.{sys.version_info[1]}"
        )
    if options.command == "fetch-browser":
        fetch_browser()
        return
    python = Path(sys.executable)
    if not options.here:
        set_up(options.cpu_torch)
        python = venv_python()
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
