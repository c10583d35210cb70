"""Lesson 09: the answers to when two queries give the same, right and wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..exercises.answers import call
from ..exercises.engine import Exercise
from ..exercises.outcomes import Incorrect
from ..language import Message

DATABASES = ["one.sqlite", "other.sqlite"]


def my_same_result(query, reference, databases, run):
    for database in databases:
        rows, right = run(database, query), run(database, reference)
        if rows is None or right is None:
            return False
        if sorted(rows, key=repr) != sorted(right, key=repr):
            return False
    return True


def counted(query, reference, databases, run):
    results = [(run(d, query), run(d, reference)) for d in databases]
    return all(
        None not in pair and Counter(pair[0]) == Counter(pair[1]) for pair in results
    )


def same_text(query, reference, databases, run):
    return query.split() == reference.split()


def same_order(query, reference, databases, run):
    results = [(run(d, query), run(d, reference)) for d in databases]
    return all(rows is not None and rows == right for rows, right in results)


def failing_alike(query, reference, databases, run):
    return all(
        sorted(run(d, query) or [("failed",)], key=repr)
        == sorted(run(d, reference) or [("failed",)], key=repr)
        for d in databases
    )


def first_database(query, reference, databases, run):
    return my_same_result(query, reference, databases[:1], run)


def last_database(query, reference, databases, run):
    return my_same_result(query, reference, databases[-1:], run)


def any_database(query, reference, databases, run):
    return any(my_same_result(query, reference, [d], run) for d in databases)


def as_sets(query, reference, databases, run):
    results = [(run(d, query), run(d, reference)) for d in databases]
    return all(None not in pair and set(pair[0]) == set(pair[1]) for pair in results)


def runs_at_all(query, reference, databases, run):
    return all(run(d, query) is not None for d in databases)


def never_empty(query, reference, databases, run):
    return all(run(d, query) for d in databases) and my_same_result(
        query, reference, databases, run
    )


def how_many(query, reference, databases, run):
    results = [(run(d, query), run(d, reference)) for d in databases]
    return all(None not in pair and len(pair[0]) == len(pair[1]) for pair in results)


@dataclass(frozen=True)
class _Case:
    """Rows of a query and of the reference on both databases; None where it fails."""

    query: tuple
    reference: tuple
    same: bool
    what: str
    look: str


_PEAR, _FIG = ("pear",), ("fig",)
_CASES = (
    _Case(
        ([_PEAR], [_FIG]),
        ([_PEAR], [_FIG]),
        True,
        "Two queries in other words can ask for the same: only their rows count.",
        "what is compared: run(database, query), not query",
    ),
    _Case(
        (None, None),
        (None, None),
        False,
        "Two queries that both fail were called the same. A query that does not run"
        " answers nothing, and equals none.",
        "run returns None for them: ask for that first",
    ),
    _Case(
        ([_FIG], [_PEAR]),
        ([_PEAR], [_FIG]),
        False,
        "Both run, and give other rows: that a query runs, or gives as many rows, does"
        " not make it right.",
        "compare the rows themselves",
    ),
    _Case(
        ([_PEAR, _FIG], [_FIG, (None,)]),
        ([_FIG, _PEAR], [(None,), _FIG]),
        True,
        "The same rows in another order: without ORDER BY, SQL promises none.",
        "compare how often each row stands there, such as both sorted by key=repr",
    ),
    _Case(
        ([_PEAR, _PEAR], [_FIG, _FIG]),
        ([_PEAR], [_FIG]),
        False,
        "One query gives a row twice and the other once; these are not the same.",
        "a set forgets how often: sort, or count",
    ),
    _Case(
        ([_PEAR], [_FIG]),
        ([_PEAR], [_PEAR]),
        False,
        "The same on the first database by luck, and not on the other: one database"
        " proves little.",
        "the loop: every database must agree",
    ),
    _Case(
        ([_FIG], [_FIG]),
        ([_PEAR], [_FIG]),
        False,
        "Not the same on the first database; one that agrees is not enough.",
        "the loop: every database must agree",
    ),
    _Case(
        ([], [_FIG]),
        ([], [_FIG]),
        True,
        "No row at all is a result too: both queries found nothing.",
        "`if rows is None` instead of `if not rows`",
    ),
    _Case(
        ([_PEAR], None),
        ([_PEAR], []),
        False,
        "A query that fails was taken for one that finds nothing.",
        "`None` means that it failed, `[]` that there is no row",
    ),
)


def examine_same_result(answer) -> str:
    for case in _CASES:
        results = {"the query": case.query, "the reference": case.reference}

        def run(database, query, results=results):
            rows = results[query][DATABASES.index(database)]
            return None if rows is None else list(rows)

        got = call(
            answer,
            query="the query",
            reference="the reference",
            databases=list(DATABASES),
            run=run,
        )
        if not isinstance(got, bool):
            raise Incorrect(
                "Yes or no is asked for: return True or False.",
                type(got).__name__,
                "a bool",
                "the line with return",
            )
        if got is not case.same:
            raise Incorrect(
                case.what,
                str(got),
                Message(
                    "{right} where one query gives {rows} and the other {others}",
                    right=case.same,
                    rows=case.query,
                    others=case.reference,
                ),
                case.look,
            )
    return "That is what text-to-SQL is marked by: execution, not the letters."


EXERCISE = Exercise(
    key="09.same_result",
    prompt="**Exercise.** Write `my_same_result(query, reference, databases, run)`:"
    " whether two queries give the same rows on *every* database."
    " `run(database, query)` returns a list of rows, each a tuple, or `None` where the"
    " query fails. The order of rows does not count here; how often one stands there"
    " does.",
    hints=(
        "What should two queries that both fail be? What if one of them is wrong, but"
        " not on the first database?",
        "In a loop over the databases, return False as soon as something differs."
        " sorted(rows, key=repr) brings rows into one order, NULL among them.",
    ),
    solution=my_same_result,
    why="Texts that mean the same need not look the same; where something can be run,"
    " run it, on more than one case.",
    examine=examine_same_result,
    right=(counted,),
    wrong=(
        (same_text, "in other words"),
        (same_order, "in another order"),
        (failing_alike, "both fail"),
        (first_database, "one database proves little"),
        (last_database, "Not the same on the first"),
        (any_database, "one database proves little"),
        (as_sets, "gives a row twice"),
        (runs_at_all, "that a query runs"),
        (how_many, "as many rows"),
        (never_empty, "No row at all"),
        (
            lambda query, reference, databases, run: run(databases[0], query),
            "Yes or no",
        ),
    ),
)
