"""How much each text counts, by how sure the teacher is of it.

The weights scale each text's soft targets; labels count as they come. Their mean is
1: else the learning rate would move with them, and nobody could say which of the two
a gain came from. The control is :func:`shuffled_weights`, the same numbers on other
texts. Difficulty that follows the student while it learns is a matter of the loss,
see :mod:`distill_helpers.losses.input_temperature`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import entr, expit, softmax

from ..arguments import check_choice, check_temperature, check_whole
from ..data.encoding import EncodedReviews
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type
from ..losses.soft_targets import EXAMPLE_WEIGHT
from .checks import check_way

CERTAINTIES = ("confidence", "margin", "entropy")
"""Ways to say how sure a teacher is of a text."""
FAVOURS = ("sure", "unsure")
OPTIONS = ("favour", "temperature", "shuffle_seed")


def certainty(
    how: str,
    teacher_logits: np.ndarray,
    temperature: float = 1.0,
    problem_type: str = ONE_LABEL,
) -> np.ndarray:
    """Say how sure a teacher is of each text.

    Parameters
    ----------
    how : {"confidence", "margin", "entropy"}
        The largest probability; the gap between the two largest; one minus the
        entropy, as a share of what it can be at most.
    teacher_logits : ndarray, shape (texts, classes)
    temperature : float, default 1.0
        Softens them, where the teacher is all but certain everywhere.
    problem_type : str
        With ``"multi_label_classification"`` the mean over the classes, each a coin.

    Returns
    -------
    ndarray of float64, shape (texts,)
        Within [0, 1].

    Raises
    ------
    ValueError
        If there is no such way, or the logits are no finite rows.

    Examples
    --------
    >>> logits = np.log([[0.5, 0.5], [0.9, 0.1]])
    >>> certainty("confidence", logits).round(3).tolist()
    [0.5, 0.9]
    >>> certainty("margin", logits).round(3).tolist()
    [0.0, 0.8]
    """
    check_choice("how", how, CERTAINTIES)
    check_temperature(temperature)
    logits = np.asarray(teacher_logits, np.float64)
    if logits.ndim != 2 or logits.shape[1] < 2 or not np.isfinite(logits).all():
        raise ValueError(
            "teacher_logits must be finite, of the shape (texts, classes) with at least"
            f" two classes, got shape {logits.shape}"
        )
    if check_problem_type(problem_type) == SEVERAL_LABELS:
        coins = expit(np.stack([logits, -logits], axis=-1) / temperature)
        return _sureness(how, coins).mean(-1)
    return _sureness(how, softmax(logits / temperature, axis=-1))


def _sureness(how: str, shares: np.ndarray) -> np.ndarray:
    """Along the last axis of probabilities."""
    if how == "entropy":
        found = 1 - entr(shares).sum(-1) / np.log(shares.shape[-1])
        return found.clip(0, 1)
    ordered = np.sort(shares, axis=-1)
    return ordered[..., -1] - (ordered[..., -2] if how == "margin" else 0)


def example_weights(
    how: str,
    teacher_logits: np.ndarray,
    *,
    favour: str = "sure",
    temperature: float = 1.0,
    shuffle_seed: int | None = None,
    problem_type: str = ONE_LABEL,
) -> np.ndarray:
    """Weigh texts by how sure the teacher is of them.

    Parameters
    ----------
    how : {"confidence", "margin", "entropy"}
        See :func:`certainty`.
    teacher_logits : ndarray, shape (texts, classes)
    favour : {"sure", "unsure"}, default "sure"
        Whether what the teacher is sure of counts more, or what it is unsure of.
    temperature : float, default 1.0
    shuffle_seed : int, optional
        Deal the weights out among the texts anew: the control.
    problem_type : str

    Returns
    -------
    ndarray of float32, shape (texts,)
        None below 0; their mean is 1.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or every weight would be 0.
    """
    check_choice("favour", favour, FAVOURS)
    check_whole("shuffle_seed", shuffle_seed, least=0, optional=True)
    sure = certainty(how, teacher_logits, temperature, problem_type)
    weights = normalised_weights(sure if favour == "sure" else 1 - sure)
    return weights if shuffle_seed is None else shuffled_weights(weights, shuffle_seed)


def normalised_weights(weights: Sequence[float]) -> np.ndarray:
    """Scale weights to a mean of 1.

    Parameters
    ----------
    weights : sequence of float
        One a text.

    Returns
    -------
    ndarray of float32, shape (texts,)

    Raises
    ------
    ValueError
        If one is negative, NaN or infinite, or all are 0.

    Examples
    --------
    >>> normalised_weights([1, 3]).tolist()
    [0.5, 1.5]
    """
    found = np.asarray(weights, np.float64)
    if found.ndim != 1 or not len(found):
        raise ValueError(
            "weights must hold one number for each of at least one text, got the"
            f" shape {found.shape}"
        )
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        raise ValueError(
            "weights must be finite and not negative, got"
            f" {found[wrong[0]]:g} in row {wrong[0]} ({len(wrong)} such of"
            f" {len(found)})"
        )
    mean = found.mean()
    if not mean > 0:
        raise ValueError(
            f"weights must not all be 0, got {len(found)} of them: no text would count"
        )
    return (found / mean).astype(np.float32)


def shuffled_weights(weights: np.ndarray, seed: int) -> np.ndarray:
    """Deal the same weights out among the texts by chance.

    Parameters
    ----------
    weights : ndarray, shape (texts,)
    seed : int

    Returns
    -------
    ndarray, shape (texts,)
        Whatever these do, it is not because of the texts they belong to.
    """
    check_whole("seed", seed, least=0)
    return np.random.default_rng(seed).permutation(np.asarray(weights))


def weighted_reads(
    reads: EncodedReviews, weights: str | Sequence[float], **options
) -> EncodedReviews:
    """Let the soft targets of some texts count more.

    Parameters
    ----------
    reads : EncodedReviews
    weights : str or sequence of float
        A name of :data:`CERTAINTIES`, by the teacher's logits of `reads`; or numbers
        of your own, one a text, which are scaled to a mean of 1.
    **options
        For :func:`example_weights`.

    Returns
    -------
    EncodedReviews
        A new one with the column ``teacher_weight``; `reads` stays as it is.

    Raises
    ------
    TypeError, ValueError
        If the weights do not fit, or there are no logits to weigh by.
    """
    if isinstance(weights, str):
        if reads.teacher_logits is None:
            raise ValueError(
                f"weights={weights!r} needs the teacher's logits before training, but"
                " the data have none (a live teacher is asked later)"
            )
        found = example_weights(weights, reads.teacher_logits, **options)
    elif options:
        raise TypeError(f"weights of your own take no option, got {sorted(options)}")
    else:
        found = normalised_weights(weights)
    return reads.changed(**{EXAMPLE_WEIGHT: found})


def check_weighting(how: str | None, options: Mapping | None) -> None:
    """Raise unless there is such a way to weigh, with these options.

    Raises
    ------
    TypeError, ValueError
        The message names the argument of the config.
    """
    given = check_way("example_weights", how, options, CERTAINTIES, OPTIONS)
    if how is not None:
        probe = np.array([[1.0, 0.0], [0.0, 2.0]])
        example_weights(how, probe, **given)
