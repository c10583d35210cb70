"""Lesson 05: three claims, judged by what the lesson measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...compression.forms import Form
from ...evaluation.statistics import mcnemar
from ..claims import Claim, judge, points_in_words, times_in_words

if TYPE_CHECKING:
    import pandas as pd

SOURCE, DYNAMIC, STATIC = "PyTorch", "dynamic INT8", "static INT8"
SURE = 0.05
"""A p-value below it is not left to chance."""


def judge_size(tables: Mapping[str, pd.DataFrame], linear_only: float) -> Claim:
    """Judge C03: dynamic INT8 is four times smaller and loses under 2%.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By model, from :func:`~distill_helpers.compression.forms.measure_forms`.
    linear_only : float
        Times smaller, if linear layers alone are rounded.

    Returns
    -------
    Claim
        Held if it is so for every model.
    """
    smaller = {name: table["smaller"][DYNAMIC] for name, table in tables.items()}
    lost = {
        name: 100 * (table["accuracy"][SOURCE] - table["accuracy"][DYNAMIC])
        for name, table in tables.items()
    }
    words = "; ".join(
        f"{name}: {times_in_words(smaller[name])}, {points_in_words(lost[name])}"
        for name in tables
    )
    held = min(smaller.values()) >= 3.95 and max(lost.values()) < 2
    return judge("C03", f"{words}; linear layers only: {linear_only:.2f}x", bool(held))


def judge_channels(bound: float, fastest: float, share: float = 0.3) -> Claim:
    """Judge C04: 30% of the channels away, 2.1 times the speed.

    Parameters
    ----------
    bound : float
        Times fewer multiplications.
    fastest : float
        Times as fast, at best.
    share : float
        Of the channels that are gone.

    Returns
    -------
    Claim
    """
    words = f"bound {bound:.2f}x, measured up to {fastest:.2f}x"
    return judge("C04", words, bool(fastest >= 2.1), share=share)


def judge_static(
    forms: Mapping[str, Mapping[str, Form]], texts: Sequence[str], truth: np.ndarray
) -> Claim:
    """Judge C05: dynamic INT8 keeps accuracy better than static INT8.

    Parameters
    ----------
    forms : mapping of str to mapping of str to Form
        By model and form.
    texts : sequence of str
    truth : ndarray of int, shape (texts,)

    Returns
    -------
    Claim
        Held if dynamic is ahead for every model, by more than the choice of texts
        would give by chance.
    """
    tests = {
        name: mcnemar(*(some[way].logits(texts).argmax(1) == truth for way in WAYS))
        for name, some in forms.items()
    }
    ahead = [test.won > test.lost and test.p < SURE for test in tests.values()]
    return judge("C05", "; ".join(f"{n}: {t}" for n, t in tests.items()), all(ahead))


WAYS = (DYNAMIC, STATIC)
