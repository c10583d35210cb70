"""Class by class: who is told apart from whom, whatever a text's number of labels.

Answers are kept as a table of 0 and 1, a line a text and a column a class: one label
a text is a line with a single 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.metrics import chosen_labels

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 2_000


def marks_of_labels(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return labels as a table of 0 and 1.

    Parameters
    ----------
    labels : ndarray
        Of int, shape (texts,), or of 0 and 1, shape (texts, classes).
    classes : int

    Returns
    -------
    ndarray of bool, shape (texts, classes)

    Examples
    --------
    >>> marks_of_labels(np.array([1, 0]), 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    labels = np.asarray(labels)
    return labels > 0.5 if labels.ndim == 2 else labels[:, None] == np.arange(classes)


def marks_of_logits(logits: np.ndarray, several: bool) -> np.ndarray:
    """Return what logits choose as a table of 0 and 1."""
    logits = np.asarray(logits)
    if several:
        return chosen_labels(logits)
    return marks_of_labels(logits.argmax(1), logits.shape[1])


def scores_by_class(is_it: np.ndarray, said: np.ndarray) -> dict[str, np.ndarray]:
    """Return precision, recall and F1 of each class.

    Parameters
    ----------
    is_it, said : ndarray of bool, shape (texts, classes)

    Returns
    -------
    dict of str to ndarray, shape (classes,)
        NaN where there is nothing to divide by: a class that was never said has no
        precision, one without a text no recall.
    """
    both = (is_it & said).sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": both / said.sum(0),
            "recall": both / is_it.sum(0),
            "F1": 2 * both / (said.sum(0) + is_it.sum(0)),
        }


def class_table(
    label_names: Sequence[str],
    is_it: np.ndarray,
    chosen: Sequence[np.ndarray],
    control: Sequence[np.ndarray],
) -> pd.DataFrame:
    """Lay out the scores of each class, the mean over the seeds.

    Parameters
    ----------
    label_names : sequence of str
    is_it : ndarray of bool, shape (texts, classes)
    chosen, control : sequence of ndarray of bool
        What each seed's student said.

    Returns
    -------
    DataFrame
        A line a class: ``texts``, ``precision``, ``recall``, ``F1``, and the
        ``control's F1``.
    """
    import pandas as pd

    table = _mean_scores(is_it, chosen)
    table.insert(0, "texts", is_it.sum(0))
    table["control's F1"] = _mean_scores(is_it, control)["F1"]
    return table.set_axis(pd.Index(list(label_names), name="class"))


def _mean_scores(is_it, runs) -> pd.DataFrame:
    """Return the mean over the runs; of those in which a score is defined."""
    import pandas as pd

    scores = pd.concat([pd.DataFrame(scores_by_class(is_it, said)) for said in runs])
    return scores.groupby(level=0).mean()


def behind_largest(
    accuracy: float, labels: np.ndarray, label_names: Sequence[str]
) -> str:
    """Say so if somebody who always names the largest class is right as often.

    Parameters
    ----------
    accuracy : float
    labels : ndarray of int, shape (texts,)
    label_names : sequence of str

    Returns
    -------
    str
        ``""`` if the accuracy is higher than the largest class's share.

    Examples
    --------
    >>> behind_largest(0.9, np.array([0, 0, 0, 1]), ["normal", "urgent"])
    ''
    >>> behind_largest(0.75, np.array([0, 0, 0, 1]), ["normal", "urgent"])
    "accuracy 0.750, and always to say 'normal' gives 0.750; look at macro F1"
    """
    counts = np.bincount(labels, minlength=len(label_names))
    largest = counts.max() / counts.sum()
    if accuracy > largest:
        return ""
    return (
        f"accuracy {accuracy:.3f}, and always to say {label_names[counts.argmax()]!r}"
        f" gives {largest:.3f}; look at macro F1"
    )


def told_apart(treatment: Sequence[np.ndarray], control: Sequence[np.ndarray]) -> int:
    """Count the texts to which not all students said the same.

    Parameters
    ----------
    treatment, control : sequence of ndarray of bool, shape (texts, classes)
        What each seed's student said.
    """
    said = np.stack([*treatment, *control])
    return int((said != said[0]).any((0, 2)).sum())


def confusion(
    label_names: Sequence[str], labels: np.ndarray, logits: np.ndarray
) -> pd.DataFrame:
    """Count which class was said for which: a line a true class, a column a said one.

    Parameters
    ----------
    label_names : sequence of str
    labels : ndarray of int, shape (texts,)
    logits : ndarray, shape (texts, classes)
    """
    import pandas as pd

    counts = np.zeros((len(label_names),) * 2, int)
    np.add.at(counts, (np.asarray(labels), np.asarray(logits).argmax(1)), 1)
    return pd.DataFrame(
        counts,
        index=pd.Index(list(label_names), name="is"),
        columns=pd.Index(list(label_names), name="said"),
    )


def gain_over_texts(
    is_it: np.ndarray,
    treatment: Sequence[np.ndarray],
    control: Sequence[np.ndarray],
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Say which gains in macro F1 other test texts could have shown.

    Parameters
    ----------
    is_it : ndarray of bool, shape (texts, classes)
    treatment, control : sequence of ndarray of bool
        What each seed's student said.
    confidence : float, default 0.95

    Returns
    -------
    (float, float)
        The percentile bootstrap interval of the mean gain [1]_: texts are drawn
        again, with what all students said of them.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993.
    """
    rng = np.random.default_rng(0)
    texts = len(is_it)
    drawn = rng.multinomial(texts, np.full(texts, 1 / texts), size=DRAWS).astype(float)
    gains = _mean_f1(drawn, is_it, treatment) - _mean_f1(drawn, is_it, control)
    tail = (1 - confidence) / 2
    low, high = np.quantile(gains, [tail, 1 - tail])
    return float(low), float(high)


def _mean_f1(drawn, is_it, runs) -> np.ndarray:
    there = drawn @ is_it
    found = []
    for said in runs:
        both, asked = drawn @ (is_it & said), drawn @ said
        present = (there + asked) > 0
        with np.errstate(invalid="ignore"):
            scores = np.where(present, 2 * both / (there + asked), 0)
        found.append(scores.sum(1) / present.sum(1))
    return np.mean(found, axis=0)
