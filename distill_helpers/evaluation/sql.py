"""Run a query that a model wrote, and say whether it gives what another one gives.

Nobody has read the query: it may read and nothing else, and only for so long.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..arguments import check_number, check_type, check_whole
from ..files import fresh_path, whole_file

Value = int | float | str | bytes | None


@dataclass(frozen=True)
class SqlLimits:
    """How far a query may go.

    Attributes
    ----------
    steps : int
        Instructions of SQLite's machine, to the thousand.
    seconds : float
    rows : int
        Of the result.
    characters : int
        Of the query.
    value_bytes : int
        Of one text or blob; all values of a result together may have a hundred
        times as many. SQLite itself holds to it from Python 3.11 on; before, what
        is built up inside of a query may grow larger.
    """

    steps: int = 5_000_000
    seconds: float = 2.0
    rows: int = 10_000
    characters: int = 10_000
    value_bytes: int = 100_000

    def __post_init__(self) -> None:
        check_number("seconds", self.seconds, above=0)
        for name in ("steps", "rows", "characters", "value_bytes"):
            check_whole(name, getattr(self, name), least=1)


@dataclass(frozen=True)
class QueryResult:
    """What a query gave.

    Attributes
    ----------
    rows : list of tuple or None
        None where it failed.
    error : str or None
        Why it failed.
    """

    rows: list[tuple[Value, ...]] | None
    error: str | None = None

    @property
    def ran(self) -> bool:
        """Whether there is a result; it says nothing of whether that is right."""
        return self.rows is not None


# ------------------------------------------------------------ what is allowed
_READS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,  # its limits are steps, rows and time
    }
)
FUNCTIONS = frozenset(
    """
    abs avg coalesce concat concat_ws count cume_dist date datetime dense_rank
    first_value glob group_concat ifnull iif instr julianday lag last_value lead
    length like lower ltrim max min nth_value ntile nullif percent_rank rank replace
    round row_number rtrim sign strftime string_agg substr substring sum time
    timediff total trim typeof unixepoch upper
    """.split()
)
"""SQL functions that a query may call: of numbers, texts, dates and groups."""


def _authorize(action, first, second, database, trigger) -> int:
    if action in _READS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second and second.lower() in FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


_NO_CODE = re.compile(
    r"""
    --[^\n]*            # a comment to the end of the line
    | /\*.*?(?:\*/|\Z)  # a comment
    | '(?:[^']|'')*'    # a text
    | "(?:[^"]|"")*"    # names, three ways to quote them
    | `(?:[^`]|``)*`
    | \[[^\]]*\]
    """,
    re.VERBOSE | re.DOTALL,
)


def run_query(
    database: str | Path, query: str, limits: SqlLimits | None = None
) -> QueryResult:
    """Run one SELECT on a SQLite database that it cannot change.

    The file is opened for reading only; an authoriser refuses all but SELECT and
    the functions of :data:`FUNCTIONS`; and what goes beyond the limits is stopped.

    Parameters
    ----------
    database : str or Path
        A SQLite file, see :func:`write_database`.
    query : str
    limits : SqlLimits, optional

    Returns
    -------
    QueryResult
        Whatever is wrong with the query is in its ``error``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no SQLite database.
    TypeError
        If `query` is no str.

    Examples
    --------
    >>> import tempfile
    >>> shop = Path(tempfile.mkdtemp()) / "shop.sqlite"
    >>> _ = write_database(shop, {"goods": {"name": ["pear"], "price": [3]}})
    >>> run_query(shop, "SELECT name FROM goods WHERE price < 5").rows
    [('pear',)]
    >>> run_query(shop, "DROP TABLE goods").error
    'only a SELECT is run here, not DROP'
    """
    check_type("query", query, str, "a str")
    limits = limits or SqlLimits()
    if len(query) > limits.characters:
        return QueryResult(None, f"longer than {limits.characters} characters")
    words = re.findall(r"\w+", _NO_CODE.sub(" ", query))
    if not words or words[0].upper() not in ("SELECT", "WITH", "VALUES"):
        begins = words[0].upper() if words else "an empty query"
        return QueryResult(None, f"only a SELECT is run here, not {begins}")
    with closing(_open(database)) as connection:
        return _run(connection, query, limits)


def _open(database: str | Path) -> sqlite3.Connection:
    path = Path(database)
    if not path.is_file():
        raise FileNotFoundError(f"no database at {str(path)!r}")
    address = f"file:{quote(str(path.resolve().as_posix()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ValueError(f"{str(path)!r} is no SQLite database: {error}") from error
    return connection


def _run(connection, query: str, limits: SqlLimits) -> QueryResult:
    spent = _Spent(limits)
    if hasattr(connection, "setlimit"):  # from Python 3.11 on
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.value_bytes)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(_authorize)
    connection.set_progress_handler(spent.more, spent.EVERY)
    try:
        rows = []
        for row in connection.execute(query):
            rows.append(row)
            beyond = spent.beyond_rows(row, len(rows))
            if beyond:
                return QueryResult(None, beyond)
        return QueryResult(rows)
    # Several statements in one are a Warning in Python 3.10, a null character a
    # ValueError, a lone surrogate a UnicodeError (a ValueError too).
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        return QueryResult(None, spent.beyond or str(error) or type(error).__name__)
    except (MemoryError, OverflowError) as error:
        return QueryResult(None, f"too large a value: {error}")


class _Spent:
    """What a query has used up; SQLite asks now and then whether to go on."""

    EVERY = 1_000  # instructions

    def __init__(self, limits: SqlLimits) -> None:
        self.limits = limits
        self.steps = self.bytes = 0
        self.start = time.monotonic()
        self.beyond: str | None = None

    def more(self) -> int:
        """Return 1, which stops the query, where a limit is reached."""
        self.steps += self.EVERY
        if self.steps > self.limits.steps:
            self.beyond = f"stopped after {self.limits.steps} steps"
        elif time.monotonic() - self.start > self.limits.seconds:
            self.beyond = f"stopped after {self.limits.seconds:g} seconds"
        return int(self.beyond is not None)

    def beyond_rows(self, row: tuple, count: int) -> str | None:
        """Say which limit of the result is passed, if one is."""
        self.bytes += sum(len(v) for v in row if isinstance(v, (str, bytes)))
        if count > self.limits.rows:
            return f"more than {self.limits.rows} rows"
        if self.bytes > 100 * self.limits.value_bytes:
            return f"more than {100 * self.limits.value_bytes} bytes of values"
        return None


# ------------------------------------------------------- what is the same result
def same_result(
    query: str,
    reference: str,
    databases: Sequence[str | Path],
    *,
    ordered: bool | None = None,
    limits: SqlLimits | None = None,
) -> bool:
    """Say whether two queries give the same rows on every database.

    On one database a wrong query often gives the right rows by luck [1]_.

    Parameters
    ----------
    query, reference : str
    databases : sequence of str or Path
        At least two, of one schema and with other rows.
    ordered : bool, optional
        Whether the order of the rows counts; by default it does where `reference`
        itself has an ORDER BY. Rows that are equal in what they are ordered by may
        stand in any order by SQL, and yet count as another order here.
    limits : SqlLimits, optional

    Returns
    -------
    bool
        A row that stands there twice counts twice; NULL equals NULL and nothing
        else; names of columns do not count, their order does; numbers are equal to
        12 digits. A query that fails equals none, not even one that fails alike.

    Raises
    ------
    ValueError
        If there are fewer than two databases, or one is named twice.
    FileNotFoundError
        If one is missing.

    References
    ----------
    .. [1] R. Zhong, T. Yu, D. Klein, "Semantic evaluation for text-to-SQL with
       distilled test suites", EMNLP 2020, arXiv:2010.02840.
    """
    _check_databases(databases)
    if ordered is None:
        ordered = has_order(reference)
    for database in databases:
        one, other = (run_query(database, q, limits) for q in (query, reference))
        if not same_rows(one, other, ordered=ordered):
            return False
    return True


def same_rows(one: QueryResult, other: QueryResult, *, ordered: bool = False) -> bool:
    """Say whether two results have the same rows; see :func:`same_result`."""
    if one.rows is None or other.rows is None:
        return False
    first, second = ([_plain(row) for row in r.rows] for r in (one, other))
    return first == second if ordered else Counter(first) == Counter(second)


def agreed_query(
    candidates: Sequence[str],
    databases: Sequence[str | Path],
    *,
    least: int = 3,
    limits: SqlLimits | None = None,
) -> str | None:
    """Return a query whose result enough of the candidates give.

    Parameters
    ----------
    candidates : sequence of str
        Written for one question, such as five samples of a teacher.
    databases : sequence of str or Path
        As for :func:`same_result`.
    least : int, default 3
        Candidates that must give the same rows, in any order.
    limits : SqlLimits, optional

    Returns
    -------
    str or None
        The first of the largest group; None where none is that large. That they
        agree does not mean that they are right.

    Raises
    ------
    TypeError, ValueError
        If `least` is below 1, or the databases are fewer than two.
    """
    check_whole("least", least, least=1)
    _check_databases(databases)
    groups: dict[tuple, list[str]] = {}
    for query in candidates:
        results = [run_query(database, query, limits) for database in databases]
        if all(result.ran for result in results):
            key = tuple(
                frozenset(Counter(map(_plain, result.rows)).items())
                for result in results
            )
            groups.setdefault(key, []).append(query)
    largest = max(groups.values(), key=len, default=[])
    return largest[0] if len(largest) >= least else None


def has_order(query: str) -> bool:
    """Say whether a query orders its result, not only a part inside of it.

    Examples
    --------
    >>> has_order("SELECT a FROM t ORDER BY a")
    True
    >>> has_order("SELECT * FROM (SELECT a FROM t ORDER BY a LIMIT 3)")
    False
    """
    depth, words = 0, []
    for piece in re.findall(r"\w+|[()]", _NO_CODE.sub(" ", query)):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if depth == 0:
            words.append(piece.upper())
    return ("ORDER", "BY") in zip(words, words[1:])


def _plain(row: tuple) -> tuple:
    return tuple(float(f"{v:.12g}") if isinstance(v, float) else v for v in row)


def _check_databases(databases: Sequence[str | Path]) -> None:
    if isinstance(databases, (str, Path)):
        raise TypeError(f"databases must be a sequence of paths, got {databases!r}")
    places = [Path(database).resolve() for database in databases]
    if len(places) < 2 or len(set(places)) < len(places):
        raise ValueError(
            "databases must be at least two different ones with other rows, as on one"
            f" alone a wrong query may give the right rows by luck, got {len(places)}:"
            f" {[str(database) for database in databases]}"
        )


# --------------------------------------------------------------- to try it out
def write_database(
    path: str | Path, tables: Mapping[str, Mapping[str, Sequence[Value]]]
) -> Path:
    """Write a small SQLite database, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Must not exist.
    tables : mapping of str to mapping of str to sequence
        Columns by their names, by the names of the tables; the columns of a table
        are of one length. Columns have no type: each value keeps its own.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If something stands there.
    ValueError
        If a table has no column, its columns differ in length, or SQLite refuses a
        name or a value.
    """
    path = fresh_path(path)
    with whole_file(path) as temporary:
        with closing(sqlite3.connect(temporary)) as connection:
            try:
                for table, columns in tables.items():
                    _fill(connection, table, columns)
                connection.commit()
            except (sqlite3.Error, OverflowError) as error:
                raise ValueError(
                    f"cannot write the table {table!r}: {error}"
                ) from error
    return path


def _fill(connection, table: str, columns: Mapping[str, Iterable[Value]]) -> None:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(
            f"tables[{table!r}] must have columns of one length, at least one column,"
            f" got {lengths}"
        )
    names = ", ".join(map(_quoted, columns))
    places = ", ".join("?" * len(columns))
    connection.execute(f"CREATE TABLE {_quoted(table)} ({names})")
    connection.executemany(
        f"INSERT INTO {_quoted(table)} VALUES ({places})", zip(*columns.values())
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
