"""Cards: drawn from seeds, with right answers, and never without any sense."""

import numpy as np
import pytest

from distill_helpers.data import Cards, draw_cards, drop_senses
from distill_helpers.data.cards import (
    ANSWER_NAMES,
    BLOCKS,
    CARD_LENGTH,
    MISSING,
    QUESTIONS,
    card_text,
    check_card_words,
)


@pytest.fixture(scope="module")
def cards():
    return draw_cards(300, "test", seed=1)


def test_a_seed_draws_the_same_cards_and_another_part_others(cards):
    again = draw_cards(300, "test", seed=1)
    assert np.array_equal(cards.pictures, again.pictures)
    assert cards.texts == again.texts
    assert not np.array_equal(cards.digits, draw_cards(300, "train", seed=1).digits)
    ends = [end for block in BLOCKS.values() for end in block]
    assert ends == sorted(ends), "no image may stand in two parts"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("largest digit of the lower row", "9"),
        ("smallest digit of the upper row", "1"),
        ("smallest digit of the left column", "3"),
        ("add both digits of the right column", "6"),
        ("is upper left larger than lower left", "no"),
        ("is lower left larger than upper left", "yes"),
    ],
)
def test_answers_are_those_of_the_digits_that_were_written(text, right):
    (question,) = (q for q in QUESTIONS if q.text == text)
    digits = np.array([[3, 1, 4], [9, 5, 2]]).reshape(1, 6)
    assert ANSWER_NAMES[question.answers(digits)[0]] == right


def test_the_typed_copy_slips_about_as_often_as_it_says(cards):
    known = cards.typed != MISSING
    assert 0.05 < (~known).mean() < 0.15
    assert 0.05 < (cards.typed != cards.digits)[known].mean() < 0.17


def test_asked_names_the_cells_of_the_question(cards):
    for row, question in enumerate(cards.questions[:20]):
        assert set(np.flatnonzero(cards.asked[row])) == set(question.cells)
    longest = max(len(text.split()) for text in cards.texts)
    assert 1 + longest <= CARD_LENGTH


def test_dropped_senses_leave_one(cards):
    dropped = drop_senses(cards, 0.5, seed=2)
    mute = (dropped.typed == MISSING).all(1)
    assert 0.35 < mute.mean() < 0.65
    assert np.array_equal(~dropped.seen, ~mute)
    assert np.array_equal(dropped.digits, cards.digits)
    assert drop_senses(cards.some([]), 0.5).labels.shape == (0,)


def test_a_card_without_any_sense_is_refused(cards):
    with pytest.raises(ValueError, match="card 0 has neither a picture nor a typed"):
        cards.without("picture").without("typed")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda c: draw_cards(1, "exam"), "part must be one of"),
        (lambda c: draw_cards(-1), "count must be at least 0"),
        (lambda c: drop_senses(c, 0.6), "share must lie in"),
        (lambda c: c.without("sound"), "sense must be one of"),
        (
            lambda c: Cards(c.pictures[:, :8], c.typed, c.questions, c.digits),
            r"pictures must have the shape \(cards, 16, 24\)",
        ),
        (
            lambda c: Cards(c.pictures[1:], c.typed, c.questions, c.digits),
            r"typed must have the shape \(299, 6\)",
        ),
        (
            lambda c: Cards(c.pictures, c.typed, c.questions[1:], c.digits),
            "questions must hold one for each of 300",
        ),
        (
            lambda c: Cards(c.pictures * np.nan, c.typed, c.questions, c.digits),
            "pictures must be finite",
        ),
        (
            lambda c: Cards(c.pictures, c.typed + 10, c.questions, c.digits),
            "typed must hold digits from 0 to 9",
        ),
        (
            lambda c: check_card_words([card_text([1] * 6, "largest upper digit sum")]),
            "'sum' in text 0 is outside of the vocabulary",
        ),
        (lambda c: card_text([1], "largest digit"), "typed must hold 6 digits"),
    ],
    ids=range(11),
)
def test_bad_input_is_named(cards, call, said):
    with pytest.raises(ValueError, match=said):
        call(cards)
