"""Where the files lie that come with the kit.

A clone has them beside the package; a wheel carries ``data/`` inside it.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent
"""The clone, where there is one."""
NOTEBOOKS = PROJECT / "notebooks"
BROWSER_RUNTIME = PROJECT / "browser"
NO_CLONE = "it comes with a clone of the project, not with an installed package"
"""Why one of these two may be missing."""


def _data_folder() -> Path:
    packed = PACKAGE / "shipped"
    return packed if packed.is_dir() else PROJECT / "data"


DATA = _data_folder()
SAMPLE_REVIEWS = DATA / "sample_reviews" / "reviews.jsonl"
PRACTICE_FILE = DATA / "practice" / "support_messages.csv"
CLINICAL_NOTES = DATA / "domains" / "clinical_notes.csv"
CONTRACT_CLAUSES = DATA / "domains" / "contract_clauses.csv"
PROPOSED_USES = DATA / "proposed_uses" / "cases.json"
SOFT_TARGETS = DATA / "soft_targets"
RESULTS = DATA / "results"
TEACHER_CARD = DATA / "teacher.json"
SMALL_TEACHER = DATA / "small_teacher"
BEST_STUDENT = DATA / "best_small_student" / "student.safetensors"
SYNONYMS = DATA / "wordnet" / "synonyms.json"
TRANSLATED = DATA / "translated" / "sample_pool.parquet"
RECORDED_ANSWERS = DATA / "recorded" / "smollm2_sample.parquet"
