"""Long texts in windows, as a teacher reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..data.cleaning import well_formed
from ..data.encoding import PAD_MULTIPLE, device_of, to_device


@dataclass(frozen=True)
class Reading:
    """How a classifier's tokeniser frames a text.

    Attributes
    ----------
    before, after : tuple of int
        Ids of the special tokens around a text: ``[CLS]`` and ``[SEP]`` for
        BERT, none for GPT-2, ``<sep> <cls>`` behind the text for XLNet.
    kinds : tuple of int, optional
        Token types: of those before, of the text, and of those after. None
        where all are 0.
    alone : int
        The token that stands for a text without any.
    left : bool
        Padding goes to the left, for a classifier that reads the last place.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    kinds: tuple[int, ...] | None = None
    alone: int = 0
    left: bool = False

    @property
    def room_taken(self) -> int:
        """Special tokens in each window."""
        return len(self.before) + len(self.after)

    def frame(self, window: list[int]) -> list[int]:
        """Put the special tokens around a window."""
        framed = [*self.before, *window, *self.after]
        return framed or [self.alone]

    def token_types(self, length: int) -> list[int]:
        """Return the types of a framed window of this length."""
        first, last = len(self.before), len(self.after)
        kinds = self.kinds or ()
        inside = length - first - last
        return [*kinds[:first], *[kinds[first]] * inside, *kinds[first + 1 :]]


def reading_of(tokenizer) -> Reading:
    """Find out how a tokeniser frames a text.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase

    Returns
    -------
    Reading

    Notes
    -----
    One that adds nothing of its own, but has ``cls_token`` and ``sep_token``,
    is read as BERT's.
    """
    known = [tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id, 0]
    alone = next(token for token in known if token is not None)
    for sample in ("a", "the", "1", "."):
        bare = tokenizer(sample, add_special_tokens=False)["input_ids"]
        whole = tokenizer(sample, return_token_type_ids=True)
        ids = list(whole["input_ids"])
        starts = [
            i for i in range(len(ids)) if bare and ids[i : i + len(bare)] == list(bare)
        ]
        if starts:
            break
    else:
        starts, bare, ids, whole = [0], [], [], {}
    first = starts[0]
    before, after = tuple(ids[:first]), tuple(ids[first + len(bare) :])
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    if not before and not after and cls is not None and sep is not None:
        return Reading((cls,), (sep,), alone=alone)
    types = list(whole.get("token_type_ids") or [])
    kinds = None
    if any(types):
        kinds = (*types[:first], types[first], *types[first + len(bare) :])
    left = bool(after) and after[-1] == cls
    return Reading(before, after, kinds, alone, left)


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
        Review, window, token; the tokeniser's own special tokens included.
    """
    reading = reading_of(tokenizer)
    room = max_length - reading.room_taken
    if not len(texts):
        return []
    encoded = tokenizer(
        [well_formed(text) for text in texts],
        add_special_tokens=False,
        truncation=False,
        verbose=False,
    )["input_ids"]
    split = split_windows if both else lambda ids, room: [ids[:room]]
    return [[reading.frame(window) for window in split(ids, room)] for ids in encoded]


def window_batch(
    reviews: Sequence[Sequence[Sequence[int]]],
    pad_id: int,
    pad_to: int | None = None,
    reading: Reading | None = None,
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
    reading : Reading, optional
        From :func:`reading_of`, where padding may go to the left or tokens may
        have types.

    Returns
    -------
    dict of Tensor
        ``input_ids`` and ``attention_mask`` (windows, length), ``token_type_ids``
        where the reading has types, and ``review_index`` (windows,), which says
        whose window each one is.
    """
    windows = [window for review in reviews for window in review]
    owners = [i for i, review in enumerate(reviews) for _ in review]
    longest = max(len(window) for window in windows)
    length = pad_to or -(-longest // PAD_MULTIPLE) * PAD_MULTIPLE
    left = reading is not None and reading.left
    batch = {
        "input_ids": _padded(windows, length, pad_id, left),
        "attention_mask": _padded([[1] * len(w) for w in windows], length, 0, left),
        "review_index": torch.tensor(owners),
    }
    if reading is not None and reading.kinds is not None:
        types = [reading.token_types(len(window)) for window in windows]
        batch["token_type_ids"] = _padded(types, length, 0, left)
    return batch


def _padded(rows: Sequence[Sequence[int]], length: int, fill: int, left: bool):
    padded = torch.full((len(rows), length), fill)
    for place, row in enumerate(rows):
        start = length - len(row) if left else 0
        padded[place, start : start + len(row)] = torch.tensor(row)
    return padded


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
    owners = batch.pop("review_index")
    logits = model(**batch).logits.float()
    sums = logits.new_zeros(int(owners.max()) + 1, logits.shape[-1])
    sums = sums.index_add(0, owners, logits)
    counts = torch.bincount(owners).to(logits.dtype)
    return sums / counts[:, None]
