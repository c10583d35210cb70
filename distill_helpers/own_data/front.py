"""The students that none beats in size, speed and quality at once, and one of them.

Everything here is about numbers that were measured before: nothing is trained, and
no text is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..evaluation.comparison import WORSE, Comparison, compare_scores
from ..evaluation.statistics import summary

WORTH = 1.05
"""So many times smaller is worth a word; less is a matter of a few bytes."""


class NothingFitsError(ValueError):
    """No student fits the budget."""


@dataclass(frozen=True)
class Candidate:
    """A student in a form, measured.

    Attributes
    ----------
    student : str
        Its kind, such as ``"text-cnn"``.
    form : str
        One of :data:`~distill_helpers.own_data.delivered_forms.FORMS`.
    mb : float
        Megabytes of the bundle, the largest of the seeds'.
    ms : float
        Milliseconds for one text on this machine.
    scores : mapping of int to float
        Macro F1 on the validation texts, by seed.
    bundles : mapping of int to Path
        What would be delivered, by seed.
    """

    student: str
    form: str
    mb: float
    ms: float
    scores: Mapping[int, float]
    bundles: Mapping[int, Path] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Student and form."""
        return f"{self.student}, {self.form}"

    @property
    def mean(self) -> float:
        """Macro F1 on the validation texts, the mean over the seeds."""
        mean = float(np.mean(list(self.scores.values())))
        return round(mean, 12)  # equals stay equal, whatever the order of the sum

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% interval of that mean over the seeds; None for one seed, or equal ones."""
        values = list(self.scores.values())
        if len(set(values)) < 2:
            return None
        return tuple(summary(values, bounded=True)["interval"])

    @property
    def cost(self) -> str:
        """Size and time in words."""
        return f"{self.mb:.3g} MB, {self.ms:.2g} ms a text"

    def fits(self, budget_mb: float | None, budget_ms: float | None) -> bool:
        """Say whether it keeps within a budget; None is no limit."""
        return (budget_mb is None or self.mb <= budget_mb) and (
            budget_ms is None or self.ms <= budget_ms
        )

    def to_json(self) -> dict:
        """Return plain data, without a path."""
        return {
            "student": self.student,
            "form": self.form,
            "mb": self.mb,
            "ms": self.ms,
            "validation": {str(seed): value for seed, value in self.scores.items()},
        }


def beats(one: Candidate, other: Candidate) -> bool:
    """Say whether one is nowhere worse than another, and somewhere better.

    Examples
    --------
    >>> small = Candidate("a", "int8", 0.1, 1.0, {0: 0.8})
    >>> beats(small, Candidate("b", "int8", 0.2, 1.0, {0: 0.8}))
    True
    >>> beats(small, Candidate("b", "int8", 0.2, 1.0, {0: 0.9}))
    False
    """
    first, second = _losses(one), _losses(other)
    return first != second and all(a <= b for a, b in zip(first, second))


def _losses(one: Candidate) -> tuple[float, float, float]:
    return -one.mean, one.mb, one.ms


def front_of(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return those that no other beats, the smallest first.

    Parameters
    ----------
    candidates : sequence of Candidate

    Returns
    -------
    list of Candidate
        Each is better, smaller or faster than any other.
    """
    left = [c for c in candidates if not any(beats(o, c) for o in candidates)]
    return sorted(left, key=lambda one: (one.mb, one.ms))


def best_within(
    candidates: Sequence[Candidate],
    budget_mb: float | None = None,
    budget_ms: float | None = None,
) -> Candidate | None:
    """Choose the best on validation that fits; of equals the smaller, then the faster.

    Parameters
    ----------
    candidates : sequence of Candidate
    budget_mb, budget_ms : float, optional
        None is no limit.

    Returns
    -------
    Candidate or None
        It is on the front. None: nothing fits.

    Examples
    --------
    >>> small = Candidate("a", "int8", 0.1, 1.0, {0: 0.8})
    >>> large = Candidate("b", "fp32", 9.0, 3.0, {0: 0.9})
    >>> best_within([small, large], budget_mb=1).name
    'a, int8'
    >>> best_within([small, large]).name
    'b, fp32'
    >>> best_within([small, large], budget_ms=0.5)
    """
    fit = [c for c in candidates if c.fits(budget_mb, budget_ms)]
    return min(fit, key=_losses, default=None)


def next_smaller(
    chosen: Candidate, front: Sequence[Candidate]
) -> tuple[Candidate, Comparison] | None:
    """Hold the chosen against the best of those on the front that are smaller.

    Parameters
    ----------
    chosen : Candidate
    front : sequence of Candidate

    Returns
    -------
    (Candidate, Comparison) or None
        The next best and what it gains over the chosen one, seed by seed. None where
        none is smaller by a twentieth, or there is one seed alone.
    """
    smaller = [one for one in front if one.mb * WORTH <= chosen.mb]
    if not smaller or len(chosen.scores) < 2:
        return None
    other = min(smaller, key=_losses)
    scores = {one.name: one.scores for one in (other, chosen)}
    (found,) = compare_scores(scores, [(other.name, chosen.name)])
    return other, found


def not_shown_worse(chosen: Candidate, front: Sequence[Candidate]) -> str | None:
    """Say so where the next best on the front is smaller and not shown to be worse."""
    found = next_smaller(chosen, front)
    if found is None or found[1].verdict == WORSE:
        return None
    other, comparison = found
    return (
        f"{other.name} is smaller ({other.cost}, against {chosen.cost}) and not shown"
        f" to be worse: {comparison.in_points()} of macro F1 over"
        f" {len(comparison.gains)} seeds"
    )


def what_it_takes(
    candidates: Sequence[Candidate], budget_mb: float | None, budget_ms: float | None
) -> str:
    """Say what the smallest and the fastest would need, where nothing fits."""
    asked = {"budget_mb": budget_mb, "budget_ms": budget_ms}
    given = ", ".join(f"{k}={v:g}" for k, v in asked.items() if v is not None)
    small = min(candidates, key=lambda one: (one.mb, one.ms))
    fast = min(candidates, key=lambda one: (one.ms, one.mb))
    said = f"nothing fits {given}: the smallest, {small.name}, takes {small.cost}"
    if fast is not small:
        said += f"; the fastest, {fast.name}, {fast.cost}"
    return said
