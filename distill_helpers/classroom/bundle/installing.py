#!/usr/bin/env python3
"""Install the kit from a bundle, without a network.

Whoever packs a bundle puts this file into it as ``install.py``, where a learner
runs it; it stands alone, therefore, and needs nothing but Python 3.10 to 3.13.
Installing writes nothing into the bundle: it may lie on a read-only stick or
shared folder, and many laptops may install from it at once.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FORMAT = "distill-classroom-1"
MANIFEST, SETTINGS = "manifest.json", "classroom.json"
LARGEST_MANIFEST = 50_000_000
PROJECT, WHEELS, IMDB, MODELS = "project", "wheels", "imdb", "models"
DEFAULT_TARGET = "distillation"
EXTRA = "test"
# What a name in the manifest may be made of on every system: no drive, no way up.
_PART = re.compile(r"[^\\/:*?\"<>|\x00-\x1f\x7f]+")
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}")
_RELEASE = r"[A-Za-z0-9_.!+]+"
_WHEEL = re.compile(
    rf"[A-Za-z0-9_.]+-{_RELEASE}(-\d[A-Za-z0-9_.]*)?(-[A-Za-z0-9_.]+){{3}}\.whl"
)
_WORD = re.compile(r"[\w.+-]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BundleError(Exception):
    """Something does not fit; the message says what and what to do."""


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


def venv_python(venv: Path) -> Path:
    windows = os.name == "nt"
    return venv / ("Scripts/python.exe" if windows else "bin/python")


# -------------------------------------------------------------------- checking
def read_manifest(bundle: Path) -> dict:
    """Read what a bundle says of itself.

    Raises
    ------
    BundleError
        If it is no bundle, one of another kit, or holds what no packer writes, such
        as the name of a file that would lie elsewhere.
    """
    path = bundle / MANIFEST
    try:
        manifest = _read_json(path)
    except FileNotFoundError:
        told = f"{str(bundle)!r} is no bundle: it has no {MANIFEST}"
        raise BundleError(told) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path} is damaged: {error}; copy it anew") from error
    named = manifest.get("format") if isinstance(manifest, dict) else None
    if named != FORMAT and isinstance(named, str):
        told = f"{path} must have the format {FORMAT!r}, it has {_short(named)}"
        raise BundleError(told)
    wrong = _wrong_with(manifest) if named == FORMAT else "it names no format"
    if wrong:
        raise BundleError(f"{path} is damaged: {wrong}; copy it anew")
    return manifest


def _read_json(path: Path) -> object:
    """Read JSON of a size; a pipe or a device would be read for ever."""
    if not path.exists():
        raise FileNotFoundError(path)
    if not path.is_file():
        raise ValueError("it is no regular file")
    with path.open("rb") as file:
        content = file.read(LARGEST_MANIFEST + 1)
    if len(content) > LARGEST_MANIFEST:
        raise ValueError(f"it has more than {megabytes(LARGEST_MANIFEST)}")
    return json.loads(content.decode("utf-8"), object_pairs_hook=_each_once)


def _each_once(pairs: list) -> dict:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("it names something twice in one object")
    return dict(pairs)


def _short(value: object) -> str:
    """Return a value's repr, cut to fit into a line."""
    return ascii(value)[:100]


def _fits(pattern: re.Pattern, value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _wrong_with(manifest: dict) -> str:
    """Say what of a manifest no packer writes; nothing if all is well."""
    files, targets = manifest.get("files"), manifest.get("targets")
    if not isinstance(files, dict) or not isinstance(targets, list):
        return "it has no files or no targets"
    if not files or not targets:
        return "it lists nothing"
    if not _fits(_WORD, manifest.get("kit")):
        return f"kit must be a version, got {_short(manifest.get('kit'))}"
    faults = [_wrong_with_file(name, listed) for name, listed in files.items()]
    faults += [_wrong_with_target(target) for target in targets]
    return next(filter(None, faults), "")


def _wrong_with_file(name: str, listed: object) -> str:
    parts = name.split("/")
    if not all(_is_plain(part) for part in parts):
        return f"{_short(name)} is no plain path inside of the bundle"
    if parts[0] in (PROJECT, WHEELS, IMDB, MODELS) and len(parts) == 1:
        return f"{_short(name)} is a folder of the bundle, not a file"
    if not isinstance(listed, dict):
        return f"of {_short(name)} it must say bytes and sha256, got {_short(listed)}"
    size = listed.get("bytes")
    if type(size) is int and 0 <= size < 2**53 and _fits(_SHA256, listed.get("sha256")):
        return ""
    return f"{_short(name)} must have bytes and a sha256, got {_short(listed)}"


def _is_plain(part: str) -> bool:
    """Say if one part of a path means the same on every system, and no other place."""
    return (
        bool(_PART.fullmatch(part))
        and len(part) <= 255
        and part.strip(". ") != ""
        and not part.endswith((".", " "))
        and not _WINDOWS_DEVICE.fullmatch(part)
    )


def _wrong_with_target(target: object) -> str:
    if not isinstance(target, dict):
        return f"a target must be an object, got {_short(target)}"
    wheels = target.get("wheels")
    patterns = {"platform": _WORD, "python": _VERSION, "least": _VERSION}
    for key, pattern in patterns.items():
        if not _fits(pattern, target.get(key)):
            return f"a target's {key} makes no sense: {_short(target.get(key))}"
    if not isinstance(wheels, list) or not wheels:
        return f"a target must list wheels, got {_short(wheels)}"
    # pip is told their names and versions, so that each must be one of a wheel.
    odd = [name for name in wheels if not _fits(_WHEEL, name)]
    return f"no name of a wheel: {_short(odd[0])}" if odd else ""


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
    """Name packages that the manifest does not know; pip would take them."""
    present = [p.name for p in (bundle / WHEELS).glob("*")]
    return [
        f"not in the list: {WHEELS}/{name}"
        for name in sorted(present)
        if f"{WHEELS}/{name}" not in manifest["files"] and not name.startswith(".")
    ]


def _refuse_damage(bundle: Path, manifest: dict, names: Sequence[str]) -> None:
    size = sum(manifest["files"][name]["bytes"] for name in names)
    print(f"reading {len(names)} files, {megabytes(size)}", flush=True)
    found = damage(bundle, manifest, names) + _strange_wheels(bundle, manifest)
    if found:
        raise BundleError(
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
    BundleError
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
    BundleError
        If the bundle has no wheels for it; the message lists what it has.
    """
    for target in manifest["targets"]:
        if (target["platform"], target["python"]) == (here.platform, here.python):
            return target
    held = [str(Target(t["platform"], t["python"])) for t in manifest["targets"]]
    raise BundleError(
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
        raise BundleError(f"{MANIFEST} is damaged: it lists no {min(missing)}")
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
    BundleError
        If the bundle does not fit or is damaged, or `to` exists.
    """
    bundle = Path(bundle).resolve()
    folder = Path(to).expanduser().absolute()
    if os.path.lexists(folder):
        raise BundleError(f"--to {str(to)!r} exists already; name another folder")
    if bundle in (folder.resolve(), *folder.resolve().parents):
        raise BundleError(
            f"--to {str(to)!r} lies in the bundle, into which nothing is written;"
            " name a folder elsewhere, such as --to ~/distillation"
        )
    manifest = read_manifest(bundle)
    target = fitting_target(manifest, here or this_target())
    needed = _needed(manifest, target, data_in_place)
    _refuse_damage(bundle, manifest, needed)
    _refuse_a_full_disk(folder, sum(manifest["files"][n]["bytes"] for n in needed))
    folder.mkdir(parents=True)
    try:
        _fill(folder, bundle, manifest, target, needed, data_in_place)
    except BaseException:  # Ctrl-C too: half an installation helps nobody
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _refuse_a_full_disk(folder: Path, size: int) -> None:
    free = shutil.disk_usage(next(p for p in folder.parents if p.is_dir())).free
    if free < size:
        raise BundleError(
            f"--to {str(folder)!r} needs {megabytes(size)} at least, and there are"
            f" {megabytes(free)} free; name a folder on another disk"
        )


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
    Path(start["STAMP"]).write_text(start["fingerprint"](), "utf-8")


def _install_packages(folder: Path, bundle: Path, target: dict) -> None:
    venv = folder / ".venv"
    if not run(sys.executable, "-m", "venv", venv):
        raise BundleError("could not make a virtual environment; see above")
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
            raise BundleError(
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


def main(arguments: Sequence[str] | None = None, bundle: Path | None = None) -> int:
    """Install from a bundle: the one given, or the one that the options name."""
    parser = argparse.ArgumentParser(
        prog=None if bundle else "distill-kit install",
        description="Install the kit from a bundle, without a network.",
    )
    if bundle is None:
        parser.add_argument("bundle", metavar="FOLDER")
    parser.add_argument("--to", default=DEFAULT_TARGET, metavar="FOLDER")
    parser.add_argument(
        "--data-in-place",
        action="store_true",
        help="leave IMDB and models in the bundle, which then has to stay",
    )
    parser.add_argument(
        "--check", action="store_true", help="read every file again, and no more"
    )
    options = parser.parse_args(arguments)
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        parser.error(f"Python 3.10 to 3.13 is needed, this is {this_target().python}")
    bundle = bundle or options.bundle
    try:
        if options.check:
            print(f"all {len(check(bundle)['files'])} files are as packed")
        else:
            where = install(bundle, options.to, data_in_place=options.data_in_place)
            print(last_words(where))
    except (BundleError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    return 0


if __name__ == "__main__":
    try:
        main(bundle=Path(__file__).resolve().parent)
    except KeyboardInterrupt:
        raise SystemExit("\nstopped; nothing half-made is left") from None
