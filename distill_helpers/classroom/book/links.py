"""Links of the project's own pages, as they must read in the book.

On a code host a link leads to a file. In the book some of these files are pages,
and the others stay where the project is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from urllib.parse import unquote

PLACEHOLDER = "OWNER/REPOSITORY"
"""Stands in ``docs/ways_in.md`` until the project has an address."""
_CODE = re.compile(r"^ *(```|~~~)[^\n]*\n.*?^ *\1[^\n]*$|(`+)[^`].*?\2", re.M | re.S)
_LINK = re.compile(
    r"(?P<picture>!?)\[(?P<words>(?:[^][]|\[[^][]*\](?:\([^()\s]*\))?)*)\]"
    r"\(\s*(?P<target>[^()\s]+)\s*\)"
)
_TWICE = re.compile(r"(`([^`\n]+)`) \(`\2` of the project\)")
"""A link whose words are the file's own place says it once."""


class BookError(ValueError):
    """What the book is made of does not fit together."""


def check_repository(name: str) -> str:
    """Return a repository's name unless it cannot be one.

    Raises
    ------
    BookError
        If it is not an owner and a name.

    Examples
    --------
    >>> check_repository("ada/kit")
    'ada/kit'
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*/[\w.-]+", name) or name == PLACEHOLDER:
        raise BookError(
            f"repository must be an owner and a name, such as 'ada/kit', got {name!r}"
        )
    return name


def slug(heading: str) -> str:
    """Return a heading's anchor, as code hosts make it.

    Examples
    --------
    >>> slug("`start.py`, the short way")
    'startpy-the-short-way'
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@dataclass(frozen=True)
class Links:
    """What the links of a page may lead to.

    Attributes
    ----------
    pages : collection of str
        The pages of the book and the pictures beside them, by their place in the
        project, such as ``"docs/glossary.md"``.
    root : Path
        The project.
    repository : str
        Its address; empty if there is none yet.
    moved : mapping of str to str
        Pages that have another place in the book.
    """

    pages: Collection[str]
    root: Path
    repository: str = ""
    moved: Mapping[str, str] = field(default_factory=dict)

    def repaired(self, text: str, page: str) -> str:
        """Return a page's Markdown with links that hold in the book.

        Parameters
        ----------
        text : str
        page : str
            Its place in the project, such as ``"docs/README.md"``.

        Returns
        -------
        str
            Code stays as it is.

        Raises
        ------
        BookError
            If a link leads to nothing.
        """
        read = outside_code(text, lambda part: self._repaired(part, page))
        return _TWICE.sub(r"\1", read)

    def _repaired(self, text: str, page: str) -> str:
        def one(found: re.Match) -> str:
            words = self._repaired(found["words"], page)
            target = self._target(found["target"], page)
            if target is None:
                return f"{words} (`{unquote(found['target'])}` of the project)"
            return f"{found['picture']}[{words}]({target})"

        return _LINK.sub(one, text)

    def _target(self, target: str, page: str) -> str | None:
        """Return where a link leads in the book; None if nowhere yet."""
        if re.match(r"[a-z]+:", target):
            return target
        file, _, anchor = unquote(target).partition("#")
        anchor = anchor and f"#{slug(anchor)}"
        if not file:
            return anchor
        folder = PurePosixPath(page).parent.as_posix()
        where = normpath(f"{folder}/{file}")
        if where in self.pages:
            here = PurePosixPath(self.moved.get(page, page)).parent.as_posix()
            return relpath(self.moved.get(where, where), here) + anchor
        if where.startswith("..") or not (self.root / where).exists():
            raise BookError(f"{page} has a link to {target!r}, which is not there")
        kind = "tree" if (self.root / where).is_dir() else "blob"
        host = f"https://github.com/{self.repository}/{kind}/main/"
        return f"{host}{where}" if self.repository else None


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change a page's Markdown, but not what stands in code.

    Examples
    --------
    >>> outside_code("a `a` a", str.upper)
    'A `a` A'
    """
    kept = []

    def put_aside(code: re.Match) -> str:
        kept.append(code[0])
        return f"\0{len(kept) - 1}\0"

    changed = change(_CODE.sub(put_aside, text))
    return re.sub("\0(\\d+)\0", lambda place: kept[int(place[1])], changed)
