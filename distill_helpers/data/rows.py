"""Everything a source has, before it is split."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from .cleaning import clean_text

UNLABELLED = -1


@dataclass
class Rows:
    """Everything a source has, before it is split."""

    frame: pd.DataFrame  # text, label (-1: none), part ("" or a fixed one)
    label_names: list[str]
    source: str
    note: str
    defaults: dict[str, int | None]


def clean(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    texts = [clean_text(t) if isinstance(t, str) else "" for t in frame["text"]]
    frame = frame.assign(text=texts)
    kept = frame[frame["text"].map(lambda t: any(map(str.isalnum, t)))]
    return kept.reset_index(drop=True), len(frame) - len(kept)
