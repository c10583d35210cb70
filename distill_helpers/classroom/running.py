"""Run the lessons from the command line: ``distill-kit lessons``.

Every notebook of ``notebooks/`` goes through papermill, on the sample and
without a network; the executed copies and their results land in ``runs/``. Where
cores and memory allow it, several run side by side: a small model's training
does not fill a second core.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from pathlib import Path

import papermill
import psutil
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from ..arguments import CommandLine
from ..lessons.parameters import (
    DEFAULT_RUNS,
    ParameterError,
    free_folder,
    parameters_of,
)
from ..lessons.paths import as_called
from ..places import NO_CLONE, NOTEBOOKS
from .costs import Cost, read_costs, watching, write_costs
from .executors import cores, fair_threads
from .kernels import end_kernels

GIB_EACH = 4
"""Memory that a lesson may want, with what a browser beside it does."""


def lesson_paths(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the numbered lessons in order; appendices are not among them."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def chosen_lessons(paths: Sequence[Path], wanted: Sequence[str]) -> list[Path]:
    """Pick lessons by their numbers.

    Parameters
    ----------
    paths : sequence of Path
        All there are; if some are `wanted`, every name must begin with two digits.
    wanted : sequence of str
        Numbers such as ``"03"`` and ranges such as ``"00-06"``; none means all.

    Returns
    -------
    list of Path
        In the order of the course, each once.

    Raises
    ------
    ValueError
        If one is no number and no range, or no lesson has a number that is named.

    Examples
    --------
    >>> paths = [Path(f"0{n}_{name}.ipynb") for n, name in enumerate("abc")]
    >>> [p.name for p in chosen_lessons(paths, ["2", "00-01"])]
    ['00_a.ipynb', '01_b.ipynb', '02_c.ipynb']
    >>> chosen_lessons(paths, ["01-04"])
    Traceback (most recent call last):
    ValueError: 01-04: there is no lesson 03; there are 00, 01, 02
    """
    if not wanted:
        return list(paths)
    by_number = {int(path.name[:2]): path for path in paths}
    named = set()
    for word in wanted:
        found = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", word)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise ValueError(
                f"{word}: give numbers such as 03, or ranges such as 00-06"
            )
        for number in range(first, last + 1):
            if number not in by_number:
                there = ", ".join(f"{n:02}" for n in sorted(by_number))
                raise ValueError(
                    f"{word}: there is no lesson {number:02}; there are {there}"
                )
            named.add(number)
    return [by_number[n] for n in sorted(named)]


def jobs_that_fit() -> int:
    """Return how many lessons this machine runs side by side: one for each core.

    Returns
    -------
    int
        At least 1, and no more than its memory holds.
    """
    gib = psutil.virtual_memory().total / 2**30
    return max(1, min(cores(), round(gib / GIB_EACH)))


def run_lesson(path: Path, folder: Path, source: str, progress: bool = True) -> Path:
    """Execute one lesson and return the executed copy.

    Parameters
    ----------
    path : Path
        The notebook.
    folder : Path
        Where the copy and the lesson's results go; must not exist.
    source : str
        The lesson's parameter `source`, for lessons that have one.
    progress : bool, default True
        Show a progress bar over its cells.

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
        progress_bar=progress,
    )
    return copy


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all lessons; return 0 if every one passed."""
    parser = CommandLine(prog="distill-kit lessons", description=__doc__)
    parser.add_argument(
        "--source", default="sample", help="a file's path is relative to where you are"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NUMBER",
        help="the numbers of some lessons: 03, or 00 01 02, or 00-06",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        help="lessons side by side; by default as many as cores and memory hold",
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="keep what each lesson took, for the start page; runs one at a time",
    )
    options = parser.parse_args(arguments)
    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    if options.record and options.jobs not in (None, 1):
        parser.error(
            f"--jobs must be 1 with --record, got {options.jobs}: lessons side by side"
            " take longer than each alone"
        )
    if options.source == "sample":
        os.environ["HF_HUB_OFFLINE"] = "1"
    paths = lesson_paths()
    if not paths:
        parser.error(f"there is no {NOTEBOOKS}: {NO_CLONE}")
    try:
        paths = chosen_lessons(paths, options.only or [])
    except ValueError as error:
        parser.error(f"--only {error}")
    try:
        options.source = as_called({"source": options.source}, NOTEBOOKS)["source"]
    except ParameterError as error:
        parser.error(f"--{error}")
    jobs = min(len(paths), options.jobs or (1 if options.record else jobs_that_fit()))
    # Processes side by side wait without spinning, and each takes its share of
    # the cores; the kernels inherit it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if jobs > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(fair_threads(jobs)))
    begin = time.perf_counter()
    failed, costs = _run(paths, options.source, jobs)
    if len(paths) > 1:
        passed = len(paths) - len(failed)
        took = time.perf_counter() - begin
        print(f"{passed} of {len(paths)} passed in {took:.0f} s, {jobs} side by side")
    if options.record:
        _record(costs, failed)
    return 1 if failed else 0


def _run(
    paths: Sequence[Path], source: str, jobs: int
) -> tuple[list[str], dict[str, Cost]]:
    """Run lessons; return the names of those that failed and what the others took."""
    failed, costs = [], {}
    order = paths if jobs == 1 else _longest_first(paths)
    # papermill changes the folder of this whole process while a lesson runs.
    here, runs = Path.cwd(), DEFAULT_RUNS.resolve()

    def run(path: Path) -> tuple[Path, Cost]:
        with watching() as cost:
            folder = free_folder(runs / path.stem)
            # Bars drawn by several threads at once have been seen to block.
            copy = run_lesson(path, folder, source, progress=jobs == 1)
        return copy, cost

    with _pool(jobs) as submit:
        running = {submit(run, path): path for path in order}
        whole = tqdm(
            as_completed(running),
            "lessons",
            len(running),
            disable=jobs == 1,
            leave=False,
        )
        for done in whole:
            path = running[done]
            try:
                copy, cost = done.result()
            except PapermillExecutionError as error:
                failed.append(path.name)
                tqdm.write(f"FAILED {path.name}\n{error}", file=sys.stderr)
                continue
            costs[path.stem] = cost
            spent = f"{cost.seconds:.0f} s"
            if jobs == 1:  # otherwise it holds the others' memory too
                spent += f", {cost.peak_mb:.0f} MB"
            where = os.path.relpath(copy, here)
            tqdm.write(f"passed {path.name}: see {where}; {spent}")
    os.chdir(here)
    return sorted(failed), costs


def _longest_first(paths: Sequence[Path]) -> list[Path]:
    """Sort so that no long lesson is left for the end, when the others are done."""
    known = read_costs()["lessons"]
    return sorted(paths, key=lambda p: -known.get(p.stem, {"seconds": 0})["seconds"])


@contextmanager
def _pool(jobs: int) -> Iterator[Callable[..., Future]]:
    """Give a function that hands out work; Ctrl-C ends what was begun."""
    pool, handed_out = ThreadPoolExecutor(jobs), []

    def submit(*call) -> Future:
        handed_out.append(pool.submit(*call))
        return handed_out[-1]

    try:
        yield submit
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        while running := [job for job in handed_out if not job.done()]:
            end_kernels()  # again and again: one may just be starting
            wait(running, timeout=0.2)
        raise
    pool.shutdown()


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
