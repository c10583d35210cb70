"""What only one domain has: measured by one function, whatever the domain."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ...evaluation.comparison import Comparison
from . import clinic, contracts, desk
from .market_project import MarketProject
from .text_project import TextProject

ARTICLES_MS = 85.0
"""Milliseconds a query that popular articles give for a distilled finance model."""


@dataclass
class OwnPart:
    """What a domain's own section shows.

    Attributes
    ----------
    table, more : DataFrame
        What is looked at first and last.
    gains : list of Comparison
    said : str
        What the numbers are, in a few sentences.
    two_stages : float or None
        Of the medical domain: the gain of two stages in points of macro F1.
    """

    table: pd.DataFrame
    gains: list[Comparison]
    said: str
    more: pd.DataFrame
    two_stages: float | None = None


def measure(project, wrong: float, person_cost: float) -> OwnPart:
    """Measure what only this domain has.

    Parameters
    ----------
    project : TextProject or MarketProject
        That has learnt.
    wrong : float
        Of the support desk: the share of wrong answers that is allowed.
    person_cost : float
        Of the support desk: dollars for a thousand tickets that a person reads.

    Returns
    -------
    OwnPart
    """
    parts = {
        "support": lambda: _support(project, wrong, person_cost),
        "medical": lambda: _medical(project),
        "finance": lambda: _finance(project),
        "legal": lambda: _legal(project),
    }
    return parts[project.story.domain]()


def _support(project: TextProject, wrong: float, person_cost: float) -> OwnPart:
    seeds = desk.desk_seeds(project, wrong)
    price, read = desk.teacher_price(project.part("test")[0])
    gains = desk.abstaining(project, seeds) + desk.cascades(project, seeds)
    said = (
        f"Each seed's threshold was chosen on {len(project.part('validation')[0])}"
        f" validation tickets, so that at most {wrong:.0%} of what is answered there is"
        f" wrong. A teacher's answer is priced as {desk.MODEL}'s would be"
        f" ({price:.3f} dollars a thousand, {read}), a person's at {person_cost:g}"
        " dollars a thousand; a person is taken to be right"
    )
    more = desk.cost_table(seeds, price, person_cost)
    return OwnPart(desk.abstain_table(seeds), gains, said, more)


def _medical(project: TextProject) -> OwnPart:
    found = clinic.run_stages(project)
    gains = project.compare(
        found.scores,
        [(clinic.TWO, clinic.ONE), (clinic.AFTER, clinic.BEFORE)],
        steps=found.steps,
    )
    said = (
        f"Both ways have {found.steps} steps in all, of which two stages spend"
        f" {clinic.SPECIAL_STEPS} on the codes. The lower two lines hold the stage-two"
        " student's body, with the head of stage one put back, against stage one."
        f" The codes, those with texts in every part: {', '.join(found.codes)}"
    )
    rows = pd.DataFrame({"texts with a code": found.rows}).rename_axis("part")
    return OwnPart(found.table(), gains, said, rows, 100 * gains[0].mean)


def _finance(project: MarketProject) -> OwnPart:
    gains = project.leaks() + project.odd_days()
    timed = project.timed()
    times = pd.DataFrame({"ms": {**timed, "said in articles": ARTICLES_MS}}).round(3)
    where = "one real series: the seeds are those of the students alone"
    if project.first.source == "simulated":
        where = "simulated, a series of its own for each seed"
    said = (
        "The gate is an isolation forest over the student's seven numbers of training"
        f" days. The prices are {where}"
    )
    return OwnPart(project.odd_table, gains, said, times.rename_axis("one answer"))


def _legal(project: TextProject) -> OwnPart:
    windows, long = contracts.compare_windows(project)
    gains = windows + contracts.compare_moving(project)
    texts, _ = project.part("test")
    clause = max(texts, key=lambda text: len(text.split()))
    answer = project.students[project.seeds[0]]
    names = project.texts.label_names
    verdict = names[int(answer([clause]).argmax(1)[0])]
    table = contracts.moved(answer, clause).head(8).set_index("word").round(3)
    cuts = contracts.cut(clause)
    said = (
        f"{long} of {len(texts)} test clauses have {contracts.LONG} words or more and are"
        f" read in windows of {contracts.WINDOW}. The words stand in the longest clause,"
        f" of {len(clause.split())} words, which is taken for {verdict}; below are its"
        " windows and what each would say alone"
    )
    more = pd.DataFrame(
        {
            "begins": [" ".join(one.split()[:6]) for one in cuts],
            "words": [len(one.split()) for one in cuts],
            "says": [names[at] for at in answer(cuts).argmax(1)],
        },
        index=pd.RangeIndex(1, len(cuts) + 1, name="window"),
    )
    return OwnPart(table, gains, said, more)
