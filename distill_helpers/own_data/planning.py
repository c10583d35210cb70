"""What will be done and how long it may take, said before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.encoding import EncodedReviews, encode_reviews
from ..students.linear import linear_baseline
from .choosing import budget
from .delivered_forms import FORMS
from .guide import Guide, language_model, live_teacher, small_teacher
from .looking import Texts
from .request import MAKE, Request
from .runs import DISTILLED, Recipe, make_recipe, make_tokenizer, ways
from .weighing import kind_of

if TYPE_CHECKING:
    import pandas as pd

FEW, MORE = 5, 15
"""Steps of the two runs that are timed: a step costs what lies between them."""
ASKED = 8
"""Texts that a saved teacher is asked to be timed."""
ANSWER = 1.0
"""Seconds that a language model behind an API may take to answer."""
LINEAR_TEACHER = 60.0
"""Fits of the linear baseline that the making of a linear teacher takes."""
FORM = 4.0
"""Seconds that our reference took to trace a student of one shape."""
EXPORT = 10.0
"""Seconds for costs, ONNX, INT8, page and report where our reference took one."""
REFERENCE = 0.13
"""Seconds of :func:`_chore` on the machine on which `EXPORT` was measured."""


@dataclass
class Plan:
    """What will be done; the seconds are an estimate.

    Attributes
    ----------
    stages : DataFrame
        A line a stage: ``what`` and ``seconds``.
    steps : int
        Updates of each run; of several students, of the one that makes most.
    """

    stages: pd.DataFrame
    steps: int

    @property
    def seconds(self) -> float:
        """The sum of the stages."""
        return float(self.stages["seconds"].sum())

    def __str__(self) -> str:
        wide = max(10, *map(len, self.stages.index))
        lines = [
            f"  {stage:{wide}} {line.what}, {in_words(line.seconds)}"
            for stage, line in zip(self.stages.index, self.stages.itertuples())
        ]
        total = f"plan ({in_words(self.seconds)} in all; an estimate from a few timed"
        return "\n".join([f"{total} steps):", *lines])


def in_words(seconds: float) -> str:
    """Round a time to what an estimate can say.

    Examples
    --------
    >>> in_words(0.4), in_words(52), in_words(290), in_words(9000)
    ('about 1 s', 'about 50 s', 'about 5 min', 'about 2.5 h')
    """
    if seconds < 10:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"


def plan(request: Request, texts: Texts, guide: Guide | None = None) -> Plan:
    """Settle the steps and estimate the time; nothing is written.

    Parameters
    ----------
    request : Request
    texts : Texts
    guide : Guide, optional
        Once it is open, its own speed is measured.

    Returns
    -------
    Plan
    """
    import pandas as pd

    what, seconds = _teacher(request, texts, guide)
    speed = _seconds(_chore) / REFERENCE
    training, steps = (_weighing if request.weighs else _training)(
        request, texts, speed
    )
    stages = {
        "teacher": (what, seconds),
        **training,
        "result": (
            f"{len(texts.reviews['test']):,} test texts, ONNX in"
            f" {'its form' if request.weighs else 'INT8'}, page, report",
            EXPORT * speed,
        ),
    }
    frame = pd.DataFrame.from_dict(stages, orient="index", columns=["what", "seconds"])
    return Plan(frame.rename_axis("stage"), steps)


Stages = dict[str, tuple[str, float]]


def _training(request: Request, texts: Texts, speed: float) -> tuple[Stages, int]:
    """Every way and seed of one student."""
    steps, a_run = _timed_run(request, texts)
    runs = len(ways(texts)) * len(request.seeds)
    said = (
        f"{' / '.join(ways(texts))} with {len(request.seeds)} seeds each:"
        f" {runs} runs of {steps:,} steps ({request.student})"
    )
    return {"training": (said, runs * a_run)}, steps


def _weighing(request: Request, texts: Texts, speed: float) -> tuple[Stages, int]:
    """Every student by its soft targets, in every form; then the chosen's control."""
    seeds, stages, timed = len(request.seeds), {}, []
    for student in request.kinds:
        steps, a_run = _timed_run(kind_of(request, texts, student), texts)
        timed.append((steps, a_run))
        stages[student] = (f"{seeds} runs of {steps:,} steps", seeds * a_run)
    forms = request.forms or tuple(FORMS)
    shapes = {FORMS[form].reshape for form in forms}
    traces = len(shapes) * len(request.kinds)
    stages["forms"] = (
        f"{', '.join(forms)}, where they apply; measured on the validation texts",
        FORM * speed * traces,
    )
    others = [arm for arm in ways(texts) if arm != DISTILLED]
    stages["control"] = (
        f"{' / '.join(others)} of the chosen student, at most",
        len(others) * seeds * max(a_run for _, a_run in timed),
    )
    return stages, max(steps for steps, _ in timed)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _timed_run(request: Request, texts: Texts) -> tuple[int, float]:
    """Return the steps of a run and the seconds that it may take."""
    recipe, tokenizer = make_recipe(request, texts), make_tokenizer(request, texts)
    reads = encode_reviews(texts.reviews["train"], tokenizer)
    held = encode_reviews(texts.reviews["validation"], tokenizer)
    return recipe.steps, _run_seconds(recipe, tokenizer, reads, held)


def _run_seconds(
    recipe: Recipe, tokenizer, reads: EncodedReviews, held: EncodedReviews
) -> float:
    """Time two short runs and stretch them to the length of a whole one."""

    def run(steps: int) -> Callable[[], object]:
        return lambda: recipe.train(tokenizer, reads, held, seed=0, steps=steps)

    run(1)()  # what only the first run pays
    few, more = _seconds(run(FEW)), _seconds(run(MORE))
    a_step = max(0.0, more - few) / (MORE - FEW)
    return few + a_step * max(0, recipe.steps - FEW)


def _teacher(request: Request, texts: Texts, guide: Guide | None) -> tuple[str, float]:
    reviews = texts.reviews
    asked_about = {name: list(part["text"]) for name, part in reviews.items()}
    asked_about["transfer"] = asked_about["transfer"][: budget(request, texts)]
    count = sum(map(len, asked_about.values()))
    if request.teacher == MAKE and guide is None:
        return _making(request, texts)
    asked = language_model(guide.teacher) if guide else None
    if asked is not None:
        priced = asked.estimate([t for part in asked_about.values() for t in part])
        said = "; ".join([request.teacher_name, *str(priced).splitlines()])
        return said, priced.requests * ANSWER / asked.concurrency
    live = None
    if guide is not None:
        live = live_teacher(guide.teacher) or small_teacher(guide.teacher)
    if live is None:
        return f"{request.teacher_name}: its answers are looked up", 0.0
    some = sorted(reviews["train"]["text"], key=len)
    middle = some[len(some) // 2 :][:ASKED]
    spent = _seconds(lambda: live.logits(middle))
    return f"{request.teacher_name} answers {count:,} texts", spent / len(
        middle
    ) * count


def _making(request: Request, texts: Texts) -> tuple[str, float]:
    part = texts.reviews["train"]
    labels = np.asarray(part["label"])
    if labels.ndim == 2:
        labels = labels.argmax(1)
    fit = _seconds(lambda: linear_baseline().fit(list(part["text"]), labels))
    draws = len(request.seeds) if request.labelled is not None else 1
    return "made of the labelled texts", LINEAR_TEACHER * fit * draws


def _chore() -> None:
    """Work a little, always the same."""
    rng = np.random.default_rng(0)
    square = rng.random((400, 400))
    for _ in range(20):
        square = np.tanh(square @ square / 400)
