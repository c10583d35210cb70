"""A sweep read knob by knob: which runs differ in one setting and in no other."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping

import pandas as pd

from .collecting import summarise

KNOBS = (
    "temperature",
    "alpha",
    "learning_rate",
    "epochs",
    "labelled",
    "transfer",
    "width",
)
"""What a sweep of a distillation may turn; the columns of its table."""


def usual_setting(table: pd.DataFrame) -> dict[str, float]:
    """Return the value that each knob has in most runs."""
    return {knob: table[knob].mode()[0] for knob in KNOBS}


def turning(
    table: pd.DataFrame, moving: Names[str], base: Mapping[str, float]
) -> pd.DataFrame:
    """Keep the runs in which no other knob was turned.

    Parameters
    ----------
    table : DataFrame
        From :func:`~distill_helpers.classroom.collecting.collect`.
    moving : collection of str
        The knobs that may have any value.
    base : mapping of str to float
        The value of each of the others.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If `moving` names what is no knob.
    """
    unknown = sorted(set(moving) - set(KNOBS))
    if unknown:
        raise ValueError(f"moving must be among {', '.join(KNOBS)}, got {unknown}")
    rows = table
    for knob in KNOBS:
        if knob not in moving:
            rows = rows[rows[knob] == base[knob]]
    return rows


def label_curve(
    table: pd.DataFrame, base: Mapping[str, float]
) -> dict[str, pd.DataFrame]:
    """Average each model over the number of labelled texts, and over that alone.

    The number of unlabelled texts is held where most numbers of labels were tried:
    else a curve of the labels would also be one of the texts that are left over.

    Parameters
    ----------
    table : DataFrame
        From :func:`~distill_helpers.classroom.collecting.collect`, with the runs of
        the control.
    base : mapping of str to float
        As for :func:`turning`.

    Returns
    -------
    dict of str to DataFrame
        ``control`` and ``distilled``, as far as the table has them: ``labelled``,
        ``transfer``, ``mean``, ``low``, ``high``, ``seeds``, by ``labelled``.
    """
    free = turning(table, ("labelled", "transfer"), base)
    if free.empty:
        return {}
    tried = free.groupby("transfer")["labelled"].nunique()
    rows = free[free["transfer"] == tried.idxmax()]
    columns = ["labelled", "transfer"]
    return {
        model: summarise(rows[rows["model"] == model], columns).sort_values("labelled")
        for model in ("control", "distilled")
        if (rows["model"] == model).any()
    }
