"""The graph of a domain, opened where the reader keeps it, and asked in two places."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from .bolt_stand_in import BoltStandIn
from .codes import code_facts
from .feeding import source_of
from .graph import Fact, Graph, open_graph, read_facts

MEMORY = "memory"
USER, PASSWORD = "NEO4J_USERNAME", "NEO4J_PASSWORD"
"""Variables of the environment: a secret stands in no notebook."""
NO_GRAPH = {
    "finance": "numbers need no sentences: a graph has nothing to write here",
    "legal": "no class of these clauses is rare: there is nothing to fill up",
}


def auth() -> tuple[str, str] | None:
    """Return user and password of a server from the environment, if they are there."""
    given = os.environ.get(USER), os.environ.get(PASSWORD)
    return given if all(given) else None


def check_graph(graph: str) -> None:
    """Raise unless a graph that is not made here is there already.

    Parameters
    ----------
    graph : str
        ``memory``, a file, or the address of a server.

    Raises
    ------
    FileNotFoundError, ConnectionError, PermissionError, ModuleNotFoundError, ValueError
        As :func:`~distill_helpers.lessons.l13.graph.open_graph`.
    """
    if graph != MEMORY:
        _opened(graph).close()


def _opened(graph: str) -> Graph:
    server = "://" in graph
    return open_graph(graph, auth=auth() if server else None)


def facts_of(project) -> list[Fact]:
    """Return what the kit knows of a domain; empty where it is nothing."""
    medical = getattr(project, "medical", None)
    if medical is not None and medical.source == "icd":
        return code_facts()
    source = source_of(project)
    return read_facts(source.facts) if source else []


def open_facts(project, graph: str = MEMORY) -> tuple[Graph | None, str]:
    """Open the graph of a domain.

    Parameters
    ----------
    project : TextProject or MarketProject
    graph : str
        ``memory`` is filled with what the kit knows; any other is taken as it is.

    Returns
    -------
    (Graph or None, str)
        None, and why: the domain has none, or ladybug is not installed.
    """
    facts = facts_of(project)
    if not facts:
        return None, NO_GRAPH[project.story.domain]
    if graph != MEMORY:
        return _opened(graph), f"the graph in {graph}, as it is"
    try:
        made = open_graph()
    except ModuleNotFoundError as missing:
        return None, str(missing)
    made.add(facts)
    return made, f"{len(facts)} facts in memory"


def questions(project) -> dict[str, str]:
    """Return some queries in Cypher that fit a domain's graph."""
    most = (
        "MATCH (a:Entity)-[:PART_OF]->(b:Entity) RETURN b.name AS part_of,"
        " count(a) AS members ORDER BY members DESC, part_of LIMIT 5"
    )
    if source_of(project) is None:
        return {"who has most members": most}
    relation = source_of(project).shared
    shared = (
        f"MATCH (a:Entity)-[:{relation}]->(s:Entity)<-[:{relation}]-(b:Entity)"
        " WHERE a.name < b.name RETURN s.name AS said, count(*) AS pairs"
        " ORDER BY pairs DESC, said LIMIT 5"
    )
    return {"who has most members": most, "what is said of two": shared}


def both_back_ends(project) -> pd.DataFrame:
    """Ask a file's engine and a server, through Neo4j's driver, the same questions.

    The server is a stand-in on this machine that speaks Bolt, Neo4j's protocol; what
    understands the Cypher behind it is ladybug.

    Parameters
    ----------
    project : TextProject or MarketProject

    Returns
    -------
    DataFrame
        A line a question: rows by back end, and whether they are the same.

    Raises
    ------
    ModuleNotFoundError
        If ladybug or Neo4j's driver is not installed.
    """
    facts, rows = facts_of(project), {}
    with open_graph() as embedded, BoltStandIn() as server:
        with open_graph(server.address) as remote:
            for graph in (embedded, remote):
                graph.add(facts)
            for name, cypher in questions(project).items():
                ours, theirs = embedded.query(cypher), remote.query(cypher)
                rows[name] = {
                    "embedded": len(ours),
                    "over Bolt": len(theirs),
                    "the same": ours == theirs,
                }
    return pd.DataFrame(rows).T.rename_axis("question")


def saved_graph(project, path: Path) -> Path:
    """Write a domain's facts into a file that ``graph=`` opens again."""
    with open_graph(path, create=True) as made:
        made.add(facts_of(project))
    return path
