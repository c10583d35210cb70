"""Views of a text differ from it as they say, and a teacher answers them anew."""

import numpy as np
import pytest

from distill_helpers.data import augment
from distill_helpers.data.augment import (
    asked,
    back_translations,
    crop,
    drop,
    splice,
    synonym_table,
    synonyms,
    translated,
    views,
)
from distill_helpers.data.cleaning import clean_text, text_hash
from distill_helpers.teachers import SmallTeacher, open_teacher

CHINESE = "\u8fd9\u90e8\u7535\u5f71\u5f88\u597d\u770b\u3002"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("share", [0.01, 0.3, 1])
def test_a_crop_is_a_run_of_the_text(texts, rng, share):
    for text in texts[:20]:
        made = crop(text, rng, share)
        count = len(text.split())
        assert made in text
        assert len(made.split()) == max(1, int(np.ceil(share * count - 1e-9)))
    assert (made == text) == (share == 1)


def test_every_run_can_be_cut_out(rng):
    assert {crop("a b c d", rng) for _ in range(100)} == {"a b", "b c", "c d"}


def test_without_spaces_letters_are_words(rng):
    made = crop(CHINESE, rng)
    assert made in CHINESE and 1 < len(made) < len(CHINESE)
    fewer = drop(CHINESE, rng, 0.5)
    assert 0 < len(fewer) < len(CHINESE) and set(fewer) <= set(CHINESE)


def test_a_splice_holds_a_run_of_each(texts, rng):
    made = splice(texts[0], rng, texts[:2])
    first = [
        n for n in range(len(made)) if made[:n] in texts[0] if made[n + 1 :] in texts[1]
    ]
    assert first, "no place where one text ends and the other begins"
    assert len({splice(texts[0], rng, texts) for _ in range(20)}) > 15


def test_words_are_dropped_in_their_order_and_one_is_left(rng):
    words = [str(n) for n in range(2_000)]
    kept = drop(" ".join(words), rng, 0.3).split()
    assert kept == sorted(kept, key=int)
    assert len(kept) / len(words) == pytest.approx(0.7, abs=0.05)
    assert drop("a b", rng, 0) == "a b"
    assert {drop("a b", rng, 0.99) for _ in range(300)} >= {"a", "b"}


def test_synonyms_stand_for_words_of_the_table_alone(texts, rng):
    table = synonym_table()
    assert len(table) > 1_500
    for word, others in table.items():
        assert word not in others and word == word.lower()
    text = "The movie was terrible; Terrible! Unterrible."
    made = synonyms(text, rng, 1.0)
    assert made != text and made.endswith("! Unterrible.")
    last = made.split("; ")[1].partition("!")[0]
    assert last[0].isupper() and last.lower() in table["terrible"]
    assert synonyms(text, rng, 0) == text
    assert synonyms(CHINESE, rng) == CHINESE


def test_some_of_the_pool_came_back_from_spanish(reviews):
    pool = [*reviews["train"]["text"], *reviews["transfer"]["text"]]
    known = [text for text in pool if text_hash(text) in back_translations()]
    made = views(known, translated).texts
    assert len(made) == len(back_translations()) > 300
    changed = np.mean([a != b for a, b in zip(known, made)])
    length = np.mean([len(b) / len(a) for a, b in zip(known, made)])
    assert changed > 0.99 and 0.8 < length < 1.25
    assert made[:50] == [clean_text(text) for text in made[:50]]
    with pytest.raises(ValueError, match="the sample's train and transfer parts"):
        translated(reviews["test"]["text"][0])


@pytest.mark.parametrize("how", [crop, splice, drop, synonyms])
def test_views_follow_their_seed_and_name_their_parents(texts, how):
    some = texts[:5]
    made = views(some, how, copies=2, seed=3)
    assert made.parents.tolist() == [0, 1, 2, 3, 4] * 2
    assert made.texts == views(some, how, copies=2, seed=3).texts
    assert made.texts != views(some, how, copies=2, seed=4).texts
    if how is not synonyms:
        assert made.texts[:5] != made.texts[5:]
        assert all(
            view.split()[0] in text for view, text in zip(made.texts, some + some)
        )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda rng: crop("", rng), "text must hold at least one word"),
        (lambda rng: crop(" \n ", rng), "text must hold at least one word"),
        (lambda rng: crop("a b", rng, 0), "share must be a finite number above 0"),
        (lambda rng: crop("a b", rng, 1.5), "share must be at most 1"),
        (lambda rng: crop("a b", rng, np.nan), "share must be a finite number"),
        (lambda rng: crop(None, rng), "text must be a text, got NoneType"),
        (lambda rng: drop("", rng), "text must hold at least one word"),
        (lambda rng: drop("a", rng, 1), "share must be below 1"),
        (lambda rng: splice("a", rng), "others must hold at least one"),
        (lambda rng: splice("a", rng, ["a", "a"]), "must hold a text that differs"),
        (lambda rng: splice("", rng, ["a"]), "text must hold at least one word"),
        (lambda rng: synonyms("a", rng, -1), "share must lie in"),
        (lambda rng: synonyms(3, rng), "text must be a text, got int"),
        (lambda rng: views(["a"], lambda text, rng: "..."), "must give a text with"),
        (lambda rng: views(["a"], crop, copies=0), "copies must be at least 1"),
        (lambda rng: views("a", crop), "texts must be a list of texts"),
    ],
)
def test_what_makes_no_view_is_refused(rng, call, says):
    with pytest.raises((ValueError, TypeError)) as refused:
        call(rng)
    assert says in str(refused.value)


def test_a_live_teacher_answers_views_and_a_stored_one_says_who_could(texts):
    made = views(texts[:8], crop)
    small = open_teacher("small", "unused")
    assert isinstance(small, SmallTeacher)
    told = asked(small, made.texts)
    assert told.shape == (8, 2)
    assert not np.array_equal(told, asked(small, texts[:8]))
    shipped = open_teacher("shipped", "unused")
    assert np.isfinite(asked(shipped, texts[:8])).all()
    with pytest.raises(ValueError, match="cannot give a new one") as refused:
        asked(shipped, made.texts)
    said = str(refused.value)
    assert "teacher='shipped' has no answer to 8 of 8" in said
    for who in ("'small'", "Hub id", "make_teacher", "'api:MODEL'"):
        assert who in said


def test_answers_that_are_probabilities_are_refused(texts):
    class Flat:
        num_labels = 2

        def knows(self, texts):
            return np.ones(len(texts), bool)

        def logits(self, texts):
            return np.full((len(texts), 2), 0.5)

    with pytest.raises(ValueError, match="must be logits"):
        augment.asked(Flat(), texts[:2])
