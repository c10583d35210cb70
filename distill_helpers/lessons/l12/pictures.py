"""The pictures of lesson 12, with what they show in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...data.cards import (
    CELLS,
    COLUMNS,
    MISSING,
    MISSING_WORD,
    PICTURE_SHAPE,
    ROWS,
    SIDE,
    Cards,
)
from .. import plots
from ..plots.style import COLOURS, canvas, in_kit_style

CELL_NAMES = tuple(f"{row} {column}" for row in ROWS for column in COLUMNS)
"""What a question calls the cells, in their order."""


def typed_words(typed: Sequence[int]) -> str:
    """Write a typed copy, row by row."""
    signs = [MISSING_WORD if digit == MISSING else str(digit) for digit in typed]
    width = len(COLUMNS)
    return " / ".join(
        " ".join(signs[start : start + width]) for start in range(0, CELLS, width)
    )


def some_cards(cards: Cards):
    """Show cards with their questions and typed copies.

    Parameters
    ----------
    cards : Cards

    Returns
    -------
    IPython.display.Image
    """
    figure = _cards_figure(cards)
    told = "; ".join(
        f"{question.text} (typed {typed_words(typed)})"
        for question, typed in zip(cards.questions, cards.typed)
    )
    return plots.show(
        figure,
        alt=f"{len(cards)} cards of two rows of three handwritten digits, noisy and"
        f" some stained. Their questions: {told}.",
    )


@in_kit_style
def _cards_figure(cards: Cards):
    lines = -(-len(cards) // 2)
    figure = canvas(2.4 * lines, width=7)
    for place in range(len(cards)):
        axes = figure.add_subplot(lines, 2, place + 1)
        _draw_card(axes, cards.pictures[place])
        typed = typed_words(cards.typed[place])
        axes.set_title(f"{cards.questions[place].text}\ntyped: {typed}", fontsize=9)
    return figure


def _draw_card(axes, picture: np.ndarray) -> None:
    """Draw ink on white, and thin lines between the cells."""
    axes.imshow(np.asarray(picture).clip(0), cmap="gray_r")
    for column in range(1, len(COLUMNS)):
        axes.axvline(column * SIDE - 0.5, color=COLOURS[0], linewidth=0.8)
    for row in range(1, len(ROWS)):
        axes.axhline(row * SIDE - 0.5, color=COLOURS[0], linewidth=0.8)
    axes.set_xticks([])
    axes.set_yticks([])


@in_kit_style
def looks_figure(picture: np.ndarray, shares: Mapping[str, Sequence[float]], title=""):
    """Draw a card and, for each reader, how it shares its look among the cells.

    Parameters
    ----------
    picture : ndarray, shape (16, 24)
    shares : mapping of str to sequence of float
        Six by reader, row by row.
    title : str

    Returns
    -------
    Figure
    """
    figure = canvas(2.2, width=2.4 * (1 + len(shares)))
    card, *others = figure.subplots(1, 1 + len(shares))
    _draw_card(card, picture)
    card.set_title(title, fontsize=9)
    for axes, (name, six) in zip(others, shares.items()):
        grid = np.asarray(six, float)[:CELLS].reshape(len(ROWS), len(COLUMNS))
        axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect=1)
        for (row, column), value in np.ndenumerate(grid):
            colour = "black" if value > 0.5 else "white"
            axes.text(
                column, row, f"{value:.2f}", ha="center", va="center", color=colour
            )
        axes.set_title(name, fontsize=9)
    for axes in others:
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def looks_in_words(shares: Mapping[str, Sequence[float]]) -> str:
    """Say at which cell each reader looks most."""
    return "; ".join(
        f"{name} most at the {CELL_NAMES[int(np.argmax(six[:CELLS]))]} cell"
        f" ({max(six[:CELLS]):.2f})"
        for name, six in shares.items()
    )


def looks(picture: np.ndarray, shares: Mapping[str, Sequence[float]], question: str):
    """Show where some readers look on one card.

    Parameters
    ----------
    picture : ndarray, shape (16, 24)
    shares : mapping of str to sequence of float
        Six by reader, or seven with the share of "no picture".
    question : str

    Returns
    -------
    IPython.display.Image
    """
    return plots.show(
        looks_figure(picture, shares, question),
        alt=f"A card and the question {question!r}, and by reader the shares of its"
        f" look on the six cells: {looks_in_words(shares)}.",
    )


def opening(ours: Mapping):
    """Show where the teacher and two of its students look, in our own run."""
    ink = np.array([int(digit) for digit in ours["picture"]])
    picture = ink.reshape(PICTURE_SHAPE) / 9
    return looks(picture, ours["looks"], ours["question"])


def for_opening(one: Cards, looks: Mapping[str, Sequence[float]]) -> dict:
    """Pick what the lesson's first picture shows: a card, and who looks where.

    Parameters
    ----------
    one : Cards
        A single card.
    looks : mapping of str to sequence of float
        Six shares by reader.

    Returns
    -------
    dict
        ``question``, ``picture`` (a digit of ink for each pixel) and ``looks``.
    """
    ink = np.rint(9 * one.pictures[0].clip(0, 1)).astype(int)
    return {
        "question": one.questions[0].text,
        "picture": "".join(map(str, ink.ravel())),
        "looks": {
            name: [round(float(share), 3) for share in six]
            for name, six in looks.items()
        },
    }


def one_look(cards: Cards, row: int, map_: np.ndarray, words: Sequence[str]):
    """Return a function that draws what one word of a card looks at with one head.

    Parameters
    ----------
    cards : Cards
    row : int
        Of the card.
    map_ : ndarray, shape (heads, words, 7)
    words : sequence of str
        Those that look.

    Returns
    -------
    callable
        Of the numbers of a head and a word; for ``widgets.explore``.
    """

    def draw(head: float, word: float):
        six = map_[int(head), int(word)]
        name = f"head {int(head)}, \u201c{words[int(word)]}\u201d"
        shares = {name: six}
        figure = looks_figure(cards.pictures[row], shares, cards.questions[row].text)
        return (
            figure,
            f"{looks_in_words(shares)}; {six[CELLS]:.2f} at \u201cno picture\u201d.",
        )

    return draw


def by_sense(scores: Mapping[str, Mapping[str, float]], title: str):
    """Show accuracy with both senses and with each alone.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float
        By reader and sense.
    title : str

    Returns
    -------
    IPython.display.Image
    """
    senses = list(next(iter(scores.values())))
    figure = plots.bar_groups(
        senses,
        {name: [by[sense] for sense in senses] for name, by in scores.items()},
        y_label="share of test cards right",
        y_range=(0, 1.15),
        title=title,
    )
    told = "; ".join(
        f"{name} " + ", ".join(f"{by[sense]:.3f} with {sense}" for sense in senses)
        for name, by in scores.items()
    )
    return plots.show(figure, alt=f"Accuracy by sense: {told}.")
