"""A delivered student, opened again: texts in, logits in the data's order out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data.class_order import class_order, ordered
from ..data.labels import ONE_LABEL, problem_type_of
from ..evaluation.predict import predictor
from ..export.bundle import ABOUT, TextClassifier
from ..foreign import read_json
from ..logs import quietly

RESULTS = "results.json"


@dataclass(frozen=True)
class Opened:
    """A student that can be asked.

    Attributes
    ----------
    folder : Path
    answer : callable
        Texts in, logits of shape (texts, classes) out.
    content : dict or None
        The results of its run, where they lie beside it.
    """

    folder: Path
    answer: Callable[[Sequence[str]], np.ndarray]
    content: dict | None = None


def open_student(folder: str | Path, label_names: Sequence[str]) -> Opened:
    """Open what ``distill`` delivered, a saved student, or a bundle.

    Parameters
    ----------
    folder : str or Path
    label_names : sequence of str
        The classes of the data: logits stand in their order.

    Returns
    -------
    Opened

    Raises
    ------
    FileNotFoundError
        If the folder holds none of the three.
    ClassNamesError
        If the student's classes are others.
    ValueError
        If it gives several labels a text, or a file is damaged.
    """
    folder = Path(folder)
    for holds, opened in (
        (folder / ABOUT, _bundle),
        (folder / "student" / "config.json", _delivered),
        (folder / "config.json", _saved),
    ):
        if holds.is_file():
            return opened(folder, list(label_names))
    raise FileNotFoundError(
        f"{str(folder)!r} holds no student: neither what 'distill' delivers (student/),"
        f" nor a saved student (config.json), nor a bundle ({ABOUT})"
    )


def _bundle(folder: Path, label_names: list[str]) -> Opened:
    model = TextClassifier(folder)
    _check_one_label(folder, model.problem_type)
    order = class_order(
        model.labels, label_names, count=len(model.labels), whose="the bundle"
    )
    return Opened(folder, lambda texts: ordered(model.logits(texts), order))


def _delivered(folder: Path, label_names: list[str]) -> Opened:
    results = folder / RESULTS
    content = read_json(results) if results.is_file() else None
    return Opened(folder, _saved(folder / "student", label_names).answer, content)


def _saved(folder: Path, label_names: list[str]) -> Opened:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    with quietly():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    _check_one_label(folder, problem_type_of(model))
    return Opened(folder, predictor(model, tokenizer, label_names=label_names))


def _check_one_label(folder: Path, problem_type: str) -> None:
    if problem_type != ONE_LABEL:
        raise ValueError(
            f"{str(folder)!r} gives several labels a text; the release check knows one"
            " label a text"
        )
