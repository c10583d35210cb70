"""A teacher by its name."""

from __future__ import annotations

from pathlib import Path

from ..places import SOFT_TARGETS
from .base import Teacher
from .cached import CachedTeacher
from .live import HuggingFaceTeacher
from .stored import SoftTargets


def open_teacher(name: str, cache: str | Path, **options) -> Teacher:
    """Open the teacher that a lesson names.

    Parameters
    ----------
    name : str
        ``"shipped"`` for the soft targets that come with the kit, else the
        folder or Hub id of a saved classifier.
    cache : str or Path
        Where a live teacher's logits are remembered.
    **options
        For :class:`HuggingFaceTeacher`.

    Returns
    -------
    Teacher
    """
    if name == "shipped":
        return SoftTargets.load(*sorted(SOFT_TARGETS.glob("*.parquet")))
    return CachedTeacher(HuggingFaceTeacher.from_pretrained(name, **options), cache)
