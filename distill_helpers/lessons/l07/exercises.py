"""The exercises of lesson 07: the text that teaches."""

from __future__ import annotations

from ..exercises.engine import Exercise, Prediction, Question
from . import answers

ENTRIES = (
    Exercise(
        key="07.leaks",
        prompt="**Exercise.** Write `my_cleaned(train, test, signature)`: the texts of"
        " the list `train`, in their order, that do not stand in the list `test`. Two"
        " texts are the same if `signature`, a function of a text, gives the same for"
        " both.",
        hints=(
            "Which list stays as it is, whatever is found? The test.",
            "seen = {signature(text) for text in test}, then keep what is not in it.",
        ),
        solution=answers.my_cleaned,
        why="A text that is trained on and tested on measures memory.",
        examine=answers.examine_cleaned,
        right=(answers.by_counting,),
        wrong=(
            (answers.exact_only, "Only exact copies"),
            (answers.from_the_test, "taken from the test"),
            (answers.the_leaks, "leaks themselves"),
            (answers.signatures, "as their signatures"),
            (answers.without_copies, "alike within train"),
            (lambda train, test, signature: 3, "Texts are wanted"),
        ),
    ),
    Exercise(
        key="07.splice",
        prompt="**Exercise.** Write `my_splice(text, other, teacher)`: a view, and the"
        " answer that belongs to it. The view is the first half of the words of `text`"
        " (rounded down), then what follows the first half of `other`, with spaces"
        " between. `teacher` takes a list of texts and returns an array of logits, a"
        " row for each.",
        hints=(
            "words = text.split(); the first half is words[: len(words) // 2].",
            "Who has read the new text so far? Nobody: ask.",
        ),
        solution=answers.my_splice,
        why="Half of another text may turn the meaning round; the old answer cannot"
        " know.",
        examine=answers.examine_splice,
        wrong=(
            (answers.parents_answer, "the old answer"),
            (answers.others_answer, "the other text"),
            (answers.mean_answer, "nobody read the view"),
            (answers.halves_swapped, "wrong texts"),
            (answers.both_whole, "whole"),
            (answers.spliced_letters, "by letters"),
            (answers.view_alone, "Two things"),
            (answers.row_kept, "One row"),
        ),
    ),
    Prediction(
        key="07.predict_doubt",
        prompt="**Predict.** Claim C15: buy the answers to those texts on which the"
        " teacher is least sure. How many points of accuracy will that gain over texts"
        " drawn by chance, at the same budget? A loss is below 0.",
        unit=" points",
        allowed=(-50.0, 50.0),
        close=3.0,
        why="Where the teacher is torn, its answer says little: probabilities near the"
        " middle, and the most errors. A student of such answers has next to nothing to"
        " go by.",
        example=2,
    ),
    Exercise(
        key="07.choose",
        prompt="**Exercise.** Write `my_choice(student, teacher, k, taken)`: the `k`"
        " rows of which the *student* is least sure, that of the greatest entropy"
        " first, and none of the list `taken`. `student` and `teacher` are arrays of"
        " logits, a row for each text.",
        hints=(
            "shares = softmax of the student's logits, row by row; the entropy of a row"
            " is -(shares * log(shares)).sum().",
            "Sort all rows, leave out those of `taken`, then cut at k.",
        ),
        solution=answers.my_choice,
        why="What the student does not know is what it can learn; what the teacher does"
        " not know it cannot teach.",
        examine=answers.examine_choice,
        right=(answers.by_the_largest_share,),
        wrong=(
            (answers.teachers_doubt, "The teacher's doubt"),
            (answers.surest, "Turned round"),
            (answers.chosen_twice, "second time"),
            (answers.smallest_logit, "no doubt"),
            (answers.too_few, "Fewer than k"),
            (answers.one_too_many, "More than k"),
            (lambda student, teacher, k, taken: "rows", "Rows are wanted"),
        ),
    ),
    Exercise(
        key="07.threshold",
        prompt="**Exercise.** Write `my_sure_ones(logits, threshold)`: the rows whose"
        " largest *probability* is at least `threshold`, and the class of each of these"
        " rows. `logits` is an array of shape (texts, classes).",
        hints=(
            "softmax along axis 1, then the maximum of each row.",
            "rows = np.flatnonzero(...); labels = logits[rows].argmax(1).",
        ),
        solution=answers.my_sure_ones,
        why="Pseudo-labels: the teacher's surest choices, taken for the truth.",
        examine=answers.examine_threshold,
        right=(answers.as_lists,),
        wrong=(
            (answers.raw_logits, "Logits are held against"),
            (answers.last_class_only, "Only the last class"),
            (answers.unsure_ones, "*not* sure"),
            (answers.labels_of_all, "a label for every text"),
            (answers.along_texts, "down the texts"),
            (answers.all_of_them, "All texts are kept"),
            (lambda logits, threshold: logits.shape[0], "Two things"),
        ),
    ),
    Question(
        key="07.q_view",
        prompt="**Question 1.** You cut every text in two, and train on the halves with"
        " the answers that were stored for the whole texts. What is wrong?",
        options={
            "a": "nothing, as long as both halves get the same answer",
            "b": "teacher and student saw different texts: the answer is to another one",
            "c": "the student needs a larger vocabulary for the halves",
        },
        answer="b",
        because={
            "a": "That both agree does not make them right: the praise may stand in one"
            " half and the blame in the other.",
            "b": "Ask a live teacher about each half, or train on whole texts.",
            "c": "The halves are made of the same words.",
        },
    ),
    Question(
        key="07.q_doubt",
        prompt="**Question 2.** A colleague sorts the pool by the teacher's doubt and"
        " pays for the answers at the top of the list. What did each answer cost?",
        options={
            "a": "only the answers that were bought: sorting is free",
            "b": "less than by chance, for unsure answers are short",
            "c": "an answer to every text of the pool: that is how doubt is known",
        },
        answer="c",
        because={
            "a": "To sort by the teacher's doubt the teacher has answered already.",
            "b": "An answer is a row of logits, however sure it is.",
            "c": "The student's doubt costs nothing, for the student is yours. The"
            " teacher's doubt is known only when nothing is left to buy.",
        },
    ),
    Question(
        key="07.q_leak",
        prompt="**Question 3.** A tenth of the test texts stood in train, with their"
        " labels. Accuracy falls when they are taken out of train. What has become of"
        " the model?",
        options={
            "a": "it is as good as before on new texts; the old figure was too high",
            "b": "it is worse, for it has fewer texts to learn from",
            "c": "nothing can be said, since the test has changed as well",
        },
        answer="a",
        because={
            "a": "What fell is the share that was answered from memory.",
            "b": "By so few texts hardly; look at the texts that had not leaked.",
            "c": "The test stays whole; only train loses texts.",
        },
    ),
)
