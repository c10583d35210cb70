"""What of the project goes into a bundle."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .installing import IMDB, MANIFEST, MODELS, SETTINGS, BundleError

# Without git, these are not part of the project.
LEFT_OUT = {".git", ".venv", "runs", "node_modules", "build"}
LEFT_OUT |= {"__pycache__", ".ipynb_checkpoints", ".benchmarks", "*.egg-info"}
LEFT_OUT |= {".*_cache", "._*", ".DS_Store"}
LEFT_OUT_AT_TOP = {IMDB, MODELS, SETTINGS}  # what an installation adds


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Say if a name is like one of the patterns."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def files_below(folder: Path) -> list[str]:
    """Return the files in a folder, relative to it, with forward slashes."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def project_files(root: Path) -> list[str]:
    """Return the project's files: those that git tracks, if there is git.

    Parameters
    ----------
    root : Path

    Returns
    -------
    list of str
        Relative to `root`, with forward slashes. A tracked file that was
        deleted is not among them.

    Raises
    ------
    BundleError
        If `root` does not hold the kit.
    """
    if not (root / "pyproject.toml").is_file():
        raise BundleError(f"{str(root)!r} is not the kit: no pyproject.toml in it")
    tracked = _tracked_files(root)
    if "pyproject.toml" in tracked:
        return sorted(name for name in tracked if (root / name).is_file())
    found = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        out = LEFT_OUT | (LEFT_OUT_AT_TOP if here == root else set())
        bundles = {name for name in folders if (here / name / MANIFEST).is_file()}
        folders[:] = [f for f in folders if not fits(f, out) and f not in bundles]
        found += [here / name for name in names if not fits(name, out)]
    return sorted(path.relative_to(root).as_posix() for path in found)


def _tracked_files(root: Path) -> set[str]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True
        )
    except OSError:  # there is no git
        return set()
    return set(os.fsdecode(listed.stdout).split("\0")) - {""}


def found_in(path: Path, pattern: str) -> str:
    """Return what a pattern's group matches in a file of the project.

    Raises
    ------
    BundleError
        If no line has it.
    """
    found = re.search(pattern, path.read_text("utf-8"), re.M)
    if not found:
        raise BundleError(f"{path.name} of the project has no line {pattern}")
    return found.group(1)


def kit_name(root: Path) -> str:
    return found_in(root / "pyproject.toml", r'^name = "([^"]+)"')


def kit_version(root: Path) -> str:
    package = kit_name(root).replace("-", "_")
    return found_in(root / package / "__init__.py", r'^__version__ = "([^"]+)"')
