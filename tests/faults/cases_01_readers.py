"""Readers that guess: cells, quotes, encodings and damaged files."""

import gzip
import io
import json
import lzma
import zipfile

import pyarrow as pa
from helping import jsonl, lines, load, parquet, read
from judging import Case, gives, refused

PLAIN = [("a b", "1", ""), ("c d", "2", "")]
HEAD = "text,label\n"
GERMAN = "text,label\nschöne Grüße,gut\nübler Ärger,schlecht\n"


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def same_size_and_time(place):
    """A file is changed in place, its size and time are not."""
    import os

    from distill_helpers.data.tables import read_file

    path = place.folder / "own.csv"
    path.write_text(HEAD + "a b,1\nc d,2\n")
    before = path.stat()
    read_file(path)
    path.write_text(HEAD + "x y,1\nz w,2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return [row[0] for row in rows(path)]


def rows(path):
    from helping import rows_of

    from distill_helpers.data.tables import read_file

    return rows_of(read_file(path))


def arrow_file(place):
    buffer = pa.BufferOutputStream()
    table = pa.table({"text": ["a", "b"], "label": [1, 2]})
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    return read(buffer.getvalue().to_pybytes())(place)


def dropped(name, content, *words, file="own.csv", **options):
    return Case(1, name, read(content, file, **options), refused(r"own\.", *words))


def kept(name, content, value=PLAIN, file="own.csv", **options):
    return Case(1, name, read(content, file, **options), gives(value))


CASES = [
    # ------------------------------------------------------------ cells and quotes
    dropped("thousands-comma", HEAD + "paid 1,000 euro,1\nb,2\n", "line 2", "3"),
    dropped("one-long-row-at-the-end", lines(60) + "x,y,z,w\n", "line 62"),
    dropped("one-short-row-in-the-middle", HEAD + "a,1\nb\nc,2\n", "line 3"),
    dropped("label-first-commas", "label,text\n1,hi, you\n2,so, so\n", "line 2"),
    dropped("trailing-commas-on-some", HEAD + "a,1,\nb,2\nc,1,\n", "line 2|line 3"),
    dropped("quote-in-the-middle-open", HEAD + '"a,1\nb,2\nc,3\nd,1\n', "line 2"),
    dropped("backslash-quotes", HEAD + '"say \\"hi\\" now",1\nb,2\n', "line 2"),
    dropped("header-twice", "text,label,text\na,1,b\nc,2,d\n", "text", "1 and 3"),
    dropped("no-header", "lovely film,1\nbad film,0\n", "'text'"),
    dropped("header-in-capitals", "Text,Label\na,1\nb,2\n", "'text'", "'Text'"),
    dropped("no-label-column", "text,stars\na,1\nb,2\n", "label", "stars"),
    dropped("a-comment-before-the-header", "# made today\ntext,label\na,1\n", "text"),
    dropped("only-a-header", HEAD, "no rows"),
    dropped("empty", b"", "empty"),
    dropped("only-spaces", b" \n\t\n ", "empty|'text'"),
    dropped("only-a-bom", b"\xef\xbb\xbf", "empty"),
    dropped("zero-bytes", b"\0" * 4096, "zero|binary|no text"),
    dropped("fixed-width", "text     label\na b      1\nc d      2\n", "text"),
    kept("windows-ends-of-lines", "text,label\r\na b,1\r\nc d,2\r\n"),
    kept("old-mac-ends-of-lines", "text,label\ra b,1\rc d,2\r"),
    kept("no-last-end-of-line", HEAD + "a b,1\nc d,2"),
    kept("blank-lines-between", "\n\n" + HEAD + "\na b,1\n\n\nc d,2\n\n"),
    kept("sep-line-of-a-spreadsheet", "sep=;\ntext;label\na b;1\nc d;2\n"),
    kept("bars", "text|label\na b|1\nc d|2\n"),
    kept("tabs-in-csv", "text\tlabel\na b\t1\nc d\t2\n"),
    kept("commas-in-tsv", "text,label\na b,1\nc d,2\n", file="own.tsv"),
    kept("spaces-after-commas", "text, label\na b, 1\nc d, 2\n"),
    kept("all-cells-quoted", '"text","label"\n"a b","1"\n"c d","2"\n'),
    kept("index-of-pandas", ",text,label\n0,a b,1\n1,c d,2\n"),
    kept("label-first", "label,text\n1,a b\n2,c d\n"),
    kept("quoted-comma", HEAD + '"a, b",1\nc d,2\n', [("a, b", "1", ""), PLAIN[1]]),
    kept("doubled-quotes", HEAD + '"a ""b""",1\nc d,2\n', [('a "b"', "1", ""), PLAIN[1]]),
    kept("inches", HEAD + 'a 5" b,1\nc d,2\n', [('a 5" b', "1", ""), PLAIN[1]]),
    kept("text-called-NA", HEAD + "NA,1\nnull,2\n", [("NA", "1", ""), ("null", "2", "")]),
    kept(
        "number-as-text", HEAD + "007,1\n1e5,2\n", [("007", "1", ""), ("1e5", "2", "")]
    ),
    Case(
        1,
        "a-very-long-cell",
        read(HEAD + f"{'word ' * 60_000},1\nc d,2\n"),
        gives(lambda found: len(found[0][0]) >= 299_999 and len(found) == 2),
    ),
    # ---------------------------------------------------------------- encodings
    kept("utf-8-bom", b"\xef\xbb\xbf" + (HEAD + "a b,1\nc d,2\n").encode()),
    Case(
        1,
        "cp1252-is-said",
        load(lambda: lines(40).replace("harbour", "häfen").encode("cp1252")),
        gives(
            lambda r: "cp1252" in str(r.report)
            and any("häfen" in t for t in r["train"]["text"])
        ),
    ),
    Case(
        1,
        "utf-16-of-a-spreadsheet",
        read(GERMAN.replace(",", "\t").encode("utf-16"), "own.txt.csv"),
        gives([("schöne Grüße", "gut", ""), ("übler Ärger", "schlecht", "")]),
    ),
    dropped("latin-2", "text,label\nzażółć gęślą,1\nb,2\n".encode("cp1250"), "UTF-8"),
    dropped("koi8", "text,label\nплохо,1\nхорошо,2\n".encode("koi8-r"), "UTF-8"),
    dropped("big5", "text,label\n很好,1\n不好,2\n".encode("big5"), "UTF-8"),
    dropped("euc-kr", "text,label\n좋아요,1\n싫어요,2\n".encode("euc-kr"), "UTF-8"),
    dropped("utf-8-cut-in-a-letter", "text,label\na,1\nschön".encode()[:-2], "line 3"),
    dropped("utf-16-odd-byte", GERMAN.encode("utf-16") + b"x", "UTF-16"),
    dropped("two-encodings", b"text,label\n\xc3\xa4,1\n\xe4 b,2\n", "line 3|0xe4"),
    # --------------------------------------------------------------------- JSON
    dropped("jsonl-cut", jsonl([{"text": "a", "label": 1}]) + '{"te', "line 2", file="own.jsonl"),
    dropped("jsonl-single-quotes", "{'text': 'a', 'label': 1}\n", "line 1", file="own.jsonl"),
    dropped("jsonl-trailing-comma", '{"text": "a", "label": 1,}\n', "line 1", file="own.jsonl"),
    dropped("jsonl-two-on-a-line", '{"text":"a","label":1}{"text":"b","label":2}\n', "line 1", file="own.jsonl"),
    dropped("jsonl-comma-between-lines", '{"text":"a","label":1},\n{"text":"b","label":2}\n', "line 1", file="own.jsonl"),
    dropped("jsonl-a-number", '{"text":"a","label":1}\n3\n', "line 2", file="own.jsonl"),
    dropped("jsonl-null-line", '{"text":"a","label":1}\nnull\n', "line 2", file="own.jsonl"),
    dropped("jsonl-key-twice", '{"text":"a","label":1,"label":2}\n', "line 1", "label", file="own.jsonl"),
    dropped("jsonl-misses-text", '{"text":"a","label":1}\n{"txt":"b","label":2}\n', "line 2", file="own.jsonl"),
    dropped("jsonl-control-letter", '{"text":"a\tb","label":1}\n', "line 1", file="own.jsonl"),
    dropped("jsonl-text-a-list", jsonl([{"text": ["a", "b"], "label": 1}] * 2), "line 1", "list", file="own.jsonl"),
    dropped("jsonl-text-an-object", jsonl([{"text": {"en": "a"}, "label": 1}] * 2), "line 1", file="own.jsonl"),
    dropped("jsonl-infinity", '{"text":"a","label":Infinity}\n{"text":"b","label":1}\n', "line 1", file="own.jsonl"),
    dropped("json-half", '[{"text": "a", "label": 1}, {"text": ', "json", file="own.json"),
    dropped("json-an-error-page", json.dumps({"error": "rate limit"}), "json|'text'", file="own.json"),
    dropped("json-rows-under-a-key", json.dumps({"rows": [{"text": "a", "label": 1}]}), "rows|list of objects", file="own.json"),
    dropped("json-strings", json.dumps(["a", "b"]), "object", file="own.json"),
    dropped("json-deep", "[" * 50_000 + "]" * 50_000, "deep", file="own.json"),
    dropped("a-number-of-many-digits", '{"text":"a","label":' + "9" * 6000 + "}\n", "line 1", file="own.jsonl"),
    kept("jsonl-bom-and-windows", b"\xef\xbb\xbf" + jsonl([{"text": "a b", "label": 1}, {"text": "c d", "label": 2}]).replace("\n", "\r\n").encode(), file="own.jsonl"),
    kept("jsonl-blank-lines", '\n{"text":"a b","label":1}\n\n{"text":"c d","label":2}\n\n', file="own.jsonl"),
    kept("json-of-pandas-records", json.dumps([{"text": "a b", "label": 1}, {"text": "c d", "label": 2}]), file="own.json"),
    kept("json-of-pandas-split-in-columns", json.dumps({"text": {"0": "a b", "1": "c d"}, "label": {"0": 1, "1": 2}}), file="own.json"),
    kept("jsonl-escaped-surrogate-pair", '{"text":"\\ud83d\\ude00 a","label":1}\n{"text":"c d","label":2}\n', [("\U0001f600 a", "1", ""), PLAIN[1]], file="own.jsonl"),
    # ------------------------------------------------------------ other contents
    dropped("spreadsheet-called-csv", zipped("xl/workbook.xml", "<x/>"), "spreadsheet|zip"),
    dropped("zip-called-csv", zipped("own.csv", HEAD + "a,1\n"), "zip|spreadsheet"),
    dropped("gzip-called-parquet", gzip.compress(HEAD.encode()), "Parquet", file="own.parquet"),
    dropped("xz-called-csv", lzma.compress((HEAD + "a,1\n").encode()), "xz|packed|no text|UTF-8|read"),
    dropped("bz2-called-csv", __import__("bz2").compress((HEAD + "a,1\n").encode()), "bz2|packed|UTF-8|read"),
    dropped("pickle-called-csv", __import__("pickle").dumps({"text": ["a"]}), "own.csv"),
    dropped("sqlite-called-csv", b"SQLite format 3\0" + b"\0" * 200, "own.csv"),
    dropped("html-called-csv", "<html><body>Sign in</body></html>", "web page"),
    dropped("lfs-pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 3\n", "LFS"),
    dropped("conflict-of-git", "<<<<<<< HEAD\ntext,label\na,1\n=======\ntext,label\nb,2\n>>>>>>> x\n", "text"),
    dropped("gzip-cut", gzip.compress(lines(200).encode())[:-20], "gzip", file="own.csv.gz"),
    dropped("gzip-twice", gzip.compress(gzip.compress(lines(9).encode())), "gzip|packed|UTF-8|zero", file="own.csv.gz"),
    kept("gzip-without-its-ending", gzip.compress((HEAD + "a b,1\nc d,2\n").encode())),
    Case(1, "arrow-file-called-csv", arrow_file, refused("own.csv")),
    # ------------------------------------------------------------------- Parquet
    dropped("parquet-cut", parquet({"text": ["a", "b"], "label": [1, 2]})[:-9], "parquet", file="own.parquet"),
    dropped("parquet-head-only", b"PAR1", "parquet", file="own.parquet"),
    dropped("parquet-no-rows", parquet({"text": pa.array([], pa.string()), "label": pa.array([], pa.int64())}), "no rows|empty", file="own.parquet"),
    dropped("parquet-other-columns", parquet({"review": ["a"], "stars": [1]}), "review", "stars", file="own.parquet"),
    dropped("parquet-text-a-struct", parquet({"text": [{"a": 1}, {"a": 2}], "label": [1, 2]}), "row 1", file="own.parquet"),
    dropped("parquet-text-bytes-that-are-none", parquet({"text": pa.array([b"\xff\xfe", b"\x80"]), "label": [1, 2]}), "row 1", file="own.parquet"),
    kept("parquet-large-strings", parquet({"text": pa.array(["a b", "c d"], pa.large_string()), "label": pa.array([1, 2], pa.int8())}), file="own.parquet"),
    kept("parquet-string-views", parquet({"text": pa.array(["a b", "c d"], pa.string_view()), "label": [1, 2]}), file="own.parquet"),
    kept("parquet-dictionary-labels", parquet({"text": ["a b", "c d"], "label": pa.array(["1", "2"]).dictionary_encode()}), file="own.parquet"),
    kept("parquet-index-of-pandas", parquet({"text": ["a b", "c d"], "label": [1, 2], "__index_level_0__": [5, 6]}), file="own.parquet"),
    kept("parquet-float-labels", parquet({"text": ["a b", "c d"], "label": [1.0, 2.0]}), file="own.parquet"),
    kept("parquet-decimal-labels", parquet({"text": ["a b", "c d"], "label": pa.array([1, 2]).cast(pa.decimal128(22, 2))}), file="own.parquet"),
    Case(1, "same-size-and-time-other-content", same_size_and_time, gives(["x y", "z w"])),
    # --------------------------------------------------- what is no file of a table
    Case(1, "a-folder", lambda p: load_of(p.folder), refused("folder")),
    Case(1, "no-such-file", lambda p: load_of(p.out("none.csv")), refused("none.csv")),
    Case(1, "a-broken-link", lambda p: load_of(link(p, "away.csv")), refused("link.csv")),
    Case(1, "a-link-to-itself", lambda p: load_of(link(p, "link.csv")), refused("link.csv")),
    Case(1, "no-ending", read(lines(), "own"), refused("own", r"\.csv")),
    Case(1, "ending-of-a-spreadsheet", read(b"PK", "own.xlsx"), refused("xlsx", "CSV|csv")),
    Case(1, "ending-in-capitals", lambda p: len(read(lines(), "OWN.CSV")(p)), gives(40)),
    Case(1, "a-path-with-odd-letters", lambda p: len(read(lines(), "ä b/#1 'x'.csv")(p)), gives(40)),
    Case(1, "report-counts-classes", load(lines(50)), gives(lambda r: "classes: bad 25, good 25" in str(r.report))),
    Case(1, "source-is-bytes", lambda p: load_of(b"own.csv"), refused("source")),
    Case(1, "source-is-nothing", lambda p: load_of(""), refused("source")),
    Case(1, "source-with-a-zero-byte", lambda p: load_of("a\0.csv"), refused("source")),
    Case(1, "source-of-10000-letters", lambda p: load_of("a" * 10_000 + ".csv"), refused("source")),
    Case(1, "source-an-address", lambda p: load_of("https://example.org/own.csv"), refused("source", "no such file|download")),
]  # fmt: skip


def load_of(source):
    from distill_helpers.data.reviews import load_reviews

    return load_reviews(source)


def link(place, to):
    path = place.folder / "link.csv"
    path.symlink_to(place.folder / to)
    return place.guard(path)
