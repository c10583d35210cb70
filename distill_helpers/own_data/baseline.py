"""The line to beat: a linear model on the labels alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..students.linear import linear_baseline

NEVER = -30.0
"""The logit of a class that no labelled text has."""


def baseline_logits(
    texts: Sequence[str], labels: np.ndarray, asked: Sequence[str], classes: int
) -> np.ndarray:
    """Fit the linear baseline and ask it.

    Parameters
    ----------
    texts : sequence of str
    labels : ndarray
        Of int, shape (texts,), or of 0 and 1, shape (texts, classes).
    asked : sequence of str
    classes : int

    Returns
    -------
    ndarray, shape (asked, classes)
        Log-probabilities, or log-odds of each class where a text may have several.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2:
        columns = [_log_odds(texts, labels[:, c], asked) for c in range(classes)]
        return np.stack(columns, axis=1)
    logits = np.full((len(asked), classes), NEVER)
    line = linear_baseline().fit(texts, labels)
    logits[:, line.classes_] = np.maximum(line.predict_log_proba(asked), NEVER)
    return logits


def _log_odds(texts, holds, asked) -> np.ndarray:
    if holds.min() == holds.max():  # all or none: there is nothing to fit
        return np.full(len(asked), -NEVER if holds.max() > 0.5 else NEVER)
    line = linear_baseline().fit(texts, holds > 0.5)
    never, ever = line.predict_log_proba(asked).T
    return np.clip(ever - never, NEVER, -NEVER)
