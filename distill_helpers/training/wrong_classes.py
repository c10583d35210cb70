"""What do the wrong classes carry? A control that scrambles them and nothing else."""

from __future__ import annotations

import numpy as np

from ..arguments import check_whole


def shuffle_wrong_classes(teacher_logits: np.ndarray, seed: int = 0) -> np.ndarray:
    """Deal a teacher's logits of all classes but the likeliest out among these.

    Each text keeps its answer, how sure the teacher is of it and how the rest is
    spread; only *which* of the other classes is likelier than which is lost.

    Parameters
    ----------
    teacher_logits : ndarray, shape (texts, classes)
        At least three classes.
    seed : int, default 0

    Returns
    -------
    ndarray of float32, of the same shape
        Each row in an order of its own.

    Raises
    ------
    ValueError
        If the shape is another, a logit is not finite, or there are two classes: one
        wrong class cannot be shuffled.

    Examples
    --------
    >>> logits = np.array([[5.0, 1.0, 2.0, 3.0]])
    >>> shuffled = shuffle_wrong_classes(logits, seed=1)
    >>> shuffled[0, 0].item(), sorted(shuffled[0].tolist())
    (5.0, [1.0, 2.0, 3.0, 5.0])
    """
    check_whole("seed", seed, least=0)
    logits = np.asarray(teacher_logits, np.float32)
    if logits.ndim != 2 or not np.isfinite(logits).all():
        raise ValueError(
            "teacher_logits must be finite, of the shape (texts, classes), got shape"
            f" {logits.shape}"
        )
    texts, classes = logits.shape
    if classes < 3:
        raise ValueError(
            f"teacher_logits must have at least three classes, got {classes}: where"
            " one class alone is wrong there is nothing to shuffle"
        )
    wrong = np.ones(logits.shape, bool)
    wrong[np.arange(texts), logits.argmax(1)] = False
    others = logits[wrong].reshape(texts, classes - 1)
    shuffled = logits.copy()
    shuffled[wrong] = np.random.default_rng(seed).permuted(others, axis=1).ravel()
    return shuffled
