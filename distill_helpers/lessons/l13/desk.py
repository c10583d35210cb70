"""The support desk: when to abstain, when to ask the teacher, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...arguments import check_number
from ...evaluation.cascade import Stage, choose_threshold, confidence, run_cascade
from ...evaluation.comparison import Comparison
from ...teachers.api.money import BYTES_PER_TOKEN, price_of
from ...teachers.mixed import calibration_temperature
from .text_project import TextProject

MODEL = "deepseek-flash"
"""Whose price stands for that of a large teacher."""
PROMPT_TOKENS, ANSWER_TOKENS = 220, 4
"""Of a question with eight classes told in a line each, and of its answer."""
WITHIN = 0.01
"""How far below its teacher's accuracy a cascade may be on validation tickets."""
ALL, SURE = "all answered", "answered where sure"
ALONE, CASCADE = "student alone", "student, then teacher"


def abstain_threshold(
    sure: Sequence[float], right: Sequence[bool], wrong: float
) -> float:
    """Return from which confidence on a student may answer.

    Parameters
    ----------
    sure : sequence of float
        Confidence in each answer, on texts that neither trained nor judge.
    right : sequence of bool
        Whether the answer is right.
    wrong : float
        The share of wrong answers that is allowed among those given.

    Returns
    -------
    float
        The lowest confidence at which that holds; 1 where it never does, infinitely
        many texts of confidence 1 apart.

    Raises
    ------
    ValueError
        If the lengths differ or `wrong` is no share.

    Examples
    --------
    >>> abstain_threshold([0.9, 0.8, 0.6, 0.4], [True, True, False, True], 0.3)
    0.4
    >>> abstain_threshold([0.9, 0.8, 0.6, 0.4], [True, True, False, True], 0.1)
    0.8
    """
    check_number("wrong", wrong, least=0, most=1)
    sure, right = np.asarray(sure, float), np.asarray(right, bool)
    if sure.shape != right.shape or sure.ndim != 1 or not len(sure):
        raise ValueError(
            f"sure and right must have one value a text, got {sure.shape} and"
            f" {right.shape}"
        )
    for threshold in np.unique(sure):
        answered = sure >= threshold
        if (~right[answered]).mean() <= wrong:
            return float(threshold)
    return 1.0


@dataclass(frozen=True)
class DeskSeed:
    """What one seed's student and teacher said of the test tickets, calibrated."""

    student: np.ndarray
    teacher: np.ndarray
    labels: np.ndarray
    threshold: float
    """From which on it answers; chosen on validation tickets."""
    hand_on: float
    """Below which the teacher is asked; likewise."""

    @property
    def answered(self) -> np.ndarray:
        """Which tickets the student answers by itself where it may abstain."""
        return confidence(self.student) >= self.threshold

    @property
    def right(self) -> np.ndarray:
        """Which of its answers are right."""
        return self.student.argmax(1) == self.labels


def desk_seeds(project: TextProject, wrong: float) -> dict[int, DeskSeed]:
    """Calibrate each seed's student and choose both of its thresholds.

    Parameters
    ----------
    project : TextProject
        That has learnt.
    wrong : float
        As for :func:`abstain_threshold`.

    Returns
    -------
    dict of int to DeskSeed
    """
    held, held_labels = project.part("validation")
    test, labels = project.part("test")
    found = {}
    for seed, answer in project.students.items():
        teacher = project.guide.of(seed)
        logits = answer(held)
        heat = calibration_temperature(logits, held_labels)
        sure = confidence(logits / heat)
        found[seed] = DeskSeed(
            answer(test) / heat,
            teacher.answers(test),
            labels,
            abstain_threshold(sure, logits.argmax(1) == held_labels, wrong),
            choose_threshold(logits / heat, teacher.answers(held), held_labels, WITHIN),
        )
    return found


def abstaining(project: TextProject, seeds: dict[int, DeskSeed]) -> list[Comparison]:
    """Compare answers where the student is sure with answers to all tickets.

    A student that abstained by lot would keep its accuracy: that of all tickets is the
    control. A seed whose student never is sure enough takes no part.
    """
    told = {seed: one for seed, one in seeds.items() if one.answered.any()}
    if len(told) < 2:
        return []
    scores = {
        SURE: {s: float(one.right[one.answered].mean()) for s, one in told.items()},
        ALL: {s: float(one.right.mean()) for s, one in told.items()},
    }
    return project.compare(scores, [(SURE, ALL)])


def abstain_table(seeds: dict[int, DeskSeed]) -> pd.DataFrame:
    """Lay out by seed the threshold, the share answered, and the share right."""
    rows = {
        seed: {
            "threshold": one.threshold,
            "answered": one.answered.mean(),
            "right of these": one.right[one.answered].mean()
            if one.answered.any()
            else float("nan"),
            "right of all": one.right.mean(),
        }
        for seed, one in seeds.items()
    }
    return pd.DataFrame(rows).T.rename_axis("seed").round(3)


def cascades(project: TextProject, seeds: dict[int, DeskSeed]) -> list[Comparison]:
    """Compare the student with teacher behind it with the student alone."""
    scores: dict[str, dict[int, float]] = {ALONE: {}, CASCADE: {}}
    for seed, one in seeds.items():
        scores[ALONE][seed] = float(one.right.mean())
        scores[CASCADE][seed] = _cascade(one, 0.0).accuracy(one.labels)
    return project.compare(scores, [(CASCADE, ALONE)])


def _cascade(one: DeskSeed, price: float):
    stages = [
        Stage("student", one.student, 1.0),
        Stage("teacher", one.teacher, 1.0, price),
    ]
    return run_cascade(stages, [one.hand_on])


def teacher_price(texts: Sequence[str]) -> tuple[float, str]:
    """Return what a large model's answers to a thousand texts cost, and by which list.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    (float, str)
        Dollars for a thousand, and when and where the price was read.
    """
    price = price_of(MODEL)
    tokens = np.mean([len(text.encode()) for text in texts]) / BYTES_PER_TOKEN
    return 1000 * price.of(PROMPT_TOKENS + tokens, ANSWER_TOKENS), price.said


def cost_table(
    seeds: dict[int, DeskSeed], teacher: float, person: float
) -> pd.DataFrame:
    """Lay out accuracy and dollars for a thousand tickets, means over the seeds.

    Parameters
    ----------
    seeds : dict of int to DeskSeed
    teacher, person : float
        Dollars for a thousand tickets that the one or the other answers.

    Returns
    -------
    DataFrame
        A person is taken to be right: of those lines ``right`` counts a person's
        answers as right too.
    """
    ways: dict[str, list[tuple[float, float, float]]] = {}
    for one in seeds.values():
        right, sure = one.right, one.answered
        theirs = one.teacher.argmax(1) == one.labels
        both = _cascade(one, teacher)
        asked = both.shares["teacher"]
        for name, line in {
            ALONE: (right.mean(), 0.0, 0.0),
            "teacher alone": (theirs.mean(), teacher, 0.0),
            CASCADE: (both.accuracy(one.labels), teacher * asked, 0.0),
            "student, then a person": (
                np.where(sure, right, True).mean(),
                person * (~sure).mean(),
                (~sure).mean(),
            ),
            "a person alone": (1.0, person, 1.0),
        }.items():
            ways.setdefault(name, []).append(line)
    rows = {name: np.mean(lines, axis=0) for name, lines in ways.items()}
    columns = ["right", "dollars a thousand", "read by a person"]
    return pd.DataFrame(rows, index=columns).T.rename_axis("who answers").round(3)
