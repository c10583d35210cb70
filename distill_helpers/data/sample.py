"""The sample: our own reviews, which come with the kit."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from ..places import SAMPLE_REVIEWS
from .rows import Rows


def sample_files() -> list[Path]:
    return [SAMPLE_REVIEWS]


def read_sample() -> Rows:
    lines = SAMPLE_REVIEWS.read_text(encoding="utf-8").splitlines()
    frame = pd.DataFrame([json.loads(line) for line in lines])
    frame["part"] = frame["split"].replace("pool", "")
    frame = frame[["text", "label", "part", "kind"]]
    defaults = {"train": 400, "transfer": None, "validation": None, "test": None}
    return Rows(
        frame, ["negative", "positive"], "sample", "our own reviews, CC0", defaults
    )
