"""What a network that reads images costs."""

from __future__ import annotations

import torch
from safetensors.torch import save
from torch import nn

from ...evaluation.cost import Cost, count_parameters, measure_cost


def network_cost(network: nn.Module, images: torch.Tensor) -> Cost:
    """Time a network on single images and in batches; weigh its file.

    Parameters
    ----------
    network : Module
    images : Tensor, shape (images, features)

    Returns
    -------
    Cost
        Its bytes on disk are those of a safetensors file.
    """

    @torch.inference_mode()
    def answer(batch):
        return network(torch.stack(batch)).numpy()

    return measure_cost(
        answer,
        list(images),
        parameters=count_parameters(network),
        bytes_on_disk=len(save(network.state_dict())),
    )
