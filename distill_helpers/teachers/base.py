"""What a teacher is: texts in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np


class Teacher(ABC):
    """What every teacher can do.

    Attributes
    ----------
    num_labels : int
        Classes that the teacher tells apart.
    fingerprint : str
        Names the teacher's weights and the way it reads a text; two teachers
        with one fingerprint give the same logits.
    """

    num_labels: int
    fingerprint: str

    @abstractmethod
    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Return the logits of some texts.

        Parameters
        ----------
        texts : sequence of str
            Cleaned reviews.

        Returns
        -------
        ndarray of float32, shape (len(texts), num_labels)
        """


def check_answers(answers: np.ndarray, count: int, classes: int) -> None:
    if answers.shape != (count, classes):
        raise ValueError(
            f"logits must have shape {(count, classes)}, got {answers.shape}"
        )
    if not np.isfinite(answers).all():
        raise ValueError("logits must be finite, got NaN or infinite values")


def stack_answers(rows: list[np.ndarray], classes: int) -> np.ndarray:
    if not rows:
        return np.zeros((0, classes), np.float32)
    return np.stack(rows).astype(np.float32)
