"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
