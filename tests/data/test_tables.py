"""The reader's own file: its columns, parts and labels."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distill_helpers.data.rows import SHARES
from distill_helpers.data.tables import read_file

TEXTS = ["slow and dull", "fine film", "so, so; really", "never again"]
LABELS = ["10", "2", "", "2"]


def saved(tmp_path, content, name="own.csv"):
    path = tmp_path / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    return path


def as_rows(rows):
    return list(
        rows.frame[["text", "label", "part"]].itertuples(index=False, name=None)
    )


# -------------------------------------------------------------- all formats alike
def write(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".tsv":
        frame.to_csv(path, index=False, sep="\t")
    else:
        lines = path.suffix == ".jsonl"
        frame.to_json(path, orient="records", lines=lines)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".parquet"])
@pytest.mark.parametrize("kind", ["str", "float", "Int64"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path, suffix, kind):
    labels = pd.Series(LABELS).replace("", None)
    labels = labels if kind == "str" else labels.astype(float).astype(kind)
    frame = pd.DataFrame({"text": TEXTS, "label": labels, "split": ""})
    rows = read_file(write(frame, tmp_path / f"own{suffix}"))
    assert rows.label_names == ["2", "10"]
    assert as_rows(rows) == [
        (TEXTS[0], 1, ""),
        (TEXTS[1], 0, ""),
        (TEXTS[2], -1, "transfer"),
        (TEXTS[3], 0, ""),
    ]
    assert rows.problem_type == "single_label_classification"
    assert (rows.source, rows.warnings) == (f"own{suffix}", [])


def test_a_file_of_everything_at_once(tmp_path):
    """12 classes as numbers, Chinese, semicolons, a BOM, a tiny class, empty rows."""
    lines = ["文本;标签;多余"]
    for number in range(5_000):
        label = 11 if number == 700 else number % 11
        lines.append(f"这是第{number}条，内容很好;{label};x")
        if number % 1_000 == 0:
            lines += [";;", ""]
    path = saved(tmp_path, "\ufeff" + "\r\n".join(lines))
    rows = read_file(path, text_column="文本", label_column="标签")
    assert rows.label_names == [str(number) for number in range(12)]
    assert len(rows.frame) == 5_005
    assert (rows.frame["label"] == 11).sum() == 1
    assert (rows.frame["text"] == "").sum() == 5
    assert rows.note == "your own file, separated by semicolons"


# -------------------------------------------------------------------- columns
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_columns_are_listed_one_by_one_whatever_parts_them(tmp_path, separator):
    lines = (separator.join(row) for row in (("Nachricht", "Klasse"), ("Hallo", "1")))
    (tmp_path / "own.csv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"it has \['Nachricht', 'Klasse'\]"):
        read_file(tmp_path / "own.csv")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Text,label", "lacks the column text; it has .*mean text_column='Text'"),
        ("text,labels", "lacks the column label.*mean label_column='labels'"),
        ("message_text,class", "mean text_column='message_text'"),
        ("Text,b", "mean text_column='Text', label_column='...'$"),
        ("a,b", "lacks the columns text, label.*the first line must name the columns"),
        (
            "a,b",
            r"it has \['a', 'b'\].*you mean: text_column='...', label_column='...'",
        ),
    ],
)
def test_a_missing_column_is_named_with_the_one_that_is_meant(
    tmp_path, header, message
):
    with pytest.raises(ValueError, match=message):
        read_file(saved(tmp_path, f"{header}\na,1\n"))


def test_columns_have_the_names_that_the_reader_gives(tmp_path):
    path = saved(tmp_path, "split,body,topic,part\nodd,a,x,test\nodd,b,y,\n")
    with pytest.raises(ValueError, match="line 2: column 'split'.*got 'odd'.*None"):
        read_file(path, text_column="body", label_column="topic")
    rows = read_file(path, text_column="body", label_column="topic", split_column=None)
    assert rows.frame["part"].tolist() == ["", ""]
    options = {"text_column": "body", "label_column": "topic"}
    rows = read_file(path, split_column="part", **options)
    assert rows.frame["part"].tolist() == ["test", ""]
    with pytest.raises(
        ValueError, match="lacks the column parts; .*split_column='part'"
    ):
        read_file(path, split_column="parts", **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"label_column": "text"}, ValueError, "must name different columns"),
        ({"text_column": 3}, TypeError, "text_column must be the name of a column"),
        ({"label_column": None}, TypeError, "label_column must be the name"),
        ({"several_labels": ""}, ValueError, "several_labels must be what stands"),
        ({"several_labels": "x"}, ValueError, "several_labels must be .*got 'x'"),
        ({"several_labels": True}, TypeError, "several_labels must be a separator"),
    ],
)
def test_options_that_make_no_sense_are_named(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        read_file(saved(tmp_path, "text,label\na,1\n"), **options)


# ---------------------------------------------------------------------- parts
@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("train training TRAIN Trn", "train"),
        ("validation valid val dev Development eval evaluation", "validation"),
        ("test testing Holdout hold-out held_out", "test"),
        ("transfer unsupervised unlabelled Unlabeled", "transfer"),
    ],
)
def test_the_usual_names_of_parts_are_understood(tmp_path, words, part):
    lines = [f"text {w},1, {w} " for w in words.split()] + ["x,0,", "y,1,"]
    rows = read_file(saved(tmp_path, "\n".join(["text,label,split", *lines])))
    count = len(lines) - 2
    assert rows.frame["part"].tolist() == [part] * count + ["", ""]
    label = -1 if part == "transfer" else 1
    assert rows.frame["label"].tolist() == [label] * count + [0, 1]


def test_a_part_that_the_file_names_is_taken_whole(tmp_path):
    content = "text,label,split\na,0,test\nb,1,test\nc,1,\nd,0,\n"
    rows = read_file(saved(tmp_path, content))
    assert rows.defaults == {**SHARES, "test": None}


def test_a_part_that_is_none_is_named_by_its_line(tmp_path):
    lines = '{"text": "a", "label": 1, "split": null}\n{"text": "b", "split": 7}'
    with pytest.raises(ValueError, match="line 2: column 'split'.*got '7'"):
        read_file(saved(tmp_path, lines, "own.jsonl"))


def test_minus_one_in_transfer_rows_is_no_class(tmp_path):
    content = "text,label,split\na,0,train\nb,1,test\nc,-1,unsupervised\nd,2,train\n"
    rows = read_file(saved(tmp_path, content))
    assert rows.label_names == ["0", "1", "2"]
    assert as_rows(rows)[2] == ("c", -1, "transfer")
    assert rows.warnings == []


def test_a_mark_of_no_label_in_transfer_rows_is_not_called_a_label(tmp_path):
    marks = (None, "", " ", -1, "-1", -100, float("nan"), "nan")
    rows = [{"text": "a", "label": label} for label in ("x", "y")]
    rows += [{"text": "b", "label": m, "split": "transfer"} for m in marks]
    lines = "\n".join(map(json.dumps, rows))
    assert read_file(saved(tmp_path, lines, "own.jsonl")).warnings == []


def test_labels_of_transfer_rows_are_not_read_and_that_is_said(tmp_path):
    content = "text,label,split\na,0,train\nb,1,test\nc,1,transfer\nd,9,transfer\n"
    rows = read_file(saved(tmp_path, content))
    assert rows.label_names == ["0", "1"]
    assert rows.frame["label"].tolist() == [0, 1, -1, -1]
    assert rows.warnings == [
        "2 rows of the part 'transfer' with a label: it is not read"
    ]


def test_a_row_to_be_judged_needs_a_label_and_one_to_learn_from_does_not(tmp_path):
    content = "text,label,split\na,0,train\nb,1,train\nc,,{}\n"
    with pytest.raises(ValueError, match="line 4: a row of the part 'test' has no"):
        read_file(saved(tmp_path, content.format("test")))
    rows = read_file(saved(tmp_path, content.format("train")))
    assert as_rows(rows)[2] == ("c", -1, "transfer")
    assert rows.warnings == [
        "1 row of the part 'train' without a label went to the transfer part"
    ]


# --------------------------------------------------------------------- labels
def test_several_labels_are_noticed_and_read_where_asked(tmp_path):
    content = "text,label\na,late|refund\nb,late\nc,\nd,refund\ne,|\n"
    path = saved(tmp_path, content)
    with pytest.raises(
        ValueError, match=r"line 2: 'late\|refund'.*several_labels='\|'"
    ):
        read_file(path)
    rows = read_file(path, several_labels="|")
    assert rows.problem_type == "multi_label_classification"
    assert rows.label_names == ["late", "refund"]
    assert rows.frame["labels"].tolist() == [[1, 1], [1, 0], None, [0, 1], [0, 0]]
    assert rows.frame["label"].tolist() == [0, 0, -1, 1, 1]
    assert rows.frame["part"].tolist() == ["", "", "transfer", "", ""]


@pytest.mark.parametrize("name", ["own.parquet", "own.jsonl"])
def test_lists_in_a_cell_are_several_labels(tmp_path, name):
    table = {"text": ["a", "b", "c"], "label": [["x", "y"], [], None]}
    if name == "own.parquet":
        pq.write_table(pa.table(table), tmp_path / name)
    else:
        write(pd.DataFrame(table), tmp_path / name)
    with pytest.raises(ValueError, match="1: .*'label' is a list"):
        read_file(tmp_path / name)
    rows = read_file(tmp_path / name, several_labels="|")
    assert rows.frame["labels"].tolist() == [[1, 1], [0, 0], None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,1\nb,0.5\n", "line 3: 0.5 is no class; probabilities"),
        (
            "text,label\n" + "".join(f"1,text {i}\n" for i in range(60)),
            "is it the right",
        ),
        ("text,label\n,1\n  ,2\n", "column 'text' holds no text in any of its rows"),
        ("text,label\na," + "9" * 5_000, "line 2: a label of 5,000 letters"),
    ],
    ids=range(4),
)
def test_labels_and_texts_that_cannot_be_meant_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"^source='.*own.csv', .*{message}"):
        read_file(saved(tmp_path, content))


def test_texts_are_texts_and_numbers_become_some(tmp_path):
    records = [{"text": 5, "label": 1}, {"text": None, "label": 2}]
    rows = read_file(saved(tmp_path, json.dumps(records), "own.json"))
    assert rows.frame["text"].tolist() == ["5", ""]
    records[1]["text"] = ["a"]
    with pytest.raises(
        ValueError, match="row 2: column 'text' must hold texts, got list"
    ):
        read_file(saved(tmp_path, json.dumps(records), "own.json"))


# --------------------------------------------------------------- stray quotes
BEFORE = "text,label\na b c,good\nd e f,bad\n"
FIRST = "label,text\ngood,a b c\nbad,d e f\n"


@pytest.mark.parametrize(
    "content",
    [
        BEFORE + '"stray,good\nnext,bad\nthird,good\nsay 5",bad\n',
        BEFORE + '"stray,good\nsay 5",bad\n',
        FIRST + 'good,"stray\nbad,next\ngood,say 5"\n',
    ],
)
def test_rows_swallowed_by_a_stray_quote_are_noticed(tmp_path, content):
    with pytest.raises(ValueError, match="line 4: the cell of column 'text' goes over"):
        read_file(saved(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        BEFORE + '"Hello,\n\nI want my money, good\nbye",bad\n',
        BEFORE + '"one\ntwo, bad\nthree",good\n',
        FIRST + 'good,"Dear all,\ngood, very good\nbye"\n',
    ],
)
def test_texts_of_several_lines_are_texts(tmp_path, content):
    rows = read_file(saved(tmp_path, content))
    assert len(rows.frame) == 3 and "\n" in rows.frame["text"][2]
