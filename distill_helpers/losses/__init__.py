"""Soft targets, labels, hidden states: what a student is trained on."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "combined": ["DistillationLoss", "LossTerms", "standard_losses"],
        "hidden": ["hidden_state_loss"],
        "labels": ["labelled_cross_entropy", "weighted_cross_entropy"],
        "logits": ["check_labels", "check_logit_pair"],
        "matching": ["HiddenStateMatcher", "LayerMatch"],
        "soft_targets": ["kd_loss", "weighted_kd"],
        "weighted": [
            "WeightedLoss",
            "count_examples",
            "count_labels",
            "count_tokens",
            "weighted_sum",
        ],
    },
)
