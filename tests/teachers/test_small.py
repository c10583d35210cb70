"""The small teacher answers any text, and its file holds what it says."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from distill_helpers.places import SMALL_TEACHER
from distill_helpers.students.ngrams import NgramIndex, word_hashes
from distill_helpers.teachers import (
    ClassNamesError,
    MissingAnswersError,
    SmallTeacher,
    open_teacher,
)
from distill_helpers.teachers.small import CARD, WEIGHTS


@pytest.fixture(scope="module")
def small():
    return open_teacher("small", "unused")


@pytest.fixture
def made(texts):
    index = NgramIndex.of(word_hashes(texts), 2, [2, 3])
    weights = np.random.default_rng(0).normal(size=len(index.keys))
    return SmallTeacher(index, weights, 0.25, ("bad", "good"), {"how": "by chance"})


def test_the_shipped_one_is_as_good_as_its_card_says(small, reviews):
    test = reviews["test"]
    told = small.logits(test["text"])
    right = told.argmax(1) == np.array(test["label"])
    card = small.about["test"]
    assert right.mean() == pytest.approx(card["sample"]["accuracy"], abs=1e-4)
    assert card["sample"]["examples"] == len(right) and right.mean() >= 0.8
    assert card["imdb, all of it"]["accuracy"] >= 0.9
    large = open_teacher("shipped", "unused").logits(test["text"])
    agreed = (told.argmax(1) == large.argmax(1)).mean()
    noted = card["sample"]["agreement with the large teacher"]
    assert agreed == pytest.approx(noted, abs=1e-4)


def test_the_shipped_one_is_small_and_holds_no_word(small):
    size = sum(file.stat().st_size for file in SMALL_TEACHER.iterdir())
    assert size < 160_000
    tensors = load_file(SMALL_TEACHER / WEIGHTS)
    assert {t.dtype.kind for t in tensors.values()} <= {"u", "f"}
    content = (SMALL_TEACHER / WEIGHTS).read_bytes().lower()
    for word in (b"terrible", b"wonderful", b"boring", b"excellent"):
        assert word not in content


def test_it_answers_any_text_where_the_table_cannot(small):
    new = ["A wonderful film, I loved it.", "Boring and bad; a waste of time."]
    told = small.logits([*new, "", "a", "\U0001f600"])
    assert told.dtype == np.float32 and told.shape == (5, 2)
    assert told[:2].argmax(1).tolist() == [1, 0]
    assert np.isfinite(told).all() and small.knows(new).all()
    assert small.logits([]).shape == (0, 2)
    assert small.label_names == ["negative", "positive"]
    with pytest.raises(MissingAnswersError, match="teacher='small'"):
        open_teacher("shipped", "unused").logits(new)
    with pytest.raises(TypeError, match="texts must be a list of texts"):
        small.logits(new[0])


def test_its_classes_meet_those_of_the_data(small):
    new = ["A wonderful film."]
    turned = open_teacher("small", "unused", ["positive", "negative"])
    assert turned.logits(new)[:, ::-1].tolist() == small.logits(new).tolist()
    with pytest.raises(ClassNamesError):
        open_teacher("small", "unused", ["billing", "login"])
    with pytest.raises(TypeError, match="takes no further option"):
        open_teacher("small", "unused", max_length=3)


def test_what_is_saved_answers_alike(made, texts, tmp_path):
    folder = made.save(tmp_path / "new")
    again = SmallTeacher.load(folder)
    assert again.logits(texts).tolist() == made.logits(texts).tolist()
    assert again.fingerprint == made.fingerprint
    assert again.about == {"how": "by chance"} and again.label_names == ["bad", "good"]
    assert len(np.unique(made.weights)) <= 16
    other = SmallTeacher(made.index, made.weights, 0.5)
    assert other.fingerprint != made.fingerprint
    with pytest.raises(FileExistsError):
        made.save(folder)


def test_features_by_root_are_another_teacher_and_stay_so(made, texts, tmp_path):
    other = SmallTeacher(made.index, made.weights, made.bias, by_root=True)
    assert other.fingerprint != made.fingerprint
    present = made.index.features(word_hashes(texts)).getnnz(1)
    sums = (made.margins(texts) - made.bias) / np.sqrt(np.maximum(present, 1))
    assert other.margins(texts) == pytest.approx(sums + made.bias, abs=1e-5)
    again = SmallTeacher.load(other.save(tmp_path / "new"))
    assert again.by_root and again.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weights": np.ones(3)}, "finite numbers, one for each n-gram"),
        ({"weights": np.nan}, "finite numbers, one for each n-gram"),
        ({"label_names": ["one"]}, "two names that differ"),
        ({"label_names": ["a", "a"]}, "two names that differ"),
        ({"label_names": "ab"}, "two names that differ"),
    ],
)
def test_a_teacher_that_cannot_be_is_refused(made, change, says):
    given = {"index": made.index, "weights": made.weights, "bias": 0.0}
    if "weights" in change and np.ndim(change["weights"]) == 0:
        change = {"weights": made.weights * change["weights"]}
    with pytest.raises(ValueError) as refused:
        SmallTeacher(**(given | change))
    assert says in str(refused.value)


DAMAGE = {
    "torn": (None, "is damaged"),
    "nibbles": ({"ngram.nibbles": lambda v: v[:-1]}, "ngram.nibbles must hold"),
    "levels": ({"ngram.levels": lambda v: v * np.float32(np.inf)}, "finite numbers"),
    "few levels": ({"ngram.levels": lambda v: v[:4]}, "16 finite numbers"),
    "type": ({"ngram_gaps": lambda v: v.astype(np.float32)}, "of another type"),
    "no keys": ({"ngram_gaps": lambda v: v[:0]}, "ngram.nibbles must hold"),
    "zero gaps": ({"ngram_gaps": lambda v: v * 0}, "is damaged"),
    "lost": ({"ngram.levels": None}, "are missing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_refused(made, tmp_path, kind):
    changes, says = DAMAGE[kind]
    path = made.save(tmp_path / "new") / WEIGHTS
    if changes is None:
        path.write_bytes(path.read_bytes()[:-20])
    else:
        tensors = load_file(path)
        for name, change in changes.items():
            value = tensors.pop(name)
            if change is not None:
                tensors[name] = change(value)
        about = {"format": "distill-small-teacher-1", "labels": ["a", "b"]}
        about |= {"bias": 0.0, "longest_run": 2}
        save_file(tensors, path, {"about": json.dumps(about)})
    with pytest.raises(ValueError, match=says):
        SmallTeacher.load(path.parent)


def test_what_is_no_small_teacher_is_named(made, tmp_path):
    with pytest.raises(FileNotFoundError, match="weights.safetensors.* is missing"):
        SmallTeacher.load(tmp_path)
    folder = made.save(tmp_path / "new")
    (folder / CARD).write_text("[1]", "utf-8")
    with pytest.raises(ValueError, match="card.json"):
        SmallTeacher.load(folder)
    save_file({"a": np.zeros(2)}, folder / WEIGHTS, {"about": "{}"})
    with pytest.raises(ValueError, match="is no small teacher of this kit"):
        SmallTeacher.load(folder)
