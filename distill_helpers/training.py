"""Distillation with the Hugging Face ``Trainer``: one thin layer.

The mathematics lives in :mod:`distill_helpers.losses`; what is here turns
reviews into batches and hands them to the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import Dataset, Sampler
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)
from transformers import logging as transformers_logging
from transformers.trainer import TRAINING_ARGS_NAME

from .losses import (
    NO_LABEL,
    DistillationLoss,
    check_alpha,
    check_temperature,
    labelled_cross_entropy,
)
from .matching import HiddenStateMatcher
from .reading import PAD_MULTIPLE, length_grouped
from .students import check_same_vocabulary
from .teachers import HuggingFaceTeacher, Teacher

PROJECTIONS = "projections.safetensors"


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
    learning_rate: float = field(default=1e-3)
    lr_scheduler_type: str = field(default="cosine")
    warmup_steps: float = field(default=0.06)
    per_device_train_batch_size: int = field(default=32)
    per_device_eval_batch_size: int = field(default=128)
    report_to: str = field(default="none")
    train_sampling_strategy: str = field(default="group_by_length")
    remove_unused_columns: bool = field(default=False)
    dataloader_pin_memory: bool = field(default_factory=torch.cuda.is_available)
    # Said outright, because bf16 is refused on a processor that is a fallback.
    use_cpu: bool = field(default_factory=lambda: not torch.accelerator.is_available())

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_alpha(self.alpha)
        if self.pad_to_multiple_of < 1:
            raise ValueError(
                "pad_to_multiple_of must be at least 1, got"
                f" {self.pad_to_multiple_of!r}"
            )
        patience = self.early_stopping_patience
        if patience is not None:
            if patience < 1:
                raise ValueError(
                    "early_stopping_patience must be at least 1 or None, got"
                    f" {patience!r}"
                )
            # Early stopping is about the best checkpoint, so keep it.
            self.load_best_model_at_end = True
            if self.metric_for_best_model is None:
                self.metric_for_best_model = "accuracy"
        super().__post_init__()


class EncodedReviews(Dataset):
    """Tokenised reviews with labels and soft targets, in memory.

    Parameters
    ----------
    token_ids : sequence of ndarray of int
        Ids of each review, made by the student's tokeniser.
    labels : ndarray of int, shape (reviews,)
        -100 where there is none.
    teacher_logits : ndarray of float32, shape (reviews, classes), optional
    texts : sequence of str, optional
        Kept only for a live teacher.
    """

    def __init__(self, token_ids, labels, teacher_logits=None, texts=None):
        self.token_ids = token_ids
        self.labels = np.asarray(labels, np.int64)
        self.teacher_logits = teacher_logits
        self.texts = texts

    def __len__(self) -> int:
        return len(self.token_ids)

    def __getitem__(self, index: int) -> dict:
        item = {
            "input_ids": self.token_ids[index],
            "labels": self.labels[index],
        }
        if self.teacher_logits is not None:
            item["teacher_logits"] = self.teacher_logits[index]
        if self.texts is not None:
            item["text"] = self.texts[index]
        return item

    @property
    def lengths(self) -> list[int]:
        """Tokens of each review."""
        return [len(ids) for ids in self.token_ids]


def encode_reviews(
    dataset,
    tokenizer,
    teacher: Teacher | None = None,
    *,
    live: bool = False,
) -> EncodedReviews:
    """Tokenise a data set and attach the teacher's logits.

    Parameters
    ----------
    dataset : datasets.Dataset
        Column ``text``; optionally ``label`` (missing, None or -100 means no
        label) and ``teacher_logits``. ``input_ids`` may stand in for ``text``
        where the teacher needs no text.
    tokenizer : PreTrainedTokenizerBase
        The student's.
    teacher : Teacher, optional
        Asked once for all texts, unless the logits are a column already.
    live : bool, default False
        Keep the texts instead, for a teacher that is asked in training.

    Returns
    -------
    EncodedReviews

    Raises
    ------
    ValueError
        If the columns do not suffice, or token ids of one vocabulary would
        be read by a model of another.
    """
    columns = set(dataset.column_names)
    texts = list(dataset["text"]) if "text" in columns else None
    if texts is not None:
        token_ids = encode_texts(tokenizer, texts)
    elif "input_ids" in columns:
        token_ids = [np.asarray(ids, np.int32) for ids in dataset["input_ids"]]
        _check_no_text(teacher, columns, tokenizer)
    else:
        raise ValueError(
            "the data set needs a column 'text' (or 'input_ids'), got"
            f" {sorted(columns)}"
        )
    labels = [NO_LABEL] * len(token_ids)
    if "label" in columns:
        labels = [NO_LABEL if y is None else y for y in dataset["label"]]
    logits = None
    if "teacher_logits" in columns:
        logits = np.asarray(dataset["teacher_logits"], np.float32)
    elif teacher is not None and not live:
        logits = teacher.logits(texts)
    return EncodedReviews(token_ids, labels, logits, texts if live else None)


def encode_texts(tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Return each text's token ids, truncated to what the student reads."""
    encoded = tokenizer(texts, truncation=True, return_attention_mask=False)
    pad = [tokenizer.pad_token_id]  # a text without a known token
    return [np.asarray(ids or pad, np.int32) for ids in encoded["input_ids"]]


def _check_no_text(teacher, columns, tokenizer) -> None:
    if teacher is None or "teacher_logits" in columns:
        return
    if isinstance(teacher, HuggingFaceTeacher):
        check_same_vocabulary(tokenizer, teacher.tokenizer)
    raise ValueError(
        "the teacher reads texts: give the data set a 'text' column, or the"
        " logits themselves as 'teacher_logits'"
    )


class DistillationCollator:
    """Pad reviews into a batch of one length.

    Parameters
    ----------
    pad_token_id : int
    multiple : int, default 32
        The length is rounded up to a multiple of it: every new shape costs
        the CPU kernels memory and time.
    """

    def __init__(self, pad_token_id: int, multiple: int = PAD_MULTIPLE) -> None:
        self.pad_token_id = pad_token_id
        self.multiple = multiple

    def __call__(self, reviews: Sequence[dict]) -> dict:
        longest = max(len(review["input_ids"]) for review in reviews)
        length = -(-longest // self.multiple) * self.multiple
        ids = np.full((len(reviews), length), self.pad_token_id, np.int64)
        mask = np.zeros((len(reviews), length), np.int64)
        for row, review in enumerate(reviews):
            count = len(review["input_ids"])
            ids[row, :count] = review["input_ids"]
            mask[row, :count] = 1
        batch = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "labels": torch.tensor([review["labels"] for review in reviews]),
        }
        if "teacher_logits" in reviews[0]:
            stacked = np.stack([review["teacher_logits"] for review in reviews])
            batch["teacher_logits"] = torch.from_numpy(stacked)
        if "text" in reviews[0]:
            batch["text"] = [review["text"] for review in reviews]
        return batch


class LengthGroupedSampler(Sampler):
    """Shuffle by seed and epoch, reviews of like length side by side.

    The order depends on nothing else, so that a resumed run sees the batches
    that the interrupted one would have seen.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self):
        generator = torch.Generator().manual_seed(1_000 * self.seed + self.epoch)
        batches = length_grouped(self.lengths, self.batch_size, generator)
        # A smaller batch in the middle would shift all that follow.
        batches.sort(key=lambda batch: len(batch) < self.batch_size)
        return (index for batch in batches for index in batch)


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
        Adds the loss between hidden states to that of soft targets and labels.
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
    batches give the gradient of one large batch. The logs show the terms as
    ``kd`` and ``cross_entropy``; the best checkpoint is chosen by the task's
    metric.
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
        **kwargs,
    ) -> None:
        if not isinstance(args, DistillationConfig):
            raise TypeError(
                f"args must be a DistillationConfig, got {type(args).__name__}"
            )
        if processing_class is None:
            raise ValueError("processing_class must be the student's tokeniser")
        _check_student_vocabulary(model, processing_class)
        self.teacher = _as_teacher(teacher_model, teacher_processing_class)
        _check_classes(model, self.teacher)
        self.hidden_states = hidden_states
        self._terms: dict[str, dict[str, torch.Tensor]] = {}
        self._term_steps: dict[str, int] = {}
        encode = self._encoder(processing_class, args)
        if train_dataset is not None:
            train_dataset = encode(train_dataset)
            _check_targets(train_dataset, args)
        if eval_dataset is not None:
            eval_dataset = encode(eval_dataset, targets=False)
        self.distillation_loss = DistillationLoss(args.temperature, args.alpha)
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
        if args.early_stopping_patience is not None:
            self.add_callback(EarlyStoppingCallback(args.early_stopping_patience))
        if args.disable_tqdm:
            self.remove_callback(PrinterCallback)

    def _encoder(self, tokenizer, args):
        def encode(dataset, targets: bool = True):
            if isinstance(dataset, EncodedReviews):
                return dataset
            teacher = self.teacher if targets and args.alpha > 0 else None
            return encode_reviews(
                dataset, tokenizer, teacher, live=args.live_teacher and targets
            )

        return encode

    # ------------------------------------------------------------ the loss
    def get_batch_samples(self, epoch_iterator, num_batches, device):
        """Count examples, labels and tokens over the whole accumulated batch."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        if self.hidden_states is not None:
            # Between steps the stock Trainer clears the model's gradients only.
            self.hidden_states.zero_grad()
        labels = [batch["labels"] for batch in batches]
        counts = [sum(len(y) for y in labels)]
        counts.append(sum(int((y != NO_LABEL).sum()) for y in labels))
        counts.append(sum(int(batch["attention_mask"].sum()) for batch in batches))
        # Gradients are averaged over the processes, so each divides its sums
        # by its share of what all of them hold together.
        counts = torch.tensor(counts, dtype=torch.float64, device=self.args.device)
        shared = self.accelerator.reduce(counts, "sum") / self.args.world_size
        return batches, shared

    def compute_loss(
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        """See ``Trainer.compute_loss``."""
        inputs = dict(inputs)
        labels = inputs.pop("labels")
        teacher_logits = self._teacher_logits(inputs)
        training = model.training
        matched = training and self.hidden_states is not None
        outputs = model(**inputs, **({"output_hidden_states": True} if matched else {}))
        counts = num_items_in_batch.tolist() if training else (None, None, None)
        if teacher_logits is None:
            loss = labelled_cross_entropy(outputs.logits, labels, counts[1])
            terms = {"total": loss, "cross_entropy": loss}
        else:
            terms = self.distillation_loss.terms(
                outputs.logits,
                teacher_logits,
                labels,
                examples=counts[0],
                labelled=counts[1],
            )._asdict()
        loss = terms.pop("total")
        if matched:
            share = int(inputs["attention_mask"].sum()) / counts[2]
            hidden = share * self.hidden_states(outputs.hidden_states, **inputs)
            loss, terms["hidden_states"] = loss + hidden, hidden
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

    def _teacher_logits(self, inputs: dict) -> torch.Tensor | None:
        texts = inputs.pop("text", None)
        logits = inputs.pop("teacher_logits", None)
        if logits is None and texts is not None and self.teacher is not None:
            logits = torch.from_numpy(self.teacher.logits(texts))
            logits = logits.to(inputs["input_ids"].device)
        return logits

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


@contextmanager
def quietly():
    """Keep transformers' notes and small progress bars out of a lesson."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        transformers_logging.enable_progress_bar()


def accuracy_metric(prediction) -> dict[str, float]:
    """Share of right answers among the labelled examples."""
    logits = prediction.predictions
    logits = logits[0] if isinstance(logits, tuple) else logits
    labels = prediction.label_ids
    known = labels != NO_LABEL
    right = logits.argmax(-1)[known] == labels[known]
    return {"accuracy": float(right.mean())}


def _as_teacher(teacher_model, tokenizer) -> Teacher | None:
    if teacher_model is None or isinstance(teacher_model, Teacher):
        return teacher_model
    if not isinstance(teacher_model, PreTrainedModel):
        raise TypeError(
            "teacher_model must be a Teacher, a PreTrainedModel or None, got"
            f" {type(teacher_model).__name__}"
        )
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
    if not len(dataset):
        raise ValueError("train_dataset is empty")
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
