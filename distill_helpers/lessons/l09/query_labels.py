"""What the SQL teacher answered, and which of it a student may learn from.

A query can be checked by running it. How much that is worth depends on what is asked
of its result: that there is one, that several queries agree in it, that it is right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from ...evaluation import Comparison, compare_scores
from ...evaluation.sql import agreed_query, has_order, run_query, same_result, same_rows
from ...evaluation.statistics import interval
from ...places import DATA, RESULTS
from .queries import Question, question_parts

ANSWERS = DATA / "text_to_sql" / "answers.parquet"
STUDENTS = RESULTS / "lesson09_sql.json"
SAMPLES = 5
"""Queries that the teacher drew for each question."""
RULES = (
    "as they come",
    "runs",
    "runs, not empty",
    "3 of 5 agree",
    "equals gold",
)


@dataclass(frozen=True)
class Answered:
    """A question with what the teacher answered.

    Attributes
    ----------
    question : Question
    greedy : str or None
        Its likeliest query; None where one did not end.
    drawn : tuple of str or None
        Queries drawn at temperature 1; empty where none were asked for.
    """

    question: Question
    greedy: str | None
    drawn: tuple[str | None, ...] = ()


def read_answers(path: Path = ANSWERS) -> dict[str, list[Answered]]:
    """Read what the teacher answered.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to list of Answered
        By the parts of :func:`~distill_helpers.lessons.l09.queries.question_parts`,
        but what it learned from.

    Raises
    ------
    ValueError
        If they are answers to other questions than those that are drawn now.
    """
    table = pq.read_table(path).to_pydict()
    parts = {k: v for k, v in question_parts().items() if k != "learned"}
    asked = [q.prompt for questions in parts.values() for q in questions]
    if table["prompt"] != asked:
        raise ValueError(
            f"{path.name} answers other questions than those that are drawn now; make"
            " it anew: python -m distill_helpers.lessons.l09.query_making answers"
        )
    rows = iter(zip(table["greedy"], table["drawn"]))
    return {
        part: [Answered(q, *_read(next(rows))) for q in questions]
        for part, questions in parts.items()
    }


def _read(row: tuple) -> tuple[str | None, tuple]:
    greedy, drawn = row
    return greedy, tuple(drawn)


def most_divided(answers: Sequence[Answered]) -> Answered:
    """Return the question to which the most different queries were drawn.

    One with the right query among them goes before all others.

    Parameters
    ----------
    answers : sequence of Answered

    Returns
    -------
    Answered
        The first, where there are several.
    """
    return max(answers, key=lambda a: (a.question.gold in a.drawn, len(set(a.drawn))))


# --------------------------------------------------------- rules for labels
def chosen(rule: str, answered: Answered, databases: Sequence[Path]) -> str | None:
    """Return the query that a rule lets through as the label of a question.

    Parameters
    ----------
    rule : str
        One of :data:`RULES`. The first three judge the first query drawn; "3 of 5
        agree" takes one of the largest group of those with the same rows, "equals
        gold" the first that gives the rows of the right query. Only the last needs to
        know the right one.
    answered : Answered
    databases : sequence of Path
        Two, of one schema.

    Returns
    -------
    str or None
        None where nothing passes: the question is thrown away.
    """
    return _CHOICES[rule](answered, databases)


def _as_it_comes(answered: Answered, databases) -> str | None:
    return answered.drawn[0]


def _that_runs(answered: Answered, databases) -> str | None:
    query = answered.drawn[0]
    return query if query and all(run_query(d, query).ran for d in databases) else None


def _not_empty(answered: Answered, databases) -> str | None:
    query = _that_runs(answered, databases)
    return query if query and all(_gives(query, d) for d in databases) else None


def _gives(query: str, database: Path) -> bool:
    """Say whether there is any value but NULL."""
    rows = run_query(database, query).rows or []
    return any(value is not None for row in rows for value in row)


def _agreed(answered: Answered, databases) -> str | None:
    return agreed_query([q for q in answered.drawn if q], databases, least=3)


def _equal(answered: Answered, databases) -> str | None:
    gold = answered.question.gold
    return next((q for q in answered.drawn if is_right(q, gold, databases)), None)


_CHOICES: Mapping[str, Callable[[Answered, Sequence[Path]], str | None]] = dict(
    zip(RULES, (_as_it_comes, _that_runs, _not_empty, _agreed, _equal))
)


def is_right(query: str | None, gold: str, databases: Sequence[Path]) -> bool:
    """Say whether a query ended and gives the rows of the right one."""
    return query is not None and same_result(query, gold, databases)


# --------------------------------------------------------- how good they are
def labels_by_rule(
    answers: Sequence[Answered], databases: Sequence[Path], progress: bool = True
) -> dict[str, list[str | None]]:
    """Return the label of each question under each rule.

    Parameters
    ----------
    answers : sequence of Answered
        With queries drawn.
    databases : sequence of Path
    progress : bool, default True
        Show a bar.

    Returns
    -------
    dict of str to list of str or None
    """
    labels: dict[str, list[str | None]] = {rule: [] for rule in RULES}
    for answered in tqdm(answers, "running queries", disable=not progress):
        for rule in RULES:
            labels[rule].append(chosen(rule, answered, databases))
    return labels


def ladder(
    labels: Mapping[str, Sequence[str | None]],
    answers: Sequence[Answered],
    databases: Sequence[Path],
) -> pd.DataFrame:
    """Say how many labels each rule keeps, and how many of them are right.

    Parameters
    ----------
    labels : mapping
        See :func:`labels_by_rule`.
    answers, databases
        As there.

    Returns
    -------
    DataFrame
        A row for each rule: ``kept`` and ``right``, shares of the questions and of
        what was kept.
    """
    known: dict[tuple[str, str], bool] = {}  # one query passes many rules
    rows = []
    for rule, queries in labels.items():
        pairs = [
            (query, answered.question.gold)
            for query, answered in zip(queries, answers)
            if query is not None
        ]
        for pair in pairs:
            if pair not in known:
                known[pair] = is_right(*pair, databases)
        marks = [known[pair] for pair in pairs]
        rows.append(
            {
                "labels": rule,
                "kept": len(marks) / len(queries),
                "right": float(np.mean(marks)) if marks else float("nan"),
            }
        )
    return pd.DataFrame(rows).set_index("labels")


def share_right(
    queries: Sequence[str | None],
    questions: Sequence[Question],
    databases: Sequence[Path],
) -> float:
    """Return the share of queries that give the rows of the right ones."""
    return float(
        np.mean(
            [is_right(q, asked.gold, databases) for q, asked in zip(queries, questions)]
        )
    )


def right_by_luck(
    queries: Sequence[str | None],
    questions: Sequence[Question],
    databases: Sequence[Path],
) -> list[tuple[Question, str]]:
    """Return wrong queries that one database alone would have called right.

    Parameters
    ----------
    queries : sequence of str or None
    questions : sequence of Question
    databases : sequence of Path

    Returns
    -------
    list of (Question, str)
    """
    return [
        (asked, query)
        for query, asked in zip(queries, questions)
        if query is not None
        and not same_result(query, asked.gold, databases)
        and any(_same_on(database, query, asked.gold) for database in databases)
    ]


def _same_on(database: Path, query: str, gold: str) -> bool:
    one, other = (run_query(database, text) for text in (query, gold))
    return same_rows(one, other, ordered=has_order(gold))


def stored_students(path: Path = STUDENTS) -> dict:
    """Return what the students of each kind of label reached, as we measured it."""
    return json.loads(path.read_text("utf-8"))


def students_table(stored: Mapping) -> pd.DataFrame:
    """Lay out what is stored of the students beside their labels.

    Parameters
    ----------
    stored : mapping
        See :func:`stored_students`.

    Returns
    -------
    DataFrame
        A row for the teacher, one for the model that students begin with, and one for
        each rule: the share of its labels that are
        ``right``; the students' mean share of right queries for other questions of
        the same pairs with its 95% t-interval over seeds, ``low`` and ``high``; and
        the mean share for ``new tables``.
    """
    rows = {
        f"({name})": {
            "student": stored[name]["tested"],
            "new tables": stored[name]["new"],
        }
        for name in ("teacher", "base")
    }
    for rule, by_seed in stored["students"].items():
        tested, new = (
            [mark[part] for mark in by_seed.values()] for part in ("tested", "new")
        )
        low, high = interval(tested) or (float("nan"),) * 2
        rows[rule] = {
            "right": stored["labels"][rule]["right"],
            "student": float(np.mean(tested)),
            "low": low,
            "high": high,
            "new tables": float(np.mean(new)),
        }
    columns = ["right", "student", "low", "high", "new tables"]
    return pd.DataFrame.from_dict(rows, orient="index")[columns]


def compare_students(stored: Mapping) -> list[Comparison]:
    """Compare students of one kind of label with others, and with their teacher.

    Parameters
    ----------
    stored : mapping
        See :func:`stored_students`.

    Returns
    -------
    list of Comparison
        Of the shares of right queries, seed by seed.
    """
    scores = {
        rule: {int(seed): mark["tested"] for seed, mark in by_seed.items()}
        for rule, by_seed in stored["students"].items()
    }
    first, agree, gold = RULES[0], RULES[-2], RULES[-1]
    scores["teacher"] = dict.fromkeys(scores[agree], stored["teacher"]["tested"])
    pairs = [(agree, first), (agree, "teacher"), (gold, agree)]
    return compare_scores(scores, pairs)
