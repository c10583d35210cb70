"""Python, the installation and the packages that it declares."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...places import PROJECT
from .programs import run_program
from .report import FAIL, OK, WARN, Finding

NAME = "distill-helpers"

MISSING = "is not installed"
REINSTALL = (
    "Install the packages again: delete the folder .venv and call"
    " 'python start.py lab', or make the conda environment anew."
)
# Words of an error, and the cure for it.
_KNOWN = {
    "ModuleNotFoundError": "Mend 'packages' first; if they are OK, delete the folder"
    " .venv and call 'python start.py lab'.",
    "DLL": "Install Microsoft's Visual C++ Redistributable and start Windows anew.",
    "WinError 126": "Install Microsoft's Visual C++ Redistributable and start Windows"
    " anew.",
    "SIGILL": "Take another machine: this processor lacks what the package needs.",
    "0xc000001d": "Take another machine: this processor lacks what the package needs.",
}


@dataclass(frozen=True)
class Declared:
    """What the kit says that it needs.

    Attributes
    ----------
    python : str
        A range such as ``">=3.10,<3.14"``.
    packages : dict of str to list of Requirement
        By extra; ``""`` holds what is always needed. Only what this Python
        and this system need.
    """

    python: str
    packages: dict[str, list]


def declared(root: Path = PROJECT) -> Declared:
    """Read the ranges that were tested.

    The kit's own pyproject.toml goes first, because what was written down at
    the installation may be older than the kit.

    Parameters
    ----------
    root : Path
        The folder of the kit.

    Returns
    -------
    Declared

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If there is neither pyproject.toml nor an installation.
    """
    return _of_project(root) or _of_installation()


def _of_project(root: Path) -> Declared | None:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10; JupyterLab brings tomli there
        try:
            import tomli as tomllib
        except ModuleNotFoundError:
            return None
    path = root / "pyproject.toml"
    if not path.is_file():
        return None
    project = tomllib.loads(path.read_text("utf-8"))["project"]
    lines = {"": project["dependencies"]} | project.get("optional-dependencies", {})
    return Declared(
        project["requires-python"],
        {extra: _needed(listed) for extra, listed in lines.items()},
    )


def _of_installation() -> Declared:
    about = importlib.metadata.metadata(NAME)
    lines = importlib.metadata.requires(NAME) or []
    packages = {"": _needed(lines)}
    for extra in about.get_all("Provides-Extra") or []:
        always = {str(requirement) for requirement in packages[""]}
        asked = _needed(lines, extra)
        packages[extra] = [r for r in asked if str(r) not in always]
    return Declared(about["Requires-Python"], packages)


def _needed(lines: Sequence[str], extra: str = "") -> list:
    from packaging.requirements import Requirement

    found = [Requirement(line) for line in lines]
    return [r for r in found if not r.marker or r.marker.evaluate({"extra": extra})]


def check_python(wanted: Declared) -> Finding:
    """Compare the running Python with the range that was tested."""
    from packaging.specifiers import SpecifierSet

    version, tested = platform.python_version(), SpecifierSet(wanted.python)
    if tested.contains(version, prereleases=True):
        return Finding("Python", OK, f"{version}, {sys.executable}")
    return Finding(
        "Python",
        FAIL,
        f"{version} is not within {_range(tested)}",
        f"Install a Python within {_range(tested)}, delete the folder .venv and call"
        " 'python start.py lab' with it.",
    )


def check_installation(root: Path = PROJECT) -> Finding:
    """See what a notebook gets that imports the kit from another folder.

    A folder that was moved after the installation, a second copy of the kit
    and an installation that is older than the kit are found.
    """
    install = _other_python(root) or f'Call: {_pip("--editable")} "{root}"'
    try:
        version = importlib.metadata.version(NAME)
    except importlib.metadata.PackageNotFoundError:
        return Finding("installation", FAIL, f"{NAME} is not installed", install)
    folder = _seen_from_elsewhere()
    if folder is None:
        seen = "a notebook cannot import distill_helpers"
        return Finding("installation", FAIL, seen, install)
    if not os.path.samefile(folder, root / "distill_helpers"):
        seen = f"notebooks import another copy, {folder}"
        return Finding("installation", WARN, seen, install)
    project, installed = _of_project(root), _of_installation()
    if project and _core(project) != _core(installed):
        seen = "was made for an earlier pyproject.toml"
        return Finding("installation", WARN, seen, install)
    return Finding("installation", OK, f"{NAME} {version}, {folder}")


def _seen_from_elsewhere() -> str | None:
    """Return the folder of the package for a process in another folder."""
    code = (
        "import importlib.util as u; s = u.find_spec('distill_helpers');"
        " print(s.origin if s else '')"
    )
    environment = dict(os.environ) | {"PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryDirectory() as folder:
        done = run_program([sys.executable, "-c", code], folder, environment)
    origin = done.stdout.strip()
    return str(Path(origin).parent) if origin and origin != "None" else None


def _core(wanted: Declared) -> tuple:
    from packaging.specifiers import SpecifierSet
    from packaging.utils import canonicalize_name

    needed = {(canonicalize_name(r.name), r.specifier) for r in wanted.packages[""]}
    return SpecifierSet(wanted.python), needed


def check_packages(wanted: Declared) -> list[Finding]:
    """Compare every package with its tested range.

    A version below the range is a failure: the kit uses what is not there
    yet. One above it is a warning: nobody has tried.

    Returns
    -------
    list of Finding
        One for all packages that fit, and one for each that does not; but one
        alone where so many are missing that this must be another Python.
    """
    judged = [_judge(requirement) for requirement in wanted.packages[""]]
    wrong = [finding for finding in judged if finding.status != OK]
    missing = sum(finding.seen == MISSING for finding in wrong)
    if missing > len(judged) / 2:
        seen = f"{missing} of {len(judged)} are not installed in this Python"
        cure = _other_python() or "Call 'python start.py lab': it installs them all."
        return [Finding("packages", FAIL, seen, cure)]
    fitting = len(judged) - len(wrong)
    if not fitting:
        return wrong
    seen = f"{fitting} of {len(judged)} are within their tested ranges"
    return [Finding("packages", OK, seen), *wrong]


def _other_python(root: Path = PROJECT) -> str:
    """Point to the Python of the kit, unless it is this one or not there."""
    venv = root / ".venv"
    if venv.is_dir() and os.path.samefile(venv, sys.prefix):
        return ""
    for name in (".venv/bin/python", ".venv/Scripts/python.exe"):
        if (root / name).is_file():
            return f"Call {name} instead of {sys.executable}, in the folder {root}."
    return ""


def _judge(requirement) -> Finding:
    from packaging.version import InvalidVersion, Version

    name = f"package {requirement.name}"
    package, wanted = requirement.name, _range(requirement.specifier)
    again = f'{_pip()} "{package}{wanted}"'
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, FAIL, MISSING, f"Call: {again}")
    except (KeyError, TypeError):
        version = None
    if not version:  # what an interrupted installation leaves
        return Finding(name, FAIL, "its installation is damaged", REINSTALL)
    try:
        Version(version)
    except InvalidVersion:
        return Finding(name, FAIL, f"has the odd version {version!r}", f"Call: {again}")
    broken = {
        part.operator
        for part in requirement.specifier
        if not part.contains(version, prereleases=True)
    }
    if not broken:
        return Finding(name, OK, f"{version} is within {wanted}")
    if broken <= {"<", "<="}:
        seen = f"{version} is newer than what was tested, {wanted}"
        return Finding(name, WARN, seen, f"If a lesson fails, call: {again}")
    return Finding(name, FAIL, f"{version} is not within {wanted}", f"Call: {again}")


def _pip(*options: str) -> str:
    """Spell the call of pip that reaches the environment of the kit."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return " ".join([python, "-m pip install", *options])


def _range(specifier) -> str:
    """Spell a range with its lower end first."""
    return ",".join(sorted(map(str, specifier), reverse=True))


def check_extra(extra: str, wanted: Declared) -> Finding:
    """Say whether an extra is installed; no lesson needs it.

    Parameters
    ----------
    extra : str
        ``"serve"`` or ``"phone"``.
    wanted : Declared
    """
    judged = {r.name: _judge(r) for r in wanted.packages.get(extra, [])}
    there = {name: f for name, f in judged.items() if f.seen != MISSING}
    get = f'pip install ".[{extra}]"'  # as the README says
    if len(there) < len(judged) or not judged:
        cure = f"For the part of lesson 06 that uses it, call {get}."
        return Finding(extra, OK, f"not installed (optional): {get}", cure)
    wrong = [f"{n} {f.seen}" for n, f in there.items() if f.status != OK]
    if wrong:
        return Finding(extra, WARN, ", ".join(wrong), f"Call {get}.")
    version = importlib.metadata.version
    return Finding(extra, OK, ", ".join(f"{n} {version(n)}" for n in judged))


def broken(name: str, error: str) -> Finding:
    """Report an error in its own words, with the cure if it is a known one."""
    # What is missing here may be in the Python of the kit.
    other = _other_python() if "ModuleNotFoundError" in error else ""
    known = [cure for words, cure in _KNOWN.items() if words in error]
    return Finding(name, FAIL, error, next(filter(None, [other, *known, REINSTALL])))
