"""What is said of a file that can say little."""

import numpy as np
import pandas as pd
import pytest

from distill_helpers.evaluation.comparison import Runs, compare_runs
from distill_helpers.evaluation.metrics import measure_quality
from distill_helpers.evaluation.scorecard import Row
from distill_helpers.own_data import Request, look, open_guide, train
from distill_helpers.own_data.runs import CONTROL, DISTILLED
from distill_helpers.own_data.verdict import Verdict

LABELS = np.array([0, 1] * 12)


def verdict(distilled, control, over_texts, apart):
    """A verdict on 24 texts, of which each seed's student has so many right."""
    rows = [
        Row(name, [measure_quality(right(n), LABELS) for n in counts], seeds=[0, 1])
        for name, counts in ((DISTILLED, distilled), (CONTROL, control))
    ]
    runs = [Runs(r.name, dict(zip(r.seeds, r.values("f1"))), 1) for r in rows]
    none = pd.DataFrame()
    found = {"f1": [compare_runs(*runs)]}
    return Verdict(rows, found, over_texts, apart, None, none, None, none, [])


def right(count):
    logits = np.eye(2)[LABELS] * 4
    logits[count:] = logits[count:, ::-1]
    return logits


def test_no_interval_is_made_of_texts_that_tell_nothing_apart():
    said = verdict([24, 24], [24, 24], (0.0, 0.0), (0, 24)).helped
    assert "the same of each of the 24 test texts" in said
    assert "up to 14% of others" in said  # Wilson: 3.84 / (24 + 3.84)
    assert "the same in each of 2 seeds" in said and "+0.0 to +0.0" not in said


def test_texts_that_tell_apart_have_their_interval():
    said = verdict([24, 22], [20, 20], (0.01, 0.3), (4, 24)).helped
    assert "95% interval over 2 seeds" in said
    assert "other test texts could have shown +1.0 to +30.0" in said


@pytest.fixture
def lopsided(tmp_path):
    """Nine in ten are of one class; the rarest has no test text."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(200):
        name = "urgent" if number % 10 == 0 else "normal"
        words = " ".join(rng.choice(list("abcdefghijklmnop"), 6))
        part = ("train", "train", "validation", "test")[number // 10 % 4]
        lines.append((f"{name} {words} no{number}", name, part))
    lines.append(("lonely words of their own", "rare", "train"))
    path = tmp_path / "lopsided.csv"
    frame = pd.DataFrame(lines, columns=["text", "label", "split"])
    frame.to_csv(path, index=False)
    return path, frame


def test_a_class_without_a_test_text_is_named(lopsided, tmp_path):
    warnings = look(Request(lopsided[0], output=tmp_path / "o")).warnings
    assert any("no test text of 'rare': nothing is measured" in w for w in warnings)
    (few,) = [w for w in warnings if "fewer than 10 test texts" in w]
    assert "'urgent'" in few and "'rare'" not in few


@pytest.mark.filterwarnings(
    "error::distill_helpers.teachers.trust.WeakTeacherWarning"  # the report says it
)
def test_a_teacher_that_is_right_less_often_than_one_word_is_called_so(
    lopsided, tmp_path
):
    path, frame = lopsided
    names = sorted(set(frame["label"]))
    guesses = np.random.default_rng(1).choice(len(names), len(frame))
    shares = np.full((len(frame), len(names)), 0.1)
    shares[np.arange(len(frame)), guesses] = 0.8
    table = pd.DataFrame(shares, columns=names).assign(text=frame["text"])
    table.to_csv(tmp_path / "answers.csv", index=False)
    request = Request(
        path,
        teacher=str(tmp_path / "answers.csv"),
        values="probabilities",
        student="bigram",
        seeds=(0,),
        epochs=1,
        output=tmp_path / "o",
    )
    texts = look(request)
    guide = open_guide(request, texts, progress=False)
    (said,) = [w for w in guide.warnings if "always to say 'normal'" in w]
    assert said.startswith("the teacher, on the labelled texts: accuracy 0.")
    train(request, texts, guide, progress=False)


def test_test_texts_that_only_a_number_tells_from_training_are_counted(tmp_path):
    lines = [(f"report {n}: door {n * 7}", "door", "train") for n in range(9)]
    lines += [(f"report {n}: lamp {n * 7}", "lamp", "train") for n in range(9)]
    lines += [(f"report {n}: lamp {n * 9}", "lamp", "test") for n in range(20, 23)]
    lines += [("a door of its own kind", "door", "test")]
    lines += [("another door squeaks", "door", "validation")]
    lines += [("another lamp flickers", "lamp", "validation")]
    frame = pd.DataFrame(lines, columns=["text", "label", "split"])
    frame.to_csv(tmp_path / "forms.csv", index=False)
    warnings = look(Request(tmp_path / "forms.csv", output=tmp_path / "o")).warnings
    (said,) = [warning for warning in warnings if "numbers in it" in warning]
    assert said.startswith("3 of 4 test texts repeat a training text")
