"""The exercises of lesson 03: a text classifier, distilled."""

from __future__ import annotations

import re

import numpy as np

from ..exercises.answers import call, settle
from ..exercises.engine import Exercise, Prediction, Question
from ..exercises.outcomes import Incorrect

_WIDE = "\uff01\uff0c\u3002\uff1f"
_MARKS = str.maketrans(_WIDE, "!,.?")


# ------------------------------------------------------------------- clean
def my_clean(text):
    for wide, narrow in zip("\uff01\uff0c\u3002\uff1f", "!,.?"):
        text = text.replace(wide, narrow)
    return re.sub(r"[^\w\s,.!?]", "", text)


def _by_table(text):
    return re.sub(r"[^\w\s,.!?]", "", text.translate(_MARKS))


def _letter_by_letter(text):
    text = text.translate(_MARKS)
    return "".join(c for c in text if c.isalnum() or c.isspace() or c in ",.!?")


def _filter_first(text):
    return re.sub(r"[^\w\s,.!?]", "", text).translate(_MARKS)


def _no_filter(text):
    return text.translate(_MARKS)


def _ascii_only(text):
    return re.sub(r"[^A-Za-z0-9\s,.!?]", "", text.translate(_MARKS))


def _exclamation_only(text):
    return re.sub(r"[^\w\s,.!?]", "", text.replace("\uff01", "!"))


def _examine_clean(answer) -> str:
    cases = (
        "Great\uff01 Twice\uff0c then again\u3002",
        "Why\uff1f So good! Really\uff01\uff01 Yes, really. No?",
        '(so) *bad* it\'s a well-known "fact"',
        "Caf\u00e9 na\u00efve 10",
        "  two  spaces,\nand a new line\t",
    )
    for text in cases:
        got = call(answer, text=text)
        if not isinstance(got, str):
            raise Incorrect("A text is wanted.", type(got).__name__, "str")
        if got != my_clean(text):
            what, look = _name_uncleaned(text, got)
            raise Incorrect(what, repr(got), repr(my_clean(text)), look)
    return "Punctuation carries feeling; a cleaner that eats it costs accuracy."


def _name_uncleaned(text: str, got: str) -> tuple[str, str]:
    """Say what is wrong with a cleaned text, and where to look."""
    right = my_clean(text)
    if any(mark in got for mark in _WIDE):
        return "A full-width mark is still there.", "replace, for all four marks"
    if any(got.count(mark) < right.count(mark) for mark in "!,.?"):
        if any(mark in text for mark in _WIDE):
            return (
                "A full-width mark is gone before it could be translated.",
                "the order: translate first, filter afterwards",
            )
        return (
            "A plain mark was deleted.",
            r"the filter: keep ,.!? as well as \w and \s",
        )
    if [c for c in got if c.isalnum()] != [c for c in right if c.isalnum()]:
        return (
            "Letters (also those with accents) and digits must stay as they are.",
            r"\w in the regular expression, which knows them",
        )
    if [c for c in got if c.isspace()] != [c for c in right if c.isspace()]:
        return "White space must stay as it is.", "strip, split and the filter"
    return "What is no letter, digit, white space or ,.!? should be gone.", "the filter"


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
    got = call(answer, student_logits=student, teacher_logits=teacher)
    right = my_agreement(student, teacher)
    try:
        if isinstance(got, str):
            raise TypeError
        got = float(got)
    except (TypeError, ValueError) as error:
        raise Incorrect("One number is wanted.", repr(got), "a share") from error
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
        raise Incorrect("One list of numbers is wanted.", expected=str(right)) from (
            problem
        )
    if got.dtype == bool:
        raise Incorrect(
            "A mask marks them; their numbers are wanted.",
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
            "The right texts, but not as one row of numbers.",
            f"shape {got.shape}",
            f"shape {right.shape}",
            "np.where gives a tuple: take its [0], or use np.flatnonzero",
        )
    if got.ndim == 1 and np.array_equal(got, right) and got.dtype.kind == "f":
        raise Incorrect(
            "These numbers are floating point; they should index a list.",
            str(got.dtype),
            "whole numbers",
            "what turns them into floats",
        )
    values = {k: (wrong(**given), look) for k, (wrong, look) in known.items()}
    otherwise = ("Not the texts that the student loses.", "the rows, one by one")
    settle(got, right, values, otherwise, equal=np.array_equal, shown=_listed_text)
    return "Reading these is the quickest way to see what the student lacks."


ENTRIES = (
    Exercise(
        key="03.clean",
        prompt="**Exercise.** Write `my_clean(text)`: turn the full-width marks"
        " \uff01 \uff0c \u3002 \uff1f into ! , . ? and then delete whatever is no"
        " letter, digit, white space or one of these four.",
        hints=(
            "Two steps, and only one order works.",
            r'str.replace for each mark, then re.sub(r"[^\w\s,.!?]", "", text).',
        ),
        solution=my_clean,
        why="Claim C08 has both steps, the other way round.",
        examine=_examine_clean,
        right=(_by_table, _letter_by_letter),
        wrong=(
            (_filter_first, "gone before it could be translated"),
            (_no_filter, "should be gone"),
            (_ascii_only, "also those with accents"),
            (_exclamation_only, "gone before it could be translated"),
            (lambda text: text, "still there"),
            (lambda text: my_clean(text).strip(), "White space"),
            (lambda text: my_clean(text).replace(".", ""), "gone before"),
            (lambda text: len(text), "A text is wanted"),
        ),
    ),
    Prediction(
        key="03.predict_gain",
        prompt="**Predict.** Same student, same steps, once with the labels only"
        " and once with the teacher's soft targets on labelled and unlabelled"
        " texts. By how many points of accuracy will distillation be better"
        " (or, below zero, worse)?",
        unit=" points",
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
        key="03.lost",
        prompt="**Exercise.** Write `my_lost(student_logits, teacher_logits,"
        " labels)`: the numbers of the texts that the student gets wrong and"
        " the teacher right.",
        hints=(
            "Two comparisons with the labels, joined by & and ~.",
            "np.flatnonzero turns a mask into numbers.",
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
            (
                lambda student_logits, teacher_logits, labels: [0],
                "Not the texts that the student loses",
            ),
        ),
    ),
    Question(
        key="03.q_control",
        prompt="**Question 1.** Why must the control train for as many steps as"
        " the distilled student?",
        options={
            "a": "so that the comparison measures the teacher and not the training time",
            "b": "because a shorter training would crash",
            "c": "it need not; it only has to see the same number of texts",
        },
        answer="a",
        because={
            "a": "Everything but the teacher stays the same: architecture, steps,"
            " learning rate, choice of checkpoint.",
            "b": "It would run; it would only be an unfair opponent.",
            "c": "Then it would stop after a fraction of the steps, and part of the"
            " gain would be nothing but longer training.",
        },
    ),
    Question(
        key="03.q_leak",
        prompt="**Question 2.** A text stands in the training part and, with one"
        " comma more, in the test part. What does the test score say?",
        options={
            "a": "nothing is lost: the texts differ",
            "b": "it is too high: part of it is memory",
            "c": "it is too low: the comma confuses the model",
        },
        answer="b",
        because={
            "a": "To a model that counts words they are the same text.",
            "b": "That is why near duplicates are removed across parts before"
            " anything is trained.",
            "c": "A comma hardly moves the answer; having seen the text does.",
        },
    ),
    Question(
        key="03.q_cache",
        prompt="**Question 3.** When would stored soft targets be wrong?",
        options={
            "a": "when each epoch changes the texts, as augmentation does",
            "b": "whenever training takes more than one epoch",
            "c": "when the student has another vocabulary than the teacher",
        },
        answer="a",
        because={
            "a": "Teacher and student must see the same version of a text (Beyer et"
            " al., 2022); a stored answer belongs to another one.",
            "b": "The texts stay the same from epoch to epoch, and so does the"
            " teacher's answer.",
            "c": "Logits are numbers per class, not per token; each side reads the"
            " text with its own tokeniser.",
        },
    ),
)
