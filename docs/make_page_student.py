"""Make the student that answers in the book's page.

``python docs/make_page_student.py NEW_FOLDER``

A bigram student learns the stored soft targets of the kit's teacher on our own
reviews, as in lesson 06, and goes into one file of eight-bit numbers. Its table of
word pairs may have several sizes; of those whose bundle is at most a hundredth of the
teacher, validation texts choose, over several seeds, and so they do between this
student and its control, the same one with labels alone. The test part is looked at
once, for the card. Its vocabulary comes from our own reviews alone.

Then move the folder to ``data/page_student`` and call
``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from datasets import concatenate_datasets

from distill_helpers import (
    compression,
    data,
    evaluation,
    export,
    students,
    teachers,
    training,
)
from distill_helpers.places import TEACHER_CARD

BUCKETS = tuple(2**power for power in (13, 15, 17, 18))
SEEDS = (0, 1, 2)
EPOCHS = 5.0
FRACTION = 100
BYTES_A_WEIGHT = 4
LABELS = "labels alone"


def bundled(model, words, reviews, folder, about):
    """Write a model's bundle, warmed so that its probabilities mean what they say."""
    whole = export.trace_onnx(model, folder / "whole.onnx")
    small = compression.quantise_dynamic(whole, folder / "small.onnx")
    known = reviews["validation"]
    answers = export.OnnxClassifier(small, words)(list(known["text"]))
    warmth = teachers.calibration_temperature(answers, np.array(known["label"]))
    return export.write_bundle(
        folder / "bundle",
        small,
        words,
        reviews.label_names,
        temperature=warmth,
        about=about,
    )


def trained(reads, held, words, reviews, steps):
    """Train every size on labels and on the teacher's answers, with each seed."""
    tried = {}
    for buckets in BUCKETS:
        for arm, its_reads in reads.items():
            name = f"{arm}, {buckets:,} places for pairs"
            tried[name] = [
                training.train_student(
                    "bigram",
                    words,
                    its_reads,
                    held,
                    steps=steps,
                    seed=seed,
                    label_names=reviews.label_names,
                    shape={"buckets": buckets},
                    progress=False,
                )
                for seed in SEEDS
            ]
            print("trained", name, flush=True)
    return tried


def scores(models, words, texts, truth):
    """Return a model's share of right answers on some texts, for every seed."""
    found = []
    for model in models:
        answers = evaluation.predictor(model, words)(texts)
        found.append(float((answers.argmax(1) == truth).mean()))
    return found


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("folder", type=Path, help="a new folder")
    folder = reader.parse_args().folder
    torch.set_num_threads(1)

    reviews = data.load_reviews("sample")
    guide = teachers.open_teacher("shipped", "no-cache")
    both = concatenate_datasets([reviews["train"], reviews["transfer"]])
    words = students.train_tokenizer(list(both["text"]), "bigram")
    reads = {
        LABELS: data.encode_reviews(reviews["train"], words),
        "soft targets": data.encode_reviews(both, words, guide),
    }
    held = data.encode_reviews(reviews["validation"], words)
    steps = training.step_budget("bigram", len(both), EPOCHS)
    tried = trained(reads, held, words, reviews, steps)

    teacher = json.loads(TEACHER_CARD.read_text("utf-8"))
    most = BYTES_A_WEIGHT * teacher["parameters"] / FRACTION
    with tempfile.TemporaryDirectory() as scratch:
        fitting = {}
        for name, models in tried.items():
            place = Path(scratch, str(len(fitting)))
            place.mkdir()
            bundle = bundled(models[0], words, reviews, place, {})
            size = export.bundle_bytes(bundle)
            print(f"{name}: {size:,} bytes", flush=True)
            if size <= most:
                fitting[name] = models
        choice = training.choose_student(fitting, held, words, seeds=list(SEEDS))
        print(choice.why)
        place = Path(scratch, "chosen")
        place.mkdir()
        bundle = bundled(choice.model, words, reviews, place, {})
        about = described(bundle, choice, tried, words, reviews, guide, teacher)
        folder.mkdir(parents=True)
        for path in sorted(bundle.iterdir()):
            path.rename(folder / path.name)
    card = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    (folder / "card.json").write_text(card, "utf-8")
    print(card)


def described(bundle, choice, tried, words, reviews, guide, teacher):
    """Return the card: how the student was made and how good its bundle is."""
    texts, truth = list(reviews["test"]["text"]), np.array(reviews["test"]["label"])
    answers = export.TextClassifier(bundle)(texts)
    control = choice.name.replace("soft targets", LABELS)
    asked = guide.logits(texts)
    size = export.bundle_bytes(bundle)
    return {
        "how": "a bigram student in eight-bit numbers, made from our own reviews",
        "made by": "docs/make_page_student.py",
        "licence": "CC0-1.0",
        "reviews": {
            "labelled": len(reviews["train"]),
            "unlabelled": len(reviews["transfer"]),
        },
        "choice": choice.to_json(),
        "bytes": size,
        "teacher": {
            "bytes": BYTES_A_WEIGHT * teacher["parameters"],
            "accuracy": float((asked.argmax(1) == truth).mean()),
        },
        "test": {
            "examples": len(truth),
            "accuracy": float((answers.argmax(1) == truth).mean()),
            "agreement": float((answers.argmax(1) == asked.argmax(1)).mean()),
            "every seed": scores(tried[choice.name], words, texts, truth),
            "control, every seed": scores(tried[control], words, texts, truth),
        },
    }


if __name__ == "__main__":
    main()
