"""What several files of cases need."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = [
    "harbour", "lemon", "engine", "quiet", "paper", "silver", "window", "garden",
    "planet", "copper", "violin", "bridge", "candle", "forest", "marble", "pepper",
]  # fmt: skip


def text(number: int) -> str:
    """A text that is like no other."""
    picked = [WORDS[(number * k + k * k) % 16] for k in (1, 3, 5, 7, 11)]
    return f"{' '.join(picked)} number{number} item{number * 7}"


def lines(count: int = 40, header: str = "text,label", labels=("good", "bad")):
    """A clean CSV of so many rows, whose classes take turns."""
    rows = [f"{text(i)},{labels[i % len(labels)]}" for i in range(count)]
    return "\n".join([header, *rows]) + "\n"


def jsonl(records) -> str:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)


def parquet(columns, **options) -> bytes:
    buffer = io.BytesIO()
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def read(content, name="own.csv", **options):
    """Read a file of the user's: a list of (text, name of the class, part)."""

    def act(place):
        from distill_helpers.data.tables import read_file

        data = content() if callable(content) else content
        return rows_of(read_file(place.write(name, data), **options))

    return act


def rows_of(rows):
    names = [*rows.label_names, None]
    return [
        (t, names[label], part)
        for t, label, part in rows.frame[["text", "label", "part"]].itertuples(
            index=False, name=None
        )
    ]


def load(content, name="own.csv", **options):
    """Load reviews from a file of the user's."""

    def act(place):
        from distill_helpers.data.reviews import load_reviews

        data = content() if callable(content) else content
        return load_reviews(place.write(name, data), **options)

    return act
