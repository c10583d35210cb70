"""Soft targets stored in a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..data.cleaning import text_hash
from ..files import whole_file
from .base import Teacher, check_answers, stack_answers
from .ordering import innermost


class MissingAnswersError(KeyError, ValueError):
    """Stored soft targets do not cover the texts that are asked."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SoftTargets(Teacher):
    """Logits that were computed before and are looked up by text.

    Parameters
    ----------
    logits_by_hash : dict of str to ndarray
        Logits of each text, by :func:`distill_helpers.data.cleaning.text_hash`.
    fingerprint : str
        Names the teacher that wrote them.
    label_names : sequence of str, optional
        The classes in the order of the logits.
    name : str, default "shipped"
        What the reader called this teacher, for messages.
    problem_type : str, optional
        Which probabilities the logits stand for; None where that is not known.

    Raises
    ------
    ValueError
        If there is no text, or a row is not of the width of the others.

    See Also
    --------
    SoftTargets.load : read the files that the kit ships.
    """

    def __init__(
        self,
        logits_by_hash: dict[str, np.ndarray],
        fingerprint: str,
        label_names: Sequence[str] | None = None,
        name: str = "shipped",
        problem_type: str | None = None,
    ) -> None:
        if not logits_by_hash:
            raise ValueError("logits_by_hash must hold at least one text")
        widths = sorted({len(row) for row in logits_by_hash.values()})
        if len(widths) > 1:
            raise ValueError(
                f"logits_by_hash must hold rows of one width, got {widths}"
            )
        self._known = logits_by_hash
        self.num_labels = widths[0]
        if label_names is not None and len(label_names) != self.num_labels:
            raise ValueError(
                f"label_names must hold {self.num_labels} names, one for each logit,"
                f" got {list(label_names)}"
            )
        self.label_names = None if label_names is None else list(label_names)
        self.fingerprint = fingerprint
        self.name = name
        self.problem_type = problem_type

    @classmethod
    def load(
        cls,
        *paths: str | Path,
        label_names: Sequence[str] | None = None,
        name: str = "shipped",
    ) -> SoftTargets:
        """Read one or more Parquet files of soft targets.

        Parameters
        ----------
        *paths : str or Path
        label_names : sequence of str, optional
            The classes of files that do not name them.
        name : str
            As for the constructor.

        Raises
        ------
        FileNotFoundError
            If a file is missing.
        DamagedFileError
            If a file cannot be read.
        ValueError
            If two files have other classes, or other logits for one text.
        """
        known: dict[str, np.ndarray] = {}
        prints: list[str] = []
        for path in paths:
            stored = read_stored_logits(path)
            names = stored.label_names or label_names
            if prints and names != label_names:
                raise ValueError(
                    f"{str(path)!r} has the classes {names}, the files before it"
                    f" {label_names}: read them one by one"
                )
            label_names = names
            # Copies of a text may have been answered in two folds: the last counts.
            for key, row in dict(zip(stored.keys, stored.logits)).items():
                if not np.array_equal(known.setdefault(key, row), row):
                    raise ValueError(
                        f"{str(path)!r} has other logits than a file before it for"
                        f" the text with the hash {key}"
                    )
            prints.append(stored.fingerprint)
        return cls(known, "+".join(prints), label_names, name)

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
        MissingAnswersError
            If a text is not in the file; nothing can be computed here.
        """
        missing = np.flatnonzero(~self.knows(texts))
        if len(missing):
            first = list(texts)[missing[0]]
            raise MissingAnswersError(
                f"{len(missing)} of {len(texts)} texts have no stored soft targets in"
                f" teacher={self.name!r}, the first of them text {missing[0]}:"
                f" {first[:80]!r}. These files know only the texts that their teacher"
                " has read. Add the missing rows, or for other texts give a live"
                " teacher, such as teacher='small', which comes with the kit, or"
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
    known = teacher.knows(dataset["text"])
    if known.all():
        return dataset
    if known.mean() < 0.5:
        named = getattr(innermost(teacher), "name", "shipped")
        reads = (
            "it has read IMDB and our sample, nothing else"
            if named == "shipped"
            else "the others have no row in it"
        )
        raise ValueError(
            f"teacher={named!r} knows {int(known.sum())} of these"
            f" {len(known)} texts: {reads}. For your own texts give a live teacher,"
            " such as teacher='path/to/a/saved/classifier'."
        )
    return dataset.select(np.flatnonzero(known))


class DamagedFileError(ValueError):
    """A file of soft targets is torn, truncated or not what it claims."""


class StoredLogits(NamedTuple):
    """What a file of soft targets holds.

    Attributes
    ----------
    keys : list of str
        Text hashes.
    logits : ndarray of float32, shape (len(keys), classes)
    fingerprint : str
    label_names : list of str or None
        None in a file that does not name its classes.
    """

    keys: list[str]
    logits: np.ndarray
    fingerprint: str
    label_names: list[str] | None


def write_soft_targets(
    path: str | Path,
    keys: Sequence[str],
    logits: np.ndarray,
    fingerprint: str,
    label_names: Sequence[str] | None = None,
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
    label_names : sequence of str, optional
        The classes in the order of the logits.

    Raises
    ------
    ValueError
        If a logit is not finite, or the lengths differ.
    """
    logits = np.asarray(logits, np.float32)
    check_answers(logits, len(keys), logits.shape[-1])
    names = None if label_names is None else [str(name) for name in label_names]
    if names is not None and len(names) != logits.shape[1]:
        raise ValueError(
            f"label_names must hold {logits.shape[1]} names, one for each logit, got"
            f" {names}"
        )
    columns = {
        "text_hash": pa.array([bytes.fromhex(key) for key in keys], pa.binary(16))
    }
    for index in range(logits.shape[1]):
        columns[f"logit_{index}"] = pa.array(logits[:, index])
    meta = {"fingerprint": fingerprint, "label_names": names}
    meta["checksum"] = _checksum(keys, logits, meta)
    table = pa.table(columns).replace_schema_metadata(
        {"distill_helpers": json.dumps(meta)}
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def is_stored_logits(path: str | Path) -> bool:
    """Say whether a file was written by :func:`write_soft_targets`."""
    try:
        return b"distill_helpers" in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False


def read_soft_targets(path: str | Path) -> tuple[list[str], np.ndarray, str]:
    """Read what :func:`write_soft_targets` wrote; see :func:`read_stored_logits`.

    Returns
    -------
    keys : list of str
    logits : ndarray of float32, shape (len(keys), classes)
    fingerprint : str
    """
    return read_stored_logits(path)[:3]


def read_stored_logits(path: str | Path) -> StoredLogits:
    """Read what :func:`write_soft_targets` wrote, names of classes included.

    Returns
    -------
    StoredLogits

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedFileError
        If the file is torn, its checksum does not fit, or a value is missing or
        not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no soft targets at {str(path)!r}")
    try:
        table = pq.read_table(path)
        meta = json.loads(table.schema.metadata[b"distill_helpers"])
        keys = [key.hex() for key in table["text_hash"].to_pylist()]
        columns = [name for name in table.column_names if name != "text_hash"]
        if columns != [f"logit_{i}" for i in range(len(columns))] or not columns:
            raise ValueError(f"its columns are {table.column_names}")
        logits = np.stack([table[n].to_numpy() for n in columns], axis=1)
        if logits.dtype != np.float32:
            raise ValueError(f"its logits are of the type {logits.dtype}")
        checksum, fingerprint = meta["checksum"], meta["fingerprint"]
        names = meta.get("label_names")
        if not isinstance(fingerprint, str) or not isinstance(
            names, (list, type(None))
        ):
            raise ValueError("its notes are of other types than they should be")
        check_answers(logits, len(keys), len(names or columns))
    except (
        pa.ArrowException,
        OSError,
        AttributeError,  # a row without a hash
        KeyError,
        RecursionError,  # notes that are nested without end
        TypeError,
        ValueError,
    ) as error:
        raise DamagedFileError(
            f"{str(path)!r} is damaged and cannot be read: {error}"
        ) from error
    noted = {
        name: meta[name] for name in ("fingerprint", "label_names") if name in meta
    }
    if checksum != _checksum(keys, logits, noted):
        raise DamagedFileError(
            f"{str(path)!r} is damaged: its checksum does not fit its content"
        )
    return StoredLogits(keys, logits, fingerprint, names)


def _checksum(keys: Sequence[str], logits: np.ndarray, meta: dict) -> str:
    digest = hashlib.sha256("".join(keys).encode())
    digest.update(np.ascontiguousarray(logits, np.float32).tobytes())
    if "label_names" in meta:  # older files did not name the classes
        digest.update(json.dumps(meta, sort_keys=True).encode())
    return digest.hexdigest()[:16]
