"""Lesson 10: how good a teacher's shares are, and who won, said from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...data.targets import has_answer
from ...evaluation.comparison import compare_scores
from ...evaluation.metrics import (
    expected_calibration_error,
    measure_quality,
    softmax,
)
from ...teachers.base import Teacher
from ..claims import Claim, judge

CONTROL, WITH_LABELS = "control", "soft and true labels"
_LARGE = "deepseek-large"
_FEWEST = 5


def judged(logits: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Judge a teacher of two classes by labels that it has not seen.

    Parameters
    ----------
    logits : ndarray, shape (texts, 2)
    truth : ndarray of int, shape (texts,)

    Returns
    -------
    dict of str to float
        ``"accuracy"`` (the likelier class is right), ``"AUC"`` (a positive text is
        ranked above a negative one) and ``"ECE"``, the calibration error.
    """
    from sklearn.metrics import roc_auc_score

    return {
        "accuracy": float(measure_quality(logits, truth).accuracy),
        "AUC": float(roc_auc_score(truth, logits[:, 1] - logits[:, 0])),
        "ECE": float(expected_calibration_error(logits, truth)),
    }


def judged_teacher(
    teacher: Teacher, texts: Sequence[str], truth: np.ndarray
) -> dict[str, float]:
    """Judge a teacher by the texts to which it has an answer.

    Parameters
    ----------
    teacher : Teacher
        Of two classes.
    texts : sequence of str
    truth : ndarray of int, shape (texts,)

    Returns
    -------
    dict of str to float
        As :func:`judged`, and ``"answered"``, the share of the texts.
    """
    logits = teacher.answers(texts)
    known = has_answer(logits)
    found = judged(logits[known], truth[known])
    return found | {"answered": float(known.mean())}


def really_positive(
    logits: np.ndarray, truth: np.ndarray, bins: int = 5
) -> tuple[list[float], list[float]]:
    """Count how many texts are positive where a teacher says that they may be.

    Parameters
    ----------
    logits : ndarray, shape (texts, 2)
        NaN where it has no answer: such texts are left out.
    truth : ndarray of int, shape (texts,)
    bins : int, default 5
        As wide as each other.

    Returns
    -------
    middles, shares : list of float
        NaN for a bin with fewer than five texts.
    """
    known = has_answer(logits)
    logits, truth = logits[known], truth[known]
    place = np.minimum((softmax(logits)[:, 1] * bins).astype(int), bins - 1)
    inside = [truth[place == one] for one in range(bins)]
    shares = [float(t.mean()) if len(t) >= _FEWEST else np.nan for t in inside]
    return [(one + 0.5) / bins for one in range(bins)], shares


def gains(scores: Mapping[str, Mapping[int, float]]) -> dict[str, list[float]]:
    """Pair every arm with the control, seed by seed.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        Accuracy by arm and seed; one arm is ``"control"``.

    Returns
    -------
    dict of str to list of float
        In percentage points.
    """
    base = scores[CONTROL]
    return {
        arm: [100 * (by_seed[seed] - base[seed]) for seed in base]
        for arm, by_seed in scores.items()
        if arm != CONTROL
    }


def pairs(teachers: Sequence[str]) -> list[tuple[str, str]]:
    """Name what is compared: each arm with the control, soft labels with the others."""
    ways = ("soft", "votes", "hard", WITH_LABELS)
    with_control = [(f"{t}, {way}", CONTROL) for t in teachers for way in ways]
    others = [(f"{t}, soft", f"{t}, {w}") for t in teachers for w in ways[1:3]]
    return with_control + others


def verdict(
    scores: Mapping[str, Mapping[int, float]], teacher: str, labelled: int
) -> str:
    """Say whether a teacher's student without true labels beats the control.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        By arm and seed; arms are called ``"{teacher}, {way}"``.
    teacher : str
    labelled : int
        True labels of the control.

    Returns
    -------
    str
        Of its best arm, which is chosen after the fact: in the teacher's favour.
    """
    arms = {
        arm: float(np.mean(list(by_seed.values())))
        for arm, by_seed in scores.items()
        if arm.startswith(f"{teacher}, ") and WITH_LABELS not in arm
    }
    best = max(arms, key=lambda arm: arms[arm])
    begun = f"{best}: against {labelled} true labels"
    if len(scores[CONTROL]) < 2:
        only = 100 * (arms[best] - float(np.mean(list(scores[CONTROL].values()))))
        return f"{begun} {only:+.1f} points; one seed shows nothing more"
    (found,) = compare_scores(scores, [(best, CONTROL)])
    words = {"better": "it wins", "worse": "the control wins"}
    said = words.get(found.verdict, "no difference shown")
    return f"{begun} {found.in_points()}: {said}"


def judge_names(served: Sequence[str] | None) -> Claim:
    """Judge C13 by what DeepSeek's server names.

    Parameters
    ----------
    served : sequence of str or None
        The models of today; None if nobody asked.

    Returns
    -------
    Claim
    """
    if served is None:
        words = "not asked: no lesson goes to the network by itself"
        return judge("C13", words, None)
    found = [name for name in served if _LARGE in name]
    return judge("C13", f"served today: {', '.join(served)}", bool(found))
