"""Run one notebook over many settings: resumable, shareable, nothing lost.

``distill-kit sweep NOTEBOOK FOLDER --grid temperature=1,2,4``

A folder holds one sub-folder for each setting that has finished (``runs/``)
or failed (``failed/``). A run is put together in ``scratch/`` and moved in place
when it is whole, so a killed sweep leaves nothing half done; the same command
resumes it. A lock for each setting lets several commands share the folder; the
system frees it when a command dies. Each run is a process of its own, on this
machine or, with ``--dask ADDRESS``, on the workers of a Dask cluster.

Values are JSON, or else texts as they stand, and must be of the type that the
notebook declares: see :mod:`~distill_helpers.classroom.settings`. The path of a file
or folder, such as that of ``source``, is relative to where the command is called.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
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

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ..arguments import CommandLine, check_whole
from ..files import locked, try_writing, whole_file
from ..lessons.parameters import ParameterError, check_kind, code_of, declared_in
from ..lessons.paths import as_called
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
    MOST,
    PLAN,
    Setting,
    grid,
    parse_axis,
    parse_fixed,
    read_plan,
    read_settings,
)

FINISHED, FAILED, BUSY = "finished", "failed", "busy elsewhere"
MANY = 500
"""Settings from which on a word is said of what that means."""
AT_ONCE = 100
"""Runs handed to a cluster at once: each holds a lock, which is an open file,
and some systems allow no more than 256."""
STORED_PLAN = RESULTS / "lesson04_sweep.json"


def code_hash(notebook: str | Path) -> str:
    """Return a hash of a notebook's code; prose and outputs do not count."""
    code = "\0".join(source for source, _ in code_of(notebook))
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
        Parameters that all runs share. A relative path among them, or among the
        settings, is relative to the current folder.
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
        If the notebook does not declare a parameter or declares another type, two
        settings are equal, a path leads nowhere, or the folder cannot be written
        or holds a sweep of another notebook or other fixed parameters. Nothing
        has been run or changed then.
    TimeoutError
        If another process holds the folder's plan for minutes.
    ClusterError
        If the executor drops its runs; what has finished is kept.
    """
    notebook, folder = Path(notebook), Path(folder)
    check_whole("processes", processes, 1)
    declared = declared_in(notebook)
    fixed = Setting(as_called(fixed or {}, notebook.parent)).parameters
    settings = _as_called(settings, notebook)
    _check_declared(notebook, declared, settings, fixed)
    _check_folder(folder)
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


def _as_called(settings: Sequence[Setting], notebook: Path) -> list[Setting]:
    beside = notebook.parent
    return [Setting(as_called(setting.parameters, beside)) for setting in settings]


def _check_declared(
    notebook: Path,
    declared: Mapping[str, str],
    settings: Sequence[Setting],
    fixed: Mapping,
) -> None:
    for parameters in (fixed, *(setting.parameters for setting in settings)):
        for name, value in parameters.items():
            if name == "output_dir" or name not in declared:
                raise ParameterError(
                    f"{name!r} is no parameter to sweep over; {notebook.name} has"
                    f" {', '.join(n for n in declared if n != 'output_dir')}"
                )
            check_kind(name, value, declared[name])
    for setting in settings:
        both = set(setting.parameters) & set(fixed)
        if both:
            raise ParameterError(f"{sorted(both)} are both fixed and swept")
    keys = [setting.key for setting in settings]
    if not keys or len(set(keys)) < len(keys):
        raise ParameterError("settings must hold at least one, and none twice")
    if len(keys) > MOST:
        raise ParameterError(
            f"a sweep must have at most {MOST:,} settings, got {len(keys):,}"
        )


def _check_folder(folder: Path) -> None:
    """Try the folder before anything is written in it."""
    try:
        try_writing(folder)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"the sweep's folder {str(folder)!r} cannot be written"
            f" ({getattr(error, 'strerror', None) or error}); name another"
        ) from error
    for name in ("locks", "scratch", "runs", "failed"):
        if os.path.lexists(folder / name) and not (folder / name).is_dir():
            raise ParameterError(
                f"{str(folder / name)!r} must be a folder of the sweep, and is none:"
                " take it away, or name another folder"
            )
    if os.path.isdir(folder / PLAN):
        raise ParameterError(f"{str(folder / PLAN)!r} must be a file, and is a folder")


def _write_plan(folder: Path, notebook: Path, settings, fixed: Mapping) -> None:
    """Say in the folder what is to be run; a later call may add settings."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {
        "format": 1,
        "notebook": notebook.name,
        "code": code_hash(notebook),
        "fixed": dict(fixed),
    }
    with locked(folder / f"{PLAN}.lock", f"the plan of {str(folder)!r}"):
        path = folder / PLAN
        planned = read_plan(folder) if path.exists() else head | {"settings": []}
        for name, value in head.items():
            if planned[name] != value:
                raise ParameterError(
                    f"{str(folder)!r} holds a sweep with {name}={planned[name]!r},"
                    f" this one has {value!r}; name another folder"
                )
        known = planned["settings"]
        keys = {Setting(parameters).key for parameters in known}
        new = [setting.parameters for setting in settings if setting.key not in keys]
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
        if (self.folder / "runs" / key / "results.json").is_file():
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
            place = self.folder / "runs" / run.setting.key
            if outcome.error:
                place = failed
            elif os.path.lexists(place):  # without results: damaged, and done again
                shutil.rmtree(place)
            os.replace(run.scratch, place)
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
    parser = CommandLine(prog="distill-kit sweep", description=__doc__.split("\n")[0])
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
    settings: list[Setting] = []
    try:
        settings = _as_called(_chosen(options), options.notebook)
        fixed = _each_once("--fixed", map(parse_fixed, options.fixed))
        if len(settings) > MANY:
            print(
                f"{len(settings):,} settings: each is a process of its own that loads"
                " what the notebook loads, and leaves a folder",
                file=sys.stderr,
            )
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
    except (ValueError, ClusterError, TimeoutError) as error:
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


def _each_once(option: str, pairs: Iterable[tuple[str, object]]) -> dict:
    pairs = list(pairs)
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ParameterError(f"{option} takes each name once, got {names}")
    return dict(pairs)


def _chosen(options) -> list[Setting]:
    if bool(options.grid) == bool(options.list):
        raise ParameterError("give either --grid, once for each axis, or --list")
    if options.list:
        settings = read_settings(options.list)
    else:
        settings = grid(_each_once("--grid", map(parse_axis, options.grid)))
    if options.only is None:
        return settings
    if not 1 <= options.only <= len(settings):
        raise ParameterError(
            f"--only must lie between 1 and {len(settings)}, got {options.only}"
        )
    return [settings[options.only - 1]]
