"""Look at a machine before the first lesson: ``python -m distill_helpers doctor``.

Every check answers with a :class:`Finding`: what was seen and, where something
is wrong, one sentence that says what to do. A check that breaks is a finding
too, and the others go on. At the top only the standard library is imported,
so that the doctor comes even to a machine on which nothing else works; what
may take the whole process down, PyTorch and ONNX Runtime, computes in a process
of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from .files import whole_file
from .parameters import DEFAULT_RUNS

OK, WARN, FAIL = "OK", "WARN", "FAIL"
ROOT = Path(__file__).resolve().parent.parent
NAME = "distill-helpers"
CHECKSUMS = "checksums.json"
DATA_FILES = ("sample_reviews/reviews.jsonl", "soft_targets/*.parquet", "teacher.json")
KERNEL = "python3"  # what the notebooks name
WIDGETS = "@jupyter-widgets/jupyterlab-manager"
OPSET = 20  # as in onnx_graph, which imports all of PyTorch
GIB = 2**30
# Below the first there is a warning, below the second a failure.
DISK_GIB = (2.0, 0.5)
MEMORY_GIB = (2.0, 1.0)
WIDTH = 80
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
_CHILD_SECONDS = 120  # the first import after an installation takes long
_COLOURS = {OK: "32", WARN: "33", FAIL: "31"}
_TEXT = (".json", ".jsonl")
# How a feature is called in /proc/cpuinfo (Linux) and by PyTorch (elsewhere).
_X86 = {
    "AVX2": ("avx2",),
    "AVX512-VNNI": ("avx512_vnni",),
    "AVX-VNNI": ("avx_vnni",),
    "BF16": ("avx512_bf16",),
    "AMX": ("amx_tile",),
}
_ARM = {
    "dot product": ("asimddp", "dot"),
    "BF16": ("bf16",),
    "I8MM": ("i8mm",),
    "SVE": ("sve",),
}


@dataclass(frozen=True)
class Finding:
    """What one check saw.

    Attributes
    ----------
    name : str
        Stable, such as ``"kernel"`` or ``"package torch"``.
    status : str
        ``"OK"``, ``"WARN"`` or ``"FAIL"``: a lesson will not run.
    seen : str
    cure : str
        One sentence; empty where nothing is to be done.
    """

    name: str
    status: str
    seen: str
    cure: str = ""


# ------------------------------------------------------- Python and packages
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


def declared(root: Path = ROOT) -> Declared:
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


def check_installation(root: Path = ROOT) -> Finding:
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
        done = _run([sys.executable, "-c", code], folder, environment)
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


def _other_python(root: Path = ROOT) -> str:
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


# --------------------------------------------------------------- the machine
def check_disk(folders: Sequence[Path]) -> Finding:
    """Look for free space where results and downloads go."""
    places = [_standing(folder) for folder in folders]
    free, place = min((shutil.disk_usage(place).free, place) for place in places)
    return _enough(
        "disk",
        free / GIB,
        DISK_GIB,
        f"{free / GIB:.1f} GiB are free at {place}",
        f"Make room on the disk of {place}, or move the kit and HF_HOME to another.",
    )


def check_memory() -> Finding:
    """Look for memory that a lesson could take."""
    import psutil

    memory = psutil.virtual_memory()
    return _enough(
        "memory",
        memory.available / GIB,
        MEMORY_GIB,
        f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB are free",
        "Close other programs, other notebooks and browser tabs.",
    )


def _enough(name: str, have: float, bounds, seen: str, cure: str) -> Finding:
    status = FAIL if have < bounds[1] else WARN if have < bounds[0] else OK
    return Finding(name, status, seen, "" if status == OK else cure)


def check_cores(torch: Mapping) -> Finding:
    """Compare the cores with what PyTorch uses of them.

    Parameters
    ----------
    torch : mapping
        Of :func:`ask_torch`; ``threads`` may be missing.
    """
    cores = os.cpu_count() or 1
    usable = cores
    if hasattr(os, "sched_getaffinity"):  # fewer where a scheduler gave us few
        usable = min(cores, len(os.sched_getaffinity(0)))
    threads = torch.get("threads")
    setting = os.environ.get("OMP_NUM_THREADS")
    seen = f"{usable} of {cores} usable, PyTorch takes {threads or 'unknown'}"
    if setting is not None:
        seen += f", OMP_NUM_THREADS={setting}"
    cure = ""
    if usable == 1:
        cure = (
            "Expect everything to take longer; give this machine more cores if you can."
        )
    elif threads == 1 or (threads or 0) > usable:
        cure = f"Unset OMP_NUM_THREADS, or set it to {usable}, to use what is there."
    return Finding("cores", WARN if cure else OK, seen, cure)


def check_processor(torch: Mapping, cpuinfo: Path = Path("/proc/cpuinfo")) -> Finding:
    """Name what the processor has for small numbers; for information only.

    Parameters
    ----------
    torch : mapping
        Of :func:`ask_torch`; serves where there is no `cpuinfo`.
    cpuinfo : Path
    """
    kind = platform.machine() or "unknown processor"
    flags = set(torch.get("features", ()))
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                flags |= set(value.split())
                break
    if not flags:
        return Finding("processor", OK, f"{kind}, features unknown")
    names = _ARM if kind.lower().startswith(("arm", "aarch")) else _X86
    has = [name for name, spelt in names.items() if flags & set(spelt)]
    lacks = [name for name in names if name not in has]
    seen = f"{kind}: {', '.join(has) or 'none'}; without {', '.join(lacks) or 'none'}"
    return Finding("processor", OK, seen)


# ------------------------------------------------------------------- folders
def _standing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    folder = Path(os.path.abspath(folder))
    return next(p for p in (folder, *folder.parents) if os.path.lexists(p))


def _write_problem(folder: Path) -> str:
    """Try to write where `folder` is or would be; leave no trace."""
    place = _standing(folder)
    if not place.is_dir():
        return f"{place} is not a folder"
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
            file.write(b"?")
            file.flush()
    except OSError as error:
        return f"{place}: {error.strerror or error}"
    return ""


def check_results(folder: Path = DEFAULT_RUNS) -> Finding:
    """Try to write where the lessons put their results."""
    problem = _write_problem(folder)
    if problem:
        cure = "Call from a folder of yours, or free the name 'runs' in this one."
        return Finding("results folder", FAIL, problem, cure)
    return Finding("results folder", OK, f"{Path(folder).resolve()} can be written")


def hub_folders() -> list[Path]:
    """Return where downloads from the Hub and prepared data sets are kept."""
    from huggingface_hub import constants

    prepared = os.environ.get("HF_DATASETS_CACHE")
    hub = Path(constants.HF_HUB_CACHE)
    return [hub, Path(prepared or Path(constants.HF_HOME) / "datasets").expanduser()]


def check_hub_cache() -> Finding:
    """Try to write where downloads go; the sample does not need it."""
    folders = hub_folders()
    problem = next(filter(None, map(_write_problem, folders)), "")
    if problem:
        cure = (
            "Set HF_HOME to a folder of yours; IMDB and a teacher from the Hub"
            " need one, the sample does not."
        )
        return Finding("Hub cache", WARN, problem, cure)
    return Finding("Hub cache", OK, f"{folders[0]} can be written")


# ------------------------------------------------------------------- Jupyter
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
        done = _run([program, "-c", code, *needed], folder)
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


# ------------------------------------------------- what computes, and by itself
def ask_torch() -> dict:
    """Multiply two matrices in PyTorch, as floats and as whole numbers.

    Returns
    -------
    dict
        ``version``, ``threads``, ``features`` of the processor, and
        ``difference``, the largest one between the two products.
    """
    import torch

    row = torch.arange(64)
    left, right = (row[:, None] + row) % 7, (row[:, None] * row) % 5
    exact = left @ right
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "features": [name for name, there in capabilities.items() if there is True],
        "difference": float((left.float() @ right.float() - exact).abs().max()),
    }


def ask_onnxruntime() -> dict:
    """Make a model of one layer, run it, and multiply by hand.

    Returns
    -------
    dict
        ``version`` and ``difference``, the largest one between both results.
    """
    import numpy as np
    import onnx
    import onnxruntime

    weight = (np.arange(64 * 8).reshape(64, 8) % 11 - 5).astype(np.float32)
    given = (np.arange(4 * 64).reshape(4, 64) % 7 - 3).astype(np.float32)
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["given", "weight"], ["product"]),
            onnx.helper.make_node("Relu", ["product"], ["answer"]),
        ],
        "tiny",
        [onnx.helper.make_tensor_value_info("given", kind, [None, 64])],
        [onnx.helper.make_tensor_value_info("answer", kind, [None, 8])],
        [onnx.numpy_helper.from_array(weight, "weight")],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=10
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (answer,) = session.run(None, {"given": given})
    right = np.maximum(given @ weight, 0)
    return {
        "version": onnxruntime.__version__,
        "difference": float(np.abs(answer - right).max()),
    }


_QUESTIONS = {"PyTorch": ask_torch, "ONNX Runtime": ask_onnxruntime}


def answer(name: str) -> None:
    """Print what one of the two said, as the last line; the child calls it."""
    try:
        facts = _QUESTIONS[name]()
    except Exception as error:
        facts = {"error": f"{type(error).__name__}: {error}"}
    print(f"\n{json.dumps(facts)}", flush=True)


def in_child(name: str) -> dict:
    """Ask in another process: a processor that is too old kills the asker.

    Parameters
    ----------
    name : str
        ``"PyTorch"`` or ``"ONNX Runtime"``.

    Returns
    -------
    dict
        What was answered, or ``error`` alone.
    """
    code = f"from distill_helpers.doctor import answer; answer({name!r})"
    environment = dict(os.environ)
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [before, str(ROOT)]))
    try:
        done = _run([sys.executable, "-W", "ignore", "-c", code], None, environment)
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {_CHILD_SECONDS} s"}
    if done.returncode:
        return {"error": f"its process ended with {_ending(done.returncode)}"}
    return json.loads(done.stdout.splitlines()[-1])


def _ending(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"status {status if status < 256 else hex(status)}"  # Windows: hex


def _run(words: Sequence[str], folder: str | None, environment: Mapping | None = None):
    return subprocess.run(
        words,
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_CHILD_SECONDS,
    )


def check_computing(name: str, facts: Mapping) -> Finding:
    """Judge what :func:`in_child` brought.

    Parameters
    ----------
    name : str
    facts : mapping
        ``version`` and ``difference``, or ``error``.
    """
    if "error" in facts:
        return _broken(name, facts["error"])
    # Small whole numbers: their products and sums are exact in float32.
    if not facts["difference"] <= 1e-3:
        seen = f"{facts['version']} computes wrongly, off by {facts['difference']:g}"
        return Finding(name, FAIL, seen, REINSTALL)
    return Finding(name, OK, f"{facts['version']} computes rightly")


# ---------------------------------------------------------------------- data
def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, the same on every system.

    git may give text files other line ends on Windows; they do not count.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    content = path.read_bytes()
    if path.suffix in _TEXT:
        content = content.replace(b"\r\n", b"\n")
    return hashlib.sha256(content).hexdigest()


def checksums(data: Path = ROOT / "data") -> dict[str, str]:
    """Return the checksum of every shipped file that the lessons build on.

    Returns
    -------
    dict of str to str
        By path below `data`.
    """
    paths = sorted(path for pattern in DATA_FILES for path in data.glob(pattern))
    return {path.relative_to(data).as_posix(): checksum(path) for path in paths}


def write_checksums(data: Path = ROOT / "data") -> Path:
    """Store the checksums beside the files, after one was made anew.

    Returns
    -------
    Path
    """
    path = data / CHECKSUMS
    text = json.dumps({"sha256": checksums(data)}, indent=1) + "\n"
    with whole_file(path) as temporary:
        temporary.write_bytes(text.encode())
    return path


def check_data(data: Path = ROOT / "data") -> Finding:
    """Compare the shipped reviews and soft targets with their checksums."""
    try:
        stored = json.loads((data / CHECKSUMS).read_text("utf-8"))["sha256"]
        stored = dict(stored)
    except (OSError, ValueError, KeyError, TypeError) as error:
        seen = f"{CHECKSUMS} cannot be read: {type(error).__name__}"
        return Finding("data", FAIL, seen, _restore([CHECKSUMS]))
    wrong = {}
    for name, wanted in stored.items():
        path = data / name
        if not path.is_file():
            wrong[name] = "missing"
        elif checksum(path) != wanted:
            wrong[name] = "damaged or changed"
    if not stored:
        return Finding("data", FAIL, f"{CHECKSUMS} is empty", _restore([CHECKSUMS]))
    if wrong:
        seen = ", ".join(f"{name} is {why}" for name, why in wrong.items())
        return Finding("data", FAIL, seen, _restore(wrong))
    return Finding("data", OK, f"{len(stored)} files are as they were shipped")


def _restore(names: Iterable[str]) -> str:
    """Name the files alone: data/ may hold results of the reader's own."""
    paths = " ".join(f"data/{name}" for name in names)
    return f"Call 'git checkout -- {paths}', or copy that from a fresh kit."


def check_imdb() -> Finding:
    """Say where the lessons find IMDB; without it they take the sample.

    A variable that names a folder without the data is a failure: the lessons
    refuse to guess.
    """
    from .data import imdb_cache, imdb_mirror, imdb_named

    folder, by = imdb_named() or ("", "")
    try:
        found = imdb_mirror() is not None
    except FileNotFoundError:
        return Finding(
            "IMDB",
            FAIL,
            f"{by} names a folder without it",
            f"Correct or take away what {by} names, now {folder!r}.",
        )
    if found:
        return Finding("IMDB", OK, f"found, by {by}")
    if imdb_cache() is not None:
        return Finding("IMDB", OK, "found, in the Hub's cache")
    return Finding("IMDB", OK, "not here: the lessons use the sample")


def check_hub(network: bool = False, seconds: float = 5.0) -> Finding:
    """Ask the Hub, if that is wanted; no lesson needs it.

    Parameters
    ----------
    network : bool, default False
        Without it nothing leaves the machine.
    seconds : float, default 5.0
        How long to wait.
    """
    if not network:
        return Finding("Hub", OK, "not asked; --network asks")
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        return Finding("Hub", OK, "not asked: HF_HUB_OFFLINE is set")
    # The address may hold a password, so that only the host is shown.
    host = constants.ENDPOINT.rpartition("//")[2].rpartition("@")[2].split("/")[0]
    problem = ["no answer in time"]

    def ask() -> None:
        try:
            HfApi(token=False).dataset_info("stanfordnlp/imdb", timeout=seconds)
            problem[0] = ""
        except Exception as error:
            response = getattr(error, "response", None)
            code = getattr(response, "status_code", None)
            problem[0] = f"status {code}" if code else type(error).__name__

    # In a thread of its own, for a bad network can hold up the name look-up
    # longer than any timeout of the request.
    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(seconds + 1)
    if problem[0]:
        cure = (
            "Go on without: no lesson needs the Hub; for a download, look at the"
            " network, its proxy and HF_ENDPOINT."
        )
        return Finding("Hub", WARN, f"{host} is not usable: {problem[0]}", cure)
    return Finding("Hub", OK, f"{host} answers")


def check_progress() -> Finding:
    """Read what was done so far, and try to write beside it."""
    record = _record()
    path = record.record_path().absolute()
    cure = (
        f"Move {path} away, or name another file in DISTILL_PROGRESS; until then"
        " progress is kept for a session only."
    )
    try:
        count = len(record.read_record(path))
    except record.RecordError as error:
        return Finding("progress", WARN, str(error), cure)
    problem = _write_problem(path.parent)
    if problem:
        return Finding("progress", WARN, problem, cure)
    return Finding("progress", OK, f"{count} exercises tried, {path}")


def _record():
    """Load checks/record.py alone: the package around it imports PyTorch."""
    name = f"{__package__}.checks.record"
    path = Path(__file__).with_name("checks") / "record.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -------------------------------------------------------------------- extras
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
    return Finding(extra, OK, ", ".join(f"{n} {_version(n)}" for n in judged))


def _version(package: str) -> str:
    return importlib.metadata.version(package)


def check_browser(folder: Path = ROOT / "browser") -> Finding:
    """Say whether a page can run a model; no lesson needs it.

    `export.browser.runtime_files` looks closer, but imports all of transformers.

    Parameters
    ----------
    folder : Path
        Holds ``package.json`` and ``node_modules``.
    """
    get = "python start.py fetch-browser"
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


# ----------------------------------------------------------------- all of it
def examine(*, network: bool = False) -> list[Finding]:
    """Run every check.

    Parameters
    ----------
    network : bool, default False
        Ask the Hub too.

    Returns
    -------
    list of Finding
        In a fixed order. A check that raises becomes a failure of that name.
    """
    with ThreadPoolExecutor(2) as pool:  # both start while the others are run
        asked = {name: pool.submit(in_child, name) for name in _QUESTIONS}
        torch = asked["PyTorch"].result
        checks: dict[str, Callable[[], Finding | list[Finding]]] = {
            "Python": lambda: check_python(declared()),
            "installation": check_installation,
            "packages": lambda: check_packages(declared()),
            "disk": lambda: check_disk([DEFAULT_RUNS, *hub_folders()]),
            "memory": check_memory,
            "results folder": check_results,
            "Hub cache": check_hub_cache,
            "kernel": check_kernel,
            "widgets": check_widgets,
            "data": check_data,
            "progress": check_progress,
            "IMDB": check_imdb,
            "Hub": lambda: check_hub(network),
            "serve": lambda: check_extra("serve", declared()),
            "phone": lambda: check_extra("phone", declared()),
            "browser": check_browser,
            "cores": lambda: check_cores(torch()),
            "processor": lambda: check_processor(torch()),
        }
        for name in asked:
            checks[name] = lambda name=name: check_computing(name, asked[name].result())
        return [f for name, check in checks.items() for f in _guarded(name, check)]


def _guarded(name: str, check: Callable) -> list[Finding]:
    try:
        found = check()
    except Exception as error:
        return [_broken(name, f"{type(error).__name__}: {error}")]
    return found if isinstance(found, list) else [found]


def _broken(name: str, error: str) -> Finding:
    """Report an error in its own words, with the cure if it is a known one."""
    # What is missing here may be in the Python of the kit.
    other = _other_python() if "ModuleNotFoundError" in error else ""
    known = [cure for words, cure in _KNOWN.items() if words in error]
    return Finding(name, FAIL, error, next(filter(None, [other, *known, REINSTALL])))


# -------------------------------------------------------------------- output
def as_table(findings: Sequence[Finding]):
    """Lay findings out for a notebook.

    Parameters
    ----------
    findings : sequence of Finding

    Returns
    -------
    pandas.DataFrame
        Columns ``status``, ``name``, ``seen`` and ``cure``.
    """
    import pandas as pd

    columns = ["status", "name", "seen", "cure"]
    return pd.DataFrame([asdict(f) for f in findings], columns=columns)


def as_text(findings: Sequence[Finding], colour: bool = False) -> str:
    """Lay findings out for a terminal, one line each, its cure below.

    What is too long for a line is cut in the middle.

    Parameters
    ----------
    findings : sequence of Finding
    colour : bool, default False
        Paint the status as well.

    Returns
    -------
    str

    Examples
    --------
    >>> print(as_text([Finding("disk", "FAIL", "full", "Make room.")]))
    FAIL  disk   full
          Make room.
    0 OK, 0 WARN, 1 FAIL
    """
    wide = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        head = f"{finding.status:4}  {finding.name:{wide}}   "
        seen = _cut(finding.seen, max(20, WIDTH - len(head)))
        if colour:
            head = f"\x1b[{_COLOURS[finding.status]}m{head[:4]}\x1b[0m{head[4:]}"
        lines.append(f"{head}{seen}")
        if finding.status != OK:
            lines += textwrap.wrap(
                finding.cure,
                WIDTH,
                initial_indent=" " * 6,
                subsequent_indent=" " * 6,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join([*lines, _total(findings)])


def _total(findings: Sequence[Finding]) -> str:
    counts = _counts(findings)
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    counted = Counter(finding.status for finding in findings)
    return {status: counted[status] for status in (OK, WARN, FAIL)}


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def _wants_colour() -> bool:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return False
    if os.name == "nt" and "WT_SESSION" not in os.environ:
        return False  # an old console shows the codes themselves
    return os.environ.get("TERM") != "dumb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine this machine; return 1 if something must be mended first."""
    parser = argparse.ArgumentParser(
        prog="python -m distill_helpers doctor",
        description="Check this machine before the first lesson.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--network", action="store_true", help="ask the Hub too")
    parser.add_argument(
        "--write-checksums",
        action="store_true",
        help="for makers of the kit: store the checksums of data/ and stop",
    )
    options = parser.parse_args(arguments)
    if options.write_checksums:
        print(write_checksums())
        return 0
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):  # for the JSON must stand alone
        findings = examine(network=options.network)
    seconds = round(time.perf_counter() - start, 2)
    if options.json:
        print(json.dumps(_report(findings, seconds), indent=1))
    else:
        if hasattr(sys.stdout, "reconfigure"):  # a path may have any letter
            sys.stdout.reconfigure(errors="backslashreplace")
        print(as_text(findings, _wants_colour()), f"in {seconds:.1f} s")
    return 1 if _counts(findings)[FAIL] else 0


def _report(findings: Sequence[Finding], seconds: float) -> dict:
    return {
        "seconds": seconds,
        "counts": _counts(findings),
        "findings": [asdict(finding) for finding in findings],
    }
