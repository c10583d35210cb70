"""Cards for two senses: handwritten digits, a typed copy of them, and a question.

A card shows two rows of three handwritten digits. Some are stained, all are noisy. A
typed copy lies beside it in which a digit is sometimes wrong or missing, so that
neither sense suffices; the question says in words where to look. Cards are drawn from
seeds; nothing but scikit-learn's digits is stored anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..arguments import check_choice, check_number, check_whole

ROWS, COLUMNS, SIDE = ("upper", "lower"), ("left", "middle", "right"), 8
CELLS = len(ROWS) * len(COLUMNS)
PICTURE_SHAPE = (len(ROWS) * SIDE, len(COLUMNS) * SIDE)
"""Pixels of a card's picture: height and width."""
ANSWER_NAMES = (*(str(number) for number in range(19)), "no", "yes")
"""The classes: sums of two digits, and the two answers to "is it larger?"."""
MISSING = -1
"""Stands in a typed copy where a digit is missing."""
MISSING_WORD = "_"
PICTURE, TYPED = "picture", "typed"
SENSES = (PICTURE, TYPED)
BLOCKS = {"train": (0, 1200), "validation": (1200, 1450), "test": (1450, 1797)}
"""Which of scikit-learn's images each part is made of. They lie there writer by
writer, so that hardly a hand has written for two parts."""
NOISE, STAINED, WRONG, LEFT_OUT = 0.1, 0.1, 0.1, 0.1
"""Standard deviation of the noise; shares of the digits that are stained, typed wrong
and not typed."""


@dataclass(frozen=True)
class CardQuestion:
    """A question about some cells of a card.

    Attributes
    ----------
    text : str
    kind : {"largest", "smallest", "add", "is"}
        Its first word.
    cells : tuple of int
        Those that it asks for, row by row from 0; their order counts for ``"is"``.
    """

    text: str
    kind: str
    cells: tuple[int, ...]

    def answers(self, digits: np.ndarray) -> np.ndarray:
        """Answer for some cards.

        Parameters
        ----------
        digits : ndarray of int, shape (cards, 6)

        Returns
        -------
        ndarray of int, shape (cards,)
            Places in :data:`ANSWER_NAMES`.
        """
        asked = np.asarray(digits)[:, list(self.cells)]
        if self.kind == "is":
            return np.where(asked[:, 0] > asked[:, 1], 20, 19)
        how = {"largest": np.max, "smallest": np.min, "add": np.sum}
        return how[self.kind](asked, axis=1)


def _places() -> dict[str, tuple[int, ...]]:
    """Return rows and columns by what a question calls them."""
    numbers = np.arange(CELLS).reshape(len(ROWS), len(COLUMNS))
    rows = {f"{row} row": numbers[i] for i, row in enumerate(ROWS)}
    columns = {f"{column} column": numbers[:, i] for i, column in enumerate(COLUMNS)}
    return {name: tuple(cells.tolist()) for name, cells in (rows | columns).items()}


def _all_questions() -> tuple[CardQuestion, ...]:
    places = _places()
    found = [
        CardQuestion(f"{kind} digit of the {place}", kind, cells)
        for kind in ("largest", "smallest")
        for place, cells in places.items()
    ]
    found += [
        CardQuestion(f"add both digits of the {place}", "add", cells)
        for place, cells in places.items()
        if place.endswith("column")
    ]
    names = [f"{row} {column}" for row in ROWS for column in COLUMNS]
    found += [
        CardQuestion(f"is {first} larger than {second}", "is", (i, j))
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if i != j
    ]
    return tuple(found)


QUESTIONS = _all_questions()
"""Every question there is."""
KINDS = tuple(dict.fromkeys(question.kind for question in QUESTIONS))
CARD_WORDS = tuple(
    dict.fromkeys(
        [*map(str, range(10)), MISSING_WORD]
        + [word for question in QUESTIONS for word in question.text.split()]
    )
)
"""Every word that a card's text may hold."""
CARD_LENGTH = 1 + CELLS + max(len(question.text.split()) for question in QUESTIONS)
"""Tokens of a card: one that answers, the typed copy, and the longest question."""


@dataclass(frozen=True)
class Cards:
    """Some cards, each with a question.

    Attributes
    ----------
    pictures : ndarray of float32, shape (cards, 16, 24)
        Ink from about 0 to 1; all zeros where the picture is missing.
    typed : ndarray of int, shape (cards, 6)
        The typed copy; :data:`MISSING` where a digit is.
    questions : tuple of CardQuestion
    digits : ndarray of int, shape (cards, 6)
        What was written.

    Raises
    ------
    ValueError
        If shapes do not fit, or a card has neither a picture nor a typed digit.
    """

    pictures: np.ndarray
    typed: np.ndarray
    questions: tuple[CardQuestion, ...]
    digits: np.ndarray

    def __post_init__(self) -> None:
        check_pictures(self.pictures)
        count = len(self.pictures)
        for name in ("typed", "digits"):
            given = np.shape(getattr(self, name))
            if given != (count, CELLS):
                raise ValueError(
                    f"{name} must have the shape {(count, CELLS)}, one row of"
                    f" {CELLS} digits for each picture, got {given}"
                )
        if len(self.questions) != count:
            raise ValueError(
                f"questions must hold one for each of {count} pictures, got"
                f" {len(self.questions)}"
            )
        if count and not (self.typed.min() >= MISSING and self.typed.max() <= 9):
            raise ValueError(
                f"typed must hold digits from 0 to 9, or {MISSING} for a missing one,"
                f" got {self.typed.min()} to {self.typed.max()}"
            )
        mute = ~(self.seen | (self.typed != MISSING).any(1))
        if mute.any():
            raise ValueError(
                f"card {int(mute.argmax())} has neither a picture nor a typed digit:"
                " at least one sense must be there"
            )

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def seen(self) -> np.ndarray:
        """Say which cards have a picture; ndarray of bool, shape (cards,)."""
        return has_picture(self.pictures)

    @property
    def texts(self) -> list[str]:
        """The typed copy and the question of each card, in words."""
        return [
            card_text(row, question)
            for row, question in zip(self.typed, self.questions)
        ]

    @property
    def asked(self) -> np.ndarray:
        """Say which cells each question asks for; ndarray of bool, (cards, 6)."""
        found = np.zeros((len(self), CELLS), bool)
        for row, question in zip(found, self.questions):
            row[list(question.cells)] = True
        return found

    @property
    def labels(self) -> np.ndarray:
        """The right answers, ndarray of int64, shape (cards,)."""
        found = np.zeros(len(self), np.int64)
        rows_of: dict[CardQuestion, list[int]] = {}
        for row, question in enumerate(self.questions):
            rows_of.setdefault(question, []).append(row)
        for question, rows in rows_of.items():
            found[rows] = question.answers(self.digits[rows])
        return found

    def some(self, rows: Sequence[int]) -> Cards:
        """Return some of the cards, in the order of their numbers given."""
        rows = list(rows)
        return Cards(
            self.pictures[rows],
            self.typed[rows],
            tuple(self.questions[row] for row in rows),
            self.digits[rows],
        )

    def without(self, sense: str) -> Cards:
        """Return the same cards with one sense missing.

        Parameters
        ----------
        sense : {"picture", "typed"}

        Raises
        ------
        ValueError
            If there is no such sense, or a card has no other.
        """
        if check_choice("sense", sense, SENSES) == PICTURE:
            return replace(self, pictures=np.zeros_like(self.pictures))
        return replace(self, typed=np.full_like(self.typed, MISSING))

    def asking(self, question: CardQuestion) -> Cards:
        """Return the same cards with one question for all of them."""
        return replace(self, questions=(question,) * len(self))


def draw_cards(count: int, part: str = "train", seed: int = 0) -> Cards:
    """Draw cards with questions.

    Parameters
    ----------
    count : int
    part : {"train", "validation", "test"}
        Whose handwriting; see :data:`BLOCKS`.
    seed : int, default 0

    Returns
    -------
    Cards

    Raises
    ------
    ValueError
        If there is no such part, or a number is below 0.

    Examples
    --------
    >>> cards = draw_cards(2, "test", seed=1)
    >>> cards.pictures.shape, len(cards.texts)
    ((2, 16, 24), 2)
    """
    check_whole("count", count, least=0)
    check_whole("seed", seed, least=0)
    check_choice("part", part, BLOCKS)
    chance = np.random.default_rng([seed, list(BLOCKS).index(part)])
    images, digits = _handwriting()
    low, high = BLOCKS[part]
    chosen = chance.integers(low, high, (count, CELLS))
    return Cards(
        _pictures(_soiled(images[chosen], chance)),
        _typed(digits[chosen], chance),
        _questions(count, chance),
        digits[chosen],
    )


@cache
def _handwriting() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits  # loads slowly, and few need it

    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target.astype(np.int64)


def _soiled(images: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Add noise, and a stain to some; images have shape (cards, 6, 8, 8)."""
    count = images.shape[:2]
    stained = chance.random(count) < STAINED
    centres = chance.integers(2, SIDE - 2, (2, *count))[..., None, None]
    y, x = np.mgrid[:SIDE, :SIDE]
    blot = (y - centres[0]) ** 2 + (x - centres[1]) ** 2 <= 9
    images = np.where(blot & stained[..., None, None], np.float32(1), images)
    return images + NOISE * chance.standard_normal(images.shape, np.float32)


def _pictures(cells: np.ndarray) -> np.ndarray:
    grid = cells.reshape(-1, len(ROWS), len(COLUMNS), SIDE, SIDE)
    return grid.transpose(0, 1, 3, 2, 4).reshape(-1, *PICTURE_SHAPE)


def _typed(digits: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    slip = chance.random(digits.shape)
    other = (digits + chance.integers(1, 10, digits.shape)) % 10
    typed = np.where(slip < WRONG, other, digits)
    return np.where(slip > 1 - LEFT_OUT, MISSING, typed)


def _questions(count: int, chance: np.random.Generator) -> tuple[CardQuestion, ...]:
    by_kind = [[q for q in QUESTIONS if q.kind == kind] for kind in KINDS]
    kinds, places = chance.integers(len(KINDS), size=count), chance.random(count)
    return tuple(
        by_kind[kind][int(place * len(by_kind[kind]))]
        for kind, place in zip(kinds, places)
    )


def drop_senses(cards: Cards, share: float, seed: int = 0) -> Cards:
    """Take one sense, never both, from some cards: modality dropout [1]_.

    Parameters
    ----------
    cards : Cards
        With both senses.
    share : float
        Of the cards that lose their picture, and of those that lose their typed copy;
        at most a half.
    seed : int, default 0

    Returns
    -------
    Cards

    Raises
    ------
    ValueError
        If `share` lies outside of [0, .5], or a card has one sense alone already and
        would lose it.

    References
    ----------
    .. [1] N. Neverova et al., "ModDrop: adaptive multi-modal gesture recognition",
       IEEE TPAMI 2016, arXiv:1501.00102.
    """
    check_number("share", share, least=0, most=0.5)
    chance = np.random.default_rng([seed, 12]).random(len(cards))
    blind, mute = chance < share, chance >= 1 - share
    return replace(
        cards,
        pictures=np.where(blind[:, None, None], np.float32(0), cards.pictures),
        typed=np.where(mute[:, None], MISSING, cards.typed),
    )


def has_picture(pictures: np.ndarray) -> np.ndarray:
    """Say which pictures are there: not all zeros; ndarray of bool, (cards,)."""
    return np.asarray(pictures).any((1, 2))


def check_pictures(pictures) -> None:
    """Raise unless pictures have the size of a card, and are finite."""
    shape = np.shape(pictures)
    if len(shape) != 3 or shape[1:] != PICTURE_SHAPE:
        raise ValueError(
            f"pictures must have the shape (cards, {PICTURE_SHAPE[0]},"
            f" {PICTURE_SHAPE[1]}), {SIDE} by {SIDE} pixels a cell, got {shape}"
        )
    if not np.isfinite(pictures).all():
        raise ValueError("pictures must be finite, got NaN or infinite values")


def card_text(typed: Sequence[int], question: CardQuestion | str) -> str:
    """Write a typed copy and a question as the student reads them.

    Parameters
    ----------
    typed : sequence of int, length 6
    question : CardQuestion or str

    Returns
    -------
    str

    Examples
    --------
    >>> card_text([3, 0, -1, 7, 7, 2], "largest digit of the lower row")
    '3 0 _ 7 7 2 largest digit of the lower row'
    """
    if len(typed) != CELLS:
        raise ValueError(f"typed must hold {CELLS} digits, got {len(typed)}")
    words = [MISSING_WORD if digit == MISSING else str(digit) for digit in typed]
    asked = question if isinstance(question, str) else question.text
    return " ".join([*words, asked])


def check_card_words(texts: Sequence[str]) -> None:
    """Raise unless every word of some texts is one of :data:`CARD_WORDS`.

    Raises
    ------
    ValueError
        With the word, the row, and the words that there are.
    """
    known = set(CARD_WORDS)
    for row, text in enumerate(texts):
        for word in text.split():
            if word not in known:
                raise ValueError(
                    f"{word!r} in text {row} is outside of the vocabulary: a card"
                    f" knows {' '.join(CARD_WORDS)}"
                )
