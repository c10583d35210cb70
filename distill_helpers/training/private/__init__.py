"""Training that bounds what a model can tell about any one text."""

from ...lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "linear": ["PrivateLinear", "PublicTopics", "fit_private", "hashed_features"],
        "stochastic": ["NotPrivateError", "train_privately", "why_not_private"],
        "votes": [
            "disjoint_shards",
            "gather_votes",
            "hard_labels",
            "noisy_votes",
            "soft_logits",
            "soft_shares",
        ],
    },
)
