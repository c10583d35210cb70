"""Draw docs/architecture.svg from the imports themselves.

    python docs/draw_architecture.py

The order of the rooms is the contract in pyproject.toml; which room imports which
is read from the source. A room stands on those that it may import, so that every
dot lies to the upper left of the boxes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import grimp

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "distill_helpers"
DRAWING = ROOT / "docs" / "architecture.svg"
BASE = "base modules"

STEP, ROW, WIDTH, HEIGHT, MARGIN = 72, 46, 112, 30, 20
STYLE = """
.page { fill: #ffffff; } .box { fill: #e8f1fa; stroke: #2f6ea5; }
text { fill: #1c2733; font: 14px system-ui, sans-serif; text-anchor: middle; }
.note { font-size: 13px; text-anchor: start; }
.line { stroke: #b3bcc6; fill: none; } .dot { fill: #b3541e; }
@media (prefers-color-scheme: dark) {
  .page { fill: #14191f; } .box { fill: #1f3346; stroke: #7db4e6; }
  text { fill: #e6edf3; } .line { stroke: #55606c; } .dot { fill: #f0a06a; }
}
"""


def rooms() -> list[str]:
    """Name the rooms from bottom to top; the base modules count as one."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["id"] == "layers")
    return [BASE, *(name for name in reversed(layers) if name.isidentifier())][:-1]


def imports(order: list[str]) -> set[tuple[str, str]]:
    """Find which room imports which: pairs of importer and imported."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)

    def room(module: str) -> str:
        name = (module.split(".") + [""])[1]
        return name if name in order else BASE

    pairs = {
        (room(module), room(imported))
        for module in graph.modules
        if module not in (PACKAGE, f"{PACKAGE}.__main__")
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return {(one, other) for one, other in pairs if one != other}


def draw(order: list[str], pairs: set[tuple[str, str]]) -> str:
    """Write the drawing.

    Parameters
    ----------
    order : list of str
        The rooms, from bottom to top.
    pairs : set of tuple of str
        Importer and imported.

    Returns
    -------
    str
        SVG.
    """
    left = {name: MARGIN + STEP * place for place, name in enumerate(order)}
    top = {name: MARGIN + ROW * place for place, name in enumerate(reversed(order))}
    column = {name: x + WIDTH // 2 for name, x in left.items()}
    middle = {name: y + HEIGHT // 2 for name, y in top.items()}
    width = left[order[-1]] + WIDTH + MARGIN
    height = top[order[0]] + HEIGHT + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' role="img" aria-labelledby="title">',
        f'<title id="title">Which room of {PACKAGE} imports which</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}" rx="8"/>',
    ]
    for name in order:
        used = [other for one, other in pairs if one == name]
        if used:
            start = min(column[other] for other in used)
            lines.append(
                f'<path class="line" d="M{left[name]} {middle[name]}H{start}"/>'
            )
        users = [one for one, other in pairs if other == name]
        if users:
            end = min(middle[one] for one in users)
            lines.append(f'<path class="line" d="M{column[name]} {top[name]}V{end}"/>')
    for one, other in sorted(pairs, key=lambda p: (order.index(p[0]), p[1])):
        lines.append(
            f'<circle class="dot" cx="{column[other]}" cy="{middle[one]}" r="5">'
            f"<title>{one} imports {other}</title></circle>"
        )
    for name in order:
        lines.append(
            f'<rect class="box" x="{left[name]}" y="{top[name]}" width="{WIDTH}"'
            f' height="{HEIGHT}" rx="5"/>'
            f'<text x="{column[name]}" y="{middle[name] + 5}">{name}</text>'
        )
    note = width // 2 + STEP
    words = (
        "A dot: the room to its right imports the room below it.",
        "None lies on this side of the stairs: no room looks up.",
    )
    for place, line in enumerate(words):
        y = height - MARGIN - HEIGHT + 20 * place
        lines.append(f'<text class="note" x="{note}" y="{y}">{line}</text>')
    return "\n".join([*lines, "</svg>", ""])


def drawing() -> str:
    """Give the drawing of the source as it is now."""
    order = rooms()
    return draw(order, imports(order))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    DRAWING.write_text(drawing(), "utf-8")
    print("drawn", DRAWING.relative_to(ROOT))
