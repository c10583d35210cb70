"""Lesson 08: small networks, trained side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

PIXELS, DIGITS = 64, 10


class SideBySide(nn.Module):
    """Networks with one hidden layer, one for each seed, that share nothing.

    What one of them learns does not touch the others, so that a sum of their losses
    trains each as if it were alone, in a fraction of the time.

    Parameters
    ----------
    seeds : sequence of int
        Of the first weights, which are those of ``nn.Linear``.
    width : int, default 32
        Hidden units of each.

    Raises
    ------
    ValueError
        If there is no seed.
    """

    def __init__(self, seeds: Sequence[int], width: int = 32) -> None:
        super().__init__()
        if not seeds:
            raise ValueError("seeds must hold at least one, got none")
        pairs = [_layers(seed, width) for seed in seeds]
        for place, name in enumerate(("hidden", "answer")):
            layers = [pair[place] for pair in pairs]
            weights = torch.stack([layer.weight.detach().T for layer in layers])
            biases = torch.stack([layer.bias.detach()[None] for layer in layers])
            self.register_parameter(f"{name}_weight", nn.Parameter(weights))
            self.register_parameter(f"{name}_bias", nn.Parameter(biases))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (networks, images, digits).

        Parameters
        ----------
        images : Tensor, shape (networks, images, 64) or (images, 64)
            In the second case all networks see the same ones.
        """
        if images.ndim == 2:
            images = images.expand(len(self.hidden_weight), -1, -1)
        hidden = torch.baddbmm(self.hidden_bias, images, self.hidden_weight).relu()
        return torch.baddbmm(self.answer_bias, hidden, self.answer_weight)


def _layers(seed: int, width: int) -> tuple[nn.Linear, nn.Linear]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(PIXELS, width), nn.Linear(width, DIGITS)
