"""Draw docs/course.svg, the README's picture, from what the lessons say of themselves.

    python docs/draw_course.py

One box a lesson, in reading order, and a last one for the reader's own data.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
DRAWING = ROOT / "docs" / "course.svg"

ACROSS, WIDTH, HEIGHT, GAP, MARGIN = 4, 196, 58, 32, 18
STYLE = """
.page { fill: #ffffff; } .box { fill: #e8f1fa; stroke: #2f6ea5; }
.own { fill: #fbeee2; stroke: #b3541e; }
text { fill: #1c2733; font: 14px system-ui, sans-serif; text-anchor: middle; }
.number { font-weight: 600; } .line { stroke: #5b6875; fill: none; stroke-width: 1.5; }
.tip { fill: #5b6875; }
@media (prefers-color-scheme: dark) {
  .page { fill: #14191f; } .box { fill: #1f3346; stroke: #7db4e6; }
  .own { fill: #41291a; stroke: #f0a06a; } text { fill: #e6edf3; }
  .line { stroke: #97a3af; } .tip { fill: #97a3af; }
}
"""


def steps() -> list[tuple[str, str]]:
    """Name the boxes in reading order: number and title."""
    from distill_helpers.lessons import parts

    lessons = [(facts.key, facts.title) for facts in parts.lessons()]
    return [*lessons, ("yours", "your own data")]


def draw(boxes: list[tuple[str, str]]) -> str:
    """Write the drawing.

    Parameters
    ----------
    boxes : list of tuple of str
        Number and title of each box; the last is the reader's own data.

    Returns
    -------
    str
        SVG, rows read from left to right.
    """
    rows = -(-len(boxes) // ACROSS)
    width = 2 * MARGIN + ACROSS * WIDTH + (ACROSS - 1) * GAP
    height = 2 * MARGIN + rows * HEIGHT + (rows - 1) * GAP
    named = escape(", ".join(title for _, title in boxes))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' role="img" aria-labelledby="title">',
        f'<title id="title">The course: {named}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}" rx="8"/>',
    ]
    for place, (number, title) in enumerate(boxes):
        row, column = divmod(place, ACROSS)
        x, y = MARGIN + column * (WIDTH + GAP), MARGIN + row * (HEIGHT + GAP)
        last = place == len(boxes) - 1
        kind, middle = "own" if last else "box", x + WIDTH // 2
        lines += [
            f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}"'
            ' rx="6"/>',
            f'<text class="number" x="{middle}" y="{y + 24}">{escape(number)}</text>',
            f'<text x="{middle}" y="{y + 44}">{escape(title)}</text>',
        ]
        if not last:
            lines += _arrow(x, y, column)
    return "\n".join([*lines, "</svg>", ""])


def _arrow(x: int, y: int, column: int) -> list[str]:
    """Lead from a box to the next: to the right, or round to the next row's first."""
    if column < ACROSS - 1:
        end, level = x + WIDTH + GAP, y + HEIGHT // 2
        way = f"M{x + WIDTH} {level}H{end - 8}"
        return _line(way, f"M{end} {level}l-9 -5v10z")
    bend, end = y + HEIGHT + GAP // 2, y + HEIGHT + GAP
    first = MARGIN + WIDTH // 2
    way = f"M{x + WIDTH // 2} {y + HEIGHT}V{bend}H{first}V{end - 8}"
    return _line(way, f"M{first} {end}l-5 -9h10z")


def _line(way: str, tip: str) -> list[str]:
    return [f'<path class="line" d="{way}"/>', f'<path class="tip" d="{tip}"/>']


def drawing() -> str:
    """Give the drawing of the lessons as they are now."""
    return draw(steps())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    DRAWING.write_text(drawing(), "utf-8")
    print("drawn", DRAWING.relative_to(ROOT))
