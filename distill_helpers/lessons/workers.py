"""Several trainings at once: a few processes of one thread each.

Small models gain nothing from a second thread; a second process is a second training.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from tqdm.auto import tqdm

from ..arguments import check_whole

Task, Result = TypeVar("Task"), TypeVar("Result")


class WorkerError(RuntimeError):
    """A process died, or a task raised something there."""


def spread(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    processes: int = 2,
    told: str = "training",
) -> list[Result]:
    """Work on tasks in processes of their own.

    Parameters
    ----------
    function : callable
        Of a module that can be imported, as each process begins anew ("spawn": the
        same on every system).
    tasks : sequence
        What each call gets: plain data that can be sent to another process.
    processes : int, default 2
        Never more than there are tasks, or cores.
    told : str
        Stands before the bar.

    Returns
    -------
    list
        In the order of the tasks.

    Raises
    ------
    WorkerError
        If a task raises, or its process ends; the others are ended too, as they are
        on Ctrl-C.
    """
    check_whole("processes", processes, least=1)
    processes = min(processes, len(tasks), os.cpu_count() or 1)
    results: list = [None] * len(tasks)
    left = iter(enumerate(tasks))
    bar = tqdm(total=len(tasks), desc=told)
    with _workers(function, processes) as workers, bar:
        busy = {}
        for pipe, (number, task) in zip(workers, left):
            pipe.send(task)
            busy[pipe] = number
        while busy:
            for pipe in wait(list(busy)):
                number = busy.pop(pipe)
                results[number] = _received(pipe, workers[pipe], number)
                bar.update()
                following = next(left, None)
                if following is not None:
                    busy[pipe], task = following
                    pipe.send(task)
    return results


def _received(pipe: Connection, process, number: int):
    try:
        error, result = pipe.recv()
    except EOFError as gone:
        process.join()
        raise WorkerError(
            f"the process of task {number} ended by itself, exit code"
            f" {process.exitcode}; was there enough memory? processes=1 needs less"
        ) from gone
    if error is not None:
        raise WorkerError(f"task {number}: {error}")
    return result


@contextmanager
def _workers(function: Callable, count: int) -> Iterator[dict]:
    """Start processes, by the pipe to each, and end them whatever happens."""
    context = multiprocessing.get_context("spawn")
    started = {}
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(function, theirs), daemon=True
            )
            process.start()
            theirs.close()  # so that its end is noticed here
            started[ours] = process
        yield started
    finally:
        for pipe, process in started.items():
            pipe.close()
            process.terminate()
        for process in started.values():
            process.join()


def _serve(function: Callable, pipe: Connection) -> None:
    # Ctrl-C reaches all processes; the one that shows the bar decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            answer = None, function(task)
        except Exception as error:  # told where it can be read
            answer = f"{type(error).__name__}: {error}", None
        pipe.send(answer)
