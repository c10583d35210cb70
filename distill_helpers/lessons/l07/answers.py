"""Lesson 07: answers to its exercises, right and wrong, and who examines them."""

from __future__ import annotations

import numpy as np

from ...data.cleaning import signature
from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect


# ---------------------------------------------------------------- splice
def my_splice(text, other, teacher):
    first, second = text.split(), other.split()
    view = " ".join(first[: len(first) // 2] + second[len(second) // 2 :])
    return view, teacher([view])[0]


def parents_answer(text, other, teacher):
    return my_splice(text, other, teacher)[0], teacher([text])[0]


def others_answer(text, other, teacher):
    return my_splice(text, other, teacher)[0], teacher([other])[0]


def mean_answer(text, other, teacher):
    return my_splice(text, other, teacher)[0], teacher([text, other]).mean(0)


def halves_swapped(text, other, teacher):
    return my_splice(other, text, teacher)


def both_whole(text, other, teacher):
    view = f"{text} {other}"
    return view, teacher([view])[0]


def view_alone(text, other, teacher):
    return my_splice(text, other, teacher)[0]


def spliced_letters(text, other, teacher):
    view = text[: len(text) // 2] + other[len(other) // 2 :]
    return view, teacher([view])[0]


def row_kept(text, other, teacher):
    view, answer = my_splice(text, other, teacher)
    return view, answer[None]


def examine_splice(answer) -> str:
    def teacher(texts):
        if isinstance(texts, str):
            raise TypeError("teacher takes a list of texts")
        joys = [sum(w in ("joy", "fine") for w in text.split()) for text in texts]
        longs = [len(text.split()) for text in texts]
        return np.array([[-0.5 * n, 1.5 * j] for n, j in zip(longs, joys)])

    given = {
        "text": "a joy and a joy till its last dull hour",
        "other": "so dull and so long but oh that fine ending",
        "teacher": teacher,
    }
    got = call(answer, **given)
    wanted = "the new text and the teacher's logits for it, of shape (2,)"
    try:
        view, logits = got
        logits = np.asarray(logits, float)
    except (TypeError, ValueError) as error:
        raise Incorrect("Two things are wanted.", repr(got), wanted) from error
    right_view, right = my_splice(**given)
    settle(
        view,
        right_view,
        {
            "The halves come from the wrong texts.": (
                halves_swapped(**given)[0],
                "the first half of text, then the second half of other",
            ),
            "Both texts stand there whole.": (
                both_whole(**given)[0],
                "half of the words of each",
            ),
            "Cut by letters, so that words break.": (
                spliced_letters(**given)[0],
                "text.split(), and a space between the words",
            ),
        },
        ("Not the first half of one and the second half of the other.", "one by hand"),
        equal=lambda a, b: isinstance(a, str) and a == b,
        shown=repr,
    )
    if logits.shape != right.shape:
        raise Incorrect(
            "One row of logits is wanted.", str(logits.shape), wanted, "teacher(...)[0]"
        )
    settle(
        logits,
        right,
        {
            "This is the old answer, of the text that the view was made of.": (
                teacher([given["text"]])[0],
                "whom the teacher is asked about: the view",
            ),
            "This is the answer to the other text, not to the view.": (
                teacher([given["other"]])[0],
                "whom the teacher is asked about: the view",
            ),
            "The mean of both parents' answers: nobody read the view.": (
                teacher([given["text"], given["other"]]).mean(0),
                "whom the teacher is asked about: the view",
            ),
        },
        ("Not what the teacher says of the view.", "teacher([view])[0]"),
        equal=_near,
        shown=_numbers,
    )
    return "A new text needs a new answer; that is what a live teacher is for."


# -------------------------------------------------------------- threshold
def my_sure_ones(logits, threshold):
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rows = np.flatnonzero(shares.max(1) >= threshold)
    return rows, logits[rows].argmax(1)


def raw_logits(logits, threshold):
    rows = np.flatnonzero(logits.max(1) >= threshold)
    return rows, logits[rows].argmax(1)


def last_class_only(logits, threshold):
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rows = np.flatnonzero(shares[:, -1] >= threshold)
    return rows, logits[rows].argmax(1)


def unsure_ones(logits, threshold):
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rows = np.flatnonzero(shares.max(1) < threshold)
    return rows, logits[rows].argmax(1)


def labels_of_all(logits, threshold):
    return my_sure_ones(logits, threshold)[0], logits.argmax(1)


def along_texts(logits, threshold):
    shares = np.exp(logits) / np.exp(logits).sum(0, keepdims=True)
    rows = np.flatnonzero(shares.max(1) >= threshold)
    return rows, logits[rows].argmax(1)


def all_of_them(logits, threshold):
    return np.arange(len(logits)), logits.argmax(1)


def as_lists(logits, threshold):
    rows, labels = my_sure_ones(logits, threshold)
    return rows.tolist(), labels.tolist()


def examine_threshold(answer) -> str:
    logits = np.array(
        [[4.0, 0.5], [0.1, 0.4], [0.2, 3.6], [2.1, 1.2], [-3.0, -0.2], [0.9, -1.9]]
    )
    given = {"logits": logits.copy(), "threshold": 0.9}
    got = call(answer, **given)
    wanted = "rows, and the class of each of these rows"
    try:
        rows, labels = (np.asarray(part).ravel().tolist() for part in got)
        got = [int(row) for row in rows], [int(label) for label in labels]
    except (TypeError, ValueError) as error:
        raise Incorrect("Two things are wanted.", repr(got), wanted) from error
    fresh = {"logits": logits, "threshold": 0.9}

    def of(function):
        return as_lists_of(function(**fresh))

    known = {
        "Logits are held against a threshold for probabilities.": (
            of(raw_logits),
            "softmax first",
        ),
        "Only the last class gets through: the student would see nothing else.": (
            of(last_class_only),
            "the largest probability of a row, whichever class it is of",
        ),
        "These are the texts of which the teacher is *not* sure.": (
            of(unsure_ones),
            "the direction of >=",
        ),
        "There is a label for every text, and not for every row that was kept.": (
            of(labels_of_all),
            "the labels of the kept rows alone",
        ),
        "The softmax was taken down the texts, not across the classes.": (
            of(along_texts),
            "axis=1",
        ),
        "All texts are kept.": (of(all_of_them), "the threshold"),
    }
    settle(
        got,
        of(my_sure_ones),
        known,
        ("Not the rows above the threshold.", "one row, by hand"),
        equal=lambda a, b: a == b,
        shown=lambda pair: f"rows {pair[0]}, labels {pair[1]}",
    )
    return "Sure is not right: what is kept are the easy texts, and some errors."


def as_lists_of(pair):
    return tuple(np.asarray(part).tolist() for part in pair)


# ----------------------------------------------------------------- choose
def my_choice(student, teacher, k, taken):
    shares = np.exp(student) / np.exp(student).sum(1, keepdims=True)
    entropy = -(shares * np.log(shares)).sum(1)
    order = [row for row in np.argsort(-entropy) if row not in taken]
    return order[:k]


def by_the_largest_share(student, teacher, k, taken):
    shares = np.exp(student) / np.exp(student).sum(1, keepdims=True)
    return [r for r in np.argsort(shares.max(1)).tolist() if r not in taken][:k]


def teachers_doubt(student, teacher, k, taken):
    return my_choice(teacher, teacher, k, taken)


def surest(student, teacher, k, taken):
    return my_choice(student, teacher, len(student), taken)[::-1][:k]


def chosen_twice(student, teacher, k, taken):
    return my_choice(student, teacher, k, [])


def smallest_logit(student, teacher, k, taken):
    return [r for r in np.argsort(student.max(1)).tolist() if r not in taken][:k]


def too_few(student, teacher, k, taken):
    return [r for r in my_choice(student, teacher, k, []) if r not in taken]


def one_too_many(student, teacher, k, taken):
    return my_choice(student, teacher, k + 1, taken)


def examine_choice(answer) -> str:
    student = np.array(
        [[4.0, 0.0], [0.2, 0.3], [5.0, 5.9], [0.1, 2.2], [3.0, 3.1], [1.5, 0.0]]
    )
    teacher = np.array(
        [[0.0, 3.5], [3.0, 0.0], [0.0, 4.0], [0.3, 0.9], [2.2, 0.0], [0.1, 0.2]]
    )

    def given():
        return {
            "student": student.copy(),
            "teacher": teacher.copy(),
            "k": 2,
            "taken": [4],
        }

    got = call(answer, **given())
    try:
        got = [int(row) for row in np.asarray(got).ravel().tolist()]
    except (TypeError, ValueError) as error:
        raise Incorrect("Rows are wanted.", repr(got), "a list of 2 rows") from error

    def of(function):
        return [int(row) for row in function(**given())]

    known = {
        "The teacher's doubt. It says which texts are hard for whoever knows most, and"
        " where its answers are worth least.": (of(teachers_doubt), "whose logits"),
        "Turned round: these are the texts the student is surest of.": (
            of(surest),
            "the sign, or the end of the order",
        ),
        "A row of `taken` is bought a second time.": (
            of(chosen_twice),
            "if row not in taken",
        ),
        "The smallest logit is no doubt: both logits of a text may be large and"
        " alike.": (of(smallest_logit), "softmax, then the entropy"),
        "Fewer than k: what was taken must be left out before k are counted.": (
            of(too_few),
            "the order of the two steps",
        ),
        "More than k: a budget is a budget.": (of(one_too_many), "[:k]"),
    }
    settle(
        got,
        of(my_choice),
        known,
        ("Not the rows of greatest doubt, greatest first.", "the entropy of each row"),
        equal=lambda a, b: a == b,
        shown=str,
    )
    return "Ask the student as it is now: after each purchase its doubts are others."


# ------------------------------------------------------------------ leaks
def my_cleaned(train, test, signature):
    seen = {signature(text) for text in test}
    return [text for text in train if signature(text) not in seen]


def by_counting(train, test, signature):
    tested = list(map(signature, test))
    return [text for text in train if tested.count(signature(text)) == 0]


def exact_only(train, test, signature):
    return [text for text in train if text not in test]


def from_the_test(train, test, signature):
    return my_cleaned(test, train, signature)


def the_leaks(train, test, signature):
    seen = {signature(text) for text in test}
    return [text for text in train if signature(text) in seen]


def signatures(train, test, signature):
    return list(map(signature, my_cleaned(train, test, signature)))


def without_copies(train, test, signature):
    found = my_cleaned(train, test, signature)
    return list({signature(text): text for text in found}.values())


def examine_cleaned(answer) -> str:
    def given():
        return {
            "train": ["A fine film!", "Dull.", "Dull?", "It drags.", "Oh, a joy."],
            "test": ["a fine film", "It drags.", "So long."],
            "signature": signature,
        }

    got = call(answer, **given())
    try:
        got = [str(text) for text in got]
    except TypeError as error:
        raise Incorrect("Texts are wanted.", repr(got), "a list of texts") from error

    def of(function):
        return function(**given())

    known = {
        "Only exact copies went; one that differs in case and marks is still there.": (
            of(exact_only),
            "signature(text) in place of the text",
        ),
        "The texts were taken from the test. Then every result before and after is one"
        " of other texts.": (of(from_the_test), "which list is walked through"),
        "These are the leaks themselves.": (of(the_leaks), "not in"),
        "The texts came back as their signatures.": (
            of(signatures),
            "keep text, compare signature(text)",
        ),
        "Texts that are alike within train went as well; that is another question.": (
            of(without_copies),
            "hold train against test alone",
        ),
    }
    settle(
        got,
        of(my_cleaned),
        known,
        ("Not the texts of train that do not stand in test.", "one text, by hand"),
        equal=lambda a, b: a == b,
        shown=str,
    )
    return "find_leaks finds near copies too, and without_leaks never touches the test."


def _near(got, expected) -> bool:
    return bool(np.allclose(got, expected, atol=1e-6))


def _numbers(values) -> str:
    return ", ".join(f"{value:.2f}" for value in np.ravel(values))
