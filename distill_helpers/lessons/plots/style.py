"""One look for all pictures: colours, markers, and PNG with alt text."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure

COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#F0E442",
)
MARKERS = "osD^vP*X"
DASHES = ("-", "--", ":", "-.")
HATCHES = ("", "//", "..", "xx", "\\\\", "oo", "++", "**")


def to_png(figure: Figure, dpi: int = 110) -> bytes:
    """Render a figure to PNG bytes on a white ground."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=dpi, facecolor="white", bbox_inches="tight"
    )
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
    """Label the axes and draw a faint grid."""
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title)
    axes.grid(axis=grid, alpha=0.3)


def plain(value: float, _place=None) -> str:
    """Write 1, 2 and 5 times a power of ten, and nothing else."""
    lead = value / 10 ** np.floor(np.log10(value)) if value > 0 else 0
    return f"{value:g}" if round(lead, 6) in (1, 2, 5) else ""
