"""Files as people bring them: read whole, or refused with the line and a way out."""

import gzip
import io
import json
import os
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from distill_helpers.data import cells, file_bytes, parquet_rows
from distill_helpers.data.table_files import TABLE_SUFFIXES, is_table_file, read_table

WANTED = ("text", "label")


def table(tmp_path, content, name="own.csv", wanted=WANTED):
    path = tmp_path / name
    data = (
        content.encode("utf-8", "surrogatepass")
        if isinstance(content, str)
        else content
    )
    path.write_bytes(data)
    return read_table(path, wanted=wanted)


def rows_of(table):
    return list(zip(*table.columns.values()))


# --------------------------------------------------------------------- plain
PLAIN = [("I, for one, like it", "good"), ('5" of\nsnow; | so', "bad")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_separator_is_the_one_that_leaves_all_rows_whole(tmp_path, separator, end):
    kept = pd.DataFrame(PLAIN, columns=WANTED)
    content = kept.to_csv(sep=separator, index=False, lineterminator=end)
    read = table(tmp_path, content)
    assert rows_of(read) == PLAIN
    assert read.separator == separator
    assert bool(read.notes) == (separator != ",")
    assert read.where(1) == "line 3"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("sep=;\ntext;label\na, b;1\n", [("a, b", "1")]),
        ("\n\ntext,label\n\na,1\n   \nb,2", [("a", "1"), ("b", "2")]),
        ("text,label\na,1\n,\n", [("a", "1"), ("", "")]),
        ("text;label\na;1\n;;;;\n", [("a", "1"), ("", "")]),
        ("text,label\na,1,\nb,2,\n", [("a", "1"), ("b", "2")]),
        ("text,label,\na,1,\nb,2,\n", [("a", "1"), ("b", "2")]),
        ("text,label,\na,1\nb,2\n", [("a", "1"), ("b", "2")]),
        ('text, label\n"a, b", 1\n', [("a, b", "1")]),
        (",text,label\n0,a,1\n", [("0", "a", "1")]),
        ("id;text, long;label\n1;a, b;x\n", [("1", "a, b", "x")]),
        ("text\nno comma\n", [("no comma",)]),
        ("text,label\nNA,null\n", [("NA", "null")]),
        ("text,label\na\u2028b\x0bc,1\n", [("a\u2028b\x0bc", "1")]),
        (f"text,label\n{'long ' * 50_000},1\n", [("long " * 50_000, "1")]),
    ],
    ids=range(14),
)
def test_odd_csv_files_that_are_clear_all_the_same(tmp_path, content, rows):
    assert rows_of(table(tmp_path, content)) == rows


def test_the_csv_modules_own_limit_is_as_it_was(tmp_path):
    import csv

    before = csv.field_size_limit()
    table(tmp_path, "text,label\na,1\n")
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        # More cells than columns: text first, label first, one line among many.
        (
            "text,label\nfine, so,1\nok, no,2\n",
            "line 2 has 3 cells, and 1 more do not fit, where",
        ),
        ("label,text\n1,fine, so\n0,ok, no\n", "line 2 has 3 cells"),
        (
            "text,label\n" + "a,1\n" * 50 + "b, c,1\n",
            "line 52 has 3 cells where.*double",
        ),
        ("text,label\na,1\nb,1,\n", "line 3 has 3 cells"),
        ("text;label\na;1;x\n", "separated by semicolon: put a text that holds a semi"),
        ("text,label\na;1\n", "line 2 has 1 cell .* it is separated by semicolon: use"),
        # Fewer.
        ("text,label\na,1\nb\n", "line 3 has 1 cell where the first line names 2"),
        ("a,text,label\nx,1\n", "line 2 has 2 cells.*complete it"),
        # Quotes.
        ('text,label\n"a,1\nb,2\n', "row of line 2 and never closed"),
        (
            'text,label\nz,0\n"a" b,1\n',
            "line 3: a cell that begins with a double quote",
        ),
        (
            'text,label\n"a \\"b\\" c",1\n',
            "line 2: a cell that begins.*double the quotes",
        ),
        ('text,label\n"oops,1\nb,2\nsay "x",3\n', "line 2 to 4: a cell"),
        # Columns.
        ("text,label,label\na,1,2\n", "columns 2 and 3 are both called 'label'"),
        ("text,label\na\x00b,1\n", "line 2 holds a zero byte"),
    ],
)
def test_a_csv_row_that_does_not_fit_is_named(tmp_path, content, reason):
    with pytest.raises(ValueError, match=rf"^source='.*own.csv' cannot be .*{reason}"):
        table(tmp_path, content)


# ------------------------------------------------------------------ encodings
GERMAN = "text,label\nDas wäre schön – für „alle“,gut\nÜbel,schlecht\n"
POLISH = "text,label\nTo było złe i żółte,1\n"
RUSSIAN = "text,label\nЭто было плохо,1\n"
CHINESE = "text,label\n这个很好,1\n"


@pytest.mark.parametrize(
    ("text", "encoding", "note"),
    [
        (GERMAN, "utf-8", None),
        (GERMAN, "utf-8-sig", None),
        (GERMAN, "utf-16", "UTF-16"),
        (GERMAN, "utf-32", "UTF-32"),
        (GERMAN, "utf-16-le", "UTF-16"),
        (CHINESE, "utf-16-be", "UTF-16"),
        (GERMAN, "cp1252", "cp1252"),
        ("text,label\nIt\u2019s so\u2026 caf\xe9,1\n", "cp1252", "cp1252"),
        (CHINESE, "utf-8-sig", None),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_that_are_read(tmp_path, text, encoding, note, packed):
    data = text.encode(encoding)
    name = "own.csv.gz" if packed else "own.csv"
    read = table(tmp_path, gzip.compress(data) if packed else data, name)
    assert read.columns["text"][0] == text.splitlines()[1].split(",")[0]
    assert read.notes == ([f"read as {note}"] if note else [])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (POLISH.encode("cp1250"), "line 2 .*nor is it western.*save it as UTF-8"),
        (RUSSIAN.encode("cp1251"), "save it as UTF-8"),
        (CHINESE.encode("gb18030"), "save it as UTF-8"),
        ("text,label\nとても良い,1\n".encode("shift-jis"), "save it as UTF-8"),
        ("text,label\ncafé déjà,1\n".encode("mac-roman"), "save it as UTF-8"),
        (
            CHINESE.encode().replace("好".encode(), b"\xe5\xa5"),
            "0xe5.*while others are: it is damaged",
        ),
        (GERMAN.encode("utf-16")[:-1], "no UTF-16, as which the file begins"),
        (b"text,label\nab\x00cd,1\n", "line 2 holds a zero byte"),
    ],
)
def test_encodings_that_would_come_out_wrong_are_refused(tmp_path, data, reason):
    with pytest.raises(ValueError, match=reason):
        table(tmp_path, data)


# ----------------------------------------------------------------------- JSON
RECORDS = [{"text": "a\u2028b", "label": 1}, {"text": "c", "label": None}]
LINES = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("own.jsonl", LINES),
        ("own.ndjson", "\ufeff" + LINES.replace("\n", "\r\n\r\n")),
        ("own.json", json.dumps(RECORDS, indent=1)),
        ("own.json", LINES),
        ("own.jsonl", json.dumps(RECORDS)),
        ("own.json", json.dumps({"text": ["a\u2028b", "c"], "label": [1, None]})),
        ("own.json", pd.DataFrame(RECORDS, dtype=object).to_json()),
        ("own.jsonl", LINES.replace("null", "NaN")),
        ("own.jsonl", LINES.replace(', "label": null', "")),
    ],
)
def test_json_in_its_usual_shapes(tmp_path, name, content):
    assert rows_of(table(tmp_path, content, name)) == [("a\u2028b", 1), ("c", None)]


def test_whole_numbers_in_json_stay_whole_beyond_what_a_float_holds(tmp_path):
    content = '{"text": "a", "label": 9007199254740993}\n{"text": "b", "label": null}'
    read = table(tmp_path, content, "own.jsonl")
    assert read.columns["label"] == [9007199254740993, None]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("own.jsonl", LINES + '\n{"text": "d"', "line 3, column .*whole object"),
        ("own.jsonl", LINES + "\n[1, 2]", "line 3 must hold an object"),
        ("own.jsonl", '"text"\n', "line 1 must hold an object.*got str"),
        ("own.jsonl", '{"text": "a", "text": "b"}', "line 1: .*names 'text' twice"),
        ("own.jsonl", "text,label\na,1\n", "line 1, column 1"),
        ("own.json", "[" * 100_000, "nested too deep"),
        ("own.jsonl", '{"a":' * 100_000, "line 1: .*nested too deep"),
        ("own.json", "[1, 2]", "row 1 must hold an object"),
        ("own.json", '{"data": 3}', "must hold a list of objects"),
        ("own.json", '{"text": ["a"], "label": []}', "differ in length"),
        ("own.json", "3", "must hold a list of objects"),
        ("own.json", '[{"text": "a"},', "line 1: "),
    ],
    ids=range(12),
)
def test_json_that_is_none_is_refused_by_line(tmp_path, name, content, reason):
    with pytest.raises(ValueError, match=f"cannot be read as json.*{reason}"):
        table(tmp_path, content, name)


# -------------------------------------------------------------------- Parquet
def parquet(columns, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def test_parquet_gives_the_columns_that_are_wanted(tmp_path):
    whole = np.array([1, 2**53 + 1])
    data = parquet(
        {
            "text": pa.array(["a", None]).dictionary_encode(),
            "more": [{"deep": 1}, None],
            "label": pa.array(whole, mask=np.array([True, False])),
        }
    )
    read = table(tmp_path, data, "own.parquet")
    assert rows_of(read) == [("a", None), (None, 2**53 + 1)]
    every = table(tmp_path, gzip.compress(data), "own.parquet.gz", wanted=())
    assert list(every.columns) == ["text", "more", "label"]


def test_names_of_classes_that_datasets_wrote_are_kept(tmp_path):
    names = ["slow", "fast"]
    features = Features({"text": Value("string"), "label": ClassLabel(names=names)})
    data = Dataset.from_dict({"text": ["a", "b"], "label": [1, -1]}, features=features)
    data.to_parquet(tmp_path / "own.parquet")
    read = read_table(tmp_path / "own.parquet", wanted=WANTED)
    assert read.class_names == {"label": names}
    assert read.columns["label"] == [1, -1]


def test_a_parquet_file_that_claims_more_than_it_holds_is_not_unpacked(
    tmp_path, monkeypatch
):
    many = pa.repeat(pa.scalar("the same text " * 100), 200_000).dictionary_encode()
    data = parquet({"text": many, "label": pa.repeat(pa.scalar(1), len(many))})
    assert len(data) < 100_000  # and 280 MB of text
    monkeypatch.setattr(parquet_rows, "MOST_BYTES", 50 * 2**20)
    with pytest.raises(ValueError, match="cannot be read as parquet: it claims"):
        table(tmp_path, data, "own.parquet")
    monkeypatch.setattr(cells, "MOST_ROWS", 100_000)
    with pytest.raises(ValueError, match="200,000 rows or more, and 100,000 is the"):
        table(tmp_path, data, "own.parquet")


def test_flipped_bytes_in_parquet_are_never_a_bare_traceback(tmp_path):
    texts = [f"text number {i}" for i in range(300)]
    plain = parquet({"text": texts, "label": [1] * 300}, write_page_checksum=True)
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(plain), 150):
        torn = bytearray(plain)
        torn[place] ^= 1 << int(rng.integers(8))
        try:
            read = table(tmp_path, bytes(torn), "own.parquet")
        except ValueError as error:
            assert "cannot be read as parquet" in str(error)
            refused += 1
        else:  # a byte of the schema or the statistics, not of a page
            assert read.columns.get("text", texts) == texts
    assert refused > 75
    with pytest.raises(ValueError, match="damaged or cut off"):
        table(tmp_path, plain[: len(plain) // 2], "own.parquet")


# ---------------------------------------------------------------- other kinds
BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMB = BOMB.compress(b"a" * 3_000_000) + BOMB.flush()
PACKED = gzip.compress(b"text,label\na,1\n", mtime=0)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("own.csv", b"PK\x03\x04....", "spreadsheet .*save the sheet as CSV"),
        ("own.csv", b"\xd0\xcf\x11\xe0....", "spreadsheet .*as CSV"),
        ("own.csv", b"<!DOCTYPE html><p>", "it is a web page"),
        ("own.csv", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("own.csv", b"PAR1....", "it holds Parquet: give it the name"),
        ("own.parquet", b"text,label\n", "it does not hold Parquet"),
        ("own.csv.gz", b"text,label\na,1\n", "it is not packed with gzip"),
        ("own.csv.gz", PACKED[:-9], "its gzip ends too early"),
        ("own.csv.gz", PACKED[:-6] + b"\0\0\0\0\0\0", "its gzip is damaged"),
        ("own.csv.gz", BOMB, "is the most that is read"),
    ],
)
def test_files_of_another_kind_are_called_what_they_are(
    tmp_path, monkeypatch, name, data, reason
):
    monkeypatch.setattr(file_bytes, "MOST_BYTES", 2_000_000)
    with pytest.raises(ValueError, match=f"cannot be read as.*{reason}"):
        table(tmp_path, data, name)


def test_a_gzip_of_several_members_is_read_to_its_end(tmp_path):
    data = PACKED + gzip.compress(b"b,2\n") + b"\0" * 512
    assert rows_of(table(tmp_path, data, "own.csv")) == [("a", "1"), ("b", "2")]


def test_what_is_no_table_is_refused_before_it_is_opened(tmp_path):
    with pytest.raises(FileNotFoundError, match="teacher='none.csv': there is no such"):
        read_table("none.csv", argument="teacher")
    with pytest.raises(ValueError, match="is a folder: name a file in it"):
        read_table(tmp_path)
    (tmp_path / "own.xlsx").write_bytes(b"PK")
    with pytest.raises(ValueError, match="one of the kinds .csv.*got '.xlsx'"):
        read_table(tmp_path / "own.xlsx")
    for nothing in ("", "\ufeff", "\n \n\n"):
        with pytest.raises(ValueError, match="own.csv' is empty"):
            table(tmp_path, nothing)
    for nothing in ("[]", "\n", "{}"):
        with pytest.raises(ValueError, match="is empty|must hold a list"):
            table(tmp_path, nothing, "own.json" if "\n" not in nothing else "own.jsonl")
    assert all(is_table_file(f"a.b{suffix}") for suffix in TABLE_SUFFIXES)
    assert not is_table_file("csv") and not is_table_file("a.gz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match="is a pipe or a device"):
        read_table(tmp_path / "pipe.csv")


def test_more_rows_than_a_student_needs_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "MOST_ROWS", 3)
    for name, content in {
        "own.csv": "text,label\n" + "a,1\n" * 4,
        "own.jsonl": '{"text": "a", "label": 1}\n' * 4,
    }.items():
        with pytest.raises(ValueError, match="4 rows or more, and 3 is the most"):
            table(tmp_path, content, name)
