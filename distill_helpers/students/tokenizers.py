"""Tokenisers for the students, trained on the texts at hand."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast

from ..arguments import check_whole
from ..data.cleaning import check_texts, well_formed
from ..data.scripts import is_spaceless
from .registry import student_spec
from .splitting import PAD, UNKNOWN, cut_long_words, letter_by_letter


def train_tokenizer(
    texts: Sequence[str],
    student: str,
    *,
    vocab_size: int | None = None,
    max_length: int | None = None,
) -> PreTrainedTokenizerFast:
    """Learn a student's vocabulary from texts.

    The linear student reads whole words (letters, where most texts are written
    without spaces), the others word pieces. A text
    beyond `max_length` keeps its end, where a review's verdict tends to be.

    Parameters
    ----------
    texts : sequence of str
        Cleaned texts; no labels are needed.
    student : str
        Whose tokeniser it is, one of
        :data:`~distill_helpers.students.registry.STUDENTS`.
    vocab_size : int, optional
        Most entries that it may have, at least 100; by default the
        student's: 50,000 words or 12,000 pieces.
    max_length : int, optional
        Tokens that the student reads; by default its own.

    Returns
    -------
    PreTrainedTokenizerFast

    Raises
    ------
    TypeError, ValueError
        If `student` is unknown, `texts` is empty or `vocab_size` too small.
    """
    spec = student_spec(student)
    check_texts(texts)
    if not any(map(str.strip, texts)):
        raise ValueError("texts must hold at least one text with a word, got none")
    texts = [well_formed(text) for text in texts]
    size = check_whole("vocab_size", vocab_size, 100, optional=True)
    backend, trainer = spec.split(size or spec.vocab_size)
    if is_spaceless(texts):
        backend = letter_by_letter(backend)
    backend.train_from_iterator(map(cut_long_words, texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=max_length or spec.max_length,
        truncation_side="left",
        model_input_names=["input_ids", "attention_mask"],
    )
