"""Labelled rows of train, and what is fitted to the answers to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...data.class_order import class_place
from ...data.cleaning import text_hash
from ..calibrating import Calibration, calibrate_with_shifts
from .answers import Answer, as_logits
from .prompts import Task

FEW = 20
"""Labelled texts with an answer that a calibration needs."""
MOST = 200
"""More are not asked for its sake: temperature and shifts are a few numbers."""


def numbered_rows(rows: Sequence[tuple[str, str]], task: Task) -> list[tuple[str, int]]:
    """Number the classes of labelled rows; keep a bounded draw, the same every time.

    Texts that are shown to the model as examples are left out: it has their labels.

    Raises
    ------
    ValueError
        If a class is none of the task's.
    """
    shown = {text for text, _ in task.examples}
    found = []
    for text, name in rows:
        place = class_place(name, task.label_names)
        if place is None:
            raise ValueError(
                f"labelled must name classes of {task.label_names}, got {name!r}"
            )
        if text not in shown:
            found.append((text, place))
    found.sort(key=lambda row: text_hash(row[0]))
    return found[:MOST]


def fit(answers: Sequence[Answer], places: Sequence[int]) -> Calibration | None:
    """Fit a calibration to answers and true classes; None if they are too few."""
    kept = [(a, place) for a, place in zip(answers, places) if a.shares is not None]
    if len(kept) < FEW:
        return None
    told, labels = zip(*kept)
    return calibrate_with_shifts(as_logits(told, len(told[0].shares)), np.array(labels))
