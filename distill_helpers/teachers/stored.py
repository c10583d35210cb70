"""Soft targets stored in a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..data.cleaning import text_hash
from ..files import whole_file
from .base import Teacher, check_answers, stack_answers


class SoftTargets(Teacher):
    """Logits that were computed before and are looked up by text.

    Parameters
    ----------
    logits_by_hash : dict of str to ndarray
        Logits of each text, by :func:`distill_helpers.data.cleaning.text_hash`.
    fingerprint : str
        Names the teacher that wrote them.

    See Also
    --------
    SoftTargets.load : read the files that the kit ships.
    """

    def __init__(self, logits_by_hash: dict[str, np.ndarray], fingerprint: str) -> None:
        if not logits_by_hash:
            raise ValueError("logits_by_hash must hold at least one text")
        self._known = logits_by_hash
        self.num_labels = len(next(iter(logits_by_hash.values())))
        self.fingerprint = fingerprint

    @classmethod
    def load(cls, *paths: str | Path) -> SoftTargets:
        """Read one or more Parquet files of soft targets.

        Raises
        ------
        FileNotFoundError
            If a file is missing.
        DamagedFileError
            If a file cannot be read.
        """
        known: dict[str, np.ndarray] = {}
        names = []
        for path in paths:
            keys, logits, fingerprint = read_soft_targets(path)
            known.update(zip(keys, logits))
            names.append(fingerprint)
        return cls(known, "+".join(names))

    def __len__(self) -> int:
        return len(self._known)

    def knows(self, texts: Iterable[str]) -> np.ndarray:
        """Say which texts have soft targets.

        Returns
        -------
        ndarray of bool, shape (number of texts,)
        """
        return np.array([text_hash(t) in self._known for t in texts], bool)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`.

        Raises
        ------
        KeyError
            If a text is not in the file; nothing can be computed here.
        """
        missing = int((~self.knows(texts)).sum())
        if missing:
            raise KeyError(
                f"{missing} of {len(texts)} texts have no stored soft targets:"
                " these files know only the reviews that their teacher has"
                " read. For other texts give a live teacher, such as"
                " teacher='path/to/a/saved/classifier'."
            )
        return stack_answers(
            [self._known[text_hash(text)] for text in texts], self.num_labels
        )


def answerable(teacher: Teacher, dataset):
    """Keep the rows of a data set that a teacher can answer.

    A live teacher answers all. Stored soft targets cover, of IMDB's test
    split, the reviews that the teacher's makers had.

    Parameters
    ----------
    teacher : Teacher
    dataset : datasets.Dataset
        With a column ``text``.

    Returns
    -------
    datasets.Dataset

    Raises
    ------
    ValueError
        If it can answer fewer than half.
    """
    if not isinstance(teacher, SoftTargets):
        return dataset
    known = teacher.knows(dataset["text"])
    if known.mean() < 0.5:
        raise ValueError(
            f"teacher='shipped' knows {int(known.sum())} of these"
            f" {len(known)} texts: it has read IMDB and our sample, nothing"
            " else. For your own texts give a live teacher, such as"
            " teacher='path/to/a/saved/classifier'."
        )
    return dataset.select(np.flatnonzero(known))


class DamagedFileError(ValueError):
    """A file of soft targets is torn, truncated or not what it claims."""


def write_soft_targets(
    path: str | Path,
    keys: Sequence[str],
    logits: np.ndarray,
    fingerprint: str,
) -> None:
    """Write logits to Parquet, all or nothing.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists.
    keys : sequence of str
        Text hashes, 32 hexadecimal digits each.
    logits : ndarray, shape (len(keys), classes)
        Stored as float32.
    fingerprint : str
        Names the teacher.

    Raises
    ------
    ValueError
        If a logit is not finite or the lengths differ.
    """
    logits = np.asarray(logits, np.float32)
    check_answers(logits, len(keys), logits.shape[-1])
    columns = {
        "text_hash": pa.array([bytes.fromhex(key) for key in keys], pa.binary(16))
    }
    for index in range(logits.shape[1]):
        columns[f"logit_{index}"] = pa.array(logits[:, index])
    meta = {"fingerprint": fingerprint, "checksum": _checksum(keys, logits)}
    table = pa.table(columns).replace_schema_metadata(
        {"distill_helpers": json.dumps(meta)}
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_soft_targets(path: str | Path) -> tuple[list[str], np.ndarray, str]:
    """Read what :func:`write_soft_targets` wrote.

    Returns
    -------
    keys : list of str
    logits : ndarray of float32, shape (len(keys), classes)
    fingerprint : str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedFileError
        If the file is torn or its checksum does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no soft targets at {str(path)!r}")
    try:
        table = pq.read_table(path)
        meta = json.loads(table.schema.metadata[b"distill_helpers"])
        keys = [key.hex() for key in table["text_hash"].to_pylist()]
        names = [n for n in table.column_names if n.startswith("logit_")]
        logits = np.stack([table[n].to_numpy() for n in names], axis=1)
        checksum, fingerprint = meta["checksum"], meta["fingerprint"]
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DamagedFileError(
            f"{str(path)!r} is damaged and cannot be read: {error}"
        ) from error
    if checksum != _checksum(keys, logits):
        raise DamagedFileError(
            f"{str(path)!r} is damaged: its checksum does not fit its content"
        )
    return keys, logits, fingerprint


def _checksum(keys: Sequence[str], logits: np.ndarray) -> str:
    digest = hashlib.sha256("".join(keys).encode())
    digest.update(np.ascontiguousarray(logits, np.float32).tobytes())
    return digest.hexdigest()[:16]
