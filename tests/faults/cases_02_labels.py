"""Labels, soft targets and logits: one normalisation, and no guess."""

import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
from helping import jsonl, load, parquet, read, text
from judging import Case, gives, refused, says

INF = math.inf


def labelled(*labels, **options):
    """A file of Parquet, JSONL and CSV with such labels: all three are alike."""

    def act(place):
        records = [{"text": text(i), "label": y} for i, y in enumerate(labels)]
        found = [read(jsonl(records), "own.jsonl", **options)(place)]
        if len({type(y) for y in labels if y is not None}) == 1:
            found.append(
                read(
                    parquet(pd.DataFrame(records).to_dict("list")),
                    "own.parquet",
                    **options,
                )(place)
            )
        cells = ["" if y is None else str(y) for y in labels]
        csv = pd.DataFrame({"text": [r["text"] for r in records], "label": cells})
        found.append(read(csv.to_csv(index=False), **options)(place))
        assert all([r[1] for r in rows] == [r[1] for r in found[0]] for rows in found)
        return [row[1] for row in found[0]]

    return act  # fmt: skip


def csv_labels(*labels):
    return read(
        "text,label\n" + "".join(f"{text(i)},{y}\n" for i, y in enumerate(labels))
    )


def names(*labels, classes):
    """Only the list of the classes, in its order."""

    def act(place):
        from distill_helpers.data.tables import read_file

        content = "".join(f"{text(i)},{y}\n" for i, y in enumerate(labels))
        return read_file(place.write("own.csv", "text,label\n" + content)).label_names

    return Case(2, f"classes-{'-'.join(map(str, labels))}"[:60], act, gives(classes))


def dataset(**columns):
    from datasets import Dataset

    return Dataset.from_dict(columns)


def encode(**columns):
    """Give a data set to the encoder of the trainer."""

    def act(place):
        from distill_helpers.data.encoding import encode_reviews

        made = {k: v() if callable(v) else v for k, v in columns.items()}
        return encode_reviews(
            dataset(text=["a b", "c d", "e f"], **made), place.shop.student[1]
        )

    return act  # fmt: skip


def frame(make, of=None):
    """Give a frame of pandas, as people do, with a column of objects."""

    def act(place):
        from distill_helpers.data.targets import as_labels

        return list(as_labels(make()))

    return act


def trainer(labels=None, logits=None, classes=2, **names):
    """Give the columns to a trainer, as a Hugging Face data set."""

    def act(place):
        from datasets import Dataset

        from distill_helpers.training.config import DistillationConfig
        from distill_helpers.training.trainer import DistillationTrainer

        model, reader = place.shop.student
        columns = {"text": [text(i) for i in range(4)]} | names
        columns |= {} if labels is None else {"label": labels}
        columns |= {} if logits is None else {"teacher_logits": logits}
        args = DistillationConfig(output_dir=str(place.out()), use_cpu=True)
        made = DistillationTrainer(
            model, None, args, Dataset.from_dict(columns), processing_class=reader
        )
        return made.train_dataset

    return act


SOFT = [[1.0, -1.0]] * 4

CASES = [
    Case(2, "whole-numbers", labelled(10, 2, 2, 10), gives(["10", "2", "2", "10"])),
    Case(2, "fractions-that-are-whole", labelled(1.0, 2.0, 1.0), gives(["1", "2", "1"])),
    Case(2, "none-among-numbers", labelled(3, None, 4, 3), gives(["3", None, "4", "3"])),
    Case(2, "true-and-false", labelled(True, False, True), gives(["True", "False", "True"])),
    Case(2, "minus-one-means-none-among-words", csv_labels("a", "b", -1, "a"), gives(lambda r: r[2][1] is None)),
    Case(2, "minus-one-is-a-class-of-three", labelled(-1, 0, 1, -1), gives(["-1", "0", "1", "-1"])),
    Case(2, "minus-one-is-a-class-of-two", labelled(-1, 1, -1, 1), gives(["-1", "1", "-1", "1"])),
    Case(2, "minus-one-is-doubtful", labelled(-1, 0, 1, 2), refused("-1", "empty")),
    Case(2, "minus-100-means-none", labelled(-100, 0, 1), gives([None, "0", "1"])),
    names(10, 2, 1, "2.0", classes=["1", "2", "10"]),
    names("Positive", "positive ", "NEGATIVE", "negative", "negative", "positive", "positive", classes=["negative", "positive"]),
    names("café", "cafe\u0301", "tea", classes=["café", "tea"]),
    names("ｙｅｓ", "yes", "yes", "no", classes=["no", "yes"]),
    names("\u200bgood", "good", "bad", classes=["bad", "good"]),
    names("x  y", "x y", "z", classes=["x y", "z"]),
    names("straße", "STRASSE", "straße", "weg", classes=["straße", "weg"]),
    names("①", "1", "2", classes=["1", "2"]),
    names("１", "1", "2", classes=["1", "2"]),
    names("+1", "1", "2", classes=["1", "2"]),
    names("−2", "-2", "2", classes=["-2", "2"]),
    names("1e3", "1000", "2", classes=["2", "1000", "1e3"]),
    names("--1", "x", "--1", classes=["--1", "x"]),
    names("½", "x", "½", classes=["x", "½"]),
    names("1_000", "1000", "x", classes=["1000", "1_000", "x"]),
    names("0x10", "16", classes=["16", "0x10"]),
    names("9007199254740993", "9007199254740992", classes=["9007199254740992", "9007199254740993"]),
    names("v1.10", "v1.9", classes=["v1.10", "v1.9"]),
    names("👍", "👎", "👍", classes=["👍", "👎"]),
    names("3.50", "3.5", "4.5", classes=["3.5", "4.5"]),
    Case(2, "leading-zeros-that-meet", csv_labels("01", "1", "02"), refused("01", "zeros")),
    Case(2, "leading-zeros-alone", csv_labels("01", "02", "01"), gives(lambda r: r[0][1] == "01")),
    Case(2, "soft-labels", csv_labels("0.9", "0.1", "0.4"), refused("line 2", "probabilities")),
    Case(2, "soft-labels-in-jsonl", read(jsonl([{"text": "a", "label": 0.25}, {"text": "b", "label": 1}]), "o.jsonl"), refused("line 1", "probabilities")),
    Case(2, "measured-values", csv_labels(*[f"{i}.{i}5" for i in range(1, 30)]), refused("line 2|measured|different labels")),
    Case(2, "texts-in-the-label-column", csv_labels(*["long " * 60] * 3), refused("line 2", "letters")),
    Case(2, "numbers-of-rows-as-labels", csv_labels(*range(40)), refused("no classes|right column")),
    Case(2, "list-in-a-cell", read(jsonl([{"text": "a", "label": ["x"]}, {"text": "b", "label": ["y"]}]), "o.jsonl"), refused("line 1", "list", "several_labels")),
    Case(2, "list-in-quotes", csv_labels("\"['x', 'y']\"", "\"['y']\""), refused("line 2")),
    Case(2, "object-in-a-cell", read(jsonl([{"text": "a", "label": {"x": 1}}, {"text": "b", "label": {"y": 1}}]), "o.jsonl"), refused("line 1")),
    Case(2, "one-hot-in-a-cell", read(jsonl([{"text": "a", "label": [0, 1]}, {"text": "b", "label": [1, 0]}]), "o.jsonl"), refused("line 1", "list")),
    Case(2, "bytes-as-labels", read(parquet({"text": ["a", "b"], "label": pa.array([b"x", b"y"])}), "o.parquet"), refused("row 1|label")),
    Case(2, "dates-as-labels", read(parquet({"text": ["a", "b", "c"], "label": pa.array([1, 2, 1], pa.date32())}), "o.parquet"), gives(lambda r: r[0][1] == "1970-01-02")),
    Case(2, "spreadsheet-errors-as-labels", csv_labels("#N/A", "x", "y", "#N/A"), says("#N/A|'x'", holds=lambda r: r[0][1] == "#N/A")),
    Case(2, "a-single-class", load("text,label\n" + "".join(f"{text(i)},x\n" for i in range(30))), refused("two classes", "'x'")),
    Case(2, "no-label-at-all", load("text,label\n" + "".join(f"{text(i)},\n" for i in range(30))), refused("two classes", "none")),
    Case(2, "200000-digits", csv_labels("1" * 200_000, "2"), refused("line 2", "letters")),
    Case(2, "huge-whole-number-in-jsonl", read('{"text":"a","label":%s}\n' % ("1" * 1000), "o.jsonl"), refused("line 1")),
    Case(2, "lone-surrogate-as-label", read('{"text":"a","label":"\\ud800x"}\n{"text":"b","label":"y"}\n', "o.jsonl"), gives(lambda r: r[0][1].isprintable())),
    Case(2, "class-names-of-the-file-that-lie", lambda p: class_label(p, [0, 1, 2]), refused("row 3", "'2'|2")),
    Case(2, "class-names-of-the-file", lambda p: class_label(p, [1, 0, -1]), gives(["fast", "slow", None])),
    # -------------------------------------------------------------- of the trainer
    Case(2, "labels-for-label", encode(labels=[0, 1, 0]), gives(lambda d: d.labels.tolist() == [0, 1, 0])),
    Case(2, "label-and-labels-differ", encode(label=[0, 1, 0], labels=[1, 1, 0]), refused("'label'", "'labels'", "differ")),
    Case(2, "label-and-labels-alike", encode(label=[0, 1, 0], labels=[0, 1, 0]), gives(lambda d: len(d) == 3)),
    Case(2, "words-as-labels", encode(label=["x", "y", "x"]), refused("'x'", "row 0", "class_encode_column")),
    Case(2, "none-as-labels", encode(label=[None, None, 1]), gives(lambda d: d.labels.tolist() == [-100, -100, 1])),
    Case(2, "nan-as-labels", encode(label=[math.nan, 1.0, 0.0]), gives(lambda d: d.labels.tolist() == [-100, 1, 0])),
    Case(2, "soft-labels-of-the-trainer", encode(label=[0.9, 0.1, 0.5]), refused("0.9", "row 0", "teacher_logits")),
    Case(2, "infinite-labels", encode(label=[INF, 1.0, 0.0]), refused("inf", "row 0")),
    Case(2, "minus-infinite-labels", frame(lambda: [0, -INF]), refused("inf", "row 1")),
    Case(2, "labels-beyond-64-bits", frame(lambda: [2**70, 0]), refused("row 0")),
    Case(2, "labels-of-pandas-NA", frame(lambda: pd.array([1, None, 0], "Int64")), gives([1, -100, 0])),
    Case(2, "labels-pd-NaT", frame(lambda: [pd.NaT, 1]), gives([-100, 1])),
    Case(2, "labels-as-bytes", frame(lambda: [b"1", b"0"]), refused("row 0")),
    Case(2, "labels-as-dates", frame(lambda: [pd.Timestamp(1), 1]), refused("row 0")),
    Case(2, "labels-complex", frame(lambda: [1 + 0j, 0]), refused("row 0")),
    Case(2, "labels-of-torch", frame(lambda: __import__("torch").tensor([1, 0])), gives([1, 0])),
    Case(2, "labels-nested-lists", frame(lambda: [[[0], [1]], [[1], [0]]]), refused("row 0")),
    Case(2, "labels-ragged", frame(lambda: [[0.0, 1.0], [1.0]]), refused("row 1", "2 values")),
    Case(2, "labels-rows-of-none", frame(lambda: [[0.0, None], [1.0, 0.0]]), refused("row 0", "0 or 1")),
    Case(2, "labels-rows-empty", frame(lambda: [[], []]), refused("row 0|class")),
    Case(2, "labels-rows-soft", frame(lambda: [[0.2, 0.8], [1.0, 0.0]]), refused("row 0", "0 or 1")),
    Case(2, "labels-out-of-range", trainer([0, 1, 2, 1], SOFT), refused("0\\.\\.1", "2", "row 2")),
    Case(2, "labels-below-range", trainer([0, 1, -1, 1], SOFT), refused("-1", "row 2")),
    Case(2, "logits-ragged", trainer([0, 1, 0, 1], [[1.0, 2.0], [1.0], [0.0, 1.0], [1.0, 2.0]]), refused("teacher_logits", "row 1")),
    Case(2, "logits-null-row", trainer([0, 1, 0, 1], [[1.0, 2.0], None, [0.0, 1.0], [1.0, 2.0]]), refused("teacher_logits", "row 1")),
    Case(2, "logits-null-inside", trainer([0, 1, 0, 1], [[1.0, None], *SOFT[1:]]), refused("teacher_logits", "row 0")),
    Case(2, "logits-words", trainer([0, 1, 0, 1], [["a", "b"]] * 4), refused("teacher_logits", "row 0")),
    Case(2, "logits-nan", trainer([0, 1, 0, 1], [[math.nan, 1.0], *SOFT[1:]]), refused("teacher_logits", "row 0", "NaN")),
    Case(2, "logits-too-large-for-a-float", trainer([0, 1, 0, 1], [[1e300, 1.0], *SOFT[1:]]), refused("teacher_logits", "row 0")),
    Case(2, "logits-too-wide", trainer([0, 1, 0, 1], [[1.0, 2.0, 3.0]] * 4), refused("teacher_logits|3", "2")),
    Case(2, "logits-of-one-class", trainer([0, 1, 0, 1], [[1.0]] * 4), refused("1", "2")),
    Case(2, "logits-a-number-each", trainer([0, 1, 0, 1], [1.0, 2.0, 3.0, 4.0]), refused("teacher_logits")),
    Case(2, "logits-all-null", trainer([0, 1, 0, 1], [None] * 4), refused("teacher_logits")),
    Case(2, "logits-nested", trainer([0, 1, 0, 1], [[[1.0, 2.0]]] * 4), refused("teacher_logits", "row 0")),
    Case(2, "logits-are-probabilities", trainer([0, 1, 0, 1], [[0.9, 0.1]] * 4), refused("probabilities", "log")),
    Case(2, "logits-are-whole-numbers", trainer([0, 1, 0, 1], [[3, -2]] * 4), gives(lambda d: d.teacher_logits.dtype == np.float32)),
    Case(2, "texts-none", lambda p: texts_of(p, ["a", None]), refused("text", "row 1|None")),
    Case(2, "texts-numbers", lambda p: texts_of(p, [1, 2]), refused("text", "int|row 0")),
    Case(2, "no-text-column", lambda p: columns_of(p, review=["a"], label=[0]), refused("text", "review")),
    Case(2, "tokenised-already", lambda p: columns_of(p, input_ids=[[1, 2]], label=[0]), gives(lambda d: d.token_ids[0].tolist() == [1, 2])),
    Case(2, "tokenised-by-another", lambda p: columns_of(p, input_ids=[[1], [2, 10**6]], label=[0, 1]), refused("input_ids", "row 1", "another tokeniser")),
    Case(2, "tokenised-below-zero", lambda p: columns_of(p, input_ids=[[1], [-1]], label=[0, 1]), refused("input_ids", "row 1")),
    Case(2, "tokenised-to-nothing", lambda p: columns_of(p, input_ids=[[], [2]], label=[0, 1]), refused("input_ids", "row 0")),
    Case(2, "tokenised-and-none", lambda p: columns_of(p, input_ids=[[1], None], label=[0, 1]), refused("input_ids", "row 1")),
]  # fmt: skip


def class_label(place, numbers):
    from datasets import ClassLabel, Dataset, Features, Value
    from helping import rows_of

    from distill_helpers.data.tables import read_file

    path = place.folder / "own.parquet"
    table = {"text": [text(i) for i in range(len(numbers))], "label": numbers}
    plain = Features({"text": Value("string"), "label": Value("int64")})
    Dataset.from_dict(table, plain).to_parquet(path)
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    named = Features(
        {"text": Value("string"), "label": ClassLabel(names=["slow", "fast"])}
    )
    info = json.dumps({"info": {"features": named.to_dict()}}).encode()
    pq.write_table(table.replace_schema_metadata({b"huggingface": info}), path)
    return [row[1] for row in rows_of(read_file(place.guard(path)))]


def texts_of(place, texts):
    return columns_of(place, text=texts, label=[0] * len(texts))


def columns_of(place, **columns):
    from distill_helpers.data.encoding import encode_reviews

    return encode_reviews(dataset(**columns), place.shop.student[1])
