"""How a text is cut into tokens: by words, or by pieces of words."""

from __future__ import annotations

import re

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from ..data.scripts import SPACELESS

PAD, UNKNOWN = "[PAD]", "[UNK]"
WORD_START = "\u2581"  # how the tokeniser marks the space before a word

LONGEST_WORD = 256
"""Letters that a tokeniser learns from as one word."""
_LONG_WORD = re.compile(rf"(?<!\S)\S{{{LONGEST_WORD + 1},}}")


def cut_long_words(text: str) -> str:
    """Put a space into a word of too many letters, as often as it takes.

    Learning pieces takes the square of a word's length: a text without spaces,
    such as an attached file, would take minutes.

    Examples
    --------
    >>> [len(word) for word in cut_long_words("so " + "a" * 600).split()]
    [2, 256, 256, 88]
    """
    return _LONG_WORD.sub(_in_pieces, text)


def _in_pieces(found: re.Match) -> str:
    word = found[0]
    starts = range(0, len(word), LONGEST_WORD)
    return " ".join(word[start : start + LONGEST_WORD] for start in starts)


def by_words(vocab_size: int) -> tuple[Tokenizer, trainers.Trainer]:
    """Make an untrained tokeniser of whole words, and its trainer."""
    backend = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _lower_case(backend), trainers.WordLevelTrainer(**_options(vocab_size))


def letter_by_letter(backend: Tokenizer) -> Tokenizer:
    """Let a tokeniser of whole words read scripts without spaces by the letter.

    A sentence in Thai or in Japanese letters would be one word, and hardly any
    stands in two texts. Other tokenisers, and other scripts, stay as they are.
    """
    if isinstance(backend.model, models.WordLevel):
        letters = pre_tokenizers.Split(Regex(f"[{SPACELESS}]"), "isolated")
        steps = [backend.pre_tokenizer, letters]
        backend.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return backend


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
