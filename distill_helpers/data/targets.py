"""Labels and soft targets as a data set brings them, checked row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np

from .class_order import ordered, real_names
from .labels import NO_LABEL, has_label

LABEL_COLUMNS = ("label", "labels")
"""What a column of labels is called here, and by transformers."""
SOFT_TARGETS_COLUMN = "teacher_logits"
_TOLERANCE = 1e-3  # of a sum of probabilities


# ------------------------------------------------------------------ labels
def whole_column(dataset, name: str):
    """Return a column of a data set at once; row by row takes twenty times as long.

    Parameters
    ----------
    dataset : datasets.Dataset
    name : str

    Returns
    -------
    list, or datasets.Column
        The column as it is for a data set that formats its rows, as tensors or by a
        function: what a row looks like is then for it to say.
    """
    column = dataset[name]
    plain = (getattr(dataset, "format", None) or {}).get("type") is None
    return column[:] if plain else column


def read_labels(dataset) -> np.ndarray:
    """Return the labels of a data set.

    Parameters
    ----------
    dataset : datasets.Dataset
        With a column ``label`` or ``labels``, or without one. A cell is a class
        number, a row of 0 and 1 (several labels a text), or nothing: None, NaN
        or -100.

    Returns
    -------
    ndarray
        Of int64, shape (texts,), or of float32, shape (texts, classes); -100
        where there is no label.

    Raises
    ------
    ValueError
        If a cell is something else, or the two columns differ; the message
        names the first such row.
    """
    found = [name for name in LABEL_COLUMNS if name in dataset.column_names]
    if not found:
        return np.full(len(dataset), NO_LABEL, np.int64)
    columns = [as_labels(whole_column(dataset, name), name) for name in found]
    if len(columns) == 2 and not np.array_equal(*columns):
        raise ValueError(
            "the data set has a column 'label' and a column 'labels', and they"
            " differ: drop the one that is not meant"
        )
    return columns[0]


def as_labels(values: Sequence, name: str = "labels") -> np.ndarray:
    """Return labels as an array; see :func:`read_labels`.

    Raises
    ------
    ValueError
        If a value is no label.
    """
    plain = [_plain(value) for value in values]
    if any(isinstance(value, list) for value in plain):
        return _several(plain, name)
    return np.array([_one(v, row, name) for row, v in enumerate(plain)], np.int64)


def _plain(value):
    """Python's own number or list in place of a tensor or an array."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_missing(value) -> bool:
    # NaN, and NaT of pandas, differ from themselves; pandas' NA will not say.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _one(value, row: int, name: str) -> int:
    if _is_missing(value):
        return NO_LABEL
    if isinstance(value, str):
        raise ValueError(
            f"{name} must hold class numbers, got the text {value!r} in row {row}:"
            " number the classes first, for instance with"
            " dataset.class_encode_column('label')"
        )
    if isinstance(value, Integral) and abs(value) < 2**63:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    raise ValueError(
        f"{name} must hold class numbers, got {value!r:.60} in row {row}: soft labels"
        " belong in a column 'teacher_logits' (the logarithm of a probability is"
        " a logit)"
    )


def _several(rows: list, name: str) -> np.ndarray:
    classes = len(next(row for row in rows if isinstance(row, list)))
    table = np.full((len(rows), classes), NO_LABEL, np.float32)
    for number, row in enumerate(rows):
        if _is_missing(row):
            continue
        if not isinstance(row, list) or len(row) != classes or not row:
            raise ValueError(
                f"{name} must hold a row of {max(classes, 1)} values for every text,"
                f" as in its first labelled row, got {row!r} in row {number}"
            )
        if all(v == NO_LABEL for v in row):
            continue
        if not all(isinstance(v, Real) and v in (0, 1) for v in row):
            raise ValueError(
                f"{name} must hold 0 or 1 for each class where a text may have"
                f" several labels, got {row!r} in row {number}"
            )
        table[number] = row
    return table


def check_labels(labels: np.ndarray, classes: int, name: str = "labels") -> None:
    """Raise unless labels fit so many classes.

    Parameters
    ----------
    labels : ndarray, shape (texts,) or (texts, classes)
        From :func:`as_labels`.
    classes : int

    Raises
    ------
    ValueError
        If a label lies outside of 0 to `classes` - 1, or the rows have another
        width.
    """
    if labels.ndim > 1:
        if labels.shape[1] != classes:
            raise ValueError(
                f"{name} must hold {classes} values a text, one a class, got"
                f" {labels.shape[1]}"
            )
        return
    wrong = has_label(labels) & ((labels < 0) | (labels >= classes))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{name} must lie in 0..{classes - 1} (or be None or {NO_LABEL}: no"
            f" label), got {int(labels[row])} in row {row}, and"
            f" {int(wrong.sum())} such rows in all"
        )


def put_labels_in_order(labels: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Number labels as the classes stand in another order.

    Parameters
    ----------
    labels : ndarray, shape (texts,) or (texts, classes)
        Those that :func:`check_labels` lets pass.
    order : sequence of int
        From :func:`~distill_helpers.data.class_order.class_order`.
    """
    if labels.ndim > 1:
        return ordered(labels, order)
    place = np.argsort(order)
    return np.where(labels == NO_LABEL, NO_LABEL, place[np.maximum(labels, 0)])


def dataset_names(dataset) -> list[str] | None:
    """Return the class names that a data set carries itself, or None."""
    features = getattr(dataset, "features", None) or {}
    for name in LABEL_COLUMNS:
        names = real_names(getattr(features.get(name), "names", None))
        if names:
            return names
    return None


# ------------------------------------------------------------ soft targets
def read_teacher_logits(dataset) -> np.ndarray:
    """Return the column ``teacher_logits`` of a data set.

    Returns
    -------
    ndarray of float32, shape (texts, classes)

    Raises
    ------
    ValueError
        If a row is missing, of another width or no row of numbers, a value is
        not finite, or the rows are probabilities; the message names the first
        such row.
    """
    name = SOFT_TARGETS_COLUMN
    rows = [_plain(row) for row in whole_column(dataset, name)]
    width = next((len(row) for row in rows if isinstance(row, list)), 0)
    if not width:
        raise ValueError(f"{name} must hold a row of logits for every text, got none")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise ValueError(
                f"{name} must hold {width} logits in every row, as in its first, got"
                f" {row!r} in row {number}"
            )
        if not all(isinstance(v, Real) and not isinstance(v, bool) for v in row):
            raise ValueError(f"{name} must hold numbers, got {row!r} in row {number}")
    logits = np.asarray(rows, np.float32)
    check_logits(logits, len(rows), width, name)
    check_no_probabilities(logits, name)
    return logits


def as_logits(values, name: str = "logits") -> np.ndarray:
    """Return what a teacher answered as an array of float32.

    Raises
    ------
    ValueError
        If it is no table of numbers.
    """
    try:
        return np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be a row of numbers for each text, got"
            f" {type(values).__name__}: {values!r:.80}"
        ) from error


def check_logits(
    logits: np.ndarray, count: int, classes: int, name: str = "logits"
) -> None:
    """Raise unless there is a row of finite logits for each text.

    Raises
    ------
    ValueError
        If the shape is not (count, classes), or a value is NaN or infinite.
    """
    if logits.shape != (count, classes):
        raise ValueError(
            f"{name} must have shape {(count, classes)}, got {logits.shape}"
        )
    broken = ~np.isfinite(logits).all(axis=1)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise ValueError(
            f"{name} must be finite, got NaN or infinite values in"
            f" {int(broken.sum())} of {count} rows, the first of them row {row}"
        )


def has_answer(logits: np.ndarray) -> np.ndarray:
    """Say which texts a teacher has an answer to; see :func:`labels.has_label`.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
        NaN where it has none.

    Returns
    -------
    ndarray of bool, shape (texts,)
    """
    return np.isfinite(logits).all(axis=1)


def are_probabilities(values: np.ndarray) -> bool:
    """Say whether every row lies within [0, 1] and sums to 1.

    Rows of 0 and 1 alone are no proof: small whole numbers may be logits.
    """
    values = np.asarray(values, np.float64)
    if not values.size or values.min() < 0 or values.max() > 1:
        return False
    if np.isin(values, (0, 1)).all():
        return False
    return bool((np.abs(values.sum(axis=1) - 1) <= _TOLERANCE).all())


def check_no_probabilities(logits: np.ndarray, name: str = "logits") -> None:
    """Raise if what should be logits are probabilities.

    A softmax of probabilities is nearly flat: a student would be taught that
    nothing is sure.

    Raises
    ------
    ValueError
        If every row lies within [0, 1] and sums to 1.
    """
    if are_probabilities(logits):
        raise ValueError(
            f"{name} must be logits, but every row lies within [0, 1] and sums to"
            " 1: these are probabilities. Take their logarithm, numpy.log(p), or"
            " leave out the softmax that made them"
        )
