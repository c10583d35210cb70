"""What the exercises of lesson 13 ask, and the half-right answers that are known."""

from __future__ import annotations

import numpy as np

from ..exercises.answers import call
from ..exercises.outcomes import Incorrect
from ..language import Message
from .desk import abstain_threshold
from .feeding import SUPPORT_GRAPH
from .graph import UnknownRelationError, open_graph, read_facts

ROWS, TEST, HORIZON = 40, 10, 3


# ----------------------------------------------------------- a walk-forward split
def examine_split(answer) -> str:
    """Examine ``f(values, test, horizon)``: scaled training and test values."""
    generator = np.random.default_rng(1)
    for shift in (0.0, 50.0):
        values = generator.normal(size=ROWS).cumsum() + shift * (np.arange(ROWS) > 30)
        given = call(answer, values=values.copy(), test=TEST, horizon=HORIZON)
        _judge_split(_two_arrays(given), values)
    return "What comes later judges, and nothing of it was known before."


def _two_arrays(given) -> tuple[np.ndarray, np.ndarray]:
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    try:
        first, second = (np.asarray(part, float).ravel() for part in given)
    except (TypeError, ValueError):
        pair = False
    if not pair:
        raise Incorrect(
            "Your function must return two arrays of numbers.",
            type(given).__name__,
            "the scaled training values, then the scaled test values",
        )
    return first, second


def _judge_split(parts, values: np.ndarray) -> None:
    train, test = values[: -TEST - HORIZON], values[-TEST:]
    sizes = tuple(map(len, parts))
    if sizes == (ROWS - TEST, TEST):
        raise Incorrect(
            "The last labels in training lie in the test part: they look `horizon` days"
            " ahead.",
            _sizes(sizes),
            _sizes((len(train), len(test))),
            "which rows just before the test part have to be left out",
        )
    if sizes != (len(train), len(test)):
        raise Incorrect(
            "The parts have other sizes.",
            _sizes(sizes),
            _sizes((len(train), len(test))),
            "how many rows judge, and how many before them are left out",
        )
    ours = [(part - train.mean()) / train.std() for part in (train, test)]
    if all(np.allclose(a, b) for a, b in zip(parts, ours)):
        return
    if np.allclose(parts[0], train) and np.allclose(parts[1], test):
        raise Incorrect(
            "The rows are the right ones, but they are not scaled.",
            look="mean and deviation of the training values",
        )
    if np.allclose(parts[0], ours[0]) and np.allclose(
        parts[1], (test - test.mean()) / test.std()
    ):
        raise Incorrect(
            "The test part is scaled by itself: on the day you would need it, its mean"
            " is not known yet.",
            look="mean and deviation of the training values, for both parts",
        )
    whole = [(part - values.mean()) / values.std() for part in (train, test)]
    if all(np.allclose(a, b) for a, b in zip(parts, whole)):
        raise Incorrect(
            "It scales with the future: mean and deviation are those of the whole"
            " series, test days and all.",
            look="which rows the mean is taken of",
        )
    if not _in_order(parts, values):
        raise Incorrect(
            "The rows are shuffled: days of the future are in training.",
            look="slices from the end, no permutation",
        )
    raise Incorrect(
        "The rows are the right ones, but they are scaled otherwise.",
        str(parts[0][:3].round(3).tolist()),
        str(ours[0][:3].round(3).tolist()),
        "(values - mean of training) / deviation of training",
    )


def _sizes(sizes) -> str:
    return f"{sizes[0]} and {sizes[1]} rows"


def _in_order(parts, values: np.ndarray) -> bool:
    """Whether what came back is a straight line of these rows, part by part."""
    rows = values[: -TEST - HORIZON], values[-TEST:]
    return all(
        abs(np.corrcoef(part, row)[0, 1]) > 0.9999 for part, row in zip(parts, rows)
    )


# ------------------------------------------------------------------ a Cypher query
def examine_query(answer) -> str:
    """Examine ``f()``: Cypher that lists the things of a wish, once, in order."""
    cypher = call(answer)
    if not isinstance(cypher, str):
        raise Incorrect("Your function must return the query as a text.")
    with open_graph() as graph:
        graph.add(read_facts(SUPPORT_GRAPH))
        for wish in ("privacy", "cancellation"):
            _judge_rows(_rows(graph, cypher, wish), _things(graph, wish), wish)
    return (
        "Both back ends would answer it: columns are named, and values are passed in."
    )


def _rows(graph, cypher: str, wish: str):
    if "$wish" not in cypher:
        raise Incorrect(
            "The wish stands in the query itself: it fits one wish only, and a name"
            " with a quote would break it.",
            cypher,
            look="$wish, which is filled in from outside",
        )
    try:
        return graph.query(cypher, wish=wish)
    except UnknownRelationError as error:
        raise Incorrect(
            "It asks for a relation that the graph does not have.",
            str(error),
            look="PART_OF leads from a matter to its wish, CONCERNS to a thing",
        ) from error
    except ValueError as error:
        raise Incorrect("The graph does not understand it.", str(error)) from error


def _things(graph, wish: str) -> list[str]:
    paths = graph.paths("wish", wish, ["<PART_OF", "CONCERNS"])
    return sorted({path[-1] for path in paths})


def _judge_rows(rows, expected: list[str], wish: str) -> None:
    if not rows:
        raise Incorrect(
            "It finds nothing.",
            look="the arrows: (matter)-[:PART_OF]->(wish), (matter)-[:CONCERNS]->(thing);"
            " and whether the name, not the id, is compared with $wish",
        )
    if list(rows[0]) != ["thing"]:
        raise Incorrect(
            "It gives other columns.",
            ", ".join(rows[0]),
            "thing",
            "RETURN ... AS thing",
        )
    found = [row["thing"] for row in rows]
    if found == expected:
        return
    shown = Message("{found} for {wish}", found=str(found), wish=wish)
    if sorted(set(found)) == expected and len(found) > len(expected):
        raise Incorrect(
            "A thing comes more than once: once for each matter that it concerns.",
            shown,
            look="DISTINCT",
        )
    if sorted(found) == expected:
        raise Incorrect("The rows are right, but in no order.", shown, look="ORDER BY")
    raise Incorrect(
        "It gives other things.",
        shown,
        str(expected),
        "which arrow leads from the matter to the thing, and which wish is meant",
    )


# ------------------------------------------------------------ an abstain threshold
_SURE = np.array([0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.55, 0.5, 0.4, 0.3])
_RIGHT = np.array([1, 1, 1, 0, 1, 1, 0, 0, 1, 0], bool)


def examine_threshold(answer) -> str:
    """Examine ``f(sure, right, wrong)``."""
    for wrong in (0.2, 0.34, 0.0, 1.0):
        order = np.random.default_rng(int(100 * wrong)).permutation(len(_SURE))
        sure, right = _SURE[order], _RIGHT[order]
        given = call(answer, sure=sure.copy(), right=right.copy(), wrong=wrong)
        try:
            given = float(given)
        except (TypeError, ValueError):
            raise Incorrect(
                "Your function must return one number.", type(given).__name__
            ) from None
        _judge_threshold(given, sure, right, wrong)
    return "As low as the share of wrong answers allows, and no lower."


def _judge_threshold(given: float, sure, right, wrong: float) -> None:
    best = abstain_threshold(sure, right, wrong)
    if abs(given - best) < 1e-9:
        return
    told = f"{given:g}", f"{best:g}", f"wrong = {wrong:g}"
    if 0 < wrong < 1 and abs(given - (1 - wrong)) < 1e-9:
        raise Incorrect(
            "That is 1 - wrong, whatever the answers were: it would do for a student whose"
            " confidence is its share of right answers, and this one's is not.",
            *told,
        )
    answered = sure >= given
    if not answered.any():
        raise Incorrect("Nothing is answered at that threshold.", *told)
    if (~right[answered]).mean() > wrong:
        if (~right & answered).sum() / len(sure) <= wrong:
            raise Incorrect(
                "The wrong answers are counted among all texts. Of those that are"
                " answered, more are wrong.",
                *told,
            )
        raise Incorrect("More of the answers are wrong than is allowed.", *told)
    raise Incorrect(
        "That keeps the promise, but it abstains from texts that could be answered.",
        *told[:2],
        "the lowest threshold that keeps it: a lower one may keep it again where a"
        " higher one does not",
    )


# ------------------------------------------------------------------ a de-identifier
PROBES = (
    ("BP 120/80, pulse 72.", "BP 120/80, pulse 72.", "numbers that are nobody's"),
    ("Seen on 2024-03-01.", "Seen on [date].", "a date"),
    (
        "Ill between 2023-12-30 and 2024-01-02.",
        "Ill between [date] and [date].",
        "both",
    ),
    ("Letter to Dr Quayle.", "Letter to Dr [name].", "a name behind a title"),
    ("Mrs Anna Lind agrees.", "Mrs [name] agrees.", "a name of two words"),
    ("Ms Roe and Mr Poe, together.", "Ms [name] and Mr [name], together.", "both"),
    ("Drink two litres, dr.", "Drink two litres, dr.", "a small dr"),
    ("Record 4471902, one tablet.", "Record [record], one tablet.", "a record"),
)
"""Texts, what becomes of them, and what each is about."""


def examine_deidentifier(answer) -> str:
    """Examine ``f(text)``: dates, names behind a title, and records of seven digits."""
    for text, expected, about in PROBES:
        got = call(answer, text=text)
        if not isinstance(got, str):
            raise Incorrect("Your function must return a text.", type(got).__name__)
        if got != expected:
            raise _explained(text, expected, got, about)
    return "What has a form is gone. What has none, such as a nickname, still stands."


def _explained(text: str, expected: str, got: str, about: str) -> Incorrect:
    shown = f"{text!r} became {got!r}", repr(expected)
    if text == expected:
        return Incorrect(
            "It takes something away that is nobody's: the reader of the note needs it.",
            *shown,
            about,
        )
    if got == text:
        return Incorrect("It leaves something where it stands.", *shown, about)
    for title in ("Dr", "Mrs", "Ms", "Mr"):
        if title in text and title not in got:
            return Incorrect("The title is gone with the name.", *shown, about)
    if got.count("[") < expected.count("["):
        return Incorrect("It stops after the first find.", *shown, about)
    return Incorrect("A text becomes another one than it should.", *shown, about)
