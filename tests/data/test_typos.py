"""Slips that happen where they should, and a speller that mends them."""

from collections import Counter

import numpy as np
import pytest

from distill_helpers.data.typos import (
    SLIPS,
    WORD,
    Speller,
    mistype,
    one_slip_apart,
    slip,
    swap_neighbours,
)

TEXT = "Nobody, least of all the DIRECTOR, wanted this dull remake of 1984."


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_so_many_words_are_mistyped_as_were_asked_for(share):
    changed = mistype(TEXT, np.random.default_rng(0), share)
    before, after = WORD.findall(TEXT), WORD.findall(changed)
    assert len(before) == len(after)
    differ = [(a, b) for a, b in zip(before, after) if a != b]
    assert len(differ) == round(share * len(before))
    assert all(a[0] == b[0] and one_slip_apart(a, b) for a, b in differ)
    # What is no word stays where it was.
    assert WORD.sub("", changed) == WORD.sub("", TEXT)


@pytest.mark.parametrize("kind", SLIPS)
def test_each_kind_is_one_slip_and_keeps_capitals(kind):
    rng = np.random.default_rng(1)
    for word in ("director", "DIRECTOR", "Director"):
        changed = slip(word, rng, [kind])
        assert one_slip_apart(word, changed)
        assert changed.isupper() == word.isupper()


def test_kinds_may_be_a_set_and_are_drawn_alike():
    found = [
        mistype(TEXT, np.random.default_rng(3), 1.0, kinds)
        for kinds in ({"drop", "swap", "near"}, ["near", "swap", "drop"])
    ]
    assert found[0] == found[1]


def test_a_word_that_one_kind_cannot_change_gets_another_one():
    rng = np.random.default_rng(0)
    assert slip("feee", rng, ["swap"]) == "feee"
    assert slip("feee", rng, ["swap", "drop"]) == "fee"


@pytest.mark.parametrize("text", ["", "It is so", "\u5f88\u597d\u770b", "1984 !!"])
def test_where_there_is_no_word_nothing_happens(text):
    assert mistype(text, np.random.default_rng(0), 1.0) == text


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_swapped_neighbours_are_the_same_words(share):
    text = "one two  three\nfour five six seven eight nine "
    changed = swap_neighbours(text, np.random.default_rng(0), share)
    assert Counter(changed.split()) == Counter(text.split())
    moved = sum(a != b for a, b in zip(text.split(), changed.split()))
    assert moved == 2 * round(share * 9 / 2)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"share": 1.2}, "share must lie in"),
        ({"kinds": ["twist"]}, "kinds must be one of"),
        ({"kinds": "swap"}, "kinds must be some of"),
        ({"kinds": []}, "kinds must be some of"),
    ],
)
def test_what_cannot_be_done_is_named(wrong, named):
    with pytest.raises(ValueError, match=named):
        mistype(TEXT, np.random.default_rng(0), **wrong)


def test_the_speller_mends_most_slips_and_leaves_what_it_knows(texts):
    speller = Speller.of(texts)
    rng = np.random.default_rng(0)
    known = [word for word in speller.counts if len(word) > 6][:200]
    mended = [speller(slip(word, rng)) == word for word in known]
    assert np.mean(mended) > 0.9
    assert all(speller(word) == word for word in known)


def test_the_speller_prefers_the_commoner_word_and_does_not_guess_far():
    speller = Speller({"form": 1, "farm": 7, "plot": 3})
    assert speller("ferm, Ferm; zzplot") == "farm, Farm; zzplot"


def test_words_met_too_rarely_are_nothing_to_mend_by():
    with pytest.raises(ValueError, match="stands in them 2 times"):
        Speller.of(["each word once"])
    with pytest.raises(ValueError, match="at least one known word"):
        Speller({})
