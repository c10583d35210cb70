"""Make the course a book: ``distill-kit book``.

The site is static: any server can serve its folder, and nothing on it asks another
one. ``python start.py book`` installs what is needed first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ...arguments import CommandLine
from ...places import PROJECT

FOLDER = Path("build", "book")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the site, and say where it is and what it links to."""
    parser = CommandLine(
        prog="distill-kit book",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=PROJECT / FOLDER,
        help="where it goes; an earlier book there is replaced",
    )
    parser.add_argument(
        "--repository",
        default="",
        help="the project's address, such as ada/kit, for the buttons that open a"
        " lesson; by default the one in docs/ways_in.md",
    )
    options = parser.parse_args(arguments)
    from .building import build_book
    from .checking import outward_links
    from .links import BookError

    print("gathering the pages; Sphinx takes about a minute", flush=True)
    try:
        folder = build_book(options.output, repository=options.repository)
    except (BookError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    outward = outward_links(folder)
    pages = sum(1 for _ in folder.rglob("*.html"))
    print(f"{pages} pages; every link between them leads somewhere")
    print(f"nothing is loaded from elsewhere; {len(outward)} addresses are linked:")
    for address in outward:
        print(f"  {address}")
    print(f"read it: python -m http.server --directory {folder}")
    return 0
