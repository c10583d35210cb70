"""What a student is trained for: the labels that fit it, and how it is scored."""

from __future__ import annotations

import copy

import numpy as np

from ..data.encoding import EncodedReviews
from ..data.labels import NO_LABEL, ONE_LABEL, SEVERAL_LABELS, has_label
from ..evaluation.metrics import measure_quality


class DivergedError(ValueError):
    """A student's logits or weights are no numbers any more."""


def task_metrics(prediction) -> dict[str, float]:
    """Score the labelled examples of an evaluation.

    Parameters
    ----------
    prediction : transformers.EvalPrediction

    Returns
    -------
    dict of str to float
        ``accuracy`` and ``f1``, the mean over the classes. Where a text may have
        several labels: ``accuracy`` and ``subset_accuracy`` (one and the same:
        all labels of a text right), ``f1`` and ``micro_f1``. Nothing where no
        example has a label.
    """
    logits = prediction.predictions
    logits = logits[0] if isinstance(logits, tuple) else logits
    labels = np.asarray(prediction.label_ids)
    known = has_label(labels)
    if not known.any():
        return {}
    scores = measure_quality(logits[known], labels[known]).scores
    if "subset_accuracy" in scores:
        scores = {"accuracy": scores["subset_accuracy"]} | scores
    return {k: v for k, v in scores.items() if k != "calibration_error"}


def for_task(
    reviews: EncodedReviews, problem_type: str, classes: int
) -> EncodedReviews:
    """Check that labels are of the kind that a student was built for.

    Parameters
    ----------
    reviews : EncodedReviews
    problem_type : str
        The student's.
    classes : int
        Of the student.

    Returns
    -------
    EncodedReviews
        `reviews`; or, for several labels a text where nothing has a label, the
        same with a row of -100 for each.

    Raises
    ------
    ValueError
        If the labels are of the other kind.
    """
    several = reviews.labels.ndim > 1
    if problem_type == ONE_LABEL and several:
        raise ValueError(
            "the data set has rows of labels, several a text, but the student was"
            " built for one: build it with"
            f" build_student(..., problem_type={SEVERAL_LABELS!r})"
        )
    if problem_type == SEVERAL_LABELS and not several:
        if has_label(reviews.labels).any():
            raise ValueError(
                "the student was built for several labels a text, but the data set"
                f" has class numbers: give each text a row of {classes} values, 1.0"
                " for each class that holds and 0.0 for the others"
            )
        reviews = copy.copy(reviews)
        reviews.labels = np.full((len(reviews), classes), NO_LABEL, np.float32)
    return reviews
