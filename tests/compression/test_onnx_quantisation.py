"""INT8 and four bits through ONNX Runtime: smaller, still right, or refused."""

import numpy as np
import onnx
import pytest
import torch

from distill_helpers.compression.onnx_quantisation import (
    AlreadyQuantisedError,
    quantise_dynamic,
    quantise_four_bits,
    quantise_static,
)
from distill_helpers.compression.parity import EIGHT_BITS, FEW_BITS, verify
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.onnx import OnnxClassifier, operators, trace_onnx
from distill_helpers.training.recipes import train_student

STEPS = {"bigram": 40, "text-cnn": 40, "tiny-transformer": 60}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tokenizers, texts, labels):
    """Each kind of student, trained a little, and its ONNX file."""
    from datasets import Dataset

    made = {}

    def get(student):
        if student not in made:
            tokenizer = tokenizers[student]
            reads = encode_reviews(
                Dataset.from_dict({"text": texts, "label": labels}), tokenizer
            )
            model = train_student(
                student, tokenizer, reads, reads, steps=STEPS[student], best=False
            )
            path = tmp_path_factory.mktemp(student) / "source.onnx"
            made[student] = model, tokenizer, trace_onnx(model, path)
        return made[student]

    return get


@pytest.mark.parametrize("student", sorted(STEPS))
def test_dynamic_int8_is_smaller_and_says_the_same(trained, tmp_path, texts, student):
    model, tokenizer, source = trained(student)
    target = quantise_dynamic(source, tmp_path / "int8.onnx")
    verify(
        student,
        predictor(model, tokenizer),
        OnnxClassifier(target, tokenizer),
        texts,
        EIGHT_BITS,
    )
    least = {"bigram": 3.7, "text-cnn": 1.5, "tiny-transformer": 2.0}[student]
    assert source.stat().st_size / target.stat().st_size >= least
    assert [p.name for p in tmp_path.iterdir()] == ["int8.onnx"]


@pytest.mark.parametrize("student", sorted(STEPS))
def test_static_int8_learns_its_ranges_from_texts(trained, tmp_path, texts, student):
    model, tokenizer, source = trained(student)
    reader = OnnxClassifier(source, tokenizer)
    target = quantise_static(source, tmp_path / "int8.onnx", reader, texts[:32])
    verify(student, reader, OnnxClassifier(target, tokenizer), texts, FEW_BITS)
    assert operators(target)["DequantizeLinear"] > 0


def test_ranges_from_other_texts_give_another_file(trained, tmp_path, texts):
    _, tokenizer, source = trained("text-cnn")
    reader = OnnxClassifier(source, tokenizer)
    files = [
        quantise_static(source, tmp_path / f"{i}.onnx", reader, some)
        for i, some in enumerate((texts[:32], ["a"], texts[:32]))
    ]
    contents = [path.read_bytes() for path in files]
    assert contents[0] != contents[1]
    answers = [OnnxClassifier(p, tokenizer)(texts[:16]) for p in (files[0], files[2])]
    np.testing.assert_array_equal(*answers)


def scales_of_weights(path):
    """Return how many scales each rounded weight has."""
    graph = onnx.load(path).graph
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
    return {
        node.input[0]: sizes[node.input[1]]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in sizes
    }


def test_rounding_every_operator_leaves_the_weights_their_scales(
    trained, tmp_path, texts
):
    _, tokenizer, source = trained("text-cnn")
    reader = OnnxClassifier(source, tokenizer)
    few = quantise_static(source, tmp_path / "few.onnx", reader, texts)
    every = quantise_static(
        source, tmp_path / "every.onnx", reader, texts, everything=True
    )
    scales = scales_of_weights(few)
    assert max(scales.values()) > 1
    assert scales.items() <= scales_of_weights(every).items()


def test_four_bits_are_smaller_than_eight_where_matrices_are(trained, tmp_path, texts):
    model, tokenizer, source = trained("tiny-transformer")
    four = quantise_four_bits(source, tmp_path / "4.onnx")
    eight = quantise_dynamic(source, tmp_path / "8.onnx")
    assert four.stat().st_size < eight.stat().st_size
    assert operators(four)["MatMulNBits"] > 0
    answers = OnnxClassifier(four, tokenizer)(texts)
    assert np.isfinite(answers).all()


def test_chosen_operators_alone_are_quantised(trained, tmp_path):
    _, _, source = trained("tiny-transformer")
    linear = quantise_dynamic(source, tmp_path / "l.onnx", operators=["MatMul", "Gemm"])
    whole = quantise_dynamic(source, tmp_path / "w.onnx")
    assert linear.stat().st_size > whole.stat().st_size
    assert operators(linear)["MatMulInteger"] == operators(whole)["MatMulInteger"] > 0


def test_a_file_that_was_quantised_is_not_quantised_again(trained, tmp_path, texts):
    _, tokenizer, source = trained("tiny-transformer")
    once = {
        "dynamic": quantise_dynamic(source, tmp_path / "d.onnx"),
        "four": quantise_four_bits(source, tmp_path / "f.onnx"),
        "static": quantise_static(
            source, tmp_path / "s.onnx", OnnxClassifier(source, tokenizer), texts[:8]
        ),
    }
    for name, path in once.items():
        for again in (quantise_dynamic, quantise_four_bits):
            with pytest.raises(AlreadyQuantisedError, match="been quantised already"):
                again(path, tmp_path / f"{name}-again.onnx")
    assert len(list(tmp_path.iterdir())) == 3


def test_what_cannot_be_quantised_is_refused_and_nothing_written(
    trained, tmp_path, texts
):
    _, tokenizer, source = trained("text-cnn")
    target = tmp_path / "no.onnx"
    reader = OnnxClassifier(source, tokenizer)
    cases = [
        (lambda: quantise_dynamic(source, target, operators=["Conv"]), "'Conv' cannot"),
        (lambda: quantise_dynamic(source, target, operators=["MatMul"]), "no operator"),
        (
            lambda: quantise_static(source, target, reader, texts, operators=["Relu"]),
            "'Relu' cannot be quantised statically",
        ),
        (
            lambda: quantise_static(source, target, reader, []),
            "calibrate with, got none",
        ),
        (lambda: quantise_four_bits(source, target, block=24), "block must be 16"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(FileNotFoundError, match="no ONNX file"):
        quantise_dynamic(tmp_path / "none.onnx", target)
    assert list(tmp_path.iterdir()) == []
    target.write_text("precious")
    with pytest.raises(FileExistsError, match="exists already"):
        quantise_dynamic(source, target)
    assert target.read_text() == "precious"


def test_logging_is_left_as_it_was(trained, tmp_path):
    import logging

    before = logging.getLogger().level, list(logging.getLogger().handlers)
    _, _, source = trained("text-cnn")
    quantise_four_bits(source, tmp_path / "4.onnx")
    quantise_dynamic(source, tmp_path / "8.onnx")
    after = logging.getLogger().level, list(logging.getLogger().handlers)
    assert after == before
    assert torch.is_grad_enabled()
