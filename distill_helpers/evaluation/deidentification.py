"""What a finder of names and numbers misses, and what it takes for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..data.personal import Mark
from .statistics import share_interval


@dataclass
class KindCount:
    """How a finder did on one kind."""

    placed: int = 0
    """How many stand in the texts."""
    missed: int = 0
    """Of these, how many have a character left that no find covers."""
    false_alarms: int = 0
    """Finds of this kind that touch nothing placed."""

    @property
    def recall(self) -> float:
        """The share of those placed that is gone; NaN if none was placed."""
        return 1 - self.missed / self.placed if self.placed else float("nan")

    def recall_interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval of :attr:`recall`."""
        return share_interval(self.placed - self.missed, self.placed)


@dataclass
class FinderReport:
    """Misses and false alarms over many texts."""

    kinds: dict[str, KindCount] = field(default_factory=dict)
    missed: list[tuple[int, Mark]] = field(default_factory=list)
    """The number of the text and the mark that was placed in it."""
    false_alarms: list[tuple[int, Mark]] = field(default_factory=list)
    """The number of the text and the find."""

    @property
    def total(self) -> KindCount:
        """All kinds together."""
        counts = self.kinds.values()
        return KindCount(
            sum(count.placed for count in counts),
            sum(count.missed for count in counts),
            sum(count.false_alarms for count in counts),
        )


def judge_finder(
    find: Callable[[str], Sequence[Mark]],
    texts: Sequence[str],
    placed: Sequence[Sequence[Mark]],
) -> FinderReport:
    """Hold what a finder finds against what is known to stand in the texts.

    A name is gone if every character of it is, whatever kind the finder took it for:
    it is the reader of the text that must not see it.

    Parameters
    ----------
    find : callable
        A text in, its marks out, such as
        :func:`distill_helpers.data.find_personal`.
    texts : sequence of str
    placed : sequence of sequence of Mark
        For each text.

    Returns
    -------
    FinderReport

    Raises
    ------
    ValueError
        If texts and marks differ in number, or a mark lies outside of its text.
    """
    if len(texts) != len(placed):
        raise ValueError(
            f"placed must have a list for each of the {len(texts)} texts, got"
            f" {len(placed)}"
        )
    report = FinderReport()
    for number, (text, wanted) in enumerate(zip(texts, placed)):
        _check_inside(number, text, wanted)
        found = list(find(text))
        gone = {at for mark in found for at in range(mark.start, mark.end)}
        known = {at for mark in wanted for at in range(mark.start, mark.end)}
        for mark in wanted:
            count = report.kinds.setdefault(mark.kind, KindCount())
            count.placed += 1
            if not gone.issuperset(range(mark.start, mark.end)):
                count.missed += 1
                report.missed.append((number, mark))
        for mark in found:
            if known.isdisjoint(range(mark.start, mark.end)):
                report.kinds.setdefault(mark.kind, KindCount()).false_alarms += 1
                report.false_alarms.append((number, mark))
    return report


def _check_inside(number: int, text: str, marks: Sequence[Mark]) -> None:
    for mark in marks:
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(
                f"placed[{number}] must lie within the {len(text)} characters of its"
                f" text, got {tuple(mark)}"
            )
