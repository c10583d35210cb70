"""The arguments of a distillation."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from transformers import TrainingArguments

from ..arguments import check_alpha, check_number, check_temperature, check_whole
from ..data.encoding import PAD_MULTIPLE
from ..losses.named import KL, SOFT_LOSSES, check_soft_loss
from .curriculum import ORDERS, check_curriculum
from .weighting import CERTAINTIES, check_weighting


@dataclass
class DistillationConfig(TrainingArguments):
    """``TrainingArguments`` with what distillation adds.

    Parameters
    ----------
    temperature : float, default 2.0
        Softens teacher and student; greater than 0.
    alpha : float, default 0.9
        Weight of the soft targets, within [0, 1]. 0 trains on labels alone.
    live_teacher : bool, default False
        Ask the teacher again for every batch, as augmented inputs would need
        it, instead of once before training.
    early_stopping_patience : int, optional
        Stop after that many evaluations without a better result.
    pad_to_multiple_of : int, default 32
        Lengths of batches are rounded up to a multiple of this; at least 1.
    class_weights : "balanced" or list of float, optional
        What each class counts in the cross-entropy with the labels; see
        :func:`~distill_helpers.losses.balance.class_weights`.
    final_temperature : float, optional
        The temperature of the last update, to which it goes in a straight line
        (annealed distillation); by default it stays.
    soft_loss : str, default "kl"
        What compares the soft targets, one of
        :data:`~distill_helpers.losses.named.SOFT_LOSSES`, with `soft_loss_kwargs`;
        see :func:`~distill_helpers.losses.named.soft_loss`.
    relational : float, default 0
        Weight of the loss between the relations of a batch, beside the others; see
        :func:`~distill_helpers.losses.relational.weighted_relational`.
    example_weights : str, optional
        Let the soft targets of some texts count more, by ``"confidence"``,
        ``"margin"`` or ``"entropy"`` of the teacher, with `example_weights_kwargs`
        (`favour`, `temperature`, `shuffle_seed`); see
        :func:`~distill_helpers.training.weighting.example_weights`.
    curriculum : str, optional
        ``"easy_first"``, ``"hard_first"`` or, as the control, ``"random"``, with
        `curriculum_kwargs` (`difficulty`, `pacing`, `start`, `full_at`); see
        :mod:`distill_helpers.training.curriculum`. Batches are not of like length
        then.

    Raises
    ------
    TypeError, ValueError
        If one of these is out of range, or an inherited argument is given that
        distillation would not look at: ``label_smoothing_factor``, ``label_names``.

    Notes
    -----
    Differs from ``TrainingArguments`` in its defaults: cosine schedule with
    6% warm-up, batches of like length, AdamW at 1e-3 (students are small and
    mostly start from nothing), the CPU where there is nothing faster, and no
    reports to a service.
    """

    temperature: float = field(
        default=2.0, metadata={"help": "Temperature of the soft targets, > 0."}
    )
    alpha: float = field(
        default=0.9, metadata={"help": "Weight of the soft targets, 0 to 1."}
    )
    live_teacher: bool = field(
        default=False, metadata={"help": "Ask the teacher for every batch."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Evaluations without a better result."}
    )
    pad_to_multiple_of: int = field(
        default=PAD_MULTIPLE, metadata={"help": "Lengths are rounded up to it."}
    )
    class_weights: str | list[float] | None = field(
        default=None, metadata={"help": "'balanced', or a number for each class."}
    )
    final_temperature: float | None = field(
        default=None, metadata={"help": "Temperature of the last update."}
    )
    soft_loss: str = field(
        default=KL, metadata={"help": f"One of {', '.join(SOFT_LOSSES)}."}
    )
    soft_loss_kwargs: dict | None = field(
        default=None, metadata={"help": "Options of soft_loss."}
    )
    relational: float = field(
        default=0.0, metadata={"help": "Weight of the relational loss."}
    )
    example_weights: str | None = field(
        default=None, metadata={"help": f"One of {', '.join(CERTAINTIES)}."}
    )
    example_weights_kwargs: dict | None = field(
        default=None, metadata={"help": "Options of example_weights."}
    )
    curriculum: str | None = field(
        default=None, metadata={"help": f"One of {', '.join(ORDERS)}."}
    )
    curriculum_kwargs: dict | None = field(
        default=None, metadata={"help": "Options of curriculum."}
    )
    learning_rate: float = field(default=1e-3)
    lr_scheduler_type: str = field(default="cosine")
    warmup_steps: float = field(default=0.06)
    per_device_train_batch_size: int = field(default=32)
    per_device_eval_batch_size: int = field(default=128)
    report_to: str = field(default="none")
    train_sampling_strategy: str = field(default="group_by_length")
    remove_unused_columns: bool = field(default=False)
    dataloader_pin_memory: bool = field(default_factory=torch.cuda.is_available)
    # Or the patience of early stopping would begin anew.
    restore_callback_states_from_checkpoint: bool = field(default=True)
    # Said outright, because bf16 is refused on a processor that is a fallback.
    use_cpu: bool = field(default_factory=lambda: not torch.accelerator.is_available())

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_alpha(self.alpha)
        if self.final_temperature is not None:
            check_number("final_temperature", self.final_temperature, above=0)
        check_number("relational", self.relational, least=0)
        check_soft_loss(self.soft_loss, self.soft_loss_kwargs)
        check_weighting(self.example_weights, self.example_weights_kwargs)
        check_curriculum(self.curriculum, self.curriculum_kwargs)
        check_whole("pad_to_multiple_of", self.pad_to_multiple_of, 1)
        for name in ("learning_rate", "weight_decay", "max_grad_norm"):
            check_number(name, getattr(self, name), least=0)
        check_whole("max_steps", self.max_steps)
        if self.max_steps == 0 or self.max_steps < -1:
            raise ValueError(
                "max_steps must be at least 1, or -1 (num_train_epochs says how long),"
                f" got {self.max_steps!r}"
            )
        patience = self.early_stopping_patience
        check_whole("early_stopping_patience", patience, 1, optional=True)
        if self.label_smoothing_factor:
            raise ValueError(
                "label_smoothing_factor is not used in distillation, got"
                f" {self.label_smoothing_factor!r}: the teacher's soft targets do its"
                " work; leave it at 0, or give the trainer losses=[...] of your own"
            )
        if self.label_names not in (None, ["labels"]):
            raise ValueError(
                "label_names is not used: labels stand in the column 'label' or"
                f" 'labels', got {self.label_names!r}"
            )
        if patience is not None:
            # Early stopping is about the best checkpoint, so keep it.
            self.load_best_model_at_end = True
            if self.metric_for_best_model is None:
                self.metric_for_best_model = "accuracy"
            if str(getattr(self.eval_strategy, "value", self.eval_strategy)) == "no":
                raise ValueError(
                    "early_stopping_patience counts evaluations, but eval_strategy is"
                    " 'no': set eval_strategy='steps' (and save_strategy the same)"
                )
        super().__post_init__()
