import pytest

from distill_helpers.export.latency import PARTS, latency_budget
from distill_helpers.export.onnx import trace_onnx
from distill_helpers.students.registry import build_student


def test_an_answer_is_divided_into_its_parts(tmp_path, tokenizers, texts):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer, filters=64).eval()
    path = trace_onnx(model, tmp_path / "s.onnx")
    one = latency_budget(path, tokenizer, texts, rounds=10)
    many = latency_budget(path, tokenizer, texts, batch_size=32, rounds=4)
    assert tuple(one) == tuple(many) == PARTS
    assert min(one.values()) > 0
    assert many["run"] > 3 * one["run"]
    for change, message in (
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"rounds": 0}, "rounds must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            latency_budget(path, tokenizer, texts, **change)
    with pytest.raises(ValueError, match="texts must hold at least one"):
        latency_budget(path, tokenizer, [])
