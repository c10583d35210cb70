"""Soft targets, labels, hidden states: what a student is trained on."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "combined": ["DistillationLoss", "LossTerms"],
        "hidden": ["hidden_state_loss"],
        "labels": ["labelled_cross_entropy"],
        "logits": ["check_labels", "check_logit_pair"],
        "matching": ["HiddenStateMatcher", "LayerMatch"],
        "soft_targets": ["kd_loss"],
    },
)
