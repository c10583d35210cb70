"""Lesson 11: what its comparisons show, and three claims judged by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...arguments import check_number
from ...evaluation.comparison import BETTER, UNSHOWN, WORSE, Comparison, compare_scores
from ...evaluation.privacy import reference_epsilon
from ...evaluation.refusal import judge_use
from ..claims import Claim, judge
from ..parameters import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from ...evaluation.membership import Membership
    from ...evaluation.privacy import PrivacySpent
    from ...evaluation.refusal import CardFacts, Scores, Use

ByArm = Mapping[str, Mapping[int, float]]

DIRECTIONS = {BETTER: "higher", WORSE: "lower", UNSHOWN: UNSHOWN}
"""More is not always better here: neither of answers that turn nor of an AUC."""
CLAIMED_EPSILONS = (0.5, 2.0)
"""The two ends that claim C21 names."""
MAY_COST = 0.04
"""Accuracy that privacy may cost and still be said to work."""
MAY_FORGET = 0.05
"""Accuracy on the old task that may be lost and still be called kept."""
MUST_CUT = 0.7
"""Share of the flips that must go before a bias is called mended."""
RISKS = ("typos", "old task", "members hidden", "swapped persons")


def check_epsilons(epsilons: Sequence[float], delta: float) -> None:
    """Raise unless budgets are above 0, all different, and `delta` within (0, 1).

    Raises
    ------
    ParameterError
    """
    if not epsilons or len(set(epsilons)) < len(epsilons):
        raise ParameterError(
            f"epsilons must hold at least one number, all different, got {epsilons!r}"
        )
    try:
        for epsilon in epsilons:
            check_number("epsilons", epsilon, above=0)
        check_number("delta", delta, above=0, most=0.1)
    except (TypeError, ValueError) as error:
        raise ParameterError(str(error)) from error


def points_table(found: Sequence[Comparison]) -> pd.DataFrame:
    """Lay comparisons out in percentage points.

    Parameters
    ----------
    found : sequence of Comparison

    Returns
    -------
    DataFrame
        Its verdicts say ``higher`` or ``lower``, for more is not always better.
    """
    import pandas as pd

    rows = {
        f"{c.treatment} - {c.control}": {
            "points, 95% interval": c.in_points(unit=""),
            "verdict": DIRECTIONS[c.verdict],
        }
        for c in found
    }
    return pd.DataFrame(rows).T.rename_axis("compared")


def verdicts_in_words(found: Sequence[Comparison], confidence: float = 0.95) -> str:
    """Count the verdicts, and the intervals that would miss 0 by chance alone.

    Parameters
    ----------
    found : sequence of Comparison
    confidence : float, default 0.95
        Of every interval.

    Returns
    -------
    str
    """
    counts = {
        said: sum(DIRECTIONS[c.verdict] == said for c in found)
        for said in DIRECTIONS.values()
    }
    by_chance = (1 - confidence) * len(found)
    words = ", ".join(f"{count} {said}" for said, count in counts.items())
    return (
        f"{len(found)} comparisons: {words}; {by_chance:.1f} would miss 0 by chance if"
        " nothing differed"
    )


def members_table(found: Mapping[str, Sequence[Membership]]) -> pd.DataFrame:
    """Lay attacks side by side, a line for each model.

    Parameters
    ----------
    found : mapping of str to sequence of Membership
        By model, one for each seed.

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    rows = {
        name: {
            "AUC": f"{np.mean([hit.auc for hit in hits]):.3f}",
            "found at 1% false alarms": f"{np.mean([hit.caught for hit in hits]):.0%}",
            "seeds": len(hits),
        }
        for name, hits in found.items()
    }
    return pd.DataFrame(rows).T.rename_axis("model")


def second_opinion(spent: PrivacySpent) -> str:
    """Hold an epsilon against that of ``dp-accounting``, if it is installed.

    Parameters
    ----------
    spent : PrivacySpent

    Returns
    -------
    str
    """
    try:
        theirs = reference_epsilon(spent.noise, spent.steps, spent.rate, spent.delta)
    except ImportError as error:
        return str(error)
    return f"dp-accounting says {theirs:.3f}, this accountant {spent.epsilon:.3f}"


def uses_table(card: CardFacts, proposed: Sequence[Use]) -> pd.DataFrame:
    """Hold proposed uses against a card, a line for each.

    Parameters
    ----------
    card : CardFacts
    proposed : sequence of Use

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    rows = []
    for use in proposed:
        said = judge_use(card, use)
        rows.append(
            {
                "use": use.words,
                "language": use.language,
                "a person looks": "yes" if use.person_decides else "no",
                "outcome": said.outcome,
                "rule": said.rule,
            }
        )
    return pd.DataFrame(rows).set_index("use")


def refusals_in_words(found: Mapping[str, Scores]) -> str:
    """Say how many cases the rules judge as a person did, and quote the others.

    Parameters
    ----------
    found : mapping of str to Scores
        By group of cases.

    Returns
    -------
    str
    """
    lines = []
    for name, score in found.items():
        lines.append(
            f"{name}: {score.right} of {score.cases} right,"
            f" {score.harmful} allowed that should be refused"
        )
        lines += [
            f"  {said.outcome} instead of {case.outcome}: {case.use.words}"
            for case, said in score.missed
        ]
    return "\n".join(lines)


# ------------------------------------------------------------------- claims
def judge_epsilon(scores: ByArm) -> Claim:
    """Judge C21: differential privacy with an epsilon between 0.5 and 2.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
        Accuracy by ``"epsilon E"`` and seed, and of ``"not private"``.

    Returns
    -------
    Claim
        Held if both ends are shown to cost no more than :data:`MAY_COST` beside the
        twin without noise; not testable if one of them was not tried.
    """
    names = [f"epsilon {epsilon:g}" for epsilon in CLAIMED_EPSILONS]
    if not set(names) <= set(scores):
        return judge("C21", f"tried were {_tried(scores)} alone", None)
    costs = compare_scores(scores, [(name, "not private") for name in names])
    words = "; ".join(f"{c.treatment}: {c.in_points()}" for c in costs)
    held = all(c.interval[0] >= -MAY_COST for c in costs)
    return judge("C21", f"against the twin without noise: {words}", held)


def judge_consolidation(
    remembered: Mapping[tuple[str, str], Sequence[Sequence[float]]],
) -> Claim:
    """Judge C22: EWC prevents forgetting.

    Parameters
    ----------
    remembered : mapping of (str, str) to sequence of (float, float)
        By pair of tasks and way, among these ``before`` and ``EWC``: accuracy on the
        old and on the new task, a pair for each seed.

    Returns
    -------
    Claim
        Held if it is shown, for every pair of tasks, that no more than
        :data:`MAY_FORGET` is lost of the old one.
    """
    lost = {}
    for name in dict.fromkeys(name for name, _ in remembered):
        scores = {
            way: {seed: old for seed, (old, _) in enumerate(remembered[name, way])}
            for way in ("EWC", "before")
        }
        (lost[name],) = compare_scores(scores, [("EWC", "before")])
    words = "; ".join(f"{name}: {c.in_points()}" for name, c in lost.items())
    held = all(c.interval[0] >= -MAY_FORGET for c in lost.values())
    return judge("C22", f"on the old task, {words}", held)


def judge_correction(flips: ByArm) -> Claim:
    """Judge C23: a correction set of at least 5% mends a bias.

    Parameters
    ----------
    flips : mapping of str to mapping of int to float
        Share of answers that turn when the persons are swapped, by ``"student"``,
        ``"5% corrected"`` and seed.

    Returns
    -------
    Claim
        Held if the flips become fewer by :data:`MUST_CUT` of what they were.
    """
    before, after = (
        float(np.mean(list(flips[name].values())))
        for name in ("student", "5% corrected")
    )
    cut = 1 - after / before if before else None
    words = f"answers that turn: {before:.1%} before, {after:.1%} after"
    return judge("C23", words, None if cut is None else cut >= MUST_CUT)


def for_opening(
    scores: ByArm, remembered: Mapping[tuple[str, str], Sequence[Sequence[float]]]
) -> dict[str, dict[str, float]]:
    """Pick what the lesson's first picture shows, as shares of which 1 is best.

    Parameters
    ----------
    scores : mapping of str to mapping of int to float
    remembered : mapping
        As for :func:`judge_consolidation`.

    Returns
    -------
    dict of str to dict of str to float
        ``as it comes`` and ``with a remedy``, each by :data:`RISKS`. A member is hidden
        to the extent to which the attacker's AUC falls short of 1: twice as much, so
        that a coin has 1.
    """
    tried = [
        float(name.split()[-1])
        for name in scores
        if name.startswith("AUC, epsil") and name.split()[-1] != "words"
    ]
    near = min(tried, key=lambda epsilon: abs(epsilon - CLAIMED_EPSILONS[1]))

    def mean(name: str) -> float:
        return float(np.mean(list(scores[name].values())))

    def old(way: str) -> float:
        return float(np.mean([old for old, _ in remembered["new digits", way]]))

    def hidden(name: str) -> float:
        return min(1.0, 2 * (1 - mean(name)))

    before = mean("student, 40% typos"), old("fine-tuned")
    after = mean("repaired"), old("answers to old")
    return {
        "as it comes": dict(
            zip(
                RISKS,
                (*before, hidden("AUC, control"), 1 - mean("control, flips")),
            )
        ),
        "with a remedy": dict(
            zip(
                RISKS,
                (
                    *after,
                    hidden(f"AUC, epsilon {near:g}"),
                    1 - mean("100% corrected, flips"),
                ),
            )
        ),
    }


def _tried(scores: ByArm) -> str:
    found = [name for name in scores if name.startswith("epsilon ")]
    return ", ".join(found) or "no budgets"
