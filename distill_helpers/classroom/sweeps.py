"""Run one notebook over many settings: resumable, shareable, nothing lost.

``distill-kit sweep NOTEBOOK FOLDER --grid temperature=1,2,4``

A folder holds one sub-folder for each setting that has finished (``runs/``)
or failed (``failed/``). A run is put together in ``scratch/`` and moved in place
when it is whole, so a killed sweep leaves nothing half done; the same command
resumes it. A lock for each setting lets several commands share the folder; the
system frees it when a command dies. Each run is a process of its own, on this
machine or, with ``--dask ADDRESS``, on the workers of a Dask cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ..files import whole_file
from ..lessons.parameters import ParameterError, check_above_zero, parameters_of
from ..places import NOTEBOOKS, RESULTS
from .executors import (
    ClusterError,
    DaskCluster,
    Outcome,
    end_runs,
    fair_threads,
    run_notebook,
)
from .settings import (
    PLAN,
    Setting,
    grid,
    parse_axis,
    parse_fixed,
    read_plan,
    read_settings,
)

FINISHED, FAILED, BUSY = "finished", "failed", "busy elsewhere"
AT_ONCE = 100
"""Runs handed to a cluster at once: each holds a lock, which is an open file,
and some systems allow no more than 256."""
STORED_PLAN = RESULTS / "lesson04_sweep.json"


def code_hash(notebook: str | Path) -> str:
    """Return a hash of a notebook's code; prose and outputs do not count."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = "\0".join(cell.source for cell in cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def run_sweep(
    notebook: str | Path,
    folder: str | Path,
    settings: Sequence[Setting],
    fixed: Mapping | None = None,
    *,
    retry_failed: bool = False,
    processes: int = 1,
    executor: Executor | None = None,
) -> dict[str, str]:
    """Run a notebook once for every setting that is not finished yet.

    Stopped, it ends what is running; called again, it goes on from there.

    Parameters
    ----------
    notebook : str or Path
        Has a parameter ``output_dir`` and writes ``results.json`` there.
    folder : str or Path
        Made if it is missing; may hold an earlier part of the same sweep.
    settings : sequence of Setting
    fixed : mapping, optional
        Parameters that all runs share.
    retry_failed : bool, default False
        Run settings again that failed before.
    processes : int, default 1
        Runs at once on this machine; they share its threads.
    executor : Executor, optional
        Who does the runs instead, such as
        :class:`~distill_helpers.classroom.executors.DaskCluster`; it may do them
        on other machines, which need neither `notebook` nor `folder`.

    Returns
    -------
    dict of str to str
        By key: ``"finished"``, ``"failed"`` or ``"busy elsewhere"``.

    Raises
    ------
    ParameterError
        If the notebook does not declare a parameter, two settings are equal,
        or the folder holds a sweep of another notebook or other fixed
        parameters. Nothing has been run or changed then.
    ClusterError
        If the executor drops its runs; what has finished is kept.
    """
    notebook, folder, fixed = Path(notebook), Path(folder), dict(fixed or {})
    check_above_zero("processes", processes)
    _check_declared(notebook, settings, fixed)
    _write_plan(folder, notebook, settings, fixed)
    sweep = _Sweep(notebook, folder, fixed, retry_failed)
    if executor is None:
        sweep.here = {
            "cwd": str(notebook.resolve().parent),
            "threads": fair_threads(processes),
        }
        with ThreadPoolExecutor(processes) as threads:  # one waits for each process
            return _run_all(sweep, settings, threads, processes, end_runs)
    end = getattr(executor, "end_runs", lambda name: None)
    return _run_all(sweep, settings, executor, AT_ONCE, end)


def _check_declared(notebook: Path, settings, fixed: Mapping) -> None:
    known = parameters_of(notebook)
    for name in {name for s in settings for name in s.parameters} | set(fixed):
        if name == "output_dir" or name not in known:
            raise ParameterError(
                f"{name!r} is no parameter to sweep over; {notebook.name} has"
                f" {', '.join(n for n in known if n != 'output_dir')}"
            )
    for setting in settings:
        both = set(setting.parameters) & set(fixed)
        if both:
            raise ParameterError(f"{sorted(both)} are both fixed and swept")
    keys = [setting.key for setting in settings]
    if not keys or len(set(keys)) < len(keys):
        raise ParameterError("settings must hold at least one, and none twice")


def _write_plan(folder: Path, notebook: Path, settings, fixed: Mapping) -> None:
    """Say in the folder what is to be run; a later call may add settings."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {
        "format": 1,
        "notebook": notebook.name,
        "code": code_hash(notebook),
        "fixed": dict(fixed),
    }
    with FileLock(folder / f"{PLAN}.lock"):
        path = folder / PLAN
        planned = read_plan(folder) if path.exists() else head | {"settings": []}
        for name, value in head.items():
            if planned[name] != value:
                raise ParameterError(
                    f"{str(folder)!r} holds a sweep with {name}={planned[name]!r},"
                    f" this one has {value!r}; name another folder"
                )
        known = planned["settings"]
        new = [dict(s.parameters) for s in settings if dict(s.parameters) not in known]
        with whole_file(path) as temporary:
            temporary.write_bytes(_spelt(planned | {"settings": known + new}))


def _run_all(
    sweep: _Sweep,
    settings: Sequence[Setting],
    executor: Executor,
    at_once: int,
    end: Callable[[str], None],
) -> dict[str, str]:
    states = {setting.key: "" for setting in settings}
    waiting, running = deque(settings), {}
    try:
        with tqdm(total=len(settings), desc="settings", disable=None) as bar:
            while waiting or running:
                while waiting and len(running) < at_once:
                    setting = waiting.popleft()
                    begun = sweep.begin(setting, executor)
                    if isinstance(begun, _Run):
                        running[begun.future] = begun
                    else:
                        states[setting.key] = begun
                        bar.update()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    run = running.pop(future)
                    states[run.setting.key] = sweep.keep(run)
                    bar.update()
    finally:
        try:
            if running:
                end(sweep.name)
        finally:
            for future, run in running.items():
                future.cancel()
                run.lock.release()
    return states


@dataclass(frozen=True)
class _Run:
    setting: Setting
    lock: FileLock
    scratch: Path
    future: Future


@dataclass
class _Sweep:
    """What all runs share; `here` is for runs on this machine alone."""

    notebook: Path
    folder: Path
    fixed: Mapping
    retry_failed: bool
    here: dict = field(default_factory=dict)
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self):
        self.content = self.notebook.read_bytes()
        for name in ("locks", "scratch", "runs", "failed"):
            (self.folder / name).mkdir(exist_ok=True)

    def begin(self, setting: Setting, executor: Executor) -> _Run | str:
        """Lock a setting and hand it out, or say why there is nothing to do."""
        lock = FileLock(self.folder / "locks" / f"{setting.key}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return BUSY
        try:
            state = self._state(setting.key)
            if not state:
                scratch = self._fresh_scratch(setting.key)
                place = {**self.here, "scratch": str(scratch)} if self.here else {}
                future = executor.submit(
                    run_notebook,
                    self.content,
                    {**self.fixed, **setting.parameters},
                    self.name,
                    **place,
                )
                return _Run(setting, lock, scratch, future)
        except BaseException:
            lock.release()
            raise
        lock.release()
        return state

    def _state(self, key: str) -> str:
        if (self.folder / "runs" / key).exists():
            return FINISHED
        failed = (self.folder / "failed" / key).exists()
        return FAILED if failed and not self.retry_failed else ""

    def _fresh_scratch(self, key: str) -> Path:
        """Make an empty folder and clear what a killed run of this setting left."""
        for left in (self.folder / "scratch").glob(f"{key}.*"):
            shutil.rmtree(left, ignore_errors=True)
        fresh = self.folder / "scratch" / f"{key}.{uuid.uuid4().hex[:8]}"
        fresh.mkdir()
        return fresh

    def keep(self, run: _Run) -> str:
        """Write a run's files, move them in place and free its lock."""
        try:
            outcome = _outcome(run.future)
            note = {"parameters": {**self.fixed, **run.setting.parameters}}
            if outcome.error:
                note["error"] = outcome.error
            files = {
                self.notebook.name: outcome.notebook,
                "results.json": outcome.results,
                "setting.json": _spelt(note),
            }
            for name, content in files.items():
                if content:
                    (run.scratch / name).write_bytes(content)
            failed = self.folder / "failed" / run.setting.key
            shutil.rmtree(failed, ignore_errors=True)
            finished = self.folder / "runs" / run.setting.key
            os.replace(run.scratch, failed if outcome.error else finished)
            return FAILED if outcome.error else FINISHED
        finally:
            run.lock.release()


def _outcome(future: Future) -> Outcome:
    try:
        return future.result()
    except CancelledError as error:
        raise ClusterError("the cluster dropped its runs; is it still up?") from error
    except Exception as error:  # workers died with it; kept, like any failure
        return Outcome(error=f"{type(error).__name__}: {error}")


def _spelt(content: dict) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


def repeat_stored(folder: str | Path) -> dict[str, str]:
    """Run the sweep again whose results are shipped with the kit.

    Parameters
    ----------
    folder : str or Path
        As for :func:`run_sweep`; finished runs in it are not repeated.

    Returns
    -------
    dict of str to str
        See :func:`run_sweep`.
    """
    plan = json.loads(STORED_PLAN.read_text("utf-8"))
    settings = [Setting(parameters) for parameters in plan["settings"]]
    return run_sweep(NOTEBOOKS / plan["notebook"], folder, settings, plan["fixed"])


# --------------------------------------------------------------- command line
def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sweep; return 0 if every setting has finished."""
    parser = argparse.ArgumentParser(
        prog="distill-kit sweep", description=__doc__.split("\n")[0]
    )
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grid", action="append", default=[], metavar="NAME=V,V")
    parser.add_argument("--list", type=Path, help="a JSON list of settings instead")
    parser.add_argument("--fixed", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--only", type=int, help="run this setting alone, from 1")
    parser.add_argument("--retry-failed", action="store_true")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--processes", type=int, default=1, metavar="N", help="runs at once, here"
    )
    where.add_argument(
        "--dask", metavar="ADDRESS", help="hand the runs to this Dask scheduler"
    )
    options = parser.parse_args(arguments)
    try:
        settings = _chosen(options)
        fixed = dict(map(parse_fixed, options.fixed))
        with _cluster(options.dask) as executor:
            states = run_sweep(
                options.notebook,
                options.folder,
                settings,
                fixed,
                retry_failed=options.retry_failed,
                processes=options.processes,
                executor=executor,
            )
    except (ParameterError, ClusterError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        done = sum((options.folder / "runs" / s.key).exists() for s in settings)
        print(
            f"\nstopped: {done} of {len(settings)} settings have finished in"
            f" {options.folder}; the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    for key, state in states.items():
        print(f"{state:15} {key}")
    return 0 if set(states.values()) == {FINISHED} else 1


def _cluster(address: str | None):
    if address is None:
        return nullcontext()
    cluster = DaskCluster(address)
    wait_for = "" if cluster.workers else "; the runs wait for one"
    print(f"Dask workers at {address}: {cluster.workers}{wait_for}", file=sys.stderr)
    return cluster


def _chosen(options) -> list[Setting]:
    if bool(options.grid) == bool(options.list):
        raise ParameterError("give either --grid, once for each axis, or --list")
    if options.list:
        settings = read_settings(options.list)
    else:
        axes = [parse_axis(text) for text in options.grid]
        names = [name for name, _ in axes]
        if len(set(names)) < len(names):
            raise ParameterError(f"each axis once, got {names}")
        settings = grid(dict(axes))
    if options.only is None:
        return settings
    if not 1 <= options.only <= len(settings):
        raise ParameterError(
            f"--only must lie between 1 and {len(settings)}, got {options.only}"
        )
    return [settings[options.only - 1]]
