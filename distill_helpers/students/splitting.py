"""How a text is cut into tokens: by words, or by pieces of words."""

from __future__ import annotations

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

PAD, UNKNOWN = "[PAD]", "[UNK]"
WORD_START = "\u2581"  # how the tokeniser marks the space before a word


def by_words(vocab_size: int) -> tuple[Tokenizer, trainers.Trainer]:
    """Make an untrained tokeniser of whole words, and its trainer."""
    backend = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _lower_case(backend), trainers.WordLevelTrainer(**_options(vocab_size))


def by_pieces(vocab_size: int) -> tuple[Tokenizer, trainers.Trainer]:
    """Make an untrained tokeniser of word pieces, and its trainer."""
    # Plain BPE: the trainers that mark word pieces with a prefix number them
    # differently from one process to the next.
    backend = Tokenizer(models.BPE(unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    backend.decoder = decoders.Metaspace()
    return _lower_case(backend), trainers.BpeTrainer(**_options(vocab_size))


def _lower_case(backend: Tokenizer) -> Tokenizer:
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    return backend


def _options(vocab_size: int) -> dict:
    return {
        "vocab_size": vocab_size,
        "min_frequency": 2,
        "special_tokens": [PAD, UNKNOWN],
        "show_progress": False,
    }
