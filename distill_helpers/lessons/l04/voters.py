"""Lesson 04: a second teacher, which has a vote beside the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...students.linear import baseline_logits

_LEAST = 1e-6
"""The least probability that it gives: it is never quite sure."""


def linear_logits(
    drawn: Mapping, asked: Sequence[str], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a linear model to the labelled texts and let it answer.

    Parameters
    ----------
    drawn : mapping of str to Dataset
        With the parts ``train`` and ``validation``.
    asked : sequence of str
        What else it shall answer.
    classes : int

    Returns
    -------
    validation, answers : ndarray, shape (texts, classes)
        Its logits for the validation texts and for `asked`.
    """
    train, held = drawn["train"], list(drawn["validation"]["text"])
    logits = baseline_logits(
        list(train["text"]), train["label"], [*held, *asked], classes
    )
    held_logits, answers = np.split(np.maximum(logits, np.log(_LEAST)), [len(held)])
    return held_logits, answers
