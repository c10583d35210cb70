"""What Sphinx reads: the project's notebooks and pages, made ready for a book.

All lies as it lies in the project, so links between pages hold. What changes is
written in copies; nothing of the project is touched.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from .contents import language_of
from .glossary import as_page
from .links import BookError, Links

_log = logging.getLogger(__name__)
FRONT = "README.md"
_GLOSSARY = re.compile(r"docs/glossary(\.\w\w)?\.md")
_LOCAL = re.compile(r'<iframe\b[^>]*\bsrc="http://127\.0\.0\.1:')
_BAR = re.compile(r"<progress\b.*?</progress>", re.S)
_ROW = re.compile(r"^\| `(notebooks/[\w/]+\.ipynb)` \|", re.M)


def notebooks_of(root: Path) -> list[str]:
    """Return the lessons, the notebook for own data, and the appendices, in order.

    Those of another language stand in a folder of ``notebooks/`` and come last.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp(), "notebooks")
    >>> (folder / "zh").mkdir(parents=True)
    >>> for name in ("zh/00_a", "appendix_b", "own_data", "10_c", "02_d"):
    ...     folder.joinpath(f"{name}.ipynb").touch()
    >>> [name.removeprefix("notebooks/") for name in notebooks_of(folder.parent)]
    ['02_d.ipynb', '10_c.ipynb', 'own_data.ipynb', 'appendix_b.ipynb', 'zh/00_a.ipynb']
    """
    folder = root / "notebooks"
    found = [*folder.glob("*.ipynb"), *folder.glob("[a-z][a-z]/*.ipynb")]
    names = [path.relative_to(root).as_posix() for path in found]
    return sorted(names, key=lambda name: (name.count("/"), _group(name), name))


def _group(name: str) -> int:
    stem = name.rpartition("/")[2]
    return 0 if stem[:2].isdigit() else 2 if stem.startswith("appendix") else 1


def shown_notebooks(root: Path) -> list[str]:
    """Return the notebooks that the book shows.

    A translation that has not been run yet has nothing to show. It is left out, and
    a warning names it; of the lessons themselves each must have been run.
    """
    names = notebooks_of(root)
    waiting = [name for name in names if language_of(name) and _waits(root / name)]
    if waiting:
        _log.warning("left out, as they were never run: %s", ", ".join(waiting))
    return [name for name in names if name not in waiting]


def _waits(path: Path) -> bool:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return any(cell.get("execution_count", 1) is None for cell in cells)


def pages_of(root: Path) -> list[str]:
    """Return the reading aids: ``docs/`` and its folders of other languages."""
    docs = root / "docs"
    found = [*docs.glob("*.md"), *docs.glob("[a-z][a-z]/*.md")]
    found += root.glob("README*.md")
    return sorted(path.relative_to(root).as_posix() for path in found)


def moved_pages(pages: Iterable[str]) -> dict[str, str]:
    """Return the pages that have another place in the book: the front ones.

    Examples
    --------
    >>> moved_pages(["README.md", "README.zh.md", "docs/README.md"])
    {'README.md': 'index.md', 'README.zh.md': 'zh.md'}
    """
    front = [page for page in pages if re.fullmatch(r"README(\.\w+)?\.md", page)]
    return {
        page: "index.md" if page == FRONT else page.removeprefix("README.")
        for page in front
    }


def gather(root: Path, folder: Path, repository: str = "") -> list[str]:
    """Lay the project's notebooks and pages into a folder, ready for Sphinx.

    Parameters
    ----------
    root : Path
        A clone of the project.
    folder : Path
        Filled.
    repository : str
        The project's address; empty if there is none.

    Returns
    -------
    list of str
        The places of the notebooks, in order.

    Raises
    ------
    BookError
        If a link leads to nothing, a picture has no words, or a lesson was never
        run.
    """
    notebooks, pages = shown_notebooks(root), pages_of(root)
    drawings = [p.relative_to(root).as_posix() for p in root.glob("docs/*.svg")]
    moved = moved_pages(pages)
    links = Links({*notebooks, *pages, *drawings}, root, repository, moved)
    for name in drawings:
        _copy(root / name, folder / name)
    for name in pages:
        text = linked_lessons((root / name).read_text("utf-8"), notebooks)
        text = links.repaired(text, name)
        if _GLOSSARY.fullmatch(name):
            text = as_page(text)
        _write(folder / moved.get(name, name), text)
    for name in notebooks:
        book = json.loads((root / name).read_text("utf-8"))
        _write(folder / name, json.dumps(prepared(book, name, links), indent=1))
    return notebooks


def _copy(path: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def linked_lessons(text: str, notebooks: Sequence[str]) -> str:
    """Let the front page's rows lead to their lessons.

    Examples
    --------
    >>> linked_lessons("| `notebooks/01_a.ipynb` | see it |", ["notebooks/01_a.ipynb"])
    '| [`01_a`](notebooks/01_a.ipynb) | see it |'
    """

    def one(row: re.Match) -> str:
        if row[1] not in notebooks:
            return row[0]
        return f"| [`{Path(row[1]).stem}`]({row[1]}) |"

    return _ROW.sub(one, text)


# ----------------------------------------------------------------- notebooks
def prepared(notebook: dict, name: str, links: Links) -> dict:
    """Return a notebook with its links mended and its pictures in words.

    Parameters
    ----------
    notebook : dict
        As in its file; not changed.
    name : str
        Its place in the project.
    links : Links

    Returns
    -------
    dict

    Raises
    ------
    BookError
        As :func:`gather`.
    """
    cells = [_cell(cell, name, links) for cell in notebook["cells"]]
    return notebook | {"cells": cells}


def _cell(cell: dict, name: str, links: Links) -> dict:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return cell | {"source": links.repaired(source, name)}
    if cell["cell_type"] != "code":
        return cell
    if cell["execution_count"] is None:
        raise BookError(f"{name} has a cell that was never run: {source[:60]!r}")
    outputs = [_output(output, name) for output in cell["outputs"]]
    metadata = cell["metadata"] | _picture(outputs, name)
    return cell | {"source": source, "outputs": outputs, "metadata": metadata}


def _html(output: dict) -> str:
    return "".join(output.get("data", {}).get("text/html", ""))


def _output(output: dict, name: str) -> dict:
    """Return an output without what has no meaning after its run.

    That is a bar at its end, beside which stand words, and a page that only the
    lesson's own machine served.
    """
    html = _html(output)
    if _BAR.search(html):
        data = output["data"] | {"text/html": _BAR.sub("", html)}
        return output | {"data": data}
    if not _LOCAL.search(html):
        return output
    up = "../" * name.count("/")
    told = "<p>Here the lesson shows its page. In this book it stands under"
    told += f' <a href="{up}student.html">Ask a student</a>.</p>'
    return output | {"data": {"text/html": told, "text/plain": "a page"}}


def _picture(outputs: Sequence[dict], name: str) -> dict:
    """Return what tells MyST-NB a picture's words, which Jupyter keeps elsewhere."""
    shown = [o for o in outputs if "image/png" in o.get("data", {})]
    words = [o.get("metadata", {}).get("image/png", {}).get("alt") for o in shown]
    if not all(words) or len(set(words)) > 1:
        raise BookError(
            f"{name}: each picture of a cell needs the same words for those who do not"
            f" see it, got {words}"
        )
    if not words:
        return {}
    width = shown[0]["metadata"]["image/png"].get("width")
    image = {"alt": words[0]} | ({"width": f"{width}px"} if width else {})
    return {"mystnb": {"image": image}}


def escape_words(text: str) -> str:
    """Let a plain text stand in Markdown as it is.

    Examples
    --------
    >>> print(escape_words("a_b | *c*"))
    a\\_b \\| \\*c\\*
    """
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", text)
