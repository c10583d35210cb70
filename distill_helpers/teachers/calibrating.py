"""How sure a teacher may be, from answers to texts that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from .mixed import COLDEST, HOTTEST, calibration_temperature

_RIDGE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """Logits are divided by a temperature, then shifted.

    Attributes
    ----------
    temperature : float
        Above 1: the teacher was too sure.
    shift : tuple of float
        One a class; zeros where a text has one class.
    """

    temperature: float
    shift: tuple[float, ...]

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated logits, float32, of the same shape."""
        shifted = np.asarray(logits, np.float64) / self.temperature + self.shift
        return shifted.astype(np.float32)


def calibrate(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    r"""Fit a calibration to answers out of fold.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
    labels : ndarray
        Of int, shape (texts,): one temperature is fitted [1]_. Or of 0 and 1, shape
        (texts, classes): one temperature, and one shift a class, so that each holds
        about as often as it should (Platt scaling [2]_ with a common slope).

    Returns
    -------
    Calibration

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    .. [2] J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    classes = logits.shape[1]
    if np.ndim(labels) == 1:
        return Calibration(calibration_temperature(logits, labels), (0.0,) * classes)
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.float64)

    def surprise(found: np.ndarray) -> tuple[float, np.ndarray]:
        cold, shift = np.exp(-found[0]), found[1:]
        z = logits * cold + shift
        loss = (np.logaddexp(0, z) - labels * z).mean() + _RIDGE * (shift**2).mean()
        push = (expit(z) - labels) / z.size
        by_shift = push.sum(0) + 2 * _RIDGE * shift / classes
        return float(loss), np.append(-(push * logits).sum() * cold, by_shift)

    bounds = [(np.log(COLDEST), np.log(HOTTEST)), *[(None, None)] * classes]
    start = np.zeros(classes + 1)
    found = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(float(np.exp(found[0])), tuple(map(float, found[1:])))


def calibrate_with_shifts(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    r"""Fit one temperature and one shift a class to answers, one label a text.

    With two classes it is Platt scaling [1]_: the shift moves the threshold, which a
    teacher that ranks texts well may have in the wrong place.

    Parameters
    ----------
    logits : ndarray, shape (texts, classes)
        Answers to texts that the teacher was not trained on.
    labels : ndarray of int, shape (texts,)

    Returns
    -------
    Calibration
        Its shifts sum to 0. A class without a label here keeps the shift of a
        ridge that is weak beside a few dozen labels.

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    logits = np.asarray(logits, np.float64)
    rows, classes = np.arange(len(labels)), logits.shape[1]
    truth = np.zeros_like(logits)
    truth[rows, np.asarray(labels)] = 1

    def surprise(found: np.ndarray) -> tuple[float, np.ndarray]:
        cold, shift = np.exp(-found[0]), found[1:]
        log_shares = log_softmax(logits * cold + shift, axis=1)
        loss = -log_shares[rows, labels].mean() + _RIDGE * (shift**2).mean()
        push = (np.exp(log_shares) - truth) / len(rows)
        by_shift = push.sum(0) + 2 * _RIDGE * shift / classes
        return float(loss), np.append(-(push * logits).sum() * cold, by_shift)

    bounds = [(np.log(COLDEST), np.log(HOTTEST)), *[(None, None)] * classes]
    start = np.zeros(classes + 1)
    found = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    shift = found[1:] - found[1:].mean()
    return Calibration(float(np.exp(found[0])), tuple(map(float, shift)))
