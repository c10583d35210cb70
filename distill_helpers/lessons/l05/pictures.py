"""Lesson 05: what is lost against a whole student, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..plots import line_chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = tuple[Sequence[float], tuple[Sequence[float], Sequence[float]]]


def paired_chart(
    places: Sequence[float],
    curves: Mapping[str, Curve],
    *,
    x_label: str,
    against: str,
    title: str,
) -> Figure:
    """Draw paired gains in validation accuracy, with their 95% intervals.

    Parameters
    ----------
    places : sequence of float
        One for each point.
    curves : mapping of str to (gains, (lows, highs))
        As from :func:`~distill_helpers.lessons.l05.chain.paired_curve`.
    x_label, title : str
    against : str
        Which student the gains are paired with.

    Returns
    -------
    Figure
    """
    return line_chart(
        places,
        {name: gains for name, (gains, _) in curves.items()},
        bands={name: band for name, (_, band) in curves.items()},
        x_label=x_label,
        y_label=f"validation accuracy,\nagainst {against}",
        title=f"{title} (shaded: 95% interval, paired)",
    )
