"""Reviews as token ids, batches of like length, one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from .class_order import class_order, ordered, real_names
from .cleaning import check_texts, well_formed
from .labels import has_label
from .targets import (
    SOFT_TARGETS_COLUMN,
    as_labels,
    as_logits,
    check_labels,
    check_logits,
    check_no_probabilities,
    dataset_names,
    put_labels_in_order,
    read_labels,
    read_teacher_logits,
    whole_column,
)
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
        1, a row of -100 where there are none, for a loss that reads them so.
    teacher_logits : ndarray of float32, shape (reviews, classes), optional
    texts : sequence of str, optional
        Kept only for a live teacher.
    label_names : sequence of str, optional
        The names of the classes, in the order of labels and logits.
    **tensors : ndarray, shape (reviews, ...)
        What else a batch shall hold, by name, such as ``pixel_values``. It
        goes to a student whose ``forward`` has a parameter of that name, and
        to the losses; one that begins with ``teacher_`` to the losses alone.

    Raises
    ------
    ValueError
        If an array has another number of rows than there are reviews, or a
        label is none.
    """

    def __init__(
        self,
        token_ids,
        labels,
        teacher_logits=None,
        texts=None,
        label_names: Sequence[str] | None = None,
        **tensors,
    ):
        self.token_ids = token_ids
        self.labels = as_labels(labels)
        self.teacher_logits = teacher_logits
        self.texts = texts
        self.label_names = real_names(label_names)
        self.tensors = tensors
        given = {"labels": self.labels, "teacher_logits": teacher_logits}
        for name, rows in (given | {"texts": texts} | tensors).items():
            if rows is not None and len(rows) != len(token_ids):
                raise ValueError(
                    f"{name} must have a row for each of the {len(token_ids)}"
                    f" texts, got {len(rows)}"
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

    @property
    def labelled(self) -> np.ndarray:
        """Say which reviews have a label; ndarray of bool, shape (reviews,)."""
        return has_label(self.labels)

    def changed(self, **fields) -> EncodedReviews:
        """Return the same reviews with something else about them.

        Parameters
        ----------
        **fields
            By the names of the parameters, one more tensor among them.

        Returns
        -------
        EncodedReviews
            A new one; this one stays as it is.
        """
        own = {
            "token_ids": self.token_ids,
            "labels": self.labels,
            "teacher_logits": self.teacher_logits,
            "texts": self.texts,
            "label_names": self.label_names,
        }
        return EncodedReviews(**(own | self.tensors | fields))

    def for_classes(
        self, count: int, label_names: Sequence[str] | None = None
    ) -> EncodedReviews:
        """Check that labels and soft targets fit a student, and its order.

        Parameters
        ----------
        count : int
            Classes of the student.
        label_names : sequence of str, optional
            Their names, in the order of the student's logits.

        Returns
        -------
        EncodedReviews
            This one, or one with labels and soft targets in the order of
            `label_names`.

        Raises
        ------
        ClassNamesError
            If the names are not those of these reviews.
        ValueError
            If a label or a row of soft targets does not fit `count` classes.
        """
        check_labels(self.labels, count)
        if self.teacher_logits is not None:
            check_logits(
                self.teacher_logits, len(self), count, name=SOFT_TARGETS_COLUMN
            )
        wanted = real_names(label_names)
        if not wanted or not self.label_names or wanted == self.label_names:
            return self
        order = _order_for_student(self.label_names, wanted, count)
        logits = self.teacher_logits
        return self.changed(
            labels=put_labels_in_order(self.labels, order),
            teacher_logits=None if logits is None else ordered(logits, order),
            label_names=wanted,
        )


def encode_reviews(
    dataset,
    tokenizer,
    teacher=None,
    *,
    live: bool = False,
    tensors: Sequence[str] = (),
    label_names: Sequence[str] | None = None,
) -> EncodedReviews:
    """Tokenise a data set and attach the teacher's logits.

    Parameters
    ----------
    dataset : datasets.Dataset
        Column ``text``; optionally ``label`` or ``labels`` (a class number, or a
        row of 0 and 1 for several labels a text; missing, None, NaN or -100 means
        no label) and ``teacher_logits``. ``input_ids`` may stand in for ``text``
        where the teacher needs no text.
    tokenizer : PreTrainedTokenizerBase
        The student's.
    teacher : Teacher, optional
        Asked once for all texts, unless the logits are a column already.
    live : bool, default False
        Keep the texts instead, for a teacher that is asked in training.
    tensors : sequence of str
        Further columns that a batch shall hold.
    label_names : sequence of str, optional
        The order in which labels and soft targets shall stand, by the names of
        the classes; by default that of the data set's ``ClassLabel``, if it has
        one. What has names of its own is put into it: the labels, the teacher's
        logits. A column ``teacher_logits`` has none, and stands in the order of
        the data set.

    Returns
    -------
    EncodedReviews

    Raises
    ------
    ClassNamesError
        If the names of data set, teacher and `label_names` do not match, or the
        teacher's are ``LABEL_0`` and so on where the others have a meaning; see
        :func:`distill_helpers.teachers.in_order`.
    ValueError
        If the columns do not suffice, a label or a soft target is none, or token
        ids of one vocabulary would be read by a model of another.
    """
    if not hasattr(dataset, "column_names"):
        raise TypeError(
            "dataset must be a datasets.Dataset with a column 'text', got"
            f" {type(dataset).__name__}"
        )
    columns = set(dataset.column_names)
    texts = list(whole_column(dataset, "text")) if "text" in columns else None
    if texts is not None:
        token_ids = encode_texts(tokenizer, texts)
    elif "input_ids" in columns:
        token_ids = _own_ids(whole_column(dataset, "input_ids"), len(tokenizer))
        _check_no_text(teacher, columns, tokenizer)
    else:
        raise ValueError(
            "the data set needs a column 'text' (or 'input_ids'), got"
            f" {sorted(columns)}"
        )
    own, wanted = dataset_names(dataset), real_names(label_names)
    labels, logits = read_labels(dataset), None
    if own:
        check_labels(labels, len(own))
    if SOFT_TARGETS_COLUMN in columns:
        logits = read_teacher_logits(dataset)
    elif teacher is not None and not live:
        logits = soft_targets_of(teacher, texts, wanted or own)
    further = {name: np.asarray(dataset[name]) for name in tensors}
    if wanted and own and wanted != own:
        order = _order_for_student(own, wanted, len(own))
        labels = put_labels_in_order(labels, order)
        if SOFT_TARGETS_COLUMN in columns:
            logits = ordered(logits, order)
    names = wanted or own or real_names(getattr(teacher, "label_names", None))
    kept = texts if live else None
    return EncodedReviews(token_ids, labels, logits, kept, names, **further)


def _order_for_student(own: list[str], wanted: list[str], count: int) -> list[int]:
    return class_order(
        own, wanted, count=count, whose="the data set", where="the student"
    )


def soft_targets_of(
    teacher, texts: Sequence[str], label_names: Sequence[str] | None = None
) -> np.ndarray:
    """Ask a teacher, check its answer, and put it into the order of the classes.

    Parameters
    ----------
    teacher : Teacher
        One without names (None) is taken to stand in the order that is wanted.
    texts : sequence of str
    label_names : sequence of str, optional
        The order that is wanted; by default the teacher's own.

    Returns
    -------
    ndarray of float32, shape (len(texts), classes)

    Raises
    ------
    ClassNamesError
        If the teacher's names do not match, or mean nothing.
    ValueError
        If it gives another number of rows, probabilities, or a value that is not
        finite.
    """
    own = getattr(teacher, "label_names", None)
    order = None
    if own and label_names:
        order = class_order(own, label_names, count=teacher.num_labels)
    logits = as_logits(teacher.logits(texts), "the teacher's logits")
    check_logits(logits, len(texts), teacher.num_labels, "the teacher's logits")
    check_no_probabilities(logits, "the teacher's logits")
    return logits if order is None else ordered(logits, order)


def encode_texts(tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Return each text's token ids, truncated to what the student reads.

    Raises
    ------
    TypeError
        If something is no text; the message names its row.
    """
    check_texts(texts)
    if not len(texts):
        return []
    texts = [well_formed(text) for text in texts]
    encoded = tokenizer(texts, truncation=True, return_attention_mask=False)
    pad = [tokenizer.pad_token_id]  # a text without a known token
    return [np.asarray(ids or pad, np.int32) for ids in encoded["input_ids"]]


def _own_ids(rows: Sequence, vocabulary: int) -> list[np.ndarray]:
    """Take over token ids that a data set brings, if they are some."""
    found = []
    for row, ids in enumerate(rows):
        whole = np.asarray(ids)
        if whole.ndim != 1 or not len(whole) or whole.dtype.kind not in "iu":
            raise ValueError(
                "input_ids must hold a list of at least one token id for every text,"
                f" got {ids!r:.80} in row {row}"
            )
        if whole.min() < 0 or whole.max() >= vocabulary:
            raise ValueError(
                f"input_ids must lie in 0..{vocabulary - 1}, as the tokeniser has"
                f" tokens, got {whole.min()} to {whole.max()} in row {row}: they were"
                " made by another tokeniser"
            )
        found.append(whole.astype(np.int32))
    return found


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
