"""Run the lessons from the command line: ``distill-kit lessons``.

Every notebook of ``notebooks/`` goes through papermill, on the sample and
without a network; the executed copies and their results land in ``runs/``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import papermill
from papermill.exceptions import PapermillExecutionError

from ..lessons.parameters import (
    DEFAULT_RUNS,
    ParameterError,
    free_folder,
    parameters_of,
)
from ..lessons.paths import as_called
from ..places import NO_CLONE, NOTEBOOKS
from .costs import Cost, watching, write_costs


def lesson_paths(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the numbered lessons in order; appendices are not among them."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def run_lesson(path: Path, folder: Path, source: str) -> Path:
    """Execute one lesson and return the executed copy.

    Parameters
    ----------
    path : Path
        The notebook.
    folder : Path
        Where the copy and the lesson's results go; must not exist.
    source : str
        The lesson's parameter `source`, for lessons that have one.

    Returns
    -------
    Path
    """
    folder.mkdir(parents=True)
    copy = folder / path.name
    wanted = {"source": source, "output_dir": str(folder.resolve() / "out")}
    known = parameters_of(path)
    papermill.execute_notebook(
        path,
        copy,
        parameters={name: v for name, v in wanted.items() if name in known},
        cwd=path.parent,
        progress_bar=True,
    )
    return copy


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all lessons; return 0 if every one passed."""
    parser = argparse.ArgumentParser(prog="distill-kit lessons", description=__doc__)
    parser.add_argument(
        "--source", default="sample", help="a file's path is relative to where you are"
    )
    parser.add_argument("--only", help="the number of one lesson, such as 03")
    parser.add_argument(
        "--record",
        action="store_true",
        help="keep what each lesson took, for the start page",
    )
    options = parser.parse_args(arguments)
    # Processes side by side wait without spinning; the kernels inherit it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if options.source == "sample":
        os.environ["HF_HUB_OFFLINE"] = "1"
    paths = [p for p in lesson_paths() if (options.only or "") in p.name[:2]]
    if not paths:
        parser.error(
            f"--only {options.only}: there is no such lesson"
            if NOTEBOOKS.is_dir()
            else f"there is no {NOTEBOOKS}: {NO_CLONE}"
        )
    try:
        options.source = as_called({"source": options.source}, NOTEBOOKS)["source"]
    except ParameterError as error:
        parser.error(f"--{error}")
    failed, costs = [], {}
    for path in paths:
        folder = free_folder(DEFAULT_RUNS.resolve() / path.stem)
        try:
            with watching() as cost:
                copy = run_lesson(path, folder, options.source)
        except PapermillExecutionError as error:
            failed.append(path.name)
            print(f"FAILED {path.name}\n{error}", file=sys.stderr)
            continue
        costs[path.stem] = cost
        spent = f"{cost.seconds:.0f} s, {cost.peak_mb:.0f} MB"
        print(f"passed {path.name}: see {os.path.relpath(copy)}; {spent}")
    if options.record:
        _record(costs, failed)
    return 1 if failed else 0


def _record(costs: Mapping[str, Cost], failed: Sequence[str]) -> None:
    """Keep what the lessons took, or say why not."""
    if failed:
        names = ", ".join(failed)
        print(f"--record: nothing was kept, for {names} failed", file=sys.stderr)
        return
    from ..evaluation.hardware import machine  # brings PyTorch

    try:
        print("kept", os.path.relpath(write_costs(costs, machine())))
    except ValueError as error:
        raise SystemExit(f"error: --record: {error}") from None
