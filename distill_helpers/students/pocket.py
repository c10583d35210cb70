"""A student in one small file: n-grams beside a text CNN, packed to bits.

No word is kept: words and n-grams are known by hashes, these as the gaps
between their sorted values (a byte each, mostly). Weights that are many stand
as four-bit numbers of sixteen levels, the few of the convolutions as eight-bit
numbers. The file is safetensors; what it answers is what was measured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from distill_helpers import __version__

from ..arguments import check_whole
from ..data.encoding import EncodedReviews
from ..data.labels import NO_LABEL, ONE_LABEL, problem_type_of
from ..evaluation.predict import predict_encoded
from ..files import fresh_path, whole_file
from ..foreign import (
    ForeignFileError,
    label_name,
    list_of,
    number,
    one_of,
    parse_json,
    record,
    whole,
)
from .ngrams import NgramIndex, by_root, ngram_hashes, word_hashes, words
from .packing import (
    LEVELS,
    pack_keys,
    packed_levels,
    unpack_keys,
    unpacked_levels,
)
from .text_cnn import POOLINGS, TextCNNConfig, TextCNNForSequenceClassification

TWO_POOLINGS = list(POOLINGS[:2])
"""What a file pools by that does not say it."""
FORMAT, ATTENTIVE = "distill-pocket-3", "distill-pocket-4"
READABLE = ("distill-pocket-2", FORMAT, ATTENTIVE)
"""The first of these knows no rooted n-grams; only the last pools otherwise."""
PAD_ID, UNKNOWN_ID = 0, 1


_ABOUT = record(
    {
        "labels": list_of(label_name, 2, 2),
        "bias": number(),
        "share": number(0, 1),
        "longest_run": whole(1, 16),
        "longest_text": whole(2, 1_000_000),
        "embedding_size": whole(1, 4_096),
        "filters": whole(1, 4_096),
        "widths": list_of(whole(1, 64), 1, 16),
    },
    {"rooted": one_of(True, False), "pooling": list_of(one_of(*POOLINGS), 1, 3)},
)
"""What a packed student says of itself; a model is built of these numbers."""
_GAPS = (np.dtype(np.uint8), np.dtype(np.uint16))
_TYPES = {"word_gaps": _GAPS, "ngram_gaps": _GAPS}
for _name in ("embedding", "ngram"):
    _TYPES[f"{_name}.levels"] = (np.dtype(np.float32),)
    _TYPES[f"{_name}.nibbles"] = _GAPS[:1]


@dataclass
class WordTable:
    """The words that the CNN knows, by their hashes.

    Stands in for a tokeniser where a student is built or trained: it has a
    length and what else the Trainer asks for.

    Attributes
    ----------
    keys : ndarray of uint32, shape (words,)
        Sorted; a word's id is its place plus two, after padding and unknown.
    longest_text : int
        Words that are read; of a longer text its first and its last half.
    """

    keys: np.ndarray
    longest_text: int = 512
    pad_token_id = PAD_ID
    model_input_names = ("input_ids",)

    @classmethod
    def of(
        cls, hashes: Sequence[np.ndarray], count: int, longest_text: int = 512
    ) -> WordTable:
        """Keep the `count` most frequent words of some texts."""
        check_whole("count", count, 1)
        flat = np.concatenate([ngram_hashes(h, 1) for h in hashes])
        keys, counts = np.unique(flat, return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[:count]
        return cls(np.sort(keys[frequent]), longest_text)

    def __len__(self) -> int:
        """Return the rows that an embedding needs."""
        return len(self.keys) + 2

    def spell(self, texts: Sequence[str]) -> list[str]:
        """Return the word behind every id, from the texts that it was made of.

        Padding, unknown words and those that `texts` lack are empty.
        """
        found = sorted({word for text in texts for word in words(text)})
        names = [""] * len(self)
        for word, key in zip(found, word_hashes(found)):
            number = self.ids(key[:1])[0]
            if number > UNKNOWN_ID:
                names[number] = word
        return names

    def ids(self, hashes: np.ndarray) -> np.ndarray:
        """Return the ids of a text's words.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (words,)
            From :func:`~distill_helpers.students.ngrams.word_hashes`.

        Returns
        -------
        ndarray of int32
            At least one id: padding, for a text without a word.
        """
        keys = ngram_hashes(hashes, 1)
        half = self.longest_text // 2
        if len(keys) > self.longest_text:
            keys = np.concatenate([keys[:half], keys[-half:]])
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = np.where(self.keys[place] == keys, place + 2, UNKNOWN_ID)
        return found.astype(np.int32) if len(found) else np.array([PAD_ID], np.int32)

    def encode(self, hashes: Sequence[np.ndarray], labels=None, teacher_logits=None):
        """Return texts as the trainer takes them.

        Returns
        -------
        EncodedReviews
        """
        rows = [self.ids(h) for h in hashes]
        if labels is None:
            labels = np.full(len(rows), NO_LABEL)
        return EncodedReviews(rows, labels, teacher_logits)


@dataclass
class PocketStudent:
    """A linear model on n-grams and a text CNN, averaged in their logits.

    Attributes
    ----------
    index : NgramIndex
    weights : ndarray of float32, shape (features,)
        For the second of two classes.
    bias : float
    table : WordTable
    cnn : TextCNNForSequenceClassification
    share : float
        Of the linear model in the average, within [0, 1].
    label_names : sequence of str
    rooted : bool, default False
        Whether the linear model was fitted to n-grams that are divided by the root
        of how many a text has (:func:`~distill_helpers.students.ngrams.by_root`).

    Raises
    ------
    ValueError
        If there are not two names: it is for two classes that exclude each other.
    """

    index: NgramIndex
    weights: np.ndarray
    bias: float
    table: WordTable
    cnn: TextCNNForSequenceClassification
    share: float
    label_names: Sequence[str] = ("negative", "positive")
    rooted: bool = False

    def __post_init__(self) -> None:
        names = list(self.label_names)
        kind = problem_type_of(self.cnn)
        if len(names) != 2 or self.cnn.config.num_labels != 2 or kind != ONE_LABEL:
            raise ValueError(
                "a packed student is for two classes that exclude each other, got the"
                f" names {names} and a text CNN of {self.cnn.config.num_labels} classes"
                f" for {kind!r}; export others as an ONNX bundle (export.write_bundle)"
            )

    def linear_logits(self, hashes: Sequence[np.ndarray]) -> np.ndarray:
        """Return the linear model's logits, shape (texts, 2)."""
        found = self.index.features(hashes)
        found = by_root(found) if self.rooted else found
        margins = found @ self.weights + self.bias
        return np.stack([-margins / 2, margins / 2], axis=1)

    def cnn_logits(self, hashes: Sequence[np.ndarray]) -> np.ndarray:
        """Return the CNN's logits, shape (texts, 2)."""
        return predict_encoded(self.cnn, self.table, self.table.encode(hashes))

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Answer some texts.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (len(texts), 2)
        """
        hashes = word_hashes(texts)
        linear, cnn = self.linear_logits(hashes), self.cnn_logits(hashes)
        return (self.share * linear + (1 - self.share) * cnn).astype(np.float32)

    __call__ = logits

    def save(self, path: str | Path) -> Path:
        """Pack the student into one file; never over one that exists.

        Raises
        ------
        FileExistsError
            If there is such a file already.
        """
        path = fresh_path(path)
        tensors = {
            "ngram_gaps": pack_keys(self.index.keys),
            "word_gaps": pack_keys(self.table.keys),
        }
        tensors |= packed_levels("ngram", self.weights[:, None])
        state = {k: v.detach().cpu().numpy() for k, v in self.cnn.state_dict().items()}
        tensors |= packed_levels("embedding", state.pop("embedding.weight"))
        for name, value in state.items():
            tensors |= _packed_bytes(name, value)
        config = self.cnn.config
        about = {
            "format": FORMAT,
            "kit": __version__,
            "labels": list(self.label_names),
            "bias": self.bias,
            "share": float(self.share),
            "rooted": bool(self.rooted),
            "longest_run": self.index.longest,
            "longest_text": self.table.longest_text,
            "ngrams": len(self.index.keys),
            "embedding_size": config.embedding_size,
            "filters": config.filters,
            "widths": list(config.widths),
        }
        if config.pooling != TWO_POOLINGS:
            about |= {"format": ATTENTIVE, "pooling": list(config.pooling)}
        with whole_file(path) as temporary:
            save_file(tensors, temporary, {"about": json.dumps(about)})
        return path

    @classmethod
    def load(cls, path: str | Path) -> PocketStudent:
        """Read a packed student.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged or something else.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"no student at {str(path)!r}")
        try:
            with safe_open(path, "numpy") as file:
                about = parse_json((file.metadata() or {}).get("about", "{}"))
                packed = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, ValueError) as error:
            raise ValueError(f"{str(path)!r} is damaged: {error}") from error
        if not isinstance(about, dict) or about.get("format") not in READABLE:
            raise ValueError(
                f"{str(path)!r} is no packed student of this kit, or of an"
                " earlier one, which cut texts into words otherwise: pack it anew"
            )
        try:
            _ABOUT(about, "")
            _check_packed(about, packed)
            return cls._unpacked(about, packed)
        except (ForeignFileError, RuntimeError, IndexError, KeyError) as error:
            raise ValueError(f"{str(path)!r} is damaged: {error}") from error

    @classmethod
    def _unpacked(cls, about: dict, packed: dict) -> PocketStudent:
        words = unpack_keys(packed["word_gaps"])
        config = TextCNNConfig(
            vocab_size=len(words) + 2,
            embedding_size=about["embedding_size"],
            filters=about["filters"],
            widths=about["widths"],
            pooling=about.get("pooling", TWO_POOLINGS),
            id2label=dict(enumerate(about["labels"])),
            label2id={name: i for i, name in enumerate(about["labels"])},
        )
        cnn = TextCNNForSequenceClassification(config).eval()
        table = unpacked_levels("embedding", packed, about["embedding_size"])
        state = {"embedding.weight": table}
        for name in cnn.state_dict():
            if name not in state:
                state[name] = _unpacked_bytes(name, packed)
        cnn.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
        keys = unpack_keys(packed["ngram_gaps"])
        return cls(
            NgramIndex(keys, about["longest_run"]),
            unpacked_levels("ngram", packed, 1)[: len(keys), 0],
            about["bias"],
            WordTable(words, about["longest_text"]),
            cnn,
            about["share"],
            about["labels"],
            about.get("rooted", False),
        )


def _check_packed(about: dict, packed: dict[str, np.ndarray]) -> None:
    """Hold the sizes that a file claims against what lies in it.

    Memory is taken for what is there, never for what a number asks for.
    """
    absent = [name for name in _TYPES if name not in packed]
    if absent:
        raise ForeignFileError(f"it lacks {', '.join(absent)}")
    odd = [
        name
        for name, types in _TYPES.items()
        if packed[name].ndim != 1 or packed[name].dtype not in types
    ]
    odd += [n for n in _TYPES if n.endswith(".levels") and packed[n].shape != (LEVELS,)]
    if odd:
        raise ForeignFileError(f"{', '.join(odd)} are of another type or shape")
    size, filters = about["embedding_size"], about["filters"]
    rows = len(unpack_keys(packed["word_gaps"])) + 2
    features = len(unpack_keys(packed["ngram_gaps"]))
    if rows == 2 or features == 0:
        raise ForeignFileError("it knows no word, or no n-gram")
    for name, numbers in (("embedding", rows * size), ("ngram", features)):
        there = len(packed[f"{name}.nibbles"])
        if there != (numbers + 1) // 2:
            raise ForeignFileError(
                f"{name}.nibbles must hold {(numbers + 1) // 2:,} bytes for {numbers:,}"
                f" numbers, got {there:,}"
            )
    wanted = filters * size * sum(about["widths"])
    held = sum(
        v.size for n, v in packed.items() if v.ndim > 1 and v.shape[0] == filters
    )
    if held < wanted:
        raise ForeignFileError(
            f"filters, embedding_size and widths ask for {wanted:,} weights, the file"
            f" holds {held:,}"
        )
    broken = [n for n, v in packed.items() if not np.isfinite(v).all()]
    if broken:
        raise ForeignFileError(f"{', '.join(broken)} hold what is no number")


# ------------------------------------------------------------------- packing
def _packed_bytes(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Eight bits a number, a scale for each filter; vectors in sixteen bits."""
    if values.ndim < 2:
        return {name: values.astype(np.float16)}
    axes = tuple(range(1, values.ndim))
    largest = np.abs(values).max(axes, keepdims=True)
    scales = (np.where(largest > 0, largest, 127) / 127).astype(np.float32)
    return {
        name: np.rint(values / scales).astype(np.int8),
        f"{name}.scales": scales,
    }


def _unpacked_bytes(name: str, packed: dict) -> np.ndarray:
    values = packed[name].astype(np.float32)
    scales = packed.get(f"{name}.scales")
    return values if scales is None else values * scales
