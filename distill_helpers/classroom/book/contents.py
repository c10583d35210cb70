"""The book's order: found from its folders, so a new lesson is in it at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FIRST = ("lessons", "student", "claims", "docs/README", "api/index")
NAMES = {"zh": "中文"}
"""What a language calls itself."""
LESSONS = """# Lessons

As they stand in the notebooks, with the outputs of the runs that are stored there. To
work on one, [set the kit up](docs/ways_in.md), or open it elsewhere by the buttons
above it.

"""


def add_contents(text: str, pages: Sequence[str], hidden: bool = True) -> str:
    """Add a list of contents to a page.

    Parameters
    ----------
    text : str
        Markdown.
    pages : sequence of str
        Their places in the book, without an ending.
    hidden : bool, default True
        Show it at the side of the book alone.

    Returns
    -------
    str

    Examples
    --------
    >>> print(add_contents("# A", ["b", "c/d"]), end="")
    # A
    <BLANKLINE>
    ```{toctree}
    :hidden:
    <BLANKLINE>
    /b
    /c/d
    ```
    """
    options = [":hidden:"] if hidden else [":maxdepth: 1"]
    lines = ["```{toctree}", *options, "", *(f"/{page}" for page in pages), "```"]
    return text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def language_of(page: str) -> str:
    """Return the language of a page's name, which is empty for English.

    Examples
    --------
    >>> [language_of(p) for p in ("docs/a", "docs/a.zh", "notebooks/zh/01_a", "zh")]
    ['', 'zh', 'zh', 'zh']
    """
    *folders, name = page.split("/")
    if len(folders) > 1:
        return folders[1]
    stem, _, ending = name.rpartition(".")
    return ending if len(ending) == 2 and (stem or not folders) else ""


def add_all_contents(folder: Path, notebooks: Sequence[str]) -> None:
    """Add the lists of contents to what was gathered.

    Parameters
    ----------
    folder : Path
        From :func:`~distill_helpers.classroom.book.sources.gather`, with the pages
        that are made.
    notebooks : sequence of str
        In their order.
    """
    lessons = [name.removesuffix(".ipynb") for name in notebooks]
    found = (p.relative_to(folder).as_posix() for p in folder.glob("docs/**/*.md"))
    aids = sorted(name.removesuffix(".md") for name in found)
    own = [page for page in lessons if not language_of(page)]
    listed = add_contents(LESSONS, own, hidden=False)
    (folder / "lessons.md").write_text(listed, "utf-8")
    rest = [page for page in aids if not language_of(page) and page != "docs/README"]
    _append(folder / "docs" / "README.md", rest)
    others = sorted({language_of(page) for page in [*lessons, *aids]} - {""})
    for language in others:
        path = folder / f"{language}.md"
        theirs = [p for p in [*lessons, *aids] if language_of(p) == language]
        if path.is_file():
            _append(path, theirs)
        else:
            title = f"# {NAMES.get(language, language)}\n"
            path.write_text(add_contents(title, theirs, hidden=False), "utf-8")
    _append(folder / "index.md", [*FIRST, *others])


def _append(path: Path, pages: Sequence[str]) -> None:
    path.write_text(add_contents(path.read_text("utf-8"), pages), "utf-8")
