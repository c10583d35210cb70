"""What part of a gain is softness, and what part is text that nobody labelled?

A distilled student differs from its control in two things at once: its teacher
answers texts that have no label, and it answers with probabilities. The arms here
change one of the two at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..data.encoding import EncodedReviews

_CERTAIN = 40.0  # a margin of which float32 leaves the other classes nothing


class Arm(NamedTuple):
    """What one student reads, and how it is trained on it.

    Attributes
    ----------
    reads : EncodedReviews
    options : mapping
        For :func:`~distill_helpers.training.recipes.train_student`, over those of
        the distilled student.
    """

    reads: EncodedReviews
    options: Mapping[str, float]


def hard_answers(teacher_logits: np.ndarray) -> np.ndarray:
    """Keep which class a teacher chose, and nothing of how sure it was.

    Parameters
    ----------
    teacher_logits : ndarray, shape (texts, classes)

    Returns
    -------
    ndarray of float32, of the same shape
        Logits whose softmax at T = 1 is 1 for the chosen class and 0 for the others:
        with them the soft-target loss is the cross-entropy of pseudo-labels. A row of
        NaN stays one: who has no answer chose nothing.

    Raises
    ------
    ValueError
        If the array has another number of dimensions.

    Examples
    --------
    >>> hard_answers(np.array([[0.1, 0.2], [3.0, -1.0]]))
    array([[-40.,   0.],
           [  0., -40.]], dtype=float32)
    """
    logits = np.asarray(teacher_logits)
    if logits.ndim != 2:
        raise ValueError(
            f"teacher_logits must have the shape (texts, classes), got {logits.shape}"
        )
    hard = np.full(logits.shape, -_CERTAIN, np.float32)
    hard[np.arange(len(logits)), logits.argmax(1)] = 0
    hard[np.isnan(logits).any(axis=1)] = np.nan
    return hard


def soft_and_hard(taught: EncodedReviews) -> dict[str, Arm]:
    """List the arms between a control and a distilled student.

    Parameters
    ----------
    taught : EncodedReviews
        What the distilled student reads: texts with and without labels, and the
        teacher's logits for all of them. This arm itself, soft answers to all texts,
        is not among those returned.

    Returns
    -------
    dict of str to Arm
        ``"hard, labelled"`` and ``"soft, labelled"``: the teacher answers the
        labelled texts alone; ``"hard, all"``: it answers all of them, with a class
        and no probability. Labels count in every arm as they do for the distilled
        student. A hard answer has nothing to soften: its T is 1. Where every text
        has a label, or none has, there is the last arm alone.

    Raises
    ------
    ValueError
        If `taught` has no teacher's logits, or several labels a text.
    """
    if taught.teacher_logits is None:
        raise ValueError("taught must hold the teacher's logits, got none")
    if taught.labels.ndim > 1:
        raise ValueError(
            "taught must have one label a text, got several: a hard answer is one class"
        )
    hard = {"temperature": 1.0}
    arms = {}
    labelled = taught.labelled
    if labelled.any() and not labelled.all():
        few = some_of(taught, np.flatnonzero(labelled))
        arms["hard, labelled"] = Arm(_hardened(few), hard)
        arms["soft, labelled"] = Arm(few, {})
    arms["hard, all"] = Arm(_hardened(taught), hard)
    return arms


def answered(reads: EncodedReviews, teacher_logits: np.ndarray) -> EncodedReviews:
    """Return the same texts and labels with other answers of a teacher.

    Parameters
    ----------
    reads : EncodedReviews
    teacher_logits : ndarray, shape (texts, classes)
        The new answers, kept as float32.

    Returns
    -------
    EncodedReviews
        A new one; `reads` stays as it is.

    Raises
    ------
    ValueError
        If there is not one row for each text.
    """
    return reads.changed(teacher_logits=np.asarray(teacher_logits, np.float32))


def some_of(reads: EncodedReviews, rows: Sequence[int]) -> EncodedReviews:
    """Return some of the texts, with all that belongs to them.

    Parameters
    ----------
    reads : EncodedReviews
    rows : sequence of int
        Which ones, in their new order.

    Returns
    -------
    EncodedReviews
    """
    rows, logits = list(rows), reads.teacher_logits
    return reads.changed(
        token_ids=[reads.token_ids[row] for row in rows],
        labels=reads.labels[rows],
        teacher_logits=None if logits is None else logits[rows],
        texts=None if reads.texts is None else [reads.texts[row] for row in rows],
        **{name: values[rows] for name, values in reads.tensors.items()},
    )


def _hardened(reads: EncodedReviews) -> EncodedReviews:
    return answered(reads, hard_answers(reads.teacher_logits))
