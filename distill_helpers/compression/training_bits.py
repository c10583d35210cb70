"""Quantisation-aware training: a student that gets used to few bits.

While it trains, the student computes with rounded weights; the gradient passes
the rounding as if it were not there (the straight-through estimator). With the
teacher's soft targets as the loss, this is distillation and quantisation in
one. Afterwards the rounded weights are baked in, and the model is an ordinary
one again.

References
----------
.. [1] Y. Bengio, N. Leonard, A. Courville, "Estimating or propagating
   gradients through stochastic neurons", 2013, arXiv:1308.3432.
.. [2] O. Zafrir et al., "Q8BERT", 2019, arXiv:1910.06188.
.. [3] W. Zhang et al., "TernaryBERT: distillation-aware ultra-low bit BERT",
   EMNLP 2020, arXiv:2009.12812.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize

BITS = tuple(range(2, 9))


_CLIPS = tuple(step / 20 for step in range(5, 21))  # of a row's largest weight


def round_weights(weight: torch.Tensor, bits: int) -> torch.Tensor:
    """Round to a symmetric grid, a scale for each row.

    Eight bits reach to the row's largest weight, as ONNX Runtime has it; with
    fewer, the scale with the least squared error is taken, which cuts the
    largest weights off.

    Parameters
    ----------
    weight : Tensor, shape (rows, ...)
        Of a linear, convolutional or embedding layer.
    bits : int
        From 2 (three values) to 8 (255 values).

    Returns
    -------
    Tensor
        Of the same shape; every row holds at most ``2**bits - 1`` values.

    Raises
    ------
    ValueError
        If `bits` is out of range.

    Examples
    --------
    >>> round_weights(torch.tensor([[1.0, 0.2, -0.8]]), bits=2)
    tensor([[ 0.9000,  0.0000, -0.9000]])
    """
    check_bits(bits)
    axes = tuple(range(1, weight.ndim))
    largest = weight.detach().abs().amax(axes, keepdim=True)
    largest = torch.where(largest > 0, largest, torch.ones_like(largest))
    best = _on_grid(weight, largest, bits)
    if bits == 8:
        return best
    least = (best - weight).square().sum(axes, keepdim=True)
    for clip in _CLIPS[:-1]:
        tried = _on_grid(weight, clip * largest, bits)
        error = (tried - weight).square().sum(axes, keepdim=True)
        best = torch.where(error < least, tried, best)
        least = torch.minimum(error, least)
    return best


def _on_grid(weight: torch.Tensor, reach: torch.Tensor, bits: int) -> torch.Tensor:
    most = 2 ** (bits - 1) - 1
    scale = reach / most
    return (weight / scale).round().clamp(-most, most) * scale


def check_bits(bits: int) -> None:
    """Raise unless `bits` is a whole number from 2 to 8."""
    if isinstance(bits, bool) or not isinstance(bits, int) or bits not in BITS:
        raise ValueError(f"bits must be a whole number from 2 to 8, got {bits!r}")


class FakeQuantisation(nn.Module):
    """Round on the way forward, do nothing on the way back [1]_."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        check_bits(bits)
        self.bits = bits

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return rounded weights whose gradient is that of the others."""
        with torch.no_grad():
            rounded = round_weights(weight, self.bits)
        return weight + (rounded - weight).detach()


def quantisable_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers whose weights are rounded, by name."""
    kinds = (nn.Linear, nn.Conv1d, nn.Embedding)
    return {n: m for n, m in model.named_modules() if isinstance(m, kinds)}


def begin_training_bits(model: nn.Module, bits: int) -> nn.Module:
    """Let every layer of a model compute with rounded weights from now on.

    Parameters
    ----------
    model : Module
        Changed in place.
    bits : int
        From 2 to 8.

    Returns
    -------
    Module
        `model`.

    Raises
    ------
    ValueError
        If `bits` is out of range, or the model does so already.
    """
    if in_training_bits(model):
        raise ValueError("the model computes with rounded weights already")
    for layer in quantisable_layers(model).values():
        parametrize.register_parametrization(layer, "weight", FakeQuantisation(bits))
    return model


def in_training_bits(model: nn.Module) -> bool:
    """Say whether a model computes with rounded weights."""
    return any(parametrize.is_parametrized(m) for m in model.modules())


@torch.no_grad()
def bake_bits(model: nn.Module) -> nn.Module:
    """End what :func:`begin_training_bits` began, keeping the rounded weights.

    Parameters
    ----------
    model : Module
        Changed in place: an ordinary model again, on the grid.

    Returns
    -------
    Module
        `model`.

    Raises
    ------
    ValueError
        If it does not compute with rounded weights.
    """
    if not in_training_bits(model):
        raise ValueError("the model does not compute with rounded weights")
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(
                module, "weight", leave_parametrized=True
            )
    return model


@torch.no_grad()
def round_after_training(model: nn.Module, bits: int) -> nn.Module:
    """Round a trained model's weights: plain post-training quantisation.

    Parameters
    ----------
    model : Module
        Changed in place.
    bits : int
        From 2 to 8.

    Returns
    -------
    Module
        `model`.
    """
    check_bits(bits)
    for layer in quantisable_layers(model).values():
        layer.weight.copy_(round_weights(layer.weight, bits))
    return model
