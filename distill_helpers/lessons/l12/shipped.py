"""What lesson 12 brings: a teacher with two senses.

It is made by :mod:`~distill_helpers.lessons.l12.making`.
"""

from __future__ import annotations

from pathlib import Path

from ...logs import quietly
from ...places import DATA
from ...students.cross_attention import CrossAttentionForCards

TEACHER = DATA / "two_senses" / "teacher"


def load_teacher(folder: str | Path = TEACHER) -> CrossAttentionForCards:
    """Return the teacher, in evaluation mode."""
    with quietly():
        model = CrossAttentionForCards.from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        )
    return model.eval()
