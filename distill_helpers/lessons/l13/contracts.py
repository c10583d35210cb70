"""Legal: long clauses in windows, and the words that moved a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from ...arguments import check_whole
from ...evaluation.metrics import macro_f1
from ...evaluation.predict import Predictor
from .text_project import TextProject

WINDOW = 60
"""Words of a window."""
LONG = 90
"""Words from which a clause is long."""
WHOLE, MEAN, FIRST = "the whole clause", "mean of its windows", "its first window"
MOVING, CHANCE = "the words that moved it", "as many words by lot"
TAKEN = 5
"""Words that are taken away."""


def cut(text: str, words: int = WINDOW) -> list[str]:
    """Cut a text into windows, one behind the other.

    Parameters
    ----------
    text : str
    words : int, default 60
        Of each window; the last one has what is left, but at least half as many:
        else it is joined to the one before.

    Returns
    -------
    list of str
        At least one.

    Examples
    --------
    >>> cut("a b c d e f g", 3)
    ['a b c', 'd e f g']
    """
    check_whole("words", words, least=1)
    all_ = text.split()
    starts = list(range(0, len(all_), words)) or [0]
    if len(starts) > 1 and len(all_) - starts[-1] < words / 2:
        starts.pop()
    ends = [*starts[1:], len(all_)]
    return [" ".join(all_[start:end]) for start, end in zip(starts, ends)]


def windowed(answer: Predictor, words: int = WINDOW) -> Predictor:
    """Return a predictor that reads each window and takes the mean of what it says."""

    def mean_of_windows(texts: Sequence[str]) -> np.ndarray:
        cuts = [cut(text, words) for text in texts]
        said = log_softmax(answer([one for cut_ in cuts for one in cut_]), axis=1)
        ends = np.cumsum([len(cut_) for cut_ in cuts])
        return np.array([part.mean(0) for part in np.split(said, ends[:-1])])

    return mean_of_windows


def first_window(answer: Predictor, words: int = WINDOW) -> Predictor:
    """Return a predictor that reads the beginning alone."""
    return lambda texts: answer([cut(text, words)[0] for text in texts])


def compare_windows(project: TextProject):
    """Judge three ways to read the long test clauses, by seed.

    Parameters
    ----------
    project : TextProject
        Of the legal domain, that has learnt.

    Returns
    -------
    (list of Comparison, int)
        Windows against the whole, the first against the whole; and how many clauses
        are long.
    """
    texts, labels = project.part("test")
    long = np.array([len(text.split()) >= LONG for text in texts])
    asked, truth = [t for t, is_long in zip(texts, long) if is_long], labels[long]
    scores: dict[str, dict[int, float]] = {}
    for seed, answer in project.students.items():
        for name, reader in (
            (WHOLE, answer),
            (MEAN, windowed(answer)),
            (FIRST, first_window(answer)),
        ):
            scores.setdefault(name, {})[seed] = macro_f1(reader(asked), truth)
    return project.compare(scores, [(MEAN, WHOLE), (FIRST, WHOLE)]), int(long.sum())


def moved(answer: Predictor, text: str) -> pd.DataFrame:
    """Say what each word did for the verdict: how much less sure without it.

    Parameters
    ----------
    answer : callable
        Texts in, logits out.
    text : str

    Returns
    -------
    DataFrame
        A line a place: ``word`` and ``moved``, by how much the logarithm of the
        verdict's probability falls when that word is taken away; the largest first.
    """
    words = text.split()
    without = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))]
    said = log_softmax(answer([text, *without]), axis=1)
    verdict = said[0].argmax()
    table = pd.DataFrame({"word": words, "moved": said[0, verdict] - said[1:, verdict]})
    return table.sort_values("moved", ascending=False, kind="stable")


def turned(
    answer: Predictor, texts: Sequence[str], pick: Callable[[str], Sequence[int]]
) -> float:
    """Return the share of texts whose verdict turns without the words picked.

    Parameters
    ----------
    answer : callable
    texts : sequence of str
    pick : callable
        A text in, places of words out.

    Returns
    -------
    float
    """
    poorer = []
    for text in texts:
        gone = set(pick(text))
        kept = [w for at, w in enumerate(text.split()) if at not in gone]
        poorer.append(" ".join(kept))
    before, after = (answer(list(asked)).argmax(1) for asked in (texts, poorer))
    return float((before != after).mean())


def compare_moving(project: TextProject, clauses: int = 25):
    """Take the words away that moved the verdict, or as many by lot.

    Words that are said to matter and do not turn anything when they are gone explain
    nothing.

    Parameters
    ----------
    project : TextProject
    clauses : int, default 25
        Test clauses that are asked, the first ones.

    Returns
    -------
    list of Comparison
        The share of verdicts that turn, by seed.
    """
    texts = project.part("test")[0][:clauses]
    scores: dict[str, dict[int, float]] = {MOVING: {}, CHANCE: {}}
    for seed, answer in project.students.items():
        lot = np.random.default_rng(seed)

        def by_lot(text, lot=lot):
            return lot.permutation(len(text.split()))[:TAKEN]

        def moving(text, answer=answer):
            return moved(answer, text).index[:TAKEN]

        scores[MOVING][seed] = turned(answer, texts, moving)
        scores[CHANCE][seed] = turned(answer, texts, by_lot)
    return project.compare(scores, [(MOVING, CHANCE)])
