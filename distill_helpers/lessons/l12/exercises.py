"""The exercises of lesson 12: two senses."""

from __future__ import annotations

import torch

from ...losses.attention import attention_map_loss
from ..exercises.engine import Exercise, Prediction, Question
from ..zoo import two_senses
from ..zoo.looking import examine_attention, examine_dropout, examine_map_loss
from ..zoo.mistakes import told


# ----------------------------------------------------------- cross-attention
def my_attention(queries, keys, values):
    scores = queries @ keys.T / queries.shape[-1] ** 0.5
    look = scores.softmax(-1)
    return look @ values, look


def _word_by_word(queries, keys, values):
    looks = []
    for query in queries:
        scores = torch.stack([query.dot(key) for key in keys]) / len(query) ** 0.5
        looks.append(scores.exp() / scores.exp().sum())
    look = torch.stack(looks)
    return torch.einsum("wc,cv->wv", look, values), look


def _values_forgotten(queries, keys, values):
    look = my_attention(queries, keys, values)[1]
    return values, look


# ---------------------------------------------------------------------- maps
def my_map_loss(student_map, teacher_map, mask):
    gap = teacher_map.log() - student_map.log()
    each = (teacher_map * gap).sum(-1)
    return (each * mask).sum() / mask.sum()


def _by_package(student_map, teacher_map, mask):
    return attention_map_loss(student_map, teacher_map, mask)


def _deaf(student_map, teacher_map, mask):
    return my_map_loss(student_map.detach(), teacher_map, mask)


# ------------------------------------------------------------------- dropout
def my_dropout(count, share, generator):
    chance = torch.rand(count, generator=generator)
    return chance < share, chance >= 1 - share


def _in_turn(count, share, generator):
    lost_picture = torch.rand(count, generator=generator) < share
    again = torch.rand(count, generator=generator) < share / (1 - share)
    return lost_picture, again & ~lost_picture


def _half_as_often(count, share, generator):
    return my_dropout(count, share / 4, generator)


ENTRIES = (
    Exercise(
        key="12.attention",
        prompt="**Exercise.** Write `my_attention(queries, keys, values)`: scaled"
        " dot-product attention with one head. `queries` has a row for each word,"
        " `keys` and `values` have one for each cell. Return two tensors: the words'"
        " new states, and the map, whose rows say how each word shares its look among"
        " the cells.",
        hints=(
            "queries @ keys.T has a row for each word and a column for each cell;"
            " divide it by the square root of the queries' width.",
            "The softmax runs over the cells, dim=-1. The new states are map @ values.",
        ),
        solution=my_attention,
        why="A word's look is a distribution: what it gives to one cell it takes from"
        " the others. That is why two maps can be compared by a KL divergence.",
        examine=examine_attention,
        right=(_word_by_word,),
        wrong=told(two_senses.ATTENTION)
        + (
            (_values_forgotten, "not its mean of the values"),
            (lambda queries, keys, values: keys, "two tensors"),
        ),
    ),
    Exercise(
        key="12.maps",
        prompt="**Exercise.** Write `my_map_loss(student_map, teacher_map, mask)` for"
        " maps of shape (cards, words, cells) whose rows sum to 1: KL(teacher ||"
        " student) of each word, and its mean over the words whose `mask` is 1."
        " `mask` has the shape (cards, words); it is 0 for padding and where the"
        " picture is missing.",
        hints=(
            "For one word: the sum over the cells of teacher * (log teacher - log"
            " student).",
            "(each * mask).sum() / mask.sum() is the mean over what counts.",
        ),
        solution=my_map_loss,
        why="Padding looks somewhere too. Counted, it would teach the student where"
        " nobody looked.",
        examine=examine_map_loss,
        right=(_by_package,),
        wrong=told(two_senses.MAPS)
        + (
            (_deaf, "No gradient"),
            (lambda student_map, teacher_map, mask: student_map, "one number"),
        ),
    ),
    Prediction(
        key="12.predict",
        prompt="**Predict.** Two students learn from the same soft targets for the same"
        " number of steps. One of them is also shown where its teacher looks. By how"
        " many percentage points of accuracy will it be better (or, below zero, worse)?",
        unit=" points",
        allowed=(-60.0, 60.0),
        close=4.0,
        why="A soft target says what the answer is. A map says which two or three of"
        " six cells it came from, for every word of every card.",
        example=5,
        hints=(
            "How long would it take you to guess the rule from answers alone?",
            "And what would the maps of other cards tell you?",
        ),
    ),
    Exercise(
        key="12.dropout",
        prompt="**Exercise.** Write `my_dropout(count, share, generator)`: modality"
        " dropout for `count` cards. Return two bool tensors of shape (count,), which"
        " cards lose their picture and which their typed copy. Each happens to a"
        " `share` of them, at random, and no card loses both.",
        hints=(
            "torch.rand(count, generator=generator) is one random number a card.",
            "Below share: the picture is lost. At 1 - share or above: the typed copy.",
        ),
        solution=my_dropout,
        why="Two independent draws would leave some cards with nothing to answer from,"
        " and their labels would teach the student to guess.",
        examine=examine_dropout,
        right=(_in_turn,),
        wrong=told(two_senses.DROPOUT)
        + (
            (_half_as_often, "not lost as often"),
            (lambda count, share, generator: share, "two tensors"),
        ),
    ),
    Question(
        key="12.q_shuffled",
        prompt="**Question 1.** A student that learns maps beats one that learns soft"
        " targets alone. Why train a third one on the maps of other cards?",
        options={
            "a": "to see whether a second loss of any kind would have helped",
            "b": "to have more data: other cards' maps are an augmentation",
            "c": "to find the best weight of the loss",
        },
        answer="a",
        because={
            "a": "It has the same term, with the same weight and the same kind of"
            " numbers. All that is missing is that they belong to this card.",
            "b": "A map of another question says nothing true about this one.",
            "c": "A weight is chosen on validation cards, among students that learn"
            " the real maps.",
        },
    ),
    Question(
        key="12.q_senses",
        prompt="**Question 2.** A teacher sees text and picture, its student will only"
        " ever see the text. What is to be feared from its soft targets?",
        options={
            "a": "nothing: a teacher who knows more teaches more",
            "b": "that they depend on what the student cannot see, and look like noise"
            " to it",
            "c": "that their temperature is too high for one sense",
        },
        answer="b",
        because={
            "a": "It may, or may not. The lesson compares it with a teacher who sees as"
            " little as the student.",
            "b": "Two cards with the same text get two different answers. The student"
            " can only learn their mean.",
            "c": "The temperature belongs to the loss, and both sides share it.",
        },
    ),
    Question(
        key="12.q_dropout",
        prompt="**Question 3.** When is modality dropout worth what it costs?",
        options={
            "a": "always: it is a regulariser",
            "b": "when both senses are there, since it makes each of them stronger",
            "c": "when a sense will sometimes be missing in use",
        },
        answer="c",
        because={
            "a": "It takes information away in training, and may cost accuracy with"
            " both senses.",
            "b": "Look at the column of both senses: that is where it may cost.",
            "c": "A student that never missed a sense does not know what to do without"
            " it. How much it gives, and costs, is in the table.",
        },
    ),
)
