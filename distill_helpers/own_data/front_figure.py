"""The front as a drawing for the report, as SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .front import Candidate

# Of Okabe and Ito, whom colour-blind people can follow; shapes differ too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
BUDGET = "#d55e00"
WIDTH, TOP, HEIGHT, SIZE = 680, 40, 250, 5
LEFTS, PANEL = (60, 390), 270
BOTTOM = TOP + HEIGHT


@dataclass(frozen=True)
class _Panel:
    """One cost against quality."""

    cost: Callable[[Candidate], float]
    heading: str
    budget: float | None
    left: float


def front_figure(
    candidates: Sequence[Candidate],
    front: Sequence[Candidate],
    chosen: Candidate | None,
    budget_mb: float | None = None,
    budget_ms: float | None = None,
) -> str:
    """Draw macro F1 against size and against time, side by side.

    Parameters
    ----------
    candidates : sequence of Candidate
    front : sequence of Candidate
        Drawn full, with a number (its place among them) and the 95% interval; a line
        joins those that none beats in the panel's own cost.
    chosen : Candidate or None
        Ringed.
    budget_mb, budget_ms : float, optional
        A dashed line each.

    Returns
    -------
    str
        An ``svg`` element; names are escaped.
    """
    panels = (
        _Panel(lambda one: one.mb, "MB (log scale)", budget_mb, LEFTS[0]),
        _Panel(lambda one: one.ms, "ms a text (log scale)", budget_ms, LEFTS[1]),
    )
    ends = [end for one in front for end in (one.interval or ())]
    height = _linear([*(one.mean for one in candidates), *ends])
    kinds = list(dict.fromkeys(one.student for one in candidates))
    parts = _legend(kinds)
    parts.append(
        f'<text transform="translate(14 {TOP + HEIGHT / 2}) rotate(-90)"'
        ' text-anchor="middle">macro F1 on validation texts</text>'
    )
    for panel in panels:
        parts += _axes(panel, candidates, height)
        parts += _points(panel, candidates, list(front), chosen, height, kinds)
    size = f'viewBox="0 0 {WIDTH} {BOTTOM + 44}" width="{WIDTH}"'
    return f'<svg {size} aria-hidden="true">{"".join(parts)}</svg>'


def _linear(values: Sequence[float]) -> Callable[[float], float]:
    low, high = max(0.0, min(values) - 0.01), min(1.0, max(values) + 0.01)
    step = next(s for s in (0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 6)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step

    def place(value: float) -> float:
        return BOTTOM - (value - low) / (high - low) * HEIGHT

    place.ticks = np.arange(low, high + step / 2, step)
    return place


def _across(panel: _Panel, candidates: Sequence[Candidate]) -> Callable[[float], float]:
    values = [panel.cost(one) for one in candidates]
    values += [] if panel.budget is None else [panel.budget]
    low, high = (math.log10(end) for end in (min(values) / 1.15, max(values) * 1.15))

    def place(value: float) -> float:
        return panel.left + (math.log10(value) - low) / (high - low) * PANEL

    place.ends = 10**low, 10**high
    return place


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two ends, at most six."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [step * 10.0**power for power in powers for step in steps]
        found = [value for value in found if low <= value <= high]
        if len(found) <= 6:
            break
    return found


def _axes(panel: _Panel, candidates, height) -> list[str]:
    across, right = _across(panel, candidates), panel.left + PANEL
    parts = [_line(f"M{panel.left} {TOP}V{BOTTOM}H{right}", "currentColor")]
    for value in height.ticks:
        y = height(value)
        parts.append(_line(f"M{panel.left} {y:.1f}H{right}", "#8884"))
        parts.append(_text(panel.left - 6, y + 4, f"{value:.2f}", "end"))
    for value in _ticks(*across.ends):
        x = across(value)
        parts.append(_line(f"M{x:.1f} {BOTTOM}v5", "currentColor"))
        parts.append(_text(x, BOTTOM + 18, f"{value:g}"))
    parts.append(_text((panel.left + right) / 2, BOTTOM + 37, panel.heading))
    if panel.budget is not None:
        x = across(panel.budget)
        parts.append(_line(f"M{x:.1f} {TOP}V{BOTTOM}", BUDGET, "6 4", 2))
        # Beside the line, on the side with more room.
        side, anchor = (4, "start") if x < panel.left + PANEL / 2 else (-4, "end")
        parts.append(_text(x + side, TOP - 5, f"budget {panel.budget:g}", anchor))
    return parts


def _points(panel, candidates, front, chosen, height, kinds) -> list[str]:
    across, parts = _across(panel, candidates), []

    def at(one: Candidate) -> tuple[float, float]:
        return across(panel.cost(one)), height(one.mean)

    stairs = ""
    best = -math.inf
    for one in sorted(front, key=lambda one: (panel.cost(one), -one.mean)):
        if one.mean > best:
            x, y = at(one)
            stairs += f"H{x:.1f}V{y:.1f}" if stairs else f"M{x:.1f} {y:.1f}"
            best = one.mean
    parts.append(_line(stairs, "#888", "4 3", 1.5))
    for one in candidates:
        x, y = at(one)
        full = one in front
        if full and one.interval:
            low, high = map(height, one.interval)
            parts.append(_line(f"M{x:.1f} {low:.1f}V{high:.1f}", "#888c"))
        parts.append(_mark(x, y, kinds.index(one.student), full))
        if one is chosen:
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 * SIZE}" fill="none"'
                ' stroke="currentColor" stroke-width="2"/>'
            )
        if full:
            parts.append(_text(x + 8, y - 8, str(front.index(one) + 1), "start"))
    return parts


def _mark(x: float, y: float, kind: int, full: bool) -> str:
    colour = COLOURS[kind % len(COLOURS)]
    fill = colour if full else "none"
    look = f'fill="{fill}" stroke="{colour}" stroke-width="1.5"'
    r = SIZE
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {look}/>',
        f'<path d="M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}z" {look}/>',
        f'<path d="M{x:.1f} {y - r - 2:.1f}l{r + 2} {r + 2}l{-r - 2} {r + 2}'
        f'l{-r - 2} {-r - 2}z" {look}/>',
        f'<path d="M{x:.1f} {y - r - 1:.1f}l{r + 1} {2 * r}h{-2 * r - 2}z" {look}/>',
    )
    return shapes[kind % len(shapes)]


def _legend(kinds: Sequence[str]) -> list[str]:
    parts, x = [], float(LEFTS[0])
    for place, kind in enumerate(kinds):
        parts.append(_mark(x + SIZE, 10, place, True))
        parts.append(_text(x + 16, 15, kind, "start"))
        x += 30 + 8 * len(kind)
    return parts


def _line(path: str, colour: str, dashes: str = "", width: float = 1) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}"'
        f' stroke-width="{width}"{dashed}/>'
    )


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{html.escape(words)}</text>"
    )
