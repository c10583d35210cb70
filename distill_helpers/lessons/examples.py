"""Short texts to try a student on: about films only where the data are."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.reviews import ReviewDict

FILMS = ("sample", "imdb")
"""Sources that hold reviews of films."""
OF_FILMS = ("A joy from start to finish.", "I want those two hours back.")
LONGEST = 200


def example_texts(reviews: ReviewDict, count: int = 2) -> Sequence[str]:
    """Return a few texts of the kind that the student was trained on.

    Parameters
    ----------
    reviews : ReviewDict
    count : int, default 2

    Returns
    -------
    sequence of str
        Two sentences about films for the kit's own sources; else the shortest
        validation texts, of different classes as far as there are, cut to
        ``LONGEST`` letters.
    """
    if reviews.report.source in FILMS:
        return OF_FILMS[:count]
    held = reviews["validation"]
    pairs = sorted(zip(held["text"], held["label"]), key=lambda pair: len(pair[0]))
    firsts, seen = [], set()
    for text, label in pairs:
        if label not in seen:
            firsts.append(text)
            seen.add(label)
    rest = [text for text, _ in pairs if text not in firsts]
    return [text[:LONGEST] for text in (firsts + rest)[:count]]
