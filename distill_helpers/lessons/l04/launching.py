"""Lesson 04: a function of the notebook, started in several processes."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_LAST_WORDS = 2000  # characters of a failure that are shown


def script_of(function: Callable) -> str:
    """Return a script that calls a function with what stands behind its name.

    Parameters
    ----------
    function : callable
        Written by itself: it must import what it needs. Its arguments are str.

    Returns
    -------
    str
    """
    call = f"import sys; {function.__name__}(*sys.argv[1:])"
    return f"{inspect.getsource(function)}\n\n{call}\n"


def launch(
    function: Callable, folder: Path, processes: int, *arguments
) -> dict[str, torch.Tensor]:
    """Start a training in several processes and read the weights that it saved.

    Parameters
    ----------
    function : callable
        As for :func:`script_of`. It is given a folder, which it must leave with a
        ``model.safetensors``, and `arguments`, as str.
    folder : Path
        The training gets a folder of its own in it.
    processes : int
    *arguments
        Further ones of the function.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    RuntimeError
        If a process fails; with the end of what it said.
    """
    from safetensors.torch import load_file

    place = folder / f"{processes}_processes"
    place.mkdir(parents=True)
    script = place / "train.py"
    script.write_text(script_of(function), encoding="utf-8")
    # Two processes may not share one graphics card.
    alone = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*torchrun, f"--nproc_per_node={processes}", script, place]
        + [str(argument) for argument in arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=alone,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-_LAST_WORDS:])
    return load_file(place / "model.safetensors")
