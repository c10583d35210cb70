"""Three ways to learn from labelled texts, behind one door: rows in, answers out."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from .examples import Examples
from .heads import Head, fit_head
from .ngram_features import MANY, NgramFeatures

Answers = Callable[[Sequence[str]], np.ndarray]
"""Texts in, logits of shape (texts, classes) out."""


class Learner(ABC):
    """One way of learning.

    Attributes
    ----------
    can, cannot : str
        What its answers may teach and what they cannot, in plain words.
    folder : Path or None
        Where finished pieces are kept.
    """

    can: str
    cannot: str
    folder: Path | None = None

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Name all that its answers hang on besides examples and seed."""

    @abstractmethod
    def fit(self, rows: np.ndarray, name: str) -> Answers:
        """Learn from some of the examples.

        Parameters
        ----------
        rows : ndarray of int
            Which.
        name : str
            Of this piece of work.
        """

    def done(self) -> None:  # noqa: B027 (most have nothing to take away)
        """Take away what only an unfinished teacher needs."""


class _HeadLearner(Learner):
    """Features that stay as they are, and a linear head."""

    def __init__(self, examples: Examples, seed: int) -> None:
        self.examples, self.seed = examples, seed

    features: Callable
    """From texts to features."""

    @property
    @abstractmethod
    def own(self):
        """Features of the labelled texts, shape (texts, features)."""

    def fit(self, rows: np.ndarray, name: str) -> Answers:
        """See :meth:`Learner.fit`."""
        head: Head = fit_head(self.own[rows], self.examples.holds[rows], self.seed)
        return lambda texts: head(self.features(texts))


class LinearLearner(_HeadLearner):
    """Word and character n-grams; needs nothing but the texts themselves."""

    can = (
        "which words, pairs of words and pieces of words go with a class, misspelt and"
        " inflected ones too, and what unlabelled texts that share them are likely to be"
    )
    cannot = (
        "meaning: a word that stands in no text of the file says nothing to it, word"
        " order beyond pairs is lost, irony and negation are mostly missed. It knows no"
        " more of the world than the labels do; how far to trust it is what its score"
        " out of fold says"
    )

    @cached_property
    def features(self) -> NgramFeatures:
        """Vocabulary, weights and topics of all texts, labelled or not."""
        topics = len(self.examples.texts) <= MANY
        texts = [*self.examples.texts, *self.examples.unlabelled]
        return NgramFeatures(texts, topics=topics, seed=self.seed)

    @property
    def own(self):
        """See :attr:`_HeadLearner.own`."""
        return self.features.own[: len(self.examples.texts)]

    @property
    def fingerprint(self) -> str:
        """See :attr:`Learner.fingerprint`."""
        return "linear"


class FrozenLearner(_HeadLearner):
    """A pretrained encoder as it is, with a linear head."""

    can = (
        "what the encoder learnt of language before: texts that mean the same lie side"
        " by side for it, also where they share no word"
    )
    cannot = (
        "what its makers' texts did not hold: the file's own jargon, codes and product"
        " names are strange to it, for only the head was trained"
    )

    def __init__(self, examples: Examples, seed: int, encoder, progress: bool) -> None:
        from .frozen import FrozenEncoder

        super().__init__(examples, seed)
        self.features = FrozenEncoder(encoder, progress=progress)

    @cached_property
    def own(self):
        """See :attr:`_HeadLearner.own`."""
        return self.features(self.examples.texts)

    @property
    def fingerprint(self) -> str:
        """See :attr:`Learner.fingerprint`."""
        return f"frozen-{self.features.fingerprint}"


class EncoderLearner(Learner):
    """A pretrained encoder that is fine-tuned on the labels."""

    can = (
        "what the encoder learnt of language before, and how the file's own classes"
        " use it"
    )
    cannot = (
        "much, where labels are few: fine-tuning has many weights to move, and a frozen"
        " encoder (how='frozen') may then be the better teacher"
    )

    def __init__(
        self,
        examples: Examples,
        seed: int,
        encoder,
        progress: bool,
    ) -> None:
        from .frozen import FrozenEncoder

        self.examples, self.seed = examples, seed
        self.encoder, self.progress = str(encoder), progress
        base = FrozenEncoder(encoder, progress=False)
        self._named, self.max_length = base.fingerprint, base.max_length

    @property
    def fingerprint(self) -> str:
        """See :attr:`Learner.fingerprint`."""
        return f"encoder-{self._named}"

    def fit(self, rows: np.ndarray, name: str):
        """See :meth:`Learner.fit`; with a folder, finished pieces are kept there."""
        from .finetuning import finetune, finetuned_stage, load_encoder
        from .live import HuggingFaceTeacher, on_accelerator

        texts = [self.examples.texts[row] for row in rows]
        labels = self.examples.labels[rows]
        kind = {
            "label_names": self.examples.label_names,
            "problem_type": self.examples.problem_type,
        }
        settings = {
            "epochs": passes(len(rows)),
            "batch_size": BATCH,
            "max_length": self.max_length,
            "seed": self.seed,
            "description": name,
            "progress": self.progress,
        }
        if self.folder is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                model, tokenizer = load_encoder(self.encoder, **kind)
            finetune(on_accelerator(model), tokenizer, texts, labels, **settings)
        else:
            place = self.folder / name
            with torch.random.fork_rng(devices=[]):
                finetuned_stage(place, self.encoder, texts, labels, **kind, **settings)
            model, tokenizer = load_encoder(place, **kind)
            on_accelerator(model)
        teacher = HuggingFaceTeacher(
            model, tokenizer, max_length=self.max_length, progress=self.progress
        )
        return _Encoder(teacher)

    def done(self) -> None:
        """See :meth:`Learner.done`: the encoders of the folds go."""
        if self.folder is not None:
            for place in self.folder.glob("fold-*"):
                shutil.rmtree(place)


class _Encoder:
    def __init__(self, teacher) -> None:
        self.teacher = teacher

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        return self.teacher.logits(texts)


BATCH = 16
STEPS = 300
"""Updates that a small file is worth: more passes where texts are few."""


def passes(texts: int) -> int:
    """Return how often an encoder reads its labelled texts, 2 to 20 times.

    Examples
    --------
    >>> passes(100), passes(1_000), passes(20_000)
    (20, 5, 2)
    """
    return int(np.clip(round(STEPS * BATCH / texts), 2, 20))
