"""A teacher for everyone: made of the reader's own labels, honest out of fold."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import sklearn
import torch
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from ..arguments import check_choice, check_type, check_whole
from ..data.cleaning import check_texts, text_hash
from ..data.duplicates import duplicate_groups
from ..evaluation.metrics import measure_quality
from ..files import WORD_AFTER, made_folder
from .base import Teacher, stack_answers
from .calibrating import Calibration, calibrate
from .examples import Examples
from .folds import stratified_folds
from .learners import Answers, EncoderLearner, FrozenLearner, Learner, LinearLearner
from .stages import run_stage
from .stored import read_soft_targets, write_soft_targets

HOW = ("auto", "encoder", "frozen", "linear")
FORMAT = 1
"""Part of every fingerprint; it grows whenever made teachers answer otherwise."""


class MadeTeacher(Teacher):
    """A teacher that was made of labelled texts; see :func:`make_teacher`.

    For the texts that it was made of, its logits are out of fold: they come from
    a model that had not seen the text, nor one like it.

    Attributes
    ----------
    label_names : list of str
    problem_type : str
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`.
    about : dict
        How it was made, what it can and cannot teach, how good it is out of fold.
    """

    def __init__(
        self,
        examples: Examples,
        learner: Learner,
        calibration: Calibration,
        known: dict[str, np.ndarray],
        fingerprint: str,
        about: dict,
    ) -> None:
        self.label_names = list(examples.label_names)
        self.num_labels = len(self.label_names)
        self.problem_type = examples.problem_type
        self.fingerprint, self.about = fingerprint, about
        self._examples, self._learner = examples, learner
        self._calibration, self._known = calibration, known

    @cached_property
    def _final(self) -> Answers:
        everything = np.arange(len(self._examples.texts))
        return self._learner.fit(everything, "all")

    @property
    def teacher(self) -> Teacher | None:
        """The encoder beneath, fine-tuned on all labels; None if there is none."""
        if not isinstance(self._learner, EncoderLearner):
            return None
        return self._final.teacher

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`; a new text is answered once."""
        check_texts(texts)
        keys = [text_hash(text) for text in texts]
        new = {k: text for k, text in zip(keys, texts) if k not in self._known}
        if new:
            answers = self._calibration(self._final(list(new.values())))
            self._known.update(zip(new, answers))
        return stack_answers([self._known[key] for key in keys], self.num_labels)


def make_teacher(
    reviews: Mapping,
    how: str = "auto",
    *,
    encoder: str | Path | None = None,
    folds: int = 5,
    seed: int = 0,
    cache: str | Path | None = None,
    progress: bool = True,
) -> MadeTeacher:
    """Make a teacher of the labels at hand.

    Parameters
    ----------
    reviews : mapping of str to datasets.Dataset
        From :func:`~distill_helpers.data.reviews.load_reviews`. Labels are taken
        from ``train`` alone; the texts of ``transfer`` may lend their words.
        Validation and test are not looked at.
    how : {"auto", "encoder", "frozen", "linear"}, default "auto"
        ``"encoder"``: a pretrained encoder, fine-tuned. ``"frozen"``: an encoder
        that stays as it is, with a linear head; minutes on a CPU. ``"linear"``:
        word and character n-grams, which need nothing but the texts; seconds.
        ``"auto"``: linear without an encoder, with one fine-tuned where there is
        an accelerator, frozen where there is none.
    encoder : str or Path, optional
        A folder or a Hub id; a sentence encoder does best.
    folds : int, default 5
        The labelled texts are dealt into so many (fewer, if there are fewer);
        those of one fold are answered by a model of the others.
    seed : int, default 0
        Draws folds, first weights and the order of batches.
    cache : str or Path, optional
        Where finished pieces are kept: a teacher made before is found again, one
        that was interrupted goes on.
    progress : bool, default True

    Returns
    -------
    MadeTeacher
        ``.about`` says what it can and cannot teach.

    Raises
    ------
    ValueError
        If an argument does not fit, or there are too few labelled texts.
    OSError
        If there is no such encoder.

    Notes
    -----
    Folds hold like shares of each class and never part texts that (nearly) equal
    each other. Answers are calibrated on those out of fold [1]_. Where a text has
    one class, rare classes weigh as much as common ones.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> from distill_helpers.data import load_reviews
    >>> reviews = load_reviews("sample", labelled=60, transfer=40)
    >>> teacher = make_teacher(reviews, progress=False)
    >>> teacher.logits(["a splendid film", "a dull film"]).shape
    (2, 2)
    >>> teacher.about["how"]
    'linear'
    """
    check_type("reviews", reviews, Mapping, "a mapping of parts, as load_reviews gives")
    how = _resolved(how, encoder)
    folds = check_whole("folds", folds, least=2)
    check_whole("seed", seed, least=0, most=2**32 - 1)
    examples = Examples.of(reviews)
    groups = duplicate_groups(examples.texts)
    folds = min(folds, len(np.unique(groups)))
    fold = stratified_folds(examples.labels, groups, folds, seed)
    learner = _learner(how, examples, seed, encoder, progress)
    name = _fingerprint(learner, examples, folds, seed)
    if cache is not None:
        learner.folder = Path(cache) / name

    def answer() -> tuple[np.ndarray, dict]:
        start = time.perf_counter()
        raw = _out_of_fold(learner, examples, fold, progress)
        calibration = calibrate(raw, examples.labels)
        logits = calibration(raw)
        about = _about(how, encoder, learner, examples, fold, logits)
        about["temperature"] = calibration.temperature
        about["shift"] = list(calibration.shift)
        about["seconds"] = round(time.perf_counter() - start, 1)
        return logits, about

    logits, about = answer() if cache is None else _kept(learner, examples, answer)
    known = dict(zip(map(text_hash, examples.texts), logits))
    calibration = Calibration(about["temperature"], tuple(about.pop("shift")))
    return MadeTeacher(examples, learner, calibration, known, name, about)


def _resolved(how: str, encoder) -> str:
    check_choice("how", how, HOW)
    if how == "auto" and encoder is None:
        return "linear"
    if how == "auto":
        return "encoder" if torch.accelerator.is_available() else "frozen"
    if how == "linear" and encoder is not None:
        raise ValueError(
            f"how='linear' uses no encoder, got encoder={str(encoder)!r}; say"
            " how='frozen' or how='encoder', or leave one of the two out"
        )
    if how != "linear" and encoder is None:
        raise ValueError(
            f"how={how!r} needs an encoder: give encoder= a folder or a Hub id, such as"
            " 'sentence-transformers/all-MiniLM-L6-v2'; how='linear' needs none"
        )
    return how


def _learner(how: str, examples: Examples, seed: int, encoder, progress) -> Learner:
    if how == "linear":
        return LinearLearner(examples, seed)
    kind = FrozenLearner if how == "frozen" else EncoderLearner
    return kind(examples, seed, encoder, progress)


def _fingerprint(learner: Learner, examples: Examples, folds: int, seed: int) -> str:
    content = (
        FORMAT,
        learner.fingerprint,
        examples.fingerprint,
        folds,
        seed,
        sklearn.__version__,
        torch.__version__,
    )
    return "made-" + hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _out_of_fold(
    learner: Learner, examples: Examples, fold: np.ndarray, progress: bool
) -> np.ndarray:
    logits = np.zeros((len(fold), len(examples.label_names)), np.float32)
    numbers = np.unique(fold)
    for number in tqdm(numbers, "folds", disable=not progress):
        asked = np.flatnonzero(fold == number)
        answers = learner.fit(np.flatnonzero(fold != number), f"fold-{number}")
        logits[asked] = answers([examples.texts[row] for row in asked])
    return logits


def _kept(learner: Learner, examples: Examples, answer) -> tuple[np.ndarray, dict]:
    """Do the work once; later calls read its result."""
    folder = learner.folder
    keys = [text_hash(text) for text in examples.texts]

    def work(part: Path) -> dict:
        logits, about = answer()
        write_soft_targets(part / "logits.parquet", keys, logits, folder.name)
        return about

    made_folder(folder, "cache")
    with _alone(folder):
        place, about = run_stage(folder / "out-of-fold", work)
        learner.done()
    return read_soft_targets(place / "logits.parquet")[1], about


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process make this teacher; say so where another does already."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=WORD_AFTER)
    except Timeout:
        print(
            f"another process is making this teacher in {str(folder)!r}; waiting for"
            " it. End that process if it is stopped"
        )
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _about(how, encoder, learner, examples: Examples, fold, logits) -> dict:
    quality = measure_quality(logits, examples.labels)
    about = {
        "how": how,
        "encoder": None if encoder is None else str(encoder),
        "can teach": learner.can,
        "cannot teach": learner.cannot,
        "labelled texts": len(examples.texts),
        "unlabelled texts": len(examples.unlabelled),
        "folds": int(fold.max()) + 1,
    }
    scores = {name: round(float(value), 4) for name, value in quality.scores.items()}
    return about | {
        "out of fold": scores,
        "warnings": _warnings(examples, fold, logits, quality),
    }


def _warnings(examples: Examples, fold, logits, quality) -> list[str]:
    found = []
    holds, folds = examples.holds, int(fold.max()) + 1
    counts = holds.sum(0)
    few = [
        f"{name!r} ({count})"
        for name, count in zip(examples.label_names, counts)
        if count < folds
    ]
    if few:
        found.append(
            f"classes with fewer labelled texts than the {folds} folds:"
            f" {', '.join(few)}; a text of such a class may be judged by a model that"
            " saw none other of it, and what the teacher says of it is a guess"
        )
    if examples.labels.ndim == 1:
        usual = counts.max() / len(holds)
        if quality.accuracy <= usual:
            found.append(
                f"out of fold it is right {quality.accuracy:.1%} of the time; always"
                f" to say {examples.label_names[counts.argmax()]!r} would be right"
                f" {usual:.1%}: it has nothing to teach"
            )
    return found
