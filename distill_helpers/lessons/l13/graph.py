"""Entities and relations of a domain, asked in Cypher wherever they are kept."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...arguments import check_type
from ...places import DATA
from .stores import Store, open_store

CLINICAL_GRAPH = DATA / "domains" / "clinical_graph.csv"
COLUMNS = ["from_kind", "from", "relation", "to_kind", "to"]
_RELATION = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_ASKED = re.compile(r"\[\s*\w*\s*:\s*([\w|:`\s]+)")


class Fact(NamedTuple):
    """One relation between two entities."""

    from_kind: str
    from_name: str
    relation: str
    """In capitals, such as ``SHOWS_AS``."""
    to_kind: str
    to_name: str


class UnknownRelationError(ValueError):
    """A relation was asked for that the graph does not have."""


class Graph:
    """A property graph; :func:`open_graph` makes one.

    Each entity is a node ``Entity`` with ``id`` (kind and name, with a colon between),
    ``kind`` and ``name``; each relation has its own type.
    """

    def __init__(self, store: Store):
        self._store = store

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the server."""
        self._store.close()

    def relations(self) -> list[str]:
        """Return the kinds of relation there are, sorted."""
        return self._store.relations()

    def add(self, facts: Sequence[Fact]) -> None:
        """Add facts; one that is there already stays one.

        Parameters
        ----------
        facts : sequence of Fact

        Raises
        ------
        ValueError
            If a name is empty or a relation is not written in capitals. Nothing is
            added then.
        """
        facts = [_checked(number, fact) for number, fact in enumerate(facts)]
        kinds = sorted({fact.relation for fact in facts})
        self._store.prepare(kinds)
        ends = {(f.from_kind, f.from_name) for f in facts}
        ends |= {(f.to_kind, f.to_name) for f in facts}
        entities = [
            {"id": entity_id(kind, name), "kind": kind, "name": name}
            for kind, name in sorted(ends)
        ]
        if entities:
            self._store.run(
                "UNWIND $rows AS row MERGE (e:Entity {id: row.id})"
                " SET e.kind = row.kind, e.name = row.name",
                {"rows": entities},
            )
        for kind in kinds:
            rows = [
                {
                    "head": entity_id(fact.from_kind, fact.from_name),
                    "tail": entity_id(fact.to_kind, fact.to_name),
                }
                for fact in facts
                if fact.relation == kind
            ]
            self._store.run(
                "UNWIND $rows AS row MATCH (a:Entity {id: row.head}),"
                f" (b:Entity {{id: row.tail}}) MERGE (a)-[:{kind}]->(b)",
                {"rows": rows},
            )

    def query(self, cypher: str, **values: Any) -> list[dict[str, Any]]:
        """Ask in Cypher; a row is a dict by column.

        Keep to what both back ends speak: name every column with ``AS``, and not as a
        node is named; return properties, not nodes; order what must be in an order.

        Parameters
        ----------
        cypher : str
            Values stand in it as ``$name``; never put them into the text yourself.
        **values
            What ``$name`` stands for.

        Returns
        -------
        list of dict

        Raises
        ------
        UnknownRelationError
            If it asks for a relation that the graph does not have. Neo4j would answer
            that with no rows, as if there were nothing to find.
        ValueError
            If the back end does not understand it.
        """
        check_type("cypher", cypher, str, "a text")
        bare = _QUOTED.sub("''", cypher)
        for asked in _ASKED.findall(bare):
            self._check_known(name for name in re.split(r"[|:`\s]+", asked) if name)
        return self._store.run(cypher, values)

    def paths(self, kind: str, name: str, steps: Sequence[str]) -> list[list[str]]:
        """Return the names along every path that starts at an entity.

        Parameters
        ----------
        kind, name : str
            Where it starts.
        steps : sequence of str
            A relation a step; with ``<`` in front it is walked against its direction:
            ``["<PART_OF", "SHOWS_AS"]`` goes from a chapter to its illnesses, and to
            what each shows itself as.

        Returns
        -------
        list of list of str
            Sorted; without the start.

        Raises
        ------
        UnknownRelationError
            If the graph has no such relation.
        ValueError
            If the graph has no such entity, or there is no step.
        """
        if isinstance(steps, str) or not steps:
            raise ValueError(f"steps must be a list of relations, got {steps!r}")
        self._check_known(step.removeprefix("<") for step in steps)
        start = entity_id(kind, name)
        there = "MATCH (e:Entity {id: $start}) RETURN e.name AS name"
        if not self._store.run(there, {"start": start}):
            raise ValueError(f"the graph in {self._store.where} has no {start!r}")
        rows = self._store.run(chain(steps), {"start": start})
        return sorted([row[f"name{at}"] for at in range(len(steps))] for row in rows)

    def _check_known(self, names) -> None:
        known = self.relations()
        for name in names:
            if name not in known:
                there = known or "none: call add(...) first"
                raise UnknownRelationError(
                    f"the graph in {self._store.where} has no relation {name!r}; it"
                    f" has {there}"
                )


def open_graph(
    graph: str | Path = "memory",
    *,
    create: bool = False,
    auth: tuple[str, str] | None = None,
) -> Graph:
    """Open a graph, in memory, in a file, or on a server.

    Parameters
    ----------
    graph : str or Path, default "memory"
        A file of ladybug, or the address of a Neo4j server, such as
        ``bolt://localhost:7687``.
    create : bool, default False
        Whether the file may be made.
    auth : (str, str), optional
        User and password of a server.

    Returns
    -------
    Graph
        Close it, or use it in a ``with``.

    Raises
    ------
    FileNotFoundError, ConnectionError, PermissionError, ModuleNotFoundError, ValueError
        If there is no graph there; the message says what to do.
    """
    return Graph(open_store(graph, create, auth))


def chain(steps: Sequence[str]) -> str:
    """Return the Cypher that walks some relations from ``$start``.

    Parameters
    ----------
    steps : sequence of str
        As for :meth:`Graph.paths`.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a step is no name of a relation.

    Examples
    --------
    >>> print(chain(["<PART_OF"]))
    MATCH (s:Entity {id: $start})<-[:PART_OF]-(e0:Entity) RETURN e0.name AS name0
    """
    pattern, columns = "(s:Entity {id: $start})", []
    for at, step in enumerate(steps):
        back = step.startswith("<")
        name = _checked_relation("steps", step.removeprefix("<"))
        left, right = ("<-", "-") if back else ("-", "->")
        pattern += f"{left}[:{name}]{right}(e{at}:Entity)"
        columns.append(f"e{at}.name AS name{at}")
    return f"MATCH {pattern} RETURN {', '.join(columns)}"


def entity_id(kind: str, name: str) -> str:
    """Return what tells an entity from every other."""
    return f"{kind}:{name}"


def read_facts(path: str | Path = CLINICAL_GRAPH) -> list[Fact]:
    """Read facts from a CSV file, a row each.

    Parameters
    ----------
    path : str or Path, optional
        With the columns ``from_kind,from,relation,to_kind,to``; the kit's clinical
        graph without it.

    Returns
    -------
    list of Fact

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If its columns are others or a cell is empty.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if header != COLUMNS:
            raise ValueError(f"{path} must have the columns {COLUMNS}, got {header}")
        facts = []
        for number, row in enumerate(rows, 2):
            if len(row) != len(COLUMNS):
                raise ValueError(
                    f"{path}, line {number}, must have {len(COLUMNS)} cells, got"
                    f" {len(row)}"
                )
            facts.append(_checked(number, Fact(*row), f"{path}, line"))
    return facts


def _checked(number: int, fact: Fact, where: str = "facts, number") -> Fact:
    parts = tuple(fact)
    if len(parts) != len(COLUMNS) or not all(
        isinstance(part, str) and part.strip() for part in parts
    ):
        raise ValueError(
            f"{where} {number}: a fact is five texts that are not empty"
            f" ({', '.join(COLUMNS)}), got {parts}"
        )
    fact = Fact(*parts)
    _checked_relation(f"{where} {number}", fact.relation)
    return fact


def _checked_relation(where: str, name: str) -> str:
    if not _RELATION.fullmatch(name):
        raise ValueError(
            f"{where}: a relation is written in capitals, such as SHOWS_AS, got {name!r}"
        )
    return name
