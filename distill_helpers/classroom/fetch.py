"""Download IMDB from the Hub: ``python start.py fetch-imdb``."""

from __future__ import annotations

from ..data.imdb import IMDB_ID, fetch_imdb


def main() -> None:
    """Fetch the data and say what there is."""
    splits = fetch_imdb()
    for name, split in splits.items():
        print(f"{IMDB_ID}: {name}, {split.num_rows:,} reviews")
    print("The lessons find it by themselves: source='auto'.")


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        raise SystemExit(f"{error}") from None
