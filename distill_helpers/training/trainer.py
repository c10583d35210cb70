"""Distillation with the Hugging Face ``Trainer``: one thin layer.

The mathematics lives in :mod:`distill_helpers.losses`; what is here turns
reviews into batches and hands them to the losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import SequentialSampler
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
)

from ..arguments import check_type
from ..data.class_order import config_names, real_names
from ..data.encoding import (
    DistillationCollator,
    EncodedReviews,
    encode_reviews,
    soft_targets_of,
)
from ..data.labels import problem_type_of
from ..data.targets import SOFT_TARGETS_COLUMN
from ..evaluation.predict import accepted_names, for_student
from ..files import made_folder
from ..losses.balance import class_weights
from ..losses.combined import usable
from ..losses.matching import HiddenStateMatcher
from ..losses.weighted import WeightedLoss
from ..teachers.base import Teacher
from ..teachers.live import HuggingFaceTeacher
from ..teachers.ordering import in_order
from ..teachers.trust import warn_if_at_chance
from .checkpoints import data_digest
from .checks import (
    check_inherited,
    check_kind,
    check_needs,
    check_targets,
    check_vocabulary,
)
from .config import DistillationConfig
from .counted import CountedLosses, each_part
from .objective import Objective
from .task import for_task, task_metrics

PROJECTIONS = "projections.safetensors"
RESTORED = (
    "learning_rate",
    "weight_decay",
    "optim",
    "lr_scheduler_type",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "train_sampling_strategy",
)
"""Arguments that a resumed run takes from its checkpoint, or must not change."""


class DistillationTrainer(CountedLosses):
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
        in one data set. `eval_dataset` may be a dictionary of some; what
        ``evaluate`` and ``predict`` are given later is encoded alike.
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
        As for ``transformers.Trainer``, but ``model_init`` and
        ``compute_loss_func``, which `model` and `losses` stand for.

    Raises
    ------
    ValueError
        If there is nothing to learn from, or the arguments do not fit.
    DivergedError
        In training, if the student's logits or weights are no numbers any more.

    Notes
    -----
    Losses are sums over the whole accumulated batch divided by its number of
    examples (soft targets) and of labels (cross-entropy), so that k small
    batches give the gradient of one large batch. The logs show each loss by
    its name, before its weight; the best checkpoint is chosen by one of the
    metrics of :func:`~distill_helpers.training.task.task_metrics`. A student built
    for ``multi_label_classification`` learns each class as a question of its own,
    see :mod:`distill_helpers.losses.several_labels`. The student gets those tensors
    of a batch that its ``forward`` takes, never labels or what begins with
    ``teacher_``.
    """

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
        check_inherited(kwargs)
        if processing_class is None:
            raise ValueError("processing_class must be the student's tokeniser")
        check_vocabulary(model, processing_class)
        teacher = _as_teacher(teacher_model, teacher_processing_class)
        self.teacher = _in_order(teacher, model)
        self.hidden_states = hidden_states
        self.problem_type = problem_type_of(model)
        if teacher is not None and losses is None:
            check_kind(teacher, self.problem_type)
        self._strict = losses is None  # own losses may read labels in their own way
        classes = model.config.num_labels
        self.objective = Objective(args, self.problem_type, classes)
        self.losses = self.objective.losses(losses, hidden_states)
        self._accepted = accepted_names(model)
        if train_dataset is not None:
            if not len(train_dataset):
                raise ValueError("train_dataset is empty")
            asks = any(
                SOFT_TARGETS_COLUMN in loss.needs and loss.weight
                for loss in self.losses
            )
            train_dataset = self._encode(
                train_dataset,
                model,
                processing_class,
                self.teacher if asks else None,
                live=args.live_teacher,
            )
            check_needs(train_dataset, losses or ())
            if losses is None:
                check_targets(train_dataset, args.alpha)
                if asks and train_dataset.teacher_logits is not None:
                    warn_if_at_chance(
                        train_dataset.teacher_logits, train_dataset.labels
                    )
            train_dataset = self.objective.weigh(train_dataset)
            weights = class_weights(args.class_weights, train_dataset.labels, classes)
            self.losses = self.objective.losses(losses, hidden_states, weights)
        if eval_dataset is not None:
            eval_dataset = each_part(
                eval_dataset,
                lambda part: self._judgeable(part, model, processing_class),
            )
        collator = DistillationCollator(
            processing_class.pad_token_id, args.pad_to_multiple_of
        )
        kwargs.setdefault("data_collator", collator)
        kwargs.setdefault("compute_metrics", task_metrics)
        if args.should_save:
            made_folder(args.output_dir, "output_dir")
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
        """See ``CountedLosses.get_batch_samples``."""
        if self.hidden_states is not None:
            # Between steps the stock Trainer clears the model's gradients only.
            self.hidden_states.zero_grad()
        return super().get_batch_samples(epoch_iterator, num_batches, device)

    def compute_loss(
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        """See ``Trainer.compute_loss``."""
        batch = self._with_teacher(inputs)
        training = model.training
        state = self.state
        now = self.objective.at(self.losses, state.global_step, state.max_steps)
        losses = [loss for loss in now if training or not loss.asks]
        losses = usable(losses, batch, self.problem_type)
        flags = {flag: True for loss in losses for flag in loss.asks}
        outputs = model(**for_student(batch, self._accepted), **flags)
        self.check_numbers(outputs.logits)
        counts = num_items_in_batch if training else None
        loss = self.weigh(losses, outputs, batch, counts)
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
        silent = texts is None or self.teacher is None
        if SOFT_TARGETS_COLUMN not in batch and not silent:
            logits = torch.from_numpy(soft_targets_of(self.teacher, texts))
            batch[SOFT_TARGETS_COLUMN] = logits.to(batch["labels"].device)
        return batch

    def resume_facts(self) -> dict:
        """Return what a resumed run must share with the one that was begun."""
        args, named = self.args, getattr(self.teacher, "fingerprint", None)
        losses = {loss.name: loss.weight for loss in self.losses}
        return {
            "teacher": named,
            "data": data_digest(self.train_dataset, soft_targets=named is None),
            "problem_type": self.problem_type,
            "losses": losses,
            **self.objective.facts(),
            # The optimiser's own are restored: another one here would be ignored.
            **{name: _plain(getattr(args, name)) for name in RESTORED},
        }

    def resume_files(self) -> list[str]:
        """Return what belongs to training alone and has to be resumed as well."""
        return [] if self.hidden_states is None else [PROJECTIONS]

    # ------------------------------------------------- data for this student
    def _encode(
        self, dataset, model, tokenizer, teacher: Teacher | None = None, **options
    ) -> EncodedReviews:
        names, classes = _class_names(model), model.config.num_labels
        if not isinstance(dataset, EncodedReviews):
            options["label_names"] = names
            dataset = encode_reviews(dataset, tokenizer, teacher, **options)
        dataset = dataset.for_classes(classes, names)
        if not self._strict:
            return dataset
        return for_task(dataset, self.problem_type, classes)

    def _judgeable(self, dataset, model, tokenizer) -> EncodedReviews:
        encoded = self._encode(dataset, model, tokenizer)
        silent = encoded.teacher_logits is None and not encoded.labelled.any()
        if silent and self._strict:
            raise ValueError(
                "eval_dataset has no label and no teacher_logits: there is nothing to"
                f" judge the student by in its {len(encoded)} examples"
            )
        return encoded

    def get_eval_dataloader(self, eval_dataset=None):
        """See ``Trainer.get_eval_dataloader``; encodes what is not yet."""
        if eval_dataset is None and self.eval_dataset is None:
            raise ValueError(
                "eval_dataset: there is none to evaluate on; give one to evaluate(), or"
                " to the trainer"
            )
        if eval_dataset is not None and not isinstance(eval_dataset, str):
            eval_dataset = self._judgeable(
                eval_dataset, self.model, self.processing_class
            )
        return super().get_eval_dataloader(eval_dataset)

    def get_test_dataloader(self, test_dataset):
        """See ``Trainer.get_test_dataloader``; encodes what is not yet."""
        if not len(test_dataset):
            raise ValueError("test_dataset is empty: there is nothing to predict")
        # Answers belong to their questions: the stock Trainer would give them by
        # the length of the texts, as `train_sampling_strategy` says.
        return self._get_dataloader(
            dataset=self._encode(test_dataset, self.model, self.processing_class),
            description="test",
            batch_size=self.args.eval_batch_size,
            sampler_fn=SequentialSampler,
        )

    # ------------------------------------------------------- the other wires
    def _determine_best_metric(self, metrics, trial):
        try:
            return super()._determine_best_metric(metrics, trial)
        except KeyError as error:
            asked = self.args.metric_for_best_model
            have = sorted(name.removeprefix("eval_") for name in metrics)
            raise ValueError(
                f"metric_for_best_model={asked!r} is none of what an evaluation"
                f" gives: {have}"
            ) from error

    def _get_train_sampler(self, train_dataset=None):
        dataset = self.train_dataset if train_dataset is None else train_dataset
        sampler = self.objective.sampler(dataset, self.texts_an_update())
        if sampler is None:
            return super()._get_train_sampler(train_dataset)
        return sampler

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        if self.hidden_states is not None:
            weights = load_file(Path(resume_from_checkpoint) / PROJECTIONS)
            self.hidden_states.load_state_dict(weights)

    def _save(self, output_dir=None, state_dict=None) -> None:
        super()._save(output_dir, state_dict)
        if self.hidden_states is not None and self.args.should_save:
            folder = Path(output_dir or self.args.output_dir)
            save_file(self.hidden_states.state_dict(), folder / PROJECTIONS)


def _plain(value):
    return getattr(value, "value", value)


def _class_names(model) -> list[str] | None:
    return real_names(config_names(model.config))


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


def _in_order(teacher: Teacher | None, model) -> Teacher | None:
    """Let the teacher's first class be the student's, by their names."""
    if teacher is None:
        return None
    if teacher.num_labels != model.config.num_labels:
        raise ValueError(
            f"the teacher tells {teacher.num_labels} classes apart, the"
            f" student {model.config.num_labels}: they must agree"
        )
    if teacher.label_names is None:  # it is said to stand in the student's order
        return teacher
    return in_order(teacher, _class_names(model))
