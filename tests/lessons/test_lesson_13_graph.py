"""One graph in memory, in a file and behind Bolt: the same rows to the same Cypher."""

import socket

import numpy as np
import pandas as pd
import pytest

from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.lessons.l13.bolt_stand_in import BoltStandIn
from distill_helpers.lessons.l13.graph import (
    Fact,
    UnknownRelationError,
    chain,
    open_graph,
    read_facts,
)
from distill_helpers.lessons.l13.packstream import Structure, pack, unpack
from distill_helpers.lessons.l13.path_texts import rare_classes, texts_from_paths
from distill_helpers.places import CLINICAL_NOTES

ODD = Fact("sign", "a 'quoted' \N{GREEK SMALL LETTER BETA}", "SEEN_IN", "land", "Åland")


@pytest.fixture(scope="module")
def facts():
    return read_facts()


@pytest.fixture(scope="module")
def inner(facts):
    pytest.importorskip("ladybug", reason="ladybug is not installed: [domains]")
    with open_graph("memory") as graph:
        graph.add([*facts, ODD])
        yield graph


@pytest.fixture(scope="module")
def stand_in():
    pytest.importorskip("ladybug", reason="ladybug is not installed: [domains]")
    pytest.importorskip("neo4j", reason="Neo4j's driver is not installed: [domains]")
    with BoltStandIn(auth=("reader", "secret")) as server:
        yield server


@pytest.fixture(scope="module")
def outer(stand_in, facts):
    with open_graph(stand_in.address, auth=("reader", "secret")) as graph:
        graph.add([*facts, ODD])
        yield graph


# ------------------------------------------------------------- both back ends
def test_both_back_ends_give_the_same_rows_to_the_same_cypher(inner, outer, stand_in):
    asked = {
        "MATCH (a:Entity)-[:SHOWS_AS]->(b:Entity)"
        " RETURN a.name AS illness, b.name AS sign ORDER BY illness, sign": {},
        "MATCH (a:Entity)-[:PART_OF]->(c:Entity {name: $chapter})"
        " RETURN a.name AS illness ORDER BY illness": {"chapter": "skin"},
        "MATCH (a:Entity)-[r:FOUND_BY|TREATED_BY]->(b:Entity)"
        " WHERE a.name IN $names RETURN count(*) AS found": {"names": ["gout"]},
        "MATCH (a:Entity)-[:SEEN_IN]->(b:Entity) RETURN a.name AS a1, b.id AS b1": {},
        "MATCH (a:Entity {name: 'nobody'}) RETURN a.name AS name": {},
    }
    for cypher, values in asked.items():
        rows = inner.query(cypher, **values)
        assert outer.query(cypher, **values) == rows
        assert rows or "nobody" in cypher
        assert cypher in stand_in.heard
    steps = ["<PART_OF", "SHOWS_AS"]
    assert inner.relations() == outer.relations()
    walked = inner.paths("chapter", "endocrine", steps)
    assert walked == outer.paths("chapter", "endocrine", steps)
    assert ["hyperthyroidism", "a racing heart"] in walked


def test_a_fact_that_is_added_twice_stays_one(inner, outer, facts):
    shown = sum(fact.relation == "SHOWS_AS" for fact in facts)
    for graph in (inner, outer):
        graph.add(facts[:20])
        counted = graph.query(
            "MATCH (a:Entity)-[:SHOWS_AS]->(b:Entity) RETURN count(*) AS n"
        )
        assert counted == [{"n": shown}]


def test_more_rows_come_than_the_driver_fetches_at_once(outer):
    rows = outer.query(
        "MATCH (a:Entity {kind: $k}), (b:Entity {kind: $k})"
        " RETURN a.id AS a1, b.id AS b1",
        k="sign",
    )
    signs = outer.query("MATCH (e:Entity {kind: 'sign'}) RETURN count(*) AS n")
    assert len(rows) == signs[0]["n"] ** 2 > 2 * 1000
    assert len({(row["a1"], row["b1"]) for row in rows}) == len(rows)


def test_an_unknown_relation_is_refused_by_name_by_both(inner, outer):
    for graph in (inner, outer):
        for ask in (
            lambda g=graph: g.query("MATCH (a)-[r:CAUSES]->(b) RETURN a.id AS n"),
            lambda g=graph: g.query("MATCH (a)-[:SHOWS_AS|`CAUSES`]->(b) RETURN a.id"),
            lambda g=graph: g.paths("illness", "gout", ["SHOWS_AS", "<CAUSES"]),
        ):
            with pytest.raises(
                UnknownRelationError, match="'CAUSES'; it has .*SEEN_IN"
            ):
                ask()
        with pytest.raises(ValueError, match="has no 'illness:plague'"):
            graph.paths("illness", "plague", ["SHOWS_AS"])
        with pytest.raises(ValueError, match="cypher='MATCH .a RETURN'"):
            graph.query("MATCH (a RETURN")
        quoted = graph.query("MATCH (a {name: '[:CAUSES]->'}) RETURN a.id AS n")
        assert quoted == []


# ------------------------------------------------------------- what is missing
def test_a_file_is_made_when_asked_for_and_read_again(tmp_path, inner, facts):
    path = tmp_path / "domain.graph"
    with pytest.raises(FileNotFoundError, match="no such graph. Build it first"):
        open_graph(path)
    assert not path.exists()
    with open_graph(path, create=True) as graph:
        with pytest.raises(UnknownRelationError, match="none: call add"):
            graph.paths("illness", "gout", ["SHOWS_AS"])
        graph.add([*facts, ODD])
    with open_graph(path) as graph:
        assert graph.relations() == inner.relations()
        steps = ["TREATED_BY"]
        assert graph.paths("illness", "gout", steps) == inner.paths(
            "illness", "gout", steps
        )
    other = tmp_path / "notes.txt"
    other.write_text("no graph " * 500)
    with pytest.raises(ValueError, match="cannot be read as a graph"):
        open_graph(other)
    assert other.read_text() == "no graph " * 500


def test_a_server_that_is_not_there_or_refuses_is_named(stand_in):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"bolt://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"{address}.*no Neo4j server"):
            open_graph(address)
    with pytest.raises(PermissionError, match=r"give auth=\(user"):
        open_graph(stand_in.address, auth=("reader", "wrong"))


@pytest.mark.parametrize(
    ("graph", "options", "told"),
    [
        ("http://x", {}, "must start with one of"),
        (" ", {}, "graph must be 'memory', a file, or an address"),
        ("memory", {"auth": ("a", "b")}, "auth is for a server"),
    ],
)
def test_what_names_no_graph_is_refused(graph, options, told):
    with pytest.raises(ValueError, match=told):
        open_graph(graph, **options)


def test_facts_that_are_none_are_refused_and_nothing_is_added(inner, tmp_path):
    before = inner.relations()
    good = Fact("a", "b", "NEW", "c", "d")
    for wrong in (
        Fact("a", "", "NEW", "c", "d"),
        Fact("a", "b", "NEW]->() DELETE", "c", "d"),
        Fact("a", "b", "new", "c", "d"),
        ("a", "b", "NEW"),
    ):
        with pytest.raises(ValueError, match="facts, number 1"):
            inner.add([good, wrong])
    assert inner.relations() == before
    with pytest.raises(ValueError, match="steps: a relation is written in capitals"):
        chain(["SHOWS_AS]->() //"])
    path = tmp_path / "facts.csv"
    path.write_text("from_kind,from,relation,to_kind,to\na,b,IS\n")
    with pytest.raises(ValueError, match="line 2, must have 5 cells, got 3"):
        read_facts(path)
    path.write_text("from,to\n")
    with pytest.raises(ValueError, match="must have the columns"):
        read_facts(path)


# ------------------------------------------------------------------- texts
def test_the_graph_speaks_of_the_chapters_and_codes_of_the_notes(inner):
    notes = pd.read_csv(CLINICAL_NOTES, keep_default_na=False)
    chapters = inner.query(
        "MATCH (:Entity)-[:PART_OF]->(c:Entity) RETURN DISTINCT c.name AS name"
    )
    assert {row["name"] for row in chapters} == set(notes["label"]) - {""}
    codes = inner.paths("chapter", "endocrine", ["<PART_OF"])
    assert {name for (name,) in codes} == set(notes["code"]) - {""}


def test_texts_of_rare_classes_are_made_of_what_the_graph_says(inner):
    notes = pd.read_csv(CLINICAL_NOTES, keep_default_na=False)
    train = notes[notes["split"] == "train"]
    codes = train["code"][train["code"] != ""].value_counts().to_dict()
    rare = rare_classes(codes, 0.9)
    assert rare == ["hyperthyroidism", "lipids"]
    wanted = {("illness", name): 12 for name in rare} | {("chapter", "skin"): 9}
    texts = texts_from_paths(inner, wanted, seed=1)
    assert texts == texts_from_paths(inner, wanted, seed=1)
    assert len(set(texts)) == len(texts) == 33
    signs = [path[0] for path in inner.paths("illness", rare[0], ["SHOWS_AS"])]
    for text in texts[:12]:
        assert any(sign.lower() in text.lower() for sign in signs)
    # Nothing that judges is written down again.
    judged = list(notes["text"][notes["split"].isin(["validation", "test"])])
    groups = duplicate_groups(judged + texts, progress=False)
    assert set(groups[: len(judged)]).isdisjoint(groups[len(judged) :])


def test_a_class_of_which_nothing_is_known_is_refused(inner):
    with pytest.raises(ValueError, match=r"none for \['gout'\]: label some"):
        rare_classes({"gout": 0, "asthma": 4})
    with pytest.raises(ValueError, match="asks for 5000 texts, the graph says enough"):
        texts_from_paths(inner, {("illness", "migraine"): 5000})
    with pytest.raises(ValueError, match="an illness or a chapter, got 'plan'"):
        texts_from_paths(inner, {("plan", "aspirin"): 1})
    with pytest.raises(ValueError, match="has no 'chapter:eye'"):
        texts_from_paths(inner, {("chapter", "eye"): 1})


# --------------------------------------------------------------- packstream
def test_values_come_back_from_their_bytes():
    sizes = [0, 1, 15, 16, 255, 256, 70_000]
    values = [None, True, False, 0.5, -17, *(1 << np.arange(0, 63, 7)).tolist()]
    values += [-(2**63), 2**63 - 1, -16, -128, 127, 128]
    values += ["ß" * size for size in sizes] + [[1] * size for size in sizes]
    values += [{str(at): [at, None] for at in range(size)} for size in sizes[:6]]
    for value in values:
        assert unpack(pack(value)) == value
    message = Structure(0x10, ["RETURN 1", {}, {"n": -1}])
    assert pack(message)[:2] == b"\xb3\x10" and unpack(pack(message)) == message


def test_bytes_that_hold_no_value_are_refused():
    for content, told in (
        (b"", "within a value"),
        (b"\x83ab", "within a text of 3"),
        (b"\x01\x01", "1 are over"),
        (b"\xc7", "0xc7 at 0 is none"),
        (b"\x92\x01", "within a value"),
    ):
        with pytest.raises(ValueError, match=told):
            unpack(content)
    with pytest.raises(TypeError, match="got set"):
        pack({1})
    with pytest.raises(OverflowError, match="64 bits"):
        pack(2**63)
