"""A report as a list of blocks, written as Markdown or as one HTML page.

Whatever comes from the file is shown as text: nothing in it is read as markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&])")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
caption { text-align: left; font-style: italic; padding-bottom: .3rem; }
th, td { border: 1px solid #8888; padding: .25rem .6rem; text-align: right;
  vertical-align: top; }
td.words, th { text-align: left; }
td.words { overflow-wrap: anywhere; min-width: 6rem; }
svg { max-width: 100%; height: auto; }
svg text { fill: currentColor; font: 13px system-ui, sans-serif; }
.beware { border-left: .3rem solid #d55e00; padding-left: 1rem; }
pre { overflow-x: auto; background: #8882; padding: .7rem; }
"""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list; `beware` marks what must not be overlooked."""

    texts: Sequence[str]
    beware: bool = False


@dataclass(frozen=True)
class Code:
    """Lines to copy, as they are."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table with its index; `shaded`: a cell is darker the larger its share."""

    frame: pd.DataFrame
    caption: str = ""
    shaded: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing (SVG of our own making) and what it shows in words."""

    svg: str
    alt: str


Block = Heading | Words | Items | Code | Table | Picture


# ------------------------------------------------------------------- Markdown
def to_markdown(blocks: Sequence[Block]) -> str:
    """Write blocks as Markdown; a picture is told in words."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_plain(block.text)}"
    if isinstance(block, Words):
        return _plain(block.text)
    if isinstance(block, Items):
        mark = "**Beware:** " if block.beware else ""
        return "\n".join(f"- {mark}{_plain(text)}" for text in block.texts)
    if isinstance(block, Code):
        return f"```\n{block.text}\n```"
    if isinstance(block, Picture):
        return _plain(block.alt)
    lines = [f"| {' | '.join(map(_plain, row))} |" for row in _cells(block.frame)]
    lines.insert(1, f"|{' --- |' * (block.frame.shape[1] + 1)}")
    caption = [_plain(block.caption), ""] if block.caption else []
    return "\n".join([*caption, *lines])


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    corner = frame.index.name or ""
    if frame.columns.name:
        corner = f"{corner} / {frame.columns.name}"
    head = [corner, *map(str, frame.columns)]
    rows = zip(frame.index, frame.itertuples(index=False))
    return [head, *([str(name), *map(_shown, row)] for name, row in rows)]


def _shown(value) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:.3f}"
    return str(value)


# ----------------------------------------------------------------------- HTML
def to_html(blocks: Sequence[Block], title: str) -> str:
    """Write blocks as one page that needs no other file and asks nobody."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{html.escape(block.text)}</h{block.level}>"
    if isinstance(block, Words):
        return f"<p>{html.escape(block.text)}</p>"
    if isinstance(block, Items):
        mark = ' class="beware"' if block.beware else ""
        lines = "\n".join(f"<li>{html.escape(text)}</li>" for text in block.texts)
        return f"<ul{mark}>\n{lines}\n</ul>"
    if isinstance(block, Code):
        return f"<pre>{html.escape(block.text)}</pre>"
    if isinstance(block, Picture):
        alt = html.escape(block.alt, quote=True)
        return f'<figure role="img" aria-label="{alt}">{block.svg}</figure>'
    return _html_table(block)


def _html_table(block: Table) -> str:
    head, *rows = _cells(block.frame)
    values = block.frame.to_numpy()
    lines = ["<tr>" + "".join(f'<th scope="col">{_safe(c)}</th>' for c in head)]
    for place, (name, *cells) in enumerate(rows):
        total = sum(values[place]) if block.shaded else 0
        line = f'<tr><th scope="row">{_safe(name)}</th>'
        for column, cell in enumerate(cells):
            value = values[place, column]
            words = ' class="words"' if isinstance(value, str) else ""
            share = value / total if total else 0
            # At most half, so that the number stays readable, light or dark.
            blue = f' style="background:rgb(0 114 178 / {share / 2:.0%})"'
            shade = blue if share else ""
            line += f"<td{words}{shade}>{_safe(cell)}</td>"
        lines.append(line)
    caption = f"<caption>{_safe(block.caption)}</caption>" if block.caption else ""
    body = "\n".join(f"{line}</tr>" for line in lines)
    return f"<table>{caption}\n{body}\n</table>"


def _safe(text: str) -> str:
    return f"<bdi>{html.escape(str(text))}</bdi>"
