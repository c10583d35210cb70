"""Carry the kit to a class: one folder, many laptops, no network.

Without --platform and --python the bundle is for laptops like this one. Others
are named: --platform windows macos --python 3.11 3.12. A learner runs ``python
install.py`` inside the bundle. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path, PurePosixPath

from ...arguments import CommandLine, check_choice
from ...files import whole_folder
from ...places import PROJECT as ROOT
from . import installing
from .installing import (
    FORMAT,
    IMDB,
    MANIFEST,
    MODELS,
    PROJECT,
    BundleError,
    Target,
    copy,
    digest,
    megabytes,
    read_manifest,
    this_target,
    venv_python,
)
from .project import files_below, fits, kit_version, project_files
from .wheels import (
    LEAST_RELEASE,
    PLATFORMS,
    check_for_cuda,
    gather_wheels,
    get_wheels,
)

INSTALLER, WELCOME = "install.py", "READ_ME_FIRST.txt"
SPLITS = ("train", "test", "unsupervised")
SAFE = ("*.safetensors", "*.json", "*.txt", "*.model", "*.md")


def mirror_files(mirror: str | Path) -> list[Path]:
    """Return the files of a local copy of IMDB in the Hub's layout.

    Raises
    ------
    BundleError
        If a part is missing.
    """
    folder, files = Path(mirror).expanduser(), []
    for split in SPLITS:
        found = sorted(folder.glob(f"plain_text/{split}-*.parquet"))
        if not found:
            raise BundleError(
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
    BundleError
        If huggingface_hub is not installed, or the Hub does not give the model.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        kit = venv_python(Path(".venv"))
        raise BundleError(
            f"--model {name!r}: a model of the Hub needs the package"
            f" huggingface_hub; run this with the kit's Python, {kit}, after"
            " 'python start.py lessons' has made it"
        ) from None
    try:
        return Path(snapshot_download(name, allow_patterns=list(SAFE)))
    except (OSError, ValueError) as error:
        raise BundleError(
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
    raise BundleError(
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
        safe = [f for f in files if fits(f, SAFE) and f not in hidden]
        if not any(f.endswith(".safetensors") for f in safe):
            raise BundleError(f"--model {given!r} holds no *.safetensors file")
        if (target / name).exists():
            raise BundleError(f"--model {given!r}: two models are called {name!r}")
        left = [f for f in files if f not in safe and f not in hidden]
        if left:
            print(f"note: left out of {given}: {', '.join(left)}")
        for file in safe:
            copy(source / file, target / name / file)


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

    python install.py --check
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
    BundleError
        If the project, the data, a model or the wheels cannot be had.
    FileExistsError
        If something stands at `folder`.
    ValueError
        If a target is not known.
    """
    for target in targets:
        check_choice("--platform", target.platform, PLATFORMS)
        check_choice("--python", target.python, LEAST_RELEASE)
    if imdb is not None:
        mirror_files(imdb)
    names = project_files(root)
    folder = Path(folder).expanduser().absolute()
    with (
        whole_folder(folder, "FOLDER") as made,
        tempfile.TemporaryDirectory(
            dir=folder.parent, prefix=".work-", ignore_cleanup_errors=True
        ) as scratch,
    ):
        work = Path(scratch)
        for name in names:
            copy(root / name, made / PROJECT / name)
        _copy_models(models, made / MODELS, from_hub)
        if imdb is not None:
            _copy_mirror(imdb, made / IMDB)
        if get is None:
            get = partial(_get_in_workshop, work=work, torch_index=torch_index)
        described = gather_wheels(targets, made, work, get)
        check_for_cuda(made, torch_index)
        return _finish(made, root, described)


def _get_in_workshop(target, project, folder, *, work: Path, torch_index: str) -> None:
    shop = work / f"{target.platform}-{target.python}"
    get_wheels(target, project, folder, work=shop, torch_index=torch_index)


def _finish(made: Path, root: Path, targets: list[dict]) -> dict:
    """Add the installer, the first words and the list of all files."""
    pythons = sorted({t["python"] for t in targets}, key=lambda v: int(v[2:]))
    platforms = sorted({t["platform"] for t in targets})
    copy(Path(installing.__file__), made / INSTALLER)
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
    return read_manifest(made)  # what no laptop would take is found here


def _listed(path: Path) -> dict:
    return {"bytes": path.stat().st_size, "sha256": digest(path)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a bundle and say what is in it."""
    parser = CommandLine(
        prog="distill-kit pack",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    here = this_target()
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument(
        "--platform", nargs="+", choices=PLATFORMS, default=[here.platform]
    )
    parser.add_argument(
        "--python", nargs="+", choices=LEAST_RELEASE, default=[here.python]
    )
    parser.add_argument(
        "--torch-index",
        default="",
        metavar="ADDRESS",
        help="where PyTorch's builds without CUDA are, for laptops with Linux",
    )
    parser.add_argument("--imdb", help="a copy of the Hub's data set")
    parser.add_argument("--model", nargs="+", default=[], metavar="PATH_OR_HUB_ID")
    options = parser.parse_args(arguments)
    pairs = itertools.product(options.platform, options.python)
    targets = [Target(*pair) for pair in dict.fromkeys(pairs)]
    try:
        manifest = pack(
            options.folder,
            targets,
            torch_index=options.torch_index,
            imdb=options.imdb,
            models=options.model,
        )
    except (BundleError, OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
    sizes: Counter[str] = Counter()
    for name, listed in manifest["files"].items():
        sizes[name.split("/")[0]] += listed["bytes"]
    for top, size in sizes.items():
        print(f"  {top}: {megabytes(size)}")
    print(f"packed {options.folder}: {megabytes(sizes.total())}, for")
    print("\n".join(f"  {target}" for target in targets))
    return 0
