"""Where the runs of a sweep are done: this machine, or a Dask cluster.

A run is a function for a :class:`concurrent.futures.Executor`: it gets a
notebook's content, runs it in a process of its own and returns what came of
it, so that no two machines need a folder in common.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from . import one_run

TRIES = 3
"""How often a run is begun whose process is killed from outside."""
PATIENCE = 5
"""Seconds in which a scheduler must answer."""


class ClusterError(RuntimeError):
    """A Dask cluster cannot be reached, or not be used."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes
    ----------
    notebook : bytes
        The executed notebook, as far as it came.
    results : bytes
        Its ``results.json``; empty after an error.
    error : str
        Empty if all went well.
    """

    notebook: bytes = b""
    results: bytes = b""
    error: str = ""


_lock = threading.Lock()
_running: dict[str, list[subprocess.Popen]] = defaultdict(list)
_ended: set[str] = set()


def run_notebook(
    content: bytes,
    parameters: Mapping,
    sweep: str,
    *,
    scratch: str | None = None,
    cwd: str | None = None,
    threads: int | None = None,
) -> Outcome:
    """Run a notebook in a process of its own; begin again if that is killed.

    Parameters
    ----------
    content : bytes
        The notebook.
    parameters : mapping
        For papermill, less ``output_dir``.
    sweep : str
        Whose runs :func:`end_runs` ends.
    scratch : str, optional
        Where the run's files lie while it lasts; by default with the system's
        temporary files.
    cwd : str, optional
        Where the notebook runs; by default among those files.
    threads : int, optional
        How many threads it may use; by default the libraries decide.

    Returns
    -------
    Outcome
        A notebook that fails is an outcome, not an exception.
    """
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(
            dir=scratch, prefix="run-", ignore_cleanup_errors=True
        ) as name:
            folder = Path(name).resolve()
            (folder / one_run.SOURCE).write_bytes(content)
            request = {"parameters": dict(parameters), "cwd": cwd or str(folder)}
            (folder / one_run.REQUEST).write_text(json.dumps(request), "utf-8")
            status = _run_apart(folder, sweep, threads)
            if sweep in _ended:
                return Outcome(error="the sweep was stopped")
            if status == 0:
                return _outcome(folder)
            log = (folder / "log.txt").read_text("utf-8", errors="replace")
    last = (log.strip().splitlines() or ["it said nothing"])[-1]
    return Outcome(
        error=f"its process ended {TRIES} times, at last with status {status}: {last}"
    )


def _run_apart(folder: Path, sweep: str, threads: int | None) -> int:
    # Processes side by side that wait for work at full speed take it from each
    # other; the variables count only if they are there before torch loads.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
    if threads:
        environment = {"OMP_NUM_THREADS": str(threads)} | environment
    command = [sys.executable, "-m", one_run.__name__, str(folder)]
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the sweep to handle
        )
    with _lock:
        _running[sweep].append(process)
        if sweep in _ended:
            process.stdin.close()
    try:
        return process.wait()
    finally:
        with _lock:
            _running[sweep].remove(process)
            process.stdin.close()


def _outcome(folder: Path) -> Outcome:
    def read(name: str) -> bytes:
        path = folder / name
        return path.read_bytes() if path.is_file() else b""

    error = read(one_run.ERROR).decode("utf-8")
    results = b"" if error else read(one_run.RESULTS)
    return Outcome(read(one_run.EXECUTED), results, error)


def end_runs(sweep: str) -> None:
    """End the runs of a sweep in this process; none begins any more."""
    with _lock:
        _ended.add(sweep)
        for process in _running[sweep]:
            process.stdin.close()


def fair_threads(processes: int) -> int | None:
    """Return how many threads each of several processes should use.

    Returns
    -------
    int or None
        None for one process alone, which may do as it likes.
    """
    return None if processes == 1 else max(1, cores() // processes)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # fewer where a scheduler gave us few
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kit_version() -> str:
    """Return the version of the kit; asked of each worker."""
    return __version__


def _check_kit(where: str, found) -> None:
    if found != __version__:
        raise ClusterError(
            f"the {where} needs the kit {__version__}, the one that is here; it"
            f" has {found!r}"
        )


async def _identify(address: str) -> str:
    """Ask what is there; a client alone would wait for ever for some answers."""
    from distributed import Security, rpc

    secured = Security().get_connection_args("client")
    async with rpc(address, connection_args=secured, timeout=PATIENCE) as server:
        return (await asyncio.wait_for(server.identity(), PATIENCE))["type"]


class DaskCluster(Executor):
    """The workers of a Dask cluster as an executor.

    A run that is lost with its worker is given to another by the scheduler.

    Parameters
    ----------
    address : str
        The scheduler's, such as ``"tcp://10.0.0.5:8786"``.

    Attributes
    ----------
    workers : int
        How many there were at the beginning; more may come.

    Raises
    ------
    ClusterError
        If the package ``distributed`` is missing, no scheduler answers within
        seconds, or it or a worker has no kit or another version of it.
    """

    def __init__(self, address: str):
        try:
            import distributed
        except ImportError as error:
            raise ClusterError(
                "a Dask cluster needs the package distributed: pip install"
                f' ".[dask]" in the kit ({error})'
            ) from error
        try:
            with ThreadPoolExecutor(1) as thread:  # a notebook has a loop of its own
                kind = thread.submit(asyncio.run, _identify(address)).result()
            if kind != "Scheduler":
                raise ValueError(f"there is a {kind}")
            self._client = distributed.Client(
                address, timeout=PATIENCE, set_as_default=False
            )
        except Exception as error:
            raise ClusterError(
                f"no Dask scheduler answers at {address!r}:"
                f" {type(error).__name__}: {error}"
            ) from error
        try:
            _check_kit("scheduler", self._version_of_scheduler())
            versions = self._client.run(kit_version, on_error="return")
            for worker, found in versions.items():
                _check_kit(f"worker {worker}", found)
        except BaseException:
            self._client.close()
            raise
        self.workers = len(versions)
        self._executor = self._client.get_executor(pure=False)

    def _version_of_scheduler(self):
        try:  # it reads what is handed out, so it needs the kit too
            return self._client.run_on_scheduler(kit_version)
        except Exception as error:
            return error

    def submit(self, fn: Callable, /, *args, **kwargs) -> Future:
        """Hand a call to the cluster; see :class:`concurrent.futures.Executor`."""
        return self._executor.submit(fn, *args, **kwargs)

    def end_runs(self, sweep: str) -> None:
        """End the runs of a sweep wherever they are."""
        with suppress(OSError):  # a scheduler that is gone has ended its workers
            self._client.run(end_runs, sweep)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; it goes on without us."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()

    def __exit__(self, kind, error, trace) -> None:
        self.shutdown(cancel_futures=kind is not None)
