"""A finished site, held against its promises: links resolve, nothing is loaded.

Read as files, without a browser. What a page asks for while it runs, a test watches
in a real one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADS = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "input": ("src",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "video": ("src", "poster"),
}
_LOADING_LINKS = {
    "icon",
    "manifest",
    "modulepreload",
    "prefetch",
    "preload",
    "stylesheet",
}
_OUTWARD_HINTS = {"dns-prefetch", "preconnect"}
_IN_CSS = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")


@dataclass
class Page:
    """What a page names.

    Attributes
    ----------
    loads, links : list of str
        Addresses as they are written: those that a browser asks for by itself, and
        those that a reader may follow.
    ids : set of str
        The anchors that it has.
    """

    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = {name: value or "" for name, value in attrs}
        page = self.page
        page.ids |= {given[n] for n in ("id", "name") if given.get(n)}
        for name in _LOADS.get(tag, ()):
            if given.get(name):
                page.loads += _candidates(name, given[name])
        page.loads += in_css(given.get("style", ""))
        if tag == "link":
            kinds = set(given.get("rel", "").lower().split())
            if kinds & (_LOADING_LINKS | _OUTWARD_HINTS):
                page.loads.append(given.get("href", ""))
        elif tag in ("a", "area") and "href" in given:
            page.links.append(given["href"])
        elif tag == "form" and given.get("action"):
            page.links.append(given["action"])
        self.in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.page.loads += in_css(data)


def _candidates(name: str, value: str) -> list[str]:
    """Return the addresses of an attribute; of ``srcset`` there may be several."""
    if name != "srcset":
        return [value]
    return [each.split()[0] for each in value.split(",") if each.strip()]


def in_css(text: str) -> list[str]:
    """Return what a style sheet loads.

    Examples
    --------
    >>> in_css('@import "a.css"; a { background: url(b.png) }')
    ['a.css', 'b.png']
    """
    return [(url or sheet).strip() for url, sheet in _IN_CSS.findall(text)]


def read_page(html: str) -> Page:
    """Read what a page loads, links and can be linked by.

    Examples
    --------
    >>> read_page('<a id="x" href="b.html#y">b</a> <img src="c.png">')
    Page(loads=['c.png'], links=['b.html#y'], ids={'x'})
    """
    reader = _Reader()
    reader.feed(html)
    return reader.page


def _is_outside(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def pages_of_site(folder: Path) -> dict[str, Page]:
    """Read every page of a site, by its place in it."""
    return {
        path.relative_to(folder).as_posix(): read_page(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def check_site(folder: str | Path) -> list[str]:
    """Return what is wrong with a site; nothing if it keeps its promises.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of str
        A sentence for each page that loads something from elsewhere or from a file
        that is not there, or has a link inside the site that leads to nothing.

    Raises
    ------
    FileNotFoundError
        If there is no page in the folder.
    """
    folder = Path(folder)
    pages = pages_of_site(folder)
    if not pages:
        raise FileNotFoundError(f"there is no page in {str(folder)!r}")
    found = []
    for name, page in pages.items():
        found += _wrong_loads(folder, name, page.loads)
        for link in dict.fromkeys(page.links):
            if not _is_outside(link):
                found += _wrong_link(folder, name, link, pages)
    for sheet in sorted(folder.rglob("*.css")):
        loads = in_css(sheet.read_text("utf-8"))
        found += _wrong_loads(folder, sheet.relative_to(folder).as_posix(), loads)
    return found


def _wrong_loads(folder: Path, name: str, loads: list[str]) -> Iterator[str]:
    for address in dict.fromkeys(loads):
        if _is_outside(address):
            yield f"{name} loads {address}, which is not of this site"
        elif not address.startswith(("data:", "#")):
            if not _file(folder, name, address).is_file():
                yield f"{name} loads {address}, which is not there"


def _file(folder: Path, page: str, address: str) -> Path:
    path = unquote(urlsplit(address).path)
    where = folder / page if not path else (folder / page).parent / path
    return where / "index.html" if where.is_dir() else where


def _wrong_link(
    folder: Path, name: str, link: str, pages: Mapping[str, Page]
) -> Iterator[str]:
    where = _file(folder, name, link).resolve()
    inside = where.is_relative_to(folder.resolve())
    if link.startswith("/") or not inside or not where.is_file():
        yield f"{name} has a link to {link}, which is not there"
        return
    anchor = unquote(urlsplit(link).fragment)
    page = pages.get(where.relative_to(folder.resolve()).as_posix())
    if anchor and page and anchor not in page.ids:
        yield f"{name} has a link to {link}, and there is no such place on the page"


def outward_links(folder: str | Path) -> dict[str, list[str]]:
    """Return the addresses outside that a site's pages link to, and who does.

    Nobody asks whether they answer: a book that is built without a network must not
    depend on one.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    dict of str to list of str
        The pages, by address.
    """
    found = defaultdict(list)
    for name, page in pages_of_site(Path(folder)).items():
        for link in dict.fromkeys(page.links):
            if _is_outside(link):
                found[link].append(name)
    return dict(sorted(found.items()))
