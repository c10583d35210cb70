"""Soft targets, labels, hidden states: what a student is trained on."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "attention": ["attention_map_loss", "weighted_maps"],
        "balance": ["class_weights"],
        "combined": ["DistillationLoss", "LossTerms", "standard_losses"],
        "decoupled": ["DecoupledTerms", "decoupled_kd_loss", "decoupled_terms"],
        "divergence": [
            "alpha_divergence_loss",
            "jensen_shannon_loss",
            "reverse_kl_loss",
        ],
        "hidden": ["hidden_state_loss"],
        "input_temperature": ["input_temperatures"],
        "labels": ["labelled_cross_entropy", "weighted_cross_entropy"],
        "logits": ["check_label_rows", "check_labels", "check_logit_pair"],
        "matching": ["HiddenStateMatcher", "LayerMatch"],
        "named": ["SOFT_LOSSES", "check_soft_loss", "soft_loss"],
        "relational": [
            "angle_loss",
            "distance_loss",
            "relational_loss",
            "weighted_relational",
        ],
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
