"""The exercises of lesson 04: tuning, honestly."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..exercises.answers import call, settle
from ..exercises.engine import Exercise, Prediction, Question
from ..exercises.outcomes import Incorrect


# --------------------------------------------------------------- sign test
def my_sign_test(gains):
    wins = sum(gain > 0 for gain in gains)
    losses = sum(gain < 0 for gain in gains)
    n, more = wins + losses, max(wins, losses)
    tail = sum(math.comb(n, k) for k in range(more, n + 1)) / 2**n
    return min(1.0, 2 * tail)


def _with_scipy(gains):
    from scipy.stats import binomtest

    gains = np.asarray(gains)
    wins, losses = int((gains > 0).sum()), int((gains < 0).sum())
    return binomtest(wins, wins + losses).pvalue


def _one_sided(gains):
    return my_sign_test(gains) / 2


def _just_this_count(gains):
    n, wins = len(gains), sum(gain > 0 for gain in gains)
    return 2 * math.comb(n, wins) / 2**n


def _share_of_wins(gains):
    return sum(gain > 0 for gain in gains) / len(gains)


def _examine_sign(answer) -> str:
    cases = ([0.02, 0.01, 0.03, -0.01, 0.02, 0.04], [0.01] * 5, [0.1, -0.1, -0.2, -0.3])
    for gains in cases:
        got, right = _number(call(answer, gains=gains)), my_sign_test(gains)
        known = {
            "That is the one-sided p; a loss as clear would surprise as much.": (
                _one_sided(gains),
                "both tails: twice the smaller one, at most 1",
            ),
            "That is the chance of exactly this count, not of one so extreme.": (
                _just_this_count(gains),
                "the sum over all counts at least as extreme",
            ),
            "That is the share of seeds that won, not a p-value.": (
                _share_of_wins(gains),
                "coin tosses: math.comb(n, k) / 2**n",
            ),
        }
        otherwise = ("Not the p of a two-sided sign test.", f"the gains {gains}")
        settle(got, right, known, otherwise, equal=math.isclose, shown="{:.4f}".format)
    return (
        "With five seeds even five wins give 1/16. That is why the table has no sign"
        " test below eight seeds."
    )


def _number(got) -> float:
    try:
        return float(got)
    except (TypeError, ValueError) as error:
        raise Incorrect("One number is wanted.", repr(got), "a p-value") from error


# --------------------------------------------------------------- smoothing
def my_smooth(labels, classes, epsilon):
    targets = torch.full((len(labels), classes), epsilon / classes)
    targets[torch.arange(len(labels)), labels] += 1 - epsilon
    return targets


def _by_one_hot(labels, classes, epsilon):
    hard = torch.nn.functional.one_hot(labels, classes).float()
    return (1 - epsilon) * hard + epsilon / classes


def _over_the_others(labels, classes, epsilon):
    hard = torch.nn.functional.one_hot(labels, classes).float()
    return hard * (1 - epsilon) + (1 - hard) * epsilon / (classes - 1)


def _not_one(labels, classes, epsilon):
    hard = torch.nn.functional.one_hot(labels, classes).float()
    return hard * (1 - epsilon) + (1 - hard) * epsilon


def _hard(labels, classes, epsilon):
    return torch.nn.functional.one_hot(labels, classes).float()


def _examine_smooth(answer) -> str:
    given = {"labels": torch.tensor([0, 2, 1]), "classes": 4, "epsilon": 0.1}
    got, right = call(answer, **given), my_smooth(**given)
    if not isinstance(got, torch.Tensor) or got.shape != right.shape:
        shape = (
            tuple(got.shape) if isinstance(got, torch.Tensor) else type(got).__name__
        )
        raise Incorrect("One row for each label is wanted.", str(shape), "(3, 4)")
    known = {
        "These are hard labels; nothing was smoothed.": (_hard(**given), "epsilon"),
        "The rows do not sum to one.": (
            _not_one(**given),
            "epsilon is shared by the classes, each gets a part of it",
        ),
        "epsilon is spread over the wrong classes only; label smoothing spreads it"
        " over all, the right one included.": (
            _over_the_others(**given),
            "epsilon / classes for every class",
        ),
    }
    otherwise = ("Not the smoothed labels.", "one row, by hand")
    settle(
        got,
        right,
        known,
        otherwise,
        equal=lambda a, b: torch.allclose(a.double(), b.double(), atol=1e-6),
        shown=lambda rows: str([round(v, 3) for v in rows[0].tolist()]),
    )
    return "Soft, but the same for every example of a class: no dark knowledge in it."


# ------------------------------------------------------------------ pareto
def my_front(costs, scores):
    front, best = [], -math.inf
    order = sorted(range(len(costs)), key=lambda i: (costs[i], -scores[i]))
    for i in order:
        if scores[i] > best:
            front.append(i)
            best = scores[i]
    return front


def _by_comparison(costs, scores):
    def beaten(i):
        return any(
            (costs[j] <= costs[i] and scores[j] > scores[i])
            or (costs[j] < costs[i] and scores[j] >= scores[i])
            for j in range(len(costs))
        )

    return [i for i in range(len(costs)) if not beaten(i)]


def _best_only(costs, scores):
    return [max(range(len(scores)), key=lambda i: scores[i])]


def _dear_and_bad(costs, scores):
    return my_front([-c for c in costs], scores)


def _examine_front(answer) -> str:
    given = {
        "costs": [4.0, 1.0, 2.0, 3.0, 2.5, 9.0],
        "scores": [0.90, 0.70, 0.85, 0.80, 0.85, 0.89],
    }
    got = call(answer, **given)
    try:
        got = sorted(int(i) for i in got)
    except (TypeError, ValueError) as error:
        raise Incorrect("A list of indices is wanted.", repr(got)) from error
    known = {
        "The best score alone is one end of the front.": (
            _best_only(**given),
            "cheaper models that nobody cheaper beats",
        ),
        "Turned round: here less cost is better.": (
            sorted(_dear_and_bad(**given)),
            "the order in which you go through the models",
        ),
    }
    otherwise = (
        "Not the front: a model is on it if no other is at least as cheap and as"
        " good, and better in one of the two.",
        "model 4 against model 2, and model 5 against model 0",
    )
    settle(got, sorted(my_front(**given)), known, otherwise, equal=lambda a, b: a == b)
    return "Whatever is not on the front has no buyer."


ENTRIES = (
    Exercise(
        key="04.smooth",
        prompt="**Exercise.** Write `my_smooth(labels, classes, epsilon)`: soft"
        " targets made of labels alone. The right class keeps 1 - epsilon, and"
        " epsilon is shared equally by all classes, the right one included.",
        hints=(
            "Begin with a table in which every entry is epsilon / classes.",
            "table[torch.arange(len(labels)), labels] picks the right class of each"
            " row.",
        ),
        solution=my_smooth,
        why="If distillation were only about softness, this would do as well. That"
        " is why it is a control.",
        examine=_examine_smooth,
        right=(_by_one_hot,),
        wrong=(
            (_over_the_others, "over all"),
            (_not_one, "sum to one"),
            (_hard, "nothing was smoothed"),
            (lambda labels, classes, epsilon: labels, "One row for each"),
            (lambda labels, classes, epsilon: torch.zeros(3, 4), "Not the smoothed"),
        ),
    ),
    Exercise(
        key="04.sign_test",
        prompt="**Exercise.** Write `my_sign_test(gains)`: the two-sided p-value of"
        " the sign test, from a list of paired gains, one a seed. If nothing helped,"
        " each gain would be above or below 0 like a tossed coin; gains of exactly 0"
        " do not count.",
        hints=(
            "math.comb(n, k) / 2**n is the chance of k heads in n tosses.",
            "Add up the chances of everything at least as extreme on one side, then"
            " take both sides: twice that, but never above 1.",
        ),
        solution=my_sign_test,
        why="It asks nothing of the numbers but their sign, and so needs more seeds"
        " than the interval to say the same.",
        examine=_examine_sign,
        right=(_with_scipy,),
        wrong=(
            (_one_sided, "one-sided"),
            (_just_this_count, "exactly this count"),
            (_share_of_wins, "share of seeds"),
            (lambda gains: "small", "One number"),
            (lambda gains: 0.05, "Not the p"),
        ),
    ),
    Prediction(
        key="04.predict_temperature",
        prompt="**Predict.** All else equal, how many percentage points of validation"
        " accuracy does the student lose (below zero) or win when T goes from 2 to 16,"
        " on average over the alphas of the sweep?",
        unit=" percentage points",
        allowed=(-50.0, 50.0),
        close=0.5,
        why="With two classes T only rescales one margin, and T^2 keeps the gradient's"
        " size. There is little left for it to do.",
        example=-5,
        hints=(
            "What is a soft target of two classes made of? Lesson 01, section 8.",
            "And what does T^2 take care of? Lesson 02, section 5.",
        ),
    ),
    Exercise(
        key="04.front",
        prompt="**Exercise.** Write `my_front(costs, scores)`: the indices of the"
        " models on the Pareto front, where less cost and more score are better. Of"
        " two equal scores the cheaper model is on it.",
        hints=(
            "Go through the models from cheap to dear and remember the best score"
            " so far.",
            "A model is on the front if its score is above everything cheaper.",
        ),
        solution=my_front,
        why="Choosing on the front is a matter of taste; choosing off it is a mistake.",
        examine=_examine_front,
        right=(_by_comparison,),
        wrong=(
            (_best_only, "one end"),
            (_dear_and_bad, "Turned round"),
            (lambda costs, scores: list(range(len(costs))), "Not the front"),
            (lambda costs, scores: 3, "A list of indices"),
        ),
    ),
    Question(
        key="04.q_test",
        prompt="**Question 1.** Forty settings were tried, and the one with the best"
        " *test* accuracy is reported. What is wrong with its number?",
        options={
            "a": "nothing, as long as no student was trained on test texts",
            "b": "it is too high: part of it is the luck of being the best of forty",
            "c": "it is too low: a student trained on validation texts too would do better",
        },
        answer="b",
        because={
            "a": "Choosing is a kind of training: the setting was fitted to these texts.",
            "b": "Choose on validation and look at the test part once, at the end.",
            "c": "It might, but that is another student; this number is pushed up by the"
            " choice.",
        },
    ),
    Question(
        key="04.q_budget",
        prompt="**Question 2.** The distilled student was trained with a tuned learning"
        " rate, the control with the default. What does the comparison measure?",
        options={
            "a": "the teacher: a student is compared at its best",
            "b": "the learning rate: soft targets cannot do so much",
            "c": "both together, and nobody can say how much of each",
        },
        answer="c",
        because={
            "a": "Only if the control is at its best as well, and it was not tuned.",
            "b": "Part of it, perhaps; the teacher may have done something as well.",
            "c": "A published gain once turned out to be this very mistake.",
        },
    ),
    Question(
        key="04.q_interval",
        prompt="**Question 3.** The interval of the paired gain goes from -0.002 to"
        " +0.010. What may you write?",
        options={
            "a": "it helps by half a point on average",
            "b": "it does not help, or by less than anybody would notice",
            "c": "these runs do not show that it helps; more seeds might",
        },
        answer="c",
        because={
            "a": "The average is above zero, but so might it be by luck.",
            "b": "That is more than the runs can say: the interval holds a whole point"
            " of gain.",
            "c": "The interval says what is compatible with the runs, and zero is.",
        },
    ),
)
