"""The errors that are worth a look, with the reason why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.labels import ONE_LABEL, SEVERAL_LABELS
from ..data.targets import has_answer
from ..evaluation.metrics import probabilities
from .classes import marks_of_labels, marks_of_logits

if TYPE_CHECKING:
    import pandas as pd

DOUBTED = "perhaps a wrong label: teacher and student agree against it"
TAUGHT = "the teacher knew"
ALONE = "sure and wrong"
EACH = 5
"""Errors of each kind that are shown."""
COLUMNS = ["why", "text", "is", "said", "probability", "teacher says"]


def named(marks: np.ndarray, label_names: Sequence[str]) -> list[str]:
    """Name what each line of a table of 0 and 1 marks."""
    return [
        ", ".join(name for name, on in zip(label_names, line) if on) or "none"
        for line in marks
    ]


def certainty(logits: np.ndarray, several: bool) -> np.ndarray:
    """Return the probability that a model gives to all that it says of a text."""
    shares = probabilities(logits, SEVERAL_LABELS if several else ONE_LABEL)
    if several:
        return np.where(shares > 0.5, shares, 1 - shares).prod(1)
    return shares.max(1)


def worth_reading(
    texts: Sequence[str],
    labels: np.ndarray,
    logits: np.ndarray,
    label_names: Sequence[str],
    *,
    several: bool = False,
    teacher: np.ndarray | None = None,
    each: int = EACH,
) -> pd.DataFrame:
    """Choose the errors that teach something, the surest of each kind first.

    Parameters
    ----------
    texts : sequence of str
    labels : ndarray
        Of int, shape (texts,), or of 0 and 1, shape (texts, classes).
    logits : ndarray, shape (texts, classes)
        The student's, calibrated or not.
    label_names : sequence of str
    several : bool, default False
        A text may have several labels.
    teacher : ndarray, shape (texts, classes), optional
        Logits; NaN where it has no answer.
    each : int, default 5

    Returns
    -------
    DataFrame
        Columns ``why``, ``text``, ``is``, ``said``, ``probability`` and ``teacher
        says``.
    """
    import pandas as pd

    classes = len(label_names)
    is_it, said = marks_of_labels(labels, classes), marks_of_logits(logits, several)
    wrong = (is_it != said).any(1)
    sure = certainty(logits, several)
    kinds = np.full(len(texts), ALONE, object)
    teachers = np.full(len(texts), "", object)
    if teacher is not None:
        answered = has_answer(teacher)
        told = marks_of_logits(np.where(answered[:, None], teacher, 0), several)
        kinds[answered & (told == said).all(1)] = DOUBTED
        kinds[answered & (told == is_it).all(1)] = TAUGHT
        teachers = np.where(answered, named(told, label_names), "")
    true, guessed = named(is_it, label_names), named(said, label_names)
    rows = []
    for kind in (DOUBTED, TAUGHT, ALONE):
        found = np.flatnonzero(wrong & (kinds == kind))
        for i in found[np.argsort(-sure[found], kind="stable")][:each]:
            rows.append(
                [kind, texts[i], true[i], guessed[i], float(sure[i]), teachers[i]]
            )
    return pd.DataFrame(rows, columns=COLUMNS)
