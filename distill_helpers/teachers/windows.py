"""Long texts in windows, as a teacher reads them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..data.encoding import PAD_MULTIPLE, device_of, to_device


def split_windows(token_ids: Sequence[int], room: int) -> list[list[int]]:
    """Cut one review into at most two windows.

    Parameters
    ----------
    token_ids : sequence of int
        The review's token ids, without special tokens.
    room : int
        How many of them fit into one window.

    Returns
    -------
    list of list of int
        One window if the review fits; two halves if it fits into two; else
        its first and its last `room` tokens.

    Examples
    --------
    >>> split_windows([1, 2, 3, 4, 5], room=2)
    [[1, 2], [4, 5]]
    """
    ids = list(token_ids)
    if len(ids) <= room:
        return [ids]
    if len(ids) <= 2 * room:
        middle = (len(ids) + 1) // 2
        return [ids[:middle], ids[middle:]]
    return [ids[:room], ids[-room:]]


def tokenize_windows(
    tokenizer, texts: Sequence[str], max_length: int, *, both: bool = True
) -> list[list[list[int]]]:
    """Tokenise reviews and cut each into one or two windows.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The classifier's tokeniser.
    texts : sequence of str
        The reviews.
    max_length : int
        Tokens in a window, special tokens included.
    both : bool, default True
        False keeps only the first window: plain truncation.

    Returns
    -------
    list of list of list of int
        Review, window, token; special tokens included.
    """
    room = max_length - 2  # for the two special tokens
    encoded = tokenizer(
        list(texts), add_special_tokens=False, truncation=False, verbose=False
    )["input_ids"]
    split = split_windows if both else lambda ids, room: [ids[:room]]
    cls, sep = [tokenizer.cls_token_id], [tokenizer.sep_token_id]
    return [[cls + window + sep for window in split(ids, room)] for ids in encoded]


def window_batch(
    reviews: Sequence[Sequence[Sequence[int]]],
    pad_id: int,
    pad_to: int | None = None,
) -> dict[str, torch.Tensor]:
    """Stack the windows of several reviews into one padded batch.

    Lengths are rounded up to a multiple of 32, since every new shape costs
    the CPU kernels memory and time.

    Parameters
    ----------
    reviews : sequence of sequence of sequence of int
        Windows per review, from :func:`tokenize_windows`.
    pad_id : int
        The tokeniser's padding id.
    pad_to : int, optional
        Pad to this length instead.

    Returns
    -------
    dict of Tensor
        ``input_ids`` and ``attention_mask`` (windows, length) and
        ``review_index`` (windows,), which says whose window each one is.
    """
    windows = [window for review in reviews for window in review]
    owners = [i for i, review in enumerate(reviews) for _ in review]
    longest = max(len(window) for window in windows)
    length = pad_to or -(-longest // PAD_MULTIPLE) * PAD_MULTIPLE
    input_ids = torch.full((len(windows), length), pad_id)
    for row, window in enumerate(windows):
        input_ids[row, : len(window)] = torch.tensor(window)
    return {
        "input_ids": input_ids,
        "attention_mask": _length_mask(windows, length),
        "review_index": torch.tensor(owners),
    }


def _length_mask(windows, length: int) -> torch.Tensor:
    lengths = torch.tensor([len(window) for window in windows])
    return (torch.arange(length)[None, :] < lengths[:, None]).long()


def window_logits(model, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Run a classifier over windows and average them per review.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier, on any device.
    batch : dict of Tensor
        From :func:`window_batch`.

    Returns
    -------
    Tensor, shape (reviews, classes)
        Float32 logits, on the model's device.
    """
    batch = to_device(batch, device_of(model))
    owners = batch["review_index"]
    logits = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    ).logits.float()
    sums = logits.new_zeros(int(owners.max()) + 1, logits.shape[-1])
    sums = sums.index_add(0, owners, logits)
    counts = torch.bincount(owners).to(logits.dtype)
    return sums / counts[:, None]
