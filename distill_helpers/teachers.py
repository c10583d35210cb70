"""Teachers: texts in, float32 logits out.

Four kinds share one interface, :class:`Teacher`: a live Hugging Face
classifier, a cache on disk around any teacher, an average of several, and
soft targets that were written to a file beforehand.
"""

from __future__ import annotations

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from filelock import FileLock
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from tqdm.auto import tqdm

from .cleaning import text_hash
from .files import whole_file
from .reading import (
    length_grouped,
    tokenize_windows,
    window_batch,
    window_logits,
)

SHIPPED_FOLDER = Path(__file__).resolve().parent.parent / "data" / "soft_targets"


class Teacher(ABC):
    """What every teacher can do.

    Attributes
    ----------
    num_labels : int
        Classes that the teacher tells apart.
    fingerprint : str
        Names the teacher's weights and the way it reads a text; two teachers
        with one fingerprint give the same logits.
    """

    num_labels: int
    fingerprint: str

    @abstractmethod
    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Return the logits of some texts.

        Parameters
        ----------
        texts : sequence of str
            Cleaned reviews.

        Returns
        -------
        ndarray of float32, shape (len(texts), num_labels)
        """


class HuggingFaceTeacher(Teacher):
    """A live sequence classifier of the Hugging Face kind.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier.
    tokenizer : PreTrainedTokenizerBase
        Its own tokeniser. It is not the student's.
    max_length : int, default 256
        Tokens in a window, special tokens included.
    batch_size : int, default 32
        Reviews in one forward pass.
    windows : bool, default True
        Read a long review in two windows, its beginning and its end, and
        average the logits. False truncates to the first window.
    pad_to_max : bool, default False
        Pad every window to `max_length` (claim C11), to show what it costs.
    progress : bool, default True
        Show a progress bar.

    Raises
    ------
    ValueError
        If tokeniser and model cannot belong together, or `max_length` is
        more than the model has positions for.
    """

    def __init__(
        self,
        model,
        tokenizer,
        *,
        max_length: int = 256,
        batch_size: int = 32,
        windows: bool = True,
        pad_to_max: bool = False,
        progress: bool = True,
    ) -> None:
        _check_vocabulary(model, tokenizer)
        _check_max_length(model, max_length)
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.batch_size = batch_size
        self.windows = windows
        self.pad_to_max = pad_to_max
        self.progress = progress
        self.num_labels = model.config.num_labels
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Revision of the weights, maximum length and manner of reading."""
        if self._fingerprint is None:
            reading = "windows" if self.windows else "first"
            self._fingerprint = (
                f"{weights_revision(self.model)}-{self.max_length}-{reading}"
            )
        return self._fingerprint

    @classmethod
    def from_pretrained(cls, name: str | Path, revision: str | None = None, **options):
        """Load a classifier from a folder or the Hub.

        Parameters
        ----------
        name : str or Path
            Folder or Hub id.
        revision : str, optional
            Branch, tag or commit on the Hub.
        **options
            Passed to the constructor.

        Returns
        -------
        HuggingFaceTeacher

        Raises
        ------
        OSError
            If there is no such folder or the Hub cannot be reached; the
            message says what to do next.
        """
        from transformers import (
            AutoModelForSequenceClassification,
            AutoTokenizer,
        )

        try:
            model = AutoModelForSequenceClassification.from_pretrained(
                name, revision=revision, dtype=torch.float32
            )
            tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
        except OSError as error:
            raise OSError(
                f"teacher={str(name)!r} is neither a folder with a saved"
                " classifier nor a model that the Hub or its local cache"
                " gives. Check the spelling and the network, or use"
                " teacher='shipped', which needs neither."
            ) from error
        return cls(model, tokenizer, **options)

    @torch.inference_mode()
    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        reviews = tokenize_windows(
            self.tokenizer, texts, self.max_length, both=self.windows
        )
        lengths = [sum(map(len, review)) for review in reviews]
        output = np.zeros((len(reviews), self.num_labels), np.float32)
        batches = tqdm(
            length_grouped(lengths, self.batch_size),
            desc="teacher",
            disable=not self.progress or len(reviews) <= self.batch_size,
        )
        pad_to = self.max_length if self.pad_to_max else None
        for rows in batches:
            batch = window_batch(
                [reviews[i] for i in rows], self.tokenizer.pad_token_id, pad_to
            )
            output[rows] = window_logits(self.model, batch).numpy()
        return output


class CachedTeacher(Teacher):
    """Remember a teacher's logits on disk, text by text.

    The key is the text's hash together with the teacher's fingerprint (the
    revision of its weights and the maximum length). Every batch of new logits
    becomes one Parquet file, written under a temporary name and renamed, so
    that an interrupted write or a second process leaves no torn file. A
    damaged file is set aside and its logits are computed anew.

    Parameters
    ----------
    teacher : Teacher
        Who answers what the cache does not know.
    folder : str or Path
        Where the files go.
    chunk : int, default 512
        Texts between two writes: what an interruption can cost.

    References
    ----------
    .. [1] L. Beyer et al., "Knowledge distillation: a good teacher is patient
       and consistent", CVPR 2022: cached logits are wrong once inputs are
       augmented.
    """

    def __init__(
        self, teacher: Teacher, folder: str | Path, *, chunk: int = 512
    ) -> None:
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, got {chunk!r}")
        self.teacher = teacher
        self.num_labels = teacher.num_labels
        self.fingerprint = teacher.fingerprint
        self.chunk = chunk
        self.folder = Path(folder) / _folder_name(self.fingerprint)
        self.damaged: list[Path] = []
        self._known: dict[str, np.ndarray] = {}
        self._read_files: set[str] = set()

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`; asks the teacher only for new texts."""
        keys = [text_hash(text) for text in texts]
        self._read_new_files()
        missing = {
            key: text for key, text in zip(keys, texts) if key not in self._known
        }
        if missing:
            self._compute(missing)
        return _stack([self._known[key] for key in keys], self.num_labels)

    def _compute(self, missing: dict[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            self._read_new_files()  # another process may have been faster
            items = [kv for kv in missing.items() if kv[0] not in self._known]
            # Like lengths side by side, so that chunks pad little.
            items.sort(key=lambda item: -len(item[1]))
            starts = range(0, len(items), self.chunk)
            for start in tqdm(starts, "teacher", disable=len(starts) < 2):
                part = items[start : start + self.chunk]
                answers = self.teacher.logits([text for _, text in part])
                _check_answers(answers, len(part), self.num_labels)
                self._write([key for key, _ in part], answers)

    def _write(self, keys: list[str], answers: np.ndarray) -> None:
        name = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
        path = self.folder / f"{name}.parquet"
        write_soft_targets(path, keys, answers, self.fingerprint)
        self._known.update(zip(keys, answers))
        self._read_files.add(path.name)

    def _read_new_files(self) -> None:
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.parquet")):
            if path.name in self._read_files:
                continue
            try:
                keys, answers, _ = read_soft_targets(path)
            except DamagedFileError:
                aside = path.with_suffix(".damaged")
                os.replace(path, aside)
                self.damaged.append(aside)
                print(
                    f"teacher cache: {path.name} is damaged; it was set aside"
                    " and its logits will be computed again"
                )
                continue
            self._known.update(zip(keys, answers))
            self._read_files.add(path.name)


class AverageTeacher(Teacher):
    """Average the probabilities of several teachers.

    Parameters
    ----------
    teachers : sequence of Teacher
        At least one; all with the same classes.
    weights : sequence of float, optional
        One per teacher, not negative; scaled to sum to 1. Equal by default.

    Raises
    ------
    ValueError
        If the classes differ or the weights do not fit.

    Notes
    -----
    The logits returned are log-probabilities, which softmax turns back into
    the averaged probabilities.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        weights: Sequence[float] | None = None,
    ) -> None:
        if not teachers:
            raise ValueError("teachers must name at least one teacher, got none")
        classes = [teacher.num_labels for teacher in teachers]
        if len(set(classes)) > 1:
            raise ValueError(
                f"teachers must share their classes, got num_labels {classes}"
            )
        if weights is None:
            weights = [1.0] * len(teachers)
        self.weights = _normalised(weights, len(teachers))
        self.teachers = list(teachers)
        self.num_labels = classes[0]
        self.fingerprint = "average-" + "+".join(
            f"{weight:.6g}*{teacher.fingerprint}"
            for weight, teacher in zip(self.weights, self.teachers)
        )

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        return average_logits(
            [teacher.logits(texts) for teacher in self.teachers], self.weights
        )


def average_logits(
    logits: Sequence[np.ndarray], weights: Sequence[float]
) -> np.ndarray:
    """Average distributions; return the logarithm of the average.

    Parameters
    ----------
    logits : sequence of ndarray, each of shape (texts, classes)
    weights : sequence of float
        Sum to 1.

    Returns
    -------
    ndarray of float32, shape (texts, classes)
    """
    stacked = torch.stack([torch.as_tensor(z, dtype=torch.float32) for z in logits])
    log_weights = torch.tensor(list(weights)).log()[:, None, None]
    mixed = torch.log_softmax(stacked, dim=-1) + log_weights
    return torch.logsumexp(mixed, dim=0).numpy()


def calibration_temperature(logits: np.ndarray, labels: Sequence[int]) -> float:
    """Fit the temperature at which a teacher is as sure as it is right [1]_.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
        Answers to texts that the teacher was not trained on.
    labels : sequence of int, length texts

    Returns
    -------
    float
        Divide the logits by it. Above 1: the teacher was too sure.

    Raises
    ------
    ValueError
        If the lengths differ, there is no text, or a logit is not finite.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML
       2017.
    """
    logits = np.asarray(logits, np.float64)
    _check_answers(logits, len(labels), logits.shape[-1])
    if not len(labels):
        raise ValueError("labels must hold at least one label, got none")
    right = np.arange(len(labels)), np.asarray(labels)

    def surprise(log_temperature: float) -> float:
        cooled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(cooled[right].mean())

    bounds = (np.log(0.05), np.log(20.0))
    return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))


class SoftTargets(Teacher):
    """Logits that were computed before and are looked up by text.

    Parameters
    ----------
    logits_by_hash : dict of str to ndarray
        Logits of each text, by :func:`distill_helpers.cleaning.text_hash`.
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
        return _stack([self._known[text_hash(text)] for text in texts], self.num_labels)


def open_teacher(name: str, cache: str | Path, **options) -> Teacher:
    """Open the teacher that a lesson names.

    Parameters
    ----------
    name : str
        ``"shipped"`` for the soft targets that come with the kit, else the
        folder or Hub id of a saved classifier.
    cache : str or Path
        Where a live teacher's logits are remembered.
    **options
        For :class:`HuggingFaceTeacher`.

    Returns
    -------
    Teacher
    """
    if name == "shipped":
        return SoftTargets.load(*sorted(SHIPPED_FOLDER.glob("*.parquet")))
    return CachedTeacher(HuggingFaceTeacher.from_pretrained(name, **options), cache)


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
    _check_answers(logits, len(keys), logits.shape[-1])
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


def weights_revision(model: torch.nn.Module) -> str:
    """Name a model's weights by their content.

    Parameters
    ----------
    model : Module

    Returns
    -------
    str
        16 hexadecimal digits of SHA-256 over names, shapes and values.
    """
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        raw = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
        digest.update(raw.numpy().data)
    return digest.hexdigest()[:16]


def _checksum(keys: Sequence[str], logits: np.ndarray) -> str:
    digest = hashlib.sha256("".join(keys).encode())
    digest.update(np.ascontiguousarray(logits, np.float32).tobytes())
    return digest.hexdigest()[:16]


def _check_vocabulary(model, tokenizer) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ValueError(
            f"tokenizer has {len(tokenizer)} tokens but the teacher's"
            f" embedding has {rows} rows: it is not this model's tokeniser."
            " Teacher and student share token ids only if they share the"
            " vocabulary; pass texts, and each side reads them its own way."
        )


def _check_max_length(model, max_length: int) -> None:
    positions = getattr(model.config, "max_position_embeddings", None)
    if max_length < 8 or (positions and max_length > positions):
        raise ValueError(
            f"max_length must lie in 8..{positions or 'any'} for this model,"
            f" got {max_length!r}"
        )


def _check_answers(answers: np.ndarray, count: int, classes: int) -> None:
    if answers.shape != (count, classes):
        raise ValueError(
            f"logits must have shape {(count, classes)}, got {answers.shape}"
        )
    if not np.isfinite(answers).all():
        raise ValueError("logits must be finite, got NaN or infinite values")


def _normalised(weights: Sequence[float], count: int) -> list[float]:
    values = [float(weight) for weight in weights]
    if len(values) != count or min(values) < 0 or not sum(values) > 0:
        raise ValueError(
            f"weights must hold {count} numbers, none negative and not all"
            f" zero, got {list(weights)!r}"
        )
    return [value / sum(values) for value in values]


def _folder_name(fingerprint: str) -> str:
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:16]


def _stack(rows: list[np.ndarray], classes: int) -> np.ndarray:
    if not rows:
        return np.zeros((0, classes), np.float32)
    return np.stack(rows).astype(np.float32)
