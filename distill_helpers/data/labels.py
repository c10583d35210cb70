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
