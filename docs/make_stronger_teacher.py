"""Fine-tune a larger encoder on IMDB in pieces, and say what each hour buys.

``DISTILL_IMDB=FOLDER python docs/make_stronger_teacher.py try ENCODER WORK``
``DISTILL_IMDB=FOLDER python docs/make_stronger_teacher.py whole ENCODER WORK``

ENCODER is a folder with safetensors, such as that of all-mpnet-base-v2; its first
layers stay as they are (``--frozen``). Everything long is kept in WORK, an encoder's
own: stop it when you like, and call it again to go on. The lower layers' states take
about 380 KB a review with a width of 768.

``try`` learns from a few reviews of the train split and is judged on others of it, for
several seeds, before the first step and after each pass; it writes WORK/tried-*.json.
``whole`` is the teacher: the train split is answered out of fold by two halves, all
the rest by a model that learned from both, with each review's hash in WORK/answers
.parquet. Neither reads a label of the test split.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from distill_helpers.data.cleaning import text_hash
from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.imdb import read_imdb
from distill_helpers.data.rows import clean
from distill_helpers.data.sources import whole_imdb
from distill_helpers.evaluation.hardware import machine
from distill_helpers.evaluation.scorecard import write_json
from distill_helpers.files import made_folder, whole_file
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.kept_layers import keep_lower, split_encoder
from distill_helpers.teachers.stored import write_soft_targets
from distill_helpers.teachers.upper_layers import (
    LayeredTeacher,
    kept_logits,
    train_upper,
)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("try", "whole"))
    parser.add_argument("encoder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--frozen", type=int, default=8, help="layers that stay")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--reviews", type=int, default=1500, help="of a trial, in all")
    parser.add_argument("--seeds", type=int, default=3, help="of a trial")
    options = parser.parse_args(arguments)
    if options.what == "try":
        tried(options)
    else:
        whole(options)


def shuffled(frame):
    return frame.iloc[np.random.default_rng(0).permutation(len(frame))]


def some_reviews(count: int):
    """Return labelled reviews of the train split, none of them like another."""
    frame = read_imdb().frame
    # A few more, as some go; to look for likes in all of IMDB takes minutes.
    drawn = shuffled(frame[frame["part"] == ""])[: count + count // 10]
    cleaned, _ = clean(drawn)
    groups = duplicate_groups(cleaned["text"].tolist(), progress=False)
    return cleaned[~pd.Series(groups).duplicated()][:count]


def all_reviews(work: Path):
    """Return all of IMDB, kept in a file, and the labelled part in a fixed order.

    None of the latter is like another or like a review of the test split.
    """
    file = work / "reviews.parquet"
    if not file.is_file():
        made_folder(work)
        with whole_file(file) as temporary:
            whole_imdb().to_parquet(temporary, index=False)
    imdb = pd.read_parquet(file)
    in_test = imdb["group"].isin(imdb["group"][imdb["split"] == "test"])
    usable = imdb[(imdb["split"] == "train") & ~in_test].drop_duplicates("group")
    return imdb, shuffled(usable)


def kept_of(options, texts):
    encoder = split_encoder(options.encoder, options.frozen)
    return encoder, keep_lower(options.work / "states", encoder, list(texts))


def settings_of(options) -> dict:
    return {"epochs": options.epochs, "learning_rate": options.learning_rate}


def tried(options) -> None:
    """Learn from a third of the reviews, another for each seed; judge on a third."""
    reviews = some_reviews(options.reviews)
    labels = reviews["label"].to_numpy()
    encoder, kept = kept_of(options, reviews["text"])
    places = np.arange(len(reviews))
    judged, taught = places[places % 3 == 0], places[places % 3 > 0]

    def accuracy(model) -> float:
        found = kept_logits(model, kept, judged).argmax(1)
        return float((found == labels[judged]).mean())

    runs = []
    for seed in range(options.seeds):
        few = np.random.default_rng(seed).permutation(taught)[: len(judged)]
        run = train_upper(
            options.work / f"tried-{len(reviews)}-{seed}",
            encoder,
            kept,
            few,
            labels[few],
            seed=seed,
            watch=accuracy,
            **settings_of(options),
        )
        runs.append(
            [
                {"passes": done, "seconds": round(seconds, 1), "accuracy": right}
                for done, (_, seconds, right) in enumerate(run.watched)
            ]
        )
        print(f"seed {seed}: {runs[-1]}", flush=True)
    content = {
        "encoder": options.encoder.name,
        "frozen layers": options.frozen,
        "layers": options.frozen + len(encoder.upper.layer),
        "settings": settings_of(options),
        "labelled": len(judged),
        "held out": len(judged),
        "seconds for the lower layers": round(kept.seconds, 1),
        "reviews read by them": len(kept),
        "runs": runs,
        "machine": machine(),
    }
    write_json(options.work / f"tried-{len(reviews)}.json", content)


def whole(options) -> None:
    """Answer the train split out of fold, and the rest by a model of all of it."""
    imdb, reviews = all_reviews(options.work)
    labels = reviews["label"].to_numpy()
    encoder, kept = kept_of(options, reviews["text"])
    half = np.arange(len(reviews)) % 2
    found = {}
    for name, learns in (
        ("half-0", half == 0),
        ("half-1", half == 1),
        ("all", half < 2),
    ):
        rows = np.flatnonzero(learns)
        model = train_upper(
            options.work / name,
            encoder,
            kept,
            rows,
            labels[rows],
            **settings_of(options),
        ).model
        others = np.flatnonzero(~learns)
        answers = kept_logits(model, kept, others)
        if len(others):
            right = (answers.argmax(1) == labels[others]).mean()
            print(f"{name}: {right:.4f} out of fold", flush=True)
        found |= {kept.keys[row]: answer for row, answer in zip(others, answers)}
    teacher = CachedTeacher(LayeredTeacher(encoder, model), options.work / "answers")
    keys = [text_hash(text) for text in imdb["text"]]
    rest = {k: text for k, text in zip(keys, imdb["text"]) if k not in found}
    found |= dict(zip(rest, teacher.logits(list(rest.values()))))
    write_soft_targets(
        options.work / "answers.parquet",
        keys,
        np.stack([found[key] for key in keys]),
        f"imdb-{teacher.fingerprint}",
    )


if __name__ == "__main__":
    main()
