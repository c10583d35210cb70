"""What is in the file: parts, classes, lengths, and what to beware of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..data.duplicates import alike_but_for_numbers
from ..data.labels import SEVERAL_LABELS
from ..data.reviews import ReviewDict, load_reviews
from .request import Request

if TYPE_CHECKING:
    import pandas as pd

FEW_TEXTS = 10
"""Test texts of a class below which its scores say little."""


@dataclass
class Texts:
    """What a file holds, and its parts for every seed.

    Attributes
    ----------
    request : Request
    reviews : ReviewDict
        The parts as the first seed draws them.
    """

    request: Request
    reviews: ReviewDict

    @property
    def report(self):
        """The reader's report: sizes, classes, what was dropped and why."""
        return self.reviews.report

    @property
    def label_names(self) -> list[str]:
        """The classes, in the order of the class numbers."""
        return list(self.reviews.label_names)

    @property
    def problem_type(self) -> str:
        """One label a text or several, in transformers' words."""
        return self.reviews.problem_type

    @property
    def several(self) -> bool:
        """Whether a text may have several labels."""
        return self.problem_type == SEVERAL_LABELS

    def drawn(self, seed: int) -> ReviewDict:
        """Return the parts as a seed draws them; test and validation stay."""
        if seed == self.request.seeds[0]:
            return self.reviews
        return _load(self.request, seed)

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Rows of each class in each labelled part."""
        import pandas as pd

        return pd.DataFrame(self.report.by_part).rename_axis("class")

    @cached_property
    def warnings(self) -> list[str]:
        """What a reader of the results must know of the file."""
        found = list(self.report.warnings)
        held = self.counts["test"]
        none = [repr(name) for name, n in held.items() if not n]
        if none:
            found.append(
                f"no test text of {', '.join(none)}: nothing is measured about it, and"
                " macro F1 leaves it out where nobody says it"
            )
        few = [f"{name!r} ({n})" for name, n in held.items() if 0 < n < FEW_TEXTS]
        if few:
            found.append(
                f"fewer than {FEW_TEXTS} test texts in {', '.join(few)}: what is said"
                " of the class may be chance"
            )
        asked, read = (list(self.reviews[part]["text"]) for part in ("test", "train"))
        alike = int(alike_but_for_numbers(asked, read).sum())
        if alike:
            found.append(
                f"{alike:,} of {len(asked):,} test texts repeat a training text but for"
                " the numbers in it: what is right of them may be known by heart. Where"
                " new texts will be like that, all is well; else give the file a column"
                " 'split'"
            )
        if not len(self.reviews["transfer"]):
            found.append(
                "there is no text without a label: a teacher helps most where it can"
                " answer texts that nobody has labelled"
            )
        return found

    def __str__(self) -> str:
        own = set(self.report.warnings)  # printed with the report
        lines = [str(self.report), "", self.counts.to_string()]
        return "\n".join([*lines, *(f"! {w}" for w in self.warnings if w not in own)])


def look(request: Request) -> Texts:
    """Read the file and keep its parts apart.

    Parameters
    ----------
    request : Request

    Returns
    -------
    Texts

    Raises
    ------
    ValueError
        If the file cannot be read as texts with classes; the message says where
        and what to do.
    """
    return Texts(request, _load(request, request.seeds[0]))


def _load(request: Request, seed: int) -> ReviewDict:
    return load_reviews(
        request.source,
        request.labelled,
        seed=seed,
        text_column=request.text_column,
        label_column=request.label_column,
        split_column=request.split_column,
        several_labels=request.several_labels,
    )
