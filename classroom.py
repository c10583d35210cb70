#!/usr/bin/env python3
"""Carry the kit to a class: one folder, many laptops, no network.

    python classroom.py pack FOLDER      make the bundle (asks the network)
    python classroom.py check FOLDER     read every file of a bundle again
    python classroom.py install FOLDER   install from a bundle, without a network

A learner runs ``python install.py`` inside the bundle, which is the same as the
last line. Installing writes nothing into the bundle: it may lie on a read-only
stick or shared folder, and many laptops may install from it at once.

Without --platform and --python the bundle is for laptops like this one. Others
are named: --platform windows macos --python 3.11 3.12. Needs nothing but Python
3.10 to 3.13.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent
FORMAT = "distill-classroom-1"
MANIFEST, INSTALLER, WELCOME = "manifest.json", "install.py", "READ_ME_FIRST.txt"
SETTINGS = "classroom.json"
FILE_KEYS, TARGET_KEYS = ("bytes", "sha256"), ("platform", "python", "least", "wheels")
PROJECT, WHEELS, IMDB, MODELS = "project", "wheels", "imdb", "models"
DEFAULT_TARGET = "distillation"
EXTRA = "test"
BUILD = ("setuptools>=77", "wheel")
PINNED_PYTHON = "3.11"  # what constraints.txt was made for
# A target's wheels are chosen for this release of its Python, or a later one.
LEAST_RELEASE = {
    "3.10": "3.10.11",
    "3.11": "3.11.9",
    "3.12": "3.12.3",
    "3.13": "3.13.1",
}
CUDA = ("nvidia_", "cuda_", "triton-")
SPLITS = ("train", "test", "unsupervised")
SAFE = ("*.safetensors", "*.json", "*.txt", "*.model", "*.md")
# Without git, these are not part of the project.
LEFT_OUT = {".git", ".venv", "runs", "node_modules", "build"}
LEFT_OUT |= {"__pycache__", ".ipynb_checkpoints", ".benchmarks", "*.egg-info"}
LEFT_OUT |= {".*_cache", "._*", ".DS_Store"}
LEFT_OUT_AT_TOP = {IMDB, MODELS, SETTINGS}  # what an installation adds


class ClassroomError(Exception):
    """Something does not fit; the message says what and what to do."""


@dataclass(frozen=True)
class Platform:
    """What a platform is called by uv and by the names of wheels.

    Attributes
    ----------
    uv : str
    tags : tuple of str
        Newest first.
    """

    uv: str
    tags: tuple[str, ...]


def _manylinux(machine: str) -> tuple[str, ...]:
    numbered = [f"manylinux_2_{minor}_{machine}" for minor in range(28, 4, -1)]
    named = [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]
    return (*numbered, *named)


PLATFORMS = {
    "linux": Platform("x86_64-manylinux_2_28", _manylinux("x86_64")),
    "linux-arm": Platform("aarch64-manylinux_2_28", _manylinux("aarch64")),
    "macos": Platform("aarch64-apple-darwin", ("macosx_14_0_arm64",)),
    "macos-intel": Platform("x86_64-apple-darwin", ("macosx_14_0_x86_64",)),
    "windows": Platform("windows", ("win_amd64",)),
}


@dataclass(frozen=True)
class Target:
    """Laptops of one kind.

    Attributes
    ----------
    platform : str
        One of `PLATFORMS`.
    python : str
        Such as ``"3.11"``.
    """

    platform: str
    python: str

    def __str__(self) -> str:
        return f"{self.platform} with Python {self.python}"


def this_platform() -> str:
    """Return what this Python's platform is called here.

    Returns
    -------
    str
        A key of `PLATFORMS`, or what Python itself calls it.
    """
    name = sysconfig.get_platform()
    if name.startswith("macosx"):
        return "macos" if platform.machine() == "arm64" else "macos-intel"
    known = {"linux-x86_64": "linux", "linux-aarch64": "linux-arm"}
    return (known | {"win-amd64": "windows"}).get(name, name)


def this_target() -> Target:
    """Return the kind of laptop that runs this script."""
    return Target(this_platform(), "{}.{}".format(*sys.version_info))


# ---------------------------------------------------------------- small things
def run(*command: object, environment: dict | None = None, cwd=None) -> bool:
    """Run a program, show its command, and say whether it went well."""
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    return not subprocess.call(words, env=environment, cwd=cwd)


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def digest(path: Path) -> str:
    """Return the sha256 of a file, read in small parts."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def copy(source: Path, target: Path) -> None:
    """Copy what a file holds; a read-only source gives a writable copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def files_below(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def venv_python(venv: Path) -> Path:
    windows = os.name == "nt"
    return venv / ("Scripts/python.exe" if windows else "bin/python")


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


# ------------------------------------------------------------------ the project
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
    ClassroomError
        If `root` does not hold the kit.
    """
    if not (root / "pyproject.toml").is_file():
        raise ClassroomError(f"{str(root)!r} is not the kit: no pyproject.toml in it")
    tracked = _tracked_files(root)
    if "pyproject.toml" in tracked:
        return sorted(name for name in tracked if (root / name).is_file())
    found = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        out = LEFT_OUT | (LEFT_OUT_AT_TOP if here == root else set())
        bundles = {name for name in folders if (here / name / MANIFEST).is_file()}
        folders[:] = [f for f in folders if not _fits(f, out) and f not in bundles]
        found += [here / name for name in names if not _fits(name, out)]
    return sorted(path.relative_to(root).as_posix() for path in found)


def _tracked_files(root: Path) -> set[str]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True
        )
    except OSError:  # there is no git
        return set()
    return set(os.fsdecode(listed.stdout).split("\0")) - {""}


def _found_in(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text("utf-8"), re.M)
    if not found:
        raise ClassroomError(f"{path.name} of the project has no line {pattern}")
    return found.group(1)


def kit_name(root: Path) -> str:
    return _found_in(root / "pyproject.toml", r'^name = "([^"]+)"')


def kit_version(root: Path) -> str:
    package = kit_name(root).replace("-", "_")
    return _found_in(root / package / "__init__.py", r'^__version__ = "([^"]+)"')


# ------------------------------------------------------------------- the wheels
class Workshop:
    """A throw-away Python with pip, and a copy of the project.

    Building a project leaves files beside it; here they disturb nobody.

    Parameters
    ----------
    folder : Path
        Must not exist.
    project : Path
    """

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder, self.source = folder, folder / "source"
        shutil.copytree(project, self.source)
        self.build = folder / "build.txt"
        self.build.write_text("\n".join(BUILD) + "\n", "utf-8")
        self.python = venv_python(folder / "tools")
        venv = (sys.executable, "-m", "venv", folder / "tools")
        self.must("make a virtual environment", *venv)

    def must(self, what: str, *command: object) -> None:
        environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        # What uv takes for granted otherwise is older than PyTorch's wheels.
        environment |= {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
        environment |= {"UV_PYTHON_DOWNLOADS": "never"}
        if not run(*command, environment=environment):
            raise ClassroomError(f"could not {what}; the lines above say why")

    def pip(self, what: str, *arguments: object) -> None:
        self.must(what, self.python, "-m", "pip", *arguments)


def get_wheels(
    target: Target, project: Path, folder: Path, *, work: Path, torch_index: str = ""
) -> None:
    """Put every wheel that a kind of laptop needs into a folder.

    Parameters
    ----------
    target : Target
    project : Path
        The project's files.
    folder : Path
        Is filled with wheels.
    work : Path
        A folder for what is needed on the way; must not exist.
    torch_index : str, optional
        Address from which Linux laptops get PyTorch alone: that of its builds
        without CUDA, which PyTorch's page on installing it names.

    Raises
    ------
    ClassroomError
        If a program fails; its own words stand above.
    """
    shop = Workshop(work, project)
    pins = []
    if target.python == PINNED_PYTHON:
        pins = ["--constraint", shop.source / "constraints.txt"]
    if torch_index and target.platform.startswith("linux"):
        pins += _get_cpu_torch(shop, target, folder, pins, torch_index)
    if target == this_target():
        _wheels_for_this_machine(shop, target, folder, pins)
    else:
        _wheels_for_another(shop, target, folder, pins)


def _target_options(target: Target) -> list[str]:
    options = ["--only-binary=:all:", "--implementation=cp"]
    options.append(f"--python-version={LEAST_RELEASE[target.python]}")
    return options + [f"--platform={tag}" for tag in PLATFORMS[target.platform].tags]


def _get_cpu_torch(
    shop: Workshop, target: Target, folder: Path, pins: list, index: str
) -> list:
    """Fetch PyTorch alone from its own index; return the pin that keeps it."""
    spec = _found_in(shop.source / "pyproject.toml", r'^ *"(torch[<>=~!][^"]*)"')
    # This machine may have wheels of its own that no tag here describes.
    tags = [] if target == this_target() else _target_options(target)
    shop.pip(
        f"get PyTorch's CPU build for {target}",
        *("download", "--no-deps", "--dest", folder, "--index-url", index),
        *("--only-binary=:all:", *tags, *pins, spec),
    )
    (wheel,) = folder.glob("torch-*.whl")
    pin = shop.folder / "torch.txt"
    pin.write_text(f"torch=={wheel.name.split('-')[1]}\n", "utf-8")
    return ["--constraint", pin, "--find-links", folder]


def _wheels_for_this_machine(
    shop: Workshop, target: Target, folder: Path, pins: list
) -> None:
    """Let pip choose, and build what has no wheel, as an installation would."""
    shop.pip(
        f"get the wheels for {target}",
        *("wheel", "--wheel-dir", folder, *pins),
        *("--requirement", shop.build, f"{shop.source}[{EXTRA}]"),
    )
    for own in folder.glob(f"{kit_name(shop.source).replace('-', '_')}-*.whl"):
        own.unlink()  # the project is installed from its folder


def _wheels_for_another(
    shop: Workshop, target: Target, folder: Path, pins: list
) -> None:
    """Choose with uv, which knows another machine's markers; pip does not."""
    chosen = shop.folder / "chosen.txt"
    shop.pip("install uv", "install", "--quiet", "uv")
    shop.must(
        f"find wheels for {target}",
        *(shop.python, "-m", "uv", "pip", "compile", "--quiet", "--no-header"),
        *("--no-annotate", "--only-binary=:all:", "--extra", EXTRA, *pins),
        *("--python", shop.python, "--output-file", chosen),
        f"--python-version={LEAST_RELEASE[target.python]}",
        f"--python-platform={PLATFORMS[target.platform].uv}",
        *(shop.source / "pyproject.toml", shop.build),
    )
    shop.pip(
        f"get the wheels for {target}",
        *("download", "--no-deps", "--dest", folder, "--find-links", folder),
        *(*_target_options(target), "--requirement", chosen),
    )


def _gather_wheels(
    targets: Sequence[Target], made: Path, work: Path, get: Callable
) -> list[dict]:
    """Fill the bundle's wheels; return what the manifest says of each target."""
    described = []
    (made / WHEELS).mkdir()
    for number, target in enumerate(targets):
        print(f"wheels for {target}", flush=True)
        folder = work / f"wheels-{number}"
        folder.mkdir()
        get(target, made / PROJECT, folder)
        names = files_below(folder)
        other = [name for name in names if not name.endswith(".whl")]
        if other or not names:
            raise ClassroomError(f"no wheels for {target}, but: {other or 'nothing'}")
        for name in names:
            if not (made / WHEELS / name).exists():
                os.replace(folder / name, made / WHEELS / name)
        least = LEAST_RELEASE[target.python]
        if target == this_target():
            least = platform.python_version()
        described.append(vars(target) | {"least": least, "wheels": names})
    return described


def _check_for_cuda(made: Path, torch_index: str) -> None:
    found = [p for p in (made / WHEELS).iterdir() if p.name.startswith(CUDA)]
    size = megabytes(sum(path.stat().st_size for path in found))
    names = ", ".join(sorted(path.name.split("-")[0] for path in found))
    if found and torch_index:
        raise ClassroomError(
            f"--torch-index: CUDA libraries came all the same: {names}"
        )
    if found:
        print(f"note: {size} are CUDA libraries; --torch-index leaves them out")


# ---------------------------------------------------------------- data, models
def mirror_files(mirror: str | Path) -> list[Path]:
    """Return the files of a local copy of IMDB in the Hub's layout.

    Raises
    ------
    ClassroomError
        If a part is missing.
    """
    folder, files = Path(mirror).expanduser(), []
    for split in SPLITS:
        found = sorted(folder.glob(f"plain_text/{split}-*.parquet"))
        if not found:
            raise ClassroomError(
                f"--imdb {str(mirror)!r} must be a folder in the layout of the Hub's"
                f" data set, with plain_text/{split}-*.parquet"
            )
        files += found
    return files + [p for p in [folder / "README.md"] if p.is_file()]


def _copy_mirror(mirror: str | Path, target: Path) -> None:
    folder = Path(mirror).expanduser()
    for path in mirror_files(mirror):
        copy(path, target / path.relative_to(folder))


def hub_model(name: str) -> Path:
    """Download the safe files of a model from the Hub, or reuse its cache.

    Raises
    ------
    ClassroomError
        If huggingface_hub is not installed, or the Hub does not give the model.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        kit = venv_python(Path(".venv"))
        raise ClassroomError(
            f"--model {name!r}: a model of the Hub needs the package"
            f" huggingface_hub; run this with the kit's Python, {kit}, after"
            " 'python start.py lessons' has made it"
        ) from None
    try:
        return Path(snapshot_download(name, allow_patterns=list(SAFE)))
    except (OSError, ValueError) as error:
        raise ClassroomError(
            f"--model {name!r} is no folder here, and the Hub does not give it:"
            f" {type(error).__name__}: {str(error).strip().splitlines()[0]}"
        ) from error


def _model_source(name: str, from_hub: Callable[[str], Path]) -> tuple[str, Path]:
    """Return a model's name in the bundle and where its files are."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve().name, folder
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name) and not folder.exists():
        return name.replace("/", "--"), from_hub(name)
    raise ClassroomError(
        f"--model {name!r} must be a folder with *.safetensors, or a model of the"
        " Hub such as owner/name"
    )


def _copy_models(
    names: Sequence[str], target: Path, from_hub: Callable[[str], Path]
) -> None:
    for given in names:
        name, source = _model_source(given, from_hub)
        files = files_below(source)
        hidden = [f for f in files if any(p[0] == "." for p in PurePosixPath(f).parts)]
        safe = [f for f in files if _fits(f, SAFE) and f not in hidden]
        if not any(f.endswith(".safetensors") for f in safe):
            raise ClassroomError(f"--model {given!r} holds no *.safetensors file")
        if (target / name).exists():
            raise ClassroomError(f"--model {given!r}: two models are called {name!r}")
        left = [f for f in files if f not in safe and f not in hidden]
        if left:
            print(f"note: left out of {given}: {', '.join(left)}")
        for file in safe:
            copy(source / file, target / name / file)


# --------------------------------------------------------------------- packing
WELCOME_TEXT = """Learn knowledge distillation by doing it
========================================

This folder holds all that is needed; the network is not. You need Python
{pythons} on {platforms}.

Open a terminal in this folder (the one with install.py) and type

    Windows        py install.py --to ~\\distillation
    macOS, Linux   python3 install.py --to ~/distillation

With several versions of Python on the machine, name the one that fits, as in
py -{first} or python{first}. The folder behind --to must not exist yet; it
will hold the lessons and their packages (gigabytes), and installing takes
some minutes. On Windows choose a short path. Nothing is written into this folder.
The last lines say how to open the lessons.

For the teacher: this folder may be read-only and many laptops may use it at
once. After copying it, this reads every file again:

    python project/classroom.py check .
"""


def pack(
    folder: str | Path,
    targets: Sequence[Target],
    *,
    get: Callable[[Target, Path, Path], None] | None = None,
    root: Path = ROOT,
    torch_index: str = "",
    imdb: str | Path | None = None,
    models: Sequence[str] = (),
    from_hub: Callable[[str], Path] = hub_model,
) -> dict:
    """Make a bundle; it appears whole or not at all.

    Parameters
    ----------
    folder : str or Path
        Must not exist.
    targets : sequence of Target
        The kinds of laptops.
    get : callable, optional
        ``get(target, project, folder)`` fills a folder with wheels; by default
        :func:`get_wheels`.
    root : Path
        The project.
    torch_index : str, optional
    imdb : str or Path, optional
        A local copy in the Hub's layout.
    models : sequence of str
        Folders with safetensors, or models of the Hub.
    from_hub : callable
        Takes a model's name and returns the folder of its files.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    ClassroomError
        If an argument does not fit or the wheels cannot be had.

    Examples
    --------
    >>> pack("stick/kit", [Target("windows", "3.12")])  # doctest: +SKIP
    """
    folder = Path(folder).expanduser().absolute()
    if os.path.lexists(folder):
        raise ClassroomError(f"FOLDER {str(folder)!r} exists already; name another")
    _check_targets(targets)
    if imdb is not None:
        mirror_files(imdb)
    names = project_files(root)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f".{folder.name}-", ignore_cleanup_errors=True
    ) as part:
        made, work = Path(part) / "bundle", Path(part) / "work"
        work.mkdir()
        for name in names:
            copy(root / name, made / PROJECT / name)
        _copy_models(models, made / MODELS, from_hub)
        if imdb is not None:
            _copy_mirror(imdb, made / IMDB)
        if get is None:
            get = partial(_get_in_workshop, work=work, torch_index=torch_index)
        described = _gather_wheels(targets, made, work, get)
        _check_for_cuda(made, torch_index)
        manifest = _finish(made, root, described)
        os.replace(made, folder)
    return manifest


def _get_in_workshop(target, project, folder, *, work: Path, torch_index: str) -> None:
    shop = work / f"{target.platform}-{target.python}"
    get_wheels(target, project, folder, work=shop, torch_index=torch_index)


def _check_targets(targets: Sequence[Target]) -> None:
    for target in targets:
        if target.platform not in PLATFORMS:
            raise ClassroomError(
                f"--platform must be one of {', '.join(PLATFORMS)}, got"
                f" {target.platform!r}"
            )
        if target.python not in LEAST_RELEASE:
            raise ClassroomError(
                f"--python must be one of {', '.join(LEAST_RELEASE)}, got"
                f" {target.python!r}"
            )


def _finish(made: Path, root: Path, targets: list[dict]) -> dict:
    """Add the installer, the first words and the list of all files."""
    pythons = sorted({t["python"] for t in targets}, key=lambda v: int(v[2:]))
    platforms = sorted({t["platform"] for t in targets})
    copy(Path(__file__), made / INSTALLER)
    words = {"pythons": ", ".join(pythons), "platforms": ", ".join(platforms)}
    text = WELCOME_TEXT.format(first=pythons[0], **words)
    (made / WELCOME).write_text(text, "utf-8", newline="\r\n")
    manifest = {
        "format": FORMAT,
        "kit": kit_version(root),
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "pythons": pythons,
        "platforms": platforms,
        "targets": targets,
        "files": {name: _listed(made / name) for name in files_below(made)},
    }
    text = json.dumps(manifest, indent=1) + "\n"
    (made / MANIFEST).write_text(text, "utf-8")
    return manifest


def _listed(path: Path) -> dict:
    return {"bytes": path.stat().st_size, "sha256": digest(path)}


# -------------------------------------------------------------------- checking
def read_manifest(bundle: Path) -> dict:
    """Read what a bundle says of itself.

    Raises
    ------
    ClassroomError
        If it is no bundle, a damaged one, or one of another kit.
    """
    path = bundle / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        names = list(manifest["files"])
        sums = [file[key] for file in manifest["files"].values() for key in FILE_KEYS]
        facts = [target[key] for target in manifest["targets"] for key in TARGET_KEYS]
    except FileNotFoundError:
        raise ClassroomError(
            f"{str(bundle)!r} is no bundle: it has no {MANIFEST}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClassroomError(f"{path} is damaged: {error!r}; copy it anew") from error
    if manifest.get("format") != FORMAT:
        raise ClassroomError(
            f"{path} must have the format {FORMAT!r}, it has {manifest.get('format')!r}"
        )
    odd = [n for n in names if PurePosixPath(n).is_absolute() or ".." in n.split("/")]
    if odd or not (sums and facts):
        raise ClassroomError(f"{path} is damaged: {odd or 'it lists nothing'}")
    return manifest


def damage(bundle: Path, manifest: dict, names: Iterable[str]) -> list[str]:
    """Compare files with the manifest.

    Returns
    -------
    list of str
        One line for each file that is missing, unreadable or not what it was.
    """
    found = []
    for name in names:
        path, listed = bundle / name, manifest["files"][name]
        try:
            if not path.is_file():
                found.append(f"missing: {name}")
            elif path.stat().st_size != listed["bytes"]:
                size = path.stat().st_size
                found.append(f"damaged: {name} ({size} bytes, not {listed['bytes']})")
            elif digest(path) != listed["sha256"]:
                found.append(f"damaged: {name} (its checksum differs)")
        except OSError as error:
            found.append(f"unreadable: {name} ({error.strerror or error})")
    return found


def _strange_wheels(bundle: Path, manifest: dict) -> list[str]:
    """Name wheels that the manifest does not know; pip would take them."""
    present = [p.name for p in (bundle / WHEELS).glob("*.whl")]
    return [
        f"not in the list: {WHEELS}/{name}"
        for name in sorted(present)
        if f"{WHEELS}/{name}" not in manifest["files"] and not name.startswith("._")
    ]


def _refuse_damage(bundle: Path, manifest: dict, names: Sequence[str]) -> None:
    size = sum(manifest["files"][name]["bytes"] for name in names)
    print(f"reading {len(names)} files, {megabytes(size)}", flush=True)
    found = damage(bundle, manifest, names) + _strange_wheels(bundle, manifest)
    if found:
        raise ClassroomError(
            "\n  ".join(["the bundle is not what was packed:", *found])
            + "\nCopy it anew. Nothing was installed."
        )


def check(bundle: str | Path) -> dict:
    """Read every file of a bundle and compare it with the manifest.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    ClassroomError
        If a file is damaged or missing; all of them are named.
    """
    bundle = Path(bundle)
    manifest = read_manifest(bundle)
    _refuse_damage(bundle, manifest, list(manifest["files"]))
    return manifest


# ------------------------------------------------------------------ installing
def fitting_target(manifest: dict, here: Target) -> dict:
    """Return what a manifest says of this kind of laptop.

    Raises
    ------
    ClassroomError
        If the bundle has no wheels for it; the message lists what it has.
    """
    for target in manifest["targets"]:
        if (target["platform"], target["python"]) == (here.platform, here.python):
            return target
    held = [str(Target(t["platform"], t["python"])) for t in manifest["targets"]]
    raise ClassroomError(
        f"the bundle has no wheels for {here}; it has them for {', '.join(held)}."
        " Run install.py with another Python, or pack a bundle with"
        f" --platform {here.platform} --python {here.python}"
    )


def _needed(manifest: dict, target: dict, data_in_place: bool) -> list[str]:
    """Return the files that one laptop reads; the others cost only time."""
    wheels = {f"{WHEELS}/{name}" for name in target["wheels"]}
    folders = (PROJECT,) if data_in_place else (PROJECT, IMDB, MODELS)
    missing = wheels - set(manifest["files"])
    if missing:
        raise ClassroomError(f"{MANIFEST} is damaged: it lists no {min(missing)}")
    return [n for n in manifest["files"] if n in wheels or n.split("/")[0] in folders]


def install(
    bundle: str | Path,
    to: str | Path = DEFAULT_TARGET,
    *,
    data_in_place: bool = False,
    here: Target | None = None,
) -> Path:
    """Install the kit from a bundle, without a network.

    Parameters
    ----------
    bundle : str or Path
        Is read only.
    to : str or Path
        Must not exist; holds the project and its ``.venv`` afterwards, or,
        if something went wrong, nothing.
    data_in_place : bool, default False
        Use IMDB and the models where they lie in the bundle, which then has to
        stay, instead of copying them.
    here : Target, optional
        By default this laptop's kind.

    Returns
    -------
    Path
        The folder with the lessons.

    Raises
    ------
    ClassroomError
        If the bundle does not fit or is damaged, or `to` exists.
    """
    bundle = Path(bundle).resolve()
    folder = Path(to).expanduser().absolute()
    if os.path.lexists(folder):
        raise ClassroomError(f"--to {str(to)!r} exists already; name another folder")
    if bundle in (folder.resolve(), *folder.resolve().parents):
        raise ClassroomError(
            f"--to {str(to)!r} lies in the bundle, into which nothing is written;"
            " name a folder elsewhere, such as --to ~/distillation"
        )
    manifest = read_manifest(bundle)
    target = fitting_target(manifest, here or this_target())
    needed = _needed(manifest, target, data_in_place)
    _refuse_damage(bundle, manifest, needed)
    folder.mkdir(parents=True)
    try:
        _fill(folder, bundle, manifest, target, needed, data_in_place)
    except BaseException:  # Ctrl-C too: half an installation helps nobody
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _fill(folder, bundle, manifest, target, needed, data_in_place) -> None:
    for name in needed:
        top, _, rest = name.partition("/")
        if top == PROJECT:
            copy(bundle / name, folder / rest)
        elif top in (IMDB, MODELS):
            copy(bundle / name, folder / name)
    _install_packages(folder, bundle, target)
    data = bundle if data_in_place else folder
    settings = {"kit": manifest["kit"], "imdb": None, "models": []}
    if (data / IMDB).is_dir():
        settings["imdb"] = str(data / IMDB)
    if (data / MODELS).is_dir():
        settings["models"] = sorted(str(p) for p in (data / MODELS).iterdir())
    text = json.dumps(settings, indent=1) + "\n"
    (folder / SETTINGS).write_text(text, "utf-8")
    # start.py reinstalls, from the network, unless it finds its own stamp.
    start = runpy.run_path(str(folder / "start.py"))
    Path(start["STAMP"]).write_text(start["fingerprint"]())


def _install_packages(folder: Path, bundle: Path, target: dict) -> None:
    venv = folder / ".venv"
    if not run(sys.executable, "-m", "venv", venv):
        raise ClassroomError("could not make a virtual environment; see above")
    # The bundle may hold other releases for other laptops; these are ours.
    pins = venv / "classroom-constraints.txt"
    pairs = [name.split("-")[:2] for name in target["wheels"]]
    pins.write_text("".join(f"{name}=={version}\n" for name, version in pairs), "utf-8")
    pip = [venv_python(venv), "-m", "pip", "install", "--quiet", "--no-index"]
    pip += ["--no-cache-dir", "--find-links", bundle / WHEELS, "--constraint", pins]
    own = ["--no-build-isolation", "--editable", f"{folder}[{EXTRA}]"]
    print(f"installing {len(pairs)} packages; this takes some minutes", flush=True)
    for arguments in (["setuptools", "wheel"], own):
        # The shell stands outside the bundle, and no setting leads to a network.
        if not run(*pip, *arguments, environment=_quiet_pip(), cwd=folder):
            raise ClassroomError(
                f"pip could not install the wheels; see above. They were chosen for"
                f" Python {target['least']} or a later {target['python']}, and this is"
                f" {platform.python_version()}"
            )


def _quiet_pip() -> dict[str, str]:
    """Return an environment in which pip heeds no setting of the machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    kept.pop("PYTHONPATH", None)
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def last_words(folder: Path) -> str:
    """Say how to go on after an installation in `folder`."""
    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    lines = [f"\nThe kit is in {folder}. Open the lessons with", ""]
    lines += [f'    cd "{folder}"', f"    {_python_command()} start.py lab"]
    if settings["imdb"]:
        lines += ["", f"IMDB came along; the lessons find it in {settings['imdb']}"]
    if settings["models"]:
        lines += ["", "Models, for a lesson's parameter 'teacher':"]
        lines += ["", *(f"    {path}" for path in settings["models"])]
    return "\n".join(lines)


def _python_command() -> str:
    """Return what starts this very Python; start.py minds the difference."""
    this = Path(sys.executable).resolve()
    for name in ("python", "python3", this.stem):
        found = shutil.which(name)
        if found and Path(found).resolve() == this:
            return name
    if os.name == "nt" and shutil.which("py"):
        return "py -{}.{}".format(*sys.version_info)
    return f'"{this}"'


# ----------------------------------------------------------------- command line
def _parser(installer: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Install the kit from this folder, without a network."
        if installer
        else __doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if installer:
        _add_install_options(parser)
        return parser
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="make a bundle (asks the network)")
    packing.add_argument("folder", metavar="FOLDER")
    packing.add_argument("--platform", nargs="+", choices=PLATFORMS)
    packing.add_argument("--python", nargs="+", choices=LEAST_RELEASE)
    packing.add_argument(
        "--torch-index",
        default="",
        metavar="ADDRESS",
        help="where PyTorch's builds without CUDA are, for laptops with Linux",
    )
    packing.add_argument("--imdb", help="a copy of the Hub's data set")
    packing.add_argument("--model", nargs="+", default=[], metavar="PATH_OR_HUB_ID")
    checking = commands.add_parser("check", help="read every file of a bundle again")
    checking.add_argument("bundle", metavar="FOLDER")
    installing = commands.add_parser("install", help="install from a bundle")
    installing.add_argument("bundle", metavar="FOLDER")
    _add_install_options(installing)
    return parser


def _add_install_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", default=DEFAULT_TARGET, metavar="FOLDER")
    parser.add_argument(
        "--data-in-place",
        action="store_true",
        help="leave IMDB and models in the bundle, which then has to stay",
    )


def _targets(options: argparse.Namespace) -> list[Target]:
    here = this_target()
    return [
        Target(system, python)
        for system in dict.fromkeys(options.platform or [here.platform])
        for python in dict.fromkeys(options.python or [here.python])
    ]


def _pack_command(options: argparse.Namespace) -> None:
    targets = _targets(options)
    given = {"imdb": options.imdb, "models": options.model}
    manifest = pack(options.folder, targets, torch_index=options.torch_index, **given)
    sizes: dict[str, int] = {}
    for name, listed in manifest["files"].items():
        top = name.split("/")[0]
        sizes[top] = sizes.get(top, 0) + listed["bytes"]
    for top, size in sizes.items():
        print(f"  {top}: {megabytes(size)}")
    print(f"packed {options.folder}: {megabytes(sum(sizes.values()))}, for")
    print("\n".join(f"  {target}" for target in targets))


def main(arguments: Sequence[str] | None = None, script: Path | None = None) -> None:
    """Run a command; as a bundle's ``install.py``, install from there."""
    script = script or Path(__file__).resolve()
    installer = script.name == INSTALLER
    parser = _parser(installer)
    options = parser.parse_args(arguments)
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        parser.error(
            "Python 3.10 to 3.13 is needed, this is"
            f" {sys.version_info[0]}.{sys.version_info[1]}"
        )
    try:
        if installer or options.command == "install":
            bundle = script.parent if installer else options.bundle
            where = install(bundle, options.to, data_in_place=options.data_in_place)
            print(last_words(where))
        elif options.command == "check":
            print(f"all {len(check(options.bundle)['files'])} files are as packed")
        else:
            _pack_command(options)
    except (ClassroomError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("\nstopped; nothing half-made is left") from None
