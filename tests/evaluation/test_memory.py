"""Bytes of tensors are counted, and a budget for them is kept."""

import pytest
import torch

from distill_helpers.evaluation.memory import MemoryBudget, PeakMemory, fit_batch_size

MIB = 2**18  # floats in one MiB


def test_what_the_backward_pass_keeps_is_counted():
    layers = [torch.nn.Linear(64, 64, bias=False) for _ in range(4)]
    x = torch.randn(1024, 64)  # 0.25 MiB, and as much for every result
    peaks = []
    for train in (False, True):
        with PeakMemory() as memory, torch.set_grad_enabled(train):
            y = x
            for layer in layers:
                y = torch.sigmoid(layer(y))
            if train:
                y.sum().backward()
        peaks.append(memory.peak / 2**20)
    assert peaks[0] <= 0.75
    assert peaks[1] >= 1.0  # four results wait for the backward pass


def test_a_budget_stops_the_step_in_the_allocators_words():
    with MemoryBudget(2.5):
        torch.zeros(2, MIB)
    with pytest.raises(RuntimeError, match="can't allocate memory.*more than 2.5 MiB"):
        with MemoryBudget(2.5):
            torch.zeros(3, MIB)


def test_the_finder_keeps_the_largest_batch_that_fits():
    tried = []

    def step(size):
        tried.append(size)
        torch.zeros(size, MIB)

    size, peak = fit_batch_size(step, 20, megabytes=9.5)
    assert size == peak == 9
    assert tried[0] == 20 and tried == sorted(tried, reverse=True)


def test_other_errors_are_not_taken_for_want_of_memory():
    def broken(size):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        fit_batch_size(broken, 8, megabytes=1)


@pytest.mark.parametrize(
    ("start", "megabytes", "error", "message"),
    [
        (0, 1, ValueError, "start must be at least 1, got 0"),
        (4, 0, ValueError, "megabytes must be a finite number above 0, got 0"),
        (4, 0.5, RuntimeError, "reached zero"),
    ],
)
def test_what_cannot_fit_is_said(start, megabytes, error, message):
    with pytest.raises(error, match=message):
        fit_batch_size(lambda size: torch.zeros(size, MIB), start, megabytes)
