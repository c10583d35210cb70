"""Training, judging, labelling, pruning and export on a real accelerator.

Without one, the devices of batches are held to those of models by
``tests/evaluation/test_devices.py``; these tests ask the hardware itself.
"""

import copy

import numpy as np
import pytest
import torch
from conftest import small_bert

from distill_helpers.compression.aware_training import bake_bits, begin_training_bits
from distill_helpers.compression.pruning import importances, prune
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.evaluation.cost import measure_cost
from distill_helpers.evaluation.predict import predict_encoded, predictor
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import STUDENTS, build_student
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.finetuning import (
    finetune,
    load_encoder,
    predict_logits,
    save_teacher,
)
from distill_helpers.teachers.live import HuggingFaceTeacher
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.recipes import judge, train_further
from distill_helpers.training.trainer import DistillationTrainer

pytestmark = pytest.mark.skipif(
    not torch.accelerator.is_available(), reason="this machine has no accelerator"
)


@pytest.fixture
def device():
    return torch.accelerator.current_accelerator()


def kind_of(model):
    return next(model.parameters()).device.type


def on_the_cpu(model):
    return copy.deepcopy(model).cpu()


@pytest.mark.parametrize("kind", STUDENTS)
def test_a_student_trained_there_is_judged_and_exported_there(
    kind, trained, texts, labels, device, tmp_path
):
    model, tokenizer = trained(kind)
    assert kind_of(model) == device.type
    there = predictor(model, tokenizer)(texts)
    here = predictor(on_the_cpu(model), tokenizer)(texts)
    np.testing.assert_allclose(there, here, atol=2e-2)  # TF32 and other kernels
    assert judge(model, tokenizer, texts, labels).accuracy >= 0
    path = trace_onnx(model, tmp_path / "model.onnx")
    assert kind_of(model) == device.type
    np.testing.assert_allclose(
        OnnxClassifier(path, tokenizer).logits(texts), here, atol=1e-3
    )
    cost = measure_cost(
        predictor(model, tokenizer), texts, parameters=1, bytes_on_disk=1, single=3
    )
    assert cost.reviews_per_second > 0


@pytest.mark.parametrize("live", [False, True])
def test_a_teacher_labels_there_and_a_student_learns_from_it(
    live, bert, bert_tokenizer, labelled, tokenizers, device, tmp_path
):
    asked = list(labelled["text"])
    here = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64).logits(asked)
    moved = HuggingFaceTeacher(
        copy.deepcopy(bert).to(device), bert_tokenizer, max_length=64
    )
    np.testing.assert_allclose(moved.logits(asked), here, atol=2e-2)
    tokenizer = tokenizers["text-cnn"]
    trainer = DistillationTrainer(
        build_student("text-cnn", tokenizer),
        CachedTeacher(moved, tmp_path / "cache"),
        DistillationConfig(
            output_dir=str(tmp_path / "run"),
            live_teacher=live,
            max_steps=3,
            eval_strategy="steps",
            eval_steps=3,
            save_strategy="no",
        ),
        labelled,
        labelled,
        processing_class=tokenizer,
    )
    trainer.train()
    assert kind_of(trainer.model) == device.type
    reads = encode_reviews(labelled, tokenizer)
    assert predict_encoded(trainer.model, tokenizer, reads).shape == (len(asked), 2)


def test_an_encoder_is_fine_tuned_there(
    bert, bert_tokenizer, texts, labels, device, tmp_path
):
    save_teacher(bert, bert_tokenizer, tmp_path / "base")
    model, tokenizer = load_encoder(str(tmp_path / "base"))
    model.to(device)
    losses = finetune(
        model,
        tokenizer,
        texts,
        labels,
        epochs=3,
        max_length=64,
        batch_size=8,
        learning_rate=3e-3,
    )
    assert losses[-1] < losses[0]
    answers = predict_logits(model, tokenizer, texts, max_length=64)
    assert answers.shape == (len(texts), 2) and np.isfinite(answers).all()


def test_channels_are_weighed_and_taken_away_there(
    bert_tokenizer, labelled, texts, device
):
    torch.manual_seed(0)
    model = small_bert(bert_tokenizer, num_attention_heads=4, num_hidden_layers=2)
    reads = encode_reviews(labelled, bert_tokenizer)
    here = importances(model, bert_tokenizer, reads)
    there = importances(model.to(device), bert_tokenizer, reads)
    for name, scores in here.items():
        torch.testing.assert_close(there[name].cpu(), scores, atol=1e-3, rtol=5e-2)
    smaller = prune(model, ffn=0.5, heads=0.5, scores=there)
    assert kind_of(smaller) == device.type
    recovered = train_further(
        smaller, bert_tokenizer, reads, reads, steps=3, learning_rate=1e-3
    )
    assert np.isfinite(predictor(recovered, bert_tokenizer)(texts)).all()


def test_bits_are_trained_there(trained, labelled, texts):
    model, tokenizer = trained("text-cnn")
    model = copy.deepcopy(model)
    begin_training_bits(model, 4)
    reads = encode_reviews(labelled, tokenizer)
    train_further(model, tokenizer, reads, reads, steps=3, learning_rate=1e-3)
    assert np.isfinite(predictor(bake_bits(model), tokenizer)(texts)).all()
