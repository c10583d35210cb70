"""Smaller tables of words: rewritten tokenisers, narrow factors."""

import numpy as np
import pytest
import torch
from conftest import ODD_TEXTS, small_bert
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from distill_helpers.compression.parity import verify
from distill_helpers.compression.pruning import importances, prune
from distill_helpers.compression.vocabulary import (
    count_tokens,
    factorise_embedding,
    prune_vocabulary,
)
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.evaluation.cost import count_parameters
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import STUDENTS, build_student

KINDS = [*list(STUDENTS)[1:], "bert"]


def make(kind, tokenizers, bert_tokenizer):
    torch.manual_seed(0)
    if kind == "bert":
        return small_bert(bert_tokenizer), bert_tokenizer
    return build_student(kind, tokenizers[kind]).eval(), tokenizers[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_kept_tokens_keep_their_rows_and_texts_their_meaning(
    kind, tokenizers, bert_tokenizer, texts
):
    model, tokenizer = make(kind, tokenizers, bert_tokenizer)
    keep = len(tokenizer) - 50
    smaller, reader = prune_vocabulary(model, tokenizer, texts, keep)
    assert len(reader) == keep == smaller.get_input_embeddings().num_embeddings
    old = model.get_input_embeddings().weight
    new = smaller.get_input_embeddings().weight
    for token, number in reader.get_vocab().items():
        assert new[number].equal(old[tokenizer.get_vocab()[token]])
    used = count_tokens(tokenizer, texts)
    rare = set(tokenizer.get_vocab()) - set(reader.get_vocab())
    assert max(used[tokenizer.get_vocab()[token]] for token in rare) <= 3
    untouched = [text for text in texts if not rare & set(tokenizer.tokenize(text))]
    assert len(untouched) >= 5
    verify(kind, predictor(model, tokenizer), predictor(smaller, reader), untouched)
    assert np.isfinite(predictor(smaller, reader)(ODD_TEXTS)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_the_tokens_still_spell_every_text(
    kind, tokenizers, bert_tokenizer, texts, tmp_path
):
    model, tokenizer = make(kind, tokenizers, bert_tokenizer)
    smaller, reader = prune_vocabulary(model, tokenizer, texts, len(tokenizer) // 2)
    assert len(tokenizer) == model.get_input_embeddings().num_embeddings
    unknown = reader.unk_token
    for text in texts[:20]:
        assert tokenizer.tokenize(text).count(unknown) == reader.tokenize(text).count(
            unknown
        )
    specials = reader(texts[0])["input_ids"]
    if reader.cls_token:
        assert (
            specials[0] == reader.cls_token_id and specials[-1] == reader.sep_token_id
        )
    assert smaller.config.pad_token_id == reader.pad_token_id
    smaller.save_pretrained(tmp_path)
    reader.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    verify("loaded", predictor(smaller, reader), predictor(again, loaded), texts[:20])


@pytest.mark.parametrize("kind", KINDS)
def test_a_factorised_embedding_of_high_rank_is_the_embedding(
    kind, tokenizers, bert_tokenizer, texts, tmp_path
):
    model, tokenizer = make(kind, tokenizers, bert_tokenizer)
    table = model.get_input_embeddings().weight
    with torch.no_grad():  # of rank 4, so that rank 4 loses nothing
        left, strength, right = torch.linalg.svd(table, full_matrices=False)
        table.copy_(left[:, :4] * strength[:4] @ right[:4])
    exact = factorise_embedding(model, 4)
    assert count_parameters(exact) < count_parameters(model)
    answer = predictor(exact, tokenizer)
    verify("exact", predictor(model, tokenizer), answer, [*texts[:20], *ODD_TEXTS])
    exact.save_pretrained(tmp_path / "model")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    verify("loaded", answer, predictor(again.eval(), tokenizer), texts[:20])
    path = trace_onnx(exact, tmp_path / "model.onnx")
    verify("traced", answer, OnnxClassifier(path, tokenizer), texts[:20])
    with pytest.raises(ValueError, match="factorised already"):
        factorise_embedding(exact, 2)


def test_a_factorised_model_can_be_pruned(bert_tokenizer, labelled):
    model = factorise_embedding(small_bert(bert_tokenizer, num_attention_heads=4), 8)
    reads = encode_reviews(labelled.select(range(8)), bert_tokenizer)
    scores = importances(model, bert_tokenizer, reads)
    smaller = prune(model, ffn=0.5, scores=scores)
    assert count_parameters(smaller) < count_parameters(model)
    assert smaller.config.ranks


def test_what_makes_no_sense_is_refused(bert_tokenizer, texts):
    model = small_bert(bert_tokenizer)
    rows = len(bert_tokenizer)
    for keep, message in ((rows, "must be below"), (3, "must be at least")):
        with pytest.raises(ValueError, match=f"keep {message}"):
            prune_vocabulary(model, bert_tokenizer, texts, keep)
    with pytest.raises(ValueError, match="texts must hold at least one"):
        prune_vocabulary(model, bert_tokenizer, [], 100)
    for rank in (0, 32):
        with pytest.raises(ValueError, match="rank must lie in 1"):
            factorise_embedding(model, rank)
    with pytest.raises(ValueError, match="prune the vocabulary first"):
        prune_vocabulary(factorise_embedding(model, 4), bert_tokenizer, texts, 300)
