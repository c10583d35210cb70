from types import SimpleNamespace

import pytest

from distill_helpers.export import latency
from distill_helpers.export.latency import PARTS, latency_budget, page_latency
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


def test_of_each_text_the_quickest_answer_of_a_page_counts(tmp_path, monkeypatch):
    took = [900.0, *range(2, 12), *range(1, 11), 500.0]
    said = [SimpleNamespace(milliseconds=ms) for ms in took]
    asked = []
    monkeypatch.setattr(
        latency, "ask_page", lambda folder, texts: asked.extend(texts) or said
    )
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "s.safetensors").write_bytes(b"12345")
    texts = [f"text {i}" for i in range(11)]
    found = page_latency(tmp_path, texts, turns=2)
    assert asked == texts * 2
    assert found["texts"] == 11
    # 1 2 3 ... 10 11: the quicker one of (900, 1), (2, 2), ..., (11, 500)
    assert (found["median_ms"], found["p90_ms"]) == (6.0, 10.0)
    assert found["bytes"] == {"student": 5, "code": 0, "runtime": 0}
    for bad, message in (
        ({"turns": 0}, "turns must be at least 1, got 0"),
        ({"texts": []}, "texts must hold at least one text, got none"),
    ):
        with pytest.raises(ValueError, match=message):
            page_latency(tmp_path, **({"texts": texts} | bad))
