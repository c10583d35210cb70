"""Whose first class is which, by their names."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset

from distill_helpers.data.class_order import ClassNamesError, class_order, config_names
from distill_helpers.data.encoding import EncodedReviews, encode_reviews
from distill_helpers.data.labels import NO_LABEL
from distill_helpers.data.targets import as_labels
from distill_helpers.teachers.base import Teacher


@pytest.mark.parametrize(
    ("own", "wanted", "mapping", "order"),
    [
        (["b", "a"], ["a", "b"], None, [1, 0]),
        (["a", "b"], ["a", "b"], None, [0, 1]),
        (["POSITIVE", " negative"], ["negative", "positive"], None, [1, 0]),
        (["b", "c", "a"], ["a", "b", "c"], None, [2, 0, 1]),
        # Names that only case keeps apart are compared as they are.
        (["it", "IT", "us"], ["IT", "it", "us"], None, [1, 0, 2]),
        (["LABEL_0", "LABEL_1"], ["x", "y"], {"LABEL_0": "y", "LABEL_1": "x"}, [1, 0]),
        (None, ["x", "y"], {0: "y", 1: "x"}, [1, 0]),
        (None, ["x", "y"], {"0": "x", "1": "y"}, [0, 1]),
        (["good", "bad"], ["bad", "fine"], {"good": "fine"}, [1, 0]),
        (["a", "b"], ["a", "b"], {"a": "b", "b": "a"}, [1, 0]),
        (["1", "0"], ["zero", "one"], {"0": "zero", "1": "one"}, [1, 0]),
        # Classes that are called by numbers are meant by their numbers.
        (["LABEL_0", "LABEL_1"], ["0", "1"], None, [0, 1]),
        (["LABEL_1", "LABEL_0"], ["0", "1"], None, [1, 0]),
        (None, ["0", "1"], None, [0, 1]),
    ],
)
def test_columns_are_found_by_name(own, wanted, mapping, order):
    assert class_order(own, wanted, count=len(wanted), mapping=mapping) == order


@pytest.mark.parametrize(
    ("own", "wanted", "mapping", "message"),
    [
        (["a", "b"], ["a", "c"], None, r"\['a', 'b'\].*\['a', 'c'\].*mapping"),
        (["LABEL_0", "LABEL_1"], ["x", "y"], None, r"no names.*\['x', 'y'\].*mapping"),
        (None, ["x", "y"], None, r"no names.*mapping=\{0: 'x', 1: 'y'\}"),
        (["LABEL_0", "LABEL_1"], ["1", "2"], None, "no names"),
        (["a", "b", "c"], ["a", "b"], None, "3 classes apart.*2"),
        (["a", "a"], ["a", "b"], None, "more than once.*'a'"),
        (["a", "b"], ["a", "a"], None, "more than once"),
        (["a", "b"], ["x", "b"], {"q": "x"}, "names the class 'q'"),
        (["a", "b"], ["x", "b"], {"a": "z"}, "leads to the class 'z'"),
        (["a", "b"], ["a", "b"], {"a": "b"}, "more than once"),
        (None, ["x", "y"], {0: "x"}, "no names"),
        (None, ["x", "y"], {2: "x"}, "names the class 2"),
    ],
)
def test_what_does_not_match_shows_both_lists(own, wanted, mapping, message):
    with pytest.raises(ClassNamesError, match=message):
        class_order(own, wanted, count=len(own or wanted), mapping=mapping)


def test_names_of_a_config_stand_by_their_numbers():
    class Config:
        id2label = {"1": "b", "0": "a"}

    assert config_names(Config) == ["a", "b"]
    Config.id2label = {0: "a", 2: "b"}
    with pytest.raises(ClassNamesError, match="id2label must name the logits"):
        config_names(Config)


# ------------------------------------------------------------- labels given
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, None, -100], [0, 1, NO_LABEL, NO_LABEL]),
        ([1.0, float("nan"), 0.0], [1, NO_LABEL, 0]),
        ([True, False], [1, 0]),
        (np.array([2, 0]), [2, 0]),
        (
            [[0, 1], None, [1.0, 1.0]],
            [[0, 1], [NO_LABEL, NO_LABEL], [1, 1]],
        ),
    ],
)
def test_labels_of_every_kind_are_read(values, expected):
    assert as_labels(values).tolist() == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": ["good", "bad"]}, "class numbers, got the text 'good' in row 0"),
        ({"label": [0.9, 1.0]}, "got 0.9 in row 0: soft labels"),
        ({"label": [[0, 1], [1]]}, r"2 values for every text.*\[1\] in row 1"),
        ({"label": [[0, 0.5], [1, 0]]}, r"0 or 1 .*\[0.0, 0.5\] in row 0"),
        ({"label": [0, 1], "labels": [1, 1]}, "'label' and a column 'labels'"),
        (
            {"teacher_logits": [[1.0, 2.0], None]},
            "2 logits in every row.*None in row 1",
        ),
        ({"teacher_logits": [[1.0, 2.0], [1.0]]}, r"2 logits in every row.*\[1.0\]"),
        ({"teacher_logits": [[1.0, None], [1.0, 2.0]]}, r"numbers, got \[1.0, None\]"),
        ({"teacher_logits": [["a", "b"], ["a", "b"]]}, "must hold numbers"),
        ({"teacher_logits": [0.1, 0.2]}, "a row of logits for every text"),
        ({"teacher_logits": [[1.0, np.inf], [1.0, 2.0]]}, "must be finite.*row 0"),
        ({"teacher_logits": [[0.2, 0.8], [0.7, 0.3]]}, "these are probabilities"),
    ],
)
def test_what_is_no_label_or_soft_target_is_named_by_row(tokenizers, columns, message):
    dataset = Dataset.from_dict({"text": ["a film", "a river"]} | columns)
    with pytest.raises(ValueError, match=message):
        encode_reviews(dataset, tokenizers["text-cnn"])


def test_labels_are_taken_under_both_names(tokenizers):
    for name in ("label", "labels"):
        dataset = Dataset.from_dict({"text": ["a", "b"], name: [1, None]})
        encoded = encode_reviews(dataset, tokenizers["text-cnn"])
        assert encoded.labels.tolist() == [1, NO_LABEL]
        assert encoded.labelled.tolist() == [True, False]


@pytest.mark.parametrize("label", [-1, 2, 2**40])
def test_a_label_out_of_range_is_named(tokenizers, label):
    dataset = Dataset.from_dict({"text": ["a", "b"], "label": [0, label]})
    encoded = encode_reviews(dataset, tokenizers["text-cnn"])
    with pytest.raises(ValueError, match=rf"0\.\.1 .*got {label} in row 1"):
        encoded.for_classes(2)


def test_rows_of_another_number_than_the_texts_are_refused(tokenizers):
    with pytest.raises(ValueError, match="teacher_logits must have a row for each"):
        EncodedReviews([np.array([1])] * 3, [0, 1, 0], np.zeros((2, 2), np.float32))


class Named(Teacher):
    fingerprint = "named"
    num_labels = 3

    def __init__(self, label_names, rows=3):
        self.label_names = label_names
        self.rows = rows

    def logits(self, texts):
        values = np.array([[1.0, 2.0, 4.0]] * self.rows, np.float32)
        return values


def test_labels_and_soft_targets_stand_in_the_order_that_is_wanted(tokenizers):
    dataset = Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 2, None]})
    names = ClassLabel(names=["x", "y", "z"])
    dataset = dataset.cast_column("label", names)
    read = dict(tokenizer=tokenizers["text-cnn"], teacher=Named(["z", "x", "y"]))
    plain = encode_reviews(dataset, **read)
    assert plain.label_names == ["x", "y", "z"]
    assert plain.teacher_logits[0].tolist() == [2.0, 4.0, 1.0]
    turned = encode_reviews(dataset, **read, label_names=["y", "z", "x"])
    assert turned.labels.tolist() == [2, 1, NO_LABEL]
    assert turned.teacher_logits[0].tolist() == [4.0, 1.0, 2.0]
    again = plain.for_classes(3, ["y", "z", "x"])
    np.testing.assert_array_equal(again.labels, turned.labels)
    np.testing.assert_array_equal(again.teacher_logits, turned.teacher_logits)
    assert plain.for_classes(3, ["x", "y", "z"]) is plain
    with pytest.raises(ClassNamesError, match="'p'"):
        plain.for_classes(3, ["x", "y", "p"])


@pytest.mark.parametrize("rows", [2, 4])
def test_a_teacher_that_leaves_out_or_adds_a_row_is_refused(tokenizers, rows):
    dataset = Dataset.from_dict({"text": ["a", "b", "c"]})
    with pytest.raises(ValueError, match=rf"shape \(3, 3\), got \({rows}, 3\)"):
        encode_reviews(dataset, tokenizers["text-cnn"], Named(None, rows))
