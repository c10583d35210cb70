"""Distillation with the Hugging Face ``Trainer``: one thin layer.

The mathematics lives in :mod:`distill_helpers.losses`; what is here turns
reviews into batches and hands them to the losses.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
)
from transformers.trainer import TRAINING_ARGS_NAME

from ..arguments import check_type
from ..data.encoding import (
    DistillationCollator,
    EncodedReviews,
    LengthGroupedSampler,
    encode_reviews,
)
from ..data.labels import NO_LABEL
from ..losses.combined import standard_losses, usable
from ..losses.matching import HiddenStateMatcher
from ..losses.weighted import WeightedLoss, weighted_sum
from ..teachers.base import Teacher
from ..teachers.live import HuggingFaceTeacher
from .config import DistillationConfig

PROJECTIONS = "projections.safetensors"
TEACHERS = "teacher_logits"


class DistillationTrainer(Trainer):
    """Train a student on soft targets, labels, or both.

    Parameters
    ----------
    model : PreTrainedModel
        The student.
    teacher_model : Teacher or PreTrainedModel, optional
        Who gives the soft targets. None trains on labels alone (the
        control), or on a column ``teacher_logits``. A bare model needs
        `teacher_processing_class`.
    args : DistillationConfig
    train_dataset, eval_dataset : datasets.Dataset
        See :func:`encode_reviews`. Labelled and unlabelled reviews may stand
        in one data set.
    processing_class : PreTrainedTokenizerBase
        The student's tokeniser.
    teacher_processing_class : PreTrainedTokenizerBase, optional
        The teacher's tokeniser, where `teacher_model` is a bare model.
    hidden_states : HiddenStateMatcher, optional
        Adds the loss between hidden states to the others.
    losses : sequence of WeightedLoss, optional
        What the student learns from; by default the soft targets and labels
        of :func:`~distill_helpers.losses.combined.standard_losses`. To add
        one: ``[*standard_losses(temperature, alpha), mine]``.
    **kwargs
        As for ``transformers.Trainer``.

    Raises
    ------
    ValueError
        If there is nothing to learn from, or the arguments do not fit.

    Notes
    -----
    Losses are sums over the whole accumulated batch divided by its number of
    examples (soft targets) and of labels (cross-entropy), so that k small
    batches give the gradient of one large batch. The logs show each loss by
    its name, before its weight; the best checkpoint is chosen by the task's
    metric. The student gets those tensors of a batch that its ``forward``
    takes, never labels or what begins with ``teacher_``.
    """

    loss_is_scaled_for_ga = True

    def __init__(
        self,
        model: PreTrainedModel,
        teacher_model: Teacher | PreTrainedModel | None = None,
        args: DistillationConfig | None = None,
        train_dataset=None,
        eval_dataset=None,
        *,
        processing_class=None,
        teacher_processing_class=None,
        hidden_states: HiddenStateMatcher | None = None,
        losses: Sequence[WeightedLoss] | None = None,
        **kwargs,
    ) -> None:
        check_type("args", args, DistillationConfig, "a DistillationConfig")
        if processing_class is None:
            raise ValueError("processing_class must be the student's tokeniser")
        _check_student_vocabulary(model, processing_class)
        self.teacher = _as_teacher(teacher_model, teacher_processing_class)
        _check_classes(model, self.teacher)
        self.hidden_states = hidden_states
        self.losses = _all_losses(args, losses, hidden_states)
        self._accepted = _accepted_names(model)
        self._terms: dict[str, dict[str, torch.Tensor]] = {}
        self._term_steps: dict[str, int] = {}
        if train_dataset is not None:
            if not len(train_dataset):
                raise ValueError("train_dataset is empty")
            asks = any(TEACHERS in loss.needs and loss.weight for loss in self.losses)
            train_dataset = _encoded(
                train_dataset,
                processing_class,
                self.teacher if asks else None,
                live=args.live_teacher,
            )
            _check_needs(train_dataset, losses or ())
            if losses is None:
                _check_targets(train_dataset, args)
        if eval_dataset is not None:
            eval_dataset = _encoded(eval_dataset, processing_class)
        collator = DistillationCollator(
            processing_class.pad_token_id, args.pad_to_multiple_of
        )
        kwargs.setdefault("data_collator", collator)
        kwargs.setdefault("compute_metrics", accuracy_metric)
        super().__init__(
            model=model,
            args=args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            **kwargs,
        )
        self.label_names = ["labels"]
        if hidden_states is not None:
            hidden_states.to(args.device)
        if args.early_stopping_patience is not None:
            self.add_callback(EarlyStoppingCallback(args.early_stopping_patience))
        if args.disable_tqdm:
            self.remove_callback(PrinterCallback)

    # ------------------------------------------------------------ the loss
    def get_batch_samples(self, epoch_iterator, num_batches, device):
        """Count what each loss sums over in the whole accumulated batch."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        if self.hidden_states is not None:
            # Between steps the stock Trainer clears the model's gradients only.
            self.hidden_states.zero_grad()
        counts = [sum(loss.count(b) for b in batches) for loss in self.losses]
        # Whole numbers, as not every device has float64.
        counts = torch.tensor(counts, dtype=torch.int64, device=self.args.device)
        return batches, self.accelerator.reduce(counts, "sum")

    def compute_loss(
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        """See ``Trainer.compute_loss``."""
        batch = self._with_teacher(inputs)
        training = model.training
        losses = [loss for loss in self.losses if training or not loss.asks]
        losses = usable(losses, batch)
        flags = {flag: True for loss in losses for flag in loss.asks}
        outputs = model(**self._for_student(batch), **flags)
        divisors = self._shares(num_items_in_batch) if training else None
        loss, terms = weighted_sum(losses, outputs, batch, divisors)
        self._remember("train" if training else "eval", terms)
        outputs["loss"] = loss
        return (loss, outputs) if return_outputs else loss

    def create_optimizer(self, *args, **kwargs):
        """Give the projections of the hidden states a group of their own."""
        optimizer = super().create_optimizer(*args, **kwargs)
        if self.hidden_states is not None:
            weights = list(self.hidden_states.parameters())
            if weights:
                optimizer.add_param_group({"params": weights, "weight_decay": 0.0})
        return optimizer

    def _with_teacher(self, inputs: Mapping) -> dict:
        batch = dict(inputs)
        texts = batch.pop("text", None)
        if TEACHERS not in batch and texts is not None and self.teacher is not None:
            logits = torch.from_numpy(self.teacher.logits(texts))
            batch[TEACHERS] = logits.to(batch["labels"].device)
        return batch

    def _for_student(self, batch: Mapping) -> dict:
        return {
            name: value
            for name, value in batch.items()
            if name != "labels"
            and not name.startswith("teacher_")
            and (self._accepted is None or name in self._accepted)
        }

    def _shares(self, counts: torch.Tensor) -> dict[str, float]:
        """Divisors by the losses' names.

        Gradients are averaged over the processes, so each divides its sums by
        its share of what all of them hold together.
        """
        names = [loss.name for loss in self.losses]
        shares = [count / self.args.world_size for count in counts.tolist()]
        return dict(zip(names, shares))

    # ------------------------------------------------------------- logging
    def _remember(self, phase: str, terms: dict[str, torch.Tensor]) -> None:
        sums = self._terms.setdefault(phase, {})
        for name, value in terms.items():
            sums[name] = sums.get(name, 0) + value.detach()
        self._term_steps[phase] = self._term_steps.get(phase, 0) + 1

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the loss terms to what is logged."""
        if "loss" in logs:
            micro = self.args.gradient_accumulation_steps
            logs.update(self._means("train", "", micro))
        if "eval_loss" in logs:
            logs.update(self._means("eval", "eval_", 1))
        super().log(logs, start_time)

    def _means(self, phase: str, prefix: str, micro: int) -> dict[str, float]:
        steps = max(1, self._term_steps.pop(phase, 1) // micro)
        terms = self._terms.pop(phase, {})
        return {prefix + k: float(v) / steps for k, v in terms.items()}

    # ------------------------------------------------------- the other wires
    def _get_train_sampler(self, train_dataset=None):
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        dataset = self.train_dataset if train_dataset is None else train_dataset
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        size *= self.args.world_size
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return LengthGroupedSampler(dataset.lengths, size, seed)

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        if self.hidden_states is not None:
            weights = load_file(Path(resume_from_checkpoint) / PROJECTIONS)
            self.hidden_states.load_state_dict(weights)

    def _save(self, output_dir=None, state_dict=None) -> None:
        super()._save(output_dir, state_dict)
        if not self.args.should_save:  # another process of the launch writes
            return
        folder = Path(output_dir or self.args.output_dir)
        if self.hidden_states is not None:
            save_file(self.hidden_states.state_dict(), folder / PROJECTIONS)
        # The stock Trainer pickles its arguments; JSON says the same.
        (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
        (folder / "training_args.json").write_text(
            self.args.to_json_string(), encoding="utf-8"
        )


def accuracy_metric(prediction) -> dict[str, float]:
    """Share of right answers among the labelled examples."""
    logits = prediction.predictions
    logits = logits[0] if isinstance(logits, tuple) else logits
    labels = prediction.label_ids
    known = labels != NO_LABEL
    right = logits.argmax(-1)[known] == labels[known]
    return {"accuracy": float(right.mean())}


def _all_losses(args, losses, hidden_states) -> list[WeightedLoss]:
    if losses is None:
        losses = standard_losses(args.temperature, args.alpha)
    hidden = [] if hidden_states is None else [hidden_states.as_loss()]
    found = [*losses, *hidden]
    names = [loss.name for loss in found]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"losses must hold at least one loss, each with a name of its own, got {names}"
        )
    return found


def _accepted_names(model) -> set[str] | None:
    """What a model's ``forward`` takes by name; None for whatever there is."""
    parameters = inspect.signature(model.forward).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return None
    return set(parameters)


def _encoded(dataset, tokenizer, teacher=None, live: bool = False) -> EncodedReviews:
    if isinstance(dataset, EncodedReviews):
        return dataset
    return encode_reviews(dataset, tokenizer, teacher, live=live)


def _as_teacher(teacher_model, tokenizer) -> Teacher | None:
    if teacher_model is None or isinstance(teacher_model, Teacher):
        return teacher_model
    allowed = "a Teacher, a PreTrainedModel or None"
    check_type("teacher_model", teacher_model, PreTrainedModel, allowed)
    if tokenizer is None:
        raise ValueError(
            "teacher_processing_class must be given with a bare teacher_model:"
            " the teacher reads texts with its own tokeniser"
        )
    return HuggingFaceTeacher(teacher_model, tokenizer, progress=False)


def _check_student_vocabulary(model, tokenizer) -> None:
    size = getattr(model.config, "vocab_size", None)
    if size is not None and len(tokenizer) > size:
        raise ValueError(
            f"processing_class has {len(tokenizer)} tokens but the student"
            f" was built for {size}: it is not this student's tokeniser"
        )


def _check_classes(model, teacher: Teacher | None) -> None:
    if teacher is not None and teacher.num_labels != model.config.num_labels:
        raise ValueError(
            f"the teacher tells {teacher.num_labels} classes apart, the"
            f" student {model.config.num_labels}: they must agree"
        )


def _check_targets(dataset: EncodedReviews, args: DistillationConfig) -> None:
    soft = dataset.teacher_logits is not None or (
        dataset.texts is not None and args.alpha > 0
    )
    labelled = bool((dataset.labels != NO_LABEL).any())
    if not soft and not labelled:
        raise ValueError(
            "train_dataset has nothing to learn from: no label and no teacher"
            f" (alpha={args.alpha!r}). Pass teacher_model with alpha above 0,"
            " or labelled reviews."
        )
    if args.alpha == 1 and not soft:
        raise ValueError(
            "alpha=1 uses soft targets alone, but there is no teacher_model"
            " and no column 'teacher_logits'"
        )


def _check_needs(dataset: EncodedReviews, losses: Sequence[WeightedLoss]) -> None:
    given = set(dataset[0]) | {"attention_mask"}
    given |= {TEACHERS} if "text" in given else set()  # the teacher is live
    for loss in losses:
        if not loss.needs <= given:
            raise ValueError(
                f"the loss {loss.name!r} needs {sorted(loss.needs - given)}, which"
                f" train_dataset lacks: it has {sorted(given)}"
            )
