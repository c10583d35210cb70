"""A number in a lesson's prose is one that no run can make false.

Whatever a run measures is printed by a cell. What stands in the text must be in the
lesson's ``lesson.toml`` (its table ``prose``) with the reason why it stays true (a
definition, a published figure, a claim that is judged), or be printed by that very
notebook.
"""

import re

import nbformat
import pytest

from distill_helpers.lessons import parts
from distill_helpers.places import NOTEBOOKS as FOLDER

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LEDGER = {f.notebook: f.prose for f in parts.lessons() + parts.appendices()}
NUMBER = re.compile(
    r"(?<![\w./:])(?:\d{1,3}(?:,\d{3})+|\d*\.\d+|\d+)"
    r"(?:\s?(?:%|percent|points?|seconds?|minutes?|hours?|MB|GB|ms|times|x\b|million))?"
)
# No figures: links, code, preprints' numbers, formulas, headings.
ASIDE = re.compile(r"\[[^\]]*\]\([^)]*\)|`[^`]*`|arXiv:[\d.]+|\$[^$]*\$|^#+ .*$", re.M)
PLAIN = re.compile(r"(19|20)\d\d|0?\d")  # years, lessons, sections, small counts


def numbers_in(text):
    """Return the figures of a text, without what cannot be measured."""
    found = (" ".join(m.group().split()) for m in NUMBER.finditer(ASIDE.sub("", text)))
    return [number for number in found if not PLAIN.fullmatch(number)]


def figures(notebook):
    """Return the figures of a notebook's prose, and what its cells printed."""
    cells = nbformat.read(notebook, as_version=4).cells
    prose = [
        n for c in cells if c.cell_type == "markdown" for n in numbers_in(c.source)
    ]
    outputs = [o for c in cells if c.cell_type == "code" for o in c.outputs]
    printed = "\n".join(
        o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs
    )
    return prose, printed


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_of_the_prose_is_accounted_for(notebook):
    known = LEDGER[notebook.stem]
    prose, printed = figures(notebook)
    loose = [n for n in prose if n not in known and n not in printed]
    assert loose == []


def test_the_ledger_holds_nothing_that_no_prose_says():
    for name, known in LEDGER.items():
        prose, _ = figures(FOLDER / f"{name}.ipynb")
        assert set(known) <= set(prose), name
        assert all(known.values()), name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It reached .925 in 32 minutes.", [".925", "32 minutes"]),
        ("Hinton (2015, arXiv:1503.02531), lesson 03, section 7", []),
        ("`x = 0.5`, $T^2$ and [40 MB](there.md)", []),
        ("3.97x smaller, 2 MB, 12% and 7", ["3.97x", "2 MB", "12%"]),
    ],
)
def test_figures_are_told_from_names(text, expected):
    assert numbers_in(text) == expected
