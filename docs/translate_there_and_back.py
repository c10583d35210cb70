"""Translate the sample's pool to Spanish and back, for ``data/translated``.

``python docs/translate_there_and_back.py NEW_FILE.parquet``

Needs the program Apertium and its pair English-Spanish (Debian: ``apertium`` and
``apertium-eng-spa``); both run without a network. A line is a review, by the hash of
the cleaned text that was translated. Then call
``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from distill_helpers.data.cleaning import clean_text, text_hash
from distill_helpers.data.sources import whole_sample
from distill_helpers.files import fresh_path, whole_file

AT_ONCE = 200
"""Reviews in one call of the program."""
THERE, BACK = "eng-spa", "spa-eng_US"


def translated(texts: list[str], direction: str) -> list[str]:
    """Translate texts of one line each; the program's marks are switched off."""
    done = subprocess.run(
        ["apertium", "-u", "-f", "line", direction],
        input="\n".join(texts) + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    lines = done.stdout.split("\n")[: len(texts)]
    if len(lines) != len(texts):
        raise RuntimeError(f"{len(texts)} lines went in, {len(lines)} came out")
    return lines


def write(path: Path, originals: list[str], versions: list[str]) -> None:
    table = pa.table(
        {
            "text_hash": pa.array(
                [bytes.fromhex(text_hash(text)) for text in originals], pa.binary(16)
            ),
            "text": pa.array(versions),
        }
    )
    with whole_file(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            compression_level=19,
            use_dictionary=False,
        )


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("file", help="a new Parquet file")
    reader.add_argument("--first", type=int, help="so many reviews of the pool; all")
    options = reader.parse_args()
    path = fresh_path(options.file)
    if shutil.which("apertium") is None:
        reader.error("the program apertium is not on this machine")
    sample = whole_sample()
    texts = sample[sample["split"] == "pool"]["text"].tolist()[: options.first]
    versions = []
    for start in tqdm(range(0, len(texts), AT_ONCE), "reviews"):
        some = texts[start : start + AT_ONCE]
        versions += map(clean_text, translated(translated(some, THERE), BACK))
    write(path, texts, versions)
    print(f"{len(texts):,} reviews, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
