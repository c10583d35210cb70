"""Fill the solutions into a lesson, for a teacher or for a test.

``distill-kit key LESSON.ipynb SOLVED.ipynb``
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

from ...arguments import CommandLine
from ...files import fresh_path, whole_file
from .notebook_api import entry_of

EXERCISE_TAG = "exercise"
_ASKED = re.compile(r'^(?:check|predict)\("(?P<key>[^"]+)"', re.MULTILINE)


def asked_for(source: str) -> re.Match:
    """Find the exercise that a cell asks for.

    Parameters
    ----------
    source : str
        Code of a cell tagged ``exercise``.

    Returns
    -------
    Match
        Its group ``key`` names the exercise; it begins where the answer ends.

    Raises
    ------
    ValueError
        If no line of the cell begins with ``check("...`` or ``predict("...``.
    """
    found = _ASKED.search(source)
    if not found:
        raise ValueError(f"no check or predict in the exercise cell {source!r}")
    return found


def solve(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of a lesson with every exercise solved and no outputs.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    NotebookNode

    Raises
    ------
    KeyError
        If a cell asks for an exercise that does not exist.
    """
    solved = copy.deepcopy(notebook)
    for cell in solved.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if EXERCISE_TAG in cell.metadata.get("tags", []):
            found = asked_for(cell.source)
            code = entry_of(found["key"]).code
            gap = "\n\n\n" if code.startswith("def ") else "\n\n"
            cell.source = code + gap + cell.source[found.start() :]
    return solved


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the solved copy of one lesson; never over a file that exists."""
    parser = CommandLine(prog="distill-kit key", description=__doc__)
    parser.add_argument("lesson", type=Path)
    parser.add_argument("solved", type=Path)
    options = parser.parse_args(arguments)
    if not options.lesson.is_file():
        parser.error(f"there is no lesson {str(options.lesson)!r}")
    try:
        target = fresh_path(options.solved)
    except FileExistsError as error:
        parser.error(str(error))
    with whole_file(target) as temporary:
        nbformat.write(solve(nbformat.read(options.lesson, as_version=4)), temporary)
    print(f"written {options.solved}")
    return 0
