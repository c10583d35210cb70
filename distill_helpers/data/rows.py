"""Everything a source has, before it is split."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from .cleaning import clean_text, has_content
from .labels import ONE_LABEL

UNLABELLED = -1

SHARES = {"train": None, "transfer": None, "validation": 0.1, "test": 0.2}
"""Sizes of the parts of an own file: all labels are used by default."""


@dataclass
class Rows:
    """Everything a source has, before it is split.

    `frame` has the columns ``text``, ``label`` (a whole number, -1: none) and
    ``part`` ("" where it is still to be drawn, else train, validation, test or
    transfer: the rows without a label, and no others). Where `problem_type` is ``"multi_label_classification"`` it has
    ``labels`` as well: a list of 0.0 and 1.0, one a class, or None where a text
    has no labels. `defaults` holds how many rows a part gets if nobody says: a
    number, a share of the labelled rows that are left after cleaning, or None for
    all. `warnings` says what the reader of the file should look at.
    """

    frame: pd.DataFrame
    label_names: list[str]
    source: str
    note: str
    defaults: dict[str, int | float | None] = field(default_factory=SHARES.copy)
    problem_type: str = ONE_LABEL
    warnings: list[str] = field(default_factory=list)


def clean(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    texts = [clean_text(t) if isinstance(t, str) else "" for t in frame["text"]]
    frame = frame.assign(text=texts)
    kept = frame[frame["text"].map(has_content)]
    return kept.reset_index(drop=True), len(frame) - len(kept)
