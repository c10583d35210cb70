"""From a config to what a student is trained on: losses, weights, order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch.utils.data import Sampler

from ..data.encoding import EncodedReviews
from ..losses.combined import standard_losses
from ..losses.matching import HiddenStateMatcher
from ..losses.named import KL, check_soft_loss, soft_loss
from ..losses.relational import weighted_relational
from ..losses.soft_targets import EXAMPLE_WEIGHT
from ..losses.weighted import WeightedLoss
from .checks import check_loss_names
from .config import DistillationConfig
from .counted import order_seed
from .curriculum import (
    CurriculumSampler,
    check_curriculum,
    curriculum_order,
    difficulty_of,
    pacing,
)
from .weighting import weighted_reads

_STANDARD_ONLY = {
    "class_weights": None,
    "soft_loss": KL,
    "final_temperature": None,
    "relational": 0.0,
    "example_weights": None,
}
"""Fields that losses of one's own stand for, and what they are when left alone."""


@dataclass(frozen=True)
class Objective:
    """What a config says, for one task.

    Attributes
    ----------
    args : DistillationConfig
    problem_type : str
    classes : int
    """

    args: DistillationConfig
    problem_type: str
    classes: int

    def __post_init__(self) -> None:
        options = self.args.soft_loss_kwargs
        check_soft_loss(self.args.soft_loss, options, self.classes, self.problem_type)

    def losses(
        self,
        own: Sequence[WeightedLoss] | None,
        hidden_states: HiddenStateMatcher | None,
        class_weights: Sequence[float] | None = None,
    ) -> list[WeightedLoss]:
        """List the losses: those that are given, else what the config says.

        Raises
        ------
        ValueError
            If losses are given, and the config says something about the others.
        """
        args = self.args
        if own is None:
            own = standard_losses(
                args.temperature,
                args.alpha,
                self.problem_type,
                class_weights,
                soft_loss=args.soft_loss,
                soft_loss_kwargs=args.soft_loss_kwargs,
            )
            if args.relational:
                kind = self.problem_type
                own.append(weighted_relational(args.relational, problem_type=kind))
        else:
            _check_standard_only(args)
        hidden = [] if hidden_states is None else [hidden_states.as_loss()]
        return check_loss_names([*own, *hidden])

    def at(
        self, losses: Sequence[WeightedLoss], update: int, updates: int
    ) -> list[WeightedLoss]:
        """Give the soft targets the temperature of an update, counted from 0.

        It goes in a straight line from the first to the last update, as in annealed
        distillation [1]_.

        References
        ----------
        .. [1] A. Jafari et al., "Annealing knowledge distillation", EACL 2021,
           arXiv:2104.07163.
        """
        args = self.args
        if args.final_temperature is None:
            return list(losses)
        done = min(1.0, update / max(1, updates - 1))
        now = args.temperature + done * (args.final_temperature - args.temperature)
        soft = soft_loss(
            args.soft_loss,
            now,
            problem_type=self.problem_type,
            options=args.soft_loss_kwargs,
        )
        return [
            replace(loss, function=soft.function) if loss.name == soft.name else loss
            for loss in losses
        ]

    def weigh(self, reads: EncodedReviews) -> EncodedReviews:
        """Give each text its weight, where the config says so.

        Raises
        ------
        ValueError
            If there are weights already, or no logits to weigh by.
        """
        how = self.args.example_weights
        if how is None:
            return reads
        if EXAMPLE_WEIGHT in reads.tensors:
            raise ValueError(
                f"example_weights={how!r}, but the data have a column"
                f" {EXAMPLE_WEIGHT!r} already: leave one of the two out"
            )
        if reads.teacher_logits is None:
            live = " (with live_teacher=True there are none yet)"
            raise ValueError(
                f"example_weights={how!r} needs the teacher's logits of all texts before"
                f" training, which train_dataset lacks{live if reads.texts else ''}"
            )
        return weighted_reads(
            reads,
            how,
            problem_type=self.problem_type,
            **(self.args.example_weights_kwargs or {}),
        )

    def sampler(self, reads: EncodedReviews, batch_size: int) -> Sampler | None:
        """Return the order of the texts by a curriculum; None if there is none.

        Parameters
        ----------
        reads : EncodedReviews
        batch_size : int
            Texts that one update reads, on all processes.
        """
        args = self.args
        if args.curriculum is None:
            return None
        told = check_curriculum(args.curriculum, args.curriculum_kwargs)
        hard = difficulty_of(reads, told["difficulty"], self.problem_type)
        seed = order_seed(args)
        return CurriculumSampler(
            curriculum_order(hard, args.curriculum, seed),
            pacing(told["pacing"], told["start"], told["full_at"]),
            batch_size,
            _updates(args, len(reads), batch_size),
            seed,
        )

    def facts(self) -> dict:
        """Return what a resumed run must share, as plain data."""
        names = (
            "class_weights",
            "temperature",
            "final_temperature",
            "alpha",
            "soft_loss",
            "soft_loss_kwargs",
            "example_weights",
            "example_weights_kwargs",
            "curriculum",
            "curriculum_kwargs",
            "live_teacher",
            "seed",
            "data_seed",
        )
        return {name: getattr(self.args, name) for name in names}


def _check_standard_only(args: DistillationConfig) -> None:
    for name, left_alone in _STANDARD_ONLY.items():
        if getattr(args, name) != left_alone:
            belong = "belong" if name.endswith("weights") else "belongs"
            raise ValueError(
                f"{name} {belong} to the standard losses, but losses=[...] are given:"
                " say it there, as in standard_losses(..., class_weights=...,"
                " soft_loss=...), weighted_relational(...) or weighted_reads(...)"
            )


def _updates(args: DistillationConfig, texts: int, batch_size: int) -> int:
    """Updates of the whole training, as the stock Trainer counts them."""
    if args.max_steps > 0:
        return args.max_steps
    return max(1, math.ceil(args.num_train_epochs * math.ceil(texts / batch_size)))
