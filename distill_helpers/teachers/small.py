"""A teacher of a hundred kilobytes that answers any text.

What the kit's large teacher said is a table: it cannot be asked about a text that is
cut, mistyped or spliced. This one learnt from that table, knows words by their
hashes alone, and is live.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..data.cleaning import check_texts
from ..data.labels import ONE_LABEL
from ..files import whole_folder
from ..foreign import (
    ForeignFileError,
    label_name,
    list_of,
    number,
    one_of,
    parse_json,
    read_json,
    record,
    whole,
)
from ..places import SMALL_TEACHER
from ..students.ngrams import HASH_BITS, NgramIndex, by_root, word_hashes
from ..students.packing import (
    LEVELS,
    nibbles,
    pack_keys,
    packed_levels,
    unpack_keys,
    unpacked_levels,
)
from .base import Teacher

FORMAT = "distill-small-teacher-1"
WEIGHTS, CARD = "weights.safetensors", "card.json"
_ABOUT = record(
    {
        "labels": list_of(label_name, 2, 2),
        "bias": number(),
        "longest_run": whole(1, 16),
    },
    {"by_root": one_of(True, False)},
)
"""What the file of weights says of itself."""
_TYPES = {
    "ngram_gaps": (np.uint8, np.uint16),
    "ngram.levels": (np.float32,),
    "ngram.nibbles": (np.uint8,),
}


class SmallTeacher(Teacher):
    """A linear model of hashed n-grams that was taught by soft targets.

    Parameters
    ----------
    index : NgramIndex
        The runs of words that count, by their hashes.
    weights : ndarray of float32, shape (features,)
        What each says for the second of two classes. Rounded to sixteen levels here
        already, so that the teacher answers as the one that was saved.
    bias : float
    label_names : sequence of two str
    about : mapping, optional
        Its card: what it was made of and how good it is.
    by_root : bool, default False
        Whether a text's features are divided by the root of how many it has
        (:func:`~distill_helpers.students.ngrams.by_root`), as they were when it was
        fitted.

    Attributes
    ----------
    about : dict
    fingerprint : str
        Names weights, hashes, bias and how features are counted.

    Raises
    ------
    ValueError
        If there are not two names, or not a finite weight for each n-gram.

    See Also
    --------
    distill_helpers.teachers.open_teacher : ``open_teacher("small", cache)`` opens the
        one that comes with the kit.
    """

    num_labels = 2
    problem_type = ONE_LABEL

    def __init__(
        self,
        index: NgramIndex,
        weights: np.ndarray,
        bias: float,
        label_names: Sequence[str] = ("negative", "positive"),
        about: Mapping | None = None,
        *,
        by_root: bool = False,
    ) -> None:
        names = [str(name) for name in label_names]
        if isinstance(label_names, str) or len(set(names)) != 2:
            raise ValueError(
                f"label_names must be two names that differ, got {label_names!r}"
            )
        weights = np.asarray(weights, np.float32)
        if weights.shape != (len(index.keys),) or not np.isfinite(weights).all():
            raise ValueError(
                f"weights must be {len(index.keys)} finite numbers, one for each n-gram"
                f" of the index, got the shape {weights.shape}"
            )
        self._packed = _packed(weights)
        self.index = index
        self.weights = unpacked_levels("ngram", self._packed, 1)[: len(weights), 0]
        self.bias = float(bias)
        self.by_root = bool(by_root)
        self.label_names = names
        self.about = dict(about or {})
        self.fingerprint = f"small-{self._digest()}"

    def _digest(self) -> str:
        digest = hashlib.sha256(np.ascontiguousarray(self.index.keys).tobytes())
        digest.update(self.weights.tobytes())
        counted = ["by root"] if self.by_root else []
        told = [self.bias, self.index.longest, *counted]
        digest.update(json.dumps(told).encode())
        return digest.hexdigest()[:16]

    def margins(self, texts: Sequence[str]) -> np.ndarray:
        """Return the logit of the second class minus that of the first.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (len(texts),)
        """
        check_texts(texts)
        if not len(texts):
            return np.zeros(0, np.float32)
        features = self.index.features(word_hashes(texts))
        if self.by_root:
            features = by_root(features)
        return (features @ self.weights + self.bias).astype(np.float32)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        margins = self.margins(texts)
        return np.stack([-margins / 2, margins / 2], axis=1)

    def save(self, folder: str | Path) -> Path:
        """Write the weights and the card into a new folder.

        Raises
        ------
        FileExistsError
            If the folder holds something.
        """
        folder = Path(folder)
        tensors = {"ngram_gaps": pack_keys(self.index.keys)} | self._packed
        about = {
            "format": FORMAT,
            "labels": self.label_names,
            "bias": self.bias,
            "longest_run": self.index.longest,
            "by_root": self.by_root,
        }
        with whole_folder(folder, "folder") as part:
            save_file(tensors, part / WEIGHTS, {"about": json.dumps(about)})
            text = json.dumps(self.about, indent=1, sort_keys=True) + "\n"
            (part / CARD).write_bytes(text.encode())
        return folder

    @classmethod
    def load(cls, folder: str | Path = SMALL_TEACHER) -> SmallTeacher:
        """Read what :meth:`save` wrote; by default the one that the kit ships.

        Raises
        ------
        FileNotFoundError
            If there is no such folder, or a file is missing in it.
        ValueError
            If a file is damaged or something else.
        """
        path, card = Path(folder) / WEIGHTS, Path(folder) / CARD
        for file in (path, card):
            if not file.is_file():
                raise FileNotFoundError(f"no small teacher: {str(file)!r} is missing")
        try:
            with safe_open(path, "numpy") as file:
                about = parse_json((file.metadata() or {}).get("about", "{}"))
                packed = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, ValueError) as error:
            raise ValueError(f"{str(path)!r} is damaged: {error}") from error
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError(f"{str(path)!r} is no small teacher of this kit")
        try:
            _ABOUT(about, "")
            keys = _checked_keys(packed)
        except ForeignFileError as error:
            raise ValueError(f"{str(path)!r} is damaged: {error}") from error
        try:
            told = read_json(card, record({}))
        except ForeignFileError as error:
            raise ValueError(f"{str(card)!r} {error}") from error
        return cls(
            NgramIndex(keys, about["longest_run"]),
            unpacked_levels("ngram", packed, 1)[: len(keys), 0],
            about["bias"],
            about["labels"],
            told,
            by_root=about.get("by_root", False),
        )


def _packed(weights: np.ndarray) -> dict[str, np.ndarray]:
    """Pack weights in four bits; those of sixteen values at most stay as they are."""
    levels = np.unique(weights)
    if len(levels) > LEVELS or not len(levels):
        return packed_levels("ngram", weights[:, None])
    levels = np.pad(levels, (0, LEVELS - len(levels)), mode="edge")
    numbers = np.searchsorted(levels, weights).astype(np.uint8)
    return {"ngram.levels": levels, "ngram.nibbles": nibbles(numbers)}


def _checked_keys(packed: dict[str, np.ndarray]) -> np.ndarray:
    """Return the hashes of a file whose pieces fit together."""
    odd = [
        name
        for name, types in _TYPES.items()
        if name not in packed
        or packed[name].ndim != 1
        or packed[name].dtype not in types
    ]
    if odd:
        raise ForeignFileError(f"{', '.join(odd)} are missing or of another type")
    levels = packed["ngram.levels"]
    if levels.shape != (LEVELS,) or not np.isfinite(levels).all():
        raise ForeignFileError(f"ngram.levels must be {LEVELS} finite numbers")
    keys = unpack_keys(packed["ngram_gaps"])
    wanted, there = (len(keys) + 1) // 2, len(packed["ngram.nibbles"])
    if not len(keys) or there != wanted:
        raise ForeignFileError(
            f"ngram.nibbles must hold {wanted:,} bytes for {len(keys):,} n-grams, at"
            f" least one, got {there:,}"
        )
    if int(keys[-1]) >= 2**HASH_BITS or (np.diff(keys.astype(np.int64)) <= 0).any():
        raise ForeignFileError(
            f"ngram_gaps must lead to rising numbers below 2**{HASH_BITS}"
        )
    return keys
