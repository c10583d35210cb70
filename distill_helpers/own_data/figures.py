"""A small drawing for the report, as SVG."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from ..evaluation.scorecard import Row

COLOUR = "#0072b2"
LEFT, WIDTH, LINE, TOP = 150, 640, 34, 14


def interval_figure(rows: Sequence[Row], metric: str, heading: str) -> str:
    """Draw each row's seeds as ticks and their mean as a dot.

    Parameters
    ----------
    rows : sequence of Row
    metric : str
        A score that lies within 0 and 1.
    heading : str
        Of the axis.

    Returns
    -------
    str
        An ``svg`` element; names are escaped.
    """
    values = [row.values(metric) for row in rows]
    everything = np.concatenate(values)
    low = max(0.0, np.floor(everything.min() * 20 - 1) / 20)
    high = min(1.0, np.ceil(everything.max() * 20 + 1) / 20)

    def place(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - 30)

    bottom = TOP + LINE * len(rows)
    parts = []
    for tick in np.linspace(low, high, 5):
        x = place(tick)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#8886"/>')
        parts.append(_text(x, bottom + 16, f"{tick:.2f}", "middle"))
    parts.append(_text((LEFT + WIDTH) / 2, bottom + 36, heading, "middle"))
    for number, (row, found) in enumerate(zip(rows, values)):
        y = TOP + LINE * number + LINE / 2
        parts.append(_text(LEFT - 10, y + 5, row.name, "end"))
        for value in found:
            parts.append(
                f'<path d="M{place(value):.1f} {y - 8}v16" stroke="currentColor"/>'
            )
        mean = place(float(np.mean(found)))
        parts.append(f'<circle cx="{mean:.1f}" cy="{y}" r="5" fill="{COLOUR}"/>')
    size = f'viewBox="0 0 {WIDTH} {bottom + 44}" width="{WIDTH}"'
    return f'<svg {size} aria-hidden="true">{"".join(parts)}</svg>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{html.escape(words)}</text>"
    )
