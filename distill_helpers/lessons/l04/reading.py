"""Lesson 04: what the curves of a sweep show, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def in_words(knob: str, curves: Mapping[str, pd.DataFrame]) -> str:
    """Say what turning one knob does to the student.

    Parameters
    ----------
    knob : str
        A column of the curves.
    curves : mapping of str to DataFrame
        ``distilled``, and ``control`` where it was drawn too: the knob's values and
        the mean accuracy, a share.

    Returns
    -------
    str
        With a control, how far the teacher puts the student ahead at the knob's
        lowest and highest value, in percentage points. Without, how far the means
        lie apart, and which value is best.
    """
    means = {name: curve.set_index(knob)["mean"] for name, curve in curves.items()}
    mean = means["distilled"]
    if "control" in means:
        ahead = 100 * (mean - means["control"]).dropna().sort_index()
        return (
            f"{knob}: the teacher gives {ahead.iloc[0]:.1f} points at"
            f" {ahead.index[0]:.7g}, {ahead.iloc[-1]:.1f} at {ahead.index[-1]:.7g}."
        )
    return (
        f"{knob}: from the worst to the best value"
        f" {100 * (mean.max() - mean.min()):.1f} points;"
        f" best at {mean.idxmax():.7g} with {mean.max():.3f}."
    )


def ends_in_words(curves: Mapping[str, pd.DataFrame]) -> str:
    """Say where each curve begins and ends.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        With the mean accuracy, a share, in the order in which it is drawn.

    Returns
    -------
    str
    """
    means = {name: curve["mean"] for name, curve in curves.items()}
    return "; ".join(
        f"{name} from {mean.iloc[0]:.2f} to {mean.iloc[-1]:.2f}"
        for name, mean in means.items()
    )
