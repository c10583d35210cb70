"""What a file's own column of parts says: train, validation, test or transfer."""

from __future__ import annotations

from .cells import Cells

_WORDS = {
    "train": "train training trn",
    "validation": "validation valid val dev development devel eval evaluation",
    "test": "test testing tst holdout heldout",
    "transfer": "transfer unsupervised unlabelled unlabeled",
}
_PART_OF = {word: part for part, words in _WORDS.items() for word in words.split()}


def parts_of(cells: Cells, column: str) -> list[str]:
    """Translate a column to the kit's parts; ``""`` where a cell is empty.

    Raises
    ------
    ValueError
        If a value is no name of a part; the reason alone, with its row.
    """
    known: dict[str, str] = {}
    parts = []
    for index, cell in enumerate(cells.columns[column]):
        word = "" if cell is None or cell != cell else str(cell)
        if word not in known:
            plain = "".join(c for c in word.casefold() if c.isalnum())
            is_word = isinstance(cell, str) or not word  # a list of one is none
            if word.strip() and not (is_word and plain in _PART_OF):
                raise ValueError(
                    f"{cells.where(index)}: column {column!r} must say to which part a"
                    f" row belongs, one of {', '.join(_WORDS)} (or another usual name"
                    f" of it, or nothing), got {word!r:.60}; split_column=None leaves"
                    " the column alone"
                )
            known[word] = _PART_OF.get(plain, "")
        parts.append(known[word])
    return parts
