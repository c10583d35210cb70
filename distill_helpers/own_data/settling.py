"""From what was weighed to what is judged: the chosen student, its form, its control."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..evaluation.cost import Cost, count_parameters, measure_cost
from ..evaluation.predict import Predictor
from ..export.bundle import TextClassifier, bundle_bytes
from ..export.refilling import Tracer
from ..training.choosing import Choice
from .delivered_forms import reshaped
from .front import NothingFitsError
from .front_report import write_front
from .guide import Guide
from .looking import Texts
from .request import Request
from .runs import METRIC, Trained, train_one
from .weighing import Weighed, form_bundles, kind_of, sources, validated, weigh


@dataclass
class TrainedInForm(Trained):
    """The students of the chosen kind, as they would be delivered.

    Attributes
    ----------
    bundles : dict of str to list of Path
        By the way of training, in the order of the seeds.
    """

    bundles: dict[str, list[Path]] = field(default_factory=dict)

    def predictors(self) -> dict[str, list[Predictor]]:
        """Return the bundles, by the way of training."""
        return {
            arm: [TextClassifier(bundle, threads=1) for bundle in bundles]
            for arm, bundles in self.bundles.items()
        }

    def cost(self, texts: Sequence[str]) -> Cost:
        """Measure what the bundle that is kept takes."""
        return measure_cost(
            TextClassifier(self._kept, threads=1),
            texts,
            parameters=count_parameters(self.choice.model),
            bytes_on_disk=bundle_bytes(self._kept),
        )

    def write_bundle(self, folder: Path, texts: Texts) -> None:
        """Hand over the bundle that was measured."""
        shutil.copytree(self._kept, folder)

    @property
    def _kept(self) -> Path:
        place = self.seeds.index(self.choice.seed)
        return self.bundles[self.choice.name][place]

    def __str__(self) -> str:
        return f"{self.weighed}\n{super().__str__()}"


def train(
    request: Request,
    texts: Texts,
    guide: Guide,
    progress: bool = True,
    weighed: Weighed | None = None,
) -> Trained:
    """Train every way and seed; where there is a choice of students, choose one first.

    Parameters
    ----------
    request : Request
    texts : Texts
    guide : Guide
    progress : bool, default True
    weighed : Weighed, optional
        From :func:`~distill_helpers.own_data.weighing.weigh`, if that was called
        before; its budget counts.

    Returns
    -------
    Trained
        Under a choice of students a :class:`TrainedInForm`: the chosen student in
        the chosen form, with its control.

    Raises
    ------
    NothingFitsError
        If no student fits the budget. The front is written to the working folder,
        and what was trained stays there.

    Notes
    -----
    Which way of training is kept is settled on the same validation texts, for the
    chosen student and form alone: the ways cost the same.
    """
    if weighed is None and not request.weighs:
        return train_one(request, texts, guide, progress)
    weighed = weighed or weigh(request, texts, guide, progress)
    if weighed.chosen is None:
        path = write_front(request, texts, weighed)
        raise NothingFitsError(
            f"{weighed.why}. What was measured lies in {str(path)!r}; the same command"
            " with a larger budget goes on from there"
        )
    one = kind_of(request, texts, weighed.chosen.student)
    return _in_form(one, texts, guide, train_one(one, texts, guide, progress), weighed)


def _in_form(
    one: Request, texts: Texts, guide: Guide, trained: Trained, weighed: Weighed
) -> TrainedInForm:
    form, trace = weighed.chosen.form, Tracer()
    bundles = {
        arm: form_bundles(one, texts, guide, trained, form, arm, trace)
        for arm in trained.models
    }
    scores = {
        arm: {seed: validated(bundle, texts) for seed, bundle in by_seed.items()}
        for arm, by_seed in bundles.items()
    }
    choice = _best(scores)
    source = dict(sources(texts, guide, trained, choice.name))[choice.seed]
    model, tokenizer = reshaped(form, source)
    return TrainedInForm(
        trained.models,
        replace(choice, model=model),
        tokenizer,
        trained.seeds,
        trained.steps,
        trained.student,
        form,
        weighed,
        {arm: list(by_seed.values()) for arm, by_seed in bundles.items()},
    )


def _best(scores: dict[str, dict[int, float]]) -> Choice:
    """Take the way with the best mean, then its best seed, as everywhere."""
    means = {arm: sum(by_seed.values()) for arm, by_seed in scores.items()}
    arm = max(means, key=means.get)
    seed = max(scores[arm], key=scores[arm].get)
    return Choice(arm, seed, None, METRIC, scores)
