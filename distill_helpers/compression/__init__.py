"""Smaller models: fewer bits, fewer channels, fewer words.

``onnx_quantisation`` and ``torch_quantisation`` store weights in fewer bits,
``aware_training`` lets a student get used to it, ``pruning`` takes channels and
heads away, ``vocabulary`` shrinks the table of words, and ``parity`` says how far
a converted model is from its source.
"""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "aware_training": [
            "BITS",
            "FITS",
            "FakeQuantisation",
            "bake_bits",
            "begin_training_bits",
            "check_bits",
            "in_training_bits",
            "quantisable_layers",
            "round_after_training",
            "round_weights",
        ],
        "forms": ["Form", "measure_forms"],
        "onnx_quantisation": [
            "AlreadyQuantisedError",
            "quantise_dynamic",
            "quantise_four_bits",
            "quantise_static",
        ],
        "parity": [
            "Bound",
            "DisagreementError",
            "EIGHT_BITS",
            "FEW_BITS",
            "Parity",
            "measure_parity",
            "verify",
        ],
        "pruning": [
            "Group",
            "groups_of",
            "importances",
            "keep_units",
            "multiplications",
            "prune",
            "prune_filters",
        ],
        "reshaped": [
            "LowRankEmbedding",
            "ReshapedConfig",
            "ReshapedForSequenceClassification",
            "core_of",
            "replace_module",
            "reshaped_copy",
        ],
        "torch_quantisation": ["KINDS", "quantise_torch"],
        "vocabulary": ["count_tokens", "factorise_embedding", "prune_vocabulary"],
    },
)
