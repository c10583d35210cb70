"""Pictures for the lessons: pure functions from numbers to figures.

Colours are those of Okabe and Ito, which colour-blind people can tell apart;
markers differ too, so that nothing is told by colour alone.
"""

from .bars import bar_groups, interval_chart, stacked_bars
from .clouds import bubble_chart, budget_chart, pareto_chart
from .diagrams import (
    draw_bytes,
    draw_parts,
    draw_softening,
    draw_tiers,
    draw_two_arrows,
)
from .images import confusion_chart, heat_map, image_and_bars, image_grid
from .lines import (
    confidence_chart,
    curve_chart,
    gain_chart,
    levels_chart,
    line_chart,
    path_chart,
    search_chart,
)
from .style import COLOURS, DASHES, HATCHES, MARKERS, show, to_png

__all__ = [
    "COLOURS",
    "DASHES",
    "HATCHES",
    "MARKERS",
    "bar_groups",
    "bubble_chart",
    "budget_chart",
    "confidence_chart",
    "confusion_chart",
    "curve_chart",
    "draw_bytes",
    "draw_parts",
    "draw_softening",
    "draw_tiers",
    "draw_two_arrows",
    "gain_chart",
    "heat_map",
    "image_and_bars",
    "image_grid",
    "interval_chart",
    "levels_chart",
    "line_chart",
    "pareto_chart",
    "path_chart",
    "search_chart",
    "show",
    "stacked_bars",
    "to_png",
]
