"""Training with rounded weights: the grid, the gradient, the baking."""

import copy

import pytest
import torch
from torch import nn

from distill_helpers.compression.aware_training import (
    BITS,
    bake_bits,
    begin_training_bits,
    in_training_bits,
    quantisable_layers,
    round_after_training,
    round_weights,
)
from distill_helpers.compression.onnx_quantisation import quantise_dynamic
from distill_helpers.compression.parity import Bound, verify
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.students.registry import build_student
from distill_helpers.training.recipes import train_further


@pytest.mark.parametrize("bits", BITS)
def test_a_row_has_no_more_values_than_its_bits_allow(bits):
    torch.manual_seed(0)
    weight = torch.randn(5, 400)
    rounded = round_weights(weight, bits)
    for row in rounded:
        assert len(row.unique()) <= 2**bits - 1
        assert 0 in row.unique() or bits == 2 and row.abs().min() == 0
    torch.testing.assert_close(round_weights(rounded, bits), rounded, rtol=0.35, atol=0)


def test_more_bits_lose_less_and_eight_reach_the_largest_weight():
    torch.manual_seed(0)
    weight = torch.randn(8, 300)
    errors = [(round_weights(weight, b) - weight).norm().item() for b in BITS]
    assert errors == sorted(errors, reverse=True)
    largest = weight.abs().amax(1)
    torch.testing.assert_close(round_weights(weight, 8).abs().amax(1), largest)
    step = largest / 127
    assert ((round_weights(weight, 8) - weight).abs() <= step[:, None] / 2 + 1e-6).all()


def test_the_fitted_scale_is_better_than_the_plain_one():
    torch.manual_seed(0)
    weight = torch.randn(6, 2000)
    for bits in (2, 3, 4):
        plain, fitted = (
            (round_weights(weight, bits, fit) - weight).norm()
            for fit in ("largest", "least squares")
        )
        assert fitted < 0.8 * plain
    with pytest.raises(ValueError, match="fit must be one of"):
        round_weights(weight, 4, "smallest")


def test_one_scale_for_all_rows_sacrifices_the_small_ones():
    weight = torch.tensor([[100.0, -50.0], [1.0, 0.5]])
    assert round_weights(weight, 3, "largest")[1].abs().min() > 0
    rounded = round_weights(weight, 3, "largest", one_scale=True)
    assert rounded[1].tolist() == [0.0, 0.0]
    layer = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(weight)
    begin_training_bits(layer, 3, one_scale=True)
    assert len(bake_bits(layer).weight.unique()) <= 7


def test_a_row_of_zeros_stays_and_convolutions_are_rounded_by_filter():
    assert round_weights(torch.zeros(2, 3), 4).tolist() == [[0, 0, 0]] * 2
    weight = torch.tensor([[[1.0, -1.0]], [[100.0, 3.0]]])
    assert round_weights(weight, 8)[0].tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("bits", [1, 9, 4.0, True, "4"])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be a whole number from 2 to 8"):
        round_weights(torch.ones(1, 2), bits)


def test_the_gradient_passes_the_rounding():
    layer = nn.Linear(3, 2, bias=False)
    begin_training_bits(layer, 2)
    x = torch.tensor([[1.0, 2.0, 3.0]])
    layer(x).sum().backward()
    (original,) = layer.parameters()
    assert original.grad.tolist() == [[1.0, 2.0, 3.0]] * 2
    rounded = round_weights(original.detach(), 2)
    torch.testing.assert_close(layer(x), x @ rounded.T)


@pytest.mark.parametrize("student", ["text-cnn", "tiny-transformer"])
def test_a_student_trains_with_few_bits_and_ends_as_an_ordinary_int8_file(
    tmp_path, tokenizers, labelled, texts, student, counting_teacher
):
    tokenizer = tokenizers[student]
    reads = encode_reviews(labelled, tokenizer, counting_teacher)
    model = build_student(student, tokenizer)
    names = set(model.state_dict())
    begin_training_bits(model, 3)
    assert in_training_bits(model)
    with pytest.raises(ValueError, match="already"):
        begin_training_bits(model, 3)
    before = {
        n: layer.weight.detach().clone()
        for n, layer in quantisable_layers(model).items()
    }
    train_further(
        model, tokenizer, reads, reads, steps=6, learning_rate=0.01, best=False
    )
    bake_bits(model)
    assert not in_training_bits(model)
    assert set(model.state_dict()) == names
    layers = quantisable_layers(model)
    assert any(not before[n].equal(layer.weight.cpu()) for n, layer in layers.items())
    for layer in layers.values():
        rows = layer.weight.detach().flatten(1)
        assert max(len(row.unique()) for row in rows) <= 7
    path = quantise_dynamic(
        trace_onnx(model, tmp_path / "s.onnx"), tmp_path / "int8.onnx"
    )
    verify(
        "int8",
        predictor(model, tokenizer),
        OnnxClassifier(path, tokenizer),
        texts,
        Bound(agreement=0.95),
    )


def test_baking_what_was_never_begun_is_refused():
    with pytest.raises(ValueError, match="does not compute with rounded"):
        bake_bits(nn.Linear(2, 2))


def test_rounding_afterwards_rounds_every_layer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3))
    for fit in ("largest", "least squares"):
        plain = round_after_training(copy.deepcopy(model), 3, fit)
        for new, old in zip(plain, model):
            torch.testing.assert_close(new.weight, round_weights(old.weight, 3, fit))
        torch.testing.assert_close(plain[1].bias, model[1].bias)
