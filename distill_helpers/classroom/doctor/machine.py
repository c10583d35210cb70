"""The machine: disk, memory, cores, processor."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...lessons.parameters import DEFAULT_RUNS
from ..executors import cores as usable_cores
from .report import FAIL, OK, WARN, Finding

GIB = 2**30
# Below the first there is a warning, below the second a failure.
DISK_GIB = (2.0, 0.5)
MEMORY_GIB = (2.0, 1.0)

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
    usable = min(cores, usable_cores())
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


def _standing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    folder = Path(os.path.abspath(folder))
    return next(p for p in (folder, *folder.parents) if os.path.lexists(p))


def write_problem(folder: Path) -> str:
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
    problem = write_problem(folder)
    if problem:
        cure = "Call from a folder of yours, or free the name 'runs' in this one."
        return Finding("results folder", FAIL, problem, cure)
    return Finding("results folder", OK, f"{Path(folder).resolve()} can be written")
