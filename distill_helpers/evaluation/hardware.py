"""Which machine a number was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil
import torch

_CPU_FEATURES = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "amx_bf16",
    "amx_int8",
)


def machine() -> dict:
    """Name the machine: system, CPU features, cores, threads, versions.

    Returns
    -------
    dict
        Nothing in it names the user, the host or a path.
    """
    import transformers

    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("flags"):
                flags = set(line.split(":")[1].split())
                break
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cpu_features": [name for name in _CPU_FEATURES if name in flags],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
