"""A domain of texts, taken by the same way as a file of the reader's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ... import own_data
from ...data.deidentifying import find_personal, read_placed
from ...data.personal import Mark, replace_marks
from ...evaluation.cards import CARD
from ...evaluation.comparison import Comparison, compare_scores
from ...evaluation.deidentification import FinderReport, judge_finder
from ...evaluation.metrics import macro_f1
from ...evaluation.predict import Predictor, predictor
from ...evaluation.refusal import Use
from ...files import made_folder, whole_file
from ...own_data.runs import CONTROL, DISTILLED
from .codes import MedicalTexts, medical_texts
from .stories import Story

STUDENT = "text-cnn"
LEGAL_STUDENT = "bigram"
"""Of long texts: in as many seconds it reads them far more often."""
EPOCHS = {"support": 25.0, "medical": 14.0, "legal": 60.0, "icd": 8.0}
"""Passes over all texts, as many as two minutes allow."""
SHOWN_LABELS = 0.75
"""The share of the labels that each seed draws and shows; the others are hidden."""
PER_CHAPTER = 70
"""Descriptions of codes that are read of each chapter."""


@dataclass(frozen=True)
class Settings:
    """What the reader chose.

    Attributes
    ----------
    folder : Path
    seeds : sequence of int
    epochs : float, optional
        Passes over labelled and unlabelled texts together; by default those of
        :data:`EPOCHS`.
    codes : str
        Of the medical domain: ``"notes"``, ``"icd"`` or ``"auto"``.
    prices : str
        Of the finance domain: ``"simulated"``, ``"sp500"`` or ``"auto"``.
    """

    folder: Path
    seeds: Sequence[int] = (0, 1, 2)
    epochs: float | None = None
    codes: str = "notes"
    prices: str = "simulated"


class TextProject:
    """A file of texts, its teacher, its students, and what is handed over.

    Each step needs those before it.

    Parameters
    ----------
    story : Story
    settings : Settings

    Raises
    ------
    ValueError
        If the file has a class without a labelled text.
    """

    numeric = False

    def __init__(self, story: Story, settings: Settings) -> None:
        self.story, self.settings = story, settings
        self.medical: MedicalTexts | None = None
        if story.domain == "medical":
            self.medical = medical_texts(settings.codes, PER_CHAPTER)
        self.rows, self.placed, self.note = self._read()
        check_classes(self.rows)
        self.own: dict[str, Comparison] = {}

    def _read(self) -> tuple[pd.DataFrame, list[list[Mark]] | None, str]:
        if self.medical is None:
            rows = pd.read_csv(self.story.source, keep_default_na=False)
            return rows, None, f"the kit's {self.story.source.stem}, written for it"
        if self.medical.source == "icd":
            return self.medical.rows, None, self.medical.note
        rows = pd.read_csv(self.story.source, keep_default_na=False)
        placed = [read_placed(cell) for cell in rows["placed"]]
        return rows, placed, self.medical.note

    @property
    def student(self) -> str:
        """The kind of student."""
        return LEGAL_STUDENT if self.story.domain == "legal" else STUDENT

    @property
    def epochs(self) -> float:
        """As asked for, or those that fit the domain."""
        of_codes = self.medical is not None and self.medical.source == "icd"
        return self.settings.epochs or EPOCHS["icd" if of_codes else self.story.domain]

    # ------------------------------------------------------------ 1 what is there
    def look(self) -> pd.DataFrame:
        """Count the labelled rows of each class, and those without a label."""
        labelled = self.rows[self.rows["label"] != ""]
        counts = labelled["label"].value_counts().sort_index().to_frame("labelled")
        counts["words, median"] = [
            int(
                labelled["text"][labelled["label"] == name]
                .str.split()
                .str.len()
                .median()
            )
            for name in counts.index
        ]
        counts.loc["(no label)"] = [
            int((self.rows["label"] == "").sum()),
            int(self.rows["text"].str.split().str.len().median()),
        ]
        return counts.rename_axis("class")

    @property
    def example(self) -> str:
        """The first labelled row, with its class behind it."""
        row = self.rows[self.rows["label"] != ""].iloc[0]
        return f"{row['text']}  => {row['label']}"

    # ------------------------------------------------- 2 what must not get in
    def guard(self) -> pd.DataFrame:
        """Replace names, dates and numbers by their kind, and count them.

        Returns
        -------
        DataFrame
            A line a kind: how many were replaced; and where it is known what stands
            in the texts, how many were missed and how many were none.
        """
        texts = list(self.rows["text"])
        marks = [find_personal(text) for text in texts]
        found = pd.Series([m.kind for one in marks for m in one], dtype=object)
        table = found.value_counts().sort_index().to_frame("replaced")
        if self.placed is not None:
            judged = self._judge(texts)
            for kind, count in judged.kinds.items():
                table.loc[kind, "placed"] = count.placed
                table.loc[kind, "missed"] = count.missed
                table.loc[kind, "false alarms"] = count.false_alarms
            table = table.fillna(0).astype(int)
        return table.rename_axis("kind")

    def _judge(self, texts) -> FinderReport:
        self.finder = judge_finder(find_personal, texts, self.placed)
        return self.finder

    def guard_in_words(self) -> str:
        """Say what became of the guard's finds, and what nobody can know."""
        if self.placed is None:
            return (
                "Nobody has marked what stands in these texts, so that misses cannot be"
                " counted: read some of them"
            )
        total = self.finder.total
        low, high = total.recall_interval()
        missed = [
            self.rows["text"].iloc[at][mark.start : mark.end]
            for at, mark in self.finder.missed[:3]
        ]
        return (
            f"{total.placed - total.missed} of {total.placed} are gone, a share of"
            f" {total.recall:.3f} [{low:.3f}, {high:.3f}]; {total.false_alarms} false"
            f" alarms; missed were, for example, {', '.join(missed) or 'none'}"
        )

    @cached_property
    def file(self) -> Path:
        """The texts without what was found, written to the folder."""
        made = self.rows.copy()
        made["text"] = [replace_marks(t, find_personal(t))[0] for t in made["text"]]
        kept = [name for name in ("text", "label", "split") if name in made]
        made_folder(self.settings.folder, "folder for the results")
        path = self.settings.folder / f"{self.story.domain}.csv"
        self.clean, cells = (
            list(made["text"]),
            made[kept].to_csv(index=False, lineterminator="\n"),
        )
        # Two processes may stand here at once; what is right already stays.
        if not path.is_file() or path.read_bytes() != cells.encode():
            with whole_file(path) as part:
                part.write_bytes(cells.encode())
        return path

    # ------------------------------------------------- 3 teacher, students, control
    @cached_property
    def request(self) -> own_data.Request:
        """What is asked of ``own_data``."""
        return own_data.Request(
            self.file,
            how="linear",
            student=self.student,
            labelled=self._shown(),
            seeds=tuple(self.settings.seeds),
            epochs=self.epochs,
            output=self.settings.folder / "delivered",
        )

    def _shown(self) -> int:
        """Return how many labels each seed is shown: a share of those to learn from."""
        there = own_data.look(own_data.Request(self.file)).reviews["train"]
        return max(2, round(SHOWN_LABELS * len(there)))

    def learn(self, progress: bool = True) -> None:
        """Make the teacher, train all students, and look at the test texts once."""
        self.texts = own_data.look(self.request)
        self.guide = own_data.open_guide(self.request, self.texts, progress=False)
        self.trained = own_data.train(self.request, self.texts, self.guide, progress)
        self.verdict = own_data.judge(
            self.request, self.texts, self.guide, self.trained
        )

    @property
    def scorecard(self) -> pd.DataFrame:
        """Quality of teacher, linear line, control and students."""
        kept = ["accuracy", "95% interval", "F1", "ECE"]
        return self.verdict.scorecard[kept]

    @property
    def gain(self) -> Comparison:
        """Distilled against control, macro F1 on test texts, seed by seed."""
        return self.verdict.comparisons["f1"][0]

    @property
    def helped(self) -> str:
        """Whether the teacher helped, in plain words."""
        return self.verdict.helped

    # ------------------------------------------------ what the own parts stand on
    @property
    def seeds(self) -> tuple[int, ...]:
        """Those of all comparisons."""
        return tuple(self.settings.seeds)

    @property
    def students(self) -> dict[int, Predictor]:
        """The distilled students by seed: texts in, logits out."""
        return self._arm(DISTILLED)

    @property
    def controls(self) -> dict[int, Predictor]:
        """The controls by seed."""
        return self._arm(CONTROL)

    def _arm(self, name: str) -> dict[int, Predictor]:
        models = self.trained.models[name]
        return {
            seed: predictor(model, self.trained.tokenizer)
            for seed, model in zip(self.seeds, models)
        }

    def part(self, name: str) -> tuple[list[str], np.ndarray]:
        """Return texts and labels of a part."""
        rows = self.texts.reviews[name]
        return list(rows["text"]), np.asarray(rows["label"])

    def compare(self, scores, pairs, steps: int | None = None) -> list[Comparison]:
        """Compare settings seed by seed, and keep what came out."""
        found = compare_scores(scores, pairs, steps=steps)
        self.own |= {f"{one.treatment} - {one.control}": one for one in found}
        return found

    # ------------------------------------------------------- 7 handed over
    def deliver(self) -> str:
        """Write student, bundle, card and report, and say what was written."""
        self.delivered = own_data.deliver(
            self.request, self.texts, self.guide, self.trained, self.verdict
        )
        parity = self.delivered.parity
        lines = [
            f"written: student, bundle, card and report; {parity['onnx int8']:.0%} of"
            f" {parity['texts']} texts are answered by the bundle as in Python"
        ]
        return "\n".join([*lines, *self.delivered.missing])

    def release(self) -> own_data.Release:
        """Ask the five questions of lesson 11, and write the answers."""
        story = self.story
        found = own_data.release_check(
            self.delivered.folder,
            self.file,
            use=Use(story.use, person_decides=story.person_decides),
            about=story.about,
            labelled=self.request.labelled,
            seed=self.seeds[0],
        )
        own_data.write_release(found, self.settings.folder / "release")
        return found

    @property
    def card(self) -> str:
        """The student's card, as the release check left it."""
        return (self.settings.folder / "release" / CARD).read_text("utf-8")

    @property
    def milliseconds(self) -> float:
        """What one text takes the student, its median."""
        return self.verdict.row(self.verdict.chosen).cost.median_ms


def check_classes(rows: pd.DataFrame) -> None:
    """Raise unless each class has rows in every labelled part.

    Parameters
    ----------
    rows : DataFrame
        With ``label``, and ``split`` where the parts are given.

    Raises
    ------
    ValueError
        If a class has no row in a part; the message names them.
    """
    labelled = rows[rows["label"] != ""]
    if labelled.empty:
        raise ValueError("no row has a label: a domain needs some of every class")
    if "split" not in rows:
        return
    counts = pd.crosstab(labelled["label"], labelled["split"])
    for part in ("train", "validation", "test"):
        there = counts[part] if part in counts else pd.Series(0, counts.index)
        empty = sorted(there.index[there == 0])
        if empty:
            raise ValueError(
                f"the part {part!r} has no row of {', '.join(map(repr, empty))}: label"
                " some, or leave the class out"
            )


def f1_by_seed(students: dict[int, Predictor], texts, labels) -> dict[int, float]:
    """Return the macro F1 of each seed's student on some texts."""
    return {
        seed: macro_f1(answer(texts), np.asarray(labels))
        for seed, answer in students.items()
    }
