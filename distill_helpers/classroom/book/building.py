"""From the project to the finished site.

The pages are gathered into a folder of their own, Sphinx makes a site of them, the
student's page is laid into it, and the whole is held against what it promises. Only
then does it take the place of an earlier one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ...export.browser import to_browser
from ...files import whole_folder
from ...lessons.claims import register
from ...places import NO_CLONE, PROJECT
from .checking import check_site
from .claims_page import claims_page, judged_in_notebook, judged_in_results
from .contents import add_all_contents, language_of
from .glossary import glossaries_of, read_glossary
from .launching import launch_addresses, repository_of
from .links import BookError, check_repository
from .reference import reference_pages
from .sources import gather
from .student_page import PLACE, student_page

NEEDED = ("sphinx", "myst_nb", "numpydoc", "pydata_sphinx_theme")
EPOCH = "1767225600"
"""The date of every file, as dates would make two equal books differ."""
MARK = "objects.inv"
"""What Sphinx writes into each site that it makes."""


def check_needs(root: Path) -> None:
    """Say what is missing before anything is done.

    Raises
    ------
    BookError
        If there is no clone, or what makes the pages is not installed.
    """
    if not (root / "docs" / "book" / "conf.py").is_file():
        raise BookError(f"there is nothing to make a book of: {NO_CLONE}")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BookError(
            f"{', '.join(missing)} must be installed to make the book: call"
            " 'python start.py book', which does it, or 'pip install"
            ' "distill-helpers[book]"\' (Python 3.11 or newer)'
        )


def build_book(
    folder: str | Path,
    *,
    root: Path = PROJECT,
    repository: str = "",
) -> Path:
    """Make the site.

    Parameters
    ----------
    folder : str or Path
        Where it goes; an earlier book there is replaced, anything else is not.
    root : Path
        A clone of the project.
    repository : str, optional
        The project's address, such as ``"ada/kit"``; by default the one of
        ``docs/ways_in.md``.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    BookError
        If something is missing, the pages do not fit together, or the site does not
        keep its promises; an earlier book stays then.
    FileExistsError
        If the folder holds something else than a book.
    """
    folder = Path(folder)
    check_needs(root)
    _check_place(folder)
    ways_in = (root / "docs" / "ways_in.md").read_text("utf-8")
    if repository:
        check_repository(repository)
    repository = repository or repository_of(ways_in)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".book-", dir=folder.parent) as work:
        sources, site = Path(work, "sources"), Path(work, "site")
        write_sources(root, sources, repository)
        settings = {
            "launch": launch_addresses(ways_in, repository),
            "generated": str(sources / "_generated"),
        }
        run_sphinx(root / "docs" / "book", sources, site, settings)
        to_browser(root / PLACE, site / "student", threshold=0.7)
        faults = check_site(site)
        if faults:
            listed = "\n".join(faults)
            raise BookError(f"the book does not hold together:\n{listed}")
        _replace(folder, site)
    return folder


def _check_place(folder: Path) -> None:
    if folder.exists() and not (folder / MARK).is_file():
        if not folder.is_dir() or any(folder.iterdir()):
            raise FileExistsError(
                f"{str(folder)!r} holds something else than a book; name another folder"
            )


def _replace(folder: Path, site: Path) -> None:
    """Let a finished site take the place of an earlier one."""
    if folder.exists():
        shutil.rmtree(folder)
    with whole_folder(folder, "folder for the book") as made:
        made.rmdir()
        os.replace(site, made)


def write_sources(root: Path, folder: Path, repository: str) -> None:
    """Lay everything that Sphinx reads into a folder.

    Raises
    ------
    BookError
        As :func:`~distill_helpers.classroom.book.sources.gather` and those who
        write its pages.
    """
    notebooks = gather(root, folder, repository)
    stored = {n: json.loads((root / n).read_text("utf-8")) for n in notebooks}
    english = [name for name in notebooks if not language_of(name)]
    judged = [one for name in english for one in judged_in_notebook(stored[name], name)]
    judged += judged_in_results(root / "data" / "results")
    titles = {name: title_of(book) for name, book in stored.items()}
    pages = {
        "claims.md": claims_page(register(), judged, titles),
        "student.md": student_page(root),
        **reference_pages(root / "distill_helpers"),
    }
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    add_all_contents(folder, notebooks)
    generated = folder / "_generated"
    generated.mkdir()
    meanings = {
        language: {e.anchor: e.meaning for e in read_glossary(path.read_text("utf-8"))}
        for language, path in glossaries_of(root / "docs").items()
    }
    script = f"window.bookTerms = {json.dumps(meanings, ensure_ascii=False)};\n"
    (generated / "meanings.js").write_text(script, "utf-8")


def title_of(notebook: dict) -> str:
    """Return a notebook's first heading.

    Examples
    --------
    >>> title_of({"cells": [{"source": ["# 01 Look\\n", "\\n", "Words."]}]})
    '01 Look'
    """
    return "".join(notebook["cells"][0]["source"]).split("\n")[0].lstrip("# ")


def run_sphinx(conf: Path, sources: Path, site: Path, settings: dict) -> None:
    """Let Sphinx make the pages; a warning counts as an error.

    Raises
    ------
    BookError
        If it does; the message is its own.
    """
    words = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"]
    words += ["-c", conf, "-d", sources.with_name("doctrees"), sources, site]
    environment = os.environ | {
        "DISTILL_BOOK": json.dumps(settings),
        "HF_HUB_OFFLINE": "1",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": EPOCH,
    }
    done = subprocess.run(
        [str(word) for word in words],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        said = (done.stderr or done.stdout).replace(f"{sources}{os.sep}", "")
        raise BookError(f"Sphinx could not make the pages:\n{said.strip()}")
    for left in (".buildinfo", "_static/webpack-macros.html"):  # of no use in a site
        (site / left).unlink(missing_ok=True)
