"""Exact match, BLEU, ROUGE-L: each on answers worked out by hand."""

import random
import sys

import pytest

from distill_helpers.evaluation.text_scores import (
    bleu,
    exact_matches,
    read_answer,
    rouge_l,
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("71 + 7 = 78 ; 78 / 2 = 39 # 39", "39"),
        ("# 71 # 39", "39"),  # the last counts, not the first number of the text
        ("#39", "39"),
        ("# 39  apples ", "39 apples"),
        ("71 + 7 = 78", None),
        ("71 + 7 = 78 #", None),
        ("", None),
        (None, None),
    ],
)
def test_the_answer_stands_behind_the_last_mark(text, answer):
    assert read_answer(text) == answer


def test_no_answer_is_never_right():
    answers = [read_answer(text) for text in ("# 39", "# 3 9", None, "no", "# 039")]
    assert exact_matches(answers, ["39"] * 5).tolist() == [True] + [False] * 4
    with pytest.raises(
        TypeError, match="references must hold texts, got NoneType in row 0"
    ):
        exact_matches([None], [None])


def test_bleu_is_that_of_the_words_and_of_the_length():
    pytest.importorskip("sacrebleu", reason="needs sacrebleu, the extra 'text'")
    reference = "one two three four five six"
    assert bleu([reference], [reference]) == pytest.approx(100)
    # Runs of 1 to 4 words: 5 of 6, 4 of 5, 3 of 4, 2 of 3 stand in the reference.
    changed = "one two three four five nine"
    by_hand = 100 * (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25
    assert bleu([changed], [reference]) == pytest.approx(by_hand)
    # It counts over all texts together: no mean of single scores.
    both = 100 * (11 / 12 * 9 / 10 * 7 / 8 * 5 / 6) ** 0.25
    assert bleu([changed, reference], [reference] * 2) == pytest.approx(both)


def test_rouge_l_is_the_longest_common_thread():
    # "one three five" of 4 words here and 5 there: precision 3/4, recall 3/5.
    score = rouge_l(["one nine three five"], ["one two three four five"])
    assert score == pytest.approx(100 * 2 * 0.75 * 0.6 / (0.75 + 0.6))
    assert rouge_l(["one", "nine"], ["one", "two"]) == pytest.approx(50)
    assert rouge_l(["", "!"], ["one", "?"]) == 0
    # Sure of many right words: the number alone is wrong.
    assert rouge_l(["it is 39 apples"], ["it is 93 apples"]) == pytest.approx(75)


def test_rouge_l_is_that_of_rouge_score():
    scorer = pytest.importorskip(
        "rouge_score.rouge_scorer", reason="the package rouge-score is not installed"
    )
    draw = random.Random(0)
    texts = [
        " ".join(draw.choices("Ab ab c, 12 d-e \u00e9t\u00e9 # f.".split(), k=length))
        for length in (0, 1, 2, 5, 9, 14, 30)
    ]
    scorer = scorer.RougeScorer(["rougeL"])
    for text in texts:
        for reference in texts:
            expected = scorer.score(reference, text)["rougeL"].fmeasure
            assert rouge_l([text], [reference]) == pytest.approx(100 * expected)


@pytest.mark.parametrize("score", [bleu, rouge_l, exact_matches])
@pytest.mark.parametrize(
    ("texts", "references", "message"),
    [
        (["a"], ["a", "b"], "got 1 and 2"),
        ([], [], "got 0 and 0"),
        ("a", ["a"], "a list of texts, got str"),
        (["a"], [3], "references must hold texts, got int in row 0"),
    ],
)
def test_what_does_not_fit_is_refused(score, texts, references, message):
    with pytest.raises((TypeError, ValueError), match=message):
        score(texts, references)


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ImportError, match=r'pip install "distill-helpers\[text\]"'):
        bleu(["a"], ["a"])
