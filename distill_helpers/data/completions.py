"""Prompts and what comes after them, as token ids that fit a model's context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from .cleaning import check_texts
from .labels import NO_LABEL


class TooLongError(ValueError):
    """A text does not fit into a model's context; nothing is ever cut off."""


def encode_prompts(
    tokenizer, prompts: Sequence[str], context: int | None = None, room: int = 1
) -> list[list[int]]:
    """Turn prompts into token ids.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    prompts : sequence of str
    context : int, optional
        Tokens that the model reads, see :func:`context_of`.
    room : int, default 1
        Tokens that must be left for what is written after a prompt.

    Returns
    -------
    list of list of int

    Raises
    ------
    TooLongError
        If a prompt leaves no such room.
    ValueError
        If there is no prompt, or one without a token.
    """
    prompts = _texts("prompts", prompts)
    ids = _ids(tokenizer, prompts)
    for number, (prompt, row) in enumerate(zip(prompts, ids)):
        if not row:
            raise ValueError(f"prompts[{number}] has no token: {prompt!r}")
    check_context("prompts", [len(row) + room for row in ids], context, room)
    return ids


def encode_completions(
    tokenizer,
    prompts: Sequence[str],
    completions: Sequence[str],
    context: int | None = None,
) -> list[dict[str, list[int]]]:
    """Turn prompts and completions into examples to learn from.

    The two are read apart, as at inference the prompt stands alone; the end token
    follows the completion, or a student never learns to stop.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        With an end token.
    prompts, completions : sequence of str
        Of one length.
    context : int, optional
        Tokens that the model reads, see :func:`context_of`.

    Returns
    -------
    list of dict
        ``prompt_ids``, ``completion_ids`` (the end token is the last).

    Raises
    ------
    TooLongError
        If prompt and completion together are longer than the context.
    ValueError
        If the lengths differ, a prompt has no token, or there is no end token.
    """
    completions = _texts("completions", completions)
    if len(completions) != len(prompts):
        raise ValueError(
            f"completions must be as many as prompts, {len(prompts)}, got"
            f" {len(completions)}"
        )
    if tokenizer.eos_token_id is None:
        raise ValueError(
            "tokenizer has no eos_token: a student could not learn where to stop;"
            " set tokenizer.eos_token"
        )
    heads = encode_prompts(tokenizer, prompts)
    tails = [row + [tokenizer.eos_token_id] for row in _ids(tokenizer, completions, 0)]
    lengths = [len(head) + len(tail) for head, tail in zip(heads, tails)]
    check_context("prompt and completion", lengths, context)
    return [
        {"prompt_ids": head, "completion_ids": tail} for head, tail in zip(heads, tails)
    ]


def context_of(model) -> int | None:
    """Return how many tokens a model was made to read, or None if it does not say."""
    config = model.config
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    return getattr(config, "max_position_embeddings", None)


def check_context(
    name: str, lengths: Sequence[int], context: int | None, room: int = 0
) -> None:
    """Raise TooLongError if one of the lengths is beyond the context."""
    if context is None:
        return
    beyond = [number for number, length in enumerate(lengths) if length > context]
    if beyond:
        first = beyond[0]
        told = f" with {room} to write" if room > 1 else ""
        raise TooLongError(
            f"{name} number {first} has {lengths[first] - room} tokens{told}, beyond"
            f" the model's context of {context} ({len(beyond)} of {len(lengths)} are):"
            " leave those out or shorten them yourself, nothing is cut here"
        )


def padded(
    rows: Sequence[Sequence[int]], value: int, *, left: bool = False, multiple: int = 1
) -> torch.Tensor:
    """Stack rows of unequal length.

    Parameters
    ----------
    rows : sequence of sequence of int
    value : int
        Fills the gaps.
    left : bool, default False
        Where the gaps are: prompts that are written on are padded on the left.
    multiple : int, default 1
        The length is rounded up to a multiple of it.

    Returns
    -------
    Tensor of int64, shape (len(rows), length)

    Examples
    --------
    >>> padded([[5, 6], [7]], 0, left=True).tolist()
    [[5, 6], [0, 7]]
    """
    length = -(-max(map(len, rows)) // multiple) * multiple
    stacked = torch.full((len(rows), length), value, dtype=torch.long)
    for place, row in zip(stacked, rows):
        start = length - len(row) if left else 0
        place[start : start + len(row)] = torch.as_tensor(row, dtype=torch.long)
    return stacked


def padded_prompts(rows: Sequence[Sequence[int]], pad: int) -> dict[str, torch.Tensor]:
    """Make a batch that ``generate`` can go on from: padded on the left."""
    mask = padded([[1] * len(row) for row in rows], 0, left=True)
    return {"input_ids": padded(rows, pad, left=True), "attention_mask": mask}


def completion_batch(
    examples: Sequence[Mapping], pad: int, multiple: int = 1
) -> dict[str, torch.Tensor]:
    """Make a batch to learn from.

    Parameters
    ----------
    examples : sequence of mapping
        As :func:`encode_completions` makes them.
    pad : int
        The padding token.
    multiple : int, default 1
        The length is rounded up to a multiple of it.

    Returns
    -------
    dict of str to Tensor, shape (batch, length)
        ``input_ids``, ``attention_mask``, and ``labels``: the tokens of the
        completion, -100 on prompt and padding. They stand where their tokens do;
        who compares shifts them, see :func:`~distill_helpers.losses.next_tokens`.
    """
    rows = [[*e["prompt_ids"], *e["completion_ids"]] for e in examples]
    labels = [
        [NO_LABEL] * len(e["prompt_ids"]) + list(e["completion_ids"]) for e in examples
    ]
    return {
        "input_ids": padded(rows, pad, multiple=multiple),
        "attention_mask": padded([[1] * len(r) for r in rows], 0, multiple=multiple),
        "labels": padded(labels, NO_LABEL, multiple=multiple),
    }


def until_end(ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    """Return what was written up to the first end token, that token included.

    Examples
    --------
    >>> until_end([7, 8, 2, 0, 0], [2])
    [7, 8, 2]
    """
    ids = list(ids)
    first = next((i for i, token in enumerate(ids) if token in ends), len(ids))
    return ids[: first + 1]


def end_tokens(model, tokenizer) -> list[int]:
    """Return the tokens that end a text: a model may have several.

    Raises
    ------
    ValueError
        If neither the model nor the tokeniser names one.
    """
    named = getattr(model.generation_config, "eos_token_id", None)
    if named is None:
        named = tokenizer.eos_token_id
    if named is None:
        raise ValueError(
            "neither the model's generation_config nor the tokeniser has an"
            " eos_token_id: nothing could be said to have ended"
        )
    return [named] if isinstance(named, int) else list(named)


def pad_token(tokenizer) -> int:
    """Return the id of the padding token.

    Raises
    ------
    ValueError
        If there is none.
    """
    if tokenizer.pad_token_id is None:
        raise ValueError(
            "tokenizer has no pad_token: set one, such as"
            " tokenizer.pad_token = tokenizer.eos_token"
        )
    return tokenizer.pad_token_id


def _texts(name: str, texts: Sequence[str]) -> list[str]:
    check_texts(texts, name)
    if not len(texts):
        raise ValueError(f"{name} must hold at least one text, got none")
    return list(texts)


def _ids(tokenizer, texts: list[str], special: bool = True) -> list[list[int]]:
    read = tokenizer(
        texts,
        add_special_tokens=bool(special),
        truncation=False,
        padding=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    return [list(row) for row in read["input_ids"]]
