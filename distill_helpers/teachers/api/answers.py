"""What replies say about one text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..base import stack_answers
from ..tables import LEAST
from .labels import LEAST_MASS, first_word, label_distribution, read_answer
from .replies import Reply
from .votes import vote_shares

BY_LOGPROBS, BY_VOTES = "log-probabilities", "votes"
NOT_TOLD = ("missing", "hollow")
"""The server gave no log-probabilities."""
WANTING = (*NOT_TOLD, "outside", "thin")
"""Log-probabilities that say too little: votes may say more."""


@dataclass(frozen=True)
class Answer:
    """What a teacher found out about one text.

    Attributes
    ----------
    shares : ndarray or None, shape (classes,)
        None where it has no answer.
    how : str
        ``"log-probabilities"``, ``"votes"``; or why there is none: ``"outside"``
        the classes, ``"thin"``, ``"missing"`` or ``"hollow"`` log-probabilities,
        ``"blank"``, ``"refused"``, ``"rejected"`` by the server.
    mass : float
        Probability on the classes; NaN of votes.
    error : float
        Standard error of the largest share; NaN of log-probabilities.
    """

    shares: np.ndarray | None
    how: str
    mass: float = math.nan
    error: float = math.nan


@dataclass(frozen=True)
class Trace:
    """How a model came to its answer.

    Attributes
    ----------
    reasoning, answer : str
    label : int or None
        The class that the answer names.
    finish : str
        ``"length"``: it was cut off.
    """

    reasoning: str
    answer: str
    label: int | None
    finish: str


def from_logprobs(
    reply: Reply | None, labels: Sequence[str], least_mass: float = LEAST_MASS
) -> Answer:
    """Read the log-probabilities of one reply."""
    silent = _silence(reply)
    if silent or reply is None:
        return silent or Answer(None, "rejected")
    told = label_distribution(first_word(reply.tokens), labels)
    if told.usable(least_mass):
        return Answer(told.filled(), BY_LOGPROBS, told.mass)
    return Answer(None, "thin" if told.state == "found" else told.state, told.mass)


def from_votes(replies: Sequence[Reply | None], labels: Sequence[str]) -> Answer:
    """Count the answers of several replies to one text."""
    silent = [_silence(reply) for reply in replies]
    if all(silent) and silent[0]:
        return silent[0]
    votes = [
        None if quiet or reply is None else read_answer(reply.content, labels)
        for reply, quiet in zip(replies, silent)
    ]
    counted = vote_shares(votes, len(labels))
    if not counted.counted:
        return Answer(None, "outside")
    return Answer(counted.shares, BY_VOTES, error=counted.error)


def as_logits(answers: Sequence[Answer], classes: int) -> np.ndarray:
    """Return the logarithms of shares, float32, shape (answers, classes)."""
    rows = [np.log(np.clip(answer.shares, LEAST, 1)) for answer in answers]
    return stack_answers(rows, classes)


def as_trace(reply: Reply | None, labels: Sequence[str]) -> Trace:
    """Keep thoughts and answer apart; an empty trace where there is no reply."""
    if reply is None:
        return Trace("", "", None, "rejected")
    label = read_answer(reply.content, labels)
    return Trace(reply.reasoning, reply.content, label, reply.finish)


def _silence(reply: Reply | None) -> Answer | None:
    """Say why a reply holds no answer, if it holds none."""
    if reply is None:
        return Answer(None, "rejected")
    if reply.refused:
        return Answer(None, "refused")
    if reply.blank:
        return Answer(None, "blank")
    return None
