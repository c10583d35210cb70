"""DP-SGD through Opacus: which students can be trained, and what becomes of them."""

import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from distill_helpers.data.encoding import EncodedReviews, encode_texts
from distill_helpers.students.registry import build_student
from distill_helpers.students.tokenizers import train_tokenizer
from distill_helpers.training.private import stochastic
from distill_helpers.training.private.stochastic import (
    NotPrivateError,
    train_privately,
    why_not_private,
)

SMALL = {"text-cnn": {"filters": 8, "embedding_size": 8}}


@pytest.fixture(scope="module")
def opacus():
    return pytest.importorskip("opacus", reason="Opacus is not installed: [trust]")


def student_of(kind, texts):
    tokenizer = train_tokenizer(texts, kind, vocab_size=200)
    return build_student(kind, tokenizer, **SMALL.get(kind, {})), tokenizer


def private_texts(tokenizer, texts, labels):
    return EncodedReviews(encode_texts(tokenizer, texts), np.array(labels))


def test_the_text_cnn_learns_within_its_budget(opacus, texts, labels):
    model, tokenizer = student_of("text-cnn", texts)
    assert why_not_private(model) == []
    before = model.classifier.weight.detach().clone()
    train = private_texts(tokenizer, texts, labels)
    state = torch.random.get_rng_state()
    spent = train_privately(model, tokenizer, train, epsilon=4.0, steps=3, batch_size=8)
    assert 3.9 < spent.epsilon <= 4 and spent.rate == 8 / 64 and spent.steps == 3
    assert not torch.equal(before, model.classifier.weight)
    # Nothing of Opacus is left on it, and nobody else's dice were touched.
    assert not any(hasattr(w, "grad_sample") for w in model.parameters())
    assert not model.training and torch.equal(state, torch.random.get_rng_state())
    twin, _ = student_of("text-cnn", texts)
    assert train_privately(twin, tokenizer, train, epsilon=None, steps=2) is None


def test_gradients_of_texts_are_those_of_each_alone(opacus, texts):
    model, _ = student_of("text-cnn", texts)
    model.dropout.p = 0.0
    ids = torch.arange(1, 13).reshape(3, 4)
    targets = torch.tensor([0, 1, 1])
    alone = []
    for row in range(3):
        model.zero_grad()
        F.cross_entropy(
            model(ids[row : row + 1]).logits, targets[row : row + 1]
        ).backward()
        alone.append(model.classifier.weight.grad.clone())
    wrapped = opacus.GradSampleModule(model)
    F.cross_entropy(wrapped(ids).logits, targets).backward()
    assert torch.allclose(
        model.classifier.weight.grad_sample, torch.stack(alone), atol=1e-6
    )


@pytest.mark.parametrize(
    ("kind", "named"),
    [("bigram", "weights.weight"), ("tiny-transformer", "position_embeddings")],
)
def test_a_student_that_cannot_be_trained_is_named_before_training(
    opacus, texts, labels, kind, named
):
    model, tokenizer = student_of(kind, texts)
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    train = private_texts(tokenizer, texts, labels)
    with pytest.raises(NotPrivateError, match=f"{kind}.*{named}.*The text CNN can"):
        train_privately(model, tokenizer, train, epsilon=2.0, steps=1)
    for name, weight in model.named_parameters():
        assert torch.equal(before[name], weight) and weight.grad is None


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epsilon": 0}, "epsilon must be"),
        ({"epsilon": 2.0, "delta": 1 / 64}, "delta must lie below 1 / 64"),
        ({"epsilon": 2.0, "clip": 0}, "clip must be"),
        ({"epsilon": 2.0, "steps": 0}, "steps must be"),
    ],
)
def test_what_promises_nothing_is_refused(opacus, texts, labels, options, named):
    model, tokenizer = student_of("text-cnn", texts)
    train = private_texts(tokenizer, texts, labels)
    with pytest.raises(ValueError, match=named):
        train_privately(model, tokenizer, train, **options)
    with pytest.raises(ValueError, match="a label for each text, got 63 for 64"):
        hidden = private_texts(tokenizer, texts, [-100, *labels[1:]])
        train_privately(model, tokenizer, hidden, epsilon=2.0)


def test_without_opacus_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "opacus", None)
    with pytest.raises(ImportError, match=r"distill-helpers\[trust\].*fit_private"):
        stochastic.why_not_private(None)
