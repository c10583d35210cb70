"""Where what belongs to one lesson alone is found: the folders ``lNN``."""

from __future__ import annotations

from pathlib import Path

LESSONS = __package__
"""The package of which each lesson's folder is a part."""


def lesson_folders() -> list[Path]:
    """Return the folder of each lesson, in the lessons' order."""
    return sorted(Path(__file__).parent.glob("l[0-9][0-9]"))
