"""May this teacher be trusted? What its answers to labelled texts say."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from ..data.labels import has_label
from ..data.targets import as_labels
from .base import Teacher

SURE = 0.01
"""Largest chance of a false alarm at which a difference is called one."""
FEWEST = 20
"""Texts below which nothing is said about chance."""


class WeakTeacherWarning(UserWarning):
    """A teacher's answers to labelled texts are at chance, or below."""


@dataclass
class Trust:
    """What a teacher's answers to labelled texts say about it.

    Attributes
    ----------
    train, held_out : (int, int)
        Right answers and texts, of the labelled part that the student learns
        from, and of a part that no model should have seen.
    chance : float
        Share of right answers, over both, of somebody who gives the same answers
        as often, to texts drawn blindly; NaN if it was asked nothing.
    warnings : list of str
        Whole sentences for a report; empty if nothing speaks against it.
    """

    train: tuple[int, int]
    held_out: tuple[int, int]
    chance: float
    warnings: list[str] = field(default_factory=list)

    @property
    def train_accuracy(self) -> float:
        """Share of right answers on the labelled part; NaN if there is none."""
        return _share(self.train)

    @property
    def held_out_accuracy(self) -> float:
        """Share of right answers on the held-out part; NaN if there is none."""
        return _share(self.held_out)

    def __str__(self) -> str:
        lines = [
            f"teacher: {_share(pair):.3f} of {pair[1]:,} {name} right"
            for name, pair in (
                ("labelled texts of the train part", self.train),
                ("held-out texts", self.held_out),
            )
            if pair[1]
        ]
        return "\n".join([*lines, *(f"warning: {text}" for text in self.warnings)])


def compare_trust(
    train_logits: np.ndarray,
    train_labels: Sequence,
    held_out_logits: np.ndarray,
    held_out_labels: Sequence,
) -> Trust:
    """Judge a teacher by its answers to texts that it may know and that it may not.

    Parameters
    ----------
    train_logits, held_out_logits : ndarray, shape (texts, classes)
        Its answers to the labelled texts that the student learns from, and to
        those of the validation or test part.
    train_labels, held_out_labels : sequence
        Class numbers, or rows of 0 and 1 where a text may have several labels (a
        text is right then if all of them are). Texts without a label are left out.

    Returns
    -------
    Trust
        A warning says so if the two shares of right answers are further apart than
        chance allows (Fisher's exact test [1]_, one in a hundred false alarms), if
        the teacher answers no better than chance, or worse.

    References
    ----------
    .. [1] R. A. Fisher, "On the interpretation of chi-squared from contingency
       tables, and the calculation of P", J. R. Stat. Soc. 85, 1922.
    """
    train = _right(train_logits, train_labels)
    held_out = _right(held_out_logits, held_out_labels)
    every = np.concatenate([train.right, held_out.right])
    blind = np.concatenate([train.chance, held_out.chance])
    chance = float(blind.mean()) if len(blind) else float("nan")
    found = Trust(_counted(train.right), _counted(held_out.right), chance)
    gap = _gap(found)
    if gap:
        found.warnings.append(gap)
    word = at_chance(int(every.sum()), len(every), chance)
    if word:
        found.warnings.append(word)
    return found


def check_trust(
    teacher: Teacher, reviews, against: Sequence[str] = ("validation", "test")
) -> Trust:
    """Ask a teacher about the labelled parts, and compare what it gets right.

    Parameters
    ----------
    teacher : Teacher
        Its classes in the order of the data.
    reviews : ReviewDict
        From :func:`~distill_helpers.data.reviews.load_reviews`.
    against : sequence of str, default ("validation", "test")
        The held-out parts. Name ``"validation"`` alone where the test part shall
        not be looked at yet.

    Returns
    -------
    Trust
        See :func:`compare_trust`. Texts that a table does not answer are left out.
    """
    train = _asked(teacher, reviews, ["train"])
    return compare_trust(*train, *_asked(teacher, reviews, against))


def warn_if_at_chance(logits: np.ndarray, labels: Sequence) -> None:
    """Warn if a teacher's answers to labelled texts are no better than chance.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
    labels : sequence
        As for :func:`compare_trust`.

    Warns
    -----
    WeakTeacherWarning
    """
    found = _right(logits, labels)
    if len(found.right):
        word = at_chance(
            int(found.right.sum()), len(found.right), float(found.chance.mean())
        )
        if word:
            warnings.warn(word, WeakTeacherWarning, stacklevel=3)


def at_chance(right: int, total: int, chance: float) -> str:
    """Return a warning if so many right answers are what chance gives, or fewer.

    Parameters
    ----------
    right, total : int
    chance : float

    Returns
    -------
    str
        ``""`` if they are more, or the texts too few to tell.
    """
    if total < FEWEST:
        return ""
    counts = f"{right:,} of {total:,} labelled texts right ({right / total:.3f})"
    if stats.binomtest(right, total, chance, alternative="less").pvalue < SURE:
        return (
            f"the teacher answers worse than chance: {counts}, where answers drawn"
            f" blindly give {chance:.3f}. Its classes are probably in another order"
            " than the data's, or its labels are turned round"
        )
    if stats.binomtest(right, total, chance, alternative="greater").pvalue > SURE:
        return (
            f"the teacher answers no better than chance: {counts}, where answers drawn"
            f" blindly give {chance:.3f}. A student can learn nothing from it"
        )
    return ""


class _Answers:
    """Which answers are right, and how likely each was to be so blindly."""

    def __init__(self, logits: np.ndarray, labels: np.ndarray) -> None:
        if not len(logits):
            self.right, self.chance = np.zeros(0, bool), np.zeros(0)
            return
        if labels.ndim > 1:
            said, true = logits > 0, labels > 0.5
            self.right = (said == true).all(axis=1)
            yes = said.mean(axis=0)
            blind = np.where(true, yes, 1 - yes).prod(axis=1)
            self.chance = blind
            return
        answers = logits.argmax(axis=1)
        self.right = answers == labels
        often = np.bincount(answers, minlength=logits.shape[1]) / len(answers)
        self.chance = often[labels]


def _right(logits: np.ndarray, labels: Sequence) -> _Answers:
    logits, labels = np.asarray(logits), as_labels(labels)
    if len(logits) != len(labels):
        raise ValueError(
            f"logits has {len(logits)} rows and labels {len(labels)}: they must be equal"
        )
    known = has_label(labels)
    return _Answers(logits[known], labels[known])


def _gap(found: Trust) -> str:
    """Say whether the two shares of right answers differ more than chance allows."""
    (right, total), (other, rest) = found.train, found.held_out
    if not total or not rest:
        return ""
    table = [[right, total - right], [other, rest - other]]
    numbers = (
        f"{_share(found.train):.3f} of {total:,} labelled texts of the train part"
        f" right, {_share(found.held_out):.3f} of {rest:,} held-out texts"
    )
    if stats.fisher_exact(table, alternative="greater").pvalue < SURE:
        return (
            f"the teacher is far better on the texts that the student learns from:"
            f" {numbers}. It was probably trained on them, and is too sure of them:"
            " its soft targets there say little more than the labels. Answers out of"
            " fold (each text answered by a model that was not trained on it) teach"
            " more; distill_helpers.teachers.make_teacher gives such"
        )
    if stats.fisher_exact(table, alternative="less").pvalue < SURE:
        return (
            f"the teacher is far better on the held-out texts: {numbers}. It was"
            " probably trained on them, so that neither its score nor its student's"
            " says how either does on new texts. Name the rows that it was trained on"
            " in a column 'split' (train), and hold others out"
        )
    return ""


def _asked(teacher: Teacher, reviews, parts: Sequence[str]):
    """Return a teacher's logits and the labels, of what it knows of some parts."""
    texts = [text for part in parts for text in reviews[part]["text"]]
    labels = as_labels([y for part in parts for y in reviews[part]["label"]])
    known = np.asarray(teacher.knows(texts), bool)
    asked = [text for text, is_known in zip(texts, known) if is_known]
    return teacher.logits(asked), labels[known]


def _counted(right: np.ndarray) -> tuple[int, int]:
    return int(right.sum()), len(right)


def _share(pair: tuple[int, int]) -> float:
    return pair[0] / pair[1] if pair[1] else float("nan")
