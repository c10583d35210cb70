"""All of it: from the file to the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from .delivery import Delivered, deliver
from .guide import open_guide
from .looking import look
from .planning import plan
from .request import MAKE, Request
from .settling import train
from .verdict import judge


def distil(
    request: Request,
    progress: bool = True,
    say: Callable[[str], None] = print,
    dry_run: bool = False,
) -> Delivered | None:
    """Go from a file to a student, and tell what happens.

    Parameters
    ----------
    request : Request
    progress : bool, default True
        Show bars.
    say : callable, default print
        Gets what was found, the plan, the teacher and the verdict, one by one.
    dry_run : bool, default False
        Stop after the plan; nothing is written.

    Returns
    -------
    Delivered or None
        None after a dry run.

    Raises
    ------
    ValueError
        If the file, the teacher and the options do not fit together.
    NothingFitsError
        If no student fits the budget; the front is written to the working folder.
    BlockingIOError
        If another process is at work on the same output.

    Notes
    -----
    Stopped, the same call goes on: the teacher's answers and each finished run
    are kept beside the output until all is done.
    """
    texts = look(request)
    say(str(texts))
    # A saved teacher is opened first, for its own speed is in the plan; to make one
    # is part of the work.
    made = request.teacher == MAKE
    guide = None if made else open_guide(request, texts, progress)
    say(str(plan(request, texts, guide)))
    if dry_run:
        return None
    with _alone(request):
        guide = guide or open_guide(request, texts, progress)
        say(f"the teacher\n{guide}")
        trained = train(request, texts, guide, progress)
        say(str(trained))
        verdict = judge(request, texts, guide, trained)
        say(str(verdict))
        delivered = deliver(request, texts, guide, trained, verdict)
        say(str(delivered))
        return delivered


@contextmanager
def _alone(request: Request) -> Iterator[None]:
    """Keep a second process away from the working folder."""
    request.working.parent.mkdir(parents=True, exist_ok=True)
    path = request.working.with_name(f"{request.working.name}.lock")
    lock = FileLock(path, timeout=0)
    try:
        with lock:
            yield
            path.unlink(missing_ok=True)
    except Timeout as error:
        raise BlockingIOError(
            f"another process is at work on output {str(request.folder)!r}; wait for"
            " it, or name another folder"
        ) from error
