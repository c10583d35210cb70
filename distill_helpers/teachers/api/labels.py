"""From what a language model said to shares of the classes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...data.class_order import class_place, folded

NOTHING = -9000.0
"""Log-probabilities below it are what servers write where they have none."""
LEAST_MASS = 0.5
_AROUND = " \t\r\n\"'`*_.,:;!()[]{}<>#-\u2581\u0120\u010a\u201c\u201d\u300c\u300d"
"""What may stand around a name and is no part of it, markers of spaces included."""
_LEAD = re.compile(
    r"(?:the\s+)?(?:label|class|answer|category|sentiment)\s*(?:is\s*)?[:=]\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LabelShares:
    """How a model's next token divides among the classes.

    Attributes
    ----------
    shares : ndarray of float64, shape (classes,)
        They sum to 1; all NaN where nothing was found.
    mass : float
        The probability that lay on spellings of a class before it was made to
        sum to 1.
    bound : float
        The probability that a class which is not among the tokens has at most.
    state : str
        ``"found"``; ``"missing"``: no log-probabilities; ``"hollow"``: only what
        servers write in their stead; ``"outside"``: none of them begins a class.
    """

    shares: np.ndarray
    mass: float
    state: str
    bound: float = 0.0

    def filled(self) -> np.ndarray:
        """Return the shares with `bound` for each class that was not among the tokens.

        They sum to 1; with twenty tokens it hardly shows, with two it keeps a
        teacher from being surer than it said.
        """
        found = np.where(self.shares > 0, self.shares * self.mass, self.bound)
        return found / found.sum()

    def usable(self, least_mass: float = LEAST_MASS) -> bool:
        """Say whether enough of the probability lay on the classes."""
        return self.state == "found" and self.mass >= least_mass


def label_distribution(top_logprobs, labels: Sequence[str]) -> LabelShares:
    """Return what the log-probabilities of one token say about the classes.

    Parameters
    ----------
    top_logprobs : mapping, sequence or None
        Tokens and their natural logarithms: a mapping, pairs, or the entries of
        OpenAI's ``top_logprobs`` (mappings or objects with ``token`` and
        ``logprob``).
    labels : sequence of str
        The names of the classes.

    Returns
    -------
    LabelShares

    Raises
    ------
    ValueError
        If there are fewer than two classes, or two have one name.

    Notes
    -----
    Spellings are merged: ``positive``, `` positive`` and ``Positive`` are three
    tokens and one class, and so is the beginning ``pos`` as long as only one class
    begins so. Case counts where classes differ in nothing else. A class that is
    not among the tokens has the share 0.

    Examples
    --------
    >>> found = label_distribution(
    ...     {"positive": -1.2, " Positive": -1.9, "neg": -2.3, "The": -1.0},
    ...     ["negative", "positive"],
    ... )
    >>> found.shares.round(2).tolist(), round(found.mass, 2)
    ([0.18, 0.82], 0.55)
    """
    names = _checked(labels)
    pairs = list(_pairs(top_logprobs))
    nothing = np.full(len(names), np.nan)
    if not pairs:
        return LabelShares(nothing, 0.0, "missing")
    real = [(t, v) for t, v in pairs if math.isfinite(v) and NOTHING < v <= 1e-6]
    # One token that is certain, and fillers beside it: the server had only that.
    if not real or (len(real) == 1 and (real[0][1] == 0 or len(pairs) > 1)):
        return LabelShares(nothing, 0.0, "hollow")
    found = np.zeros(len(names))
    for token, value in real:
        place = _meant(token, names)
        if place is not None:
            found[place] += math.exp(value)
    mass = float(found.sum())
    if not mass > 0:
        return LabelShares(nothing, 0.0, "outside")
    chances = [math.exp(value) for _, value in real]
    bound = max(0.0, min(min(chances), 1 - sum(chances)))
    return LabelShares(found / mass, min(mass, 1.0), "found", bound)


def _checked(labels: Sequence[str]) -> list[str]:
    names = [str(label) for label in labels]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(
            f"labels must name at least two classes, none of them twice, got {names}"
        )
    return names


def _pairs(top_logprobs) -> Iterable[tuple[str, float]]:
    if isinstance(top_logprobs, Mapping):
        top_logprobs = list(top_logprobs.items())
    for one in top_logprobs or ():
        if isinstance(one, Mapping):
            token, value = one.get("token"), one.get("logprob")
        elif hasattr(one, "logprob"):
            token, value = one.token, one.logprob
        else:
            token, value = one
        if value is not None:
            yield str(token), float(value)


def _meant(token: str, names: list[str]) -> int | None:
    """Find the class that a token spells, or alone can begin."""
    bare = token.strip(_AROUND)
    if not bare:
        return None
    whole = class_place(bare, names)
    if whole is not None:
        return whole
    apart = len({folded(name) for name in names}) == len(names)
    spelt = (lambda text: folded(text)) if apart else (lambda text: text)
    begun = [i for i, n in enumerate(names) if spelt(n).startswith(spelt(bare))]
    return begun[0] if len(begun) == 1 else None


def first_word(tokens: Sequence) -> Sequence | None:
    """Return the alternatives of the first token that is more than punctuation."""
    for token, others in tokens:
        if token.strip(_AROUND):
            return others
    return None


def read_answer(content: str, labels: Sequence[str]) -> int | None:
    """Return the class that an answer names, or None: it is never guessed.

    Parameters
    ----------
    content : str
    labels : sequence of str

    Returns
    -------
    int or None
        None where the first line is not a class's name. Quotation marks,
        mark-up, ``Label:`` before it and an object with the one name in it do not
        matter.

    Examples
    --------
    >>> names = ["negative", "positive"]
    >>> [read_answer(t, names) for t in ("**Positive**.", 'Label: "negative"')]
    [1, 0]
    >>> read_answer("not positive", names) is None
    True
    """
    names = _checked(labels)
    text = content.strip()
    if text.startswith("```"):
        text = re.sub(r"^```\w*\s*|\s*```$", "", text)
    if text.startswith("{"):
        text = _only_value(text)
    exact = class_place(text, names)
    if exact is not None:
        return exact
    line = text.splitlines()[0] if text else ""
    line = _LEAD.sub("", line.strip(_AROUND), count=1)
    for spelt in (line.strip(), line.strip(_AROUND)):
        place = class_place(spelt, names) if spelt else None
        if place is not None:
            return place
    return None


def _only_value(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    values = list(found.values())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""
