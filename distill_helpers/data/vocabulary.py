"""Whether two tokenisers speak of the same ids."""

from __future__ import annotations


def same_vocabulary(first, second) -> bool:
    """Say whether two tokenisers give every token the same id."""
    return first.get_vocab() == second.get_vocab()


def check_same_vocabulary(student_tokenizer, teacher_tokenizer) -> None:
    """Raise if token ids made for one model would be read by the other.

    Raises
    ------
    ValueError
        If the vocabularies differ (claim C10 of the curriculum).
    """
    if not same_vocabulary(student_tokenizer, teacher_tokenizer):
        raise ValueError(
            "input_ids were made with the student's tokeniser"
            f" ({len(student_tokenizer)} tokens) and cannot be read by the"
            f" teacher ({len(teacher_tokenizer)} tokens): one id means two"
            " different words. Give the data set a 'text' column, so that"
            " each side reads it with its own tokeniser."
        )
