"""Files that are written whole or not at all."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WORD_AFTER, GIVE_UP_AFTER = 5, 120
"""Seconds that a lock is waited for: in silence, and at all."""
ROOM = 1 << 20
"""Bytes that :func:`try_writing` writes."""


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


def made_folder(path: str | Path, what: str = "folder") -> Path:
    """Make a folder, unless it is there.

    Parameters
    ----------
    path : str or Path
    what : str
        What it is for, for the message.

    Raises
    ------
    OSError
        If it cannot be made, such as a NotADirectoryError where a file is in the
        way; the message names the path.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise type(error)(
            f"{what} {str(path)!r} cannot be made a folder: {why}; name another place"
        ) from error
    return path


def try_writing(folder: str | Path) -> None:
    """Make a folder, write a file in it, and take away again what was not there.

    Parameters
    ----------
    folder : str or Path
        May be missing, with folders above it.

    Raises
    ------
    OSError
        If that cannot be done: no permission, a file in the way, a full disk.
    ValueError
        If the path cannot be one.
    """
    folder = Path(folder)
    missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".can-write-") as file:
            file.write(bytes(ROOM))
            file.flush()
            os.fsync(file.fileno())
    finally:
        for one in missing:
            with suppress(OSError, ValueError):
                one.rmdir()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; it becomes `path` if all went well.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk; the message names `path`.

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
    except OSError as error:
        if error.filename not in (None, str(temporary), temporary):
            raise  # it is about another file
        raise OSError(
            f"{str(path)!r} could not be written, and nothing of it was kept:"
            f" {error.strerror or error}"
        ) from error
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
