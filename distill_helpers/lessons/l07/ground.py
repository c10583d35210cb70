"""What all students of lesson 07 share: a pool, its answers, and the texts of the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...arguments import check_number, check_whole
from ...data.active import RANDOM, STUDENT_DOUBT, choose
from ...data.augment import Views, asked, views
from ...data.pseudo import pseudo_labels
from ...students.tfidf import Learnt, Reader, learn, learn_labels

STEPS = 8
"""A student is asked for its doubts so often until the largest budget is spent."""

ALL_SOFT = "all, soft"
"""The arm that keeps every text, with its soft answer."""


@dataclass(frozen=True)
class Ground:
    """Everything but the choice that an experiment is about.

    Attributes
    ----------
    pool : list of str
        Texts without a label.
    answers : ndarray, shape (pool, classes)
        The teacher's logits.
    read : csr_matrix, shape (pool, features)
    reader : Reader
    teacher : distill_helpers.teachers.Teacher
        One that can be asked about any text.
    test_read : csr_matrix, shape (tests, features)
    truth : ndarray of int, shape (tests,)
    temperature : float
    """

    pool: list[str]
    answers: np.ndarray
    read: sparse.csr_matrix
    reader: Reader
    teacher: object
    test_read: sparse.csr_matrix
    truth: np.ndarray
    temperature: float = 2.0

    @classmethod
    def of(
        cls,
        pool: Sequence[str],
        teacher,
        test_texts: Sequence[str],
        truth: Sequence[int],
        temperature: float = 2.0,
    ) -> Ground:
        """Read all texts and ask the teacher once about the pool."""
        pool, reader = list(pool), Reader(pool)
        return cls(
            pool,
            asked(teacher, pool),
            reader(pool),
            reader,
            teacher,
            reader(test_texts),
            np.asarray(truth),
            temperature,
        )

    def draw(self, seed: int, share: float = 2 / 3) -> np.ndarray:
        """Return the rows of the pool that a seed sees.

        A seed that saw all of it would be the same run as any other one.
        """
        check_number("share", share, above=0, most=1)
        rng = np.random.default_rng(check_whole("seed", seed, least=0))
        return rng.permutation(len(self.pool))[: round(share * len(self.pool))]

    def student(self, rows: np.ndarray) -> Learnt:
        """Teach a student some rows of the pool."""
        return learn(self.read[rows], self.answers[rows], self.temperature)

    def score(self, rows: np.ndarray) -> float:
        """Return the test accuracy of :meth:`student`."""
        return self.student(rows).accuracy(self.test_read, self.truth)

    def score_with_views(
        self, rows: np.ndarray, made: Views, logits: np.ndarray
    ) -> float:
        """Return the test accuracy of a student that is taught views as well.

        Parameters
        ----------
        rows : ndarray of int
            Of the pool.
        made : Views
            Of those rows' texts.
        logits : ndarray, shape (views, classes)
            What is taught of each view.
        """
        features = sparse.vstack([self.read[rows], self.reader(made.texts)]).tocsr()
        answers = np.concatenate([self.answers[rows], logits])
        learnt = learn(features, answers, self.temperature)
        return learnt.accuracy(self.test_read, self.truth)

    def stored_and_anew(self, rows: np.ndarray, made: Views) -> dict[str, np.ndarray]:
        """Answer views in two ways: as their parents were, and by the teacher."""
        return {
            "stored": self.answers[rows][made.parents],
            "asked anew": asked(self.teacher, made.texts),
        }

    def score_pseudo(self, rows: np.ndarray, threshold: float) -> tuple[float, int]:
        """Teach the surest answers as labels.

        Returns
        -------
        (float, int)
            Test accuracy, and how many texts are left.
        """
        found = pseudo_labels(self.answers[rows], threshold)
        classes = self.answers.shape[1]
        learnt = learn_labels(self.read[rows][found.rows], found.labels, classes)
        return learnt.accuracy(self.test_read, self.truth), len(found.rows)

    def ask_in_turn(
        self, rows: np.ndarray, how: str, budget: int, step: int, seed: int = 0
    ) -> np.ndarray:
        """Choose texts one after the other until a budget is spent.

        Parameters
        ----------
        rows : ndarray of int
            What may be chosen of the pool.
        how : str
            One of :data:`~distill_helpers.data.active.HOW`.
        budget : int
        step : int
            The student is taught what was answered, and asked for its doubts, after
            every so many; its first ones are drawn by chance. Other rules need no
            student and rank all at once.
        seed : int, default 0

        Returns
        -------
        ndarray of int, shape (budget,)
            Rows of the pool in the order of asking.

        Raises
        ------
        ValueError
            If the budget is above what there is to choose.
        """
        check_whole("step", step, least=1)
        texts, logits = [self.pool[row] for row in rows], self.answers[rows]
        if how != STUDENT_DOUBT:
            return rows[choose(how, texts, budget, teacher=logits, seed=seed)]
        taken = choose(RANDOM, texts, min(step, budget), seed=seed)
        while len(taken) < budget:
            doubts = self.student(rows[taken]).logits(self.read[rows])
            more = min(step, budget - len(taken))
            chosen = choose(
                how, texts, more, student=doubts, taken=taken.tolist(), seed=seed
            )
            taken = np.concatenate([taken, chosen])
        return rows[taken]


def by_budget(
    ground: Ground,
    rules: Sequence[str],
    budgets: Sequence[int],
    seeds: Sequence[int],
    *,
    progress: Callable = iter,
) -> dict[str, dict[int, dict[int, float]]]:
    """Score every rule at every budget, for each seed.

    Parameters
    ----------
    ground : Ground
    rules : sequence of str
        Of :data:`~distill_helpers.data.active.HOW`.
    budgets : sequence of int
    seeds : sequence of int
    progress : callable
        Wraps the seeds, such as ``tqdm``.

    Returns
    -------
    dict
        From rule to budget to seed to test accuracy.
    """
    most, step = max(budgets), max(1, max(budgets) // STEPS)
    found = {how: {budget: {} for budget in budgets} for how in rules}
    for seed in progress(seeds):
        rows = ground.draw(seed)
        for how in rules:
            order = ground.ask_in_turn(rows, how, most, step, seed)
            for budget in budgets:
                found[how][budget][seed] = ground.score(order[:budget])
    return found


def by_view(
    ground: Ground,
    kinds: Mapping[str, tuple[Callable, int]],
    texts: int,
    more: int,
    seeds: Sequence[int],
    *,
    progress: Callable = iter,
) -> tuple[dict[str, dict[int, float]], dict[str, float]]:
    """Score students that are taught views, asked anew and with stored answers.

    Parameters
    ----------
    ground : Ground
    kinds : mapping of str to (callable, int)
        A view, and how many of it each text gets.
    texts : int
        Texts that each student has, besides the views of them.
    more : int
        Other texts of the pool that the upper line has in their place.
    seeds : sequence of int
    progress : callable
        Wraps the seeds, such as ``tqdm``.

    Returns
    -------
    (dict, dict)
        From arm to seed to test accuracy, and from kind to the share of its views
        that the teacher puts into the class of their parents.
    """
    scores: dict[str, dict[int, float]] = {"alone": {}, "more real texts": {}}
    kept: dict[str, list[float]] = {name: [] for name in kinds}
    for seed in progress(seeds):
        order = ground.draw(seed, 1.0)
        rows, both = order[:texts], order[: texts + more]
        scores["alone"][seed] = ground.score(rows)
        scores["more real texts"][seed] = ground.score(both)
        for name, (how, copies) in kinds.items():
            made = views([ground.pool[row] for row in rows], how, copies, seed)
            logits = ground.stored_and_anew(rows, made)
            same = [answer.argmax(1) for answer in logits.values()]
            kept[name].append(float((same[0] == same[1]).mean()))
            for way, answer in logits.items():
                arm = scores.setdefault(f"{name}, {way}", {})
                arm[seed] = ground.score_with_views(rows, made, answer)
    return scores, {name: float(np.mean(shares)) for name, shares in kept.items()}


def by_threshold(
    ground: Ground,
    thresholds: Sequence[float],
    seeds: Sequence[int],
    *,
    progress: Callable = iter,
) -> tuple[dict[str, dict[int, float]], dict[str, float]]:
    """Score students of pseudo-labels beside one of all soft answers.

    Returns
    -------
    (dict, dict)
        From arm to seed to test accuracy, and from arm to the mean number of texts.
    """
    scores: dict[str, dict[int, float]] = {ALL_SOFT: {}}
    left: dict[str, list[int]] = {ALL_SOFT: []}
    for seed in progress(seeds):
        rows = ground.draw(seed)
        scores[ALL_SOFT][seed] = ground.score(rows)
        left[ALL_SOFT].append(len(rows))
        for threshold in thresholds:
            name = f"{threshold:g} and surer"
            score, count = ground.score_pseudo(rows, threshold)
            scores.setdefault(name, {})[seed] = score
            left.setdefault(name, []).append(count)
    return scores, {name: float(np.mean(counts)) for name, counts in left.items()}
