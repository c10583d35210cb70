"""Every student of a domain on one front: size, time and quality, and what fits."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ... import own_data
from ...evaluation.metrics import macro_f1
from ...own_data.weighing import Weighed
from .market import HELD, fit_student
from .market_bundle import ABOUT, MODEL, RegimeReader, write_market_bundle
from .market_project import STEPS, MarketProject
from .streaming import WEEK, regime_edges, regimes
from .text_project import TextProject

PASSES = {"support": 0.5, "medical": 0.25, "legal": 1 / 15}
"""Of a project's epochs, for each student: a look at all of them, not their best."""
WIDTHS = (2, 16, 128)
"""Hidden numbers of the students that read numbers."""


def weigh(
    project: TextProject | MarketProject,
    students: Sequence[str],
    forms: Sequence[str],
    budget_mb: float,
    progress: bool = True,
) -> Weighed:
    """Measure every student and form of a domain, on the part that chooses.

    Parameters
    ----------
    project : TextProject or MarketProject
        That has learnt.
    students, forms : sequence of str
        Kinds of students and what is made of each, as for
        :class:`~distill_helpers.own_data.Request`; ``["all"]`` for all of them.
        For numbers there is one kind, in three widths.
    budget_mb : float
        Megabytes as delivered.
    progress : bool, default True

    Returns
    -------
    Weighed
    """
    if project.numeric:
        return weigh_numbers(project, budget_mb)
    request = own_data.Request(
        project.file,
        how="linear",
        labelled=project.request.labelled,
        seeds=project.seeds[:1],
        epochs=PASSES[project.story.domain] * project.epochs,
        students=_named(students) or "all",
        forms=_named(forms),
        budget_mb=budget_mb,
        output=project.settings.folder / "weighed",
    )
    texts = own_data.look(request)
    guide = own_data.open_guide(request, texts, progress=False)
    try:
        return own_data.weigh(request, texts, guide, progress)
    finally:
        shutil.rmtree(request.working, ignore_errors=True)  # nothing is delivered of it


def _named(names: Sequence[str]) -> list[str] | None:
    return None if list(names) == ["all"] else list(names)


def weigh_numbers(project: MarketProject, budget_mb: float) -> Weighed:
    """Measure students of three widths on the days that are held back for choosing."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for width in WIDTHS:
            scores, made = {}, None
            for seed in project.seeds:
                made = _fitted(project, seed, width)
                scores[seed] = made[1]
            folder = Path(scratch) / str(width)
            write_market_bundle(folder, made[0], made[2], project.facts)
            mb = (
                sum((folder / "bundle" / n).stat().st_size for n in (MODEL, ABOUT))
                / 1e6
            )
            ms = _one_day_ms(RegimeReader(folder / "bundle"), project)
            found.append(own_data.Candidate(f"{width} hidden", "fp32", mb, ms, scores))
    return Weighed(
        found,
        [],
        {one.student: STEPS for one in found},
        float(STEPS),
        "MB: the files of the bundle; ms: from a day's return to the shares, ONNX Runtime"
        " in one thread; f1: on the days held back for choosing",
        budget_mb,
    )


def _fitted(project: MarketProject, seed: int, width: int):
    days, fold = project.days[seed], project.walked[seed].fold
    fit, held = fold.train[: -HELD - WEEK], fold.train[-HELD:]
    edges = regime_edges(days.ahead[fit])
    labels = regimes(days.ahead, edges)
    student = fit_student(
        days.streamed[fit], labels[fit], hidden=width, steps=STEPS, seed=seed
    )
    return student, macro_f1(student.answer(days.streamed[held]), labels[held]), edges


def _one_day_ms(reader: RegimeReader, project: MarketProject) -> float:
    spent = []
    for value in project.first.returns.to_numpy()[-200:]:
        start = time.perf_counter()
        reader.update(value)
        spent.append(time.perf_counter() - start)
    return float(np.median(spent) * 1e3)
