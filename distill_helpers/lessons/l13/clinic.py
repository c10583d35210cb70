"""Medical: general first and special then, against special alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...data.encoding import encode_reviews
from ...data.reviews import ReviewDict, load_reviews
from ...evaluation.metrics import macro_f1
from ...evaluation.predict import predictor
from ...files import whole_file
from ...own_data.runs import DISTILLED
from ...students.registry import build_student, student_spec
from ...teachers.making import make_teacher
from ...training.recipes import train_further
from .text_project import STUDENT, TextProject

TWO, ONE = "two stages", "one stage"
AFTER, BEFORE = "chapters after stage two", "chapters after stage one"
SPECIAL_STEPS = 120
"""Of the second stage; one stage has these and those of the first."""


@dataclass
class Stages:
    """What both ways gave, by seed."""

    scores: dict[str, dict[int, float]]
    """Macro F1 on codes (:data:`TWO`, :data:`ONE`) and chapters."""
    steps: int
    """Of each way in all."""
    rows: dict[str, int]
    """Texts with a code, by part."""
    codes: list[str]
    """Those with a text in every part: texts that are nearly the same stay in one."""

    def table(self) -> pd.DataFrame:
        """Lay the scores out, a column a seed."""
        return pd.DataFrame(self.scores).T.rename_axis(columns="seed").round(3)


def special_reviews(project: TextProject) -> ReviewDict:
    """Read the codes of the specialty, each text in the part that it has already.

    Parameters
    ----------
    project : TextProject
        Of the medical domain, that has learnt.

    Returns
    -------
    ReviewDict

    Raises
    ------
    ValueError
        If a code has no text in a part.
    """
    rows = project.rows.copy()
    project.file  # noqa: B018 - the cleaned texts are made with it
    rows["text"] = project.clean
    reviews = load_reviews(project.file)
    part_of = {
        text: name
        for name in ("train", "validation", "test")
        for text in reviews[name]["text"]
    }
    rows["split"] = rows["text"].map(part_of)
    rows = rows[(rows["code"] != "") & rows["split"].notna()]
    counts = pd.crosstab(rows["code"], rows["split"])
    rows = rows[rows["code"].isin(counts.index[(counts > 0).sum(axis=1) == 3])]
    path = project.settings.folder / "codes.csv"
    with whole_file(path) as part:
        rows[["text", "code", "split"]].to_csv(part, index=False)
    return load_reviews(path, label_column="code")


def run_stages(project: TextProject, steps: int = SPECIAL_STEPS) -> Stages:
    """Train both ways for as many steps, and see what the second stage forgets.

    Parameters
    ----------
    project : TextProject
        Of the medical domain, that has learnt: its distilled students are stage one.
    steps : int
        Of the second stage.

    Returns
    -------
    Stages
    """
    codes = special_reviews(project)
    words, total = project.trained.tokenizer, project.trained.steps + steps
    teacher = make_teacher(codes, "linear", progress=False)
    reads = encode_reviews(codes["train"], words, teacher)
    held = encode_reviews(codes["validation"], words)
    scores: dict[str, dict[int, float]] = {
        name: {} for name in (TWO, ONE, AFTER, BEFORE)
    }
    for seed, first in zip(project.seeds, project.trained.models[DISTILLED]):
        fresh = build_student(STUDENT, words, label_names=codes.label_names, seed=seed)
        one = _train(copy.deepcopy(fresh), words, reads, held, total, seed)
        second = _train(_with_body(fresh, first), words, reads, held, steps, seed)
        back = _with_body(copy.deepcopy(first), second)
        for name, model, part in (
            (TWO, second, codes["test"]),
            (ONE, one, codes["test"]),
            (AFTER, back, project.texts.reviews["test"]),
            (BEFORE, first, project.texts.reviews["test"]),
        ):
            answer = predictor(model, words)(list(part["text"]))
            scores[name][seed] = macro_f1(answer, np.asarray(part["label"]))
    rows = {name: len(codes[name]) for name in ("train", "validation", "test")}
    return Stages(scores, total, rows, list(codes.label_names))


def _train(model, words, reads, held, steps: int, seed: int):
    recipe = student_spec(STUDENT).recipe
    return train_further(
        model,
        words,
        reads,
        held,
        steps=steps,
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
        weight_decay=recipe.weight_decay,
        metric="f1",
        seed=seed,
    )


def _with_body(model, other):
    """Give a model all of another's weights but those of its head; it is changed."""
    body = {
        name: weight
        for name, weight in other.state_dict().items()
        if not name.startswith("classifier.")
    }
    missing, unknown = model.load_state_dict(body, strict=False)
    if unknown or any(not name.startswith("classifier.") for name in missing):
        raise ValueError(f"the two students differ in {[*missing, *unknown]}")
    return model.eval()
