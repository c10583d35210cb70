"""Who is asked about which texts: folds for answers out of fold.

A model is far too sure of what it was trained on. So the labelled texts are
dealt into folds, and each fold is answered by a model that learnt from the
others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arguments import check_whole


def deal_folds(groups: Sequence[int], folds: int, seed: int = 0) -> np.ndarray:
    """Deal examples into folds, like reviews always into the same one.

    Parameters
    ----------
    groups : sequence of int
        From :func:`distill_helpers.data.duplicates.duplicate_groups`.
    folds : int
        At least 2.
    seed : int, default 0

    Returns
    -------
    ndarray of int, shape (len(groups),)
        Each example's fold, 0 to folds - 1; sizes differ by little.

    Raises
    ------
    ValueError
        If `folds` is less than 2 or more than there are groups.
    """
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    if not 2 <= folds <= len(names):
        raise ValueError(f"folds must lie in 2..{len(names)}, got {folds!r}")
    order = np.random.default_rng(seed).permutation(len(names))
    return (order % folds)[inverse]


def stratified_folds(
    labels: np.ndarray, groups: Sequence[int], folds: int, seed: int = 0
) -> np.ndarray:
    """Deal examples into folds that hold like shares of each class [1]_.

    Group after group goes to the fold that lacks its rarest class most, those
    with the rarest classes first.

    Parameters
    ----------
    labels : ndarray
        Of int, shape (examples,): class numbers; or of 0 and 1, shape
        (examples, classes).
    groups : sequence of int, length examples
        Those of one group stay together.
    folds : int
        At least 2; no more than there are groups.
    seed : int, default 0

    Returns
    -------
    ndarray of int, shape (examples,)
        Each example's fold, 0 to folds - 1; none is empty. A class with fewer
        groups than folds is missing from some.

    Raises
    ------
    ValueError
        If the lengths differ, or there are fewer groups than folds.

    References
    ----------
    .. [1] K. Sechidis et al., "On the stratification of multi-label data", ECML
       PKDD 2011.
    """
    folds = check_whole("folds", folds, least=2)
    labels, groups = np.asarray(labels), np.asarray(groups)
    if len(labels) != len(groups):
        raise ValueError(
            f"labels has {len(labels)} examples and groups {len(groups)}: they must"
            " agree"
        )
    holds = _holds(labels)
    names, inverse = np.unique(groups, return_inverse=True)
    if len(names) < folds:
        raise ValueError(
            f"folds must be at most {len(names)}, the number of texts that are not"
            f" like one another, got {folds}"
        )
    content = np.zeros((len(names), holds.shape[1]))
    np.add.at(content, inverse, holds)
    sizes = np.bincount(inverse)
    rarest = _rarest(content)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(names))
    totals = content.sum(0)
    order = sorted(shuffled, key=lambda g: (totals[rarest[g]], rarest[g], -sizes[g]))
    filled, sizes_of = np.zeros((folds, holds.shape[1])), np.zeros(folds)
    fold_of = np.zeros(len(names), int)
    for left, group in zip(range(len(order), 0, -1), order):
        empty = sizes_of == 0
        # The last groups go to folds that have none.
        allowed = empty if left <= empty.sum() else np.ones(folds, bool)
        keys = (sizes_of, filled[:, rarest[group]], ~allowed)
        fold = np.lexsort(keys)[0]
        fold_of[group] = fold
        filled[fold] += content[group]
        sizes_of[fold] += sizes[group]
    return fold_of[inverse]


def _holds(labels: np.ndarray) -> np.ndarray:
    """Return 0 and 1 per class; a last column marks examples of no class."""
    if labels.ndim == 1:
        return np.eye(int(labels.max()) + 1)[labels]
    return np.column_stack([labels, labels.sum(1) == 0]).astype(float)


def _rarest(content: np.ndarray) -> np.ndarray:
    totals = np.where(content > 0, content.sum(0), np.inf)
    return totals.argmin(1)
