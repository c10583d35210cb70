"""Soft targets, labels, hidden states: what a student is trained on."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "balance": ["class_weights"],
        "combined": ["DistillationLoss", "LossTerms", "standard_losses"],
        "hidden": ["hidden_state_loss"],
        "labels": ["labelled_cross_entropy", "weighted_cross_entropy"],
        "logits": ["check_label_rows", "check_labels", "check_logit_pair"],
        "matching": ["HiddenStateMatcher", "LayerMatch"],
        "sequence": [
            "generalized_jsd_loss",
            "next_tokens",
            "token_cross_entropy",
            "weighted_jsd",
            "weighted_token_cross_entropy",
        ],
        "several_labels": ["multi_label_cross_entropy", "multi_label_kd_loss"],
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
