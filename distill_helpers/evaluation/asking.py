"""Ask whoever answers texts with logits, and hold the answer against its shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..data.targets import as_logits, check_logits

Answer = Callable[[Sequence[str]], np.ndarray]
"""Texts in, logits of shape (texts, classes) out."""


def answers_of(answer: Answer, texts: Sequence[str]) -> np.ndarray:
    """Return the logits of some texts.

    Parameters
    ----------
    answer : callable
        Such as :func:`~distill_helpers.evaluation.predict.predictor` makes of a
        student.
    texts : sequence of str

    Returns
    -------
    ndarray of float32, shape (texts, classes)

    Raises
    ------
    ValueError
        If there is not one row of finite logits for each text, of two classes or more.

    Examples
    --------
    >>> answers_of(lambda texts: [0.5], ["a film"])
    Traceback (most recent call last):
        ...
    ValueError: answer must give logits of shape (texts, classes), of two classes or \
more, got shape (1,) for 1 texts
    """
    texts = list(texts)
    logits = as_logits(answer(texts), "the logits of answer")
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(
            "answer must give logits of shape (texts, classes), of two classes or more,"
            f" got shape {logits.shape} for {len(texts):,} texts"
        )
    check_logits(logits, len(texts), logits.shape[1], "the logits of answer")
    return logits
