"""The four domains of the lesson, told alike: who wants what, and what is special."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...arguments import check_choice
from ...places import CLINICAL_NOTES, CONTRACT_CLAUSES, PRACTICE_FILE

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Story:
    """What is known of a domain before anything is measured."""

    domain: str
    reads: str
    says: str
    own: str
    """What only this domain has, and is measured in its own section."""
    about: tuple[str, ...]
    """Words for what it reads, in small letters, as its card has them."""
    use: str
    """What the student is wanted for, in a sentence."""
    person_decides: bool
    source: Path | None = None
    """The kit's file of texts; None where it reads numbers."""


STORIES = {
    story.domain: story
    for story in (
        Story(
            "support",
            "messages to a support desk",
            "what the writer wants, one of eight wishes",
            "when to abstain, when to ask the teacher, and what a thousand cost",
            ("support", "message", "ticket"),
            "Sort support messages of the shop by what the writer wants",
            True,
            PRACTICE_FILE,
        ),
        Story(
            "medical",
            "short clinical notes, or descriptions of codes",
            "the chapter, then within one chapter the illness",
            "two stages against one, and what the second forgets of the first",
            ("note", "chapter", "code"),
            "Sort notes into the chapters of a register that doctors keep",
            True,
            CLINICAL_NOTES,
        ),
        Story(
            "finance",
            "daily prices, as numbers",
            "next week's volatility: calm, normal or wild",
            "a leak on purpose, and odd days that are handed to the teacher",
            ("volatility", "price", "market"),
            "Show a trading desk which regime of volatility the prices point to",
            True,
        ),
        Story(
            "legal",
            "clauses of contracts, some of them long",
            "the kind of clause, one of eight",
            "reading in windows, and the words that moved a verdict",
            ("clause", "contract"),
            "Sort clauses of contracts by kind, for somebody who reads them",
            True,
            CONTRACT_CLAUSES,
        ),
    )
}
DOMAINS = tuple(STORIES)


def story_of(domain: str) -> Story:
    """Return what is known of a domain.

    Parameters
    ----------
    domain : {"support", "medical", "finance", "legal"}

    Returns
    -------
    Story

    Raises
    ------
    ValueError
        If there is no such domain.
    """
    return STORIES[check_choice("domain", domain, DOMAINS)]


def stories_table() -> pd.DataFrame:
    """Lay the four domains out side by side."""
    import pandas as pd

    rows = {
        name: {"reads": story.reads, "says": story.says, "its own section": story.own}
        for name, story in STORIES.items()
    }
    return pd.DataFrame(rows).T.rename_axis("domain")
