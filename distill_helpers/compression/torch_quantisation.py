"""Fewer bits without leaving PyTorch, through torchao.

The model stays a Hugging Face model: `save_pretrained` writes safetensors and
`from_pretrained` reads them. Linear layers alone are rounded, which is why a
small encoder with a large embedding hardly shrinks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, TorchAoConfig

from ..arguments import check_choice
from ..logs import quietly

KINDS = ("int8-dynamic", "int8-weights")


def quantise_torch(model, kind: str = "int8-dynamic"):
    """Round the linear layers of a classifier to INT8.

    Parameters
    ----------
    model : PreTrainedModel
        It is not changed.
    kind : {"int8-dynamic", "int8-weights"}
        Round activations too while the model runs, or weights alone.

    Returns
    -------
    PreTrainedModel
        On the CPU, for which it is meant.

    Raises
    ------
    ValueError
        If `kind` is unknown, or the model is quantised already or has no
        linear layer.
    """
    check_choice("kind", kind, KINDS)
    if getattr(model, "hf_quantizer", None) is not None:
        raise ValueError("the model has been quantised already")
    if not any(isinstance(m, nn.Linear) for m in model.modules()):
        raise ValueError(f"{type(model).__name__} has no linear layer to quantise")
    with tempfile.TemporaryDirectory() as folder, quietly():
        model.save_pretrained(folder)
        return AutoModelForSequenceClassification.from_pretrained(
            folder,
            quantization_config=TorchAoConfig(_configuration(kind)()),
            dtype=torch.float32,
        ).eval()


def _configuration(kind: str) -> Callable:
    from torchao import quantization

    return {
        "int8-dynamic": quantization.Int8DynamicActivationInt8WeightConfig,
        "int8-weights": quantization.Int8WeightOnlyConfig,
    }[kind]
