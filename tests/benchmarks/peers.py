"""What the kit costs beside other libraries of distillation, in one run.

The same student, reviews, batches and number of steps go through this kit, through
TextBrewer (with and without its cache), torchdistill, and the loop of the popular
tutorials, which asks the teacher in every step. Each learns from soft targets alone
at one temperature, with the same optimiser; what each student has learnt is measured
too, so that nobody is fast by doing less.

The peers want packages that the kit does not. In an environment of their own::

    pip install -r tests/benchmarks/peers-requirements.txt
    python tests/benchmarks/peers.py

measures what is shipped (``PLAN``): about 25 minutes of one thread. ``--live 32:1,3``
asks a teacher about 32 reviews for one pass and for three, ``--live`` alone leaves it
out. Stopped, the same call goes on; a new run wants new ``--results``, or none there.
Without IMDB (``DISTILL_IMDB``) the reviews of the sample stand in. ``--page`` writes
``docs/peers.md`` from results that are there, and needs none of the packages; the
page of other results lies beside them.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from peers_libraries import (
    BATCH,
    CONTENDERS,
    LONGEST,
    TEMPERATURE,
    Job,
    loader_of,
    reader_of,
    teacher_reader,
)

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "data" / "results" / "peers.json"
PAGE = ROOT / "docs" / "peers.md"
PACKAGES = ("torch", "transformers", "textbrewer", "torchdistill")
LIVE, STORED = "live", "stored"
MODES = {LIVE: "a teacher that is asked", STORED: "answers that are stored"}
PLAN = {
    LIVE: {32: (1, 3, 10, 30), 320: (1, 3)},
    STORED: {160: (1, 3, 10, 30), 1_600: (1, 3, 10)},
}
"""By the mode: reviews, and after how many passes over them it is measured."""
REPEATS, CHEAP = 3, 2_000
"""With stored answers, runs of at most so many readings are made so often."""
NEAR = 64
"""Reviews on which a student is held against its teacher."""
MISSING, UNUSABLE = "missing", "built for another torch"
Row = dict
Piece = tuple[str, str, int]
"""Library, mode and repeat: what one process measures."""


# --------------------------------------------------------------- measuring
def cpu_seconds() -> float:
    """Return what this process has used, to the microsecond."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def reviews_of(count: int) -> tuple[list, str]:
    """Take the first reviews of IMDB's train split, or of the sample."""
    if os.environ.get("DISTILL_IMDB"):
        from datasets import load_dataset

        data = load_dataset(os.environ["DISTILL_IMDB"], split=f"train[:{count}]")
        return list(data["text"]), "IMDB"
    from distill_helpers.data.sources import whole_sample

    return list(whole_sample()["text"])[:count], "sample"


def job_of(count: int, mode: str, folder: str) -> tuple[Job, str]:
    """Make the readers; the teacher has MiniLM's shape and untrained weights."""
    import numpy as np
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from distill_helpers.students.tokenizers import train_tokenizer

    texts, source = reviews_of(count)
    torch.manual_seed(0)
    shape = BertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=2,
    )
    if mode == "stored":  # nobody asks it
        shape.num_hidden_layers = 1
    tokenizer = train_tokenizer(texts, "text-cnn", vocab_size=12_000)
    logits = None
    if mode == "stored":
        logits = np.random.default_rng(0).normal(0, 2, (count, 2)).astype(np.float32)
    teacher = BertForSequenceClassification(shape)
    return Job(texts, tokenizer, teacher, logits, 1, folder), source


def measure(
    name: str, mode: str, count: int, passes: list[int], repeat: int = 0
) -> Iterator[Row]:
    """Let one library train, after a first run of one batch that warms it up."""
    with tempfile.TemporaryDirectory() as folder:
        job, source = job_of(count, mode, folder)
        few = None if job.logits is None else job.logits[:BATCH]
        CONTENDERS[name](replace(job, texts=job.texts[:BATCH], logits=few))
        for number in passes:
            asked = replace(job, passes=number)
            start = cpu_seconds()
            student = CONTENDERS[name](asked)
            used = cpu_seconds() - start
            yield {
                "library": name,
                "mode": mode,
                "source": source,
                "reviews": count,
                "passes": number,
                "repeat": repeat,
                "cpu_seconds": round(used, 4),
                "divergence": round(divergence(student, asked), 4),
            }


def divergence(student, job: Job) -> float:
    """Return the mean KL divergence from the teacher's softened answers."""
    import torch
    from torch.nn import functional as F

    some = None if job.logits is None else job.logits[:NEAR]
    job = replace(job, texts=job.texts[:NEAR], logits=some)
    student.eval()
    own, answers = reader_of(job, student, "student_"), teacher_reader(job)
    total = 0.0
    with torch.no_grad():
        for batch in loader_of(job):
            soft = F.log_softmax(answers(**batch) / TEMPERATURE, dim=-1)
            ours = F.log_softmax(own(**batch) / TEMPERATURE, dim=-1)
            total += F.kl_div(ours, soft, reduction="sum", log_target=True).item()
    return total / len(job.texts)


# ---------------------------------------------------------- what is measured
def all_runs(plan: dict) -> dict[Piece, list[tuple[int, int]]]:
    """Return reviews and passes of every run, by the process that makes it.

    All libraries have their turn before one is repeated, so that a repeat differs
    from the first run by what the machine did in between.
    """
    found: dict[Piece, list[tuple[int, int]]] = {}
    for mode, repeat in [(m, r) for r in range(REPEATS) for m in MODES]:
        runs = [
            (count, number)
            for count, passes in plan.get(mode, {}).items()
            for number in passes
            if repeat == 0 or (mode == STORED and count * number <= CHEAP)
        ]
        for name in libraries(mode) if runs else ():
            found[name, mode, repeat] = runs
    return found


def libraries(mode: str) -> list[str]:
    """Return who takes part: a cache has nothing to do where answers are stored."""
    return [n for n in CONTENDERS if mode == LIVE or not n.endswith("cache on")]


def still_missing(plan: dict, rows: list[Row]) -> dict[Piece, list[tuple[int, int]]]:
    """Return the part of :func:`all_runs` of which there is no row."""
    keys = ("library", "mode", "repeat", "reviews", "passes")
    done = {tuple(row[key] for key in keys) for row in rows}
    left = {
        piece: [run for run in runs if (*piece, *run) not in done]
        for piece, runs in all_runs(plan).items()
    }
    return {piece: runs for piece, runs in left.items() if runs}


def run_all(plan: dict, results: Path, pieces: int | None = None) -> dict:
    """Measure what is missing, each library in a process of its own; keep each row."""
    from distill_helpers.files import whole_file

    here = {"machine": machine(), "versions": versions()}
    found = {"rows": [], **here}
    if results.is_file():
        found = json.loads(results.read_text("utf-8"))
        if any(found[key] != here[key] for key in here):
            raise SystemExit(
                f"--results {results.name} was begun with other versions or on another"
                " machine; name another file"
            )
    left = still_missing(plan, found["rows"])
    for piece in [*left][:pieces]:
        for row in rows_of(piece, left[piece]):
            print(*row.values(), flush=True)
            found["rows"].append(row)
            with whole_file(results) as file:
                file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return found


def rows_of(piece: Piece, runs: list[tuple[int, int]]) -> Iterator[Row]:
    """Start a process for one piece and yield its rows as they come."""
    words = [sys.executable, __file__, "--one", json.dumps([piece, runs])]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
        ) as process:
            for line in process.stdout:
                if line.startswith(ROW):
                    yield json.loads(line[len(ROW) :])
        if process.returncode:
            errors.seek(0)
            said = errors.read()[-3000:]
            raise SystemExit(f"{piece[0]} ended with an error:\n{said}")


ROW = "measured: "
"""Begins a line that is a row; libraries print too."""


def measure_piece(piece: Piece, runs: list[tuple[int, int]]) -> None:
    """Print the rows of one piece."""
    name, mode, repeat = piece
    by_count: dict[int, list[int]] = {}
    for count, number in runs:
        by_count.setdefault(count, []).append(number)
    for count, passes in by_count.items():
        for row in measure(name, mode, count, passes, repeat):
            print(f"{ROW}{json.dumps(row)}", flush=True)


def one_quiet_thread() -> None:
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.INFO)


def machine() -> dict:
    from distill_helpers.evaluation.hardware import machine

    return machine() | {"threads": 1}


def versions() -> dict:
    found = {name: metadata.version(name) for name in PACKAGES}
    return found | {"torchvision": torchvision()}


def torchvision() -> str:
    """Return its version, or in words why it has none here."""
    code = "import torchvision; print(torchvision.__version__)"
    tried = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8"
    )
    if tried.returncode == 0:
        return tried.stdout.strip()
    return MISSING if "ModuleNotFoundError" in tried.stderr else UNUSABLE


# ------------------------------------------------------------------ the page
def page(found: dict) -> str:
    """Write the results as Markdown."""
    machine = found["machine"]
    parts = ", ".join(f"{name} {v}" for name, v in found["versions"].items())
    return "\n".join(
        [
            "# What distilling costs, beside other libraries",
            "",
            "CPU seconds of one thread for 1,000 reviews and one pass over them, from",
            "texts to a trained student, in one run of `tests/benchmarks/peers.py`.",
            "The same text CNN reads the same reviews in batches of"
            f" {BATCH}, for the same",
            "number of steps, with the same optimiser and the soft targets alone.",
            "The last column says how far the student then is from its teacher (KL",
            "divergence of the softened answers, at the longest run, on up to"
            f" {NEAR} of the",
            "reviews it learnt from): libraries that do the same work come equally near.",
            *(line for mode in MODES for line in tables(found["rows"], mode)),
            "",
            "## What was done",
            "",
            "The teacher that is asked has the shape of MiniLM (six layers, 384 wide)",
            "and weights that nobody trained: what it costs to ask is the same. It reads",
            f"at most {LONGEST} tokens. The kit and TextBrewer's cache ask it once for"
            " each review,",
            "the others once in each pass, so the more passes, the more they differ.",
            "TextBrewer keeps whole batches with their answers and shuffles only the",
            "order of the batches; the kit keeps the answers by text and draws new",
            "batches in each pass. Where answers are stored, a lookup takes the",
            "teacher's place in each library.",
            "",
            f"With stored answers each run of at most {CHEAP:,} readings was made"
            f" {REPEATS} times, in",
            "processes of their own and all libraries by turns; there the table has the",
            "mean and its 95% interval by Student's t. A number without one was measured",
            "once: how far such a number may be off, the intervals beside it say. Other",
            "work on the machine costs CPU seconds too, as it shares the caches: compare",
            "within a column, and take a small difference there for what it is.",
            "",
            "torchdistill imports the image models of torchvision on the way; where that is",
            "missing, or was built for another torch, empty classes stand in during the",
            "import.",
            "",
            f"Versions: {parts}.",
            f"Machine: {machine['system']}, {machine['processor']},"
            f" {machine['cpu_capability']}, one thread, Python {machine['python']}.",
            "",
        ]
    )


def tables(rows: list[Row], mode: str) -> list[str]:
    """Return a table for each number of reviews, all with the same columns."""
    mine = [row for row in rows if row["mode"] == mode]
    passes = sorted({row["passes"] for row in mine})
    lines = ["", f"## With {MODES[mode]}"] if mine else []
    for count in sorted({row["reviews"] for row in mine}):
        same = [row for row in mine if row["reviews"] == count]
        lines += ["", f"{count:,} reviews ({same[0]['source']}).", ""]
        lines += table(same, mode, passes)
        lines += [f"\n{said}" for said in told_apart(same, passes)]
    return lines


def table(rows: list[Row], mode: str, passes: list[int]) -> list[str]:
    head = ["library", *(f"{n} pass{'es' * (n > 1)}" for n in passes), "divergence"]
    lines = [
        "| " + " | ".join(head) + " |",
        "| --- |" + " ---: |" * (len(passes) + 1),
    ]
    for name in libraries(mode):
        own = [row for row in rows if row["library"] == name]
        cells = [in_a_cell(costs(own, number)) for number in passes]
        lines.append(f"| {name} | " + " | ".join([*cells, nearness(own)]) + " |")
    return lines


def costs(rows: list[Row], passes: int) -> list[float]:
    """Return what the runs of so many passes took, in the order of the repeats."""
    same = [row for row in rows if row["passes"] == passes]
    return [each(row) for row in sorted(same, key=lambda row: row["repeat"])]


def nearness(rows: list[Row]) -> str:
    if not rows:
        return "not run"
    longest = max(row["passes"] for row in rows)
    first = next(r for r in rows if r["passes"] == longest and r["repeat"] == 0)
    return f"{first['divergence']:.3f}"


def in_a_cell(values: list[float]) -> str:
    """Write a mean, with half its interval where there are repeats."""
    if not values:
        return "not run"
    mean = sum(values) / len(values)
    return f"{mean:.2f}" + (f" ± {around(values):.2f}" if len(values) > 1 else "")


def around(values: list[float]) -> float:
    """Return half the width of the mean's 95% interval."""
    from distill_helpers.evaluation.statistics import interval

    low, high = interval(values)
    return (high - low) / 2


def told_apart(rows: list[Row], passes: list[int]) -> list[str]:
    """Say which differences from the kit the repeats can tell from noise."""
    ours, *others = libraries(STORED)
    found = []
    for number in passes:
        own = costs([row for row in rows if row["library"] == ours], number)
        if len(own) < 2:
            continue
        said = []
        for name in others:
            theirs = costs([row for row in rows if row["library"] == name], number)
            gains = [b - a for a, b in zip(own, theirs, strict=True)]
            mean, half = sum(gains) / len(gains), around(gains)
            noise = "" if abs(mean) > half else ", not told from noise"
            said.append(f"{name} {mean:+.2f} ± {half:.2f}{noise}")
        found.append(f"* {number} pass{'es' * (number > 1)}: {'; '.join(said)}.")
    if not found:
        return []
    return ["Less what the kit takes, repeat by repeat:", "\n".join(found)]


def each(row: Row) -> float:
    """Return the CPU seconds for 1,000 reviews and one pass."""
    return row["cpu_seconds"] * 1_000 / row["reviews"] / row["passes"]


# --------------------------------------------------------------- the program
def size(words: str) -> tuple[int, tuple[int, ...]]:
    """Read ``32:1,3,10``: reviews, and after how many passes they are measured."""
    count, _, passes = words.partition(":")
    try:
        found = int(count), tuple(int(number) for number in passes.split(","))
    except ValueError:
        found = 0, (0,)
    if min(found[0], *found[1]) < 1:
        raise argparse.ArgumentTypeError(
            f"must be reviews and passes, such as 32:1,3,10, got {words!r}"
        )
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    for mode, sizes in PLAN.items():
        parser.add_argument(
            f"--{mode}", type=size, nargs="*", default=[*sizes.items()], metavar="SIZE"
        )
    parser.add_argument("--pieces", type=int, help="so many processes, then stop")
    parser.add_argument("--page", action="store_true", help="write the page alone")
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        one_quiet_thread()
        measure_piece(*asked.one)
        return
    plan = {mode: dict(getattr(asked, mode)) for mode in MODES}
    if asked.page:
        found = json.loads(asked.results.read_text("utf-8"))
    else:
        found = run_all(plan, asked.results, asked.pieces)
        if left := still_missing(plan, found["rows"]):
            print(len(left), "pieces are left; the same call goes on")
            return
    place = PAGE if asked.results == RESULTS else asked.results.with_suffix(".md")
    place.write_text(page(found), "utf-8")
    print("written", place.name)


if __name__ == "__main__":
    main()
