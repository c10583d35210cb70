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
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from .. import language
from . import fonts

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
        with _look():
            return draw(*given, **named)

    return drawn


def _look():
    """Return the style sheet's context, with a font for the reader's language."""
    return style.context([_SHEET, fonts.settings()])


def canvas(height: float, width: float | None = None) -> Figure:
    """Return an empty figure, in inches; by default as wide as the sheet says."""
    return Figure(figsize=(width or rcParams["figure.figsize"][0], height))


def to_png(figure: Figure) -> bytes:
    """Render a figure to PNG bytes, as the style sheet says.

    What it says is put into the reader's language, where there is a font for it.
    """
    buffer = io.BytesIO()
    if language.chosen() != "en" and fonts.has_letters():
        _speak(figure)
    with _look():
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _speak(figure: Figure) -> None:
    """Put a figure's words into the reader's language."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            written = axis.get_major_formatter()
            if isinstance(written, FuncFormatter):  # names at places, written anew
                axis.set_major_formatter(_speaking(written))
    for text in figure.findobj(Text):
        text.set_text(language.pictured(text.get_text()))


def _speaking(written: FuncFormatter) -> FuncFormatter:
    return FuncFormatter(lambda value, place: language.pictured(written(value, place)))


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
    words = language.pictured(alt)
    return Image(data=to_png(figure), format="png", alt=words, width=width)


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
