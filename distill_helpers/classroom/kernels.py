"""End the kernels that this process has begun."""

from __future__ import annotations

from contextlib import suppress


def end_kernels() -> None:
    """Kill every process that descends from this one; some may have ended already.

    Notes
    -----
    A kernel is in a session of its own, where Ctrl-C does not reach it.
    """
    import psutil  # a process that runs one notebook begins without it

    for kernel in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            kernel.kill()
