"""A phone's program answers as its student, or says what is missing."""

import importlib.util

import pytest
from conftest import ODD_TEXTS

from distill_helpers.compression.parity import EXACT, FEW_BITS, verify
from distill_helpers.data.encoding import encode_texts
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.executorch import PhoneClassifier, to_executorch
from distill_helpers.students.registry import STUDENTS, build_student

HERE = importlib.util.find_spec("executorch") is not None
needs_executorch = pytest.mark.skipif(
    not HERE, reason="the extra 'phone' (ExecuTorch) is not installed"
)


@needs_executorch
@pytest.mark.parametrize("kind", STUDENTS)
def test_a_program_gives_every_label_of_its_student(kind, trained, reviews, tmp_path):
    model, tokenizer = trained(kind)
    path = to_executorch(model, tmp_path / "s.pte", longest=tokenizer.model_max_length)
    asked = [*reviews["test"]["text"][:500], *ODD_TEXTS]
    ours = PhoneClassifier(path, tokenizer)
    verify(kind, predictor(model, tokenizer), ours, asked, EXACT)
    assert [p.name for p in tmp_path.iterdir()] == ["s.pte"]


@needs_executorch
@pytest.mark.parametrize("kind", ["text-cnn", "tiny-transformer"])
def test_int8_is_smaller_and_near(kind, trained, reviews, texts, tmp_path):
    model, tokenizer = trained(kind)
    longest = tokenizer.model_max_length
    some = [list(ids) for ids in encode_texts(tokenizer, texts[:16])]
    whole = to_executorch(model, tmp_path / "f.pte", longest=longest)
    small = to_executorch(
        model, tmp_path / "i.pte", bits="int8", longest=longest, calibration=some
    )
    assert small.stat().st_size < whole.stat().st_size
    ours = PhoneClassifier(small, tokenizer)
    asked = [*reviews["test"]["text"][:200], *ODD_TEXTS]
    verify("int8", predictor(model, tokenizer), ours, asked, FEW_BITS)


@pytest.mark.skipif(HERE, reason="ExecuTorch is installed")
def test_what_is_missing_is_named_and_nothing_written(tokenizers, tmp_path):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer)
    with pytest.raises(ImportError, match=r"distill-helpers\[phone\]"):
        to_executorch(model, tmp_path / "s.pte")
    (tmp_path / "x.pte").write_bytes(b"?")
    with pytest.raises(ImportError, match="extra that is not installed"):
        PhoneClassifier(tmp_path / "x.pte", tokenizer)
    assert [p.name for p in tmp_path.iterdir()] == ["x.pte"]


def test_what_makes_no_sense_is_refused(tokenizers, bert, tmp_path):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer)
    with pytest.raises(ValueError, match="bits must be one of"):
        to_executorch(model, tmp_path / "s.pte", bits="int4")
    with pytest.raises(ValueError, match="calibration must hold"):
        to_executorch(model, tmp_path / "s.pte", bits="int8")
    linear = build_student("bigram", tokenizers["bigram"])
    for other in (linear, bert):
        with pytest.raises(ValueError, match="got (Bigram|Bert)For"):
            to_executorch(other, tmp_path / "s.pte", bits="int8", calibration=[[1]])
    with pytest.raises(FileNotFoundError, match="no program at"):
        PhoneClassifier(tmp_path / "none.pte", tokenizer)
