"""The exercises of lesson 08: beyond logits."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ...losses.decoupled import decoupled_kd_loss
from ..exercises.engine import Exercise, Prediction, Question
from ..zoo import beyond_logits
from ..zoo.decoupled import examine_decoupled
from ..zoo.difficulty import examine_pacing, examine_shuffle, examine_weights
from ..zoo.mistakes import told


# ----------------------------------------------------------- wrong classes
def my_shuffle(teacher_logits, generator):
    shuffled = teacher_logits.clone()
    for row in shuffled:
        wrong = torch.arange(len(row)) != row.argmax()
        order = torch.randperm(len(row) - 1, generator=generator)
        row[wrong] = row[wrong][order]
    return shuffled


def _by_sorted_chance(teacher_logits, generator):
    top = F.one_hot(teacher_logits.argmax(1), teacher_logits.shape[1]).bool()
    wrong = teacher_logits[~top].view(len(teacher_logits), -1)
    chance = torch.rand(wrong.shape, generator=generator)
    shuffled = teacher_logits.clone()
    shuffled[~top] = wrong.gather(1, chance.argsort(1)).flatten()
    return shuffled


def _nothing_moved(teacher_logits, generator):
    return teacher_logits.clone()


# --------------------------------------------------------------- decoupled
def my_decoupled_loss(
    student_logits, teacher_logits, targets, temperature, alpha, beta
):
    hit = F.one_hot(targets, student_logits.shape[1]).bool()

    def two_parts(logits):
        logits = logits / temperature
        target, others = logits[hit], logits[~hit].view(len(logits), -1)
        pair = torch.stack([target, others.logsumexp(-1)], dim=-1)
        return pair.log_softmax(-1), others.log_softmax(-1)

    student, teacher = two_parts(student_logits), two_parts(teacher_logits.detach())
    first, second = (
        F.kl_div(ours, theirs, reduction="batchmean", log_target=True)
        for ours, theirs in zip(student, teacher)
    )
    return temperature**2 * (alpha * first + beta * second)


def _by_package(student_logits, teacher_logits, targets, temperature, alpha, beta):
    return decoupled_kd_loss(
        student_logits, teacher_logits, temperature, alpha, beta, targets
    )


def _deaf(student_logits, *rest):
    return my_decoupled_loss(student_logits.detach(), *rest)


# ----------------------------------------------------------------- weights
def my_weights(teacher_logits):
    top = teacher_logits.softmax(-1).topk(2).values
    gap = top[:, 0] - top[:, 1]
    return gap / gap.mean()


def _by_sorting(teacher_logits):
    ordered = teacher_logits.softmax(-1).sort(-1, descending=True).values
    gap = ordered[:, 0] - ordered[:, 1]
    return gap * len(gap) / gap.sum()


def _second_first(teacher_logits):
    return -my_weights(teacher_logits)


# ------------------------------------------------------------------ pacing
def my_pacing(done, start, full_at):
    return min(1.0, start + (1 - start) * done / full_at)


def _by_cases(done, start, full_at):
    if done >= full_at:
        return 1.0
    way = done / full_at
    return (1 - way) * start + way


def _all_at_once(done, start, full_at):
    return start if done < full_at else 1.0


ENTRIES = (
    Exercise(
        key="08.shuffle",
        prompt="**Exercise.** Write `my_shuffle(teacher_logits, generator)` for logits"
        " of shape (images, classes): in each row the likeliest class stays where it"
        " is, and the logits of all others change places among themselves, in a new"
        " random order for every row. Return a new tensor.",
        hints=(
            "torch.randperm(n, generator=generator) is a random order of n things;"
            " draw one for each row.",
            "wrong = torch.arange(len(row)) != row.argmax() marks the places that"
            " change; row[wrong] = row[wrong][order] moves what stands there.",
        ),
        solution=my_shuffle,
        why="A control takes away one thing alone: here, which wrong class is likelier"
        " than which.",
        examine=examine_shuffle,
        right=(_by_sorted_chance,),
        wrong=told(beyond_logits.SHUFFLES)
        + (
            (_nothing_moved, "stand as they stood"),
            (lambda teacher_logits, generator: teacher_logits[:, 1:], "of the shape"),
        ),
    ),
    Exercise(
        key="08.decoupled",
        prompt="**Exercise.** Write `my_decoupled_loss(student_logits, teacher_logits,"
        " targets, temperature, alpha, beta)`: $T^2$ times the sum of `alpha` times the"
        " KL divergence between the pairs (target class, all others together) and"
        " `beta` times the KL divergence between the others, renormalised among"
        " themselves. Both go from teacher to student and are means over the batch."
        " `targets` holds the target class of each row.",
        hints=(
            "hit = F.one_hot(targets, classes).bool(); logits[hit] is the target's"
            " logit of each row, logits[~hit].view(len(logits), -1) those of the"
            " others.",
            "others.logsumexp(-1) is one logit for all others together: a log_softmax"
            " of both gives the pair. A log_softmax of the others alone renormalises"
            " them.",
        ),
        solution=my_decoupled_loss,
        why="The plain loss multiplies the second part by what the teacher leaves over;"
        " here nothing stands before it but beta.",
        examine=examine_decoupled,
        right=(_by_package,),
        wrong=told(beyond_logits.DECOUPLED)
        + (
            (_deaf, "No gradient"),
            (lambda student_logits, *rest: student_logits, "one number"),
        ),
    ),
    Exercise(
        key="08.weights",
        prompt="**Exercise.** Write `my_weights(teacher_logits)`: a weight for each row,"
        " in proportion to the gap between its two largest probabilities, and 1 on"
        " average.",
        hints=(
            "teacher_logits.softmax(-1).topk(2).values has the two largest"
            " probabilities of each row, the larger first.",
            "Divide by the mean at the end: then the step is on average as long as it"
            " was.",
        ),
        solution=my_weights,
        why="With another mean the learning rate would have moved as well, and nobody"
        " could say which of the two did it.",
        examine=examine_weights,
        right=(_by_sorting,),
        wrong=told(beyond_logits.WEIGHTS)
        + (
            (_second_first, "negative"),
            (lambda teacher_logits: teacher_logits.softmax(-1), "one weight a text"),
        ),
    ),
    Exercise(
        key="08.pacing",
        prompt="**Exercise.** Write `my_pacing(done, start, full_at)`: the share of the"
        " texts in use when the share `done` of the training is over. It is `start` at"
        " the beginning, grows in a straight line, and is 1 from `full_at` on.",
        hints=(
            "At done = 0 it is start, at done = full_at it is 1: a straight line"
            " between the two.",
            "min(1.0, ...) keeps it from passing 1.",
        ),
        solution=my_pacing,
        why="It must reach 1, or some texts are never read; and it must not fall.",
        examine=examine_pacing,
        right=(_by_cases,),
        wrong=told(beyond_logits.PACINGS)
        + (
            (_all_at_once, "straight line"),
            (lambda done, start, full_at: "all", "one number"),
        ),
    ),
    Prediction(
        key="08.predict_c14",
        prompt="**Predict.** One student gets 60% of the steps and 70% of the texts,"
        " the easiest ones, easy ones first. The other gets all steps and all texts, in"
        " any order. By how many percentage points of accuracy will the first be better"
        " (or, below zero, worse)?",
        unit=" points",
        allowed=(-60.0, 60.0),
        close=1.0,
        why="What an order gives must be told from what fewer steps and fewer texts"
        " take: that is what the random order with the same savings is for.",
        example=-2,
        hints=(
            "The learning rate falls to zero in both, so the short training is a whole"
            " one.",
            "What do the hardest texts teach that the easy ones do not?",
        ),
    ),
    Question(
        key="08.q_two_classes",
        prompt="**Question 1.** A classifier has two classes. What does the second term"
        " of the decoupled loss, the one among the other classes, teach its student?",
        options={
            "a": "how sure the teacher is: that is all that two classes leave",
            "b": "nothing: one other class has all of what is left, for both sides",
            "c": "the label, since the other class is the wrong one",
        },
        answer="b",
        because={
            "a": "That is the first term, the target class against the rest.",
            "b": "A distribution over one class is always 1, so the divergence is"
            " exactly 0.",
            "c": "The second term leaves out the target class; it cannot say which"
            " one that is.",
        },
    ),
    Question(
        key="08.q_control",
        prompt="**Question 2.** A student that reads easy texts first beats one that"
        " reads in any order. What do you train next, before you thank the order?",
        options={
            "a": "the same two with another learning rate",
            "b": "one that reads the hard texts first",
            "c": "one whose texts come into use as fast, but in a random order",
        },
        answer="c",
        because={
            "a": "Worth doing, but the pacing would still differ along with the order.",
            "b": "It shows that an order can hurt, not that this one helps.",
            "c": "A small set that grows is a change by itself. Only what is left"
            " after it comes from the order.",
        },
    ),
    Question(
        key="08.q_null",
        prompt="**Question 3.** You weigh texts by difficulty. The gain has an interval"
        " from a little below zero to a little above. What do you write down?",
        options={
            "a": "weights do not help",
            "b": "no gain is shown; it is at most so large and at worst so small",
            "c": "the mean gain, which is above zero",
        },
        answer="b",
        because={
            "a": "The interval holds gains too. It rules out large ones alone.",
            "b": "The two ends are the result. Whether the upper one would be worth"
            " the trouble is for the reader to say.",
            "c": "Another few seeds may turn its sign.",
        },
    ),
)
