"""Questions about tables, the SQL that answers them, and two databases to ask.

Tables, words and templates are our own. A teacher sees most templates with most
tables; some pairs of the two, and two tables, it never sees.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice, product
from pathlib import Path

from ...arguments import check_whole
from ...evaluation.sql import write_database

ROWS = 16
"""Of each table in each database."""


@dataclass(frozen=True)
class Table:
    """A table with a name, two columns of words and two of whole numbers.

    Attributes
    ----------
    name : str
        Of the table; a plural.
    label : str
        The column that names a row, each differently.
    words : mapping of str to tuple of str
        The values of each column of words.
    numbers : tuple of str
        The other columns; they hold numbers from 0 to 99.
    """

    name: str
    label: str
    words: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...]


def _table(name: str, label: str, words: str, numbers: str) -> Table:
    columns = (part.split() for part in words.split("/"))
    return Table(
        name,
        label,
        {column: tuple(values) for column, *values in columns},
        tuple(numbers.split()),
    )


TABLES = {
    table.name: table
    for table in (
        _table(
            "books",
            "title",
            "genre crime poetry travel science / language danish greek polish welsh",
            "pages price",
        ),
        _table(
            "songs",
            "title",
            "style folk jazz opera swing / singer ada bo cleo dino",
            "seconds plays",
        ),
        _table(
            "dogs",
            "name",
            "breed beagle boxer poodle terrier / colour black brown grey white",
            "height weight",
        ),
        _table(
            "houses",
            "street",
            "town bergen cork gent pisa / heating coal gas oil wood",
            "size rent",
        ),
        _table(
            "trains",
            "code",
            "origin bern graz lille turin / class local express night steam",
            "distance delay",
        ),
        _table(
            "pupils",
            "name",
            "club chess choir drama rowing / house eagle fox otter swan",
            "score absences",
        ),
        _table(
            "ships",
            "name",
            "harbour dover kiel malaga oslo / cargo cement fruit grain timber",
            "length crew",
        ),
        _table(
            "plants",
            "species",
            "family fern grass moss palm / light shade sun dusk glare",
            "growth water",
        ),
    )
}
NEW_TABLES = ("ships", "plants")


# --------------------------------------------------------- templates
@dataclass(frozen=True)
class Template:
    """One kind of question: three ways to ask it, and the query that answers it.

    In all four, ``{t}`` is the table, ``{n}`` the column that names a row, ``{c}``
    is a column of words and ``{v}`` one of its words, ``{x}`` is a column of numbers,
    ``{k}`` and ``{m}`` are tens, ``{few}`` is 1 to 4.
    """

    name: str
    asks: tuple[str, str, str]
    query: str


TEMPLATES = {
    name: Template(name, tuple(asks), query)
    for name, query, *asks in (
        (
            "count all",
            "SELECT COUNT(*) FROM {t}",
            "how many {t} are there ?",
            "count all the {t} .",
            "what is the number of {t} ?",
        ),
        (
            "names by word",
            "SELECT {n} FROM {t} WHERE {c} = '{v}'",
            "which {t} have the {c} {v} ?",
            "list the {n} of all {t} whose {c} is {v} .",
            "show me {t} with {c} {v} .",
        ),
        (
            "count by word",
            "SELECT COUNT(*) FROM {t} WHERE {c} = '{v}'",
            "how many {t} have the {c} {v} ?",
            "count the {t} whose {c} is {v} .",
            "what is the number of {t} with {c} {v} ?",
        ),
        (
            "names above",
            "SELECT {n} FROM {t} WHERE {x} > {k}",
            "which {t} have {x} above {k} ?",
            "list the {n} of all {t} whose {x} is more than {k} .",
            "show me {t} with {x} over {k} .",
        ),
        (
            "names below",
            "SELECT {n} FROM {t} WHERE {x} < {k}",
            "which {t} have {x} below {k} ?",
            "list the {n} of all {t} whose {x} is less than {k} .",
            "show me {t} with {x} under {k} .",
        ),
        (
            "average",
            "SELECT AVG({x}) FROM {t}",
            "what is the average {x} of the {t} ?",
            "how large is the {x} of {t} on average ?",
            "give the mean {x} over all {t} .",
        ),
        (
            "largest by word",
            "SELECT MAX({x}) FROM {t} WHERE {c} = '{v}'",
            "what is the largest {x} of {t} with {c} {v} ?",
            "how large is the {x} at most where the {c} of {t} is {v} ?",
            "give the maximum {x} among {t} whose {c} is {v} .",
        ),
        (
            "count each",
            "SELECT {c}, COUNT(*) FROM {t} GROUP BY {c}",
            "how many {t} are there of each {c} ?",
            "count the {t} for every {c} .",
            "what is the number of {t} by {c} ?",
        ),
        (
            "top one",
            "SELECT {n} FROM {t} ORDER BY {x} DESC LIMIT 1",
            "which of the {t} has the largest {x} ?",
            "give the {n} of the {t} with the highest {x} .",
            "what comes first among {t} by {x} ?",
        ),
        (
            "names by both",
            "SELECT {n} FROM {t} WHERE {c} = '{v}' AND {x} > {k}",
            "which {t} have the {c} {v} and {x} above {k} ?",
            "list the {n} of {t} whose {c} is {v} and whose {x} is more than {k} .",
            "show me {t} with {c} {v} and {x} over {k} .",
        ),
        (
            "distinct",
            "SELECT DISTINCT {c} FROM {t}",
            "which values of {c} do the {t} have ?",
            "list every {c} of the {t} once .",
            "what different {c} entries are there among {t} ?",
        ),
        (
            "sum by word",
            "SELECT SUM({x}) FROM {t} WHERE {c} = '{v}'",
            "what is the total {x} of {t} with {c} {v} ?",
            "add up the {x} of all {t} whose {c} is {v} .",
            "how large is the {x} of {t} with {c} {v} together ?",
        ),
        (
            "above average",
            "SELECT {n} FROM {t} WHERE {x} > (SELECT AVG({x}) FROM {t})",
            "which {t} have {x} above the average ?",
            "list the {n} of all {t} whose {x} is more than the mean .",
            "show me {t} with more {x} than usual .",
        ),
        (
            "average each",
            "SELECT {c}, AVG({x}) FROM {t} GROUP BY {c}",
            "what is the average {x} of the {t} of each {c} ?",
            "give the mean {x} for every {c} of the {t} .",
            "how large is the {x} of {t} on average by {c} ?",
        ),
        (
            "lowest three",
            "SELECT {n} FROM {t} ORDER BY {x} LIMIT 3",
            "which three {t} have the smallest {x} ?",
            "list the {n} of the three {t} with the lowest {x} .",
            "what are the last three {t} by {x} ?",
        ),
        (
            "frequent",
            "SELECT {c} FROM {t} GROUP BY {c} HAVING COUNT(*) > {few}",
            "which {c} do more than {few} {t} have ?",
            "list every {c} that stands with over {few} {t} .",
            "what {c} entries have {few} {t} and some more ?",
        ),
        (
            "between",
            "SELECT {n} FROM {t} WHERE {x} BETWEEN {k} AND {m}",
            "which {t} have {x} from {k} to {m} ?",
            "list the {n} of all {t} whose {x} is between {k} and {m} .",
            "show me {t} with {x} of at least {k} and at most {m} .",
        ),
    )
}


# --------------------------------------------------------- questions
@dataclass(frozen=True)
class Question:
    """A question about one table.

    Attributes
    ----------
    table, template : str
    prompt : str
        The question alone: what the tables hold, a model must have learned.
    gold : str
        The query that answers it.
    """

    table: str
    template: str
    prompt: str
    gold: str


def pairs_not_seen(count: int = 25) -> list[tuple[str, str]]:
    """Return the pairs of template and known table that a teacher never sees.

    Every template, and every table, is seen with others. "count all" is never
    among them: a table has one such query, and there would be none left to test.
    """
    known = [name for name in TABLES if name not in NEW_TABLES]
    names = [name for name in TEMPLATES if name != "count all"]
    draw = random.Random("pairs")
    chosen = draw.sample(sorted(product(names, known)), count)
    return sorted(chosen)


def draw_questions(
    template: str, table: str, count: int, seed: int = 0
) -> list[Question]:
    """Draw different questions of one kind about one table.

    Parameters
    ----------
    template, table : str
        One of :data:`TEMPLATES` and one of :data:`TABLES`.
    count : int
        At most so many: of some kinds there are only few.
    seed : int, default 0

    Returns
    -------
    list of Question
        No two prompts are alike.
    """
    check_whole("count", count, least=1)
    draw = random.Random(f"{template} {table} {seed}")
    kind, about = TEMPLATES[template], TABLES[table]
    found: dict[str, Question] = {}
    for _ in range(20 * count):
        fields = _fields(about, draw)
        prompt = draw.choice(kind.asks).format(**fields)
        gold = kind.query.format(**fields)
        found.setdefault(prompt, Question(table, template, prompt, gold))
        if len(found) == count:
            break
    return list(found.values())


def _fields(table: Table, draw: random.Random) -> dict[str, str | int]:
    column, number = draw.choice(list(table.words)), draw.choice(table.numbers)
    low, high = sorted(draw.sample(range(10, 100, 10), 2))
    return {
        "t": table.name,
        "n": table.label,
        "c": column,
        "v": draw.choice(table.words[column]),
        "x": number,
        "k": low,
        "m": high,
        "few": draw.randint(1, 4),
    }


def question_parts(seed: int = 0) -> dict[str, list[Question]]:
    """Draw what a teacher learns from, what it labels, and what is tested.

    Parameters
    ----------
    seed : int, default 0

    Returns
    -------
    dict of str to list of Question
        ``learned`` by the teacher, each pair as often, so that questions of scarce
        kinds come several times; ``seen``, others of the same pairs; ``labelled`` by it for students and
        ``tested``, both of pairs that it has not seen, with no prompt in common;
        ``new``, of tables that nobody has seen.
    """
    unseen = set(pairs_not_seen())
    known = [name for name in TABLES if name not in NEW_TABLES]
    parts: dict[str, list[Question]] = {
        "learned": [],
        "seen": [],
        "labelled": [],
        "tested": [],
        "new": [],
    }
    for template in TEMPLATES:
        for table in known:
            if (template, table) in unseen:
                drawn = draw_questions(template, table, 60, seed)
                third = len(drawn) // 3
                parts["tested"] += drawn[:third]
                parts["labelled"] += drawn[third:]
            else:
                drawn = draw_questions(template, table, 120, seed)
                aside = 3 if len(drawn) >= 24 else 0
                parts["seen"] += drawn[:aside]
                parts["learned"] += [*islice(cycle(drawn[aside:]), 120)]
        for table in NEW_TABLES:
            parts["new"] += draw_questions(template, table, 8, seed)
    return parts


# --------------------------------------------------------- databases
def write_databases(folder: str | Path) -> list[Path]:
    """Write the tables twice, with other rows each time.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there; ``first.sqlite`` and ``second.sqlite`` must not be.

    Returns
    -------
    list of Path
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_database(
            folder / f"{name}.sqlite",
            {table.name: _rows(table, name) for table in TABLES.values()},
        )
        for name in ("first", "second")
    ]


def _rows(table: Table, database: str) -> dict[str, list[str | int]]:
    """Draw columns; no number stands twice in one, so that every order is clear."""
    draw = random.Random(f"{database} {table.name}")
    return {
        table.label: [f"{table.name}-{i}" for i in draw.sample(range(100, 999), ROWS)],
        **{name: draw.choices(values, k=ROWS) for name, values in table.words.items()},
        **{name: draw.sample(range(100), ROWS) for name in table.numbers},
    }
