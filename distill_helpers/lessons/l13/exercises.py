"""The exercises of lesson 13: your own domain."""

from __future__ import annotations

import re

import numpy as np

from ..exercises.engine import Exercise, Prediction, Question
from .desk import abstain_threshold
from .examining import (
    examine_deidentifier,
    examine_query,
    examine_split,
    examine_threshold,
)


# ------------------------------------------------------------------------- split
def my_split(values, test, horizon):
    train, later = values[: -test - horizon], values[-test:]
    mean, deviation = train.mean(), train.std()
    return (train - mean) / deviation, (later - mean) / deviation


def _by_places(values, test, horizon):
    end = len(values) - test
    train, later = values[: end - horizon], values[end:]
    return tuple((part - np.mean(train)) / np.std(train) for part in (train, later))


def _no_gap(values, test, horizon):
    train, later = values[:-test], values[-test:]
    return (train - train.mean()) / train.std(), (later - train.mean()) / train.std()


def _scaled_with_the_future(values, test, horizon):
    scaled = (values - values.mean()) / values.std()
    return scaled[: -test - horizon], scaled[-test:]


def _scaled_by_itself(values, test, horizon):
    parts = values[: -test - horizon], values[-test:]
    return tuple((part - part.mean()) / part.std() for part in parts)


def _shuffled(values, test, horizon):
    return my_split(np.random.default_rng(0).permutation(values), test, horizon)


def _unscaled(values, test, horizon):
    return values[: -test - horizon], values[-test:]


# ------------------------------------------------------------------------- query
def my_query():
    return (
        "MATCH (m:Entity)-[:PART_OF]->(w:Entity {name: $wish}),"
        " (m)-[:CONCERNS]->(t:Entity)"
        " RETURN DISTINCT t.name AS thing ORDER BY thing"
    )


def _along_one_line():
    return (
        "MATCH (t:Entity)<-[:CONCERNS]-(m:Entity)-[:PART_OF]->(w:Entity)"
        " WHERE w.name = $wish RETURN DISTINCT t.name AS thing ORDER BY t.name"
    )


def _backwards():
    return my_query().replace("-[:PART_OF]->", "<-[:PART_OF]-")


def _every_path():
    return my_query().replace("DISTINCT ", "")


def _no_order():
    return my_query().replace(" ORDER BY thing", " ORDER BY thing DESC")


def _pasted():
    return my_query().replace("$wish", "'privacy'")


def _unknown():
    return my_query().replace("CONCERNS", "IS_ABOUT")


def _other_column():
    return my_query().replace("AS thing ORDER BY thing", "AS name ORDER BY name")


def _names_of_matters():
    return my_query().replace("t.name AS thing", "m.name AS thing")


# --------------------------------------------------------------------- threshold
def my_threshold(sure, right, wrong):
    for threshold in sorted(sure):
        answered = sure >= threshold
        if (~right[answered]).mean() <= wrong:
            return threshold
    return 1.0


def _among_all(sure, right, wrong):
    for threshold in sorted(sure):
        if (~right & (sure >= threshold)).mean() <= wrong:
            return threshold
    return 1.0


def _from_above(sure, right, wrong):
    last = 1.0
    for threshold in sorted(sure, reverse=True):
        if (~right[sure >= threshold]).mean() > wrong:
            break
        last = threshold
    return last


def _promised(sure, right, wrong):
    return 1 - wrong


def _lowest(sure, right, wrong):
    return min(sure)


# ----------------------------------------------------------------- de-identifier
def my_deidentify(text):
    text = re.sub(r"\d{4}-\d\d-\d\d", "[date]", text)
    text = re.sub(r"\b\d{7}\b", "[record]", text)
    name = r"[A-Z]\w+(?: [A-Z]\w+)*"
    return re.sub(rf"\b(Dr|Mrs|Mr|Ms) {name}", r"\1 [name]", text)


def _every_number(text):
    return re.sub(r"\d[\d/-]*", "[number]", text)


def _title_too(text):
    return re.sub(r"\b(Dr|Mrs|Mr|Ms) \[name\]", "[name]", my_deidentify(text))


def _one_word(text):
    text = re.sub(r"\d{4}-\d\d-\d\d", "[date]", text)
    text = re.sub(r"\b\d{7}\b", "[record]", text)
    return re.sub(r"\b(Dr|Mrs|Mr|Ms) [A-Z]\w+", r"\1 [name]", text)


def _first_only(text):
    return re.sub(r"\d{4}-\d\d-\d\d", "[date]", text, count=1)


def _any_case(text):
    name = r"[A-Z]\w+(?: [A-Z]\w+)*"
    text = re.sub(r"\d{4}-\d\d-\d\d", "[date]", text)
    return re.sub(rf"\b(Dr|Mrs|Mr|Ms).? ?({name})?", r"\1 [name]", text, flags=re.I)


ENTRIES = (
    Exercise(
        key="13.split",
        prompt="**Exercise.** Write `my_split(values, test, horizon)` for a series in the"
        " order of its days (a NumPy array): the last `test` values judge, training has"
        " those before them, without the `horizon` values just before the test part."
        " Return both parts, training first, each scaled by what was known before the"
        " test part: minus the mean, divided by the standard deviation.",
        hints=(
            "values[-test:] judges. Training ends at -test - horizon.",
            "Mean and standard deviation are those of the training values, for both"
            " parts.",
        ),
        solution=my_split,
        why="Labels that look ahead reach into the test part, and a mean over all days"
        " knows how the story ends. Both make a model look better than it will be.",
        examine=examine_split,
        right=(_by_places,),
        wrong=(
            (_no_gap, "lie in the test part"),
            (_scaled_with_the_future, "scales with the future"),
            (_scaled_by_itself, "scaled by itself"),
            (_shuffled, "shuffled"),
            (_unscaled, "not scaled"),
            (lambda values, test, horizon: values, "two arrays"),
            (
                lambda values, test, horizon: my_split(values, 2 * test, horizon),
                "other sizes",
            ),
        ),
    ),
    Exercise(
        key="13.deidentify",
        prompt="**Exercise.** Write `my_deidentify(text)`: a date such as `2024-03-01`"
        " becomes `[date]`, a number of seven digits `[record]`, and the capitalised"
        " words behind `Dr`, `Mr`, `Mrs` or `Ms` become `[name]`; the title stays. All"
        " else stays as it is.",
        hints=(
            r"re.sub(r'\d{4}-\d\d-\d\d', '[date]', text) is the first of three.",
            r"A name: [A-Z]\w+(?: [A-Z]\w+)*. Keep the title by a group and \1.",
        ),
        solution=my_deidentify,
        why="Rules see forms. Whatever has none, such as a first name without a title, is"
        " missed: so misses are counted where it is known what stands in the texts.",
        examine=examine_deidentifier,
        right=(),
        wrong=(
            (_every_number, "nobody's"),
            (_title_too, "title is gone"),
            (_one_word, "another one than it should"),
            (_first_only, "stops after the first"),
            (_any_case, "another one than it should"),
            (lambda text: 3, "a text"),
            (lambda text: text.strip(), "leaves something"),
        ),
    ),
    Exercise(
        key="13.threshold",
        prompt="**Exercise.** Write `my_threshold(sure, right, wrong)`: `sure` has a"
        " student's confidence in each of its answers, `right` says which are right (two"
        " NumPy arrays). Return the lowest confidence in `sure` such that of the answers"
        " with at least that confidence no more than a share of `wrong` are wrong; 1.0"
        " if there is none.",
        hints=(
            "Try the confidences from the lowest to the highest, and return the first"
            " that keeps the promise.",
            "(~right[sure >= threshold]).mean() is the share of wrong answers among"
            " those given.",
        ),
        solution=my_threshold,
        why="The promise is about the answers that are given. What the student abstains"
        " from costs somebody else's time, so the threshold is as low as can be.",
        examine=examine_threshold,
        right=(abstain_threshold,),
        wrong=(
            (_among_all, "among all texts"),
            (_from_above, "could be answered"),
            (_promised, "That is 1 - wrong"),
            (_lowest, "than is allowed"),
            (lambda sure, right, wrong: "high", "one number"),
            (lambda sure, right, wrong: 2.0, "Nothing is answered"),
        ),
    ),
    Prediction(
        key="13.two_stages",
        prompt="**Predict.** A student shall tell six illnesses apart and has a dozen"
        " labelled notes of each. One way: train on these alone. The other: first on the"
        " chapters of all notes, then on the six, with as many steps in all. By how many"
        " points of macro F1 is the second way better (or, below zero, worse)?",
        unit=" points",
        allowed=(-60.0, 60.0),
        close=4.0,
        why="What the first stage teaches is how notes are written, and a few hundred of"
        " them can say that. What it costs stands in the table: whoever learns the"
        " second task forgets some of the first.",
        example=5,
        hints=(
            "What does the first stage see that the second does not?",
            "And how many of the words that tell the illnesses apart does it see?",
        ),
    ),
    Exercise(
        key="13.query",
        prompt="**Exercise.** Write `my_query()`: it returns Cypher that lists the things"
        " of a wish. In the graph of the support desk a matter is `PART_OF` a wish and"
        " `CONCERNS` things; each is a node `Entity` with a `name`. The wish's name comes"
        " in as `$wish`. Return one column, `thing`: each name once, in alphabetical"
        " order.",
        hints=(
            "MATCH (m:Entity)-[:PART_OF]->(w:Entity {name: $wish}), and a second pattern"
            " from m to the thing.",
            "RETURN DISTINCT t.name AS thing ORDER BY thing",
        ),
        solution=my_query,
        why="A query with `$wish` in it is written once, for every wish and for every"
        " place that speaks Cypher.",
        examine=examine_query,
        right=(_along_one_line,),
        wrong=(
            (_backwards, "finds nothing"),
            (_every_path, "more than once"),
            (_no_order, "in no order"),
            (_pasted, "in the query itself"),
            (_unknown, "does not have"),
            (_other_column, "other columns"),
            (_names_of_matters, "other things"),
            (lambda: "MATCH $wish", "does not understand"),
            (lambda: 3, "as a text"),
        ),
    ),
    Question(
        key="13.q_leak",
        prompt="**Question 1.** A model of tomorrow's prices scores far above every other."
        " One of its features is a mean over ten days, centred on today. What do you do?",
        options={
            "a": "keep it: the feature was there in training and in test alike",
            "b": "throw the feature out and measure again: half of its days are ahead",
            "c": "train with more folds, so that the luck averages out",
        },
        answer="b",
        because={
            "a": "That is why the score is high. On the day you need it, the five days"
            " ahead have not happened.",
            "b": "A check that changes the days ahead and looks whether today's features"
            " move finds such a leak without knowing the formula.",
            "c": "Every fold has the same leak; more of them make the wrong number surer.",
        },
    ),
    Question(
        key="13.q_null",
        prompt="**Question 2.** In your domain the teacher is no better than the student,"
        " and the interval of the gain holds zero. What do you hand over?",
        options={
            "a": "the distilled student: distillation cannot hurt",
            "b": "whichever won on the validation part, and a card that says that no gain"
            " was shown",
            "c": "nothing: the project has failed",
        },
        answer="b",
        because={
            "a": "It can: a weak teacher's mistakes are learnt too.",
            "b": "The cheapest model that does the work is a result, and so is that the"
            " teacher was not needed.",
            "c": "You know now what the task takes, measured against a control. Others"
            " find that out in use.",
        },
    ),
    Question(
        key="13.q_graph",
        prompt="**Question 3.** Texts written from a graph raise a rare class, and texts"
        " written from any of its classes raise it as much. What has helped?",
        options={
            "a": "the facts about the rare class",
            "b": "more text of this kind, answered by the teacher; which class it was"
            " written for is not shown to matter",
            "c": "the teacher, who has labelled them all rightly",
        },
        answer="b",
        because={
            "a": "Then they would have done more than texts about other classes.",
            "b": "That is what the control is for: it differs in the class alone.",
            "c": "How often the teacher takes such a text for what it was written for is"
            " printed above; it is far from always.",
        },
    ),
)
