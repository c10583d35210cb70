"""Distil a model that writes: on given texts, on the teacher's, or on its own.

The names of the settings are those of GKD in TRL; its paper stands below.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch.utils.data import Dataset
from transformers import PreTrainedModel, PrinterCallback, TrainingArguments

from ..arguments import check_number, check_temperature, check_type, check_whole
from ..data.completions import (
    completion_batch,
    context_of,
    encode_completions,
    encode_prompts,
    end_tokens,
    pad_token,
    padded_prompts,
    until_end,
)
from ..data.encoding import to_device
from ..data.labels import NO_LABEL
from ..data.targets import SOFT_TARGETS_COLUMN
from ..evaluation.generation import sampling, writing
from ..losses.sequence import weighted_jsd, weighted_token_cross_entropy
from ..losses.weighted import WeightedLoss
from ..teachers.live import weights_revision
from .checks import check_inherited, check_loss_names, check_vocabulary
from .counted import CountedLosses, each_part

CROSS_ENTROPY = "cross_entropy"


@dataclass
class SequenceConfig(TrainingArguments):
    """``TrainingArguments`` with what distilling texts adds.

    Parameters
    ----------
    lmbda : float, default 0.0
        Share of the batches whose completions the student itself writes
        (on-policy), within [0, 1]; TRL's default is 0.5. Drawn for each batch.
    beta : float, default 0.5
        Of the generalised Jensen-Shannon divergence, within [0, 1]: 0 is the forward
        KL divergence, 1 the reverse one.
    seq_kd : bool, default False
        Whether the teacher writes the completions of all other batches anew.
    max_new_tokens : int, default 128
        Most tokens that are written after a prompt.
    temperature : float, default 1.0
        Of the sampling, greater than 0. The loss compares both at temperature 1, as
        TRL's does.
    pad_to_multiple_of : int, default 8
        Lengths of batches are rounded up to a multiple of this.

    Raises
    ------
    TypeError, ValueError
        If one of these is out of range, or ``label_smoothing_factor`` is given.
    """

    lmbda: float = field(
        default=0.0, metadata={"help": "Share of batches that the student writes."}
    )
    beta: float = field(
        default=0.5, metadata={"help": "0 is the forward KL, 1 the reverse one."}
    )
    seq_kd: bool = field(
        default=False, metadata={"help": "The teacher writes the other batches."}
    )
    max_new_tokens: int = field(
        default=128, metadata={"help": "Most tokens written after a prompt."}
    )
    temperature: float = field(
        default=1.0, metadata={"help": "Temperature of the sampling, > 0."}
    )
    pad_to_multiple_of: int = field(
        default=8, metadata={"help": "Lengths are rounded up to it."}
    )
    learning_rate: float = field(default=1e-3)
    lr_scheduler_type: str = field(default="cosine")
    warmup_steps: float = field(default=0.05)
    per_device_train_batch_size: int = field(default=32)
    per_device_eval_batch_size: int = field(default=128)
    report_to: str = field(default="none")
    remove_unused_columns: bool = field(default=False)
    dataloader_pin_memory: bool = field(default_factory=torch.cuda.is_available)
    use_cpu: bool = field(default_factory=lambda: not torch.accelerator.is_available())

    def __post_init__(self) -> None:
        check_number("lmbda", self.lmbda, least=0, most=1)
        check_number("beta", self.beta, least=0, most=1)
        check_temperature(self.temperature)
        check_whole("max_new_tokens", self.max_new_tokens, least=1)
        check_whole("pad_to_multiple_of", self.pad_to_multiple_of, least=1)
        if self.label_smoothing_factor:
            raise ValueError(
                "label_smoothing_factor is not used in distillation, got"
                f" {self.label_smoothing_factor!r}: leave it at 0"
            )
        super().__post_init__()

    @property
    def asks_for_completions(self) -> bool:
        """Whether some batches are learned as the data set has them."""
        return self.lmbda < 1 and not self.seq_kd


class SequenceTrainer(CountedLosses):
    """Teach a causal language model to write as another one, token by token.

    Parameters
    ----------
    model : PreTrainedModel
        The student; a causal language model.
    teacher_model : PreTrainedModel, optional
        Who scores each token of a completion; of the same vocabulary. Without one
        the student learns the completions themselves by cross-entropy: plain
        fine-tuning, and distillation where a teacher has written them.
    args : SequenceConfig
    train_dataset, eval_dataset : datasets.Dataset or sequence of mapping
        With the columns ``prompt`` and ``completion``; the latter may be missing for
        training where all completions are written anew (``lmbda=1``, or
        ``seq_kd``).
    processing_class : PreTrainedTokenizerBase
        The student's tokeniser.
    teacher_processing_class : PreTrainedTokenizerBase, optional
        The teacher's, to make sure that both are the same.
    losses : sequence of WeightedLoss, optional
        By default :func:`~distill_helpers.losses.weighted_jsd` where there is a
        teacher, else
        :func:`~distill_helpers.losses.weighted_token_cross_entropy`.
    **kwargs
        As for ``transformers.Trainer``, but ``model_init`` and
        ``compute_loss_func``.

    Raises
    ------
    TooLongError
        If a prompt with its completion, or with ``max_new_tokens``, is longer than
        the context of one of the models; nothing is cut.
    ValueError
        If the vocabularies differ, or something would be learned from nothing.
    DivergedError
        In training, if the student's logits or weights are no numbers any more.

    Notes
    -----
    What a batch learns from is written before its update begins: without a gradient,
    without dropout, and without what a model's own ``generation_config`` cuts off. So
    the losses are divided by the tokens that are there, those of all batches and
    processes of the update, and not by those of the texts that were replaced.

    References
    ----------
    .. [1] R. Agarwal et al., "On-policy distillation of language models", ICLR
       2024, arXiv:2306.13649.
    .. [2] Y. Gu et al., "MiniLLM", ICLR 2024, arXiv:2306.08543.
    .. [3] Y. Kim, A. M. Rush, "Sequence-level knowledge distillation", EMNLP 2016,
       arXiv:1606.07947.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        teacher_model: PreTrainedModel | None = None,
        args: SequenceConfig | None = None,
        train_dataset=None,
        eval_dataset=None,
        *,
        processing_class=None,
        teacher_processing_class=None,
        losses: Sequence[WeightedLoss] | None = None,
        **kwargs,
    ) -> None:
        check_type("args", args, SequenceConfig, "a SequenceConfig")
        check_inherited(kwargs)
        if processing_class is None:
            raise ValueError("processing_class must be the student's tokeniser")
        check_vocabulary(model, processing_class)
        if teacher_model is not None:
            _check_teacher(
                model, teacher_model, processing_class, teacher_processing_class
            )
        self.teacher = teacher_model
        self.losses = _all_losses(args, teacher_model, losses)
        self._pad = pad_token(processing_class)
        self._ends = end_tokens(model, processing_class)
        contexts = [context_of(m) for m in (model, teacher_model) if m is not None]
        self._context = min((c for c in contexts if c is not None), default=None)
        if train_dataset is not None:
            train_dataset = _encode(
                processing_class, train_dataset, self._context, args, training=True
            )
        if eval_dataset is not None:
            eval_dataset = each_part(
                eval_dataset,
                lambda part: _encode(processing_class, part, self._context, args),
            )
        kwargs.setdefault("data_collator", self._collate)
        self._multiple = args.pad_to_multiple_of
        super().__init__(
            model=model,
            args=args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            **kwargs,
        )
        self.label_names = ["labels"]
        if teacher_model is not None:
            teacher_model.to(args.device).eval()
        if args.disable_tqdm:
            self.remove_callback(PrinterCallback)

    def _collate(self, examples: Sequence[Mapping]) -> dict[str, torch.Tensor]:
        return completion_batch(examples, self._pad, self._multiple)

    def get_eval_dataloader(self, eval_dataset=None):
        """See ``Trainer.get_eval_dataloader``; encodes what is not yet."""
        if not isinstance(eval_dataset, (str, EncodedCompletions, type(None))):
            eval_dataset = _encode(
                self.processing_class, eval_dataset, self._context, self.args
            )
        return super().get_eval_dataloader(eval_dataset)

    # ------------------------------------------------------------ who writes
    def batches_of_update(self, batches: list[Mapping]) -> list[Mapping]:
        """Put what student or teacher write in the place of some batches."""
        step = self.state.global_step
        return [
            self._written(batch, self._writer(step, number))
            for number, batch in enumerate(batches)
        ]

    def _writer(self, step: int, number: int) -> PreTrainedModel | None:
        """Draw who writes a batch; the same on every process and after a resume."""
        draw = random.Random(f"{self.args.seed} {step} {number}").random()
        if draw < self.args.lmbda:
            return self.accelerator.unwrap_model(self.model)
        return self.teacher if self.args.seq_kd else None

    def _written(self, batch: Mapping, writer: PreTrainedModel | None) -> Mapping:
        if writer is None:
            return batch
        ids, prompts = batch["input_ids"].cpu(), self._prompts(batch)
        rows = [row[place].tolist() for row, place in zip(ids, prompts)]
        asked = to_device(padded_prompts(rows, self._pad), self.args.device)
        with writing(writer):
            made = writer.generate(
                **asked,
                **sampling(
                    self.args.temperature,
                    self.args.max_new_tokens,
                    self._pad,
                    self._ends,
                ),
            )
        new = made[:, asked["input_ids"].shape[1] :].tolist()
        examples = [
            {"prompt_ids": row, "completion_ids": until_end(answer, self._ends)}
            for row, answer in zip(rows, new)
        ]
        return to_device(self._collate(examples), batch["input_ids"].device)

    @staticmethod
    def _prompts(batch: Mapping) -> torch.Tensor:
        """Say which tokens of a batch are those of its prompts."""
        return (batch["attention_mask"].bool() & (batch["labels"] == NO_LABEL)).cpu()

    # ------------------------------------------------------------ the loss
    def compute_loss(
        self, model, inputs, return_outputs=False, num_items_in_batch=None
    ):
        """See ``Trainer.compute_loss``."""
        batch = dict(inputs)
        reads = {name: batch[name] for name in ("input_ids", "attention_mask")}
        if any(SOFT_TARGETS_COLUMN in loss.needs for loss in self.losses):
            with torch.no_grad():
                batch[SOFT_TARGETS_COLUMN] = self.teacher(**reads).logits
        outputs = model(**reads)
        self.check_numbers(outputs.logits)
        counts = num_items_in_batch if model.training else None
        loss = self.weigh(self.losses, outputs, batch, counts)
        outputs["loss"] = loss
        return (loss, outputs) if return_outputs else loss

    @cached_property
    def teacher_revision(self) -> str | None:
        """What names the teacher's weights, which never change; None without one."""
        return None if self.teacher is None else weights_revision(self.teacher)

    def resume_facts(self) -> dict:
        """Return what a resumed run must share with the one that was begun."""
        args, names = self.args, ("lmbda", "beta", "seq_kd", "max_new_tokens")
        return {
            "teacher": self.teacher_revision,
            "data": self.train_dataset.digest(),
            "losses": {loss.name: loss.weight for loss in self.losses},
            **{name: getattr(args, name) for name in names},
            "temperature": args.temperature,
            "seed": args.seed,
            "data_seed": args.data_seed,
        }


class EncodedCompletions(Dataset):
    """Prompts and completions as token ids."""

    def __init__(self, rows: list[dict[str, list[int]]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return self.rows[index]

    @property
    def lengths(self) -> list[int]:
        """The number of tokens of each prompt with its completion."""
        return [sum(map(len, row.values())) for row in self.rows]

    def digest(self) -> str:
        """Return sixteen hexadecimal digits that name the content."""
        content = json.dumps([list(row.values()) for row in self.rows])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def _encode(
    tokenizer, dataset, context, args: SequenceConfig, *, training: bool = False
) -> EncodedCompletions:
    name = "train_dataset" if training else "eval_dataset"
    if not len(dataset):
        raise ValueError(f"{name} is empty")
    needs = ["prompt"]
    if args.asks_for_completions or not training:
        needs.append("completion")
    columns = {need: [] for need in needs}
    for number, row in enumerate(dataset):
        for need, column in columns.items():
            if row.get(need) is None:
                raise ValueError(
                    f"{name} needs a {need!r} in every row (lmbda={args.lmbda:g},"
                    f" seq_kd={args.seq_kd}), row {number} has {sorted(row)}"
                )
            column.append(row[need])
    if training and (args.lmbda > 0 or args.seq_kd):
        encode_prompts(tokenizer, columns["prompt"], context, args.max_new_tokens)
    if len(needs) == 1:
        prompts = encode_prompts(tokenizer, columns["prompt"])
        return EncodedCompletions(
            [{"prompt_ids": row, "completion_ids": []} for row in prompts]
        )
    return EncodedCompletions(encode_completions(tokenizer, *columns.values(), context))


def _all_losses(args: SequenceConfig, teacher, losses) -> list[WeightedLoss]:
    if losses is None:
        given = teacher is not None
        losses = [weighted_jsd(args.beta) if given else weighted_token_cross_entropy()]
    losses = check_loss_names(losses)
    for name, asked in (("lmbda", args.lmbda), ("seq_kd", args.seq_kd)):
        if asked and teacher is None:
            raise ValueError(
                f"{name}={asked!r} needs a teacher_model: nobody else could say what"
                " of a written text is right"
            )
    for loss in losses:
        if SOFT_TARGETS_COLUMN in loss.needs and teacher is None:
            raise ValueError(f"the loss {loss.name!r} needs a teacher_model")
        if loss.name == CROSS_ENTROPY and loss.weight and args.lmbda:
            raise ValueError(
                f"lmbda={args.lmbda!r} with the loss 'cross_entropy': on a text that"
                " the student wrote itself it teaches the student its own mistakes."
                " Leave it out, or set lmbda=0"
            )
    return losses


def _check_teacher(model, teacher, tokenizer, teacher_tokenizer) -> None:
    check_type("teacher_model", teacher, PreTrainedModel, "a PreTrainedModel or None")
    if teacher is model:
        raise ValueError(
            "teacher_model is the student itself: nothing is to be learned"
        )
    sizes = [m.config.get_text_config().vocab_size for m in (model, teacher)]
    instead = (
        "Token by token they cannot be compared; let the teacher write texts"
        " (distill_helpers.teachers.rejection_sample) and train on them without a"
        " teacher_model"
    )
    if sizes[0] != sizes[1]:
        raise ValueError(
            "student and teacher write with other vocabularies, of"
            f" {sizes[0]} and {sizes[1]} tokens. {instead}. If both use one tokeniser"
            " and the larger is only padded, call"
            " resize_token_embeddings(len(tokenizer)) on both"
        )
    if teacher_tokenizer is None:
        return
    own, other = tokenizer.get_vocab(), teacher_tokenizer.get_vocab()
    apart = sorted(t for t in own.keys() | other.keys() if own.get(t) != other.get(t))
    if apart:
        raise ValueError(
            f"student and teacher have tokenisers of {len(own)} and {len(other)}"
            f" tokens, of which {len(apart)} differ, such as {apart[0]!r}. {instead}"
        )
