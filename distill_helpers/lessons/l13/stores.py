"""Two places that keep a property graph and answer Cypher: a file, and a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

NOT_INSTALLED = (
    "{package} is not installed. Call python -m pip install"
    " 'distill-helpers[domains]', or take {instead}"
)
SCHEMES = ("bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://")
TIMEOUT = 5.0
"""Seconds that a server has to accept a connection."""


class Store(Protocol):
    """What a graph needs of the place that keeps it."""

    where: str
    """To name it in a message."""

    def run(self, cypher: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement; a row is a dict by column."""

    def relations(self) -> list[str]:
        """Return the kinds of relation that it knows, sorted."""

    def prepare(self, relations: list[str]) -> None:
        """Make room for entities and these kinds of relation."""

    def close(self) -> None:
        """Let go of file or connection."""


class LadybugStore:
    """A graph in one file, or in memory; nothing runs beside Python.

    Parameters
    ----------
    path : Path or None
        None keeps it in memory.
    create : bool, default False
        Whether the file may be made.

    Raises
    ------
    FileNotFoundError
        If the file is not there and may not be made.
    ValueError
        If it is no graph of ladybug.
    ModuleNotFoundError
        If ladybug is not installed.
    """

    def __init__(self, path: Path | None, create: bool = False):
        try:
            import ladybug
        except ModuleNotFoundError as error:
            instead = "graph='bolt://...' with a Neo4j server of yours"
            raise ModuleNotFoundError(
                NOT_INSTALLED.format(package="ladybug", instead=instead)
            ) from error
        self.where = "memory" if path is None else str(path)
        if path is not None and not path.exists() and not create:
            raise FileNotFoundError(
                f"graph={self.where!r}: there is no such graph. Build it first with"
                " create=True and add(...), or give 'memory'"
            )
        if path is not None and path.is_dir():
            raise ValueError(f"graph={self.where!r} is a folder, a graph is one file")
        try:
            self._database = ladybug.Database(":memory:" if path is None else str(path))
            self._connection = ladybug.Connection(self._database)
        except RuntimeError as error:
            raise ValueError(
                f"graph={self.where!r} cannot be read as a graph: {error}"
            ) from error

    def run(self, cypher: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement; what ladybug refuses is a ValueError with its words."""
        try:
            answer = self._connection.execute(cypher, dict(values))
        except RuntimeError as error:
            raise ValueError(f"cypher={cypher!r}: {error}") from error
        names = answer.get_column_names()
        return [dict(zip(names, row)) for row in answer]

    def relations(self) -> list[str]:
        """Return the names of its tables of relations, sorted."""
        tables = self.run("CALL show_tables() RETURN name, type", {})
        return sorted(table["name"] for table in tables if table["type"] == "REL")

    def prepare(self, relations: list[str]) -> None:
        """Make the tables; ladybug has a schema."""
        self.run(
            "CREATE NODE TABLE IF NOT EXISTS"
            " Entity(id STRING, kind STRING, name STRING, PRIMARY KEY(id))",
            {},
        )
        for name in relations:
            self.run(
                f"CREATE REL TABLE IF NOT EXISTS {name}(FROM Entity TO Entity)", {}
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        self._database.close()


class BoltStore:
    """A graph on a Neo4j server, through Neo4j's driver.

    Parameters
    ----------
    address : str
        Such as ``bolt://localhost:7687``.
    auth : (str, str), optional
        User and password.

    Raises
    ------
    ConnectionError
        If no server answers there.
    PermissionError
        If it refuses user and password.
    ModuleNotFoundError
        If the driver is not installed.
    """

    def __init__(self, address: str, auth: tuple[str, str] | None = None):
        try:
            import neo4j
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                NOT_INSTALLED.format(package="neo4j", instead="graph='memory'")
            ) from error
        self.where = address
        self._errors = neo4j.exceptions
        try:
            self._driver = neo4j.GraphDatabase.driver(
                address,
                auth=auth,
                connection_timeout=TIMEOUT,
                max_transaction_retry_time=TIMEOUT,
            )
        except (ValueError, neo4j.exceptions.ConfigurationError) as error:
            raise ValueError(f"graph={address!r} is no address: {error}") from error
        try:
            self._driver.verify_connectivity()
        except neo4j.exceptions.AuthError as error:
            self._driver.close()
            raise PermissionError(
                f"graph={address!r} refuses user and password: give auth=(user,"
                " password)"
            ) from error
        except (neo4j.exceptions.DriverError, OSError) as error:
            self._driver.close()
            raise ConnectionError(
                f"graph={address!r}: no Neo4j server answers there ({error}). Start"
                " it, or give 'memory'"
            ) from error

    def run(self, cypher: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a statement; what the server refuses is a ValueError with its words."""
        try:
            answer = self._driver.execute_query(cypher, parameters_=dict(values))
        except self._errors.Neo4jError as error:
            raise ValueError(f"cypher={cypher!r}: {error.message}") from error
        except self._errors.DriverError as error:
            raise ConnectionError(f"graph={self.where!r} went away: {error}") from error
        return [record.data() for record in answer.records]

    def relations(self) -> list[str]:
        """Return the kinds of relation that the server has seen, sorted."""
        rows = self.run(
            "CALL db.relationshipTypes() YIELD relationshipType"
            " RETURN relationshipType AS relation",
            {},
        )
        return sorted(row["relation"] for row in rows)

    def prepare(self, relations: list[str]) -> None:
        """Let an id stand once; Neo4j has no other schema."""
        self.run(
            "CREATE CONSTRAINT entity_id IF NOT EXISTS"
            " FOR (e:Entity) REQUIRE e.id IS UNIQUE",
            {},
        )

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()


def open_store(graph, create: bool, auth: tuple[str, str] | None) -> Store:
    """Open what `graph` names: ``memory``, an address of a server, or a file.

    Parameters
    ----------
    graph : str or Path
    create : bool
        Whether a file may be made.
    auth : (str, str) or None
        For a server.

    Returns
    -------
    Store

    Raises
    ------
    ValueError
        If `graph` has another scheme, and as the stores do.
    """
    if not isinstance(graph, (str, Path)) or not str(graph).strip():
        raise ValueError(
            "graph must be 'memory', a file, or an address such as"
            f" 'bolt://localhost:7687', got {graph!r}"
        )
    if str(graph).startswith(SCHEMES):
        return BoltStore(str(graph), auth)
    if isinstance(graph, str) and re.match(r"[\w+.-]+://", graph):
        raise ValueError(f"graph must start with one of {SCHEMES}, got {graph!r}")
    if auth is not None:
        raise ValueError(
            f"auth is for a server, and graph={str(graph)!r} is none: leave it out"
        )
    if str(graph) == "memory":
        return LadybugStore(None)
    return LadybugStore(Path(graph), create)
