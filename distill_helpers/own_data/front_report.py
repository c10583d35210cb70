"""What was weighed, as a part of the report; and alone, where nothing fits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import whole_folder
from .blocks import Block, Heading, Items, Picture, Table, Words, to_html, to_markdown
from .delivered_forms import FORMS
from .front_figure import front_figure
from .looking import Texts
from .request import FRONT, Request

if TYPE_CHECKING:
    import pandas as pd

    from .weighing import Weighed


def front_blocks(weighed: Weighed) -> list[Block]:
    """Lay out the candidates: table, chart, choice and how it was measured.

    Parameters
    ----------
    weighed : Weighed

    Returns
    -------
    list of Block
    """
    figure = front_figure(
        weighed.candidates,
        weighed.on_front,
        weighed.chosen,
        weighed.budget_mb,
        weighed.budget_ms,
    )
    forms = dict.fromkeys(one.form for one in weighed.candidates)
    said = [weighed.alike] if weighed.alike else []
    steps = ", ".join(f"{kind} {count:,}" for kind, count in weighed.steps.items())
    said += [
        f"every student read the same texts {weighed.passes:g} times and learnt from"
        f" the same soft targets, in batches of its own size; updates: {steps}",
        weighed.measured,
        "times that lie close together may change places in another run",
        _untouched(weighed),
        *(f"{form}: {FORMS[form].told}" for form in forms),
        *(f"left out: {reason}" for reason in weighed.left_out),
    ]
    return [
        Words(f"Chosen: {weighed.why}." if weighed.chosen else f"{weighed.why}."),
        Table(
            shown(weighed),
            "Macro F1 on the validation texts and its 95% interval over the seeds. On"
            " the front is what no other beats: with one of MB, ms or F1 better, and"
            " none worse",
        ),
        Picture(figure, weighed.alt),
        Items(said),
    ]


def _untouched(weighed: Weighed) -> str:
    if weighed.chosen is None:
        return "the test texts were not looked at"
    return (
        "the test texts had no part in it: they were looked at once, afterwards, for"
        " the chosen student and its control"
    )


def shown(weighed: Weighed) -> pd.DataFrame:
    """Return the table for people: a line a candidate, the best on top.

    Parameters
    ----------
    weighed : Weighed

    Returns
    -------
    DataFrame
        ``front`` has the numbers of the chart.
    """
    table = weighed.table.sort_values("f1", ascending=False, kind="stable")
    places = {one.name: str(n) for n, one in enumerate(weighed.on_front, 1)}
    around = [
        "" if low != low else f"{low:.3f} to {high:.3f}"
        for low, high in zip(table["low"], table["high"])
    ]
    found = table[["MB", "ms", "f1"]].assign(
        **{
            "95% interval": around,
            "on the front": [places.get(name, "") for name in table.index],
            "": [_verdict(line) for line in table.itertuples()],
        }
    )
    return found.rename(columns={"f1": "macro F1", "ms": "ms a text"})


def _verdict(line) -> str:
    if line.chosen:
        return "chosen"
    return "" if line.fits else "does not fit"


def write_front(request: Request, texts: Texts, weighed: Weighed) -> Path:
    """Write the front by itself into the working folder, over an earlier one.

    Parameters
    ----------
    request : Request
    texts : Texts
    weighed : Weighed

    Returns
    -------
    Path
        The page, ``front.html``; ``front.md`` and ``front.json`` lie beside it.
    """
    name = Path(request.source).name
    title = f"Students for {name}"
    blocks = [Heading(title, 1), *front_blocks(weighed)]
    folder = request.working / FRONT
    shutil.rmtree(folder, ignore_errors=True)
    with whole_folder(folder) as made:
        (made / "front.md").write_text(to_markdown(blocks), "utf-8")
        (made / "front.html").write_text(to_html(blocks, title), "utf-8")
        content = {"source": name, "labels": texts.label_names} | weighed.to_json()
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        (made / "front.json").write_text(text, "utf-8")
    return folder / "front.html"
