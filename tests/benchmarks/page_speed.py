"""How long an answer takes in a page, and what a visitor loads for it.

The packed best small student, read by the kit's own JavaScript, beside a bigram
student in INT8, run by ONNX Runtime for the web, as in lesson 06. Both pages are asked
the same test reviews of the sample in headless Chromium, several times, and of each
review the quickest answer counts. Of the bigram student only the speed matters, so it
is trained for a few steps. How often the best one is right on the sample, of which it
read nothing, is noted too::

    python tests/benchmarks/page_speed.py

writes ``data/results/best_small_student_page.json``. It takes about a minute, and wants
Chromium and ``python start.py fetch-browser``. Let the machine do nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

from distill_helpers import compression, data, evaluation, export, students, training
from distill_helpers.places import BEST_STUDENT, RESULTS

NAME = "best_small_student_page.json"
REVIEWS, TURNS = 200, 7
BUCKETS, STEPS = 2**18, 60


def bigram_page(reviews, folder: Path) -> Path:
    """Make the page of a student as lesson 06 makes it."""
    words = students.train_tokenizer(list(reviews["transfer"]["text"]), "bigram")
    reads = data.encode_reviews(reviews["train"], words)
    model = training.train_student(
        "bigram",
        words,
        reads,
        reads,
        steps=STEPS,
        best=False,
        shape={"buckets": BUCKETS},
        progress=False,
    )
    whole = export.trace_onnx(model, folder / "whole.onnx")
    small = compression.quantise_dynamic(whole, folder / "small.onnx")
    bundle = export.write_bundle(folder / "bundle", small, words, reviews.label_names)
    return export.to_browser(bundle, folder / "bigram")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--student", type=Path, default=BEST_STUDENT)
    parser.add_argument("--results", type=Path, default=RESULTS / NAME)
    options = parser.parse_args()
    reviews = data.load_reviews("sample")
    texts, truth = list(reviews["test"]["text"]), np.array(reviews["test"]["label"])
    right = (
        students.PocketStudent.load(options.student).logits(texts).argmax(1) == truth
    )
    with tempfile.TemporaryDirectory() as scratch:
        packed = export.to_browser(options.student, Path(scratch, "packed"))
        pages = {
            "the best small student": packed,
            "a bigram student in ONNX": bigram_page(reviews, Path(scratch)),
        }
        rows = [
            {"page": name} | export.page_latency(page, texts[:REVIEWS], turns=TURNS)
            for name, page in pages.items()
        ]
    content = {
        "made by": "tests/benchmarks/page_speed.py",
        "student": hashlib.sha256(options.student.read_bytes()).hexdigest(),
        "sample": {"examples": len(texts), "accuracy": float(right.mean())},
        "turns": TURNS,
        "rows": rows,
        "machine": evaluation.machine(),
    }
    options.results.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
