"""What all models of lesson 11 share: texts, a teacher, and how a student reads."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...data.augment import asked
from ...data.reviews import ReviewDict
from ...evaluation.predict import Predictor
from ...students.tfidf import Learnt, Reader, learn, learn_labels


@dataclass(frozen=True)
class Bench:
    """The texts of one draw, and two ways to make a model of some.

    Attributes
    ----------
    people : list of str
        The labelled texts: those that must not be told apart from others.
    labels : ndarray of int, shape (people,)
    unlabelled : list of str
        Texts of the same source whose labels nobody knows.
    drawn : list of str
        What the student reads, from both.
    answers : ndarray, shape (drawn, classes)
        The teacher's logits for these.
    reader : Reader
    temperature : float
    """

    people: list[str]
    labels: np.ndarray
    unlabelled: list[str]
    drawn: list[str]
    answers: np.ndarray
    reader: Reader
    temperature: float

    @classmethod
    def of(
        cls, reviews: ReviewDict, teacher, texts: int, temperature: float, seed: int
    ) -> Bench:
        """Draw the student's texts and have the teacher answer them.

        Parameters
        ----------
        reviews : ReviewDict
            With ``train`` and ``transfer``.
        teacher : distill_helpers.teachers.Teacher
            One that can be asked about any text.
        texts : int
            That the student reads; at most all of both parts.
        temperature : float
        seed : int
            Of the draw.

        Returns
        -------
        Bench
        """
        people, unlabelled = (list(reviews[p]["text"]) for p in ("train", "transfer"))
        pool = [*people, *unlabelled]
        order = np.random.default_rng(seed).permutation(len(pool))[:texts]
        drawn = [pool[row] for row in order]
        return cls(
            people,
            np.array(reviews["train"]["label"]),
            unlabelled,
            drawn,
            asked(teacher, drawn),
            Reader(pool),
            temperature,
        )

    def by_labels(self, texts: Sequence[str], labels: Sequence[int]) -> Predictor:
        """Return a model that has learnt from labels alone."""
        classes = self.answers.shape[1]
        return self._answering(learn_labels(self.reader(texts), labels, classes))

    def by_answers(self, texts: Sequence[str], logits: np.ndarray) -> Predictor:
        """Return a model that has learnt from soft answers alone."""
        return self._answering(learn(self.reader(texts), logits, self.temperature))

    def in_forms(
        self, forms: Mapping[str, Callable[[np.ndarray], np.ndarray]]
    ) -> dict[str, Predictor]:
        """Return the student of the drawn texts with other weights in its place.

        Parameters
        ----------
        forms : mapping of str to callable
            From the weights, shape (classes or 1, features), to others.

        Returns
        -------
        dict of str to callable
            Each form's answers, by its name.
        """
        learnt = learn(self.reader(self.drawn), self.answers, self.temperature)
        found = {}
        for name, change in forms.items():
            model = copy.copy(learnt.model)
            model.coef_ = change(learnt.model.coef_)
            found[name] = self._answering(replace(learnt, model=model))
        return found

    def _answering(self, learnt: Learnt) -> Predictor:
        return lambda texts: learnt.logits(self.reader(texts))
