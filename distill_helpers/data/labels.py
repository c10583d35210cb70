"""What stands for a label that is missing, and how many labels a text may have."""

from __future__ import annotations

import numpy as np

from ..arguments import check_choice

NO_LABEL = -100
"""The label of an example that has none; of several, each is this."""
ONE_LABEL = "single_label_classification"
"""Each text has one class: probabilities are a softmax (transformers' word)."""
SEVERAL_LABELS = "multi_label_classification"
"""Each class holds or not, whatever the others do: a sigmoid for each."""
PROBLEM_TYPES = (ONE_LABEL, SEVERAL_LABELS)


def check_problem_type(problem_type: str | None) -> str:
    """Return `problem_type`; None is one label a text.

    Raises
    ------
    ValueError
        If it is none of :data:`PROBLEM_TYPES`.

    Examples
    --------
    >>> check_problem_type(None)
    'single_label_classification'
    """
    if problem_type is None:
        return ONE_LABEL
    return check_choice("problem_type", problem_type, PROBLEM_TYPES)


def problem_type_of(model) -> str:
    """Return which of :data:`PROBLEM_TYPES` a model was built for.

    Parameters
    ----------
    model : PreTrainedModel
        Its config says so, or says nothing: one label a text.

    Raises
    ------
    ValueError
        If it is no classifier but a regression.
    """
    return check_problem_type(getattr(model.config, "problem_type", None))


def has_label(labels: np.ndarray) -> np.ndarray:
    """Say which examples have a label.

    Parameters
    ----------
    labels : ndarray or Tensor
        Of int, shape (examples,), or of 0 and 1, shape (examples, classes);
        :data:`NO_LABEL` where there is none.

    Returns
    -------
    ndarray or Tensor of bool, shape (examples,)

    Examples
    --------
    >>> has_label(np.array([[0.0, 1.0], [-100.0, -100.0]])).tolist()
    [True, False]
    """
    known = labels != NO_LABEL
    return known if labels.ndim == 1 else known.all(-1)


def class_numbers(
    values, count: int, classes: int | None = None, name: str = "labels"
) -> np.ndarray:
    """Return one class number for each text as ints.

    Parameters
    ----------
    values : sequence of int
    count : int
        Texts, at least one.
    classes : int, optional
        How many there are; by default a number may be as large as it likes.
    name : str
        Of the argument, for the message.

    Returns
    -------
    ndarray of int, shape (count,)

    Raises
    ------
    ValueError
        If there is not one whole number for each text, or one is no class, as
        :data:`NO_LABEL` is none.

    Examples
    --------
    >>> class_numbers([0, 2], 2, classes=2)
    Traceback (most recent call last):
        ...
    ValueError: labels must be classes from 0 to 1, got 2 for text 1
    """
    numbers = np.asarray(values)
    if numbers.shape != (count,) or not count:
        raise ValueError(
            f"{name} must hold one class for each of the {count:,} texts (at least one),"
            f" got shape {numbers.shape}"
        )
    if numbers.dtype.kind not in "biu":
        raise ValueError(
            f"{name} must be whole numbers, one a text, got {numbers.dtype}:"
            f" {numbers[0]!r}"
        )
    numbers = numbers.astype(int)
    wrong = numbers < 0
    if classes is not None:
        wrong |= numbers >= classes
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        allowed = "0 on" if classes is None else f"0 to {classes - 1}"
        raise ValueError(
            f"{name} must be classes from {allowed}, got {numbers[row]} for text {row}"
        )
    return numbers
