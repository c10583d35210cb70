"""Answers kept on disk, so that the teacher runs once."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ..arguments import check_number, check_type, check_whole
from ..data.cleaning import check_texts, text_hash
from ..data.targets import as_logits
from ..files import made_folder
from .base import Teacher, check_answers, stack_answers
from .live import folder_name
from .stored import DamagedFileError, read_stored_logits, write_soft_targets

WORD_AFTER = 10
"""Seconds of waiting for another process before a word is said about it."""


class ChangedTeacherError(RuntimeError):
    """A teacher is no longer the one whose answers are remembered."""


class CachedTeacher(Teacher):
    """Remember a teacher's logits on disk, text by text.

    The key is the text's hash together with the teacher's fingerprint (its
    weights, config and tokeniser, the way it reads a text, and the versions of
    the libraries). Every batch of new logits becomes one Parquet file, written
    under a temporary name and renamed, so that an interrupted write or a second
    process leaves no torn file. A file that is damaged, or not this teacher's,
    is set aside and its logits are computed anew.

    Parameters
    ----------
    teacher : Teacher
        Who answers what the cache does not know.
    folder : str or Path
        Where the files go.
    chunk : int, default 512
        Texts between two writes: what an interruption can cost.
    patience : float, default 300
        Seconds to wait for another process that fills the same cache and writes
        nothing, such as a stopped one, before the work is done here as well.

    Attributes
    ----------
    damaged : list of Path
        Files that were set aside.

    Raises
    ------
    ChangedTeacherError
        From :meth:`logits`, if the teacher was changed since this was made.

    References
    ----------
    .. [1] L. Beyer et al., "Knowledge distillation: a good teacher is patient
       and consistent", CVPR 2022: cached logits are wrong once inputs are
       augmented.
    """

    def __init__(
        self,
        teacher: Teacher,
        folder: str | Path,
        *,
        chunk: int = 512,
        patience: float = 300,
    ) -> None:
        check_type("folder", folder, (str, Path), "the path of a folder")
        self.chunk = check_whole("chunk", chunk, least=1)
        check_number("patience", patience, least=0)
        self.patience = patience
        self.teacher = teacher
        self.num_labels = teacher.num_labels
        self.label_names = teacher.label_names
        self.fingerprint = teacher.fingerprint
        self.folder = Path(folder) / folder_name(self.fingerprint)
        self.damaged: list[Path] = []
        self._known: dict[str, np.ndarray] = {}
        self._read_files: set[str] = set()

    @property
    def problem_type(self) -> str | None:  # type: ignore[override]
        """The teacher's."""
        return self.teacher.problem_type

    def knows(self, texts: Iterable[str]) -> np.ndarray:
        """See :meth:`Teacher.knows`."""
        return self.teacher.knows(texts)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`; asks the teacher only for new texts."""
        check_texts(texts)
        self._check_unchanged()
        keys = [text_hash(text) for text in texts]
        self._read_new_files()
        missing = {
            key: text for key, text in zip(keys, texts) if key not in self._known
        }
        if missing:
            self._compute(missing)
        return stack_answers([self._known[key] for key in keys], self.num_labels)

    def _check_unchanged(self) -> None:
        now = self.teacher.fingerprint
        if now != self.fingerprint:
            raise ChangedTeacherError(
                "the teacher has changed since this cache was opened: its weights,"
                " tokeniser or settings are others (fingerprint"
                f" {self.fingerprint!r} then, {now!r} now). Make a new"
                " CachedTeacher for it; the answers of the old one are kept"
            )

    def _compute(self, missing: dict[str, str]) -> None:
        made_folder(self.folder, "teacher cache")
        with self._alone():
            self._read_new_files()  # another process may have been faster
            items = [kv for kv in missing.items() if kv[0] not in self._known]
            # Like lengths side by side, so that chunks pad little.
            items.sort(key=lambda item: -len(item[1]))
            starts = range(0, len(items), self.chunk)
            for start in tqdm(starts, "teacher", disable=len(starts) < 2):
                part = items[start : start + self.chunk]
                answers = as_logits(self.teacher.logits([text for _, text in part]))
                check_answers(answers, len(part), self.num_labels)
                self._check_unchanged()
                self._write([key for key, _ in part], answers)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from the same work, as long as they go on with it.

        The files need no lock, they are written whole: a second process that
        does not wait repeats work, and harms nothing.
        """
        lock = FileLock(self.folder / ".lock")
        begun = changed = time.monotonic()
        files = said = None
        while True:
            try:
                lock.acquire(timeout=1)
            except Timeout:
                now, found = time.monotonic(), self._files()
                if found != files:
                    files, changed = found, now
                if now - changed >= self.patience:
                    print(
                        "teacher cache: the other process has written nothing for"
                        f" {now - changed:.0f} seconds, perhaps it was stopped; its"
                        " work is done here as well"
                    )
                    break
                if said is None and now - begun >= min(WORD_AFTER, self.patience):
                    said = now
                    print(
                        "teacher cache: another process is filling"
                        f" {str(self.folder)!r}; waiting for it, at most"
                        f" {self.patience:g} seconds without a new file"
                    )
            else:
                break
        try:
            yield
        finally:
            if lock.is_locked:
                lock.release()

    def _files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.parquet"))

    def _write(self, keys: list[str], answers: np.ndarray) -> None:
        name = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
        path = self.folder / f"{name}.parquet"
        write_soft_targets(path, keys, answers, self.fingerprint, self.label_names)
        self._known.update(zip(keys, answers))
        self._read_files.add(path.name)

    def _read_new_files(self) -> None:
        if not self.folder.is_dir():
            return
        for name in self._files():
            if name in self._read_files:
                continue
            path = self.folder / name
            try:
                keys, answers = self._own_answers(path)
            except DamagedFileError as error:
                self._set_aside(path, str(error))
                continue
            except FileNotFoundError:  # another process set it aside just now
                continue
            self._known.update(zip(keys, answers))
            self._read_files.add(name)

    def _own_answers(self, path: Path) -> tuple[list[str], np.ndarray]:
        """Read one file, if it is whole and this teacher's."""
        stored = read_stored_logits(path)
        wanted = {
            "the fingerprint": self.fingerprint,
            "the number of classes": self.num_labels,
            "the names of the classes": self.label_names,
        }
        found = (stored.fingerprint, stored.logits.shape[1], stored.label_names)
        for (what, own), other in zip(wanted.items(), found):
            if own != other:
                raise DamagedFileError(
                    f"{path.name} is another teacher's: {what} should be {own!r},"
                    f" and is {other!r}"
                )
        return stored.keys, stored.logits

    def _set_aside(self, path: Path, reason: str) -> None:
        aside = path.with_suffix(".damaged")
        try:
            os.replace(path, aside)
        except FileNotFoundError:  # another process was faster
            return
        self.damaged.append(aside)
        print(
            f"teacher cache: {path.name} is damaged or foreign ({reason}); it was set"
            " aside and its logits will be computed again"
        )
