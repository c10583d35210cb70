"""Files that are written whole or not at all."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WORD_AFTER, GIVE_UP_AFTER = 5, 120
"""Seconds that a lock is waited for: in silence, and at all."""


def fresh_path(path: str | Path) -> Path:
    """Return a path at which nothing stands yet; make its folder.

    Raises
    ------
    FileExistsError
        If something stands there.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{str(path)!r} exists already; name another file")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; it becomes `path` if all went well.

    Examples
    --------
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole_file(target) as temporary:
    ...     _ = temporary.write_text("all of it")
    >>> target.read_text()
    'all of it'
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path, what: str = "folder") -> Iterator[Path]:
    """Give an empty folder to fill; it becomes `path` if all went well.

    Parameters
    ----------
    path : str or Path
        Must not exist, or be an empty folder.
    what : str
        What stands there, for the message.

    Raises
    ------
    FileExistsError
        If something stands there already; nothing is changed then.

    Examples
    --------
    >>> target = Path(tempfile.mkdtemp()) / "bundle"
    >>> with whole_folder(target) as part:
    ...     _ = (part / "a.txt").write_text("all of it")
    >>> [file.name for file in target.iterdir()]
    ['a.txt']
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(
            f"{str(path)!r} exists already; name another {what} or take it away"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as part:
        made = Path(part) / path.name
        made.mkdir()
        yield made
        if path.is_dir():
            path.rmdir()  # empty, as seen above
        os.replace(made, path)


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock that is kept for moments; the system frees it for the dead.

    A warning says what is waited for after `WORD_AFTER` seconds; after
    `GIVE_UP_AFTER` nobody waits any more, as whoever holds it has been stopped.

    Parameters
    ----------
    path : Path
        The lock's file, in a folder that exists.
    what : str
        What the lock guards, for the messages.

    Raises
    ------
    TimeoutError
        If another process holds it for too long.
    """
    from filelock import FileLock, Timeout  # few need it

    lock = FileLock(path)
    try:
        lock.acquire(timeout=WORD_AFTER)
    except Timeout:
        logging.getLogger(__name__).warning(
            "another process holds %s; waiting for it", what
        )
        try:
            lock.acquire(timeout=GIVE_UP_AFTER - WORD_AFTER)
        except Timeout as error:
            raise TimeoutError(
                f"another process has held {what} for {GIVE_UP_AFTER} s, longer than"
                " any work on it takes: end that process if it is stopped (lock:"
                f" {str(path)!r})"
            ) from error
    try:
        yield
    finally:
        lock.release()
