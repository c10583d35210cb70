"""What a lesson needs, measured while it ran: seconds and memory.

``python start.py lessons --record`` runs all lessons and keeps the figures, with
the machine they were taken on; the start page shows them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from distill_helpers import __version__

from ..files import whole_file
from ..places import RESULTS

STORED = RESULTS / "lesson_costs.json"
EVERY = 0.2  # seconds between two looks


@dataclass
class Cost:
    """What one lesson took.

    Attributes
    ----------
    seconds : float
        From start to end, the kernel's start included.
    peak_mb : float
        Most MiB that the processes it started held together.
    """

    seconds: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def watching() -> Iterator[Cost]:
    """Measure what is done inside the block by processes started there.

    Yields
    ------
    Cost
        Complete after the block.

    Notes
    -----
    It looks five times a second; a shorter peak may be missed. Memory that
    processes share counts for each of them.
    """
    cost, over = Cost(), threading.Event()
    here = psutil.Process()
    before = {child.pid for child in here.children(recursive=True)}

    def look() -> None:
        while not over.wait(EVERY):
            cost.peak_mb = max(cost.peak_mb, _held(here, before) / 2**20)

    thread = threading.Thread(target=look, daemon=True)
    begin = time.perf_counter()
    thread.start()
    try:
        yield cost
    finally:
        over.set()
        thread.join()
        cost.seconds = time.perf_counter() - begin


def _held(process: psutil.Process, before: set[int]) -> int:
    total = 0
    for child in process.children(recursive=True):
        if child.pid not in before:
            try:
                total += child.memory_info().rss
            except psutil.NoSuchProcess:  # it ended between the two lines
                continue
    return total


def write_costs(
    costs: Mapping[str, Cost], machine: Mapping, path: Path = STORED
) -> Path:
    """Keep the costs of lessons; those kept of others stay.

    Parameters
    ----------
    costs : mapping of str to Cost
        By the notebook's name without its ending.
    machine : mapping
        From :func:`distill_helpers.evaluation.hardware.machine`.
    path : Path, optional

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If those kept were taken on another machine and not all are new: two
        machines do not belong into one table.
    """
    lessons = {
        name: {"seconds": round(cost.seconds, 1), "peak_mb": round(cost.peak_mb)}
        for name, cost in costs.items()
    }
    before = read_costs(path) if path.is_file() else {"lessons": {}}
    others = {k: v for k, v in before["lessons"].items() if k not in lessons}
    if others and before["machine"] != dict(machine):
        raise ValueError(
            f"machine must be the one that {', '.join(others)} ran on; it differs, so"
            " record all lessons anew"
        )
    lessons = dict(sorted((others | lessons).items()))
    content = {"kit": __version__, "machine": dict(machine), "lessons": lessons}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return path


def read_costs(path: Path = STORED) -> dict:
    """Return what was kept: ``kit``, ``machine`` and ``lessons``."""
    return json.loads(path.read_text("utf-8"))


def costs_table(content: Mapping):
    """Lay the costs out for reading.

    Parameters
    ----------
    content : mapping
        From :func:`read_costs`.

    Returns
    -------
    pandas.DataFrame
        Minutes and megabytes by lesson.
    """
    import pandas as pd

    rows = [
        {
            "lesson": name,
            "minutes": round(cost["seconds"] / 60, 1),
            "memory, MB": cost["peak_mb"],
        }
        for name, cost in content["lessons"].items()
    ]
    return pd.DataFrame(rows).set_index("lesson")
