"""One normalisation of labels, whatever the kind of file they come from."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from distill_helpers.data.class_names import (
    by_number_then_name,
    check_repeated,
    class_name,
    number_labels,
)

NONE = -1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, ""),
        ("", ""),
        (" \t", ""),
        (float("nan"), ""),
        (pd.NA, ""),
        (pd.NaT, ""),
        ("nan", ""),
        ("<NA>", ""),
        ("\u200b\ufeff", ""),
        ("NA", "NA"),
        ("None", "None"),
        (True, "True"),
        (np.int64(3), "3"),
        (np.float32(3), "3"),
        (2.0, "2"),
        ("2.0", "2"),
        (" 2. ", "2"),
        ("+1", "1"),
        ("\u22121", "-1"),
        ("-0", "0"),
        ("\uff11", "1"),
        ("\u2460", "1"),
        ("--1", "--1"),
        ("01", "01"),
        ("1e3", "1e3"),
        ("0.50", "0.5"),
        (".5", "0.5"),
        (Decimal("7.0"), "7"),
        (2**53 + 1, "9007199254740993"),
        (f"{2**53 + 1}.0", "9007199254740993"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        ("a\u00a0 b\u200b", "a b"),
        ("cut\ud83d", "cut\ufffd"),
    ],
    ids=repr,
)
def test_a_label_has_one_name(value, name):
    assert class_name(value) == name
    assert class_name(name) == name


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["a", "b"], r"\['a', 'b'\] is no name of one class"),
        ({"a": 1}, "is no name of one class"),
        (b"a", "is no name of one class"),
        (np.array([1]), "is no name of one class"),
        (float("inf"), "inf is no name"),
        ("9" * 5_000, "a label of 5,000 letters is none"),
        (10**6_000, "letters is none.*the right column"),
        (1e300, "letters is none"),
    ],
    ids=range(8),
)
def test_what_is_no_name_is_refused_with_its_row(value, reason):
    with pytest.raises(ValueError, match=f"^row 1: .*{reason}"):
        number_labels(["good", value])


@pytest.mark.parametrize(
    ("values", "numbers", "names"),
    [
        (["10", "2.0", "2", None], [1, 0, 0, NONE], ["2", "10"]),
        ([10.0, 2.0, float("nan")], [1, 0, NONE], ["2", "10"]),
        ([2, "2", 2.0, "3"], [0, 0, 0, 1], ["2", "3"]),
        (["b", "10", "a", "9"], [3, 1, 2, 0], ["9", "10", "a", "b"]),
        (["Pos", "pos ", "POS", "pos", "neg"], [1, 1, 1, 1, 0], ["neg", "pos"]),
        ([True, "true", False], [1, 1, 0], ["False", "True"]),
        (["\u2460", "\u2461", "1"], [0, 1, 0], ["1", "2"]),
        (["--1", "a"], [0, 1], ["--1", "a"]),
        ([2**53, 2**53 + 1], [0, 1], [str(2**53), str(2**53 + 1)]),
        (["0.5", "1", "1.5", "2.0"], [0, 1, 2, 3], ["0.5", "1", "1.5", "2"]),
        (["caf\u00e9", "cafe\u0301", "t"], [0, 0, 1], ["caf\u00e9", "t"]),
        ([None, ""], [NONE, NONE], []),
        ([], [], []),
        # -1 is a class where the others say so.
        ([-1, 0, 1], [0, 1, 2], ["-1", "0", "1"]),
        (["-1", "1", "+1"], [0, 1, 1], ["-1", "1"]),
        (["-1.0", "-2", "3"], [1, 0, 2], ["-2", "-1", "3"]),
        ([-1, 0], [0, 1], ["-1", "0"]),
        # And none among words; -100 is none at all times.
        (["-1", "good", "bad"], [NONE, 1, 0], ["bad", "good"]),
        ([-100, 0, 1, 2], [NONE, 0, 1, 2], ["0", "1", "2"]),
        ([-1, -1, None], [NONE, NONE, NONE], []),
    ],
    ids=range(20),
)
def test_classes_are_numbered_alike_for_all_formats(values, numbers, names):
    found, classes, _ = number_labels(values)
    assert (found.tolist(), classes) == (numbers, names)
    written = ["" if value is None else str(value) for value in values]
    again, classes, _ = number_labels(written)  # as CSV would hold them
    assert (again.tolist(), classes) == (numbers, names)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0, 1, 2, -1], "row 3: -1 beside the labels 0, 1, 2 may be a class or mean"),
        (["01", "1"], "labels '01' and '1' differ in zeros alone"),
        ([0.9, 0.1, 1.0], "row 0: 0.9|row 1: 0.1 is no class; probabilities are"),
        (["0.25", "0.75"], "row 0: 0.25 is no class; probabilities are a teacher's"),
        ([i + 0.5 for i in range(30)], "row 0: 0.5 is no class; a label must be one"),
    ],
)
def test_numbers_that_are_no_classes_are_refused(values, reason):
    with pytest.raises(ValueError, match=reason):
        number_labels(values, where="row {}".format)


def test_what_could_be_meant_otherwise_is_said():
    _, _, warnings = number_labels(["None", "Good", "good", "good", "-1"])
    assert len(warnings) == 2
    assert "'Good' is the same class as 'good'" in warnings[0]
    assert "'None' is taken for the name of a class" in warnings[1]
    _, _, warnings = number_labels([-1, 0, 1])
    assert "-1 is taken for a class beside the other numbers" in warnings[0]
    assert number_labels(["a", "b"])[2] == []


def test_the_names_that_a_file_gives_for_its_numbers_are_used():
    names = ["slow", "fast"]
    found, classes, _ = number_labels([1, 0, -1, None, "slow"], class_names=names)
    assert (found.tolist(), classes) == ([1, 0, NONE, NONE, 0], names)
    with pytest.raises(ValueError, match="row 0: '2' is none of the 2 classes"):
        number_labels([2], class_names=names)


def test_a_column_in_which_each_row_is_a_class_is_no_column_of_labels():
    numbers, names, _ = number_labels([f"text {i}" for i in range(60)])
    with pytest.raises(ValueError, match="60 different labels in 60 rows.*'text 0'"):
        check_repeated(numbers, names, "label")
    check_repeated(numbers % 30, names[:30], "label")


def test_numbers_stand_before_words_in_the_order_of_their_size():
    names = ["b", "-3", "10", "\u00b2", "2", "a", "--1", "0.5"]
    ordered = ["-3", "0.5", "2", "10", "--1", "a", "b", "\u00b2"]
    assert sorted(names, key=by_number_then_name) == ordered
