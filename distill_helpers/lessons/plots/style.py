"""One look for all pictures: the style sheet, markers, and PNG with alt text."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ParamSpec

import numpy as np
from matplotlib import rc_params_from_file, rcParams, style
from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("kit.mplstyle")
_SHEET = rc_params_from_file(STYLE, use_default_template=False)
COLOURS = tuple(_SHEET["axes.prop_cycle"].by_key()["color"])
MARKERS = "osD^vP*X"
DASHES = ("-", "--", ":", "-.")
HATCHES = ("", "//", "..", "xx", "\\\\", "oo", "++", "**")
P = ParamSpec("P")


def in_kit_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a chart be drawn as the style sheet says, whatever the reader set."""

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> Figure:
        with style.context(_SHEET):
            return draw(*given, **named)

    return drawn


def canvas(height: float, width: float | None = None) -> Figure:
    """Return an empty figure, in inches; by default as wide as the sheet says."""
    return Figure(figsize=(width or rcParams["figure.figsize"][0], height))


def to_png(figure: Figure) -> bytes:
    """Render a figure to PNG bytes, as the style sheet says."""
    buffer = io.BytesIO()
    with style.context(_SHEET):
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def show(figure: Figure, alt: str):
    """Return a figure as an image with alternative text.

    Parameters
    ----------
    figure : Figure
    alt : str
        What the picture shows, for those who cannot see it.

    Returns
    -------
    IPython.display.Image

    Raises
    ------
    ValueError
        If `alt` is empty.
    """
    from IPython.display import Image

    if not alt.strip():
        raise ValueError("alt must say what the picture shows, got nothing")
    # As wide as it would be on screen, however fine it was rendered.
    width = int(figure.get_figwidth() * 90)
    return Image(data=to_png(figure), format="png", alt=alt, width=width)


def finish(axes, x_label: str, y_label: str, title: str, grid: str = "both") -> None:
    """Label the axes and draw the grid."""
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title)
    axes.grid(axis=grid)


def check_lengths(what: str, series: Mapping[str, Sequence], length: int) -> None:
    """Raise unless each of the named series has `length` values."""
    for name, values in series.items():
        if len(values) != length:
            raise ValueError(
                f"{what} {name!r} must have {length} values, got {len(values)}"
            )


def plain(value: float, _place=None) -> str:
    """Write 1, 2 and 5 times a power of ten, and nothing else."""
    lead = value / 10 ** np.floor(np.log10(value)) if value > 0 else 0
    return f"{value:g}" if round(lead, 6) in (1, 2, 5) else ""
