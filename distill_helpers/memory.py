"""How much memory PyTorch's results take while a model answers."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


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
