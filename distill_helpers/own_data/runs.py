"""The training: the same student three ways, for every seed; finished runs are kept."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from datasets import Dataset, Features, concatenate_datasets
from scipy.special import logit
from transformers import AutoModelForSequenceClassification

from distill_helpers import __version__

from ..data.encoding import EncodedReviews, encode_reviews
from ..evaluation.cost import Cost, count_parameters, measure_cost, size_on_disk
from ..evaluation.metrics import chosen_labels
from ..evaluation.predict import Predictor, predictor
from ..files import whole_folder
from ..logs import quietly
from ..losses.balance import class_weights
from ..losses.named import check_soft_loss
from ..students.registry import student_spec
from ..students.tokenizers import train_tokenizer
from ..teachers.tables import SMOOTHING
from ..teachers.trust import WeakTeacherWarning
from ..training.checkpoints import data_digest
from ..training.choosing import Choice, choose_student
from ..training.recipes import step_budget, train_student
from .choosing import chosen, texts_read
from .classes import marks_of_labels
from .delivered_forms import USUAL, write_form
from .guide import Guide
from .looking import Texts
from .request import Request

CONTROL, HARD, DISTILLED = "control", "hard answers", "distilled"
ARMS = {
    CONTROL: "the same student on the labels alone",
    HARD: "labels, and the teacher's choice as the label of the other texts",
    DISTILLED: "labels and the teacher's soft targets",
}
"""Every way in which the student is trained, for as many steps each."""
METRIC = "f1"
"""Macro F1 decides: a class counts as much as any other, however rare."""
LEAST_STEPS = 500
LEAST_PASSES, MOST_PASSES = 5, 60
NOTE = "run.json"


@dataclass
class Trained:
    """The students of all ways and seeds.

    Attributes
    ----------
    models : dict of str to list of PreTrainedModel
        By the way of training, in the order of the seeds.
    choice : Choice
        The one to keep, by the macro F1 on validation texts.
    tokenizer : PreTrainedTokenizerFast
    seeds : tuple of int
    steps : int
        Updates of each run.
    student : str
        The kind of student.
    form : str, default "int8"
        The form of its bundle.
    weighed : Weighed, optional
        How kind and form were chosen, where they were.
    """

    models: dict[str, list]
    choice: Choice
    tokenizer: object
    seeds: tuple[int, ...]
    steps: int
    student: str
    form: str = USUAL
    weighed: Any = None

    def predictors(self) -> dict[str, list[Predictor]]:
        """Return who answers the test texts, by the way of training."""
        return {
            arm: [predictor(model, self.tokenizer) for model in models]
            for arm, models in self.models.items()
        }

    def cost(self, texts: Sequence[str]) -> Cost:
        """Measure what the student that is kept takes."""
        model = self.choice.model
        return measure_cost(
            predictor(model, self.tokenizer),
            texts,
            parameters=count_parameters(model),
            bytes_on_disk=size_on_disk(model, self.tokenizer),
        )

    def write_bundle(self, folder: Path, texts: Texts) -> None:
        """Write the student that is kept as a bundle."""
        write_form(folder, self.form, self.choice.model, self.tokenizer, texts)

    @property
    def validation(self):
        """Macro F1 on the validation texts: a line a way, a column a seed.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame(self.choice.scores).T.rename_axis(columns="seed")

    def __str__(self) -> str:
        return (
            f"{self.steps} steps each; macro F1 on the validation texts:\n"
            f"{self.validation.round(3).to_string()}\nkept: {self.choice.why}"
        )


@dataclass(frozen=True)
class Recipe:
    """What all runs share.

    Attributes
    ----------
    request : Request
    label_names : list of str
    problem_type : str
    steps : int
    shape : dict
        Of the student.
    class_weights : list of float or None
    """

    request: Request
    label_names: list[str]
    problem_type: str
    steps: int
    shape: dict
    class_weights: list[float] | None

    def train(self, tokenizer, reads, validation, seed: int, steps: int | None = None):
        """Train one student as the lessons do; by default for all its steps."""
        return train_student(
            self.request.student,
            tokenizer,
            reads,
            validation,
            steps=steps or self.steps,
            temperature=self.request.temperature,
            alpha=self.request.alpha,
            label_names=self.label_names,
            problem_type=self.problem_type,
            class_weights=self.class_weights,
            metric=METRIC,
            seed=seed,
            shape=self.shape,
            config=self._teaching() if reads.teacher_logits is not None else None,
        )

    def _teaching(self) -> dict:
        """Return what the soft targets alone are trained with."""
        return {
            "soft_loss": self.request.soft_loss,
            "example_weights": self.request.example_weights,
        }

    def facts(self) -> dict:
        """Plain data that a run hangs on, beside its texts and its seed."""
        return {
            "kit": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "recipe": repr(student_spec(self.request.student).recipe),
            "student": self.request.student,
            "shape": self.shape,
            "labels": self.label_names,
            "problem_type": self.problem_type,
            "class_weights": self.class_weights,
            "steps": self.steps,
            "temperature": self.request.temperature,
            "alpha": self.request.alpha,
            **self._teaching(),
        }


def passes(request: Request, texts: int) -> float:
    """Return how often the texts are read: as asked, or enough for a small file."""
    if request.epochs is not None:
        return request.epochs
    a_pass = step_budget(request.student, texts, 1)
    return float(np.clip(LEAST_STEPS / a_pass, LEAST_PASSES, MOST_PASSES))


def make_recipe(request: Request, texts: Texts) -> Recipe:
    """Settle what all runs share; no teacher is needed."""
    reviews, names = texts.reviews, texts.label_names
    count = texts_read(request, texts)
    labels = np.asarray(reviews["train"]["label"])
    check_soft_loss(request.soft_loss, None, len(names), texts.problem_type)
    return Recipe(
        request,
        names,
        texts.problem_type,
        step_budget(request.student, count, passes(request, count)),
        _shape(request.student, count),
        class_weights(request.class_weights, labels, len(names)),
    )


def _shape(student: str, texts: int) -> dict:
    """Return what the student's size is fitted to the file with.

    The pairs of words of a small file need few slots; empty ones cost time and
    bytes.
    """
    if student != "bigram":
        return {}
    wanted = 64 * max(texts, 1)
    return {"buckets": int(2 ** np.clip(np.ceil(np.log2(wanted)), 12, 19))}


def make_tokenizer(request: Request, texts: Texts):
    """Learn the student's vocabulary from all texts that are trained on."""
    reviews = texts.reviews
    read = list(reviews["train"]["text"]) + list(reviews["transfer"]["text"])
    return train_tokenizer(read, request.student)


# --------------------------------------------------------- what each way reads
def ways(texts: Texts) -> list[str]:
    """Name the ways of training; without unlabelled text one says nothing new."""
    return [arm for arm in ARMS if arm != HARD or len(texts.reviews["transfer"])]


def encoded_arms(
    guide: Guide, seed: int, tokenizer
) -> tuple[dict[str, Callable[[], EncodedReviews]], EncodedReviews]:
    """Return what each way reads for a seed, made when asked, and the validation."""
    drawn = guide.texts.drawn(seed)
    train, teacher = drawn["train"], guide.of(seed)
    known = _answerable(guide, drawn["transfer"])
    transfer = chosen(guide, teacher, train, known)
    arms = {CONTROL: lambda: encode_reviews(train, tokenizer)}
    if HARD in ways(guide.texts):
        arms[HARD] = lambda: encode_reviews(
            concatenate_datasets([train, _with_choice(teacher, transfer, train)]),
            tokenizer,
        )
    arms[DISTILLED] = lambda: _taught(guide, teacher, train, transfer, tokenizer)
    return arms, encode_reviews(drawn["validation"], tokenizer)


def _answerable(guide: Guide, part: Dataset) -> Dataset:
    known = guide.knows(list(part["text"]))
    return part if known.all() else part.select(np.flatnonzero(known))


def _taught(guide: Guide, teacher, train, transfer, tokenizer) -> EncodedReviews:
    if guide.knows(list(train["text"])).all():
        both = concatenate_datasets([train, transfer])
        return encode_reviews(both, tokenizer, teacher)
    reads = encode_reviews(concatenate_datasets([train, transfer]), tokenizer)
    told = teacher.logits(list(transfer["text"]))
    reads.teacher_logits = np.concatenate([_or_label(guide, teacher, train), told])
    return reads


def _or_label(guide: Guide, teacher, train) -> np.ndarray:
    """Return the teacher's logits; where it has none, those of a hard answer."""
    classes = teacher.num_labels
    marks = marks_of_labels(np.asarray(train["label"]), classes)
    rest = SMOOTHING if guide.texts.several else SMOOTHING / (classes - 1)
    shares = np.where(marks, 1 - SMOOTHING, rest)
    to_logits = logit if guide.texts.several else np.log
    told = teacher.answers(list(train["text"]))
    return np.where(np.isnan(told), to_logits(shares).astype(np.float32), told)


def _with_choice(teacher, transfer: Dataset, train: Dataset) -> Dataset:
    texts = list(transfer["text"])
    several = np.ndim(train[0]["label"]) > 0
    logits = teacher.logits(texts)
    chosen = chosen_labels(logits).astype(float) if several else logits.argmax(1)
    columns = {"text": texts, "label": chosen.tolist()}
    features = Features({name: train.features[name] for name in columns})
    return Dataset.from_dict(columns, features=features)


# ------------------------------------------------------------- kept when done
def key_of(facts: Mapping) -> str:
    """Return a short name for plain data, the same for equal data."""
    spelt = json.dumps(facts, sort_keys=True).encode()
    return hashlib.sha256(spelt).hexdigest()[:16]


def _kept(folder: Path, facts: Mapping, work: Callable[[], object]):
    """Load a finished run of the same facts, or do the work and keep it whole."""
    if not folder.exists():
        model = work()
        with whole_folder(folder, "run") as part, quietly():
            model.save_pretrained(part)
            (part / NOTE).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        return model
    with quietly():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True
        )
    return model.eval()


def train_one(
    request: Request,
    texts: Texts,
    guide: Guide,
    progress: bool = True,
    arms: Sequence[str] | None = None,
) -> Trained:
    """Train one kind of student; what was finished before is not done again.

    Parameters
    ----------
    request : Request
    texts : Texts
    guide : Guide
    progress : bool, default True
    arms : sequence of str, optional
        Ways of training; by default all that the texts allow.

    Returns
    -------
    Trained

    Notes
    -----
    A finished run is used again only where the settings, the texts with their
    labels, the teacher's answers and the libraries' versions are the same.
    """
    from tqdm.auto import tqdm

    recipe, tokenizer = make_recipe(request, texts), make_tokenizer(request, texts)
    models: dict[str, list] = {}
    validations = []
    arms = ways(texts) if arms is None else arms
    total = len(arms) * len(request.seeds)
    with tqdm(total=total, disable=None if progress else True) as bar:
        for seed in request.seeds:
            reading, validation = encoded_arms(guide, seed, tokenizer)
            validations.append(validation)
            for arm in arms:
                reads = reading[arm]
                bar.set_description(f"seed {seed}, {arm}")
                model = _run(recipe, tokenizer, reads(), validation, seed, arm)
                models.setdefault(arm, []).append(model)
                bar.update()
    choice = choose_student(
        models, validations, tokenizer, seeds=request.seeds, metric=METRIC
    )
    return Trained(
        models, choice, tokenizer, request.seeds, recipe.steps, request.student
    )


def _run(recipe: Recipe, tokenizer, reads, validation, seed: int, arm: str):
    facts = recipe.facts() | {
        "seed": seed,
        "reads": data_digest(reads),
        "validation": data_digest(validation),
        "vocabulary": len(tokenizer),
    }
    name = f"{arm.replace(' ', '-')}-{seed}-{key_of(facts)}"
    folder = recipe.request.working / "runs" / name
    with warnings.catch_warnings():
        # The report says it of the teacher, once; not in the words of each run.
        warnings.simplefilter("ignore", WeakTeacherWarning)
        return _kept(
            folder, facts, lambda: recipe.train(tokenizer, reads, validation, seed)
        )
