"""How much memory PyTorch's results take, and what fits into a budget."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..arguments import check_number, check_whole


class PeakMemory(TorchDispatchMode):
    """Count the bytes of tensors that operations make, and their peak.

    Weights are not counted, nor what an operation uses inside itself. Unlike
    the resident memory of the process, the count does not depend on what ran
    before.

    Attributes
    ----------
    peak : int
        Most bytes that were held at once.

    Examples
    --------
    >>> import torch
    >>> with PeakMemory() as memory:
    ...     first = torch.zeros(1000)
    ...     del first
    ...     second = torch.zeros(500)
    >>> memory.peak
    4000
    """

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self._alive: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run one operation and count what it made."""
        output = function(*args, **(kwargs or {}))
        given = {s._cdata for s in _storages((args, kwargs))}
        for storage in _storages(output):
            key = storage._cdata
            if key not in self._alive and key not in given:
                self._count(storage, key)
        return output

    def _count(self, storage, key: int) -> None:
        size = storage.nbytes()
        self._alive.add(key)
        self.held += size
        self.peak = max(self.peak, self.held)
        weakref.finalize(storage, self._free, key, size)

    def _free(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.held -= size


def _storages(tree) -> list:
    tensors = [t for t in tree_leaves(tree) if isinstance(t, torch.Tensor)]
    return [tensor.untyped_storage() for tensor in tensors]


class MemoryBudget(PeakMemory):
    """Count as :class:`PeakMemory` does, and stop at a limit.

    Parameters
    ----------
    megabytes : float
        Most MiB that tensors may hold at once; above 0.

    Raises
    ------
    ValueError
        If `megabytes` is not above 0.
    RuntimeError
        Inside the block, when an operation goes beyond the limit; in the
        words of PyTorch's own allocator, so that whoever knows an
        out-of-memory error by its words knows this one too.
    """

    def __init__(self, megabytes: float) -> None:
        check_number("megabytes", megabytes, above=0)
        super().__init__()
        self.limit = megabytes * 2**20

    def _count(self, storage, key: int) -> None:
        super()._count(storage, key)
        if self.held > self.limit:
            raise RuntimeError(
                "DefaultCPUAllocator: can't allocate memory: the tensors of this"
                f" step need more than {self.limit / 2**20:g} MiB"
            )


def fit_batch_size(
    step: Callable[[int], object], start: int, megabytes: float
) -> tuple[int, float]:
    """Find the largest batch that fits, by accelerate's finder.

    Parameters
    ----------
    step : callable
        Takes a batch size and trains one step on so many examples.
    start : int
        The batch size that one would like; at least 1. It is reduced by a
        tenth after each attempt that did not fit.
    megabytes : float
        Budget for what the step's tensors hold at once, in MiB.

    Returns
    -------
    (int, float)
        The batch size and the peak of its step in MiB.

    Raises
    ------
    ValueError
        If `start` is below 1 or the budget not above 0.
    RuntimeError
        If not even a single example fits.

    Examples
    --------
    >>> import torch
    >>> fit_batch_size(lambda size: torch.zeros(size, 2**18), 8, megabytes=4.5)
    (4, 4.0)
    """
    check_whole("start", start, least=1)
    from accelerate.utils import find_executable_batch_size  # as dear as half of torch

    @find_executable_batch_size(starting_batch_size=start)
    def attempt(batch_size: int) -> tuple[int, float]:
        with MemoryBudget(megabytes) as memory:
            step(batch_size)
        return batch_size, memory.peak / 2**20

    return attempt()
