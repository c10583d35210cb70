"""Jupyter: the kernel, the widgets, the browser."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from ...places import BROWSER_RUNTIME, NO_CLONE
from .programs import run_program
from .report import FAIL, OK, WARN, Finding

KERNEL = "python3"  # what the notebooks name
WIDGETS = "@jupyter-widgets/jupyterlab-manager"


def check_kernel() -> Finding:
    """Find the kernel that the notebooks name, and try its Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    again = (
        "Call 'python -m ipykernel install --sys-prefix' with the Python of the"
        f" kit, {sys.executable}."
    )
    # The stand-in for a missing kernel is ipykernel's own; it serves as well.
    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(KERNEL)
    except NoSuchKernel:
        return Finding("kernel", FAIL, f"no kernel {KERNEL!r} is registered", again)
    except (OSError, ValueError) as error:
        seen = f"{KERNEL!r} is damaged: {type(error).__name__}"
        return Finding("kernel", FAIL, seen, again)
    if not spec.argv:
        return Finding("kernel", FAIL, f"{KERNEL!r} names no program", again)
    program = _program(spec.argv[0])
    if program is None:
        seen = f"its Python is gone: {spec.argv[0]}"
        return Finding(
            "kernel", FAIL, seen, f"{again[:-1]}; or remove {spec.resource_dir}."
        )
    missing = _missing_in(program)
    if missing:
        seen = f"{program} lacks {', '.join(missing)}"
        return Finding("kernel", FAIL, seen, again)
    return Finding("kernel", OK, f"{KERNEL} runs {program}")


def _program(word: str) -> str | None:
    """Return the interpreter that a kernel's first word means, if it exists."""
    major, minor = sys.version_info[:2]
    if word in ("python", f"python{major}", f"python{major}.{minor}"):
        return sys.executable  # so does jupyter_client
    return shutil.which(word)


def _missing_in(program: str) -> list[str]:
    """Ask another Python, or this one, for what a lesson's kernel needs."""
    needed = ["ipykernel", "distill_helpers"]
    folders = {os.path.normcase(os.path.dirname(p)) for p in (program, sys.executable)}
    if len(folders) == 1:
        needed.remove("distill_helpers")  # see check_installation
    code = (
        "import importlib.util as u, sys;"
        " print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])"
    )
    with tempfile.TemporaryDirectory() as folder:
        done = run_program([program, "-c", code, *needed], folder)
    if done.returncode:
        return ["a Python that starts"]
    return done.stdout.split()


def check_widgets() -> Finding:
    """See that JupyterLab finds what draws sliders, and has it switched on."""
    import ipywidgets
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_federated_extensions, get_page_config

    paths = jupyter_path("labextensions")
    if WIDGETS not in get_federated_extensions(paths):
        return Finding(
            "widgets",
            FAIL,
            f"JupyterLab's extension {WIDGETS} is missing",
            "Call 'pip install --force-reinstall jupyterlab_widgets' in the"
            " environment of the kit and start JupyterLab anew.",
        )
    disabled = get_page_config(paths).get("disabledExtensions", [])
    if any(name.split(":")[0] == WIDGETS for name in disabled):
        return Finding(
            "widgets",
            FAIL,
            "JupyterLab's extension is switched off",
            f"Call 'jupyter labextension enable {WIDGETS}'.",
        )
    return Finding(
        "widgets", OK, f"ipywidgets {ipywidgets.__version__}, extension found"
    )


def check_browser(folder: Path = BROWSER_RUNTIME) -> Finding:
    """Say whether a page can run a model; no lesson needs it.

    `export.browser.runtime_files` looks closer, but imports all of transformers.

    Parameters
    ----------
    folder : Path
        Holds ``package.json`` and ``node_modules``.
    """
    get = "python start.py fetch-browser"
    if not (folder / "package.json").is_file():
        return Finding("browser", OK, f"not there (optional): {NO_CLONE}")
    pinned = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    found = {}
    for package in pinned:
        about = folder / "node_modules" / package / "package.json"
        if about.is_file():
            found[package] = json.loads(about.read_text("utf-8"))["version"]
    if len(found) < len(pinned):
        cure = f"For the page of lesson 06, call '{get}' (needs npm)."
        return Finding("browser", OK, f"not installed (optional): {get}", cure)
    if found != pinned:
        wrong = [f"{p} {v}" for p, v in found.items() if v != pinned[p]]
        seen = f"another version than the pinned one: {', '.join(wrong)}"
        return Finding("browser", WARN, seen, f"Call '{get}'.")
    return Finding("browser", OK, ", ".join(f"{p} {v}" for p, v in found.items()))
