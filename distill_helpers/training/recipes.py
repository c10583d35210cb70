"""Fair comparisons: one recipe for a student with and without its teacher.

Control and distilled student share architecture, recipe, number of steps and
the way the best checkpoint is chosen; the seed draws the labelled reviews,
the first weights and the order of the batches.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from transformers import PreTrainedModel

from ..arguments import check_type, check_whole
from ..data.encoding import EncodedReviews
from ..data.labels import ONE_LABEL, SEVERAL_LABELS, check_problem_type, problem_type_of
from ..evaluation.metrics import Quality, measure_quality
from ..evaluation.predict import predictor
from ..logs import quietly
from ..losses.matching import HiddenStateMatcher
from ..losses.weighted import WeightedLoss
from ..students.registry import build_student, student_spec
from .config import DistillationConfig
from .trainer import DistillationTrainer

LOOKS = 5  # at the validation reviews in one run


def step_budget(student: str, reviews: int, epochs: float) -> int:
    """Return the steps that `epochs` passes over `reviews` take.

    Parameters
    ----------
    student : str
        Kind of student; its recipe gives the batch size.
    reviews : int
    epochs : float

    Returns
    -------
    int
        At least 1.
    """
    batch = student_spec(student).recipe.batch_size
    return max(1, round(epochs * math.ceil(reviews / batch)))


def train_student(
    student: str,
    tokenizer,
    train: EncodedReviews,
    validation: EncodedReviews,
    *,
    steps: int,
    learning_rate: float | None = None,
    label_names: Sequence[str] = ("negative", "positive"),
    problem_type: str | None = None,
    seed: int = 0,
    shape: Mapping | None = None,
    match: Callable[[PreTrainedModel], HiddenStateMatcher] | None = None,
    **options,
):
    """Train one student from the start.

    Parameters
    ----------
    student : str
        Kind of student, one of
        :data:`~distill_helpers.students.registry.STUDENTS`.
    tokenizer : PreTrainedTokenizerBase
        The student's.
    train : EncodedReviews
        With soft targets to distil; without them this is the control.
    validation : EncodedReviews
        Labelled; looked at five times by default, the same for every student.
    steps : int
        Updates, the same for control and distilled student.
    learning_rate : float, optional
        By default the recipe's.
    label_names : sequence of str
    problem_type : str, optional
        ``"multi_label_classification"`` for several labels a text; by default what
        the labels of `train` and `validation` are.
    seed : int, default 0
    shape : mapping, optional
        As for :func:`~distill_helpers.students.registry.build_student`, such as
        ``{"filters": 64}``.
    match : callable, optional
        From the new student to the layers that it shall imitate; see
        :class:`~distill_helpers.losses.matching.HiddenStateMatcher`.
    **options
        For :func:`train_further`: temperature, alpha, class_weights and more.

    Returns
    -------
    PreTrainedModel

    Notes
    -----
    Started by ``torchrun`` or ``accelerate launch``, every process calls this
    and gets the same student; `steps` are then those of all together, each on
    as many batches as there are processes.
    """
    recipe = student_spec(student).recipe
    _check_parts(train, validation)
    model = build_student(
        student,
        tokenizer,
        label_names=label_names,
        problem_type=_problem_type(problem_type, train, validation),
        seed=seed,
        **dict(shape or {}),
    )
    return train_further(
        model,
        tokenizer,
        train,
        validation,
        steps=steps,
        learning_rate=learning_rate or recipe.learning_rate,
        batch_size=recipe.batch_size,
        weight_decay=recipe.weight_decay,
        seed=seed,
        match=match,
        **options,
    )


def _check_parts(train, validation) -> None:
    what = "EncodedReviews: give encode_reviews(dataset, tokenizer, teacher)"
    check_type("train", train, EncodedReviews, what)
    check_type("validation", validation, EncodedReviews, what)


def _problem_type(asked: str | None, *parts: EncodedReviews) -> str | None:
    several = any(part.labels.ndim > 1 for part in parts)
    if asked is None:
        return SEVERAL_LABELS if several else None
    # What is one label a text needs no word in a config.
    return None if check_problem_type(asked) == ONE_LABEL else asked


def train_further(
    model: PreTrainedModel,
    tokenizer,
    train: EncodedReviews,
    validation: EncodedReviews,
    *,
    steps: int,
    learning_rate: float,
    batch_size: int = 32,
    weight_decay: float = 0.0,
    temperature: float = 2.0,
    alpha: float = 0.9,
    class_weights: str | Sequence[float] | None = None,
    metric: str | None = None,
    seed: int = 0,
    progress: bool = False,
    best: bool = True,
    looks: int = LOOKS,
    config: Mapping | None = None,
    callbacks: Sequence = (),
    match: Callable[[PreTrainedModel], HiddenStateMatcher] | None = None,
    losses: Sequence[WeightedLoss] | None = None,
):
    """Train a model and return it as it was best on the validation texts.

    Parameters
    ----------
    model : PreTrainedModel
        Changed in place: a new student, or one to recover after pruning.
    tokenizer : PreTrainedTokenizerBase
        The model's.
    train, validation : EncodedReviews
        As for :func:`train_student`.
    steps : int
        Updates.
    learning_rate : float
        The highest of a cosine schedule.
    batch_size : int, default 32
    weight_decay : float, default 0.0
    temperature, alpha : float
        See :class:`~distill_helpers.losses.combined.DistillationLoss`.
    class_weights : "balanced" or sequence of float, optional
        What each class counts in the cross-entropy with the labels; see
        :func:`~distill_helpers.losses.balance.class_weights`.
    metric : str, optional
        What is best: a name of
        :func:`~distill_helpers.training.task.task_metrics`. By default
        ``"accuracy"``, and ``"f1"`` for several labels a text.
    seed : int, default 0
        Of the order of the batches.
    progress : bool, default False
        Show the Trainer's progress bar.
    best : bool, default True
        False returns the model of the last step, whatever validation says.
    looks : int, default 5
        How often the validation texts are answered on the way. 0 spares the time of
        it, where `best` is False and nobody else wants to know.
    config : mapping, optional
        Further arguments of ``DistillationConfig``, over those of the recipe:
        what a comparison of training tricks changes.
    callbacks : sequence of TrainerCallback
        Given to the Trainer.
    match : callable, optional
        As for :func:`train_student`.
    losses : sequence of WeightedLoss, optional
        In place of soft targets and labels, mixed by alpha; see
        :class:`~distill_helpers.training.trainer.DistillationTrainer`.

    Returns
    -------
    PreTrainedModel
        `model`, in evaluation mode.
    """
    check_whole("steps", steps, least=1)
    check_whole("looks", looks, least=0)
    if best and not looks:
        raise ValueError(
            "looks must be at least 1 where the best moment is kept (best=True), got 0"
        )
    _check_parts(train, validation)
    if metric is None:
        several = problem_type_of(model) == SEVERAL_LABELS
        metric = "f1" if several else "accuracy"
    if class_weights is not None and not isinstance(class_weights, str):
        class_weights = list(class_weights)
    every = max(1, math.ceil(steps / (looks or LOOKS)))
    with _shared_folder() as folder:
        settings = dict(
            output_dir=folder,
            temperature=temperature,
            alpha=alpha if train.teacher_logits is not None else 0.0,
            class_weights=class_weights,
            max_steps=steps,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            per_device_train_batch_size=batch_size,
            optim="adamw_torch_fused",
            eval_strategy="steps" if looks else "no",
            eval_steps=every,
            logging_steps=every,
            save_strategy="best" if best else "no",
            save_only_model=True,
            save_total_limit=1,
            load_best_model_at_end=best,
            metric_for_best_model=metric,
            disable_tqdm=not progress,
            seed=seed,
        )
        trainer = DistillationTrainer(
            model,
            None,
            DistillationConfig(**(settings | dict(config or {}))),
            train,
            validation,
            processing_class=tokenizer,
            callbacks=list(callbacks),
            hidden_states=match(model) if match else None,
            losses=losses,
        )
        with quietly():
            trainer.train()
    return trainer.model.eval()


@contextmanager
def _shared_folder() -> Iterator[str]:
    """A temporary folder, the same one for all processes of a launch."""
    state = PartialState(cpu=not torch.accelerator.is_available())
    with tempfile.TemporaryDirectory() as own:
        shared = [own]
        broadcast_object_list(shared)
        yield shared[0]
        state.wait_for_everyone()  # before the folder is taken away


def judge(
    model,
    tokenizer,
    texts: Sequence[str],
    labels: Sequence[int],
    teacher_logits: np.ndarray | None = None,
    *,
    label_names: Sequence[str] | None = None,
) -> Quality:
    """Return a student's quality on some texts.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str
    labels : sequence of int, or of rows of 0 and 1 (several labels a text)
    teacher_logits : ndarray, shape (texts, classes), optional
    label_names : sequence of str, optional
        The classes of the data, in the order of `labels`, where the student may
        have been trained on others or in another order.

    Returns
    -------
    Quality

    Raises
    ------
    ClassNamesError
        If `label_names` are not the student's classes.
    """
    logits = predictor(model, tokenizer, label_names=label_names)(texts)
    return measure_quality(logits, labels, teacher_logits)
