"""Whom to ask next: which texts of a pool are worth an answer.

An answer costs money, time or a person's patience. Each rule here ranks a pool before
anybody is asked; random choice is the control that it must beat.

References
----------
.. [1] B. Settles, "Active learning literature survey", 2009.
.. [2] O. Sener, S. Savarese, "Active learning for convolutional neural networks: a
   core-set approach", ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from scipy.special import entr, expit, softmax

from ..arguments import check_choice, check_whole
from .cleaning import check_texts, signature
from .labels import ONE_LABEL, PROBLEM_TYPES, SEVERAL_LABELS
from .scripts import units
from .targets import as_logits, check_logits, check_no_probabilities

RANDOM, DIVERSE = "random", "diverse"
TEACHER_DOUBT, TEACHER_SURE = "teacher-doubt", "teacher-sure"
STUDENT_DOUBT = "student-doubt"
HOW = (RANDOM, STUDENT_DOUBT, TEACHER_DOUBT, TEACHER_SURE, DIVERSE)
"""By chance; what the student, or the teacher, is least sure of; what the teacher is
surest of; texts that are unlike each other."""
FEATURES = 2**18
"""Columns into which words are hashed to compare texts."""


def doubt(logits: np.ndarray, problem_type: str = ONE_LABEL) -> np.ndarray:
    """Return how unsure each answer is: the entropy of its probabilities.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
    problem_type : str
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`. Of several labels
        a text, the entropies of all classes are added.

    Returns
    -------
    ndarray, shape (texts,)
        In nats; 0 means sure.

    Raises
    ------
    ValueError
        If the logits are not finite, or are probabilities.

    Examples
    --------
    >>> doubt(np.array([[0.0, 0.0], [0.0, 9.0]])).round(3).tolist()
    [0.693, 0.001]
    """
    check_choice("problem_type", problem_type, PROBLEM_TYPES)
    logits = as_logits(logits)
    if logits.ndim != 2:
        raise ValueError(f"logits must have a row a text, got shape {logits.shape}")
    check_logits(logits, *logits.shape)
    if problem_type == SEVERAL_LABELS:
        p = expit(logits.astype(float))
        return (entr(p) + entr(1 - p)).sum(1)
    check_no_probabilities(logits)
    return entr(softmax(logits.astype(float), axis=1)).sum(1)


def choose(
    how: str,
    pool: Sequence[str],
    k: int,
    *,
    student=None,
    teacher=None,
    seed: int = 0,
    taken: Collection[int] = (),
    problem_type: str = ONE_LABEL,
) -> np.ndarray:
    """Choose the texts of a pool that are asked about next.

    Parameters
    ----------
    how : str
        One of :data:`HOW`.
    pool : sequence of str
        Texts without an answer.
    k : int
        The budget: so many are chosen.
    student, teacher : optional
        Who is in doubt, or sure: a teacher, a function from texts to logits, or
        logits of the whole pool, shape (len(pool), classes). Needed where `how` names
        one of them. Of a student these must come from the model as it is now.
    seed : int, default 0
        Of the random choice, of the first of the diverse texts, and of ties.
    taken : collection of int, optional
        Rows that were chosen before.
    problem_type : str
        See :func:`doubt`.

    Returns
    -------
    ndarray of int, shape (k,)
        Rows of the pool, the one to ask about first at the head. No row stands there
        twice or was taken before, and of texts that are the same (but for case and
        punctuation) only one is chosen.

    Raises
    ------
    ValueError
        If the budget is above what is left of the pool, or who is to be asked is
        missing or does not answer each text with finite logits.

    Examples
    --------
    >>> logits = np.array([[0.0, 4.0], [0.1, 0.0], [3.0, 0.0]])
    >>> choose("teacher-doubt", ["a", "b", "c"], 2, teacher=logits).tolist()
    [1, 2]
    """
    check_choice("how", how, HOW)
    check_texts(pool, "pool")
    pool = list(pool)
    check_whole("k", k, least=1)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    free = _free(pool, taken)
    if k > len(free):
        raise ValueError(
            f"k={k:,} is more than the {len(free):,} texts of the pool that are left"
            f" ({len(pool):,} texts; those taken before, and copies of a text, do not"
            " count)"
        )
    shuffled = rng.permutation(free)
    if how == RANDOM:
        return shuffled[:k]
    if how == DIVERSE:
        return shuffled[_farthest([pool[row] for row in shuffled], k)]
    name, who = ("student", student) if how == STUDENT_DOUBT else ("teacher", teacher)
    unsure = doubt(_answers(name, who, how, pool), problem_type)[shuffled]
    ranked = np.argsort(unsure if how == TEACHER_SURE else -unsure, kind="stable")
    return shuffled[ranked[:k]]


def _free(pool: list[str], taken: Collection[int]) -> np.ndarray:
    """Return the rows that may be chosen: not taken, and the first of their like."""
    rows = [check_whole("taken", row, least=0, most=len(pool) - 1) for row in taken]
    seen = {signature(pool[row]) for row in rows}
    free = []
    for row, text in enumerate(pool):
        mark = signature(text)
        if mark not in seen:
            seen.add(mark)
            free.append(row)
    return np.array(free, int)


def _answers(name: str, who, how: str, pool: list[str]) -> np.ndarray:
    if who is None:
        raise ValueError(f"how={how!r} needs {name}: who is asked what it is unsure of")
    answer: Callable | None = getattr(who, "logits", None)
    if answer is None:
        answer = who if callable(who) else lambda _: who
    found = as_logits(answer(pool), name)
    if found.ndim != 2 or len(found) != len(pool):
        raise ValueError(
            f"{name} must give a row of logits for each of the {len(pool)} texts, got"
            f" the shape {found.shape}"
        )
    return found


def _farthest(texts: list[str], k: int) -> np.ndarray:
    """Take the first text, then always the one that is least like those taken [2]_."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    counted = HashingVectorizer(
        analyzer=_words, n_features=FEATURES, alternate_sign=False, norm=None
    ).transform(texts)
    features = TfidfTransformer(sublinear_tf=True).fit_transform(counted)
    chosen = [0]
    nearest = np.full(len(texts), -np.inf)
    while True:
        alike = (features @ features[chosen[-1]].T).toarray().ravel()
        nearest = np.maximum(nearest, alike)
        nearest[chosen[-1]] = np.inf
        if len(chosen) == k:
            return np.array(chosen)
        chosen.append(int(nearest.argmin()))


def _words(text: str) -> list[str]:
    return [unit for unit in map(signature, units(text)) if unit]
