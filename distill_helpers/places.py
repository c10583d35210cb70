"""Where the files lie that come with the kit.

A clone has them beside the package; a wheel carries ``data/`` inside it.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent
"""The clone, where there is one; its notebooks, its browser runtime."""
NOTEBOOKS = PROJECT / "notebooks"
BROWSER_RUNTIME = PROJECT / "browser"


def _data_folder() -> Path:
    packed = PACKAGE / "shipped"
    return packed if packed.is_dir() else PROJECT / "data"


DATA = _data_folder()
SAMPLE_REVIEWS = DATA / "sample_reviews" / "reviews.jsonl"
SOFT_TARGETS = DATA / "soft_targets"
RESULTS = DATA / "results"
TEACHER_CARD = DATA / "teacher.json"
