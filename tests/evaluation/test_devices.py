"""Judging, labelling, weighing and export ask a model where it lies.

The other device is one that is not there (``tests/other_device.py``): a tensor
left on the wrong side fails, and what comes out equals the CPU's answer.
"""

import copy
import functools

import numpy as np
import pytest
import torch
from other_device import DEVICE, OtherDevice

from distill_helpers.compression.pruning import (
    groups_of,
    importances,
    prune,
    prune_filters,
)
from distill_helpers.compression.vocabulary import (
    factorise_embedding,
    prune_vocabulary,
)
from distill_helpers.data.encoding import device_of, encode_reviews
from distill_helpers.evaluation.cost import measure_cost
from distill_helpers.evaluation.predict import predict_encoded, predictor
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import STUDENTS, build_student
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.finetuning import finetune, predict_logits
from distill_helpers.teachers.live import HuggingFaceTeacher, weights_revision

# Other kernels add in another order; how much that moves depends on the machine.
NEAR = {"rtol": 1e-4, "atol": 1e-4}


def elsewhere(model):
    return copy.deepcopy(model).to(DEVICE)


def without_dropout(model):
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def test_the_device_refuses_what_an_accelerator_refuses():
    layer = torch.nn.Linear(3, 2)
    here = torch.ones(1, 3)
    expected = layer(here)
    with OtherDevice() as device:
        layer.to(device)
        with pytest.raises(RuntimeError, match="two devices"):
            layer(here)
        with pytest.raises(TypeError, match="float64"):
            here.double().to(device)
        there = layer(here.to(device))
        assert there.device.type == device.type
        with pytest.raises(RuntimeError, match="numpy"):
            there.detach().numpy()
        assert torch.equal(there.cpu(), expected)


@pytest.mark.parametrize("kind", STUDENTS)
def test_a_student_is_judged_where_it_lies(kind, tokenizers, texts):
    tokenizer = tokenizers[kind]
    model = build_student(kind, tokenizer)
    expected = predictor(model, tokenizer)(texts[:20])
    with OtherDevice():
        moved = elsewhere(model)
        found = predictor(moved, tokenizer, batch_size=8)(texts[:20])
        cost = measure_cost(
            predictor(moved, tokenizer),
            texts[:4],
            parameters=1,
            bytes_on_disk=1,
            single=2,
            batch_size=4,
        )
        assert device_of(moved) == DEVICE
    assert found.dtype == np.float32 and cost.peak_memory_mb > 0
    np.testing.assert_allclose(found, expected, **NEAR)


@pytest.mark.parametrize("windows", [True, False])
def test_a_teacher_labels_where_it_lies(windows, bert, bert_tokenizer, texts, tmp_path):
    options = {"windows": windows, "max_length": 64, "progress": False}
    here = HuggingFaceTeacher(bert, bert_tokenizer, **options)
    with OtherDevice():
        there = HuggingFaceTeacher(elsewhere(bert), bert_tokenizer, **options)
        assert weights_revision(there.model) == weights_revision(bert)
        cached = CachedTeacher(there, tmp_path)
        found = cached.logits(texts[:9])
    np.testing.assert_allclose(found, here.logits(texts[:9]), **NEAR)


def test_an_encoder_is_fine_tuned_where_it_lies(
    bert, bert_tokenizer, texts, labels, monkeypatch
):
    asked = []
    autocast = torch.autocast

    def recorded(kind, dtype):
        asked.append(kind)
        # the device that is not there has none, and whole precision can be compared
        return autocast("cpu", dtype, enabled=False)

    monkeypatch.setattr(torch, "autocast", recorded)
    plain = functools.partial(torch.optim.AdamW, foreach=False)
    monkeypatch.setattr(torch.optim, "AdamW", lambda *a, fused, **o: plain(*a, **o))
    settings = {"epochs": 1, "batch_size": 8, "max_length": 32}
    here = without_dropout(bert)  # what it draws differs from kernel to kernel
    there = copy.deepcopy(here)
    expected = finetune(here, bert_tokenizer, texts[:24], labels[:24], **settings)
    assert set(asked) == {"cpu"}
    asked.clear()
    with OtherDevice():
        there = there.to(DEVICE)
        found = finetune(there, bert_tokenizer, texts[:24], labels[:24], **settings)
        answers = predict_logits(there, bert_tokenizer, texts[:5], max_length=32)
        assert device_of(there) == DEVICE
    assert set(asked) == {DEVICE.type}
    assert len(found) == len(expected) == 3
    np.testing.assert_allclose(found, expected, **NEAR)
    assert answers.shape == (5, 2) and np.isfinite(answers).all()


def test_channels_are_weighed_and_taken_away_where_the_encoder_lies(
    bert, bert_tokenizer, labelled, texts
):
    reads = encode_reviews(labelled.select(range(12)), bert_tokenizer)
    expected = importances(bert, bert_tokenizer, reads)
    with OtherDevice():
        moved = elsewhere(bert)
        scores = importances(moved, bert_tokenizer, reads)
        for name, values in expected.items():
            assert scores[name].device.type == "cpu"
            torch.testing.assert_close(scores[name], values, **NEAR)
        smaller = prune(moved, ffn=0.5, scores=scores)
        assert device_of(smaller) == DEVICE
        found = predict_encoded(smaller, bert_tokenizer, reads)
    smaller = prune(bert, ffn=0.5, scores=expected)
    np.testing.assert_allclose(
        found, predict_encoded(smaller, bert_tokenizer, reads), **NEAR
    )
    assert groups_of(smaller)


def test_filters_and_words_are_taken_away_where_the_student_lies(
    tokenizers, labelled, texts
):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer, filters=8)
    reads = encode_reviews(labelled.select(range(12)), tokenizer)
    expected = importances(model, tokenizer, reads)
    with OtherDevice():
        moved = elsewhere(model)
        narrow = prune_filters(moved, 0.5, importances(moved, tokenizer, reads))
        few, fewer = prune_vocabulary(moved, tokenizer, texts, 500)
        thin = factorise_embedding(moved, 4)
        assert {device_of(m) for m in (narrow, few, thin)} == {DEVICE}
        found = [
            predictor(narrow, tokenizer)(texts[:9]),
            predictor(few, fewer)(texts[:9]),
            predictor(thin, tokenizer)(texts[:9]),
        ]
    few, fewer = prune_vocabulary(model, tokenizer, texts, 500)
    here = [
        predictor(prune_filters(model, 0.5, expected), tokenizer)(texts[:9]),
        predictor(few, fewer)(texts[:9]),
        predictor(factorise_embedding(model, 4), tokenizer)(texts[:9]),
    ]
    for there, expected in zip(found, here):
        np.testing.assert_allclose(there, expected, **NEAR)


def test_a_student_is_exported_from_a_copy_and_stays_where_it_lies(
    tokenizers, texts, tmp_path
):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer, filters=8)
    expected = predictor(model, tokenizer)(texts[:9])
    with OtherDevice():
        moved = elsewhere(model)
        path = trace_onnx(moved, tmp_path / "model.onnx")
        assert device_of(moved) == DEVICE
    found = OnnxClassifier(path, tokenizer)(texts[:9])
    np.testing.assert_allclose(found, expected, **NEAR)
