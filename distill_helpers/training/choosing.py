"""Which student to keep: the one that wins on validation, taught or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import check_choice
from ..data.encoding import EncodedReviews
from ..evaluation.metrics import measure_quality
from ..evaluation.predict import predict_encoded


@dataclass(frozen=True)
class Choice:
    """The student to keep, and why.

    Attributes
    ----------
    name : str
        The arm that won, such as ``"distilled"`` or ``"control"``.
    seed : int
        Its seed.
    model : PreTrainedModel
    metric : str
        What was compared.
    scores : mapping of str to mapping of int to float
        The metric on validation texts, by arm and seed.
    """

    name: str
    seed: int
    model: Any
    metric: str
    scores: Mapping[str, Mapping[int, float]]

    @property
    def means(self) -> dict[str, float]:
        """The mean over the seeds, by arm."""
        return {arm: _mean(by_seed) for arm, by_seed in self.scores.items()}

    @property
    def why(self) -> str:
        """The choice in one sentence."""
        others = {arm: mean for arm, mean in self.means.items() if arm != self.name}
        told = f"{self.metric.replace('_', ' ')} on validation texts"
        seeds = len(self.scores[self.name])
        mean = f"{self.means[self.name]:.3f}" + (
            f", the mean of {seeds} seeds" if seeds > 1 else ""
        )
        against = "; ".join(f"{arm} {value:.3f}" for arm, value in others.items())
        against = f", against {against}" if against else ""
        best = f"; seed {self.seed} is its best there" if seeds > 1 else ""
        tied = [arm for arm, value in others.items() if value == self.means[self.name]]
        tie = f"; equal to {' and '.join(tied)}, and named first" if tied else ""
        return f"{self.name}: {told} {mean}{against}{tie}{best}"

    def to_json(self) -> dict:
        """Return plain data: all but the model."""
        scores = {
            arm: {str(seed): float(value) for seed, value in by_seed.items()}
            for arm, by_seed in self.scores.items()
        }
        return {
            "name": self.name,
            "seed": self.seed,
            "metric": self.metric,
            "validation": scores,
            "why": self.why,
        }


def choose_student(
    candidates: Mapping[str, Sequence],
    validation: EncodedReviews | Sequence[EncodedReviews],
    tokenizer,
    *,
    seeds: Sequence[int],
    metric: str = "accuracy",
) -> Choice:
    """Choose the student to keep, by validation texts and never by the test.

    The arm with the best mean over the seeds wins, so that no lucky seed decides
    whether the teacher was worth it; of that arm the best seed is kept.

    Parameters
    ----------
    candidates : mapping of str to sequence of PreTrainedModel
        By arm, one model a seed. Of equal arms the one named first wins, so name
        the simplest first.
    validation : EncodedReviews or sequence of EncodedReviews
        Labelled; one for all, or one a seed.
    tokenizer : PreTrainedTokenizerBase
    seeds : sequence of int
        In the order of the models.
    metric : str, default "accuracy"
        A score of :func:`~distill_helpers.evaluation.metrics.measure_quality`.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        If there is no candidate, an arm has not one model a seed, or there is no
        such metric.

    Notes
    -----
    The winner's validation score is a little too high, as that of every winner;
    its score on the test part is not.
    """
    seeds = list(seeds)
    if not candidates or not seeds:
        raise ValueError("candidates and seeds must hold at least one entry each")
    parts = [validation] * len(seeds)
    if not isinstance(validation, EncodedReviews):
        parts = list(validation)
    for arm, models in [*candidates.items(), ("validation", parts)]:
        if len(models) != len(seeds):
            raise ValueError(
                f"{arm!r} must have one entry a seed ({len(seeds)}), got {len(models)}"
            )
    scores = {
        arm: {
            seed: _score(model, tokenizer, part, metric)
            for seed, model, part in zip(seeds, models, parts)
        }
        for arm, models in candidates.items()
    }
    arm = max(scores, key=lambda arm: _mean(scores[arm]))
    seed = max(scores[arm], key=scores[arm].get)
    model = candidates[arm][seeds.index(seed)]
    return Choice(arm, seed, model, metric, scores)


def _score(model, tokenizer, part: EncodedReviews, metric: str) -> float:
    logits = predict_encoded(model, tokenizer, part)
    scores = measure_quality(logits, part.labels).scores
    return float(scores[check_choice("metric", metric, scores)])


def _mean(by_seed: Mapping[int, float]) -> float:
    return float(np.mean(list(by_seed.values())))
