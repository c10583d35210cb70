"""A server on this machine that speaks Bolt as a Neo4j server does, and is none.

It lets the way through Neo4j's driver run where no server can be had: connection,
messages, transactions and rows are those of the protocol. What understands the Cypher
behind it is ladybug: that Neo4j itself answers so is not shown by it.

References
----------
.. [1] Neo4j, "Bolt protocol message specification", version 5.0, 2022.
"""

from __future__ import annotations

import re
import socketserver
import threading
from typing import Any

from .packstream import Structure, pack, unpack
from .stores import LadybugStore

MAGIC = bytes.fromhex("6060b017")
VERSION = (5, 0)
AGENT = "stand-in/1.0"
HELLO, GOODBYE, RESET, RUN, BEGIN, COMMIT, ROLLBACK, DISCARD, PULL = (
    *(0x01, 0x02, 0x0F, 0x10, 0x11, 0x12, 0x13),
    *(0x2F, 0x3F),
)
SUCCESS, RECORD, IGNORED, FAILURE = 0x70, 0x71, 0x7E, 0x7F
UNAUTHORISED = "Neo.ClientError.Security.Unauthorized"
SYNTAX = "Neo.ClientError.Statement.SyntaxError"
REQUEST = "Neo.ClientError.Request.Invalid"
_MERGED = re.compile(r"\bMERGE \(\w*\)-\[:(\w+)\]->")
_LARGEST_CHUNK = 0xFFFF


class BoltStandIn:
    """Serve a graph in memory on a free port, until the ``with`` ends.

    Parameters
    ----------
    auth : (str, str), optional
        The only user and password that are let in; anybody without it.

    Attributes
    ----------
    address : str
        For :func:`distill_helpers.lessons.l13.graph.open_graph`.
    heard : list of str
        The statements that arrived.

    Raises
    ------
    ModuleNotFoundError
        If ladybug is not installed.
    """

    def __init__(self, auth: tuple[str, str] | None = None):
        self.auth = auth
        self.heard: list[str] = []
        self._store = LadybugStore(None)
        self._store.prepare([])
        self._one_at_a_time = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self._server.stand_in = self
        self.address = f"bolt://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> BoltStandIn:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._store.close()

    def answer(self, cypher: str, values: dict) -> list[dict[str, Any]]:
        """Answer as Neo4j would, for the statements that the kit sends.

        Parameters
        ----------
        cypher : str
        values : dict

        Returns
        -------
        list of dict

        Raises
        ------
        ValueError
            If ladybug does not understand it.
        """
        with self._one_at_a_time:
            self.heard.append(cypher)
            if cypher.startswith("CREATE CONSTRAINT"):
                return []
            if cypher.startswith("CALL db.relationshipTypes()"):
                return [{"relation": name} for name in self._store.relations()]
            # Neo4j has no tables: a relation is there as soon as it is used.
            self._store.prepare(_MERGED.findall(cypher))
            return self._store.run(cypher, values)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    stand_in: BoltStandIn


class _Talk(socketserver.StreamRequestHandler):
    """One connection."""

    server: _Server

    def handle(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._failed = False
        if not self._shook_hands():
            return
        while (message := self._message()) is not None and message.tag != GOODBYE:
            if self._failed and message.tag != RESET:
                self._say(IGNORED)
            else:
                self._answer(message)

    def _shook_hands(self) -> bool:
        """Agree on version 5.0, if the driver offers it."""
        hello = self.rfile.read(20)
        offers = [hello[at : at + 4] for at in range(4, 20, 4)]
        major, minor = VERSION
        # An offer: nothing, how many minor versions below, minor, major.
        fits = any(o[3] == major and o[2] - o[1] <= minor <= o[2] for o in offers if o)
        agreed = hello[:4] == MAGIC and len(hello) == 20 and fits
        self.wfile.write(bytes([0, 0, minor, major]) if agreed else bytes(4))
        return agreed

    def _message(self) -> Structure | None:
        """Read the chunks of a message; None at the end of the talk."""
        content = b""
        while head := self.rfile.read(2):
            size = int.from_bytes(head, "big")
            if size:
                content += self.rfile.read(size)
            elif content:
                return unpack(content)
        return None

    def _say(self, tag: int, *fields) -> None:
        content = pack(Structure(tag, list(fields)))
        for at in range(0, len(content), _LARGEST_CHUNK):
            chunk = content[at : at + _LARGEST_CHUNK]
            self.wfile.write(len(chunk).to_bytes(2, "big") + chunk)
        self.wfile.write(bytes(2))

    def _fail(self, code: str, message: str) -> None:
        self._failed = True
        self._say(FAILURE, {"code": code, "message": message})

    def _answer(self, message: Structure) -> None:
        tag, fields = message
        if tag == HELLO:
            self._welcome(fields[0])
        elif tag == RUN:
            self._run(fields[0], fields[1])
        elif tag in (PULL, DISCARD):
            self._hand_out(fields[0].get("n", -1), tag == PULL)
        elif tag in (BEGIN, COMMIT, ROLLBACK, RESET):
            self._failed = self._failed and tag != RESET
            self._say(SUCCESS, {})
        else:
            self._fail(REQUEST, f"the stand-in does not know message {tag:#x}")

    def _welcome(self, told: dict) -> None:
        wanted = self.server.stand_in.auth
        given = (told.get("principal"), told.get("credentials"))
        if wanted is not None and given != tuple(wanted):
            self._fail(UNAUTHORISED, "user or password is wrong")
        else:
            self._say(SUCCESS, {"server": AGENT, "connection_id": "bolt-1"})

    def _run(self, cypher: str, values: dict) -> None:
        try:
            self._rows = self.server.stand_in.answer(cypher, values)
        except ValueError as error:
            self._fail(SYNTAX, str(error))
            return
        names = list(self._rows[0]) if self._rows else []
        self._say(SUCCESS, {"fields": names, "t_first": 0})

    def _hand_out(self, count: int, wanted: bool) -> None:
        """Give out so many rows, or all of them if the count is -1."""
        count = len(self._rows) if count < 0 else count
        out, self._rows = self._rows[:count], self._rows[count:]
        if wanted:
            for row in out:
                self._say(RECORD, list(row.values()))
        more = {"has_more": True} if self._rows else {"t_last": 0, "type": "rw"}
        self._say(SUCCESS, more)
