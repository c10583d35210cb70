"""Cells with more than one label: noticed where nobody asked, read where one did."""

import numpy as np
import pytest

from distill_helpers.data.several_labels import check_single, number_several, rarest

AT = "line {}".format


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["billing", "refund", "billing|refund"], r"line 2: 'billing\|refund'.*'\|'"),
        (["billing", "billing|late"], r"several_labels='\|'"),
        (["a|b", "b|c", "a|c"], r"line 0: 'a\|b'.*one of 3 such cells"),
        (["A ; b", "a", "b"], "several_labels=';' .--several-labels ';'"),
        (["a", "b", "a, B"], "several_labels=','"),
        (["a", "b", "a/b"], "several_labels='/'"),
        (["a", "b", "a+b"], r"several_labels='\+'"),
        (["a", ["a", "b"]], r"line 1: \['a', 'b'\] in column 'label' is a list"),
        (["a", []], "is a list"),
        (["['a', 'b']", "['a']"], "line 0: .*is a list"),
        (["a", "b", "a\nb"], r"several_labels='\\n'"),
    ],
)
def test_cells_that_look_like_several_labels_are_named(values, reason):
    with pytest.raises(ValueError, match=reason):
        check_single(values, where=AT)


@pytest.mark.parametrize(
    "values",
    [
        ["billing", "refund", None, 3, 2.5, ""],
        ["home|kitchen", "home|garden", "sport|balls"],  # paths
        ["home;kitchen", "sport;balls"],
        ["Books, music", "Films", "Food and drink"],
        ["1,5", "1", "5", "2,0"],  # decimal commas
        ["n/a", "bug/feature", "question"],
        ["C++", "C", "C#"],
        ["R&D", "sales"],
    ],
)
def test_names_of_one_class_are_left_alone(values):
    check_single(values, where=AT)


@pytest.mark.parametrize(
    ("values", "separator", "rows", "names"),
    [
        (["b|a", "a", None, "|"], "|", [[1, 1], [1, 0], None, [0, 0]], ["a", "b"]),
        ([" B ; a ", "b;", "b"], ";", [[1, 1], [0, 1], [0, 1]], ["a", "b"]),
        ([["b", "a"], [], "a", 2], "|", [[0, 1, 1], [0] * 3, [0, 1, 0], [1, 0, 0]],
         ["2", "a", "b"]),
        (["a|A|a"], "|", [[1]], ["a"]),
        (["10, 2", "2.0"], ",", [[1, 1], [1, 0]], ["2", "10"]),
        (["a -- b", "b"], " -- ", [[1, 1], [0, 1]], ["a", "b"]),
    ],
)  # fmt: skip
def test_cells_are_read_as_rows_of_zero_and_one(values, separator, rows, names):
    found, classes, _ = number_several(values, separator)
    assert (found, classes) == (rows, names)


@pytest.mark.parametrize(
    ("values", "separator", "reason"),
    [
        (["a;b", "b;c"], "|", "line 0: 'a;b'.*several_labels=';'"),
        (["['a', 'b']"], ",", "line 0: .* is a list written as a text"),
        ([[0, 1, 0, 0]], "|", "line 0: .*is a row of 0 and 1; write the names"),
        ([["a", None]], "|", "line 0: one of several labels is empty"),
        ([["a", ["b"]]], "|", r"line 0: \['b'\] is no name of one class"),
        ([{"a": 1}], "|", "line 0: .*is no name of one class"),
    ],
)
def test_cells_that_cannot_be_read_so_are_named(values, separator, reason):
    with pytest.raises(ValueError, match=reason):
        number_several(values, separator, where=AT)


def test_a_separator_that_no_cell_holds_is_said():
    _, _, warnings = number_several(["a", "b"], "|")
    assert warnings == ["no cell of column 'label' holds several labels"]


def test_the_names_that_a_file_gives_serve_lists_of_numbers_too():
    rows, names, _ = number_several([[1, 0], [1]], "|", class_names=["x", "y"])
    assert (rows, names) == ([[1, 1], [0, 1]], ["x", "y"])


def test_a_row_counts_with_the_rarest_of_its_labels():
    rows = [[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 0, 0], None, [0, 0, 1]]
    assert rarest(rows, 3).tolist() == [1, 0, 2, 0, -1, 2]
    assert rarest([], 3).dtype == np.int_
