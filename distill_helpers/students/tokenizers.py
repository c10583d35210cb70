"""Tokenisers for the students, trained on the texts at hand."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from .registry import check_student

PAD, UNKNOWN = "[PAD]", "[UNK]"
WORD_START = "\u2581"  # how the tokeniser marks the space before a word

_VOCABULARY = {"bigram": 50_000, "text-cnn": 12_000, "tiny-transformer": 12_000}
_MAX_LENGTH = {"bigram": 1024, "text-cnn": 256, "tiny-transformer": 128}


# ------------------------------------------------------------- tokenisers
def train_tokenizer(
    texts: Sequence[str],
    student: str,
    *,
    vocab_size: int | None = None,
    max_length: int | None = None,
) -> PreTrainedTokenizerFast:
    """Learn a student's vocabulary from texts.

    The linear student reads whole words, the others word pieces. A text
    beyond `max_length` keeps its end, where a review's verdict tends to be.

    Parameters
    ----------
    texts : sequence of str
        Cleaned texts; no labels are needed.
    student : {"bigram", "text-cnn", "tiny-transformer"}
        Whose tokeniser it is.
    vocab_size : int, optional
        Most entries that it may have; by default 50,000 words or 12,000
        pieces.
    max_length : int, optional
        Tokens that the student reads.

    Returns
    -------
    PreTrainedTokenizerFast

    Raises
    ------
    ValueError
        If `student` is unknown, `texts` is empty or `vocab_size` too small.
    """
    check_student(student)
    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    size = _VOCABULARY[student] if vocab_size is None else vocab_size
    if size < 100:
        raise ValueError(f"vocab_size must be at least 100, got {size!r}")
    backend, trainer = _backend(student, size)
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=max_length or _MAX_LENGTH[student],
        truncation_side="left",
        model_input_names=["input_ids", "attention_mask"],
    )


def _backend(student: str, size: int):
    special = [PAD, UNKNOWN]
    options = {
        "vocab_size": size,
        "min_frequency": 2,
        "special_tokens": special,
        "show_progress": False,
    }
    if student == "bigram":
        backend = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordLevelTrainer(**options)
    else:
        # Plain BPE: the trainers that mark word pieces with a prefix number
        # them differently from one process to the next.
        backend = Tokenizer(models.BPE(unk_token=UNKNOWN))
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
        )
        backend.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(**options)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    return backend, trainer
