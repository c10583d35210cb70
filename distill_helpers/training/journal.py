"""A search on disk: a journal that a killed process cannot spoil or block.

The journal is Optuna's file of JSON lines. Its lock is one that the system frees
when its holder dies; it needs no symbolic links, which an ordinary account on
Windows may not make. A line that was cut off in the middle is taken away before
the next one is written.

Whoever runs trials holds a lock of its own for as long, a *sitting*. It tells a
trial that runs from one whose process has died.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from optuna.storages.journal import JournalFileBackend

from ..files import locked


def open_journal(path: str | Path) -> JournalFileBackend:
    """Open a journal, or begin one.

    Parameters
    ----------
    path : str or Path
        Made if it is missing, with its folder.

    Raises
    ------
    ValueError
        If something else stands there, or a line of it is damaged.
    OSError
        If it cannot be written.
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        raise ValueError(f"the journal {str(path)!r} must be a file")
    with open(path, "ab"):
        pass
    lock = _JournalLock(path)
    with locked(lock.path, _named(path)):
        _check_lines(path)
    return JournalFileBackend(str(path), lock)


def _named(journal: Path) -> str:
    return f"the journal {str(journal)!r}"


class _JournalLock:
    """Guards each write; what a killed one left half-written goes first."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        # Not `.lock`: Optuna's own is a link of that name to the journal.
        self.path = journal.with_name(f"{journal.name}.held")
        self._holds = None

    def acquire(self) -> bool:
        holds = locked(self.path, _named(self.journal))
        holds.__enter__()
        self._holds = holds
        _cut_torn_line(self.journal)
        return True

    def release(self) -> None:
        self._holds.__exit__(None, None, None)


def _cut_torn_line(journal: Path) -> None:
    with open(journal, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        if not end:
            return
        file.seek(end - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        whole = sum(len(line) for line in file if line.endswith(b"\n"))
        file.truncate(whole)


def _check_lines(journal: Path) -> None:
    with open(journal, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n") and (number > 1 or _begins(line)):
                return  # cut off; goes with the next write
            try:
                is_entry = "op_code" in json.loads(line)
            except (ValueError, TypeError, RecursionError):
                is_entry = False
            if not is_entry:
                raise ValueError(
                    f"line {number} of {str(journal)!r} is no entry of a search's"
                    " journal: name another file, or put back a copy of it"
                )


def _begins(line: bytes) -> bool:
    beginning = b'{"op_code":'
    return line[: len(beginning)] == beginning[: len(line)]


class Sittings:
    """Who runs trials of a journal just now.

    Parameters
    ----------
    journal : str or Path
    """

    def __init__(self, journal: str | Path) -> None:
        path = Path(journal).resolve()
        self.folder = path.with_name(f"{path.name}.sittings")
        self._what = f"the trials of {str(path)!r}"

    @contextmanager
    def sitting(self) -> Iterator[str]:
        """Hold a sitting; gives its name."""
        self.folder.mkdir(exist_ok=True)
        name = uuid.uuid4().hex
        try:
            with FileLock(self._path(name)):
                yield name
        finally:
            self._path(name).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold what one process at a time may: to look who sits, and begin a trial."""
        with locked(self.folder / "begin.lock", self._what):
            yield

    def lasts(self, name: str | None) -> bool:
        """Return whether a sitting's process is alive; clear away one that is not."""
        if name is None or not self._path(name).exists():
            return False
        try:
            with FileLock(self._path(name), timeout=0):
                pass
        except Timeout:
            return True
        with suppress(OSError):
            self._path(name).unlink(missing_ok=True)
        return False

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.lock"
