"""Guards for logits and labels."""

from __future__ import annotations

import torch

from ..arguments import check_type
from ..data.labels import NO_LABEL


def at_least_float32(values: torch.Tensor) -> torch.Tensor:
    """Raise half precision to float32; leave float64 as it is."""
    return values if values.dtype == torch.float64 else values.float()


def check_logit_pair(
    student_logits: torch.Tensor, teacher_logits: torch.Tensor
) -> None:
    """Raise unless both are finite float tensors of one shape."""
    check_floating("student_logits", student_logits, dimensions=2)
    check_floating("teacher_logits", teacher_logits, dimensions=2)
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f"teacher_logits of shape {tuple(teacher_logits.shape)} must have"
            " the shape of student_logits (batch, classes),"
            f" {tuple(student_logits.shape)}"
        )
    if len(student_logits) < 1 or student_logits.shape[1] < 2:
        raise ValueError(
            "student_logits must hold at least one example and two classes,"
            f" got shape {tuple(student_logits.shape)}"
        )
    check_finite("student_logits", student_logits)
    check_finite("teacher_logits", teacher_logits)


def check_labels(labels: torch.Tensor, student_logits: torch.Tensor) -> None:
    """Raise unless every label is a class number or -100."""
    check_type("labels", labels, torch.Tensor, "a Tensor")
    if labels.dtype != torch.long:
        raise TypeError(f"labels must be int64 class numbers, got {labels.dtype}")
    batch, classes = student_logits.shape
    if labels.shape != (batch,):
        raise ValueError(
            f"labels must have shape ({batch},) as student_logits has {batch}"
            f" rows, got {tuple(labels.shape)}"
        )
    wrong = labels[(labels != NO_LABEL) & ((labels < 0) | (labels >= classes))]
    if len(wrong):
        raise ValueError(
            f"labels must lie in 0..{classes - 1} or be {NO_LABEL} for none,"
            f" got {int(wrong[0])}"
        )


def check_label_rows(labels: torch.Tensor, student_logits: torch.Tensor) -> None:
    """Raise unless every row says 0 or 1 of each class, or -100 of all of them."""
    check_type("labels", labels, torch.Tensor, "a Tensor")
    if not labels.is_floating_point():
        raise TypeError(
            f"labels must be rows of 0.0 and 1.0, one for each class, got {labels.dtype}"
        )
    if labels.shape != student_logits.shape:
        raise ValueError(
            "labels must have the shape of student_logits (batch, classes),"
            f" {tuple(student_logits.shape)}, got {tuple(labels.shape)}"
        )
    empty = (labels == NO_LABEL).all(-1, keepdim=True)
    wrong = labels[~(empty | (labels == 0) | (labels == 1))]
    if len(wrong):
        raise ValueError(
            f"labels must be 0 or 1 for each class, or {NO_LABEL} for all of a text"
            f" without labels, got {float(wrong[0]):g}"
        )


def check_floating(name: str, value, dimensions: int) -> None:
    check_type(name, value, torch.Tensor, "a Tensor")
    if not value.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {value.dtype}")
    if value.ndim != dimensions:
        raise ValueError(
            f"{name} must have {dimensions} dimensions, got shape {tuple(value.shape)}"
        )


def check_finite(name: str, value: torch.Tensor) -> None:
    if not torch.isfinite(value).all():
        bad = int((~torch.isfinite(value)).sum())
        raise ValueError(
            f"{name} must be finite, got {bad} NaN or infinite"
            f" value{'s' if bad > 1 else ''} of {value.numel()}"
        )
