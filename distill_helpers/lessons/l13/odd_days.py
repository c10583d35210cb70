"""Which days are unlike those seen in training, so that the teacher answers them."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import IsolationForest

from ...arguments import check_number, check_whole

FEWEST = 50
"""Days that a gate must have seen."""


class OddDays:
    """An isolation forest over the features of training days.

    Parameters
    ----------
    features : array-like, shape (days, width)
        Of training days alone.
    share : float, default 0.02
        The share of training days that count as odd; how many later days do is not
        promised, and is worth looking at.
    seed : int, default 0

    Attributes
    ----------
    threshold : float
        A day is odd if its strangeness is above.

    Raises
    ------
    ValueError
        If there are fewer than 50 days or a feature is missing.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008.
    """

    def __init__(self, features, share: float = 0.02, seed: int = 0):
        check_number("share", share, above=0, most=0.5)
        check_whole("seed", seed, least=0)
        known = _checked(features)
        if len(known) < FEWEST:
            raise ValueError(
                f"features must have {FEWEST} training days at least, got {len(known)}"
            )
        self.width = known.shape[1]
        self._forest = IsolationForest(random_state=seed).fit(known)
        self.threshold = float(np.quantile(self.strangeness(known), 1 - share))

    def strangeness(self, features) -> np.ndarray:
        """Return how soon random cuts part each day from the rest, 0 to 1.

        Parameters
        ----------
        features : array-like, shape (days, width)

        Returns
        -------
        numpy.ndarray, shape (days,)
            Near 1 for a day that is parted at once.
        """
        wanted = _checked(features)
        if wanted.shape[1] != self.width:
            raise ValueError(
                f"features must have the {self.width} columns seen in training, got"
                f" {wanted.shape[1]}"
            )
        return -self._forest.score_samples(wanted)

    def __call__(self, features) -> np.ndarray:
        """Return which days are odd.

        Parameters
        ----------
        features : array-like, shape (days, width)

        Returns
        -------
        numpy.ndarray of bool, shape (days,)
        """
        return self.strangeness(features) > self.threshold


def hand_over(student: np.ndarray, teacher: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Return the teacher's rows for odd days, the student's for the others.

    Parameters
    ----------
    student, teacher : numpy.ndarray, shape (days, classes)
    odd : numpy.ndarray of bool, shape (days,)

    Returns
    -------
    numpy.ndarray, shape (days, classes)

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    student, teacher, odd = np.asarray(student), np.asarray(teacher), np.asarray(odd)
    if student.shape != teacher.shape or odd.shape != student.shape[:1]:
        raise ValueError(
            "student and teacher must have one shape and odd one value a row, got"
            f" {student.shape}, {teacher.shape} and {odd.shape}"
        )
    if odd.dtype != bool:
        raise ValueError(f"odd must be true or false a day, got {odd.dtype}")
    return np.where(odd[:, None], teacher, student)


def _checked(features) -> np.ndarray:
    values = np.asarray(features, float)
    if values.ndim != 2:
        raise ValueError(f"features must be days by width, got shape {values.shape}")
    if not np.isfinite(values).all():
        day = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise ValueError(f"features must be finite, day {day} has one that is not")
    return values
