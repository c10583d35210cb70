"""A bundle's list and a packed student from elsewhere are checked before use."""

import hashlib
import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from distill_helpers.export.bundle import DamagedBundleError, read_about
from distill_helpers.students.ngrams import NgramIndex, word_hashes
from distill_helpers.students.pocket import PocketStudent, WordTable
from distill_helpers.students.text_cnn import (
    TextCNNConfig,
    TextCNNForSequenceClassification,
)


def listed(content=b"x"):
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def about(**change):
    files = {"model.onnx": listed(), "tokenizer.json": listed()}
    reading = {"max_length": 64, "keep": "end", "before": [], "after": [], "pad_id": 0}
    head = {"format": "distill-bundle-1", "labels": ["a", "b"], "temperature": 1.5}
    return head | reading | {"files": files} | change


@pytest.fixture
def folder(tmp_path):
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_a_sound_list_is_read(folder):
    (folder / "bundle.json").write_text(json.dumps(about()))
    assert read_about(folder)["labels"] == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        *({"temperature": t} for t in (0, -1, True, "1", None)),
        *({"labels": names} for names in ([], ["a", "a"], "ab", [1, 2], None)),
        *({"max_length": n} for n in (-1, 0, 1.5, "64", True)),
        {"max_length": 2, "before": [1], "after": [2]},
        {"before": [-1]},
        {"pad_id": -1},
        {"keep": "middle"},
        {"files": {}},
        {"files": {"model.onnx": listed()}},
        {"files": about()["files"] | {"../x": listed()}},
        {"files": about()["files"] | {"/etc/hosts": listed()}},
        {"files": about()["files"] | {"C:x": listed()}},
        {"files": {"model.onnx": {}, "tokenizer.json": {}}},
        {"problem_type": ["a"]},
        {"format": ["distill-bundle-1"]},
    ],
)
def test_a_list_that_makes_no_sense_is_refused(folder, change):
    (folder / "bundle.json").write_text(json.dumps(about(**change)))
    with pytest.raises(DamagedBundleError, match=next(iter(change))):
        read_about(folder)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "1e999", "[" * 90_000])
def test_a_list_that_is_no_json_is_refused(folder, word):
    text = json.dumps(about()).replace("1.5", word)
    (folder / "bundle.json").write_text(text)
    with pytest.raises(DamagedBundleError, match=r"bundle.json.* is damaged"):
        read_about(folder)


@pytest.fixture(scope="module")
def packed(texts, tmp_path_factory):
    hashes = word_hashes(texts)
    index, table = NgramIndex.of(hashes, 2, [1, 2]), WordTable.of(hashes, 50)
    config = TextCNNConfig(vocab_size=len(table), embedding_size=8, filters=6)
    cnn = TextCNNForSequenceClassification(config).eval()
    weights = np.linspace(-1, 1, len(index.keys), dtype=np.float32)
    student = PocketStudent(index, weights, 0.0, table, cnn, 0.5)
    path = student.save(tmp_path_factory.mktemp("pocket") / "s.safetensors")
    with safe_open(path, "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        return json.loads(file.metadata()["about"]), tensors


@pytest.mark.parametrize(
    "change",
    [
        {"embedding_size": 10**12},
        {"embedding_size": 4_000},
        {"filters": 10**12},
        {"filters": 4_000},
        {"widths": [10**9]},
        {"widths": [64] * 16},
        {"longest_text": -1},
        {"longest_run": 10**9},
        {"share": 2},
        {"bias": None},
        {"labels": ["a"]},
        {"rooted": 1},
    ],
)
def test_a_packed_student_gets_no_more_memory_than_it_holds(packed, tmp_path, change):
    said, tensors = packed
    path = tmp_path / "s.safetensors"
    save_file(tensors, path, {"about": json.dumps(said | change)})
    with pytest.raises(ValueError, match="is damaged"):
        PocketStudent.load(path)


@pytest.mark.parametrize("name", ["word_gaps", "embedding.nibbles", "ngram.levels"])
def test_a_packed_student_that_lacks_something_is_refused(packed, tmp_path, name):
    said, tensors = packed
    path = tmp_path / "s.safetensors"
    kept = {key: value for key, value in tensors.items() if key != name}
    save_file(kept, path, {"about": json.dumps(said)})
    with pytest.raises(ValueError, match=f"lacks {name}"):
        PocketStudent.load(path)
