"""A query nobody has read: it reads, for a while, and is judged by its rows."""

import re
import sqlite3
import sys
from contextlib import closing

import pytest

from distill_helpers.evaluation.sql import (
    SqlLimits,
    agreed_query,
    has_order,
    run_query,
    same_result,
    write_database,
)

QUICK = SqlLimits(steps=300_000, seconds=2.0, rows=50)


def shop(path, names, prices, stock):
    goods = {"name": names, "price": prices, "stock": stock}
    return write_database(path, {"goods": goods, "odd name": {"x": [1, 1, None]}})


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """Two shops of one schema; in the first, the dearest happens to be the first."""
    folder = tmp_path_factory.mktemp("shops")
    return [
        shop(
            folder / "a b?.sqlite",
            ["pear", "apple", "fig"],
            [9, 2.5, 2.5],
            [1, None, 0],
        ),
        shop(
            folder / "two.sqlite",
            ["kiwi", "lime", "date", "plum"],
            [1, 4, 7, 7],
            [3, 3, None, 8],
        ),
    ]


def test_a_select_gives_its_rows(shops):
    result = run_query(shops[0], "SELECT name FROM goods WHERE price < 5 ORDER BY name")
    assert result.ran and result.error is None
    assert result.rows == [("apple",), ("fig",)]


@pytest.mark.parametrize(
    "query",
    [
        "WITH c AS (SELECT price FROM goods) SELECT count(*), AVG(price) FROM c;",
        "VALUES (1), (2)",
        "-- a remark\n SELECT upper(name) || '!' FROM goods",
        "SELECT row_number() OVER (ORDER BY price) FROM goods",
        'SELECT name FROM goods UNION SELECT x FROM "odd name"',
        "SELECT 'DROP TABLE goods; ATTACH' FROM goods",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)"
        " SELECT i FROM n",
    ],
)
def test_what_reads_is_let_through(shops, query):
    assert run_query(shops[0], query, QUICK).error is None


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO goods VALUES ('x', 1, 1)",
        "WITH c AS (SELECT 1) DELETE FROM goods",
        "WITH c AS (SELECT 1) UPDATE goods SET price = 0",
        "UPDATE goods SET price = 0",
        "DROP TABLE goods",
        "CREATE TEMP TABLE t (a)",
        "ATTACH DATABASE 'OTHER' AS other",
        "VACUUM INTO 'OTHER'",
        "PRAGMA query_only = 0",
        "SELECT * FROM pragma_table_info('goods')",
        "EXPLAIN SELECT * FROM goods",
        "BEGIN EXCLUSIVE",
        "SELECT load_extension('OTHER')",
        "SELECT writefile('OTHER', 'x')",
        "SELECT name FROM goods; DROP TABLE goods",
        "/* SELECT */ DELETE FROM goods",
        "SELECT zeroblob(1000000000)",
        "SELECT length(randomblob(1000000000))",
        "SELECT printf('%.1000000000d', 1)",
        "REPLACE INTO goods VALUES ('x', 1, 1)",
        "",
        ";",
        "-- SELECT 1",
        "SELECT \x00 1",
        "SELECT '\ud800'",
        "SELECT nothing FROM goods",
        "SELECT name FROM",
        "SELECT 1" + " " * 20_000,
    ],
)
def test_all_else_is_refused_and_changes_nothing(shops, tmp_path, query):
    before = shops[0].read_bytes()
    other = tmp_path / "other"
    result = run_query(shops[0], query.replace("OTHER", str(other)), QUICK)
    assert result.rows is None and result.error
    assert not result.ran
    assert shops[0].read_bytes() == before
    assert not list(tmp_path.iterdir())
    assert sorted(p.name for p in shops[0].parent.iterdir()) == [
        "a b?.sqlite",
        "two.sqlite",
    ]


FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "


@pytest.mark.parametrize(
    ("query", "limits", "why"),
    [
        (FOREVER + "SELECT count(*) FROM n", QUICK, "after 300000 steps"),
        (
            FOREVER + "SELECT count(*) FROM n",
            SqlLimits(steps=10**12, seconds=0.05),
            "after 0.05 seconds",
        ),
        (FOREVER + "SELECT i FROM n", QUICK, "more than 50 rows"),
        (
            "SELECT count(*) FROM "
            + ", ".join(f"goods AS g{number}" for number in range(30)),
            QUICK,
            "after 300000 steps",
        ),
        (
            "SELECT 'abcdefghij', 'abcdefghij' FROM goods",
            SqlLimits(value_bytes=10, characters=100_000),
            "too big|bytes|more than",
        ),
    ],
)
def test_what_goes_on_for_ever_is_stopped(shops, query, limits, why):
    if limits.value_bytes == 10 and sys.version_info < (3, 11):
        pytest.skip("SQLite is told the size of a value from Python 3.11 on")
    result = run_query(shops[0], query, limits)
    assert result.rows is None
    assert re.search(why, result.error)


@pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="SQLite is told the size of a value from Python 3.11 on",
)
def test_a_text_that_doubles_itself_is_stopped(shops):
    query = "WITH RECURSIVE n(a) AS (SELECT 'xxxx' UNION ALL SELECT a || a FROM n)"
    query += " SELECT length(a) FROM n"
    assert "too big" in run_query(shops[0], query, QUICK).error


DEAR = "SELECT name FROM goods ORDER BY price DESC, name"


@pytest.mark.parametrize(
    ("query", "reference", "same"),
    [
        # As strings they differ, as results they do not, and the other way round.
        ("select  g.name from goods g", "SELECT name FROM goods", True),
        ("SELECT name AS n FROM goods", "SELECT name FROM goods", True),
        ("SELECT max(price) FROM goods", "SELECT price FROM goods LIMIT 1", False),
        # The order counts where it was asked for, and only there.
        ("SELECT name FROM goods ORDER BY name", "SELECT name FROM goods", True),
        ("SELECT name FROM goods ORDER BY name", DEAR, False),
        (DEAR, DEAR, True),
        # A row that stands there twice counts twice.
        ("SELECT DISTINCT price FROM goods", "SELECT price FROM goods", False),
        ('SELECT x FROM "odd name"', 'SELECT DISTINCT x FROM "odd name"', False),
        # NULL is NULL, and nothing else.
        ("SELECT stock FROM goods", "SELECT stock FROM goods", True),
        ("SELECT coalesce(stock, 0) FROM goods", "SELECT stock FROM goods", False),
        ("SELECT coalesce(stock, '') FROM goods", "SELECT stock FROM goods", False),
        # Columns: as many, in their order.
        ("SELECT name, price FROM goods", "SELECT price, name FROM goods", False),
        ("SELECT name, name FROM goods", "SELECT name FROM goods", False),
        # Numbers are numbers, but a text is none.
        ("SELECT price * 1.0 FROM goods", "SELECT price FROM goods", True),
        ("SELECT 0.1 + 0.2", "SELECT 0.3", True),
        ("SELECT '3'", "SELECT 3", False),
        # An error is no result: not an empty one, not that of another error.
        ("SELECT nothing FROM goods", "SELECT nothing FROM goods", False),
        ("SELECT nothing FROM goods", "SELECT name FROM goods WHERE 0", False),
        ("SELECT name FROM goods WHERE 1 = 2", "SELECT name FROM goods WHERE 0", True),
    ],
)
def test_the_rows_say_what_is_the_same(shops, query, reference, same):
    assert same_result(query, reference, shops) is same
    assert same_result(reference, query, shops, ordered=has_order(reference)) is same


def test_one_database_is_not_enough(shops):
    lucky = "SELECT price FROM goods LIMIT 1"
    right = "SELECT max(price) FROM goods"
    assert run_query(shops[0], lucky) == run_query(shops[0], right)
    assert not same_result(lucky, right, shops)
    for few in (shops[:1], [shops[0], str(shops[0])], []):
        with pytest.raises(ValueError, match="at least two different"):
            same_result(lucky, right, few)
    with pytest.raises(TypeError, match="sequence of paths"):
        same_result(lucky, right, shops[0])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT 'a ORDER BY b' FROM t", False),
        ("SELECT a FROM t -- ORDER BY a", False),
        ("SELECT [order by] FROM t", False),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", False),
        ("SELECT a FROM t order\n by a", True),
        ("WITH c AS (SELECT a FROM t) SELECT a FROM c ORDER /* x */ BY a", True),
    ],
)
def test_the_order_is_that_of_the_whole_query(query, found):
    assert has_order(query) is found


def test_candidates_agree_by_their_rows(shops):
    wrong, right = "SELECT price FROM goods LIMIT 1", "SELECT max(price) FROM goods"
    also = "SELECT price FROM goods ORDER BY price DESC LIMIT 1"
    broken = "SELECT nothing"
    assert agreed_query([wrong, right, also, broken], shops, least=2) == right
    assert agreed_query([wrong, right, also], shops, least=3) is None
    assert agreed_query([broken] * 5, shops) is None
    assert agreed_query([], shops) is None


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "notes.sqlite").write_text("no database " * 100)
    with pytest.raises(ValueError, match="notes.sqlite' is no SQLite database"):
        run_query(tmp_path / "notes.sqlite", "SELECT 1")
    with pytest.raises(FileNotFoundError, match="no database at"):
        run_query(tmp_path / "gone.sqlite", "SELECT 1")
    assert not (tmp_path / "gone.sqlite").exists()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"t": {"a": [1, 2], "b": [1]}}, r"one length.*\{'a': 2, 'b': 1\}"),
        ({"t": {}}, "at least one column"),
        ({"t": {"a": [object()]}}, "cannot write the table 't'"),
        ({"t": {"a": [2**70]}}, "cannot write the table 't'"),
        ({"t": {"a": [1], "A": [2]}}, "duplicate column"),
    ],
)
def test_a_database_is_written_whole_or_not_at_all(tmp_path, tables, message):
    with pytest.raises(ValueError, match=message):
        write_database(tmp_path / "t.sqlite", {"first": {"a": [1]}} | tables)
    assert not list(tmp_path.iterdir())


def test_names_of_any_kind_are_kept_and_nothing_is_overwritten(tmp_path):
    path = write_database(tmp_path / "t.sqlite", {'a "b"': {"c; --": [1, "x", b"y"]}})
    assert run_query(path, 'SELECT "c; --" FROM "a ""b"""').rows == [
        (1,),
        ("x",),
        (b"y",),
    ]
    with pytest.raises(FileExistsError):
        write_database(path, {"t": {"a": [1]}})
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (
            1,
        )


@pytest.mark.parametrize(
    ("limits", "message"),
    [({"seconds": 0}, "seconds"), ({"rows": 0}, "rows"), ({"steps": 1.5}, "steps")],
)
def test_limits_must_be_some(limits, message):
    with pytest.raises((TypeError, ValueError), match=message):
        SqlLimits(**limits)
