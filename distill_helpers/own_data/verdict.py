"""The end: the test texts are looked at once, and it is said whether it helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.targets import has_answer
from ..evaluation.comparison import BETTER, WORSE, Comparison, Runs, compare_runs
from ..evaluation.cost import count_parameters, measure_cost, size_on_disk
from ..evaluation.metrics import measure_quality
from ..evaluation.scorecard import Row, table
from ..evaluation.statistics import share_interval
from ..students.linear import baseline_logits
from ..training.choosing import Choice
from .classes import (
    behind_largest,
    class_table,
    confusion,
    gain_over_texts,
    marks_of_labels,
    marks_of_logits,
    told_apart,
)
from .guide import Guide, live_teacher
from .looking import Texts
from .mistakes import worth_reading
from .request import Request
from .runs import ARMS, CONTROL, DISTILLED, HARD, Trained

if TYPE_CHECKING:
    import pandas as pd

TEACHER, BASELINE = "teacher", "linear baseline"
SCORES = {
    "f1": "macro F1",
    "accuracy": "accuracy",
    "subset_accuracy": "all labels right",
}


@dataclass
class Verdict:
    """What the test texts said.

    Attributes
    ----------
    rows : list of Row
        Teacher, linear baseline, control, hard answers, distilled.
    comparisons : dict of str to list of Comparison
        By the score: the distilled student against the others, seed by seed.
    over_texts : (float, float)
        Gains in macro F1 over the control that other test texts could have shown.
    told_apart : (int, int)
        Test texts to which not all distilled students and controls said the same; all.
    choice : Choice
        The student that is kept; by validation texts alone.
    per_class, errors : DataFrame
    confusion : DataFrame or None
        None where a text may have several labels.
    warnings : list of str
    """

    rows: list[Row]
    comparisons: dict[str, list[Comparison]]
    over_texts: tuple[float, float]
    told_apart: tuple[int, int]
    choice: Choice
    per_class: pd.DataFrame
    confusion: pd.DataFrame | None
    errors: pd.DataFrame
    warnings: list[str]

    @property
    def chosen(self) -> str:
        """The way of training that won on the validation texts."""
        return self.choice.name

    @property
    def seed(self) -> int:
        """The seed of the student that is kept."""
        return self.choice.seed

    @property
    def why(self) -> str:
        """Why this student is kept, in one sentence."""
        return self.choice.why

    @property
    def scorecard(self) -> pd.DataFrame:
        """Quality and cost, a line a model."""
        return table(self.rows, "texts")

    def row(self, name: str) -> Row | None:
        """Return the row of that name, or None."""
        return next((row for row in self.rows if row.name == name), None)

    @property
    def helped(self) -> str:
        """Whether the teacher helped, in plain words.

        It did where neither the luck of the seeds nor that of the test texts can
        explain the gain.
        """
        gain = mean_of(self.row(DISTILLED)) - mean_of(self.row(CONTROL))
        points = f"{100 * gain:+.1f} points of macro F1 over the control"
        texts = self.other_texts
        found = self.comparisons.get("f1")
        if not found:
            return (
                f"One seed cannot say whether distillation helped: {points}; {texts}."
            )
        first, (low, high) = found[0], self.over_texts
        seeds = f"95% interval over {len(first.gains)} seeds {_points(first.interval)}"
        if np.ptp(first.gains) == 0:
            seeds = f"the same in each of {len(first.gains)} seeds"
        if first.verdict == BETTER:
            said = (
                "Distillation helped"
                if low > 0
                else (
                    "Distillation helped on these test texts, which are too few to say it"
                    " of others"
                )
            )
        elif first.verdict == WORSE:
            said = (
                "Distillation did not help, it hurt"
                if high < 0
                else ("Distillation did not help: on these test texts it hurt")
            )
        else:
            said = "Distillation was not shown to help"
        return f"{said}: {points} ({seeds}; {texts})."

    @property
    def other_texts(self) -> str:
        """What other test texts could have shown, in plain words.

        Where all students agree on every text, the texts drawn again show no gain
        either; the bound is then that of a share of which none was seen.
        """
        differ, count = self.told_apart
        if differ:
            return f"other test texts could have shown {_points(self.over_texts)}"
        most = share_interval(0, count)[1]
        return (
            f"all students said the same of each of the {count:,} test texts; they may"
            f" differ on up to {most:.0%} of others"
        )

    def __str__(self) -> str:
        lines = [self.scorecard.to_string(), "", self.helped, f"kept: {self.why}"]
        return "\n".join([*lines, *(f"! {warning}" for warning in self.warnings)])


def _points(bounds: Sequence[float]) -> str:
    low, high = bounds
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def mean_of(row: Row, metric: str = "f1") -> float:
    """Return the mean over the seeds."""
    return float(np.mean(row.values(metric)))


def judge(request: Request, texts: Texts, guide: Guide, trained: Trained) -> Verdict:
    """Look at the test texts, once, when everything has been chosen.

    Parameters
    ----------
    request : Request
    texts : Texts
    guide : Guide
    trained : Trained

    Returns
    -------
    Verdict
    """
    test = texts.reviews["test"]
    asked, truth = list(test["text"]), np.asarray(test["label"])
    choice = trained.choice
    told = guide.teacher.answers(asked)
    answers = {
        arm: [answer(asked) for answer in runs]
        for arm, runs in trained.predictors().items()
    }
    teacher = _teacher_row(guide, asked, truth, told)
    rows = [teacher] if teacher else []
    rows.append(_baseline_row(request, texts, asked, truth))
    complete = told if np.isfinite(told).all() else None
    rows += [
        Row(
            arm,
            [measure_quality(logits, truth, complete) for logits in runs],
            seeds=list(trained.seeds),
            notes=ARMS[arm],
        )
        for arm, runs in answers.items()
    ]
    cost = trained.cost(asked)
    for row in rows:
        row.cost = cost if row.name in answers else row.cost
    marks = {
        arm: [marks_of_logits(logits, texts.several) for logits in runs]
        for arm, runs in answers.items()
    }
    is_it = marks_of_labels(truth, len(texts.label_names))
    kept = answers[choice.name][trained.seeds.index(choice.seed)]
    verdict = Verdict(
        rows,
        _comparisons(rows, trained.steps),
        gain_over_texts(is_it, marks[DISTILLED], marks[CONTROL]),
        (told_apart(marks[DISTILLED], marks[CONTROL]), len(asked)),
        choice,
        class_table(texts.label_names, is_it, marks[choice.name], marks[CONTROL]),
        None if texts.several else confusion(texts.label_names, truth, kept),
        worth_reading(
            asked,
            truth,
            kept,
            texts.label_names,
            several=texts.several,
            teacher=told,
        ),
        [],
    )
    verdict.warnings += _warnings(texts, guide, verdict)
    return verdict


def _teacher_row(guide: Guide, asked, truth, told) -> Row | None:
    known = has_answer(told)
    if not known.any():
        return None
    quality = measure_quality(told[known], truth[known])
    notes = "" if known.all() else f"judged on the {int(known.sum())} texts it answered"
    row = Row(TEACHER, [quality], notes=notes)
    live = live_teacher(guide.teacher)
    if live is not None:
        row.cost = measure_cost(
            live.logits,
            asked,
            single=10,
            batch_size=16,
            parameters=count_parameters(live.model),
            bytes_on_disk=size_on_disk(live.model, live.tokenizer),
        )
    return row


def _baseline_row(request: Request, texts: Texts, asked, truth) -> Row:
    """Fit the line to beat; where no label is hidden, every seed would draw alike."""
    seeds = request.seeds if request.labelled is not None else request.seeds[:1]
    classes = len(texts.label_names)
    found = []
    for seed in seeds:
        part = texts.drawn(seed)["train"]
        labels = np.asarray(part["label"])
        logits = baseline_logits(list(part["text"]), labels, asked, classes)
        found.append(measure_quality(logits, truth))
    return Row(BASELINE, found, seeds=list(seeds), notes="labels alone, no student")


def _comparisons(rows: Sequence[Row], steps: int) -> dict[str, list[Comparison]]:
    """Set the distilled student beside the others, score by score."""
    by_name = {row.name: row for row in rows}
    if len(by_name[DISTILLED].seeds) < 2:
        return {}

    def runs(name: str, score: str) -> Runs:
        row = by_name[name]
        return Runs(name, dict(zip(row.seeds, row.values(score))), steps)

    scores = [name for name in SCORES if name in by_name[DISTILLED].per_seed[0].scores]
    others = [name for name in (CONTROL, HARD) if name in by_name]
    return {
        score: [compare_runs(runs(DISTILLED, score), runs(o, score)) for o in others]
        for score in scores
    }


def _warnings(texts: Texts, guide: Guide, verdict: Verdict) -> list[str]:
    found = [*texts.warnings, *guide.warnings]
    kinds = {doubt.partition(":")[0] for doubt in found}
    doubts = guide.doubts("test")
    found += [doubt for doubt in doubts if doubt.partition(":")[0] not in kinds]
    student = mean_of(verdict.row(verdict.chosen))
    line = mean_of(verdict.row(BASELINE))
    if line > student:
        found.append(
            f"the linear baseline, which needs no teacher, has the higher macro F1:"
            f" {line:.3f} against {student:.3f} of the student that is kept"
        )
    found += _behind_largest(texts, verdict)
    if verdict.chosen == CONTROL:
        found.append(
            "the student that is kept learnt from the labels alone: on the validation"
            " texts the teacher did not help"
        )
    return found


def _behind_largest(texts: Texts, verdict: Verdict) -> list[str]:
    if texts.several:
        return []
    said = behind_largest(
        mean_of(verdict.row(verdict.chosen), "accuracy"),
        np.asarray(texts.reviews["test"]["label"]),
        texts.label_names,
    )
    return [f"the student that is kept, on the test texts: {said}"] if said else []
