"""The page of the book on which the stored student answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ...evaluation.comparison import Runs, compare_runs

PLACE, BEST = "data/page_student", "data/results/best_small_student_imdb.json"
"""Where the student lies in the project, and what the best one reached."""
CARD = "card.json"


def student_page(root: Path) -> str:
    """Write the page; its numbers come from the student's card and a stored run.

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
        If the student or the results are missing.
    """
    card = json.loads((root / PLACE / CARD).read_text("utf-8"))
    best = json.loads((root / BEST).read_text("utf-8"))
    return "\n".join([_ASK, what_answers(card), _at_its_best(best), _HOW])


def what_answers(card: Mapping) -> str:
    """Say what the stored student is and what its teacher was worth.

    Parameters
    ----------
    card : mapping
        As ``docs/make_page_student.py`` writes it.

    Returns
    -------
    str
    """
    test, teacher, reviews = card["test"], card["teacher"], card["reviews"]
    gain = compare_runs(
        Runs("taught", dict(enumerate(test["every seed"]))),
        Runs("control", dict(enumerate(test["control, every seed"]))),
    )
    return f"""## What answers here

A bigram student, made from {reviews["labelled"]:,} labelled and
{reviews["unlabelled"]:,} unlabelled reviews of our own by the answers of the kit's
teacher (`{card["made by"]}`). Model and words are {card["bytes"] / 1e6:.2f} MB, one part
in {teacher["bytes"] / card["bytes"]:.0f} of the teacher's {teacher["bytes"] / 1e6:.0f} MB.

| | right, of {test["examples"]:,} test reviews |
| --- | --- |
| the file that answers here | {test["accuracy"]:.3f} |
| its teacher | {teacher["accuracy"]:.3f} |

The control is the same student with the same steps, taught by the labels alone. Over
{len(gain.gains)} seeds the teacher's answers were worth {gain.in_points()}:
{gain.verdict}.
"""


def _at_its_best(best: Mapping) -> str:
    (row,) = best["rows"]
    return f"""The [best small student](notebooks/appendix_best_small_student.ipynb) of
this project stands in {row["cost"]["bytes_on_disk"]:,} bytes and gets
{row["accuracy"]["mean"]:.3f} of {row["examples"]:,} test reviews of IMDB right. Of it
the project keeps the results and not the file, and only Python reads such a file: what
answers above is the student that our own reviews can make and a browser can run.
"""


_ASK = """# Ask a student

Write what you thought of a film. The student answers on your device: your text goes
nowhere, and once the page is loaded, no network is needed.

```{raw} html
<iframe class="student" src="student/index.html"
 title="A student that reads film reviews, in your browser"></iframe>
```

The words that moved it most are marked below its verdict.
[Lesson 06](notebooks/06_edge_export.ipynb) makes such a page, and
[your own data](docs/own_data.md) fills one with your labels. The student has read
reviews of films and nothing else: of a sonnet or an invoice its verdict means nothing.
"""
_HOW = """If the frame stays empty, the book was opened as a file: browsers let a page
load a model only from a server. In the folder of the book,

    python -m http.server

is one; the address that it prints opens the book.
"""
