"""A traced classifier answers as its source, whatever the text."""

import numpy as np
import onnx
import pytest
import torch
from conftest import ODD_TEXTS, small_bert

from distill_helpers.compression.parity import EXACT, verify
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.onnx import (
    INPUTS,
    OnnxClassifier,
    load_graph,
    operators,
    stored_bytes,
    trace_onnx,
)
from distill_helpers.students.registry import STUDENTS, build_student


@pytest.mark.parametrize("student", STUDENTS)
def test_every_student_becomes_a_file_that_answers_alike(
    tmp_path, trained, reviews, student
):
    model, tokenizer = trained(student)
    path = trace_onnx(model, tmp_path / "deep" / "student.onnx")
    assert [p.name for p in path.parent.iterdir()] == ["student.onnx"]
    ours = OnnxClassifier(path, tokenizer)
    asked = [*reviews["test"]["text"][:500], *ODD_TEXTS]
    found = verify(student, predictor(model, tokenizer), ours, asked, EXACT)
    assert found.texts == len(asked)
    free = {
        entry.name: [d.dim_param for d in entry.type.tensor_type.shape.dim]
        for entry in load_graph(path).graph.input
    }
    assert set(free) == set(INPUTS)
    assert all(all(names) for names in free.values())  # no frozen shape


def test_an_encoder_of_transformers_does_too(tmp_path, bert_tokenizer, texts):
    torch.manual_seed(0)
    model = small_bert(bert_tokenizer)
    path = trace_onnx(model, tmp_path / "bert.onnx")
    ours = OnnxClassifier(path, bert_tokenizer, batch_size=7, threads=1)
    verify("bert", predictor(model, bert_tokenizer), ours, [*texts, *ODD_TEXTS])


def test_the_two_inputs_are_not_swapped(tmp_path, tokenizers):
    model = build_student("text-cnn", tokenizers["text-cnn"]).eval()
    ours = OnnxClassifier(
        trace_onnx(model, tmp_path / "s.onnx"), tokenizers["text-cnn"]
    )
    ids = np.array([[5, 6, 7, 8]])
    whole, cut = np.ones_like(ids), np.array([[1, 1, 0, 0]])
    with torch.no_grad():
        for mask in (whole, cut):
            expected = model(torch.tensor(ids), torch.tensor(mask)).logits.numpy()
            np.testing.assert_allclose(ours.run(ids, mask), expected, atol=1e-5)
    assert not np.allclose(ours.run(ids, whole), ours.run(ids, cut))


def test_bytes_are_counted_by_the_operator_that_reads_them(tmp_path, tokenizers):
    model = build_student("text-cnn", tokenizers["text-cnn"], filters=8).eval()
    path = trace_onnx(model, tmp_path / "s.onnx")
    sizes = stored_bytes(path)
    assert sizes["Gather"] == model.embedding.weight.numel() * 4
    assert list(sizes)[0] == "Gather"
    assert operators(path)["Conv"] == 3
    total = sum(p.numel() for p in model.parameters()) * 4
    # Equal biases, here all zero, are stored once.
    assert 0.99 * total <= sum(sizes.values()) < 1.05 * total + 200


def test_what_exists_is_left_alone_and_what_is_missing_named(tmp_path, tokenizers):
    model = build_student("text-cnn", tokenizers["text-cnn"], filters=8)
    (tmp_path / "s.onnx").write_text("precious")
    with pytest.raises(FileExistsError, match="exists already"):
        trace_onnx(model, tmp_path / "s.onnx")
    assert (tmp_path / "s.onnx").read_text() == "precious"
    for ask in (operators, lambda p: OnnxClassifier(p, tokenizers["text-cnn"])):
        with pytest.raises(FileNotFoundError, match="no ONNX file at"):
            ask(tmp_path / "none.onnx")


def test_a_file_with_other_inputs_is_refused(tmp_path, tokenizers):
    tensor = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    out = onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["logits"])], "g", [tensor], [out]
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10
    )
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(ValueError, match="must have the inputs"):
        OnnxClassifier(tmp_path / "x.onnx", tokenizers["text-cnn"])
