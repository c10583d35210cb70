"""A student as an ExecuTorch program, for phones and small boards.

ExecuTorch runs PyTorch programs without PyTorch; its XNNPACK backend computes
on the cores that phones have. It is an optional extra:
``pip install "distill-helpers[phone]"``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..arguments import check_choice
from ..data.encoding import DistillationCollator, encode_texts
from ..files import fresh_path, whole_file
from ..students.bigram import BigramForSequenceClassification
from ..students.layers import mean_over_tokens
from ..students.text_cnn import TextCNNForSequenceClassification
from ..students.tiny_transformer import TinyTransformerForSequenceClassification
from .onnx import on_the_cpu

MISSING = (
    "ExecuTorch is an extra that is not installed: install"
    ' "distill-helpers[phone]", or leave this part out; ONNX and the page work'
    " without it"
)
BITS = ("fp32", "int8")
SHORTEST = 4  # tokens that a program takes at least
HIDDEN = 1e4  # taken from the attention score of a padding token: none is left


class _Positional(nn.Module):
    """A classifier that takes two tensors by position and returns one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


class _Unsorted(_Positional):
    """The linear student for a runtime that cannot sort.

    It finds what occurs twice by comparing all with all; each of n equal
    features counts an nth.
    """

    def forward(self, input_ids, attention_mask):
        model = self.model
        features = model._features(input_ids, attention_mask)
        equal = (features[:, :, None] == features[:, None, :]).sum(2)
        real = features != model.config.pad_token_id
        rows = model.weights(features)
        share = real.to(rows.dtype) / equal.to(rows.dtype)
        scale = share.sum(1, keepdim=True).clamp(min=1).rsqrt()
        summed = torch.matmul((share * scale)[:, None, :], rows)[:, 0]
        return summed + model.bias


class _Masked(_Positional):
    """The small transformer with a mask of numbers instead of transformers'
    own, whose code no quantiser can read."""

    def forward(self, input_ids, attention_mask):
        model = self.model
        seen = (attention_mask * (input_ids != model.config.pad_token_id)).float()
        hidden = (seen[:, None, None, :] - 1) * HIDDEN
        states = model.encoder(
            input_ids=input_ids,
            attention_mask=hidden.expand(-1, -1, input_ids.shape[1], -1),
        ).last_hidden_state
        return model.classifier(mean_over_tokens(states, seen))


_WRAPPERS = {
    BigramForSequenceClassification: _Unsorted,
    TinyTransformerForSequenceClassification: _Masked,
}

_ROUNDED = (TextCNNForSequenceClassification, TinyTransformerForSequenceClassification)


def _wrapped(model) -> nn.Module:
    return _WRAPPERS.get(type(model), _Positional)(on_the_cpu(model.eval()))


def to_executorch(
    model,
    path: str | Path,
    *,
    bits: str = "fp32",
    longest: int = 256,
    calibration: Sequence[Sequence[int]] = (),
) -> Path:
    """Write a classifier as a ``.pte`` program of one text and free length.

    Parameters
    ----------
    model : PreTrainedModel
        A student or encoder classifier.
    path : str or Path
        Must not exist yet.
    bits : {"fp32", "int8"}
        ``"int8"`` rounds the linear layers and the convolutions of a text CNN
        or a tiny transformer; embeddings stay as they are.
    longest : int, default 256
        Most tokens that the program takes.
    calibration : sequence of sequence of int
        Token ids of some texts, which ``"int8"`` needs.

    Returns
    -------
    Path

    Raises
    ------
    ImportError
        If ExecuTorch is missing; the message names the extra.
    FileExistsError
        If there is such a file already.
    ValueError
        If `bits` is unknown or not for this model, or if there is nothing to
        calibrate with.
    """
    check_choice("bits", bits, BITS)
    if bits == "int8" and not isinstance(model, _ROUNDED):
        raise ValueError(
            "bits='int8' is for a text-cnn or a tiny-transformer, got"
            f" {type(model).__name__}: the linear student has nothing to round, and"
            " the masks of other encoders do not pass the quantiser; use bits='fp32'"
        )
    if bits == "int8" and not len(calibration):
        raise ValueError("calibration must hold the ids of at least one text, got none")
    lower, partitioner = _tools()
    path = fresh_path(path)
    ids = torch.arange(24).reshape(1, 24) % 7 + 1
    example = (ids, torch.ones_like(ids))
    length = torch.export.Dim("length", min=SHORTEST, max=longest)
    shapes = ({1: length}, {1: length})
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(_wrapped(model), example, dynamic_shapes=shapes)
        if bits == "int8":
            turns = isinstance(model, TinyTransformerForSequenceClassification)
            rounded = _rounded(program, calibration, by_text=turns)
            program = torch.export.export(rounded, example, dynamic_shapes=shapes)
        made = lower(program, partitioner=[partitioner]).to_executorch()
    with whole_file(path) as temporary:
        temporary.write_bytes(made.buffer)
    return path


def _tools():
    try:
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import (
            XnnpackPartitioner,
        )
        from executorch.exir import to_edge_transform_and_lower
    except ImportError as error:
        raise ImportError(MISSING) from error
    return to_edge_transform_and_lower, XnnpackPartitioner()


def _rounded(program, calibration, by_text: bool):
    """Round a program; `by_text` finds the scales of activations at each text.

    Scales that are fixed beforehand cost a transformer more than ones that follow
    the text; a convolution can only be rounded with fixed ones.
    """
    import executorch.backends.xnnpack.quantizer.xnnpack_quantizer as xnnpack
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    scheme = xnnpack.get_symmetric_quantization_config(
        is_per_channel=True, is_dynamic=by_text
    )
    quantizer = xnnpack.XNNPACKQuantizer()
    if by_text:
        quantizer.set_operator_type(torch.ops.aten.linear.default, scheme)
    else:
        quantizer.set_global(scheme)
    prepared = prepare_pt2e(program.module(), quantizer)
    for ids in calibration:
        row = torch.tensor([list(ids)], dtype=torch.long)
        prepared(row, torch.ones_like(row))
    return convert_pt2e(prepared)


class PhoneClassifier:
    """An ExecuTorch program that answers texts, as the scorecard wants it.

    Parameters
    ----------
    path : str or Path
        From :func:`to_executorch`.
    tokenizer : PreTrainedTokenizerBase
        The classifier's.

    Raises
    ------
    ImportError
        If ExecuTorch is missing.
    FileNotFoundError
        If there is no such file.
    """

    def __init__(self, path: str | Path, tokenizer) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(f"no program at {str(path)!r}")
        try:
            from executorch.runtime import Runtime
        except ImportError as error:
            raise ImportError(MISSING) from error
        self._program = Runtime.get().load_program(Path(path))
        self._forward = self._program.load_method("forward")
        self.tokenizer = tokenizer
        self._collate = DistillationCollator(tokenizer.pad_token_id, SHORTEST)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Answer some texts, one by one.

        Returns
        -------
        ndarray of float32, shape (len(texts), classes)
        """
        rows = []
        for ids in encode_texts(self.tokenizer, list(texts)):
            batch = self._collate([{"input_ids": ids, "labels": -100}])
            (answer,) = self._forward.execute(
                [batch["input_ids"], batch["attention_mask"]]
            )
            rows.append(answer.numpy()[0].copy())
        return np.stack(rows)

    __call__ = logits
