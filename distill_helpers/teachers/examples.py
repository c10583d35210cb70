"""What a teacher is made of: labelled texts, and texts without a label."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..data.cleaning import text_hash
from ..data.labels import ONE_LABEL, SEVERAL_LABELS
from ..data.targets import as_labels


@dataclass(frozen=True)
class Examples:
    """Labelled and unlabelled texts.

    Attributes
    ----------
    texts : list of str
        The labelled ones.
    labels : ndarray
        Of int, shape (texts,), or of 0 and 1, shape (texts, classes).
    unlabelled : list of str
    label_names : list of str
    problem_type : str
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`.
    """

    texts: list[str]
    labels: np.ndarray
    unlabelled: list[str]
    label_names: list[str]
    problem_type: str

    @classmethod
    def of(cls, reviews: Mapping) -> Examples:
        """Take the labelled rows of ``train`` and the texts of ``transfer``.

        Parameters
        ----------
        reviews : mapping of str to datasets.Dataset
            As :func:`~distill_helpers.data.reviews.load_reviews` gives it; a part
            ``transfer`` may be missing. Validation and test are not looked at.

        Raises
        ------
        ValueError
            If there is no part ``train`` with texts and labels, a label is neither a
            class number nor a row of 0 and 1, the class names are not known, or
            fewer than two classes have a text.
        """
        train = reviews["train"] if "train" in reviews else None
        if train is None or not {"text", "label"} <= set(train.column_names):
            raise ValueError(
                "reviews must have a part 'train' with columns 'text' and 'label',"
                f" got parts {sorted(reviews)}"
            )
        names = _label_names(reviews, train)
        labels = as_labels(train["label"])
        several = labels.ndim > 1
        known = labels >= 0  # -100 and -1: none
        known = known.all(1) if several else known
        if not known.any():
            raise ValueError("reviews['train'] must hold labelled texts, got none")
        _check_labels(labels[known], names)
        texts = [text for text, has in zip(train["text"], known) if has]
        others = list(reviews["transfer"]["text"]) if "transfer" in reviews else []
        kind = SEVERAL_LABELS if several else ONE_LABEL
        return cls(texts, labels[known], others, names, kind)

    @property
    def holds(self) -> np.ndarray:
        """Which classes hold: bool, shape (texts, classes)."""
        if self.problem_type == SEVERAL_LABELS:
            return self.labels > 0.5
        return np.eye(len(self.label_names), dtype=bool)[self.labels]

    @property
    def fingerprint(self) -> str:
        """Name texts, labels and class names, in 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for part in (self.texts, self.unlabelled):
            digest.update("".join(map(text_hash, part)).encode() + b"|")
        digest.update(self.labels.tobytes())
        digest.update(repr((self.label_names, self.problem_type)).encode())
        return digest.hexdigest()[:16]


def _label_names(reviews, train) -> list[str]:
    names = getattr(reviews, "label_names", None)
    names = names or getattr(train.features["label"], "names", None)
    if not names:
        raise ValueError(
            "reviews must say its class names: as .label_names, or by a column"
            " 'label' of type ClassLabel"
        )
    return [str(name) for name in names]


def _check_labels(labels: np.ndarray, names: list[str]) -> None:
    if labels.ndim == 2:
        if labels.shape[1] != len(names):
            raise ValueError(
                f"labels must be rows of {len(names)} numbers, 0 or 1, one for each of"
                f" {names}, got shape {labels.shape}"
            )
        there = (labels.sum(0) > 0).sum()
    else:
        if labels.max() >= len(names):
            raise ValueError(
                f"labels must lie in 0..{len(names) - 1}, the numbers of {names}, got"
                f" {labels.max()}"
            )
        there = len(np.unique(labels))
    if there < 2:
        raise ValueError(
            "reviews['train'] must hold labelled texts of at least two classes, got"
            f" {there}"
        )
