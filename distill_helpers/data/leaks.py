"""Texts that stand in two parts, found and taken away.

A text that is trained on and tested on measures memory. :func:`load_reviews` keeps
such texts apart; these functions are for parts that somebody else made.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arguments import check_type
from .cleaning import check_texts, signature
from .duplicates import duplicate_groups

RANK = ("test", "validation", "train", "transfer")
"""Of two parts that share a text, the one that stands first here keeps it."""


class Leak(NamedTuple):
    """A text that stands in a part of higher rank, too.

    Attributes
    ----------
    part : str
    row : int
    other_part : str
        The part that keeps it, see :data:`RANK`.
    other_row : int
    exact : bool
        Whether both are the same but for case and punctuation; else nearly the same.
    """

    part: str
    row: int
    other_part: str
    other_row: int
    exact: bool


@dataclass(frozen=True)
class Leaks:
    """What was found.

    Attributes
    ----------
    found : tuple of Leak
        In the order of parts and rows; one for each text that should go.
    sizes : dict of str to int
        Texts of each part that was looked at.
    """

    found: tuple[Leak, ...]
    sizes: dict[str, int]

    def counts(self) -> dict[tuple[str, str], dict[str, int]]:
        """Count the leaks between every two parts, exact and near.

        Returns
        -------
        dict
            From (part, part that keeps the text) to counts by ``"exact"``, ``"near"``.
        """
        counted: dict[tuple[str, str], dict[str, int]] = {}
        for leak in self.found:
            pair = counted.setdefault(
                (leak.part, leak.other_part), {"exact": 0, "near": 0}
            )
            pair["exact" if leak.exact else "near"] += 1
        return counted

    def rows(self, part: str) -> np.ndarray:
        """Return the rows of a part that should go, sorted."""
        if part not in self.sizes:
            raise ValueError(f"part must be one of {list(self.sizes)}, got {part!r}")
        return np.array([leak.row for leak in self.found if leak.part == part], int)

    def __str__(self) -> str:
        if not self.found:
            return f"no text stands in two of {', '.join(self.sizes)}"
        return "\n".join(
            f"{part}: {sum(kinds.values()):,} of {self.sizes[part]:,} texts stand in"
            f" {other} too ({kinds['exact']:,} exact, {kinds['near']:,} near)"
            for (part, other), kinds in self.counts().items()
        )


def find_leaks(
    parts: Mapping[str, Sequence[str]], *, threshold: float = 0.5, progress: bool = True
) -> Leaks:
    """Find texts that stand in more than one part, exactly or nearly.

    Parameters
    ----------
    parts : mapping of str to data set or sequence of str
        A ``DatasetDict`` with columns ``text``, or texts, by the names of
        :data:`RANK`.
    threshold : float, default 0.5
        See :func:`~distill_helpers.data.duplicates.duplicate_groups`.
    progress : bool, default True

    Returns
    -------
    Leaks

    Raises
    ------
    ValueError
        If a part has another name, there are fewer than two, or `threshold` is
        outside (0, 1].

    Examples
    --------
    >>> parts = {"train": ["A fine film!", "Dull."], "test": ["a fine film"]}
    >>> print(find_leaks(parts))
    train: 1 of 2 texts stand in test too (1 exact, 0 near)
    """
    texts = _texts(parts)
    ranked = [name for name in RANK if name in texts]
    flat = [text for name in ranked for text in texts[name]]
    where = [(name, row) for name in ranked for row in range(len(texts[name]))]
    group = duplicate_groups(flat, threshold=threshold, progress=progress)
    keeper: dict[int, int] = {}  # the first of a group is of the highest rank
    found = []
    twins: dict[tuple[int, str], int] = {}
    for number, of in enumerate(group):
        first = keeper.setdefault(int(of), number)
        mark = signature(flat[number])
        twin = twins.setdefault((int(of), mark), number)
        part, row = where[number]
        above = [n for n in (twin, first) if where[n][0] != part]
        if above:
            found.append(Leak(part, row, *where[above[0]], exact=above[0] == twin))
    found.sort(key=lambda leak: (list(texts).index(leak.part), leak.row))
    return Leaks(tuple(found), {name: len(some) for name, some in texts.items()})


def without_leaks(parts: Mapping, leaks: Leaks):
    """Take texts away that leaked: from train, transfer and validation, never test.

    Parameters
    ----------
    parts : mapping
        As it was given to :func:`find_leaks`; it is left as it is.
    leaks : Leaks

    Returns
    -------
    mapping
        Of the same kind. Test stays whole, or results before and after would be of
        other texts; validation loses what stands in test.

    Raises
    ------
    ValueError
        If the parts have other sizes than those that were looked at.
    """
    check_type("leaks", leaks, Leaks, "what find_leaks found")
    sizes = {name: len(part) for name, part in _texts(parts).items()}
    if sizes != leaks.sizes:
        raise ValueError(
            f"parts must be those that leaks were found in, with {leaks.sizes} texts,"
            f" got {sizes}"
        )
    kept = copy.copy(parts)
    for name, part in parts.items():
        gone = leaks.rows(name)
        if len(gone):
            rows = np.setdiff1d(np.arange(len(part)), gone)
            kept[name] = _selected(part, rows)
    return kept


def _texts(parts: Mapping) -> dict[str, list[str]]:
    check_type("parts", parts, Mapping, "a mapping from a part's name to its texts")
    strange = [name for name in parts if name not in RANK]
    if strange or len(parts) < 2:
        raise ValueError(
            f"parts must hold at least two of {list(RANK)}, got {list(parts)}"
        )
    found = {}
    for name, part in parts.items():
        texts = part["text"] if hasattr(part, "column_names") else part
        check_texts(texts, name)
        found[name] = list(texts)
    return found


def _selected(part, rows: np.ndarray):
    if hasattr(part, "select"):
        return part.select(rows)
    return [part[row] for row in rows]
