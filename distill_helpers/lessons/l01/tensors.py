"""Answers that are tensors: their shape, and how they are shown."""

from __future__ import annotations

import torch

from ..exercises.outcomes import Incorrect


def tensor_like(got, like: torch.Tensor, name: str = "result") -> torch.Tensor:
    """Return an answer that is a tensor of the wanted shape, or say what it is."""
    if not isinstance(got, torch.Tensor):
        raise Incorrect(
            f"The {name} must be a tensor.",
            type(got).__name__,
            f"a tensor of shape {tuple(like.shape)}",
            "the return line",
        )
    if got.shape != like.shape:
        raise Incorrect(
            f"The {name} has the wrong shape.",
            str(tuple(got.shape)),
            str(tuple(like.shape)),
            "the dimensions that you keep",
        )
    return got


def row_of(values: torch.Tensor) -> str:
    """Show the first row of some numbers, with three decimals."""
    first = values[0].tolist() if values.ndim > 1 else values.tolist()
    return str([round(float(v), 3) for v in first])
