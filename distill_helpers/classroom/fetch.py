"""Download IMDB from the Hub: ``distill-kit fetch``."""

from __future__ import annotations

from collections.abc import Sequence

from ..arguments import CommandLine


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the data and say what there is."""
    parser = CommandLine(prog="distill-kit fetch", description=__doc__)
    parser.parse_args(arguments)
    from ..data.imdb import IMDB_ID, fetch_imdb

    try:
        splits = fetch_imdb()
    except FileNotFoundError as error:
        raise SystemExit(f"{error}") from None
    for name, split in splits.items():
        print(f"{IMDB_ID}: {name}, {split.num_rows:,} reviews")
    print("The lessons find it by themselves: source='auto'.")
    return 0
