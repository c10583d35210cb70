"""What a teacher is: texts in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np

from ..data.targets import check_logits, check_no_probabilities


class Teacher(ABC):
    """What every teacher can do.

    Attributes
    ----------
    num_labels : int
        Classes that the teacher tells apart.
    fingerprint : str
        Names the teacher's weights and the way it reads a text; two teachers
        with one fingerprint give the same logits.
    label_names : list of str or None
        The names of the classes in the order of the logits; None where it does
        not know them. Where it meets data whose classes have names, its logits
        are put into their order; see :func:`~distill_helpers.teachers.in_order`.
    problem_type : str or None
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`: whether a softmax
        or a sigmoid for each class turns its logits into probabilities; None where
        it does not say.
    """

    num_labels: int
    fingerprint: str
    label_names: list[str] | None = None
    problem_type: str | None = None

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

    def knows(self, texts: Iterable[str]) -> np.ndarray:
        """Say which texts it can answer.

        Returns
        -------
        ndarray of bool, shape (number of texts,)
            All of them, unless a subclass knows better.
        """
        return np.ones(len(list(texts)), bool)

    def answers(self, texts: Sequence[str]) -> np.ndarray:
        """Return the logits of the texts that it can answer.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        ndarray of float32, shape (len(texts), num_labels)
            A row of NaN for each of the others.

        Raises
        ------
        ValueError
            If what it answers is no row of finite logits a text.
        """
        known = self.knows(texts)
        found = np.full((len(known), self.num_labels), np.nan, np.float32)
        if known.any():
            asked = [text for text, is_known in zip(texts, known) if is_known]
            logits = self.logits(asked)
            check_logits(logits, len(asked), self.num_labels)
            found[known] = logits
        return found


def check_answers(answers: np.ndarray, count: int, classes: int) -> None:
    """Raise unless there is a row of finite logits, no probabilities, a text."""
    check_logits(answers, count, classes)
    check_no_probabilities(answers)


def stack_answers(rows: list[np.ndarray], classes: int) -> np.ndarray:
    if not rows:
        return np.zeros((0, classes), np.float32)
    return np.stack(rows).astype(np.float32)
