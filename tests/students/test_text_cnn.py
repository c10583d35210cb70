"""A text CNN pools as its config says, and grows without a change of its answers."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from distill_helpers.compression.parity import EXACT, verify
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import build_student
from distill_helpers.students.text_cnn import (
    PLACES,
    POOLINGS,
    TextCNNConfig,
    TextCNNForSequenceClassification,
    mean_of,
    widened,
)


def cnn(**fields) -> TextCNNForSequenceClassification:
    torch.manual_seed(0)
    shape = dict(vocab_size=40, embedding_size=8, filters=6, widths=[1, 3])
    return TextCNNForSequenceClassification(TextCNNConfig(**shape | fields)).eval()


@pytest.fixture
def attentive() -> TextCNNForSequenceClassification:
    model = cnn(pooling=POOLINGS)
    with torch.no_grad():
        model.attention.queries.normal_()
        model.attention.places.normal_()
    return model


def ids(*lengths: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    rows = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in zip(rows, lengths):
        row[:length] = torch.randint(2, 40, (length,), generator=generator)
    return rows


def by_hand(model, row: torch.Tensor) -> torch.Tensor:
    """Answer one text without padding, word by word, as the docstrings say."""
    x = model.embedding.weight[row]
    found = []
    for width, convolution in zip(model.config.widths, model.convolutions):
        padded = F.pad(x, (0, 0, 0, width - 1))
        windows = torch.stack([padded[t : t + width].T for t in range(len(row))])
        sums = (windows[:, None] * convolution.weight).sum((2, 3)) + convolution.bias
        found.append(sums.clamp(min=0))
    scores = torch.stack(
        [
            sum((f[t] * q).sum() for f, q in zip(found, model.attention.queries))
            + model.attention.places[min(PLACES - 1, t * PLACES // len(row))]
            for t in range(len(row))
        ]
    )
    weights = scores.softmax(0)
    pooled = [
        part
        for f in found
        for part in (f.amax(0), f.mean(0), (weights[:, None] * f).sum(0))
    ]
    return model.classifier(torch.cat(pooled))


def test_attention_is_what_its_definition_says(attentive):
    rows = ids(20, 7, 1)
    with torch.no_grad():
        answers = attentive(rows).logits
        for row, answer in zip(rows, answers):
            expected = by_hand(attentive, row[row != 0])
            torch.testing.assert_close(answer, expected, atol=1e-5, rtol=1e-4)


def test_padding_changes_no_answer_and_no_word_has_one(attentive):
    rows = ids(12, 5)
    more = F.pad(rows, (0, 9))
    with torch.no_grad():
        torch.testing.assert_close(attentive(rows).logits, attentive(more).logits)
        empty = attentive(torch.zeros(1, 4, dtype=torch.long)).logits
    assert torch.isfinite(empty).all()


def test_training_pools_as_answering_does(attentive):
    """The way back is another one, the way there is not."""
    for module in attentive.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    rows = ids(12, 5)
    answers = attentive(rows).logits
    trained = attentive.train()(rows).logits
    torch.testing.assert_close(answers, trained)
    trained.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in attentive.attention.parameters())


def test_words_are_left_out_in_training_alone():
    model = cnn(word_dropout=0.5, dropout=0.0)
    rows = ids(30)
    mask = rows != 0
    assert torch.equal(model._embedded(rows, mask), model.embedding(rows))
    given = model.train()._embedded(rows, mask)[0]
    gone = (given == 0).all(1)
    assert 5 <= gone.sum() <= 25
    torch.testing.assert_close(given[~gone], 2 * model.embedding(rows)[0][~gone])


def test_a_widened_cnn_begins_with_the_answers_that_there_were():
    before, rows = cnn(), ids(20, 7, 1)
    after = widened(before, pooling=["attention", "mean", "max"], word_dropout=0.1)
    assert after.config.word_dropout == 0.1 and after.config.filters == 6
    assert before.config.pooling == ["max", "mean"]
    with torch.no_grad():
        torch.testing.assert_close(before(rows).logits, after(rows).logits)
    after.train()(rows).logits.sum().backward()
    assert after.classifier.weight.grad.unflatten(1, (2, 3, 6))[:, :, 0].any()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pooling": ["attention"]}, r"must hold all of \['max', 'mean'\]"),
        ({"filters": 9}, r"only pooling, .* may change, got \['filters'\]"),
        ({"word_dropout": 1.0}, r"word_dropout must lie in \[0, 0.9\], got 1.0"),
    ],
    ids=["fewer", "filters", "words"],
)
def test_what_cannot_be_widened_is_named(changes, says):
    with pytest.raises(ValueError, match=says):
        widened(cnn(), **changes)


def test_a_mean_has_the_means_of_all_weights():
    one, two = cnn(), cnn()
    with torch.no_grad():
        for value in two.parameters():
            value.add_(1)
    mean = mean_of([one, two])
    for name, value in mean.state_dict().items():
        torch.testing.assert_close(value, one.state_dict()[name] + 0.5)
    assert torch.equal(mean_of([one]).classifier.bias, one.classifier.bias)


def test_no_cnn_and_unlike_ones_have_no_mean():
    for cnns in ([], [cnn(), cnn(filters=7)]):
        with pytest.raises(ValueError, match="one or more CNNs of one shape, got"):
            mean_of(cnns)


@pytest.mark.parametrize(
    "pooling",
    [[], ["max", "max"], ["maximum"], "max"],
    ids=["none", "twice", "unknown", "no list"],
)
def test_other_poolings_are_refused(pooling):
    with pytest.raises(ValueError, match="pooling must be a list of one or more"):
        TextCNNConfig(pooling=pooling)


def test_an_attentive_student_is_saved_loaded_and_exported(
    attentive, tmp_path, tokenizers, texts
):
    attentive.save_pretrained(tmp_path / "kept")
    again = TextCNNForSequenceClassification.from_pretrained(tmp_path / "kept").eval()
    rows = ids(12, 5)
    with torch.no_grad():
        torch.testing.assert_close(attentive(rows).logits, again(rows).logits)
    tokenizer = tokenizers["text-cnn"]
    student = build_student("text-cnn", tokenizer, filters=6, pooling=POOLINGS).eval()
    with torch.no_grad():
        student.attention.queries.normal_()
    graph = OnnxClassifier(trace_onnx(student, tmp_path / "s.onnx"), tokenizer)
    asked = texts[:40]
    verify("text-cnn", predictor(student, tokenizer), graph, asked, EXACT)
    assert np.isfinite(graph(asked)).all()
