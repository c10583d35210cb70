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

from ..arguments import check_choice

BITS = tuple(range(2, 9))
FITS = ("least squares", "largest")

_CLIPS = tuple(step / 20 for step in range(5, 21))  # of a row's largest weight


def round_weights(
    weight: torch.Tensor,
    bits: int,
    fit: str = "least squares",
    one_scale: bool = False,
) -> torch.Tensor:
    """Round to a symmetric grid.

    Parameters
    ----------
    weight : Tensor, shape (rows, ...)
        Of a linear, convolutional or embedding layer.
    bits : int
        From 2 (three values) to 8 (255 values).
    fit : {"least squares", "largest"}
        Where a scale comes from: the least squared error, which cuts large
        weights off, or the largest weight, as plain quantisers have it. With
        eight bits it is always the largest.
    one_scale : bool, default False
        One scale for all rows, as ONNX Runtime has it for an embedding,
        instead of one for each.

    Returns
    -------
    Tensor
        Of the same shape; a scale has at most ``2**bits - 1`` values.

    Raises
    ------
    ValueError
        If `bits` is out of range or `fit` unknown.

    Examples
    --------
    >>> row = torch.tensor([[1.0, 0.2, -0.8]])
    >>> round_weights(row, bits=2), round_weights(row, bits=2, fit="largest")
    (tensor([[ 0.9000,  0.0000, -0.9000]]), tensor([[ 1.,  0., -1.]]))
    """
    check_bits(bits)
    check_choice("fit", fit, FITS)
    axes = tuple(range(0 if one_scale else 1, weight.ndim))
    largest = weight.detach().abs().amax(axes, keepdim=True)
    largest = torch.where(largest > 0, largest, torch.ones_like(largest))
    if bits == 8 or fit == "largest":
        return _on_grid(weight, largest, bits)
    return _on_grid(weight, _best_reach(weight.detach(), largest, bits, axes), bits)


def _best_reach(
    weight: torch.Tensor, largest: torch.Tensor, bits: int, axes: tuple[int, ...]
) -> torch.Tensor:
    """Find the largest weight of the grid that has the least squared error.

    In place wherever it can be: a student in training asks at every step.
    """
    best, least = largest, torch.full_like(largest, torch.inf)
    room = torch.empty_like(weight)
    for clip in (1.0, *_CLIPS[:-1]):  # the largest weight itself wins a tie
        reach = clip * largest
        error = _on_grid(weight, reach, bits, out=room).sub_(weight).square_()
        error = error.sum(axes, keepdim=True)
        best = torch.where(error < least, reach, best)
        least = torch.minimum(error, least)
    return best


def _on_grid(
    weight: torch.Tensor,
    reach: torch.Tensor,
    bits: int,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    most = 2 ** (bits - 1) - 1
    scale = reach / most
    return torch.div(weight, scale, out=out).round_().clamp_(-most, most).mul_(scale)


def check_bits(bits: int) -> None:
    """Raise unless `bits` is a whole number from 2 to 8."""
    if isinstance(bits, bool) or not isinstance(bits, int) or bits not in BITS:
        raise ValueError(f"bits must be a whole number from 2 to 8, got {bits!r}")


class FakeQuantisation(nn.Module):
    """Round on the way forward, do nothing on the way back [1]_.

    References
    ----------
    .. [1] Y. Bengio, N. Leonard, A. Courville, "Estimating or propagating
       gradients through stochastic neurons", 2013, arXiv:1308.3432.
    """

    def __init__(self, bits: int, one_scale: bool = False) -> None:
        super().__init__()
        check_bits(bits)
        self.bits = bits
        self.one_scale = one_scale

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return rounded weights whose gradient is that of the others."""
        with torch.no_grad():
            rounded = round_weights(weight, self.bits, one_scale=self.one_scale)
        return weight + (rounded - weight).detach()


def quantisable_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers whose weights are rounded, by name."""
    kinds = (nn.Linear, nn.Conv1d, nn.Embedding)
    return {n: m for n, m in model.named_modules() if isinstance(m, kinds)}


def begin_training_bits(
    model: nn.Module, bits: int, one_scale: bool = False
) -> nn.Module:
    """Let every layer of a model compute with rounded weights from now on.

    Parameters
    ----------
    model : Module
        Changed in place.
    bits, one_scale
        See :func:`round_weights`; scales are fitted to the least squared error.

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
        rounding = FakeQuantisation(bits, one_scale)
        parametrize.register_parametrization(layer, "weight", rounding)
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
def round_after_training(
    model: nn.Module,
    bits: int,
    fit: str = "least squares",
    one_scale: bool = False,
) -> nn.Module:
    """Round a trained model's weights: post-training quantisation.

    Parameters
    ----------
    model : Module
        Changed in place.
    bits, fit, one_scale
        See :func:`round_weights`.

    Returns
    -------
    Module
        `model`.
    """
    for layer in quantisable_layers(model).values():
        layer.weight.copy_(round_weights(layer.weight, bits, fit, one_scale))
    return model
