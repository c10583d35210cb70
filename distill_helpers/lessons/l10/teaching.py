"""The student of lesson 10: linear in words and pairs of words, fitted in a moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...data.labels import NO_LABEL
from ...data.targets import has_answer
from ...evaluation.metrics import measure_quality
from ...students.ngrams import (
    NgramIndex,
    fit_margins,
    log_count_ratio,
    word_hashes,
)

STRENGTHS = (0.003, 0.03, 0.3)
TEMPERATURE = 2.0


class Classroom:
    """Fit the same student to whatever answers somebody gave.

    Parameters
    ----------
    held_out, held_labels
        Validation texts and their labels: they choose the penalty, in every arm.
    test, test_labels
        Texts that judge.
    """

    def __init__(
        self,
        held_out: Sequence[str],
        held_labels: Sequence[int],
        test: Sequence[str],
        test_labels: Sequence[int],
    ) -> None:
        self.judges = [
            (word_hashes(held_out), np.asarray(held_labels)),
            (word_hashes(test), np.asarray(test_labels)),
        ]

    def accuracy(
        self,
        texts: Sequence[str],
        logits: np.ndarray | None = None,
        labels: Sequence[int] | None = None,
        alpha: float = 1.0,
    ) -> float:
        """Teach a student and return its accuracy on test.

        Parameters
        ----------
        texts : sequence of str
        logits : ndarray, shape (texts, 2), optional
            A teacher's answers, NaN where it has none: such texts are left out. None
            trains on labels alone.
        labels : sequence of int, optional
            0 or 1, -100 where there is none.
        alpha : float, default 1.0
            Weight of the answers beside the labels.

        Returns
        -------
        float
        """
        given = np.full(len(texts), NO_LABEL) if labels is None else np.asarray(labels)
        if logits is not None:
            known = has_answer(logits)
            texts = [text for text, is_known in zip(texts, known) if is_known]
            logits, given = logits[known], given[known]
        margins = None if logits is None else np.float64(logits[:, 1] - logits[:, 0])
        likely = given == 1 if margins is None else 1 / (1 + np.exp(-margins))
        words = word_hashes(texts)
        index = NgramIndex.of(words, 2, (2, 2))
        read = index.features(words)
        scale = np.abs(log_count_ratio(read, likely)) ** 0.5
        seen = [(index.features(h), truth) for h, truth in self.judges]

        def judged(strength: float) -> list[float]:
            weights, bias = fit_margins(
                read,
                margins,
                given,
                temperature=TEMPERATURE,
                alpha=alpha,
                scale=scale,
                strength=strength,
            )
            return [_accuracy(x @ weights + bias, truth) for x, truth in seen]

        return max((judged(s) for s in STRENGTHS), key=lambda found: found[0])[1]


def _accuracy(margins: np.ndarray, truth: np.ndarray) -> float:
    logits = np.stack([np.zeros_like(margins), margins], axis=1)
    return float(measure_quality(logits, truth).accuracy)
