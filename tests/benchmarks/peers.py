"""What the kit costs beside other libraries of distillation, in one run.

The same student, reviews, batches and number of steps go through this kit, through
TextBrewer (with and without its cache), torchdistill, and the loop of the popular
tutorials, which asks the teacher in every step. Each learns from soft targets alone
at one temperature, with the same optimiser; what each student has learnt is measured
too, so that nobody is fast by doing less.

The peers want packages that the kit does not. In an environment of their own::

    pip install -r tests/benchmarks/peers-requirements.txt
    python tests/benchmarks/peers.py --live 32 --stored 160

Without IMDB (``DISTILL_IMDB``) the reviews of the sample stand in. ``--page`` writes
``docs/peers.md`` from results that are there, and needs none of the packages.
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
MODES = {"live": "a teacher that is asked", "stored": "answers that are stored"}


# --------------------------------------------------------------- measuring
def cpu_seconds() -> float:
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


def measure(name: str, mode: str, count: int, passes: list[int]) -> list[dict]:
    """Let one library train, after a first run of one batch that warms it up."""
    with tempfile.TemporaryDirectory() as folder:
        job, source = job_of(count, mode, folder)
        few = None if job.logits is None else job.logits[:BATCH]
        CONTENDERS[name](replace(job, texts=job.texts[:BATCH], logits=few))
        rows = []
        for number in passes:
            asked = replace(job, passes=number)
            start = cpu_seconds()
            student = CONTENDERS[name](asked)
            used = cpu_seconds() - start
            rows.append(
                {
                    "library": name,
                    "mode": mode,
                    "source": source,
                    "reviews": count,
                    "passes": number,
                    "cpu_seconds": round(used, 2),
                    "divergence": round(divergence(student, asked), 4),
                }
            )
    return rows


def divergence(student, job: Job) -> float:
    """Return the mean KL divergence from the teacher's softened answers."""
    import torch
    from torch.nn import functional as F

    student.eval()
    own, answers = reader_of(job, student, "student_"), teacher_reader(job)
    total = 0.0
    with torch.no_grad():
        for batch in loader_of(job):
            soft = F.log_softmax(answers(**batch) / TEMPERATURE, dim=-1)
            ours = F.log_softmax(own(**batch) / TEMPERATURE, dim=-1)
            total += F.kl_div(ours, soft, reduction="sum", log_target=True).item()
    return total / len(job.texts)


def run_all(plan: list[tuple], results: Path) -> dict:
    """Measure each library in a process of its own; keep what is there already."""
    found = json.loads(results.read_text("utf-8")) if results.is_file() else {"rows": []}
    done = {(row["library"], row["mode"]) for row in found["rows"]}
    for name, mode, *numbers in plan:
        if (name, mode) in done:
            continue
        command = [sys.executable, __file__, "--one", name, mode, *map(str, numbers)]
        ended = subprocess.run(command, capture_output=True, encoding="utf-8")
        if ended.returncode:
            raise SystemExit(f"{name} ended with an error:\n{ended.stderr[-3000:]}")
        found["rows"] += json.loads(ended.stdout.splitlines()[-1])
        print(name, mode, found["rows"][-1], flush=True)
        found |= {"machine": machine(), "versions": versions()}
        results.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return found


def one_quiet_thread() -> None:
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.INFO)


def machine() -> dict:
    from distill_helpers.evaluation.hardware import machine

    return machine() | {"threads": 1}


def versions() -> dict:
    command = [
        sys.executable,
        "-c",
        "import torchvision; print(torchvision.__version__)",
    ]
    tried = subprocess.run(command, capture_output=True, encoding="utf-8")
    words = (tried.stdout or tried.stderr).strip().splitlines()
    return {name: metadata.version(name) for name in PACKAGES} | {
        "torchvision": words[-1] if words else "none"
    }


# ------------------------------------------------------------------ the page
def page(found: dict) -> str:
    """Write the results as Markdown."""
    tables = [part for mode in MODES if (part := table(found["rows"], mode))]
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
            "divergence of the softened answers, at the longest run): libraries that do",
            "the same work come equally near.",
            "",
            *("\n".join(tables).splitlines()),
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


def table(rows: list[dict], mode: str) -> str:
    mine = [row for row in rows if row["mode"] == mode]
    if not mine:
        return ""
    passes = sorted({row["passes"] for row in mine})
    first = mine[0]
    head = ["library", *(f"{n} pass{'es' * (n > 1)}" for n in passes), "divergence"]
    lines = [
        "",
        f"## With {MODES[mode]}",
        "",
        f"{first['reviews']:,} reviews ({first['source']}).",
        "",
        "| " + " | ".join(head) + " |",
        "| --- |" + " ---: |" * (len(passes) + 1),
    ]
    for name in CONTENDERS:
        own = {row["passes"]: row for row in mine if row["library"] == name}
        if own:
            cells = [f"{each(own[n]):.2f}" if n in own else "" for n in passes]
            near = own[max(own)]["divergence"]
            lines.append(f"| {name} | " + " | ".join(cells) + f" | {near:.3f} |")
    return "\n".join(lines)


def each(row: dict) -> float:
    """Return the CPU seconds for 1,000 reviews and one pass."""
    return row["cpu_seconds"] * 1_000 / row["reviews"] / row["passes"]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--passes", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--live", type=int, default=96, help="reviews")
    parser.add_argument("--stored", type=int, default=640, help="reviews")
    parser.add_argument("--page", action="store_true", help="write the page alone")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        one_quiet_thread()
        name, mode, count, *passes = asked.one
        print(json.dumps(measure(name, mode, int(count), [*map(int, passes)])))
        return
    if asked.page:
        found = json.loads(asked.results.read_text("utf-8"))
    else:
        counts = {"live": asked.live, "stored": asked.stored}
        plan = [
            (name, mode, count, *asked.passes)
            for mode, count in counts.items()
            for name in CONTENDERS
            if not (mode == "stored" and name.endswith("cache on"))
        ]
        found = run_all(plan, asked.results)
    PAGE.write_text(page(found))
    print("written", PAGE.name)


if __name__ == "__main__":
    main()
