"""Texts of rare classes from a graph: against as much random text, and none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import f1_score

from ...evaluation.comparison import Comparison
from ...places import DATA
from ...students.tfidf import Reader, learn
from .graph import CLINICAL_GRAPH, Graph
from .path_texts import MESSAGES, NOTES, Forms, rare_classes, texts_from_paths
from .text_project import TextProject

SUPPORT_GRAPH = DATA / "domains" / "support_graph.csv"
EACH = 40
"""Texts for each rare class."""
NONE, GRAPH, OTHERS, RANDOM = (
    "no more text",
    "paths of rare classes",
    "paths of any class",
    "random words",
)


@dataclass(frozen=True)
class Source:
    """Where the facts of a domain stand, and how texts are made of them."""

    facts: Path
    forms: Forms
    share: float
    """A class is rare below this share of the median class."""
    shared: str
    """The relation that two leaves may have to the same."""


SOURCES = {
    "support": Source(SUPPORT_GRAPH, MESSAGES, 0.75, "CONCERNS"),
    "medical": Source(CLINICAL_GRAPH, NOTES, 1.0, "SHOWS_AS"),
}


def source_of(project) -> Source | None:
    """Return the facts that can feed a project, or None where there are none."""
    medical = getattr(project, "medical", None)
    if medical is not None and medical.source == "icd":
        return None  # a hierarchy says what belongs to what, not how it is written
    return SOURCES.get(project.story.domain)


@dataclass
class Fed:
    """What texts from a graph were, and what they did."""

    rare: list[str]
    each: int
    told: dict[int, float]
    """By seed, the share of texts from the graph that the teacher takes for the class
    that they were written for."""
    scores: dict[str, dict[int, float]]
    """Macro F1 of the rare classes on the test texts, by arm and seed."""
    gains: list[Comparison]
    examples: list[str]

    def table(self) -> pd.DataFrame:
        """Lay the scores out, a column a seed."""
        rows = pd.DataFrame(self.scores).T.rename_axis("fed with")
        return rows.assign(mean=rows.mean(axis=1)).round(3)


def feed(project: TextProject, graph: Graph, each: int = EACH) -> Fed:
    """Feed a quick student four ways, all answers by the seed's teacher.

    The student is the linear one of lesson 11, since only what it reads shall differ.

    Parameters
    ----------
    project : TextProject
        That has learnt.
    graph : Graph
        With the facts of :func:`source_of`.
    each : int, default 40
        Texts for each rare class.

    Returns
    -------
    Fed
    """
    source = source_of(project)
    names = project.texts.label_names
    counts = Counter(np.asarray(project.texts.reviews["train"]["label"]).tolist())
    rare = rare_classes({n: counts[i] for i, n in enumerate(names)}, source.share)
    group = source.forms.group
    by_arm: dict[str, dict[int, float]] = {}
    told: dict[int, float] = {}
    examples: list[str] = []
    for seed in project.seeds:
        wanted = {(group, name): each for name in rare}
        paths = texts_from_paths(graph, wanted, seed, source.forms)
        share = -(-len(paths) // len(names))
        spread = texts_from_paths(
            graph, {(group, name): share for name in names}, seed, source.forms
        )
        lot = np.random.default_rng(seed).permutation(len(spread))[: len(paths)]
        arms = {
            NONE: [],
            GRAPH: paths,
            OTHERS: [spread[at] for at in lot],
            RANDOM: _shuffled(project, paths, seed),
        }
        answers = project.guide.of(seed).logits(paths).argmax(1)
        meant = np.repeat([names.index(name) for name in rare], each)
        told[seed] = float((answers == meant).mean())
        for name, score in _judged(project, seed, arms, rare).items():
            by_arm.setdefault(name, {})[seed] = score
        examples = examples or [paths[0], paths[-1]]
    gains = project.compare(by_arm, [(GRAPH, NONE), (GRAPH, RANDOM), (GRAPH, OTHERS)])
    return Fed(rare, each, told, by_arm, gains, examples)


def _shuffled(project: TextProject, like, seed: int) -> list[str]:
    """Draw words of the unlabelled texts, as many as each text of others has."""
    generator = np.random.default_rng(seed)
    words = " ".join(project.texts.reviews["transfer"]["text"]).split()
    return [" ".join(generator.choice(words, len(text.split()))) for text in like]


def _judged(project: TextProject, seed: int, arms, rare) -> dict[str, float]:
    drawn = project.texts.drawn(seed)
    teacher = project.guide.of(seed)
    pool = [*drawn["train"]["text"], *drawn["transfer"]["text"]]
    test = list(drawn["test"]["text"])
    truth = np.asarray(drawn["test"]["label"])
    wanted = [project.texts.label_names.index(name) for name in rare]
    # One reader for all arms: only the student's texts differ.
    reader = Reader([*pool, *(text for texts in arms.values() for text in texts)])
    base, told = reader(pool), teacher.logits(pool)
    found = {}
    for name, texts in arms.items():
        features, logits = base, told
        if texts:
            features = sparse.vstack([base, reader(texts)]).tocsr()
            logits = np.concatenate([told, teacher.logits(texts)])
        chosen = learn(features, logits).logits(reader(test)).argmax(1)
        found[name] = float(
            f1_score(truth, chosen, labels=wanted, average="macro", zero_division=0)
        )
    return found
