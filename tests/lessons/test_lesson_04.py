"""Lesson 04: texts with one thing changed, curves in words, a script of a function."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset

from distill_helpers.data.encoding import EncodedReviews
from distill_helpers.lessons.l04 import changes, launching, reading, voters
from distill_helpers.lessons.l04.exercises import my_smooth

LOGITS = np.array([[2.0, -1.0], [0.5, 0.1], [-3.0, 4.0], [1.0, 0.0]], np.float32)


def reads(logits=LOGITS):
    ids = [np.arange(size) for size in (3, 1, 7, 5)]
    return EncodedReviews(ids, np.array([0, 1, 1, 0]), logits)


def test_smoothed_answers_are_those_of_the_exercise():
    found = changes.smoothed(reads(None), classes=3, epsilon=0.1)
    soft = np.exp(found.teacher_logits)
    expected = my_smooth(torch.tensor([0, 1, 1, 0]), 3, 0.1)
    assert soft == pytest.approx(expected.numpy(), rel=1e-6)


def test_shuffled_answers_are_the_same_ones_at_other_texts():
    found = changes.shuffled(reads(), seed=2)
    assert sorted(found.teacher_logits.tolist()) == sorted(LOGITS.tolist())
    assert found.teacher_logits.tolist() != LOGITS.tolist()
    assert found.labels.tolist() == reads().labels.tolist()
    again = changes.shuffled(reads(), seed=2)
    assert np.array_equal(found.teacher_logits, again.teacher_logits)


@pytest.mark.parametrize(("most", "sizes"), [(None, [3, 1, 7, 5]), (4, [3, 1, 4, 4])])
def test_texts_are_cut_to_their_first_tokens(most, sizes):
    found = changes.shortened(reads(), most)
    assert found.lengths == sizes
    assert found.token_ids[2].tolist() == list(range(sizes[2]))
    assert np.array_equal(found.teacher_logits, LOGITS)


def curve(knob, values, means):
    return pd.DataFrame({knob: values, "mean": means})


def test_a_knob_is_told_by_its_spread_and_its_best_value():
    curves = {"distilled": curve("alpha", [0.1, 0.5, 0.9], [0.80, 0.854, 0.81])}
    assert reading.in_words("alpha", curves) == (
        "alpha: from the worst to the best value 5.4 points; best at 0.5 with 0.854."
    )
    wide = {"distilled": curve("width", [1024, 2097152], [0.878, 0.907])}
    assert "best at 2097152 with" in reading.in_words("width", wide)


def test_with_a_control_the_knob_is_told_by_what_the_teacher_gives_where_both_ran():
    curves = {
        "control": curve("labelled", [100, 400, 800], [0.5, 0.8, 0.9]),
        "distilled": curve("labelled", [400, 100, 1600], [0.85, 0.75, 0.9]),
    }
    assert reading.in_words("labelled", curves) == (
        "labelled: the teacher gives 25.0 points at 100, 5.0 at 400."
    )
    assert reading.ends_in_words(curves) == (
        "control from 0.50 to 0.90; distilled from 0.85 to 0.90"
    )


def leave(folder, words):
    """What a launched function may do: import, and write into its folder."""
    from pathlib import Path

    Path(folder, "said").write_text(words, encoding="utf-8")


def test_a_function_becomes_a_script_that_calls_it(tmp_path, monkeypatch):
    script = launching.script_of(leave)
    monkeypatch.setattr(sys, "argv", ["train.py", str(tmp_path), "all of it"])
    exec(compile(script, "train.py", "exec"), {})
    assert (tmp_path / "said").read_text() == "all of it"


def test_the_second_teacher_answers_both_parts_and_is_never_quite_sure():
    texts = ["good fine film", "a fine good one", "bad dull film", "a dull bad one"] * 5
    part = Dataset.from_dict({"text": texts, "label": [1, 1, 0, 0] * 5})
    drawn = {"train": part, "validation": part.select(range(8))}
    held, answers = voters.linear_logits(drawn, ["fine good", "dull bad"], classes=3)
    assert held.shape == (8, 3) and answers.shape == (2, 3)
    assert answers.argmax(1).tolist() == [1, 0]
    assert held.min() >= np.log(1e-6) and (held[:, 2] == np.log(1e-6)).all()
