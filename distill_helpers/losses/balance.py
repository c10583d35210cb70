"""How much each class counts where classes are unequal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..arguments import check_number
from ..data.labels import has_label

BALANCED = "balanced"


def class_weights(
    asked: str | Sequence[float] | None, labels: np.ndarray, classes: int
) -> list[float] | None:
    """Return the weight of each class in the cross-entropy with the labels.

    Parameters
    ----------
    asked : "balanced", sequence of float, or None
        Weights in the order of the classes; or those that make all classes count
        alike, whatever their sizes [1]_: texts / (classes * texts of the class),
        whose mean over the texts is 1, so that the learning rate still fits.
        With several labels a text: texts without the label / texts with it.
    labels : ndarray
        Of int, shape (texts,), or of 0 and 1, shape (texts, classes); -100 for
        none. Texts without a label do not count.
    classes : int

    Returns
    -------
    list of float, length `classes`, or None
        None where every class counts as it comes. A class that no labelled text
        has keeps the weight 1.

    Raises
    ------
    TypeError, ValueError
        If there is not a finite number above 0 for each class, or there is no
        label to balance by.

    References
    ----------
    .. [1] G. King, L. Zeng, "Logistic regression in rare events data", Political
       Analysis 9(2), 2001.

    Examples
    --------
    >>> class_weights("balanced", np.array([0, 0, 0, 1, -100]), 2)
    [0.6666666666666666, 2.0]
    """
    if asked is None:
        return None
    if isinstance(asked, str):
        if asked != BALANCED:
            raise ValueError(
                f"class_weights must be None, {BALANCED!r} or a number for each class,"
                f" got {asked!r}"
            )
        return _balanced(np.asarray(labels), classes)
    return check_weights(asked, classes)


def check_weights(asked: Sequence[float], classes: int) -> list[float]:
    """Return weights as numbers.

    Raises
    ------
    TypeError, ValueError
        If there is not a finite number above 0 for each class.
    """
    weights = list(asked)
    if len(weights) != classes:
        raise ValueError(
            f"class_weights must hold a number for each of the {classes} classes, got"
            f" {len(weights)}: {weights!r}"
        )
    for place, weight in enumerate(weights):
        check_number(f"class_weights[{place}]", weight, above=0)
    return [float(weight) for weight in weights]


def weights_like(
    values: torch.Tensor, asked: Sequence[float] | None
) -> torch.Tensor | None:
    """Return the weights of a row of logits each, where and as `values` are.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_weights`.
    """
    if asked is None:
        return None
    return values.new_tensor(check_weights(asked, values.shape[-1]))


def _balanced(labels: np.ndarray, classes: int) -> list[float]:
    labels = labels[has_label(labels)]
    if not len(labels):
        raise ValueError(
            f"class_weights={BALANCED!r} needs labels to count, but no text has one"
        )
    if labels.ndim == 1:
        counts = np.bincount(labels, minlength=classes)
        share = len(labels) / (counts > 0).sum()
        found = [share / count if count else 1.0 for count in counts]
    else:
        counts = labels.sum(0)
        found = [(len(labels) - c) / c if 0 < c < len(labels) else 1.0 for c in counts]
    return [float(weight) for weight in found]
