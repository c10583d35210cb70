"""Answers kept on disk, so that the teacher runs once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock
from tqdm.auto import tqdm

from ..arguments import check_whole
from ..data.cleaning import text_hash
from .base import Teacher, check_answers, stack_answers
from .live import folder_name
from .stored import DamagedFileError, read_soft_targets, write_soft_targets


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
        self.chunk = check_whole("chunk", chunk, least=1)
        self.teacher = teacher
        self.num_labels = teacher.num_labels
        self.fingerprint = teacher.fingerprint
        self.folder = Path(folder) / folder_name(self.fingerprint)
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
        return stack_answers([self._known[key] for key in keys], self.num_labels)

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
                check_answers(answers, len(part), self.num_labels)
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
