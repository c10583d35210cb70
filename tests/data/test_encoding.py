"""Batches of named tensors, and the devices that they go to."""

import pytest
import torch

from distill_helpers.data import encoding
from distill_helpers.data.encoding import device_of, to_device


def test_only_the_tensors_of_a_batch_move():
    batch = {"input_ids": torch.ones(2, 3), "text": ["a", "b"], "none": None}
    moved = to_device(batch, torch.device("meta"))
    assert moved["input_ids"].device.type == "meta"
    assert moved["text"] is batch["text"] and moved["none"] is None
    assert batch["input_ids"].device.type == "cpu"
    assert to_device(batch, "cpu")["input_ids"] is batch["input_ids"]


@pytest.mark.parametrize(
    ("lacking", "expected"), [((), torch.float64), (("meta",), torch.float32)]
)
def test_float64_never_goes_to_a_device_without_it(monkeypatch, lacking, expected):
    monkeypatch.setattr(encoding, "WITHOUT_FLOAT64", frozenset(lacking))
    batch = {"scores": torch.ones(2, dtype=torch.float64), "ids": torch.ones(2).long()}
    moved = to_device(batch, "meta")
    assert moved["scores"].dtype == expected
    assert moved["ids"].dtype == torch.int64


def test_apples_chips_are_known_to_have_no_float64():
    assert "mps" in encoding.WITHOUT_FLOAT64


def test_a_model_lies_where_its_weights_or_buffers_lie():
    assert device_of(torch.nn.Linear(2, 2, device="meta")).type == "meta"
    assert device_of(torch.nn.BatchNorm1d(2, affine=False, device="meta")).type == (
        "meta"
    )
    assert device_of(torch.nn.Identity()) == torch.device("cpu")
