"""Channels and heads are taken away, and what is left is a whole model."""

import copy

import pytest
import torch
from conftest import ODD_TEXTS, small_bert
from transformers import (
    AutoModelForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
)

from distill_helpers.compression.parity import verify
from distill_helpers.compression.pruning import (
    groups_of,
    importances,
    keep_units,
    multiplications,
    prune,
    prune_filters,
)
from distill_helpers.data.encoding import EncodedReviews, encode_reviews
from distill_helpers.evaluation.cost import count_parameters, size_on_disk
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import build_student
from distill_helpers.training.recipes import train_further


def distilbert(tokenizer):
    config = DistilBertConfig(
        vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=40
    )
    return DistilBertForSequenceClassification(config).eval()


MAKERS = {
    "bert": lambda t: small_bert(t, num_attention_heads=4, num_hidden_layers=2),
    "distilbert": distilbert,
    "student": lambda t: build_student(
        "tiny-transformer", t, hidden_size=32, intermediate_size=40
    ).eval(),
}


@pytest.fixture(params=sorted(MAKERS))
def encoder(request, bert_tokenizer, labelled):
    torch.manual_seed(0)
    model = MAKERS[request.param](bert_tokenizer)
    return model, bert_tokenizer, encode_reviews(labelled, bert_tokenizer)


def test_a_pruned_encoder_is_smaller_saves_loads_and_exports(encoder, texts, tmp_path):
    model, tokenizer, reads = encoder
    scores = importances(model, tokenizer, reads)
    before = copy.deepcopy(model.state_dict())
    smaller = prune(model, ffn=0.5, heads=0.5, scores=scores)
    for name, value in model.state_dict().items():
        assert value.equal(before[name])
    assert count_parameters(smaller) < count_parameters(model)
    assert size_on_disk(smaller) < size_on_disk(model)
    assert multiplications(smaller) < 0.6 * multiplications(model)
    smaller.save_pretrained(tmp_path / "model")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    asked = [*texts[:20], *ODD_TEXTS]
    answer = predictor(smaller, tokenizer)
    verify("loaded", answer, predictor(again.eval(), tokenizer), asked)
    path = trace_onnx(again, tmp_path / "model.onnx")
    verify("traced", answer, OnnxClassifier(path, tokenizer), asked)


def test_it_can_be_pruned_again_and_trained_further(encoder):
    model, tokenizer, reads = encoder
    once = prune(model, ffn=0.5, scores=importances(model, tokenizer, reads))
    twice = prune(once, heads=0.5, scores=importances(once, tokenizer, reads))
    assert count_parameters(twice) < count_parameters(once)
    before = [p.detach().clone() for p in twice.parameters()]
    train_further(
        twice, tokenizer, reads, reads, steps=2, learning_rate=1e-3, best=False
    )
    assert any(not a.equal(b.cpu()) for a, b in zip(before, twice.parameters()))


def test_units_without_any_effect_go_first_and_nothing_changes(encoder, texts):
    """A channel whose reader ignores it can be taken away without a trace."""
    model, tokenizer, reads = encoder
    with torch.no_grad():
        for group in groups_of(model):
            width = group.unit * (group.count // 2)
            model.get_submodule(group.consumer).weight[:, :width] = 0
    scores = importances(model, tokenizer, reads)
    for group in groups_of(model):
        half = group.count // 2
        assert scores[group.consumer][:half].max() == 0
        assert scores[group.consumer][half:].min() > 0
    smaller = prune(model, ffn=0.5, heads=0.5, scores=scores)
    verify(
        "idle", predictor(model, tokenizer), predictor(smaller, tokenizer), texts[:20]
    )


def test_the_estimate_is_the_first_order_change_of_the_loss(bert_tokenizer, labelled):
    """Against a finite difference: scale one head's and one channel's input."""
    from distill_helpers.data.encoding import DistillationCollator
    from distill_helpers.losses.labels import labelled_cross_entropy

    torch.manual_seed(0)
    model = small_bert(
        bert_tokenizer, num_attention_heads=4, initializer_range=0.3
    ).double()
    reads = encode_reviews(labelled.select([0]), bert_tokenizer)
    batch = DistillationCollator(bert_tokenizer.pad_token_id)([reads[0]])

    def loss():
        logits = model(batch["input_ids"], batch["attention_mask"]).logits
        return labelled_cross_entropy(logits, batch["labels"]).item()

    scores = importances(model, bert_tokenizer, reads)
    for group in groups_of(model):
        reader = model.get_submodule(group.consumer)
        columns = slice(group.unit, 2 * group.unit)
        kept = reader.weight.detach().clone()
        losses = []
        for scale in (1.01, 0.99):
            with torch.no_grad():
                reader.weight[:, columns] = kept[:, columns] * scale
            losses.append(loss())
            with torch.no_grad():
                reader.weight.copy_(kept)
        slope = abs(losses[0] - losses[1]) / 0.02
        assert scores[group.consumer][1].item() == pytest.approx(slope, rel=0.05)


def test_filters_of_a_text_cnn_go_with_their_columns(
    tokenizers, labelled, texts, tmp_path
):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer, filters=12).eval()
    reads = encode_reviews(labelled, tokenizer)
    with torch.no_grad():  # the classifier ignores four filters of each width
        for place in range(3):
            for pooling in range(2):
                start = (2 * place + pooling) * 12
                model.classifier.weight[:, start + 2 : start + 6] = 0
    smaller = prune_filters(model, 0.34, importances(model, tokenizer, reads))
    assert smaller.config.filters == 8
    verify("cnn", predictor(model, tokenizer), predictor(smaller, tokenizer), texts)
    smaller.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    verify("loaded", predictor(smaller, tokenizer), predictor(again, tokenizer), texts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ffn": 1.0}, r"ffn must lie in \[0, 1\), got 1.0"),
        ({"heads": -0.1}, r"heads must lie in \[0, 1\), got -0.1"),
        ({"ffn": 0.999, "heads": 0.0}, "leaves nothing of"),
        ({"ffn": 0.0, "heads": 0.1}, "take nothing away"),
        ({"ffn": 0.5, "scores": {}}, "scores do not fit this model"),
    ],
)
def test_a_pruning_that_cannot_be_is_refused(
    bert_tokenizer, labelled, options, message
):
    model = MAKERS["bert"](bert_tokenizer)
    reads = encode_reviews(labelled.select(range(4)), bert_tokenizer)
    given = {"scores": importances(model, bert_tokenizer, reads)} | options
    if options.get("ffn") == 0.999:
        given["ffn"] = 1 - 1e-12
    with pytest.raises(ValueError, match=message):
        prune(model, **given)


def test_other_models_and_empty_samples_are_refused(tokenizers, labelled):
    bigram = build_student("bigram", tokenizers["bigram"], buckets=64)
    reads = encode_reviews(labelled.select(range(4)), tokenizers["bigram"])
    with pytest.raises(ValueError, match="Bigram.* cannot be pruned here"):
        importances(bigram, tokenizers["bigram"], reads)
    with pytest.raises(ValueError, match="a text CNN is wanted"):
        prune_filters(bigram, 0.5, {})
    cnn = build_student("text-cnn", tokenizers["text-cnn"], filters=4)
    with pytest.raises(ValueError, match="reviews must hold at least one"):
        importances(cnn, tokenizers["text-cnn"], EncodedReviews([], []))
    with pytest.raises(ValueError, match="takes nothing away"):
        prune_filters(cnn, 0.1, {f"convolutions.{i}": torch.ones(4) for i in range(3)})


def test_a_share_is_rounded_down_to_whole_units():
    scores = torch.arange(10.0)
    assert len(keep_units(scores, 0.3, "x")) == 7
    assert len(keep_units(scores, 0.39, "x")) == 7
    assert keep_units(scores, 0.0, "x").tolist() == list(range(10))


@pytest.mark.parametrize("length", [24, 32])
def test_multiplications_are_those_of_layers_and_attention(bert_tokenizer, length):
    model = small_bert(bert_tokenizer, num_hidden_layers=2)
    width, inner = model.config.hidden_size, model.config.intermediate_size
    layer = length * (4 * width**2 + 2 * width * inner) + 2 * width * length**2
    head = width**2 + width * model.config.num_labels
    assert multiplications(model, length) == 2 * layer + head
