"""The students of the lesson: what each learns from, how it is trained and judged."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from transformers import TrainerCallback

from ...evaluation import exact_matches, generate_texts, one_thread, read_answer
from ...files import whole_folder
from ...logs import quietly
from ...students.causal import tiny_causal_lm
from ...training.sequence import SequenceConfig, SequenceTrainer
from .remembering import remembers
from .shipped import load_base, load_teacher
from .stages import ChangingWeights
from .stories import Story

TRAINED = 600
"""Steps of a student."""
RATE = 8e-3
"""Its learning rate at the height."""
LONGEST = 64
"""Tokens that a model may write; the longest right text has about 50."""


@dataclass(frozen=True)
class Arm:
    """One student: its texts and its settings.

    Attributes
    ----------
    name : str
    rows : sequence of mapping
        With ``prompt`` and ``completion``.
    seed : int
        Of the order of the texts.
    steps : int
    follows : bool
        Whether the teacher scores each token, instead of the texts' own.
    staged : bool
        Whether texts and teacher change their weights in three stages.
    options : mapping
        More of ``SequenceConfig``, such as ``lmbda`` and ``beta``.
    start : str or None
        A folder with the model to begin with; by default the base.
    keep : str or None
        A folder for the trained model.
    """

    name: str
    rows: Sequence[Mapping[str, str]]
    seed: int
    steps: int
    follows: bool = False
    staged: bool = False
    options: Mapping = field(default_factory=dict)
    start: str | None = None
    keep: str | None = None


@dataclass(frozen=True)
class Exam:
    """What the students are asked.

    Attributes
    ----------
    stories : sequence of Story
        Of as many operations as they learned from.
    longer : sequence of Story
        One operation more than any of them has seen.
    """

    stories: Sequence[Story]
    longer: Sequence[Story]


@dataclass(frozen=True)
class Marks:
    """How a student did.

    Attributes
    ----------
    name : str
    seed : int
    texts : list of str or None
        What it wrote; None where it did not end.
    right : list of bool
        Whether each answer is right.
    longer : float
        Share of the longer stories.
    seconds : float
        Of one processor, for the training alone.
    tokens_per_second : float
        While it wrote.
    """

    name: str
    seed: int
    texts: list[str | None]
    right: list[bool]
    longer: float
    seconds: float
    tokens_per_second: float

    @property
    def score(self) -> float:
        """The share of right answers."""
        return float(np.mean(self.right))


def train_and_judge(task: tuple[Arm, Exam]) -> Marks:
    """Train one student and let it write.

    Parameters
    ----------
    task : tuple of Arm and Exam

    Returns
    -------
    Marks
    """
    arm, exam = task
    with one_thread(), quietly():
        student, tokenizer = load_base(arm.start)
        teacher = _who_scores(arm)
        seconds = fit(
            student,
            tokenizer,
            arm.rows,
            steps=arm.steps,
            teacher=teacher,
            seed=arm.seed,
            staged=arm.staged,
            **arm.options,
        )
        if arm.keep:
            save(student, tokenizer, arm.keep)
        made = write(student, tokenizer, exam.stories)
        longer = right_answers(
            write(student, tokenizer, exam.longer).whole, exam.longer
        )
    return Marks(
        arm.name,
        arm.seed,
        made.whole,
        right_answers(made.whole, exam.stories).tolist(),
        float(longer.mean()),
        seconds,
        made.tokens_per_second,
    )


def _who_scores(arm: Arm):
    if not (arm.follows or arm.staged):
        return None
    teacher = load_teacher()[0]
    return teacher if arm.options.get("lmbda") else remembers(teacher)


def untrained(tokenizer, width: int, seed: int = 0):
    """Make a small model with first weights that suit its width.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    width : int
    seed : int, default 0

    Returns
    -------
    PreTrainedModel
    """
    return tiny_causal_lm(
        tokenizer, width=width, initializer_range=width**-0.5, seed=seed
    )


def fit(
    model,
    tokenizer,
    rows: Sequence[Mapping[str, str]],
    *,
    steps: int,
    learning_rate: float = RATE,
    batch_size: int = 32,
    teacher=None,
    seed: int = 0,
    staged: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
    **options,
) -> float:
    """Train a small model as all of this lesson are trained.

    Parameters
    ----------
    model : PreTrainedModel
        Changed in place.
    tokenizer : PreTrainedTokenizerBase
    rows : sequence of mapping
    steps : int
        Updates; the learning rate rises in the first twentieth of them, then falls
        along a cosine.
    learning_rate, batch_size
    teacher : PreTrainedModel, optional
        Who scores the tokens; by default nobody does.
    seed : int
    staged : bool
        See :class:`~distill_helpers.lessons.l09.stages.ChangingWeights`.
    callbacks : sequence of TrainerCallback
    **options
        For ``SequenceConfig``.

    Returns
    -------
    float
        Seconds of one processor.
    """
    staging = ChangingWeights() if staged else None
    with tempfile.TemporaryDirectory() as folder:
        args = SequenceConfig(
            output_dir=folder,
            max_steps=steps,
            learning_rate=learning_rate,
            per_device_train_batch_size=batch_size,
            adam_beta2=0.98,
            weight_decay=0.01,
            max_new_tokens=LONGEST,
            train_sampling_strategy="group_by_length",
            pad_to_multiple_of=1,  # no token but those of the texts
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            seed=seed,
            **options,
        )
        trainer = SequenceTrainer(
            model,
            teacher,
            args,
            rows,
            processing_class=tokenizer,
            losses=staging and staging.losses(0.0),
            callbacks=list(callbacks),
        )
        if staging:
            staging.watch(trainer)
        begin = time.process_time()
        trainer.train()
        return time.process_time() - begin


def save(model, tokenizer, out: str | Path) -> None:
    """Write a model with its tokeniser to a folder that does not exist."""
    with whole_folder(Path(out), "model") as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def write(model, tokenizer, stories: Sequence[Story], **options):
    """Let a model write on; see :func:`~distill_helpers.evaluation.generate_texts`."""
    prompts = [story.prompt for story in stories]
    return generate_texts(model, tokenizer, prompts, max_new_tokens=LONGEST, **options)


def right_answers(texts: Sequence[str | None], stories: Sequence[Story]) -> np.ndarray:
    """Say which texts end in the right answer.

    Parameters
    ----------
    texts : sequence of str or None
        None where a text did not end.
    stories : sequence of Story

    Returns
    -------
    ndarray of bool, shape (stories,)
    """
    answers = [read_answer(text) for text in texts]
    return exact_matches(answers, [story.answer for story in stories])
