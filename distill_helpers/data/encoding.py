"""Reviews as token ids, batches of like length, one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from .labels import NO_LABEL
from .vocabulary import check_same_vocabulary

PAD_MULTIPLE = 32
WITHOUT_FLOAT64 = frozenset({"mps"})
"""Kinds of devices that cannot hold a float64 tensor."""


def device_of(model: torch.nn.Module) -> torch.device:
    """Return where a model's weights lie; the CPU for one without weights."""
    for tensors in (model.parameters(), model.buffers()):
        for tensor in tensors:
            return tensor.device
    return torch.device("cpu")


def to_device(batch: Mapping, device: torch.device | str) -> dict:
    """Move the tensors of a batch; leave texts and whatever else as it is.

    Parameters
    ----------
    batch : mapping of str to Tensor or anything else
    device : torch.device or str
        Where float64 does not exist there (Apple's ``mps``), such a tensor
        becomes float32.

    Returns
    -------
    dict
        A new one; a tensor that lies there already is the same object.

    Examples
    --------
    >>> batch = {"input_ids": torch.ones(1, 3), "text": ["a fine film"]}
    >>> moved = to_device(batch, "meta")
    >>> moved["input_ids"].device.type, moved["text"]
    ('meta', ['a fine film'])
    """
    device = torch.device(device)

    def move(value):
        if not isinstance(value, torch.Tensor):
            return value
        if value.dtype == torch.float64 and device.type in WITHOUT_FLOAT64:
            value = value.float()
        return value.to(device)

    return {name: move(value) for name, value in batch.items()}


def length_grouped(
    lengths: Sequence[int], batch_size: int, generator=None, pool: int = 50
) -> list[list[int]]:
    """Put reviews of like length into one batch, so that little is padding.

    Parameters
    ----------
    lengths : sequence of int
        Tokens per review.
    batch_size : int
        Reviews per batch.
    generator : torch.Generator, optional
        Shuffles the reviews and the batches; without one the order is by
        length, longest first, as evaluation likes it.
    pool : int, default 50
        Batches that are sorted together when shuffled.

    Returns
    -------
    list of list of int
        Indices of the reviews, batch by batch.
    """
    if generator is None:
        order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        return _chunks(order, batch_size)
    order = torch.randperm(len(lengths), generator=generator).tolist()
    batches = []
    for chunk in _chunks(order, batch_size * pool):
        chunk.sort(key=lambda i: -lengths[i])
        batches += _chunks(chunk, batch_size)
    shuffle = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[i] for i in shuffle]


def _chunks(items: list[int], size: int) -> list[list[int]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


class EncodedReviews(Dataset):
    """Tokenised reviews with labels and soft targets, in memory.

    Parameters
    ----------
    token_ids : sequence of ndarray of int
        Ids of each review, made by the student's tokeniser.
    labels : ndarray
        Of int, shape (reviews,): class numbers, -100 where there is none. Or
        of float, shape (reviews, labels): several labels a review, each 0 or
        1, for a loss that reads them so.
    teacher_logits : ndarray of float32, shape (reviews, classes), optional
    texts : sequence of str, optional
        Kept only for a live teacher.
    **tensors : ndarray, shape (reviews, ...)
        What else a batch shall hold, by name, such as ``pixel_values``. It
        goes to a student whose ``forward`` has a parameter of that name, and
        to the losses; one that begins with ``teacher_`` to the losses alone.

    Raises
    ------
    ValueError
        If an array has another number of rows than there are reviews.
    """

    def __init__(self, token_ids, labels, teacher_logits=None, texts=None, **tensors):
        several = np.ndim(labels) > 1
        self.token_ids = token_ids
        self.labels = np.asarray(labels, np.float32 if several else np.int64)
        self.teacher_logits = teacher_logits
        self.texts = texts
        self.tensors = tensors
        for name, rows in tensors.items():
            if len(rows) != len(token_ids):
                raise ValueError(
                    f"{name} must have a row for each of the {len(token_ids)}"
                    f" reviews, got {len(rows)}"
                )

    def __len__(self) -> int:
        return len(self.token_ids)

    def __getitem__(self, index: int) -> dict:
        item = {
            "input_ids": self.token_ids[index],
            "labels": self.labels[index],
        }
        if self.teacher_logits is not None:
            item["teacher_logits"] = self.teacher_logits[index]
        if self.texts is not None:
            item["text"] = self.texts[index]
        return item | {name: rows[index] for name, rows in self.tensors.items()}

    @property
    def lengths(self) -> list[int]:
        """Tokens of each review."""
        return [len(ids) for ids in self.token_ids]


def encode_reviews(
    dataset,
    tokenizer,
    teacher=None,
    *,
    live: bool = False,
    tensors: Sequence[str] = (),
) -> EncodedReviews:
    """Tokenise a data set and attach the teacher's logits.

    Parameters
    ----------
    dataset : datasets.Dataset
        Column ``text``; optionally ``label`` (missing, None or -100 means no
        label; or a row of several labels) and ``teacher_logits``. ``input_ids`` may stand in for ``text``
        where the teacher needs no text.
    tokenizer : PreTrainedTokenizerBase
        The student's.
    teacher : Teacher, optional
        Asked once for all texts, unless the logits are a column already.
    live : bool, default False
        Keep the texts instead, for a teacher that is asked in training.
    tensors : sequence of str
        Further columns that a batch shall hold.

    Returns
    -------
    EncodedReviews

    Raises
    ------
    ValueError
        If the columns do not suffice, or token ids of one vocabulary would
        be read by a model of another.
    """
    columns = set(dataset.column_names)
    texts = list(dataset["text"]) if "text" in columns else None
    if texts is not None:
        token_ids = encode_texts(tokenizer, texts)
    elif "input_ids" in columns:
        token_ids = [np.asarray(ids, np.int32) for ids in dataset["input_ids"]]
        _check_no_text(teacher, columns, tokenizer)
    else:
        raise ValueError(
            "the data set needs a column 'text' (or 'input_ids'), got"
            f" {sorted(columns)}"
        )
    labels = [NO_LABEL] * len(token_ids)
    if "label" in columns:
        labels = [NO_LABEL if y is None else y for y in dataset["label"]]
    logits = None
    if "teacher_logits" in columns:
        logits = np.asarray(dataset["teacher_logits"], np.float32)
    elif teacher is not None and not live:
        logits = teacher.logits(texts)
    further = {name: np.asarray(dataset[name]) for name in tensors}
    return EncodedReviews(token_ids, labels, logits, texts if live else None, **further)


def encode_texts(tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Return each text's token ids, truncated to what the student reads."""
    encoded = tokenizer(texts, truncation=True, return_attention_mask=False)
    pad = [tokenizer.pad_token_id]  # a text without a known token
    return [np.asarray(ids or pad, np.int32) for ids in encoded["input_ids"]]


def _check_no_text(teacher, columns, tokenizer) -> None:
    if teacher is None or "teacher_logits" in columns:
        return
    theirs = getattr(teacher, "tokenizer", None)
    if theirs is not None:
        check_same_vocabulary(tokenizer, theirs)
    raise ValueError(
        "the teacher reads texts: give the data set a 'text' column, or the"
        " logits themselves as 'teacher_logits'"
    )


class DistillationCollator:
    """Pad reviews into a batch of one length; stack what else they hold.

    Texts become a list. Floating-point arrays become float32 tensors, so that
    they may go to any device.

    Parameters
    ----------
    pad_token_id : int
    multiple : int, default 32
        The length is rounded up to a multiple of it: every new shape costs
        the CPU kernels memory and time.
    """

    def __init__(self, pad_token_id: int, multiple: int = PAD_MULTIPLE) -> None:
        self.pad_token_id = pad_token_id
        self.multiple = multiple

    def __call__(self, reviews: Sequence[dict]) -> dict:
        batch = self._padded([review["input_ids"] for review in reviews])
        for name in [name for name in reviews[0] if name != "input_ids"]:
            values = [review[name] for review in reviews]
            batch[name] = values if isinstance(values[0], str) else _stacked(values)
        return batch

    def _padded(self, rows: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
        longest = max(len(row) for row in rows)
        length = -(-longest // self.multiple) * self.multiple
        ids = np.full((len(rows), length), self.pad_token_id, np.int64)
        mask = np.zeros((len(rows), length), np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
        }


def _stacked(values: Sequence) -> torch.Tensor:
    stacked = np.stack(values)
    if np.issubdtype(stacked.dtype, np.floating):
        stacked = stacked.astype(np.float32, copy=False)
    return torch.from_numpy(stacked)


class LengthGroupedSampler(Sampler):
    """Shuffle by seed and epoch, reviews of like length side by side.

    The order depends on nothing else, so that a resumed run sees the batches
    that the interrupted one would have seen.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self):
        generator = torch.Generator().manual_seed(1_000 * self.seed + self.epoch)
        batches = length_grouped(self.lengths, self.batch_size, generator)
        # A smaller batch in the middle would shift all that follow.
        batches.sort(key=lambda batch: len(batch) < self.batch_size)
        return (index for batch in batches for index in batch)
