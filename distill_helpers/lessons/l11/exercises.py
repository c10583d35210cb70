"""The exercises of lesson 11: can it be trusted?"""

from __future__ import annotations

import re

import numpy as np
import torch
from torch.nn import functional as F

from ..exercises.engine import Exercise, Prediction, Question
from ..zoo import trust
from ..zoo.fisher import examine_fisher
from ..zoo.mistakes import told
from ..zoo.private import examine_auc, examine_epsilon, examine_votes
from ..zoo.swapping import examine_swap


# ------------------------------------------------------------------- Fisher
def my_fisher(weight, inputs, labels, draw):
    log_shares = (inputs @ weight.T).log_softmax(-1)
    drawn = draw(log_shares.exp())
    slopes = F.one_hot(drawn, len(weight)) - log_shares.exp()
    return (slopes[:, :, None] * inputs[:, None, :]).square().mean(0)


def _by_autograd(weight, inputs, labels, draw):
    weight = weight.clone().requires_grad_()
    total = torch.zeros_like(weight)
    drawn = draw((inputs @ weight.T).softmax(-1))
    for x, y in zip(inputs, drawn):
        loss = F.cross_entropy((weight @ x)[None], y[None])
        total += torch.autograd.grad(loss, weight)[0] ** 2
    return total / len(inputs)


# ------------------------------------------------------------------ epsilon
def my_epsilon(noise, steps, delta, orders):
    found = []
    for order in orders:
        divergence = steps * order / (2 * noise**2)
        found.append(
            divergence
            + np.log((order - 1) / order)
            - (np.log(delta) + np.log(order)) / (order - 1)
        )
    return min(found)


def _epsilon_at_once(noise, steps, delta, orders):
    a = torch.tensor(orders, dtype=torch.float64)
    all_steps = steps * a / (2 * noise**2)
    return (all_steps + ((a - 1) / a).log() - (delta * a).log() / (a - 1)).min()


# -------------------------------------------------------------------- votes
def my_votes(rows, teachers, fit, classes, noise, generator):
    counts = 0
    for k in range(teachers):
        counts = counts + F.one_hot(fit(rows[k::teachers]), classes)
    drawn = noise * torch.randn(counts.shape, generator=generator)
    return (counts + drawn).argmax(-1)


def _votes_in_blocks(rows, teachers, fit, classes, noise, generator):
    size = len(rows) // teachers
    votes = torch.stack([fit(rows[k * size : (k + 1) * size]) for k in range(teachers)])
    counts = torch.stack([(votes == c).sum(0) for c in range(classes)], 1).float()
    return torch.normal(counts, noise, generator=generator).argmax(1)


# ---------------------------------------------------------------------- AUC
def my_auc(member_losses, other_losses):
    ours, theirs = member_losses[:, None], other_losses[None, :]
    pairs = (ours < theirs).float() + 0.5 * (ours == theirs).float()
    return pairs.mean().item()


def _by_signs(member_losses, other_losses):
    return 0.5 + 0.5 * (other_losses[None] - member_losses[:, None]).sign().mean()


# --------------------------------------------------------------------- swap
def my_swap(text):
    table = {"he": "she", "she": "he", "him": "her", "his": "her"}

    def swapped(match):
        word, behind = match[1], text[match.end() :]
        if word.lower() == "her":
            new = "his" if re.match(r" \w", behind) else "him"
        else:
            new = table[word.lower()]
        return new.capitalize() if word[0].isupper() else new

    return re.sub(r"\b(he|she|him|his|her)\b", swapped, text, flags=re.I)


def _word_by_word(text):
    pieces = re.findall(r"\w+|\W+", text)
    table = {"he": "she", "she": "he", "him": "her", "his": "her"}
    for place, piece in enumerate(pieces):
        new = table.get(piece.lower())
        if piece.lower() == "her":
            new = "his" if pieces[place + 1 : place + 2] == [" "] else "him"
        if new:
            pieces[place] = new.title() if piece.istitle() else new
    return "".join(pieces)


ENTRIES = (
    Exercise(
        key="11.fisher",
        prompt="**Exercise.** A linear model has the logits `inputs @ weight.T`. Write"
        " `my_fisher(weight, inputs, labels, draw)`: the diagonal of its Fisher"
        " information, a tensor of the shape of `weight`. For each input take the"
        " gradient of the log-probability of a label, square it, and return the mean"
        " over the inputs. `draw(probabilities)` draws a class for each row;"
        " `labels` holds the true classes. Which of the two do you need?",
        hints=(
            "The Fisher asks what the model itself believes: its labels are drawn from"
            " its own probabilities.",
            "For a linear model the gradient for one input is (one_hot(label) -"
            " probabilities)[:, None] * input[None, :], up to its sign, which the"
            " square forgets.",
        ),
        solution=my_fisher,
        why="A model that has learnt its task has small gradients on the true labels"
        " whatever it knows; its own draws show which weights carry its answers.",
        examine=examine_fisher,
        right=(_by_autograd,),
        wrong=told(trust.FISHERS)
        + (
            (lambda weight, inputs, labels, draw: inputs.mean(0), "each weight"),
            (lambda weight, inputs, labels, draw: 2 * weight, "not the diagonal"),
        ),
    ),
    Exercise(
        key="11.auc",
        prompt="**Exercise.** Write `my_auc(member_losses, other_losses)` for two"
        " tensors of losses: the share of all pairs (a member, another text) in which"
        " the member has the lower loss; equal losses count one half. Return one"
        " number.",
        hints=(
            "member_losses[:, None] < other_losses[None, :] compares each with each.",
            "Add half of where they are equal, and take the mean.",
        ),
        solution=my_auc,
        why="One half is a coin toss; 1 means that every member is known by its loss.",
        examine=examine_auc,
        right=(_by_signs,),
        wrong=told(trust.AUCS)
        + (
            (lambda member_losses, other_losses: member_losses, "one number"),
            (lambda member_losses, other_losses: 0.5, "not the share of pairs"),
        ),
    ),
    Exercise(
        key="11.epsilon",
        prompt="**Exercise.** Gaussian noise with standard deviation `noise` (in units"
        " of what one person can change) has at every order $a > 1$ a Renyi divergence"
        r" of $a / (2\,\mathrm{noise}^2)$, and the divergences of `steps` steps add"
        " up. At each order the sum $R$ gives the epsilon"
        r" $R + \log\frac{a - 1}{a} - \frac{\log\delta + \log a}{a - 1}$. Write"
        " `my_epsilon(noise, steps, delta, orders)`: the smallest of these over"
        " `orders`.",
        hints=(
            "First the divergence of all steps at one order, then the formula, for"
            " each order; min at the very end.",
            "steps * order / (2 * noise**2) is the sum R.",
        ),
        solution=my_epsilon,
        why="Each order gives a true statement; the best one is reported, with its"
        " delta.",
        examine=examine_epsilon,
        right=(_epsilon_at_once,),
        wrong=told(trust.EPSILONS)
        + (
            (lambda noise, steps, delta, orders: orders, "one number"),
            (lambda noise, steps, delta, orders: 1.0, "not the epsilon"),
        ),
    ),
    Exercise(
        key="11.votes",
        prompt="**Exercise.** Write `my_votes(rows, teachers, fit, classes, noise,"
        " generator)`. Deal the list `rows` out to `teachers` shards, each row to one"
        " shard. `fit(shard)` trains a teacher and returns its class for every query,"
        " a tensor of whole numbers. Count the votes for each query and class, add"
        " normal noise with standard deviation `noise` to every count, and return the"
        " class of the largest.",
        hints=(
            "rows[k::teachers] is the shard of teacher k;"
            " F.one_hot(votes, classes) turns its votes into counts that can be added.",
            "noise * torch.randn(counts.shape, generator=generator), then argmax(-1).",
        ),
        solution=my_votes,
        why="Disjoint shards make one row worth one vote; the noise has to hide a vote,"
        " so it belongs on the counts.",
        examine=examine_votes,
        right=(_votes_in_blocks,),
        wrong=told(trust.VOTES)
        + ((lambda rows, teachers, fit, classes, noise, generator: 1, "each query"),),
    ),
    Prediction(
        key="11.predict_flips",
        prompt="**Predict.** A review says `she` where it said `he`, and a name of the"
        " other side where one stood; nothing else changes. Of a hundred such reviews,"
        " on how many does the *control*, trained on the labels alone, change its"
        " answer?",
        unit="%",
        allowed=(0.0, 100.0),
        close=3.0,
        why="A word that says nothing about a film got a weight of its own, because in"
        " a few hundred labelled reviews it happened to stand beside praise or blame.",
        example=20,
        hints=(
            "How often would a `she` decide, with all the other words of the review"
            " in place?",
            "Answers turn where they were close before.",
        ),
    ),
    Exercise(
        key="11.swap",
        prompt="**Exercise.** Write `my_swap(text)`: the words `he`, `him`, `his`"
        " become `she`, `her`, `her`; `she` becomes `he`; `her` becomes `his` if a"
        " space and a word follow, else `him`. Whole words only; a capital first"
        " letter stays a capital one.",
        hints=(
            r"re.sub(r'\b(he|she|him|his|her)\b', function, text, flags=re.I) calls"
            " function(match) once for each word, and never looks at what it put in.",
            "match.end() says where the word ends: text[match.end():] is what follows.",
        ),
        solution=my_swap,
        why="A swap that moves anything else measures something else.",
        examine=examine_swap,
        right=(_word_by_word,),
        wrong=told(trust.SWAPS)
        + (
            (lambda text: text.split(), "return a text"),
            (lambda text: text.replace("he", "xe"), "inside of longer words"),
        ),
    ),
    Question(
        key="11.q_typos",
        prompt="**Question 1.** At the same typos a student loses a little less than its"
        " control, and the interval of the difference holds zero. What do you write"
        " into the model card?",
        options={
            "a": "distillation makes a student sturdier against typos",
            "b": "what each loses, and that no difference is shown",
            "c": "nothing, for there is no result",
        },
        answer="b",
        because={
            "a": "Another few draws may turn the sign.",
            "b": "The loss itself is a result, and so is the interval: it says how large"
            " a difference could still be.",
            "c": "Whoever deploys it wants to know what typos cost, whichever model it"
            " is.",
        },
    ),
    Question(
        key="11.q_epsilon",
        prompt="**Question 2.** A colleague's report says: 'trained with differential"
        " privacy, epsilon 1'. What do you ask first?",
        options={
            "a": "for which delta, and what counts as one: a text, or a person with all"
            " their texts",
            "b": "whether epsilon could have been smaller",
            "c": "nothing: below 2 all is well",
        },
        answer="a",
        because={
            "a": "Without delta and unit the number says nothing. A person with fifty"
            " texts has far less than the epsilon of one text.",
            "b": "It could, at a price. But first it has to mean something.",
            "c": "No value is safe by itself; it bounds what one unit can change, if it"
            " is the right unit.",
        },
    ),
    Question(
        key="11.q_leak",
        prompt="**Question 3.** A student learnt other texts than its teacher, from the"
        " teacher's answers alone. What protects the people in the teacher's training"
        " set?",
        options={
            "a": "distillation itself: the student has never seen their texts",
            "b": "soft answers, for they hide the labels",
            "c": "noise with a proof, in the teacher or in its answers",
        },
        answer="c",
        because={
            "a": "Answers to other texts still carry what the teacher remembers. Look at"
            " the student's AUC.",
            "b": "They say more than labels, about the teacher's memory too.",
            "c": "Whatever is made of a private model's answers stays private; nothing"
            " else comes with a bound.",
        },
    ),
)
