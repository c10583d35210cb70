"""What a service puts up with, and what it remembers."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ..arguments import check_number, check_whole


@dataclass(frozen=True)
class Limits:
    """What the service puts up with.

    Attributes
    ----------
    body_bytes : int
        Largest request.
    per_second : float
        Requests of one client, on average.
    burst : int
        Requests of one client at once, before the average counts.
    at_once : int
        Texts that are being answered or wait for it, of all clients.
    seconds : float
        For one answer, waiting included.
    cached : int
        Answers that are remembered.
    connections : int
        At a time; see :func:`~distill_helpers.export.connections.bounded`.
    body_seconds : float
        In which a request must have come: its head, and once more its body.
    """

    body_bytes: int = 64 * 1024
    per_second: float = 20.0
    burst: int = 40
    at_once: int = 64
    seconds: float = 5.0
    cached: int = 1024
    connections: int = 64
    body_seconds: float = 5.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_number(name, value)
            if not value > 0:
                raise ValueError(f"{name} must be above 0, got {value!r}")
            if name not in ("per_second", "seconds", "body_seconds"):
                check_whole(name, value)


class TokenBucket:
    """Let a client do so much a second, and a little more at once.

    Parameters
    ----------
    per_second : float
    burst : int
    clock : callable
        Seconds, never running backwards.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_second = per_second
        self.burst = burst
        self.clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take one token; return 0, or the seconds until there is one."""
        now = self.clock()
        left, since = self._left.pop(client, (float(self.burst), now))
        left = min(self.burst, left + (now - since) * self.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self.per_second
        self._left[client] = (left - 1 if not wait else left, now)
        while len(self._left) > 10_000:  # whoever came first is forgotten
            self._left.popitem(last=False)
        return wait


class AnswerCache:
    """Remember the answers that were asked for last.

    Parameters
    ----------
    size : int
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.hits = 0
        self._known: OrderedDict[str, dict] = OrderedDict()

    def get(self, text: str) -> dict | None:
        """Return a remembered answer, or None."""
        if text not in self._known:
            return None
        self.hits += 1
        self._known.move_to_end(text)
        return self._known[text]

    def put(self, text: str, answer: dict) -> None:
        """Remember an answer; the one that was not asked for longest goes."""
        self._known[text] = answer
        self._known.move_to_end(text)
        while len(self._known) > self.size:
            self._known.popitem(last=False)
