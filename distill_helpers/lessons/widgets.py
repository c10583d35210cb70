"""Sliders over pictures.

`explore` wraps a pure function that draws a figure. Where nobody can move a
slider (papermill, nbval, a page on the web) its default figure stands in the
output as an ordinary image; in a live notebook the same output is a row of
sliders that work by keyboard, the picture, and what it shows in words.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from ..arguments import check_number
from .language import pictured
from .plots.style import to_png

Draw = Callable[..., tuple[Figure, str]]


@dataclass(frozen=True)
class Slider:
    """One number that the reader can move.

    Attributes
    ----------
    label : str
    low, high : float
    start : float
    step : float

    Raises
    ------
    ValueError
        If the label is empty, `high` is not above `low`, `start` lies outside, or
        `step` is not above 0.
    """

    label: str
    low: float
    high: float
    start: float
    step: float = 0.1

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise ValueError("label must name what the slider moves, got nothing")
        check_number("high", self.high, above=self.low)
        check_number("start", self.start, least=self.low, most=self.high)
        check_number("step", self.step, above=0)


class Explorer:
    """A picture that follows its sliders.

    Parameters
    ----------
    draw : callable
        Takes the sliders' values by name; returns the figure and, in a
        sentence or two, what it shows.
    sliders : mapping of str to Slider
        By the name of `draw`'s argument.

    Attributes
    ----------
    values : dict of str to float
        Where the sliders stand.
    png : bytes
        The picture as it is now.
    readout : str
        What it shows, in words.

    Raises
    ------
    Exception
        Whatever `draw` raises for the values at the start.
    """

    def __init__(self, draw: Draw, sliders: Mapping[str, Slider]) -> None:
        if not sliders:
            raise ValueError("sliders must hold at least one Slider, got none")
        self.draw = draw
        self.sliders = dict(sliders)
        self.values = {name: s.start for name, s in sliders.items()}
        self.png, self.readout = self._drawn(self.values)
        self._panel = None

    def _drawn(self, values: Mapping[str, float]) -> tuple[bytes, str]:
        figure, readout = self.draw(**values)
        if not readout.strip():
            raise ValueError("draw must say in words what its figure shows")
        return to_png(figure), pictured(readout)

    def move(self, **values: float) -> None:
        """Move sliders and draw again; on an error nothing has moved.

        Raises
        ------
        KeyError
            If there is no slider of that name.
        TypeError, ValueError
            If a value is no number or outside its slider.
        """
        for name, value in values.items():
            self._check(name, value)
        moved = self.values | values
        self.png, self.readout = self._drawn(moved)
        self.values = moved

    def _check(self, name: str, value: float) -> None:
        if name not in self.sliders:
            raise KeyError(f"no slider {name!r}; there are {list(self.sliders)}")
        slider = self.sliders[name]
        check_number(name, value, least=slider.low, most=slider.high)

    # --------------------------------------------------------------- display
    @property
    def panel(self):
        """The widgets: sliders, picture, words. Made when first asked for."""
        if self._panel is None:
            self._panel = self._build()
        return self._panel

    def _build(self):
        import ipywidgets

        controls = {
            name: ipywidgets.FloatSlider(
                value=s.start,
                min=s.low,
                max=s.high,
                step=s.step,
                description=_labelled(s.label),
                style={"description_width": "9em"},
                layout={"width": "30em", "max_width": "100%"},
                readout_format=f".{_decimals(s.step)}f",
            )
            for name, s in self.sliders.items()
        }
        picture = _picture(self.png, self.readout)
        words = ipywidgets.HTML(_spoken(self.readout))

        def redraw(_change) -> None:
            try:
                self.move(**{name: c.value for name, c in controls.items()})
            except Exception as error:
                picture.value = b""
                words.value = _spoken(f"{type(error).__name__}: {error}")
                raise
            picture.value, picture.tooltip = self.png, self.readout
            words.value = _spoken(self.readout)

        for control in controls.values():
            control.observe(redraw, names="value")
        columns = ipywidgets.Box(
            list(controls.values()), layout={"flex_flow": "row wrap"}
        )
        return ipywidgets.VBox([columns, picture, words])

    def __repr__(self) -> str:
        return self.readout

    def _repr_mimebundle_(self, include=None, exclude=None):
        live = self.panel._repr_mimebundle_() or {}
        data = {"text/plain": self.readout, "image/png": self.png}
        view = "application/vnd.jupyter.widget-view+json"
        if view in live:
            data[view] = live[view]
        return data, {"image/png": {"alt": self.readout}}


def explore(draw: Draw, sliders: Mapping[str, Slider]) -> Explorer:
    """Let the reader move what a picture depends on.

    Parameters
    ----------
    draw : callable
        A pure function from the sliders' values, by name, to a figure and a
        sentence that says what it shows.
    sliders : mapping of str to Slider

    Returns
    -------
    Explorer
        The last expression of a cell shows it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> def draw(temperature):
    ...     return Figure(), f"T is {temperature:g}"
    >>> explore(draw, {"temperature": Slider("T", 1, 20, 2)})
    T is 2
    """
    return Explorer(draw, sliders)


def logit_sliders(names: Sequence[str], starts: Sequence[float]) -> dict[str, Slider]:
    """Return one slider from -6 to 6 for each logit, by name.

    Raises
    ------
    ValueError
        If there are not as many names as starts.
    """
    if len(names) != len(starts):
        raise ValueError(
            f"starts must hold one number for each of {len(names)} names, got"
            f" {len(starts)}"
        )
    return {
        name.replace(" ", "_"): Slider(name, -6, 6, start)
        for name, start in zip(names, starts)
    }


def _labelled(label: str) -> str:
    """Return a slider's label in the reader's language, if need be word by word."""
    told = pictured(label)
    return told if told != label else " ".join(map(pictured, label.split()))


def _picture(png: bytes, words: str):
    """Return an image widget with its words as the title.

    ipywidgets 8.1 asks every widget with a tooltip for its description, which
    `Image` lacks, and then shows nothing; so this one has an empty one.
    """
    import ipywidgets
    from traitlets import Unicode

    class Picture(ipywidgets.Image):
        description = Unicode("").tag(sync=True)

    return Picture(value=png, format="png", tooltip=words, layout={"max_width": "100%"})


def _decimals(step: float) -> int:
    return max(0, math.ceil(-math.log10(step)))


def _spoken(text: str) -> str:
    """Return words that a screen reader reads out when they change."""
    body = html.escape(text).replace("\n", "<br>")
    return f'<div role="status" aria-live="polite">{body}</div>'
