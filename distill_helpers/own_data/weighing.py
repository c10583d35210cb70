"""Every student of the kit in every form, measured on one file and one machine."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime

from distill_helpers import __version__

from ..evaluation.cost import race
from ..evaluation.metrics import measure_quality
from ..export.bundle import TextClassifier, bundle_bytes
from ..export.refilling import Tracer
from .choosing import texts_read
from .delivered_forms import FORMS, DoesNotApplyError, Source, reshaped, write_form
from .front import (
    Candidate,
    best_within,
    front_of,
    not_shown_worse,
    what_it_takes,
)
from .guide import Guide
from .looking import Texts
from .request import FORMS_KEPT, Request
from .runs import DISTILLED, METRIC, Trained, encoded_arms, key_of, passes, train_one

if TYPE_CHECKING:
    import pandas as pd

ROUNDS = 60
"""Texts that are timed, all candidates taking turns on each."""


@dataclass(frozen=True)
class Weighed:
    """What was measured, and what is chosen of it under a budget.

    Attributes
    ----------
    candidates : list of Candidate
        Every student in every form that applies.
    left_out : list of str
        Which forms do not apply to which student, and why.
    steps : dict of str to int
        Updates of each run, by the kind of student.
    passes : float
        How often each student read the same texts.
    measured : str
        How size, time and quality were measured.
    budget_mb, budget_ms : float or None
    """

    candidates: list[Candidate]
    left_out: list[str]
    steps: dict[str, int]
    passes: float
    measured: str
    budget_mb: float | None = None
    budget_ms: float | None = None

    @cached_property
    def chosen(self) -> Candidate | None:
        """The best on the validation texts that fits; None where nothing does."""
        return best_within(self.candidates, self.budget_mb, self.budget_ms)

    @cached_property
    def on_front(self) -> list[Candidate]:
        """The candidates that none beats, the smallest first."""
        return front_of(self.candidates)

    @property
    def table(self) -> pd.DataFrame:
        """Every candidate: costs, quality, whether it is on the front and fits."""
        import pandas as pd

        lines = {one.name: self._line(one) for one in self.candidates}
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("candidate")

    def _line(self, one: Candidate) -> dict:
        low, high = one.interval or (np.nan, np.nan)
        return {
            "student": one.student,
            "form": one.form,
            "MB": one.mb,
            "ms": one.ms,
            "f1": one.mean,
            "low": low,
            "high": high,
            "front": one in self.on_front,
            "fits": one.fits(self.budget_mb, self.budget_ms),
            "chosen": one is self.chosen,
        }

    @property
    def front(self) -> pd.DataFrame:
        """The lines of the table that are on the front, the smallest first."""
        return self.table.loc[[one.name for one in self.on_front]]

    @property
    def budget(self) -> str:
        """The budget in words; empty without one."""
        asked = {"MB": self.budget_mb, "ms a text": self.budget_ms}
        return " and ".join(f"{v:g} {k}" for k, v in asked.items() if v is not None)

    @property
    def why(self) -> str:
        """The choice in a sentence; or what the smallest and the fastest would take."""
        if self.chosen is None:
            return what_it_takes(self.candidates, self.budget_mb, self.budget_ms)
        one, seeds = self.chosen, len(self.chosen.scores)
        fit = sum(self.table["fits"])
        among = f"of {len(self.candidates)}"
        if self.budget:
            among = f"of the {fit} of {len(self.candidates)} within {self.budget}"
        over = f", the mean of {seeds} seeds" if seeds > 1 else ""
        if one.interval:
            over += " [{:.3f}, {:.3f}]".format(*one.interval)
        return (
            f"{one.name} ({FORMS[one.form].told}): the best macro F1 on validation"
            f" texts {among}, {one.mean:.3f}{over}{self._as_good}; {one.cost}"
        )

    @property
    def _as_good(self) -> str:
        """Say how many that fit are as good: what decided then was the size."""
        fit = [c for c in self.candidates if c.fits(self.budget_mb, self.budget_ms)]
        equal = sum(c.mean == self.chosen.mean for c in fit) - 1
        if not equal:
            return ""
        are = "others are" if equal > 1 else "other is"
        return f"; {equal} {are} as good there, and it is the smallest of them"

    @property
    def alike(self) -> str | None:
        """The next best on the front, if it is smaller and not shown to be worse."""
        if self.chosen is None:
            return None
        return not_shown_worse(self.chosen, self.on_front)

    @property
    def alt(self) -> str:
        """The chart in words."""
        points = "; ".join(
            f"{one.name} {one.mb:.3g} MB, {one.ms:.2g} ms, {one.mean:.3f}"
            for one in self.on_front
        )
        limit = f" The budget is {self.budget}." if self.budget else ""
        said = self.chosen.name if self.chosen else "nothing, as nothing fits"
        return (
            f"Macro F1 on validation texts against size and against time of"
            f" {len(self.candidates)} candidates. On the front: {points}.{limit}"
            f" Chosen: {said}."
        )

    def within(
        self, budget_mb: float | None = None, budget_ms: float | None = None
    ) -> Weighed:
        """Return the same measurements under another budget."""
        return replace(self, budget_mb=budget_mb, budget_ms=budget_ms)

    def to_json(self) -> dict:
        """Return plain data."""
        front = [one.name for one in self.on_front]
        return {
            "metric": METRIC,
            "part": "validation",
            "budget_mb": self.budget_mb,
            "budget_ms": self.budget_ms,
            "candidates": [
                one.to_json() | {"front": one.name in front} for one in self.candidates
            ],
            "chosen": None if self.chosen is None else self.chosen.name,
            "why": self.why,
            "alike": self.alike,
            "left_out": self.left_out,
            "passes": self.passes,
            "steps": self.steps,
            "measured": self.measured,
        }

    def __str__(self) -> str:
        shown = self.table.drop(columns=["student", "form"]).round(3)
        lines = [shown.to_string(), self.measured]
        lines += [f"left out: {reason}" for reason in self.left_out]
        lines.append(f"chosen: {self.why}" if self.chosen else f"! {self.why}")
        return "\n".join([*lines, *([self.alike] if self.alike else [])])


def kind_of(request: Request, texts: Texts, student: str) -> Request:
    """Return the wish for one of several students, all with as many passes.

    Each reads the same texts as often, in batches of its own size: as many passes as
    the one needs that needs most.
    """
    return request.of_one(student, equal_passes(request, texts))


def equal_passes(request: Request, texts: Texts) -> float:
    """Return how often every student reads the texts."""
    count = texts_read(request, texts)
    kinds = [request.of_one(student, request.epochs) for student in request.kinds]
    return max(passes(one, count) for one in kinds)


def weigh(
    request: Request, texts: Texts, guide: Guide, progress: bool = True
) -> Weighed:
    """Train every student, write it in every form, and measure all of them.

    Parameters
    ----------
    request : Request
    texts : Texts
    guide : Guide
    progress : bool, default True

    Returns
    -------
    Weighed
        Its choice has looked at validation texts alone.

    Notes
    -----
    Each student learns from the teacher's soft targets. Runs and bundles are kept in
    the working folder: stopped, the same call goes on.
    """
    found, left_out, steps, trace = [], [], {}, Tracer()
    for student in request.kinds:
        one = kind_of(request, texts, student)
        trained = train_one(one, texts, guide, progress, [DISTILLED])
        steps[student] = trained.steps
        for form in _bar(request.forms or tuple(FORMS), student, progress):
            try:
                bundles = form_bundles(
                    one, texts, guide, trained, form, DISTILLED, trace
                )
            except DoesNotApplyError as reason:
                left_out.append(f"{student}, {reason}")
                continue
            found.append(_candidate(student, form, bundles, texts))
    if not found:
        raise DoesNotApplyError(f"no form applies: {'; '.join(left_out)}")
    timed, how = _timed(found, list(texts.reviews["validation"]["text"]))
    return Weighed(
        timed,
        left_out,
        steps,
        equal_passes(request, texts),
        how,
        request.budget_mb,
        request.budget_ms,
    )


def _bar(forms: Sequence[str], student: str, progress: bool) -> Iterable[str]:
    from tqdm.auto import tqdm

    return tqdm(forms, f"{student} in its forms", disable=None if progress else True)


def _candidate(student: str, form: str, bundles: dict, texts: Texts) -> Candidate:
    return Candidate(
        student,
        form,
        max(map(bundle_bytes, bundles.values())) / 1e6,
        float("nan"),
        {seed: validated(bundle, texts) for seed, bundle in bundles.items()},
        bundles,
    )


def validated(bundle: Path, texts: Texts) -> float:
    """Return a bundle's macro F1 on the validation texts."""
    part = texts.reviews["validation"]
    logits = TextClassifier(bundle, threads=1)(list(part["text"]))
    return float(measure_quality(logits, np.asarray(part["label"])).scores[METRIC])


def _timed(
    candidates: Sequence[Candidate], texts: list[str]
) -> tuple[list[Candidate], str]:
    """Let the first seed's bundles take turns on the same texts."""
    opened = {
        one.name: TextClassifier(next(iter(one.bundles.values())), threads=1)
        for one in candidates
    }
    spent = race(opened, texts, ROUNDS)
    return [replace(one, ms=spent[one.name]) for one in candidates], (
        f"MB: the files of the bundle, the largest of the seeds'; ms: the median of"
        f" {ROUNDS} validation texts read one by one, all candidates taking turns, from"
        f" the text to its logits, ONNX Runtime {onnxruntime.__version__} in one thread"
        f" on {platform.system()} {platform.machine()}; f1: of the same bundles, on"
        f" {len(texts):,} validation texts"
    )


# ------------------------------------------------------------- kept when done
def form_bundles(
    one: Request,
    texts: Texts,
    guide: Guide,
    trained: Trained,
    form: str,
    arm: str,
    trace: Tracer,
) -> dict[int, Path]:
    """Write every seed's student in a form, or find what was written before.

    Raises
    ------
    DoesNotApplyError
        If such a student cannot have the form.
    """
    found = {}
    for seed, source in sources(texts, guide, trained, arm):
        key = key_of(_facts(source, texts) | {"form": form})
        name = f"{one.student}-{form}-{arm.replace(' ', '-')}-{seed}-{key}"
        found[seed] = one.working / FORMS_KEPT / name
        if not found[seed].exists():
            write_form(found[seed], form, *reshaped(form, source), texts, trace)
    return found


def sources(
    texts: Texts, guide: Guide, trained: Trained, arm: str
) -> Iterator[tuple[int, Source]]:
    """Yield every seed's student of one way of training, and what it read."""
    reviews = texts.reviews
    read = list(reviews["train"]["text"]) + list(reviews["transfer"]["text"])
    for seed, model in zip(trained.seeds, trained.models[arm]):

        def reads(seed=seed):
            return encoded_arms(guide, seed, trained.tokenizer)[0][arm]()

        yield seed, Source(model, trained.tokenizer, reads, read)


def _facts(source: Source, texts: Texts) -> dict:
    """Plain data that a bundle hangs on."""
    weights = hashlib.sha256()
    for name, tensor in source.model.state_dict().items():
        weights.update(name.encode() + tensor.cpu().numpy().tobytes())
    part = texts.reviews["validation"]
    return {
        "kit": __version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "weights": weights.hexdigest(),
        "tokenizer": key_of(_reading(source.tokenizer)),
        "texts": key_of({"texts": list(source.texts)}),
        "calibrated": key_of(
            {"texts": list(part["text"]), "labels": np.asarray(part["label"]).tolist()}
        ),
    }


def _reading(tokenizer) -> dict:
    """Return what a tokeniser is, without how it was last called."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    called = ("truncation", "padding")
    return {name: value for name, value in state.items() if name not in called}
