"""A device that is not there: its tensors lie on the CPU and say otherwise.

Inside ``with OtherDevice() as device:`` models and batches can be moved to
``device`` and back. An operation on tensors of both sides fails, as on an
accelerator, and so does one in float64, which Apple's accelerators lack. The
numbers are the CPU's own; only attention is computed in the plain way.
"""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

DEVICE = torch.device("meta")
ACROSS = ("aten::_to_copy", "aten::copy_", "aten::_has_compatible_shallow_copy_type")
INDEXED = (
    torch.ops.aten.index.Tensor,
    torch.ops.aten.index_put_.default,
    torch.ops.aten._index_put_impl_.default,
)


class Elsewhere(torch.Tensor):
    """A tensor of the other device; what it holds lies on the CPU."""

    @staticmethod
    def __new__(cls, held: torch.Tensor):
        if held.dtype == torch.float64:
            raise TypeError("the device has no float64")
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
            requires_grad=held.requires_grad,
        )
        made.held = held
        return made

    def __repr__(self, *, tensor_contents=None) -> str:
        return f"Elsewhere({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return run(function, args, kwargs or {})


def held(tree):
    tree = tree_map_only(Elsewhere, lambda tensor: tensor.held, tree)
    return tree_map_only(torch.device, lambda _: torch.device("cpu"), tree)


@torch.no_grad()
def run(function, args, kwargs):
    """Run one operation on the CPU, and wrap what belongs to the other side."""
    leaves = tree_leaves((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    there = [isinstance(tensor, Elsewhere) for tensor in tensors]
    asked = next((x for x in leaves if isinstance(x, torch.device)), None)
    if function.name().split(".")[0] not in ACROSS:
        firm = tensors[:1] if function in INDEXED else [t for t in tensors if t.ndim]
        sides = {isinstance(tensor, Elsewhere) for tensor in firm}
        if len(sides) > 1:
            raise RuntimeError(f"{function}: tensors of two devices")
    output = function(*held(args), **held(kwargs))
    if function is torch.ops.aten.copy_.default:
        return args[0]
    if function.name().split(".")[0].endswith("_") and there[0]:
        return args[0]  # changed in place
    outside = asked.type == DEVICE.type if asked is not None else any(there)
    if not outside:
        return output
    return tree_map_only(torch.Tensor, Elsewhere, output)


class OtherDevice(TorchDispatchMode):
    """Make the device available for as long as the block lasts."""

    def __enter__(self) -> torch.device:
        super().__enter__()
        # In inference mode operations come in one piece, and wrappers cannot.
        self._inference = torch._C._InferenceMode
        torch._C._InferenceMode = lambda mode: torch.set_grad_enabled(not mode)
        return DEVICE

    def __exit__(self, *error) -> None:
        torch._C._InferenceMode = self._inference
        super().__exit__(*error)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return run(function, args, kwargs or {})
