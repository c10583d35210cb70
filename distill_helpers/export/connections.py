"""A bounded number of connections, each with a bounded time to ask."""

from __future__ import annotations

import asyncio
import json

LINGER = 1.0  # seconds in which one who is turned away may read why


def bounded(most: int, seconds: float) -> type[asyncio.Protocol]:
    """Make what uvicorn takes as ``http``: a protocol that keeps its handles.

    Parameters
    ----------
    most : int
        Connections at a time. When there is another, the one goes that has kept
        us waiting longest for its request; if all wait for us, the new one is
        told so. No more than twice as many handles are in use.
    seconds : float
        In which a request's head must have come.

    Returns
    -------
    type of asyncio.Protocol

    Raises
    ------
    ImportError
        If uvicorn is missing.
    """
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Bounded(H11Protocol):
        """One connection."""

        _timer = None
        _refused = False

        def connection_made(self, transport) -> None:
            others = [c for c in self.connections if not c.transport.is_closing()]
            super().connection_made(transport)
            self._since = self.loop.time()
            if len(others) < most:
                self._start(seconds)
                return
            idle = [c for c in others if c.keeps_waiting() and not c._refused]
            if idle:
                min(idle, key=lambda c: c._since).give_up(503, "too many connections")
                self._start(seconds)
            elif len(others) >= 2 * most:
                transport.abort()
            else:
                self._refused = True
                self._start(LINGER)

        def data_received(self, data: bytes) -> None:
            if self._refused:
                self.give_up(503, "too many connections; try again")
                return
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._stop()
                self._since = self.loop.time()
            elif self._timer is None:
                self._start(seconds)

        def connection_lost(self, exc) -> None:
            self._stop()
            super().connection_lost(exc)

        def keeps_waiting(self) -> bool:
            """Say whether it is the client who has yet to say something."""
            return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

        def give_up(self, status: int, detail: str) -> None:
            """Say why and hang up, unless an answer is being written already."""
            self._stop()
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                body = json.dumps({"detail": detail}).encode()
                head = (
                    f"HTTP/1.1 {status} \r\ncontent-type: application/json\r\n"
                    f"content-length: {len(body)}\r\nretry-after: 1\r\n"
                    "connection: close\r\n\r\n"
                )
                self.transport.write(head.encode() + body)
            self.transport.close()

        def _start(self, delay: float) -> None:
            self._stop()
            self._timer = self.loop.call_later(delay, self._late)

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None

        def _late(self) -> None:
            if self._refused:
                self.give_up(503, "too many connections; try again")
            else:
                self.give_up(408, f"no request within {seconds:g} s")

    return Bounded
