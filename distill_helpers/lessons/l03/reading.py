"""Lesson 03: what its runs gave, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...evaluation.cost import TimeRatio
from ...evaluation.statistics import interval, share_interval

if TYPE_CHECKING:
    import pandas as pd

    from ...evaluation.scorecard import Row


def gain_in_words(gains: Sequence[float]) -> str:
    """Say what the teacher gave, and whether that could be luck.

    Parameters
    ----------
    gains : sequence of float
        Accuracy of the distilled student less its control's, seed by seed.

    Returns
    -------
    str
        Two lines: the mean with its 95% interval, and a verdict.

    Examples
    --------
    >>> print(gain_in_words([0.06, 0.07, 0.08]))
    gain in accuracy: +0.070, 95% interval +0.045 to +0.095
    distillation: helped
    """
    bounds = interval(gains)
    around = "none" if bounds is None else "{:+.3f} to {:+.3f}".format(*bounds)
    if bounds is None:
        verdict = "not known from one run"
    elif bounds[0] > 0:
        verdict = "helped"
    else:
        verdict = "hurt" if bounds[1] < 0 else "not shown to help or hurt"
    mean = f"gain in accuracy: {np.mean(gains):+.3f}, 95% interval {around}"
    return f"{mean}\ndistillation: {verdict}"


def shares_by_part(
    shares: Mapping[str, Mapping[str, float]], texts: Mapping[str, int]
) -> pd.DataFrame:
    """Lay shares of right answers side by side, each with its interval.

    Parameters
    ----------
    shares : mapping of str to mapping of str to float
        By part of the data, then by model.
    texts : mapping of str to int
        How many texts a part has.

    Returns
    -------
    DataFrame
        A line for each model; intervals are Wilson's, for so many texts.
    """
    import pandas as pd

    def cell(share: float, of: int) -> str:
        low, high = share_interval(round(share * of), of)
        return f"{share:.3f} ({low:.3f} to {high:.3f})"

    return pd.DataFrame(
        {
            f"{part}, {texts[part]:,} texts": {
                model: cell(share, texts[part]) for model, share in found.items()
            }
            for part, found in shares.items()
        }
    ).fillna("")


def no_slower(ratio: TimeRatio) -> bool | None:
    """Judge whether the first of two things takes no longer than the second.

    Returns
    -------
    bool or None
        None where the interval holds 1, so that this run cannot tell.
    """
    low, high = ratio.interval
    return True if high < 1 else False if low > 1 else None


def seconds_by_passes(
    stored: float, asked: float, passes: Sequence[int]
) -> pd.DataFrame:
    """Set a teacher that is asked once against one that is asked in every pass.

    Parameters
    ----------
    stored : float
        Seconds of one pass in which the teacher's answers are read.
    asked : float
        Seconds in which the teacher answers all texts once.
    passes : sequence of int
        How many passes over the texts, each at least 1.

    Returns
    -------
    DataFrame
        A line for each number of passes: the seconds of both ways, the teacher's
        first answers included, and how many times the second takes as long.
    """
    import pandas as pd

    count = np.array(passes)
    once, always = asked + count * stored, count * (asked + stored)
    return pd.DataFrame(
        {"asked once, s": once, "asked in each, s": always, "times": always / once},
        index=pd.Index(count, name="passes"),
    ).round(1)


def ratios(student: Row, teacher: Row) -> dict[str, float]:
    """Set a student against its teacher.

    Parameters
    ----------
    student, teacher : Row
        With their cost.

    Returns
    -------
    dict of str to float
        ``speed``, ``size``, ``weights`` and ``quality`` (accuracy), each as a multiple
        of the teacher's, and ``accuracy lost``, teacher less student.
    """
    score = [float(np.mean(row.values("accuracy"))) for row in (student, teacher)]
    small, large = student.cost, teacher.cost
    return {
        "speed": small.reviews_per_second / large.reviews_per_second,
        "size": small.bytes_on_disk / large.bytes_on_disk,
        "weights": small.parameters / large.parameters,
        "quality": score[0] / score[1],
        "accuracy lost": score[1] - score[0],
    }
