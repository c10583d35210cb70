"""The exercises of lesson 03: a text classifier, distilled."""

from __future__ import annotations

import numpy as np
import torch

from ..exercises.answers import call, settle
from ..exercises.engine import Exercise, Prediction, Question
from ..exercises.outcomes import Incorrect


# ----------------------------------------------------------------- cool
def my_cool(logits, labels, temperatures):
    def surprise(temperature):
        z = logits / temperature
        shares = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return -np.log(shares[np.arange(len(labels)), labels]).mean()

    return min(temperatures, key=surprise)


def _by_torch(logits, labels, temperatures):
    z, y = torch.as_tensor(logits), torch.as_tensor(labels)
    losses = [torch.nn.functional.cross_entropy(z / t, y) for t in temperatures]
    return temperatures[int(torch.stack(losses).argmin())]


def _multiplied(logits, labels, temperatures):
    return 1 / my_cool(logits, labels, [1 / t for t in temperatures])


def _most_surprised(logits, labels, temperatures):
    return max(
        temperatures, key=lambda t: _cross_entropy(np.asarray(logits) / t, labels)
    )


def _by_accuracy(logits, labels, temperatures):
    return max(temperatures, key=lambda t: ((logits / t).argmax(1) == labels).mean())


def _no_logarithm(logits, labels, temperatures):
    def rightly_sure(t):
        return np.exp(-_each_surprise(logits / t, labels)).mean()

    return max(temperatures, key=rightly_sure)


def _each_surprise(logits, labels):
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(len(labels)), labels])


def _cross_entropy(logits, labels):
    return _each_surprise(logits, labels).mean()


def _its_value(logits, labels, temperatures):
    return _cross_entropy(logits / my_cool(logits, labels, temperatures), labels)


def _its_place(logits, labels, temperatures):
    return list(temperatures).index(my_cool(logits, labels, temperatures))


def _too_shy_and_too_sure() -> list[dict]:
    """A student that is right three times in four, once too shy, once too sure."""
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    chosen = np.array([0, 1, 2, 0, 1, 2, 1, 2])
    sides = np.eye(3)[chosen]
    temperatures = [1.0, 0.25, 2.0, 0.5, 5.0]
    return [
        {"logits": size * sides, "labels": labels, "temperatures": temperatures}
        for size in (0.9, 4.0)
    ]


def _examine_cool(answer) -> str:
    for given in _too_shy_and_too_sure():
        got = _one_number(call(answer, **given), "one of the temperatures")
        known = {
            "The logits are multiplied by the temperature; T divides them.": (
                _multiplied,
                "logits / temperature",
            ),
            "This is the temperature that fits worst.": (
                _most_surprised,
                "the smallest cross-entropy, not the largest",
            ),
            "Chosen by accuracy, and accuracy is the same at every temperature.": (
                _by_accuracy,
                "the cross-entropy, which asks how sure the right answers are",
            ),
            "The mean probability of the right class, without a logarithm, rewards"
            " whoever is surest.": (_no_logarithm, "-log of the probability"),
            "This is the smallest cross-entropy; its temperature is wanted.": (
                _its_value,
                "min(temperatures, key=...)",
            ),
            "This is the place in the list; the temperature itself is wanted.": (
                _its_place,
                "temperatures[place]",
            ),
        }
        values = {k: (wrong(**given), look) for k, (wrong, look) in known.items()}
        otherwise = ("Not the temperature that fits best.", "one text, by hand")
        settle(
            got,
            my_cool(**given),
            values,
            otherwise,
            equal=np.isclose,
            shown="{:g}".format,
        )
    return "No answer changes, only how sure it is: this repairs calibration."


def _one_number(got, wanted: str) -> float:
    try:
        if isinstance(got, str):
            raise TypeError
        return float(got)
    except (TypeError, ValueError) as error:
        raise Incorrect("One number is wanted.", repr(got), wanted) from error


# --------------------------------------------------------------- agreement
def my_agreement(student_logits, teacher_logits):
    return np.mean(student_logits.argmax(1) == teacher_logits.argmax(1))


def _counted(student_logits, teacher_logits):
    pairs = zip(student_logits, teacher_logits)
    return sum(s.argmax() == t.argmax() for s, t in pairs) / len(teacher_logits)


def _equal_logits(student_logits, teacher_logits):
    return np.mean(np.isclose(student_logits, teacher_logits))


def _number_of(student_logits, teacher_logits):
    return np.sum(student_logits.argmax(1) == teacher_logits.argmax(1))


def _in_percent(student_logits, teacher_logits):
    return 100 * my_agreement(student_logits, teacher_logits)


def _along_texts(student_logits, teacher_logits):
    return np.mean(student_logits.argmax(0) == teacher_logits.argmax(0))


def _examine_agreement(answer) -> str:
    student = np.array([[2.0, 1, 0], [0, 3, 1], [1, 0, 2], [5, 4, 6], [0, 2, 1]])
    teacher = np.array([[9.0, 1, 2], [0, 1, 0.5], [0, 4, 2], [1, 0, 3], [2, 6, 1]])
    answered = call(answer, student_logits=student, teacher_logits=teacher)
    got = _one_number(answered, "a share")
    right = my_agreement(student, teacher)
    known = {
        "Agreement is about the chosen class, not about equal logits.": (
            _equal_logits,
            "argmax of each row, on both sides",
        ),
        "That is a number of texts; a share is wanted.": (_number_of, "mean"),
        "A share lies between 0 and 1; this is in percent.": (_in_percent, "the 100"),
        "The argmax runs over the texts instead of the classes.": (
            _along_texts,
            "axis 1: the classes",
        ),
    }
    values = {k: (wrong(student, teacher), look) for k, (wrong, look) in known.items()}
    otherwise = ("Not the share of equal choices.", "the rows, one by one")
    settle(got, right, values, otherwise, equal=np.isclose, shown="{:g}".format)
    return "No label is needed: agreement can be watched on unlabelled text."


# -------------------------------------------------------------------- lost
def my_lost(student_logits, teacher_logits, labels):
    student_right = student_logits.argmax(1) == labels
    teacher_right = teacher_logits.argmax(1) == labels
    return np.flatnonzero(teacher_right & ~student_right)


def _listed(student_logits, teacher_logits, labels):
    student, teacher = student_logits.argmax(1), teacher_logits.argmax(1)
    triples = enumerate(zip(student, teacher, labels))
    return [i for i, (s, t, y) in triples if t == y and s != y]


def _won(student_logits, teacher_logits, labels):
    return my_lost(teacher_logits, student_logits, labels)


def _all_errors(student_logits, teacher_logits, labels):
    return np.flatnonzero(student_logits.argmax(1) != labels)


def _disagreements(student_logits, teacher_logits, labels):
    return np.flatnonzero(student_logits.argmax(1) != teacher_logits.argmax(1))


def _as_mask(student_logits, teacher_logits, labels):
    student_right = student_logits.argmax(1) == labels
    return (teacher_logits.argmax(1) == labels) & ~student_right


def _listed_text(values) -> str:
    return str(values.tolist())


def _examine_lost(answer) -> str:
    given = {
        "student_logits": np.array(
            [[2.0, 1, 0], [0, 3, 1], [1, 0, 0], [5, 4, 3], [0, 1, 2], [3, 0, 1]]
        ),
        "teacher_logits": np.array(
            [[9.0, 1, 0], [4, 1, 0], [0, 4, 1], [0, 1, 0], [6, 0, 1], [2, 0, 1]]
        ),
        "labels": np.array([0, 1, 1, 1, 1, 1]),
    }
    right = my_lost(**given)
    try:
        got = np.asarray(call(answer, **given))
    except (TypeError, ValueError, RuntimeError) as problem:
        raise Incorrect("One list of indices is wanted.", expected=str(right)) from (
            problem
        )
    if got.ndim == 0 and got.dtype.kind in "iuf":
        raise Incorrect(
            "That is one number, such as how many there are; which ones is asked.",
            str(got),
            _listed_text(right),
            "np.flatnonzero(mask), whose length is the count",
        )
    if got.dtype == bool:
        raise Incorrect(
            "A mask marks them; their indices are wanted.",
            _listed_text(got),
            _listed_text(right),
            "np.flatnonzero(mask)",
        )
    known = {
        "Turned round: these are the texts that the student wins.": (
            _won,
            "which of the two is right, and which is wrong",
        ),
        "These are all of the student's errors, also those of the teacher.": (
            _all_errors,
            "the second condition: the teacher is right",
        ),
        "These are all disagreements; who is right does not come into it.": (
            _disagreements,
            "the labels",
        ),
    }
    if got.ndim != 1 and np.array_equal(got.ravel(), right):
        raise Incorrect(
            "The right texts, but not as one row of indices.",
            f"shape {got.shape}",
            f"shape {right.shape}",
            "np.where gives a tuple: take its [0], or use np.flatnonzero",
        )
    if got.ndim == 1 and np.array_equal(got, right) and got.dtype.kind == "f":
        raise Incorrect(
            "These indices are floating point; a list takes whole numbers.",
            str(got.dtype),
            "whole numbers",
            "what turns them into floats",
        )
    values = {k: (wrong(**given), look) for k, (wrong, look) in known.items()}
    otherwise = ("Not the texts that the student loses.", "the rows, one by one")
    settle(got, right, values, otherwise, equal=np.array_equal, shown=_listed_text)
    return "Reading these is the quickest way to see what the student lacks."


ENTRIES = (
    Prediction(
        key="03.predict_gain",
        prompt="**Predict.** Same student, same steps, once with the labels only"
        " and once with the teacher's soft targets on labelled and unlabelled"
        " texts. By how many percentage points of accuracy will distillation be"
        " better (or, below zero, worse)? From 80% to 90% are 10.",
        unit=" percentage points",
        allowed=(-50.0, 50.0),
        close=1.5,
        why="What there is of a gain comes mostly from the unlabelled texts, to which"
        " the teacher gives an answer. With as many labels as texts there is little"
        " to gain, and a teacher that knows no more than the labels can cost.",
        example=3,
        hints=(
            "How many texts does the control learn from, and how many the"
            " distilled student?",
        ),
    ),
    Exercise(
        key="03.agreement",
        prompt="**Exercise.** Write `my_agreement(student_logits, teacher_logits)`"
        " for two arrays of shape (texts, classes): the share of texts for"
        " which both choose the same class.",
        hints=(
            "argmax(1) turns each row of logits into a choice.",
            "np.mean of a comparison is the share of True.",
        ),
        solution=my_agreement,
        why="A student can agree with its teacher and both be wrong: agreement"
        " measures imitation, accuracy measures truth.",
        examine=_examine_agreement,
        right=(_counted,),
        wrong=(
            (_equal_logits, "not about equal logits"),
            (_number_of, "a share is wanted"),
            (_in_percent, "in percent"),
            (_along_texts, "over the texts"),
            (lambda student_logits, teacher_logits: "most", "One number"),
            (lambda student_logits, teacher_logits: 0.1, "Not the share"),
        ),
    ),
    Exercise(
        key="03.cool",
        prompt="**Exercise.** Write `my_cool(logits, labels, temperatures)`: the one"
        " of the temperatures at which `logits / temperature` has the smallest"
        " cross-entropy with the labels. `logits` is an array of shape (texts,"
        " classes), `labels` holds class numbers.",
        hints=(
            "Divide, softmax, pick each text's probability of its own label, take"
            " minus the logarithm, average. Do that for each temperature.",
            "min(temperatures, key=surprise), with a function surprise(temperature).",
        ),
        solution=my_cool,
        why="One number, fitted on validation texts, makes a student as sure as it is"
        " right. It changes no answer, since the largest logit stays the largest.",
        examine=_examine_cool,
        right=(_by_torch,),
        wrong=(
            (_multiplied, "multiplied"),
            (_most_surprised, "fits worst"),
            (_by_accuracy, "Chosen by accuracy"),
            (_no_logarithm, "without a logarithm"),
            (_its_value, "smallest cross-entropy; its"),
            (_its_place, "place in the list"),
            (lambda logits, labels, temperatures: "cold", "One number"),
            (lambda logits, labels, temperatures: 7.0, "Not the temperature"),
        ),
    ),
    Exercise(
        key="03.lost",
        prompt="**Exercise.** Write `my_lost(student_logits, teacher_logits,"
        " labels)`: the indices of the texts that the student gets wrong and"
        " the teacher right.",
        hints=(
            "Two comparisons with the labels, joined by & and ~.",
            "np.flatnonzero turns a mask into indices.",
        ),
        solution=my_lost,
        why="Texts that both get wrong teach you about the teacher, not about"
        " the student.",
        examine=_examine_lost,
        right=(_listed,),
        wrong=(
            (_won, "Turned round"),
            (_all_errors, "all of the student's errors"),
            (_disagreements, "all disagreements"),
            (_as_mask, "A mask"),
            (lambda **given: [my_lost(**given)], "not as one row"),
            (lambda **given: my_lost(**given) * 1.0, "floating point"),
            (lambda **given: [[2], [3, 4]], "One list"),
            (lambda **given: len(my_lost(**given)), "how many there are"),
            (
                lambda student_logits, teacher_logits, labels: [0],
                "Not the texts that the student loses",
            ),
        ),
    ),
    Question(
        key="03.q_control",
        prompt="**Question 1.** The control has far fewer texts. Why must it train for"
        " as many steps as the distilled student all the same?",
        options={
            "a": "because longer training can help by itself, and would be taken for"
            " the teacher's doing",
            "b": "because both must see each of their texts equally often",
            "c": "because a shorter run would stop before its learning rate has fallen",
        },
        answer="a",
        because={
            "a": "Everything but the teacher stays the same: architecture, steps,"
            " learning rate, choice of checkpoint.",
            "b": "They do not: with the same steps the control sees each of its few"
            " texts more often. Equal is the work, not the repetition.",
            "c": "The schedule is stretched over however many steps there are; a short"
            " run also ends at zero.",
        },
    ),
    Question(
        key="03.q_leak",
        prompt="**Question 2.** A text stands in the training part and, with one"
        " comma more, in the test part. What does the test score say?",
        options={
            "a": "much the same: the student cannot remember one text among thousands",
            "b": "it is too high: part of it is memory",
            "c": "it is too low: the student has fitted that one text too closely",
        },
        answer="b",
        because={
            "a": "It can: word pairs that occur in one text alone give it away.",
            "b": "That is why near duplicates are removed across parts before"
            " anything is trained.",
            "c": "Overfitting costs on texts that it has not seen; this one it has.",
        },
    ),
    Question(
        key="03.q_cache",
        prompt="**Question 3.** When would stored logits of the teacher be wrong?",
        options={
            "a": "when each epoch changes the texts, as augmentation does",
            "b": "when the student is trained at another temperature than before",
            "c": "when the student has another vocabulary than the teacher",
        },
        answer="a",
        because={
            "a": "Teacher and student must see the same version of a text (Beyer et"
            " al., 2022); a stored answer belongs to another one.",
            "b": "Logits are stored, not probabilities: they are divided by whatever"
            " temperature training asks for.",
            "c": "Logits are numbers per class, not per token; each side reads the"
            " text with its own tokeniser.",
        },
    ),
)
