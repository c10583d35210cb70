"""A table of answers as a teacher."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.special import softmax as soft

from distill_helpers.data.class_order import ClassNamesError
from distill_helpers.data.cleaning import text_hash
from distill_helpers.teachers.opening import open_teacher
from distill_helpers.teachers.stored import MissingAnswersError, write_soft_targets

NAMES = ["neg", "pos"]


@pytest.fixture
def opened(tmp_path):
    """Write a table and open it as a teacher."""

    def get(content, name="answers.csv", **options):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        else:
            path.write_text(content, encoding="utf-8")
        options.setdefault("label_names", NAMES)
        return open_teacher(path, tmp_path / "cache", **options)

    return get


P = "text,pos,neg\nfine,.9,.1\n<b>bad</b>,.2,.8\n"


@pytest.mark.parametrize(
    ("content", "name", "options"),
    [
        (P, "a.csv", {}),
        (P.replace(",", "\t"), "a.tsv", {}),
        (P.replace(",", ";"), "a.csv", {"values": "probabilities"}),
        (P.replace("pos,neg", "POS, Neg"), "a.csv", {}),
        (
            P.replace("pos,neg", "good,bad"),
            "a.csv",
            {"mapping": {"good": "pos", "bad": "neg"}},
        ),
        # Human labels, or what else stands beside it, is no class.
        (
            "id,text,label,pos,neg,note\n1,fine,neg,.9,.1,x\n2,bad,neg,.2,.8,y\n",
            "a.csv",
            {},
        ),
        (
            '{"text": "fine", "pos": 0.9, "neg": 0.1}\n'
            '{"text": "bad", "pos": 0.2, "neg": 0.8}\n',
            "a.jsonl",
            {},
        ),
        (
            pd.DataFrame(
                {
                    "text_hash": [text_hash("fine"), text_hash("bad").upper()],
                    "pos": [0.9, 0.2],
                    "neg": [0.1, 0.8],
                }
            ),
            "a.parquet",
            {},
        ),
        (
            pd.DataFrame(
                {
                    "text": ["fine", "bad"],
                    "neg": np.log([0.1, 0.8]) + 5,
                    "pos": np.log([0.9, 0.2]) + 5,
                }
            ),
            "a.parquet",
            {"values": "logits"},
        ),
        # Beside both names of a text, and in a name of capitals, all is read.
        (
            pd.DataFrame(
                {
                    "text": ["fine", "bad"],
                    "text_hash": [text_hash("fine"), text_hash("bad")],
                    "good": [0.9, 0.2],
                    "bad": [0.1, 0.8],
                }
            ),
            "A.PARQUET",
            {"mapping": {"good": "pos", "bad": "neg"}},
        ),
    ],
)
def test_probabilities_and_logits_are_read_by_the_names_of_classes(
    opened, content, name, options
):
    teacher = opened(content, name, **options)
    assert teacher.label_names == NAMES
    found = soft(teacher.logits(["bad", "fine"]), axis=1)
    np.testing.assert_allclose(found, [[0.8, 0.2], [0.1, 0.9]], rtol=1e-4)


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("text;answer;confidence\nfine;Pos;0.9\nbad;neg;0.8\n", {}, 0.1),
        ("text,answer\nfine,pos\nbad,neg\n", {"smoothing": 0.25}, 0.25),
        ("text,label\nfine,1\nbad,0\n", {"mapping": {1: "pos", 0: "neg"}}, 0.1),
        # Widths and cases of letters that keep the classes apart count, others not.
        ("text,answer\nfine,\uff30\uff4f\uff53\nbad,NEG\n", {}, 0.1),
        ("text,answer\nfine,us\nbad,US\n", {"label_names": ["US", "us"]}, 0.1),
    ],
)
def test_hard_answers_become_smoothed_logits(opened, content, options, expected):
    found = soft(opened(content, **options).logits(["fine", "bad"]), axis=1)
    np.testing.assert_allclose(
        found, [[expected, 1 - expected], [1 - expected, expected]], rtol=1e-4
    )


def test_what_is_left_over_by_smoothing_is_shared_by_the_other_classes(opened):
    teacher = opened("text,answer\nx,b\ny,c\n", label_names=["a", "b", "c"])
    np.testing.assert_allclose(soft(teacher.logits(["x"]))[0], [0.05, 0.9, 0.05], 1e-4)


def test_several_labels_stand_each_for_itself(opened):
    hard = opened("text,answer\nx,pos|neg\ny,neg\n", several_labels="|")
    np.testing.assert_allclose(
        expit(hard.logits(["x", "y"])), [[0.9, 0.9], [0.9, 0.1]], rtol=1e-4
    )
    many = "multi_label_classification"
    both = opened("text,pos,neg\nx,.9,.8\n", problem_type=many)
    np.testing.assert_allclose(expit(both.logits(["x"])), [[0.8, 0.9]], rtol=1e-4)


def test_without_classes_of_the_data_the_table_keeps_its_own(opened):
    assert opened(P, label_names=None).label_names == ["pos", "neg"]
    hard = opened("text,answer\nx,b\ny,a\n", label_names=None)
    assert hard.label_names == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (P.replace(".8", ".7"), {}, "1 of 2 rows do not sum to 1.*line 3 with 0.9"),
        (
            P.replace(".8", ".7"),
            {"values": "probabilities"},
            "sum to 1; 1 rows.*line 3",
        ),
        (P, {"values": "logits"}, "these are probabilities"),
        (P, {"values": "odds"}, "values must be one of"),
        ("text,pos,neg\na,-.1,1.1\n", {"values": "probabilities"}, r"within \[0, 1\]"),
        ("text,pos,neg\na,90,10\nb,20,80\n", {}, "divide these percentages by 100"),
        ("text,pos,neg\na,nan,.1\n", {}, "must be finite.*line 2"),
        ("text,pos,neg\na,inf,.1\n", {}, "must be finite.*line 2"),
        ("text,pos,neg\na,,.1\n", {}, "'pos' must be a number, got '' in line 2"),
        ("text,pos,neg\na,.1,.9\na,.2,.8\n", {}, "1 rows give another answer.*line 3"),
        ("text,answer\na,pos\na,neg\n", {}, "1 rows give another answer"),
        ("text,answer\na,pos\n", {"values": "logits"}, "needs one column of numbers"),
        ("text,answer\na,\n", {}, "no row with an answer"),
        ("body,pos,neg\na,.1,.9\n", {}, "needs a column 'text' or 'text_hash'"),
        ("text_hash,pos,neg\nzz,.1,.9\n", {}, "32 hexadecimal digits.*'zz' in line 2"),
        (
            "text,note\na,b\n",
            {},
            r"one column of numbers a class.*\['answer', 'label'\]",
        ),
        (
            "text,answer\na,pos\n",
            {"smoothing": 0.7},
            r"smoothing must lie in \[0, 0.5\]",
        ),
        ("", {}, "is empty"),
    ],
)
def test_what_is_no_answer_is_refused_by_line(opened, content, options, message):
    with pytest.raises(ValueError, match=message):
        opened(content, **options)


@pytest.mark.parametrize(
    "content",
    [
        "text,good,bad\na,.1,.9\n",
        "text,pos,neg,neutral\na,.1,.8,.1\n",
        "text,pos,other\na,.1,.9\n",
        "text,answer\na,pos\nb,good\n",
    ],
)
def test_other_classes_than_the_datas_show_both_lists(opened, content):
    with pytest.raises(ClassNamesError, match=r"\['neg', 'pos'\]"):
        opened(content)


def test_missing_rows_are_counted_and_the_first_is_named(opened):
    teacher = opened(P + "dull,,\n")
    assert teacher.knows(["fine", "dull"]).tolist() == [True, False]
    with pytest.raises(MissingAnswersError, match="2 of 3 texts.*text 1: 'dull'"):
        teacher.logits(["fine", "dull", "new"])


def test_the_kits_own_files_keep_their_names_and_need_some(tmp_path):
    keys, logits = [text_hash("a")], np.array([[1.0, 3.0]])
    write_soft_targets(tmp_path / "named.parquet", keys, logits, "f", ["pos", "neg"])
    teacher = open_teacher(tmp_path / "named.parquet", tmp_path, label_names=NAMES)
    assert teacher.logits(["a"]).tolist() == [[3.0, 1.0]]
    write_soft_targets(tmp_path / "bare.parquet", keys, logits, "f")
    with pytest.raises(ClassNamesError, match="mapping"):
        open_teacher(tmp_path / "bare.parquet", tmp_path, label_names=NAMES)
    mapping = {0: "pos", 1: "neg"}
    told = open_teacher(tmp_path / "bare.parquet", tmp_path, NAMES, mapping)
    assert told.logits(["a"]).tolist() == [[3.0, 1.0]]
    many = "multi_label_classification"
    said = open_teacher(tmp_path / "named.parquet", tmp_path, problem_type=many)
    assert said.problem_type == many


def test_another_table_has_another_fingerprint(opened):
    first = opened(P).fingerprint
    assert opened(P.replace("pos,neg", "neg,pos")).fingerprint != first
    assert opened(P).fingerprint == first


def test_the_shipped_answers_stand_in_the_order_of_the_data(tmp_path, reviews):
    texts = reviews["test"]["text"][:20]
    plain = open_teacher("shipped", tmp_path, reviews["test"].features["label"].names)
    turned = open_teacher("shipped", tmp_path, ["positive", "negative"])
    np.testing.assert_array_equal(turned.logits(texts), plain.logits(texts)[:, ::-1])
    with pytest.raises(ClassNamesError, match="negative.*billing"):
        open_teacher("shipped", tmp_path, ["billing", "refund"])
    with pytest.raises(TypeError, match="no further option"):
        open_teacher("shipped", tmp_path, values="logits")
