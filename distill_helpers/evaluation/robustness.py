"""How much a classifier loses when its texts are changed, by chance or on purpose.

Whoever is asked is a function from texts to logits, such as
:func:`~distill_helpers.evaluation.predict.predictor` makes of a student.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..arguments import check_number, check_whole
from ..data.cleaning import check_texts
from ..data.labels import class_numbers
from ..data.typos import SHORTEST, WORD, mistype, slip
from .asking import Answer, answers_of
from .statistics import share_interval

SHARES = (0.0, 0.1, 0.2, 0.4)
"""Of the words that are changed, unless told otherwise."""
_ASKED = 2_000  # variants that are asked about at once


def accuracy_under(
    answer: Answer,
    texts: Sequence[str],
    labels: Sequence[int],
    how: Callable[..., str] = mistype,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    *,
    repair: Callable[[str], str] | None = None,
) -> dict[float, float]:
    """Measure the accuracy on texts of which a share of the words was changed.

    Parameters
    ----------
    answer : callable
        Texts in, logits of shape (texts, classes) out.
    texts : sequence of str
    labels : sequence of int
        One a text.
    how : callable, default :func:`~distill_helpers.data.typos.mistype`
        Takes a text, a generator and ``share=``.
    shares : sequence of float
        0 leaves the texts as they are.
    seed : int, default 0
        The same seed changes the texts alike for every model that is compared.
    repair : callable, optional
        From a text to the text that the model sees, such as
        :class:`~distill_helpers.data.typos.Speller`.

    Returns
    -------
    dict of float to float
        From share to accuracy.

    Raises
    ------
    ValueError
        If there is not one label a text, or a share lies outside of [0, 1].
    """
    check_texts(texts)
    labels = class_numbers(labels, len(texts))
    check_whole("seed", seed, least=0)
    found = {}
    for share in shares:
        check_number("shares", share, least=0, most=1)
        rng = np.random.default_rng(seed)
        changed = [how(text, rng, share=share) for text in texts]
        if repair is not None:
            changed = [repair(text) for text in changed]
        found[share] = float((answers_of(answer, changed).argmax(1) == labels).mean())
    return found


@dataclass(frozen=True)
class Attacked:
    """What an attacker reached who may change a few words of each text.

    Attributes
    ----------
    texts, random_texts : list of str
        As the attacker left them, and with as many words changed by chance.
    picked, random_picked : list of list of str
        The words that were changed, as they had stood there.
    right : ndarray of bool, shape (texts,)
        Answered rightly before.
    flipped, random_flipped : ndarray of bool, shape (texts,)
        Right before and wrong afterwards.
    """

    texts: list[str]
    random_texts: list[str]
    picked: list[list[str]]
    random_picked: list[list[str]]
    right: np.ndarray
    flipped: np.ndarray
    random_flipped: np.ndarray

    @property
    def share(self) -> float:
        """Of the texts that were right, those that the attacker turned."""
        return float(self.flipped.sum() / self.right.sum())

    @property
    def random_share(self) -> float:
        """Of the texts that were right, those that chance turned."""
        return float(self.random_flipped.sum() / self.right.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of :attr:`share`."""
        return share_interval(int(self.flipped.sum()), int(self.right.sum()))

    @property
    def random_interval(self) -> tuple[float, float]:
        """Wilson's interval of :attr:`random_share`."""
        return share_interval(int(self.random_flipped.sum()), int(self.right.sum()))

    def __str__(self) -> str:
        (low, high), (least, most) = self.interval, self.random_interval
        return (
            f"turned {self.share:.1%} [{low:.1%}, {high:.1%}] of {self.right.sum():,}"
            f" right answers; words by chance {self.random_share:.1%}"
            f" [{least:.1%}, {most:.1%}]"
        )


def attack(
    answer: Answer,
    texts: Sequence[str],
    labels: Sequence[int],
    words: int = 5,
    seed: int = 0,
) -> Attacked:
    """Mistype those words of each text whose change costs the model most.

    The attacker sees logits and no weights. Every word of a text is mistyped alone,
    the model is asked about each of these texts, and the words that took most from
    the margin of the right class are then changed together [1]_. Chance gets the
    same slips in as many words drawn from the same text.

    Parameters
    ----------
    answer : callable
        Texts in, logits of shape (texts, classes) out; it is asked about as many
        texts as there are words.
    texts : sequence of str
    labels : sequence of int
        One a text.
    words : int, default 5
        That may be changed in each text.
    seed : int, default 0
        Draws the slips, and the words of chance.

    Returns
    -------
    Attacked

    Raises
    ------
    ValueError
        If there is not one label a text, no text is answered rightly, or none has a
        word to mistype.

    References
    ----------
    .. [1] J. Gao et al., "Black-box generation of adversarial text sequences to evade
       deep learning classifiers", IEEE Security and Privacy Workshops 2018.
    """
    check_texts(texts)
    check_whole("words", words, least=1)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    texts = list(texts)
    class_numbers(labels, len(texts))  # before any work
    before = answers_of(answer, texts)
    labels = class_numbers(labels, len(texts), before.shape[1])
    right = before.argmax(1) == labels
    if not right.any():
        raise ValueError("answer is wrong about every text: there is nothing to turn")
    slips = [_slips(text, rng) for text in texts]
    if not any(slips):
        raise ValueError(
            f"texts hold no word of {SHORTEST} letters: there is nothing to mistype"
        )
    costs = _costs(answer, texts, labels, slips)
    worst = [np.argsort(cost, kind="stable")[:words] for cost in costs]
    drawn = [rng.permutation(len(found))[:words] for found in slips]
    changed = [_changed(*three) for three in zip(texts, slips, worst)]
    by_chance = [_changed(*three) for three in zip(texts, slips, drawn)]
    return Attacked(
        changed,
        by_chance,
        [[found[i][0][0] for i in chosen] for found, chosen in zip(slips, worst)],
        [[found[i][0][0] for i in chosen] for found, chosen in zip(slips, drawn)],
        right,
        right & (answers_of(answer, changed).argmax(1) != labels),
        right & (answers_of(answer, by_chance).argmax(1) != labels),
    )


def _slips(text: str, rng: np.random.Generator) -> list:
    """Find the words of a text, and for each one way to mistype it."""
    return [(word, slip(word[0], rng)) for word in WORD.finditer(text)]


def _changed(text: str, slips: list, chosen: Sequence[int]) -> str:
    for place in sorted(chosen, reverse=True):  # from the end: places stay right
        word, mistyped = slips[place]
        text = text[: word.start()] + mistyped + text[word.end() :]
    return text


def _costs(answer: Answer, texts, labels, slips) -> list[np.ndarray]:
    """Ask for the margin of the right class with each word mistyped alone."""
    owners = np.repeat(np.arange(len(texts)), [len(found) for found in slips])
    places = np.concatenate([np.arange(len(found)) for found in slips])
    margins = []
    for start in range(0, len(owners), _ASKED):
        some = slice(start, start + _ASKED)
        variants = [
            _changed(texts[owner], slips[owner], [place])
            for owner, place in zip(owners[some], places[some])
        ]
        margins.append(_margins(answers_of(answer, variants), labels[owners[some]]))
    cuts = np.cumsum([len(found) for found in slips])[:-1]
    return np.split(np.concatenate(margins), cuts)


def _margins(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how far the logit of the right class lies above the best other one."""
    logits = np.asarray(logits, float).copy()
    rows = np.arange(len(labels))
    own = logits[rows, labels]
    logits[rows, labels] = -np.inf
    return own - logits.max(1)
