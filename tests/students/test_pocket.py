"""A student in one small file answers as the one that was packed."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from distill_helpers.students.ngrams import (
    NgramIndex,
    by_root,
    ngram_hashes,
    word_hashes,
)
from distill_helpers.students.packing import (
    nearest_level,
    pack_keys,
    sixteen_levels,
    unpack_keys,
)
from distill_helpers.students.pocket import (
    PAD_ID,
    UNKNOWN_ID,
    PocketStudent,
    WordTable,
)
from distill_helpers.students.text_cnn import (
    TextCNNConfig,
    TextCNNForSequenceClassification,
    widened,
)


@pytest.fixture
def student(texts):
    hashes = word_hashes(texts)
    index = NgramIndex.of(hashes, 2, [1, 2])
    table = WordTable.of(hashes, 300, longest_text=64)
    rng = np.random.default_rng(0)
    cnn = TextCNNForSequenceClassification(
        TextCNNConfig(vocab_size=len(table), embedding_size=8, filters=6)
    ).eval()
    weights = rng.normal(size=len(index.keys)).astype(np.float32) / 10
    return PocketStudent(index, weights, 0.25, table, cnn, 0.5, ("bad", "good"))


def test_a_packed_student_answers_as_before(student, texts, tmp_path):
    path = student.save(tmp_path / "deep" / "student.safetensors")
    again = PocketStudent.load(path)
    before, after = student.logits(texts), again.logits(texts)
    assert before.shape == (len(texts), 2)
    assert (before.argmax(1) == after.argmax(1)).mean() > 0.95
    assert np.abs(before - after).max() < 0.2 * np.abs(before).max()
    assert list(again.label_names) == ["bad", "good"]
    assert again.index.keys.tolist() == student.index.keys.tolist()
    assert again.cnn.config.id2label == {0: "bad", 1: "good"}


def test_the_file_is_small(student, tmp_path):
    size = student.save(tmp_path / "s.safetensors").stat().st_size
    features = len(student.index.keys)
    assert size < 3 * features + 10 * len(student.table) + 8_000


def test_odd_texts_have_an_answer(student):
    odd = ["", "\u4e2d\u6587", "\U0001f600", "word " * 5_000, "never seen here"]
    assert np.isfinite(student.logits(odd)).all()


def test_the_average_is_that_of_its_two_parts(student, texts):
    hashes = word_hashes(texts[:5])
    both = (student.linear_logits(hashes) + student.cnn_logits(hashes)) / 2
    np.testing.assert_allclose(student.logits(texts[:5]), both, atol=1e-5)


def test_a_rooted_linear_part_divides_its_ngrams(student, texts, tmp_path):
    hashes = word_hashes(texts[:5])
    rooted = dataclasses.replace(student, rooted=True)
    found = by_root(student.index.features(hashes))
    margins = found @ student.weights + student.bias
    logits = rooted.linear_logits(hashes)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], margins, atol=1e-5)
    assert np.abs(logits - student.linear_logits(hashes)).max() > 0.01
    again = PocketStudent.load(rooted.save(tmp_path / "s.safetensors"))
    assert again.rooted and not student.rooted


def test_a_file_of_the_format_before_is_read_as_what_it_was(student, texts, tmp_path):
    path = student.save(tmp_path / "s.safetensors")
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["about"])
    about.pop("rooted")
    assert about["format"] == "distill-pocket-3" and "pooling" not in about
    about["format"] = "distill-pocket-2"
    old = tmp_path / "old.safetensors"
    save_file(load_file(path), old, {"about": json.dumps(about)})
    before = PocketStudent.load(old)
    assert not before.rooted
    expected = PocketStudent.load(path).logits(texts[:5])
    np.testing.assert_array_equal(before.logits(texts[:5]), expected)


def test_attention_is_packed_with_the_rest(student, texts, tmp_path):
    cnn = widened(student.cnn, pooling=["max", "mean", "attention"])
    with torch.no_grad():
        cnn.attention.queries.normal_()
        cnn.attention.places.normal_()
        cnn.classifier.weight.normal_()
    attentive = dataclasses.replace(student, cnn=cnn)
    path = attentive.save(tmp_path / "s.safetensors")
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["about"])
    assert about["format"] == "distill-pocket-4"
    again = PocketStudent.load(path)
    assert again.cnn.config.pooling == ["max", "mean", "attention"]
    before, after = attentive.logits(texts), again.logits(texts)
    assert np.corrcoef(before[:, 1], after[:, 1])[0, 1] > 0.98
    assert np.corrcoef(student.logits(texts)[:, 1], after[:, 1])[0, 1] < 0.98


def test_poolings_that_the_file_has_no_weights_for_are_refused(student, tmp_path):
    path = student.save(tmp_path / "s.safetensors")
    with safe_open(path, "numpy") as file:
        about = json.loads(file.metadata()["about"])
    for name, pooling in (("more", ["max", "mean", "attention"]), ("odd", ["min"])):
        claimed = tmp_path / f"{name}.safetensors"
        claims = json.dumps(about | {"pooling": pooling})
        save_file(load_file(path), claimed, {"about": claims})
        with pytest.raises(ValueError, match="is damaged"):
            PocketStudent.load(claimed)


def test_words_have_ids_and_a_long_text_keeps_both_ends():
    hashes = word_hashes(["a b c d e f"])[0]
    table = WordTable.of([hashes], 5, longest_text=4)
    ids = table.ids(hashes)
    keys = ngram_hashes(hashes, 1)
    assert len(ids) == 4
    kept = keys[[0, 1, 4, 5]]
    assert [i == UNKNOWN_ID for i in ids] == [k not in table.keys for k in kept]
    assert table.ids(hashes[:0]).tolist() == [PAD_ID]
    assert len(table) == 7
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        WordTable.of([hashes], 0)


@pytest.mark.parametrize(("count", "dtype"), [(5_000, np.uint16), (200_000, np.uint8)])
def test_gaps_of_any_size_come_back(count, dtype):
    rng = np.random.default_rng(0)
    keys = np.unique(rng.integers(0, 2**24, count)).astype(np.uint32)
    keys = np.concatenate([[0, 255, 510, 511], keys[keys > 70_000]]).astype(np.uint32)
    packed = pack_keys(keys)
    assert packed.dtype == dtype
    assert unpack_keys(packed).tolist() == keys.tolist()


def test_sixteen_levels_are_near_every_number():
    values = np.random.default_rng(0).normal(size=20_000)
    levels = sixteen_levels(values)
    assert len(levels) == 16 and (np.diff(levels) >= 0).all()
    error = levels[nearest_level(values, levels)] - values
    assert (error**2).mean() < 0.012  # Lloyd's optimum for a normal is .0095
    few = sixteen_levels(np.array([1.0, 2.0, 3.0]))
    assert set(few[nearest_level(np.array([1.0, 2.0, 3.0]), few)]) == {1.0, 2.0, 3.0}


def test_what_is_packed_twice_is_what_was_packed_once(student, tmp_path):
    once = PocketStudent.load(student.save(tmp_path / "once.safetensors"))
    twice = PocketStudent.load(once.save(tmp_path / "twice.safetensors"))
    np.testing.assert_array_equal(once.weights, twice.weights)
    assert len(set(once.weights.tolist())) > 10


def test_nothing_is_overwritten_and_nothing_half_written(student, tmp_path):
    path = student.save(tmp_path / "s.safetensors")
    with pytest.raises(FileExistsError, match="exists already"):
        student.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["s.safetensors"]


def test_damaged_foreign_and_missing_files_are_named(student, tmp_path):
    with pytest.raises(FileNotFoundError, match="no student at"):
        PocketStudent.load(tmp_path / "none.safetensors")
    path = student.save(tmp_path / "s.safetensors")
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged"):
        PocketStudent.load(torn)
    other = tmp_path / "other.safetensors"
    save_file(load_file(path), other)
    with pytest.raises(ValueError, match="no packed student"):
        PocketStudent.load(other)


def test_a_table_can_be_spelt_from_its_texts():
    texts = ["a fine film", "a dull film"]
    table = WordTable.of(word_hashes(texts), 3)
    names = table.spell(texts)
    assert names[:2] == ["", ""] and len(names) == len(table)
    for word in filter(None, names):
        assert names[table.ids(word_hashes([word])[0])[0]] == word
    assert {"a", "film"} <= set(names)


def test_other_than_two_classes_that_exclude_each_other_are_refused(student):
    several = copy.deepcopy(student.cnn)
    several.config.problem_type = "multi_label_classification"
    for change in ({"label_names": list("abc")}, {"cnn": several}):
        with pytest.raises(ValueError, match="two classes that exclude each other"):
            dataclasses.replace(student, **change)
