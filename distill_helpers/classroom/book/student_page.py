"""The page of the book on which the best small student answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

PLACE = "data/best_small_student/student.safetensors"
"""Where the student lies in the project."""
BEST, SPEED = (
    "data/results/best_small_student_imdb.json",
    "data/results/best_small_student_page.json",
)
"""How good it is, and how long it takes in a page."""
TEACHER = "data/teacher.json"
BYTES_A_WEIGHT = 4


def student_page(root: Path) -> str:
    """Write the page; its numbers come from stored runs and the teacher's card.

    Parameters
    ----------
    root : Path
        A clone of the project.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    FileNotFoundError
        If the results or the card are missing.
    """
    best, speed, teacher = (
        json.loads((root / name).read_text("utf-8")) for name in (BEST, SPEED, TEACHER)
    )
    words = _what_answers(best, teacher, speed["sample"])
    return "\n".join([_ASK, words, _how_long(speed), _HOW])


def _what_answers(best: Mapping, teacher: Mapping, sample: Mapping) -> str:
    """Say what the student is, how large, and how good beside its teacher."""
    (row,) = best["rows"]
    size, right = row["cost"]["bytes_on_disk"], row["accuracy"]
    weighs = BYTES_A_WEIGHT * teacher["parameters"]
    low, high = right["interval"]
    known = teacher["test"]["imdb"]
    return f"""## What answers here

The [best small student](notebooks/appendix_best_small_student.ipynb) of this project:
a linear model on runs of words beside a text CNN, packed into one file of {size:,} bytes,
one part in {weighs / size:.0f} of the {weighs / 1e6:.0f} MB of the language model that
taught it. It learnt from {best["settings"]["reviews"]:,} reviews of IMDB and that
model's answers to them.

| | right | of so many test reviews |
| --- | --- | --- |
| the file that answers here | {right["mean"]:.3f} | {row["examples"]:,} of IMDB |
| its teacher | {known["accuracy"]:.3f} | {known["examples"]:,} of IMDB |
| the file, far from what it read | {sample["accuracy"]:.3f} | {sample["examples"]:,} \
of the kit's sample |

The 95% interval of the first share, over reviews, is {low:.3f} to {high:.3f}. On
{row["agreement"]["mean"]:.3f} of IMDB's test reviews the file says what its teacher
says. The last row is a warning: the sample's reviews are short and written otherwise,
and a student knows only what it has read.
"""


def _how_long(speed: Mapping) -> str:
    rows = speed["rows"]
    lines = "\n".join(
        f"| {row['page']} | {row['median_ms']:.1f} ms | {row['p90_ms']:.1f} ms |"
        f" {row['bytes']['student'] / 1e6:.2f} MB |"
        f" {(row['bytes']['code'] + row['bytes']['runtime']) / 1e6:.2f} MB |"
        for row in rows
    )
    return f"""## How long it takes, and what you load

| in a page, {rows[0]["texts"]} reviews of the sample | median | nine of ten within | \
student | code that runs it |
| --- | --- | --- | --- | --- |
{lines}

The second row is a student as [lesson 06](notebooks/06_edge_export.ipynb) exports it: a
general runtime reads its file, and can read any other of that format. The packed
student is read by a few hundred lines that can do nothing else. Measured in headless
Chromium on one machine, of each review the quickest of {speed["turns"]} turns; below the
verdict above stands what your own device takes.
"""


_ASK = """# Ask a student

Write what you thought of a film. The student answers on your device: your text goes
nowhere, and once the page is loaded, no network is needed.

```{raw} html
<iframe class="student" src="student/index.html"
 title="A student that reads film reviews, in your browser"></iframe>
```

The words that moved it most are marked below its verdict. The student has read reviews
of films and nothing else: of a sonnet or an invoice its verdict means nothing.
[Your own data](docs/own_data.md) fills such a page with your labels.
"""
_HOW = """If the frame stays empty, the book was opened as a file: browsers let a page
load a model only from a server. In the folder of the book,

    python -m http.server

is one; the address that it prints opens the book.
"""
