"""What stands behind a server on loopback and answers in place of a language model."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import softmax

from ..base import Teacher

AROUND = 4
"""Tokens that are counted around each message."""
LEAST_SHARE = 1e-12
_WORD = re.compile(r"\w+|[^\w\s]")
_CLASS = re.compile(r"^- ([^:\n]+)", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """One answer.

    Attributes
    ----------
    content : str
    alternatives : sequence of (str, float)
        Of its first token: tokens and their log-probabilities.
    prompt_tokens, completion_tokens, cached_tokens : int
    """

    content: str
    alternatives: Sequence[tuple[str, float]] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 1
    cached_tokens: int = 0


class NothingToSayError(ValueError):
    """Nobody wrote down an answer to this; a server refuses the request."""


class Speaker(Protocol):
    """Answers questions in the kit's form.

    Attributes
    ----------
    models : sequence of str
        The names under which it is served.
    owner : str
        Who or what really answers; the server tells it with the models.
    """

    models: Sequence[str]
    owner: str

    def says(self, body: Mapping, turn: int) -> Said:
        """Answer a request that was made `turn` times before.

        Raises
        ------
        NothingToSayError
            If it cannot.
        """
        ...


# ------------------------------------------------------------------- requests
def text_of(body: Mapping) -> str:
    """Return the text that a request asks about."""
    asked = [m for m in body["messages"] if m["role"] == "user"]
    return asked[-1]["content"].removeprefix("Text:\n")


def classes_of(body: Mapping) -> list[str]:
    """Return the classes in the order in which a request names them."""
    return _CLASS.findall(body["messages"][0]["content"])


def tokens_of(text: str) -> int:
    """Count words and marks, in place of a tokeniser."""
    return len(_WORD.findall(text))


def counted(body: Mapping) -> int:
    """Count the tokens of a request's messages."""
    return sum(tokens_of(m["content"]) + AROUND for m in body["messages"])


def drawn(shares: Mapping[str, float], turn: int) -> str:
    """Draw a class as often as its share says: the same one at the same turn.

    Examples
    --------
    >>> [drawn({"no": 0.25, "yes": 0.75}, turn) for turn in range(4)]
    ['no', 'yes', 'yes', 'no']
    """
    point, total = (turn * 0.381966) % 1, 0.0
    for name, share in shares.items():
        total += share
        if point < total:
            return name
    return list(shares)[-1]


def spelt(shares: Mapping[str, float], mass: float) -> list[tuple[str, float]]:
    """Divide each class among three spellings, and leave the rest to other words."""
    found = [("The", math.log(max(1 - mass, LEAST_SHARE)))]
    for name, share in shares.items():
        for token, part in ((name, 0.5), (f" {name}", 0.3), (name.title(), 0.2)):
            found.append((token, math.log(max(share * part * mass, LEAST_SHARE))))
    return found


# ------------------------------------------------------------------- speakers
class TeacherSpeaker:
    """Let one of the kit's own teachers answer, as if it were a language model.

    Parameters
    ----------
    teacher : Teacher
        One label a text; it must have names of classes.
    model : str
        The name under which it is served.
    mass : float, default 0.95
        Probability that it puts on the classes.

    Raises
    ------
    ValueError
        If the teacher has no names.
    """

    def __init__(self, teacher: Teacher, model: str, mass: float = 0.95) -> None:
        if not teacher.label_names:
            raise ValueError("teacher must know the names of its classes, it has none")
        self.teacher, self.mass = teacher, mass
        self.models = [model]
        self.owner = f"the kit's own teacher, {type(teacher).__name__}"

    def says(self, body: Mapping, turn: int) -> Said:
        """See :meth:`Speaker.says`; its votes are drawn from its shares."""
        text = text_of(body)
        if not self.teacher.knows([text])[0]:
            raise NothingToSayError("this teacher has no answer to the text")
        shares = self._shares(text)
        missing = set(classes_of(body)) - set(shares)
        if missing:
            raise NothingToSayError(
                f"this teacher knows {list(shares)}, not {sorted(missing)}"
            )
        likeliest = max(shares, key=lambda name: shares[name])
        content = drawn(shares, turn) if body.get("temperature") else likeliest
        return Said(content, spelt(shares, self.mass), counted(body))

    def _shares(self, text: str) -> dict[str, float]:
        logits = np.asarray(self.teacher.logits([text])[0], np.float64)
        return dict(zip(self.teacher.label_names or (), softmax(logits).tolist()))
