"""First embeddings taken from the teacher's."""

from __future__ import annotations

import torch

from ..arguments import check_whole
from .splitting import WORD_START


def embeddings_from_teacher(
    tokenizer, teacher_model, teacher_tokenizer, width: int = 64
) -> torch.Tensor:
    """Start a student's embedding from its teacher's, made narrower by SVD.

    A student's token is spelt with the teacher's pieces; the mean of their
    rows is projected on the table's `width` main directions.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase or sequence of str
        The student's, or the word behind each of its ids (the first one is
        padding).
    teacher_model, teacher_tokenizer
        A Hugging Face classifier and its tokeniser.
    width : int, default 64
        Columns of the result, at most the teacher's.

    Returns
    -------
    Tensor, shape (len(tokenizer), width)
        Scaled to a standard deviation of 0.1; the padding row is zero.

    Raises
    ------
    TypeError, ValueError
        If `width` exceeds the teacher's embedding.
    """
    table = teacher_model.get_input_embeddings().weight.detach().float().cpu()
    check_whole("width", width, 1, table.shape[1])  # at most the teacher's own
    tokens, pad = _tokens_of(tokenizer)
    pieces = teacher_tokenizer(
        [token.removeprefix(WORD_START) for token in tokens],
        add_special_tokens=False,
    )["input_ids"]
    rows = torch.stack(
        [
            table[ids].mean(0) if ids else table.new_zeros(table.shape[1])
            for ids in pieces
        ]
    )
    rows = rows - rows.mean(0)
    _, _, directions = torch.linalg.svd(rows, full_matrices=False)
    reduced = rows @ directions[:width].T
    reduced = reduced * (0.1 / reduced.std())
    reduced[pad] = 0
    return reduced


def _tokens_of(tokenizer) -> tuple[list[str], int]:
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        ids = list(range(len(tokenizer)))
        return tokenizer.convert_ids_to_tokens(ids), tokenizer.pad_token_id
    return list(tokenizer), 0
