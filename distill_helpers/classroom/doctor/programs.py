"""Other programs, run and listened to."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence

CHILD_SECONDS = 120  # the first import after an installation takes long


def ending(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"status {status if status < 256 else hex(status)}"  # Windows: hex


def run_program(
    words: Sequence[str], folder: str | None, environment: Mapping | None = None
):
    return subprocess.run(
        words,
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=CHILD_SECONDS,
    )
