"""People exchanged in a text: both ways, whole words, capitals, never twice."""

import numpy as np
import pytest

from distill_helpers.data.swaps import (
    NAMES,
    PEOPLE,
    PRONOUNS,
    Swaps,
    swapped_copies,
)

ALL = Swaps(PRONOUNS + PEOPLE + NAMES)


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        # Both ways in one pass: none is swapped back.
        ("he saw she saw", "she saw he saw"),
        ("John met Mary. MARY left JOHN.", "Mary met John. JOHN left MARY."),
        # Whole words: not in other words, but with what is tied to them.
        ("The other hero, there: he's here.", "The other heroine, there: she's here."),
        ("theme, shed, mankind_he", "theme, shed, mankind_he"),
        # "her" and "his", by the word behind.
        ("Her film, her own: I saw her.", "His film, his own: I saw him."),
        ("I told her to go and her boss left.", "I told him to go and his boss left."),
        ("his car is his, and HIS life", "her car is hers, and HER life"),
        ("The car is hers.\nHer\nname", "The car is his.\nHim\nname"),
        ("himself; Herself", "herself; Himself"),
        # A name is one with its capital alone.
        ("Jack will jack up the Emma car", "Sally will jack up the Henry car"),
        ("", ""),
    ],
)
def test_words_change_places(text, swapped):
    assert ALL(text) == swapped


def test_swapping_twice_leads_back_where_no_word_is_ambiguous():
    swaps = Swaps(PEOPLE + NAMES)
    text = "The Actress and her HUSBAND, Mr. Tom Brown; girls, guys, ladies."
    assert swaps(swaps(text)) == text != swaps(text)


def test_a_script_without_spaces_has_no_edges_of_words():
    swaps = Swaps([("\u4ed6", "\u5979")])
    assert swaps("\u6211\u7231\u4ed6\u548c\u5979") == "\u6211\u7231\u5979\u548c\u4ed6"
    assert swaps.sides("\u6211\u7231\u4ed6") == (1, 0)


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        ({"he": "she"}, "must lead both ways, got 'he': 'she'"),
        ({"he": "she", "she": "her"}, "must lead both ways"),
        ([("he",)], "two sides"),
        (["he"], "two sides"),
        ([("he", "")], "two sides"),
        ([("he", "he")], "two sides"),
        ([], "at least one pair"),
        ([("he", "she"), ("man", "she")], "a word once, got 'she'"),
        ([("him", "her")], "'her' both its partners"),
    ],
)
def test_a_list_with_one_side_is_refused(pairs, named):
    with pytest.raises(ValueError, match=named):
        Swaps(pairs)


def test_a_mapping_that_leads_back_is_a_list_of_pairs():
    swaps = Swaps({"Tom": "Ana", "Ana": "Tom", "king": "queen", "queen": "king"})
    assert swaps.pairs == (("Tom", "Ana"), ("king", "queen"))


def test_capitals_inside_a_name_are_its_own():
    swaps = Swaps([("McDonald", "deVries")])
    text = "McDonald, MCDONALD and deVries; mcdonald"
    assert swaps(text) == "DeVries, DEVRIES and McDonald; mcdonald"
    assert swaps.sides(text) == (2, 1)


def test_sides_are_counted_and_untouched_texts_are_known():
    assert ALL.sides("She thanked her uncle and his dog") == (2, 2)
    assert not ALL.touches("a film about trains")


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_correction_set_is_a_share_of_what_is_touched(share):
    texts = ["He won.", "A film.", "Her end", "It rained.", "His hat"] * 4
    made = swapped_copies(texts, ALL, share, seed=1)
    touched = [row for row in range(20) if row % 5 in (0, 2, 4)]
    assert len(made.texts) == len(set(made.parents)) == np.ceil(share * 12)
    assert set(made.parents) <= set(touched)
    assert all(ALL(texts[row]) == text for text, row in zip(*made))


def test_nothing_to_swap_is_said():
    with pytest.raises(ValueError, match="there is nothing to swap"):
        swapped_copies(["A film."], ALL)
