"""The report: what was found, whether it helped, and what to do with the student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from .blocks import Block, Code, Heading, Items, Picture, Table, Words
from .delivered_forms import FORMS, USUAL
from .figures import interval_figure
from .front_report import front_blocks
from .guide import Guide
from .looking import Texts
from .request import Request
from .runs import ARMS, Trained
from .verdict import SCORES, Verdict, mean_of

LOAD = """import distill_helpers  # makes the student's classes known
from transformers import pipeline

classify = pipeline("text-classification", model="student")
print(classify("a text of your own"))"""
INTERVALS = (
    "The interval of several runs is over the seeds: how much another training would"
    " differ. That of one run, or of equal ones, is over the choice of the test texts"
)
LONGEST = 300
"""Letters of a text that the report shows."""


def compose(
    request: Request,
    texts: Texts,
    guide: Guide,
    trained: Trained,
    verdict: Verdict,
    parity: Mapping,
    missing: Sequence[str],
) -> list[Block]:
    """Lay out the report as blocks.

    Parameters
    ----------
    request, texts, guide, trained, verdict
        As for :func:`~distill_helpers.own_data.delivery.deliver`.
    parity : mapping
        See :class:`~distill_helpers.own_data.delivery.Delivered`.
    missing : sequence of str

    Returns
    -------
    list of Block
    """
    name = Path(request.source).name
    return [
        Heading(f"A student of {name}", 1),
        Words(verdict.helped),
        Words(f"The student that is kept: {verdict.why}."),
        *_beware(verdict.warnings),
        *_front(trained),
        Heading("What the file holds"),
        *(Words(line) for line in str(texts.report).splitlines() if line.strip()),
        Table(texts.counts, "Rows of each class in each part"),
        Heading("The teacher"),
        *_teacher(guide),
        Heading("Scores on the test texts"),
        *_scores(texts, trained, verdict),
        Heading("Class by class"),
        *_classes(verdict),
        Heading("Errors worth reading"),
        *_errors(verdict),
        Heading("What lies here"),
        *_files(trained.form, parity, missing),
        Heading("Settings"),
        Items(_settings(request, trained)),
    ]


def _front(trained: Trained) -> list[Block]:
    if trained.weighed is None:
        return []
    return [Heading("Which student"), *front_blocks(trained.weighed)]


def _in_form(form: str) -> str:
    return " in INT8" if form == USUAL else f", {FORMS[form].told}"


def _beware(warnings: Sequence[str]) -> list[Block]:
    return [Heading("Beware"), Items(warnings, beware=True)] if warnings else []


def _teacher(guide: Guide) -> list[Block]:
    blocks: list[Block] = [Items(guide.told)]
    quality = guide.quality
    if len(quality):
        blocks.append(
            Table(
                quality,
                "The teacher on the labelled parts that could be looked at before the"
                " end; on the training texts of a teacher made of them, out of fold",
            )
        )
    if not guide.warnings:
        blocks.append(
            Words(
                "It is not surer of the texts whose labels it may have seen than of the"
                " others: nothing speaks against trusting it."
            )
        )
    return blocks


def _scores(texts: Texts, trained: Trained, verdict: Verdict) -> list[Block]:
    said = [
        f"{SCORES[score]}: {comparison}"
        for score, found in verdict.comparisons.items()
        for comparison in found
    ]
    said.append(_over_texts(verdict))
    figure = interval_figure(verdict.rows, "f1", "macro F1 on the test texts")
    means = ", ".join(f"{row.name} {mean_of(row):.3f}" for row in verdict.rows)
    return [
        Words(
            f"{len(texts.reviews['test']):,} texts that no choice has looked at; each"
            f" way of training had {trained.steps:,} steps a seed.{_asked(trained)}"
        ),
        Table(verdict.scorecard, INTERVALS),
        Picture(
            figure, f"Macro F1 on the test texts, the mean over the seeds: {means}"
        ),
        Items([f"{arm}: {what}" for arm, what in ARMS.items() if verdict.row(arm)]),
        Items(said),
    ]


def _over_texts(verdict: Verdict) -> str:
    if not verdict.told_apart[0]:
        return f"{verdict.other_texts} (95%)"
    low, high = verdict.over_texts
    return (
        f"other test texts could have shown a gain of {low:+.3f} to {high:+.3f} in"
        " macro F1 over the control (bootstrap over the texts, 95%)"
    )


def _asked(trained: Trained) -> str:
    if trained.weighed is None:
        return ""
    return f" Every student answered from its bundle ({trained.form})."


def _classes(verdict: Verdict) -> list[Block]:
    blocks: list[Block] = [
        Table(verdict.per_class, f"{verdict.chosen}, the mean over the seeds")
    ]
    if verdict.confusion is not None:
        caption = f"The kept student (seed {verdict.seed}): how often which class was"
        blocks.append(Table(verdict.confusion, f"{caption} said for which", True))
    return blocks


def _errors(verdict: Verdict) -> list[Block]:
    if not len(verdict.errors):
        return [Words("There was none among the test texts.")]
    shown = verdict.errors.assign(text=verdict.errors["text"].map(_short))
    shown.index = pd.RangeIndex(1, len(shown) + 1, name="no.")
    return [Table(shown, "Errors of the kept student, the surest of each kind first")]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _files(form: str, parity: Mapping, missing: Sequence[str]) -> list[Block]:
    words = [
        "student/: a folder that transformers loads, with its model card",
        f"bundle/: the student as ONNX{_in_form(form)}, with its tokeniser and label"
        " names",
    ]
    if not any(reason.startswith("page/") for reason in missing):
        words.append("page/: the student in a browser page; any static server shows it")
    words.append("results.json: all numbers of this report")
    alike = [f"bundle/ {parity[f'onnx {form}']:.1%}"]
    if parity["page"] is not None:
        alike.append(f"page/ {parity['page']:.1%}")
    words.append(
        f"of {parity['texts']} texts the same labels as student/: {', '.join(alike)}"
    )
    blocks: list[Block] = [Items(words)]
    if missing:
        blocks.append(Items(missing, beware=True))
    return [
        *blocks,
        Words("To use it in Python:"),
        Code(LOAD),
    ]


def _settings(request: Request, trained: Trained) -> list[str]:
    return [
        f"student: {trained.student}",
        f"teacher: {request.teacher_name}",
        f"temperature: {request.temperature:g}",
        f"alpha (weight of the soft targets): {request.alpha:g}",
        f"loss between soft targets: {request.soft_loss}",
        f"soft targets weighed by: {request.example_weights or 'nothing'}",
        f"steps of each run: {trained.steps:,}",
        f"seeds: {', '.join(map(str, trained.seeds))}",
        f"class weights: {request.class_weights or 'none'}",
        f"labels shown: {request.labelled or 'all'}",
    ]
