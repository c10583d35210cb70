"""A network of lesson 01 is timed, and its file weighed as it would be written."""

import torch
from safetensors.torch import save_file
from torch import nn

from distill_helpers.lessons.l01.cost import network_cost


def test_a_network_has_the_bytes_of_its_file_and_was_asked_in_batches(tmp_path):
    network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    asked = []
    network.register_forward_hook(lambda _, given, __: asked.append(len(given[0])))
    cost = network_cost(network, torch.zeros(5, 4))
    save_file(network.state_dict(), tmp_path / "network.safetensors")
    assert cost.bytes_on_disk == (tmp_path / "network.safetensors").stat().st_size
    assert cost.parameters == 4 * 3 + 3 + 3 * 2 + 2
    assert {1, cost.batch_size} <= set(asked)
    assert network[0].weight.grad is None
