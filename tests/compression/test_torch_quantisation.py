import pytest

from distill_helpers.compression.parity import EIGHT_BITS, verify
from distill_helpers.compression.torch_quantisation import KINDS, quantise_torch
from distill_helpers.evaluation.cost import size_on_disk
from distill_helpers.evaluation.predict import predictor
from distill_helpers.students.registry import build_student


@pytest.fixture(scope="module")
def transformer(tokenizers):
    return build_student(
        "tiny-transformer", tokenizers["tiny-transformer"], hidden_size=64
    ).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_linear_layers_shrink_and_the_source_stays(
    transformer, tokenizers, texts, kind
):
    tokenizer = tokenizers["tiny-transformer"]
    before, size = predictor(transformer, tokenizer)(texts), size_on_disk(transformer)
    smaller = quantise_torch(transformer, kind)
    verify(kind, lambda t: before, predictor(smaller, tokenizer), texts, EIGHT_BITS)
    assert size_on_disk(smaller) < 0.75 * size
    assert (predictor(transformer, tokenizer)(texts) == before).all()


def test_the_saved_form_is_safetensors_and_loads(
    transformer, tokenizers, texts, tmp_path
):
    from transformers import AutoModelForSequenceClassification

    tokenizer = tokenizers["tiny-transformer"]
    smaller = quantise_torch(transformer)
    smaller.save_pretrained(tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} == {".json", ".safetensors"}
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    verify("loaded", predictor(smaller, tokenizer), predictor(again, tokenizer), texts)


def test_what_cannot_be_quantised_is_refused(transformer, tokenizers):
    with pytest.raises(ValueError, match="kind must be one of"):
        quantise_torch(transformer, "int3")
    with pytest.raises(ValueError, match="no linear layer"):
        quantise_torch(build_student("bigram", tokenizers["bigram"], buckets=64))
    with pytest.raises(ValueError, match="quantised already"):
        quantise_torch(quantise_torch(transformer))
