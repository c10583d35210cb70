"""What logits say in words: the label, or those of several that hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.labels import ONE_LABEL, SEVERAL_LABELS
from ..evaluation.metrics import chosen_labels, probabilities


@dataclass(frozen=True)
class Answer:
    """What a bundle says of one text.

    Attributes
    ----------
    label : str
        The likeliest.
    probability : float
        Of that label, within (0, 1].
    logits : tuple of float
    labels : tuple of str
        Those that hold: `label` alone; or, where a text may have several, those
        likelier than not, which may be none.
    probabilities : tuple of float
        Of every label, in the order of the logits; of several they are
        independent of each other and do not sum to 1.
    """

    label: str
    probability: float
    logits: tuple[float, ...]
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()


def answers(
    logits: np.ndarray, label_names: Sequence[str], problem_type: str = ONE_LABEL
) -> list[Answer]:
    """Say in words what logits mean.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
    label_names : sequence of str
        In the order of the logits.
    problem_type : str, default "single_label_classification"

    Returns
    -------
    list of Answer
        One for each row.
    """
    shares, likeliest = probabilities(logits, problem_type), logits.argmax(1)
    holds = np.arange(logits.shape[1]) == likeliest[:, None]
    if problem_type == SEVERAL_LABELS:
        holds = chosen_labels(logits)
    return [
        Answer(
            label_names[first],
            float(p[first]),
            tuple(map(float, z)),
            tuple(name for name, h in zip(label_names, held) if h),
            tuple(map(float, p)),
        )
        for first, p, z, held in zip(likeliest, shares, logits, holds)
    ]
