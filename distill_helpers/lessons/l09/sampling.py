"""Exercise of lesson 09: which of the teacher's texts a student may learn from."""

from __future__ import annotations

from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect

WRITTEN = (
    ("2 + 2 ?", "2 + 2 = 4 # 4"),
    ("2 + 2 ?", "2 + 2 = 5 # 5"),
    ("2 + 2 ?", "2 + 2 = 4 # 4"),
    ("2 + 2 ?", "it is 4 # 4"),
    ("9 - 3 ?", None),
    ("9 - 3 ?", "9 - 3 = 6 # 6"),
    ("7 - 3 ?", "7 - 3 = 4 # 4"),
    ("5 + 3 ?", "it is 4 # 4"),
    ("1 + 3 ?", "it is 4 # 4"),
)
ANSWERS = {
    "2 + 2 ?": "4",
    "9 - 3 ?": "6",
    "7 - 3 ?": "4",
    "5 + 3 ?": "8",
    "1 + 3 ?": "4",
}
TEST = frozenset({"7 - 3 ?"})


def my_checked(written, answers, test):
    kept = []
    for prompt, text in written:
        if prompt in test or text is None or (prompt, text) in kept:
            continue
        if text.split("#")[-1].strip() == answers[prompt]:
            kept.append((prompt, text))
    return kept


def by_dict(written, answers, test):
    pairs = dict.fromkeys(pair for pair in written if pair[1] is not None)
    return [
        [prompt, text]
        for prompt, text in pairs
        if prompt not in test and text.split("# ")[1] == answers[prompt]
    ]


# -------------------------------------------------------------- what goes wrong
def _chosen(written, answers, test, *, checked=True, known=lambda pair, kept: False):
    kept = []
    for prompt, text in written:
        if prompt in test or text is None or known((prompt, text), kept):
            continue
        if not checked or text.split("#")[-1].strip() == answers[prompt]:
            kept.append((prompt, text))
    return kept


def _there(pair, kept):
    return pair in kept


def chosen_on_test(written, answers, test):
    return _chosen(written, answers, (), known=_there)


def all_duplicates(written, answers, test):
    return _chosen(written, answers, test)


def one_a_problem(written, answers, test):
    return _chosen(
        written, answers, test, known=lambda pair, kept: pair[0] in dict(kept)
    )


def texts_once(written, answers, test):
    return _chosen(
        written,
        answers,
        test,
        known=lambda pair, kept: pair[1] in [text for _, text in kept],
    )


def nothing_checked(written, answers, test):
    return _chosen(written, answers, test, checked=False, known=_there)


KNOWN = {
    "Problems of the test are learned from: their answers chose what is kept, and what"
    " is measured there afterwards is worth nothing.": (
        chosen_on_test,
        "prompts that stand in test",
    ),
    "The same text of the same problem is kept twice: what the teacher finds easy"
    " weighs more.": (all_duplicates, "pairs that are kept already"),
    "Only one text of a problem is kept, although another right one differs.": (
        one_a_problem,
        "the pair of problem and text, not the problem alone",
    ),
    "A text is left out because another problem has the same: here it answers two"
    " problems.": (texts_once, "the pair of problem and text, not the text alone"),
    "Wrong texts are kept.": (nothing_checked, "what stands behind the last #"),
}


def examine_checked(answer) -> str:
    """Examine ``f(written, answers, test)``: the pairs to learn from."""
    got = call(answer, written=list(WRITTEN), answers=dict(ANSWERS), test=set(TEST))
    try:
        got = sorted(((prompt, text) for prompt, text in got), key=str)
    except (TypeError, ValueError) as error:
        raise Incorrect(
            "A list of pairs is asked for.",
            type(got).__name__,
            "a list of (prompt, text)",
            "what the function returns",
        ) from error
    settle(
        got,
        _by(my_checked),
        {what: (_by(wrong), look) for what, (wrong, look) in KNOWN.items()},
        (
            "These are not the right texts of the problems outside of the test.",
            "each pair: of the test? ended? right? kept already?",
        ),
        equal=lambda one, other: one == other,
    )
    return "Right, once each, and nothing of the test."


def _by(function) -> list[tuple[str, str]]:
    return sorted(map(tuple, function(WRITTEN, ANSWERS, TEST)), key=str)
