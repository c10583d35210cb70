"""A bundle reads as its student reads, and is held against its list."""

import json

import numpy as np
import pytest
import torch
from conftest import ODD_TEXTS, small_bert

from distill_helpers.compression.onnx_quantisation import quantise_dynamic
from distill_helpers.compression.parity import EXACT, verify
from distill_helpers.data.cleaning import clean_text
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.bundle import (
    ABOUT,
    MODEL,
    TOKENIZER,
    DamagedBundleError,
    TextClassifier,
    bundle_bytes,
    write_bundle,
)
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import STUDENTS, build_student

KINDS = [*STUDENTS, "bert"]


@pytest.fixture(scope="module")
def traced(tmp_path_factory, tokenizers, bert_tokenizer):
    made = {}

    def get(kind):
        if kind not in made:
            torch.manual_seed(0)
            if kind == "bert":
                model, tokenizer = small_bert(bert_tokenizer), bert_tokenizer
            else:
                tokenizer = tokenizers[kind]
                model = build_student(kind, tokenizer).eval()
            if kind == "bigram":
                torch.nn.init.normal_(model.weights.weight, std=0.3)
            path = tmp_path_factory.mktemp(kind) / "source.onnx"
            made[kind] = model, tokenizer, trace_onnx(model, path)
        return made[kind]

    return get


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_answers_as_the_model_it_was_made_of(traced, tmp_path, texts, kind):
    model, tokenizer, path = traced(kind)
    folder = write_bundle(tmp_path / "b", path, tokenizer, ["bad", "good"])
    reader = TextClassifier(folder)
    asked = [*texts, *map(clean_text, ODD_TEXTS)]
    verify(kind, predictor(model, tokenizer), reader, asked, EXACT)
    raw = "<i>Caf&eacute;</i>,<br />na\u00efve \u2014 a film&hellip;"
    np.testing.assert_array_equal(reader([raw]), reader([clean_text(raw)]))
    assert reader([]).shape == (0, 2)
    with pytest.raises(TypeError, match="must be a list of texts, got the text 'a'"):
        reader("a")
    assert {p.name for p in folder.iterdir()} == {MODEL, TOKENIZER, ABOUT}
    assert bundle_bytes(folder) < 1.5 * path.stat().st_size + 100_000
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_keeps_its_special_tokens_and_the_right_end(traced, tmp_path, kind):
    _, tokenizer, path = traced(kind)
    folder = write_bundle(tmp_path / "b", path, tokenizer, ["bad", "good"])
    about = json.loads((folder / ABOUT).read_text())
    text = " ".join(f"word{i} film" for i in range(3_000))
    ids = tokenizer(text, truncation=True)["input_ids"]
    plain = tokenizer(text, add_special_tokens=False, truncation=False)["input_ids"]
    room = about["max_length"] - len(about["before"]) - len(about["after"])
    cut = plain[-room:] if about["keep"] == "end" else plain[:room]
    assert ids == [*about["before"], *cut, *about["after"]]
    assert about["keep"] == ("beginning" if kind == "bert" else "end")
    assert bool(about["before"]) == (kind == "bert")


def test_probabilities_are_calibrated_and_labels_named(traced, tmp_path, texts):
    _, tokenizer, path = traced("text-cnn")
    plain = OnnxClassifier(path, tokenizer)(texts[:5])
    folder = write_bundle(
        tmp_path / "b", path, tokenizer, ["no", "yes"], temperature=2.0
    )
    answers = TextClassifier(folder).classify(texts[:5])
    for answer, logits in zip(answers, plain):
        half = np.exp(logits / 2) / np.exp(logits / 2).sum()
        assert answer.label == ("no", "yes")[logits.argmax()]
        assert answer.probability == pytest.approx(half.max(), rel=1e-4)
        np.testing.assert_allclose(answer.logits, logits / 2, rtol=1e-4)


def test_whole_words_stay_whole_words(traced, tmp_path):
    """The linear student's tokeniser changes its kind, not what it says."""
    from tokenizers import Tokenizer

    _, tokenizer, path = traced("bigram")
    folder = write_bundle(tmp_path / "b", path, tokenizer, ["bad", "good"])
    other = Tokenizer.from_file(str(folder / TOKENIZER))
    known = [w for w in tokenizer.get_vocab() if w.isalpha()][:50]
    for word in [*known, *(w[:-1] for w in known), *(w + "x" for w in known), "##s"]:
        ours = tokenizer(word, add_special_tokens=False)["input_ids"]
        assert other.encode(word, add_special_tokens=False).ids == ours, word


def test_a_quantised_model_may_be_in_it_and_remember_its_scores(
    traced, tmp_path, texts
):
    _, tokenizer, path = traced("text-cnn")
    small = quantise_dynamic(path, tmp_path / "int8.onnx")
    folder = write_bundle(
        tmp_path / "b", small, tokenizer, ["bad", "good"], about={"accuracy": 0.9}
    )
    reader = TextClassifier(folder, threads=1)
    assert reader.about["about"] == {"accuracy": 0.9}
    assert reader.about["kit"]
    ours = OnnxClassifier(small, tokenizer)
    np.testing.assert_allclose(reader(texts[:8]), ours(texts[:8]), atol=1e-4)


def test_damage_is_named_before_anything_is_answered(traced, tmp_path):
    _, tokenizer, path = traced("text-cnn")
    folder = write_bundle(tmp_path / "b", path, tokenizer, ["bad", "good"])
    whole = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(whole[:-1] + b"?")
    with pytest.raises(DamagedBundleError, match="model.onnx.*checksum differs"):
        TextClassifier(folder)
    (folder / MODEL).unlink()
    with pytest.raises(FileNotFoundError, match="lacks 'model.onnx'"):
        TextClassifier(folder)
    (folder / ABOUT).write_text('{"format": "other", "files": {}}')
    with pytest.raises(DamagedBundleError, match="must have the format"):
        TextClassifier(folder)
    (folder / ABOUT).write_text("{")
    with pytest.raises(DamagedBundleError, match="is damaged"):
        TextClassifier(folder)
    (folder / ABOUT).unlink()
    with pytest.raises(FileNotFoundError, match="is no bundle"):
        TextClassifier(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_names": ["a"]}, "2 different names"),
        ({"label_names": ["a", "a"]}, "2 different names"),
        ({"temperature": 0.0}, "temperature must be a finite number above 0"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    traced, tmp_path, options, message
):
    _, tokenizer, path = traced("text-cnn")
    given = {"label_names": ["bad", "good"]} | options
    with pytest.raises(ValueError, match=message):
        write_bundle(tmp_path / "b", path, tokenizer, **given)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("stays")
    with pytest.raises(FileExistsError, match="exists already"):
        write_bundle(tmp_path / "b", path, tokenizer, ["bad", "good"])


def test_names_in_another_order_than_the_models_are_refused(tokenizers, tmp_path):
    tokenizer, named = tokenizers["bigram"], ["negative", "positive"]
    model = build_student("bigram", tokenizer, buckets=64, label_names=named)
    path = trace_onnx(model, tmp_path / "named.onnx")
    rounded = quantise_dynamic(path, tmp_path / "rounded.onnx")
    for number, file in enumerate((path, rounded)):
        assert OnnxClassifier(file, tokenizer).label_names == named
        for wrong in (named[::-1], ["Positive ", "other"]):
            with pytest.raises(ValueError, match="must have the ONNX file's order"):
                write_bundle(tmp_path / "b", file, tokenizer, wrong)
        assert not (tmp_path / "b").exists()
        folder = write_bundle(tmp_path / f"{number}", file, tokenizer, ["负面", "正面"])
        assert TextClassifier(folder).labels == ["负面", "正面"]


def test_a_model_without_names_takes_any(tokenizers, tmp_path):
    tokenizer, nameless = tokenizers["bigram"], ["LABEL_0", "LABEL_1"]
    model = build_student("bigram", tokenizer, buckets=64, label_names=nameless)
    path = trace_onnx(model, tmp_path / "nameless.onnx")
    assert OnnxClassifier(path, tokenizer).label_names is None
    folder = write_bundle(tmp_path / "b", path, tokenizer, ["positive", "negative"])
    assert TextClassifier(folder).labels == ["positive", "negative"]
