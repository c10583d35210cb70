"""The wheels that laptops of one kind need, chosen on another machine."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .installing import (
    EXTRA,
    PROJECT,
    WHEELS,
    BundleError,
    Target,
    megabytes,
    run,
    this_target,
    venv_python,
)
from .project import files_below, found_in, kit_name

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


def _manylinux(machine: str) -> tuple[str, ...]:
    numbered = [f"manylinux_2_{minor}_{machine}" for minor in range(28, 4, -1)]
    named = [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]
    return (*numbered, *named)


# What uv calls a platform, and its tags in the names of wheels, newest first.
PLATFORMS = {
    "linux": ("x86_64-manylinux_2_28", _manylinux("x86_64")),
    "linux-arm": ("aarch64-manylinux_2_28", _manylinux("aarch64")),
    "macos": ("aarch64-apple-darwin", ("macosx_14_0_arm64",)),
    "macos-intel": ("x86_64-apple-darwin", ("macosx_14_0_x86_64",)),
    "windows": ("windows", ("win_amd64",)),
}


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
            raise BundleError(f"could not {what}; the lines above say why")

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
    BundleError
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
    return options + [f"--platform={tag}" for tag in PLATFORMS[target.platform][1]]


def _get_cpu_torch(
    shop: Workshop, target: Target, folder: Path, pins: list, index: str
) -> list:
    """Fetch PyTorch alone from its own index; return the pin that keeps it."""
    spec = found_in(shop.source / "pyproject.toml", r'^ *"(torch[<>=~!][^"]*)"')
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
        f"--python-platform={PLATFORMS[target.platform][0]}",
        *(shop.source / "pyproject.toml", shop.build),
    )
    shop.pip(
        f"get the wheels for {target}",
        *("download", "--no-deps", "--dest", folder, "--find-links", folder),
        *(*_target_options(target), "--requirement", chosen),
    )


def gather_wheels(
    targets: Sequence[Target], made: Path, work: Path, get: Callable
) -> list[dict]:
    """Fill a bundle's wheels; return what its manifest says of each target.

    Parameters
    ----------
    targets : sequence of Target
    made : Path
        The bundle, which holds the project already.
    work : Path
        For what is needed on the way, on the disk of the bundle.
    get : callable
        ``get(target, project, folder)`` fills a folder with wheels.

    Raises
    ------
    BundleError
        If there are no wheels, or something else.
    """
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
            raise BundleError(f"no wheels for {target}, but: {other or 'nothing'}")
        for name in names:
            if not (made / WHEELS / name).exists():
                os.replace(folder / name, made / WHEELS / name)
        least = LEAST_RELEASE[target.python]
        if target == this_target():
            least = platform.python_version()
        described.append(vars(target) | {"least": least, "wheels": names})
    return described


def check_for_cuda(made: Path, torch_index: str) -> None:
    """Point CUDA's libraries out, or refuse them where PyTorch came without."""
    found = [p for p in (made / WHEELS).iterdir() if p.name.startswith(CUDA)]
    size = megabytes(sum(path.stat().st_size for path in found))
    names = ", ".join(sorted(path.name.split("-")[0] for path in found))
    if found and torch_index:
        raise BundleError(f"--torch-index: CUDA libraries came all the same: {names}")
    if found:
        print(f"note: {size} are CUDA libraries; --torch-index leaves them out")
