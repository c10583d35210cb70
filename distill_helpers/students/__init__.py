"""The small models, their tokenisers, and how each is trained.

After ``import distill_helpers`` transformers knows the students' classes, so that
``from_pretrained`` and ``pipeline`` load what was saved.
"""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bigram": ["BigramConfig", "BigramForSequenceClassification"],
        "card_reading": [
            "CardAnswers",
            "answer_cards",
            "card_tensors",
            "card_tokenizer",
            "encode_cards",
        ],
        "causal": ["CompletionCollator", "tiny_causal_lm", "word_tokenizer"],
        "cooccurrence": ["embeddings_from_texts"],
        "cross_attention": [
            "CrossAttentionConfig",
            "CrossAttentionForCards",
            "build_card_student",
        ],
        "embeddings": ["embeddings_from_teacher"],
        "layers": ["mean_over_tokens"],
        "linear": ["baseline_logits", "linear_baseline"],
        "ngrams": [
            "NgramIndex",
            "by_root",
            "fit_margins",
            "log_count_ratio",
            "ngram_hashes",
            "word_hashes",
            "words",
        ],
        "packing": ["nearest_level", "pack_keys", "sixteen_levels", "unpack_keys"],
        "pocket": ["PocketStudent", "WordTable"],
        "registry": ["STUDENTS", "build_student", "register_student", "student_spec"],
        "spec": ["Recipe", "StudentSpec"],
        "splitting": ["by_pieces", "by_words"],
        "text_cnn": [
            "TextCNNConfig",
            "TextCNNForSequenceClassification",
            "mean_of",
            "widened",
        ],
        "tfidf": ["Learnt", "Reader", "learn", "learn_labels"],
        "tiny_transformer": [
            "TinyTransformerConfig",
            "TinyTransformerForSequenceClassification",
        ],
        "tokenizers": ["train_tokenizer"],
    },
)
