"""Traced once, filled often: the files answer as those that were traced one by one."""

import numpy as np
import pytest
import torch
from torch import nn

from distill_helpers.compression import factorise_embedding
from distill_helpers.export import OnnxClassifier, Tracer, trace_onnx
from distill_helpers.students import build_student

SHAPE = {"tiny-transformer": {"num_hidden_layers": 1}, "bigram": {"buckets": 64}}


def chance(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(torch.randn(weights.shape, generator=generator) / 4)
    return model


@pytest.mark.parametrize("kind", ["bigram", "text-cnn", "narrow"])
def test_a_filled_graph_is_the_traced_one(kind, tokenizers, texts, tmp_path):
    name = "text-cnn" if kind == "narrow" else kind
    tokenizer, trace = tokenizers[name], Tracer()
    for seed in (1, 2):
        model = build_student(name, tokenizer, **SHAPE.get(name, {}))
        if kind == "narrow":
            model = factorise_embedding(model, 8)
        chance(model, seed)
        filled = trace(model, tmp_path / f"filled{seed}.onnx")
        traced = trace_onnx(model, tmp_path / f"traced{seed}.onnx")
        one, other = (OnnxClassifier(path, tokenizer) for path in (filled, traced))
        np.testing.assert_array_equal(one(texts[:8]), other(texts[:8]))
        assert one.label_names == other.label_names
        assert filled.stat().st_size == pytest.approx(traced.stat().st_size, abs=64)
    assert trace.traced == 1


def test_another_shape_is_traced_anew(tokenizers, tmp_path):
    trace = Tracer()
    for place, buckets in enumerate((64, 64, 128)):
        model = build_student("bigram", tokenizers["bigram"], buckets=buckets)
        trace(chance(model, place), tmp_path / f"{place}.onnx")
    assert trace.traced == 2


class Scaled(nn.Module):
    """A layer whose weight is no weight of the graph: the exporter folds it."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.scale = inner, nn.Parameter(torch.ones(()))

    @property
    def weight(self):
        return self.inner.weight * self.scale.exp()

    def forward(self, ids):
        return nn.functional.embedding(ids, self.weight)


def test_where_weights_go_into_the_graph_otherwise_it_is_traced(
    tokenizers, texts, tmp_path
):
    tokenizer, trace = tokenizers["text-cnn"], Tracer()
    for seed in (1, 2):
        model = build_student("text-cnn", tokenizer, filters=8)
        model.embedding = Scaled(model.embedding)
        chance(model, seed)
        path = trace(model, tmp_path / f"{seed}.onnx")
        plain = trace_onnx(model, tmp_path / f"plain{seed}.onnx")
        one, other = (OnnxClassifier(file, tokenizer) for file in (path, plain))
        np.testing.assert_array_equal(one(texts[:4]), other(texts[:4]))
    assert trace.traced == 3  # the probe, then each


def test_a_file_that_exists_stays(tokenizers, tmp_path):
    (tmp_path / "a.onnx").write_text("mine")
    model = build_student("bigram", tokenizers["bigram"], buckets=64)
    with pytest.raises(FileExistsError):
        Tracer()(model, tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_text() == "mine"
