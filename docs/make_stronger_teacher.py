"""Fine-tune a larger encoder on IMDB in pieces, and say what each hour buys.

``DISTILL_IMDB=FOLDER python docs/make_stronger_teacher.py try ENCODER WORK``
``DISTILL_IMDB=FOLDER python docs/make_stronger_teacher.py unsure ENCODER WORK``
``DISTILL_IMDB=FOLDER python docs/make_stronger_teacher.py whole ENCODER WORK``
``python docs/make_stronger_teacher.py gather NEW_FILE TRIED_FILE [TRIED_FILE ...]``

ENCODER is a folder with safetensors, such as that of all-mpnet-base-v2; its first
layers stay as they are (``--frozen``). Everything long is kept in WORK, an encoder's
own: stop it when you like, and call it again to go on. The lower layers' states take
about 400 KB a review with a width of 768.

``try`` learns from a few reviews of the train split and is judged on others of it, for
several seeds, before the first step and after each pass; it writes WORK/tried-*.json.
``gather`` puts such files side by side; the last is the control of the others. The
kit's stands in ``data/results/stronger_teacher.json``: after a new one call ``python
-m distill_helpers doctor --write-checksums``.

``unsure`` learns from some reviews of the train split and asks the larger encoder only
where the shipped teacher is least sure; there both margins are made one, by a logistic
regression on those asked of the rest of the train split. ``whole`` asks it everything:
the train split out of fold by two halves, all the rest by a model that learned from
both. Either writes what was answered into a table in WORK, by each review's hash, and
beside it how good the answers are and what they cost. None reads a label of the test
split.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from distill_helpers import places
from distill_helpers.arguments import check_number
from distill_helpers.data.cleaning import text_hash
from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.imdb import read_imdb
from distill_helpers.data.rows import clean
from distill_helpers.data.sources import whole_imdb
from distill_helpers.evaluation.hardware import machine
from distill_helpers.evaluation.scorecard import write_json
from distill_helpers.evaluation.statistics import interval, share_interval, summary
from distill_helpers.files import made_folder, whole_file
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.folds import deal_folds
from distill_helpers.teachers.kept_layers import keep_lower, split_encoder
from distill_helpers.teachers.opening import SHIPPED_CLASSES
from distill_helpers.teachers.stored import SoftTargets, write_soft_targets
from distill_helpers.teachers.upper_layers import (
    LayeredTeacher,
    kept_logits,
    train_upper,
)

ASKED_AT_ONCE = 1_000
"""Reviews of which one may be surer than another and still be asked before it."""


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    for name, call in (("try", tried), ("unsure", unsure), ("whole", whole)):
        command = commands.add_parser(name)
        command.add_argument("encoder", type=Path)
        command.add_argument("work", type=Path)
        command.add_argument("--frozen", type=int, default=8, help="layers that stay")
        command.add_argument("--epochs", type=int, default=2)
        command.add_argument("--learning-rate", type=float, default=5e-5)
        command.set_defaults(call=call)
        if name == "try":
            command.add_argument("--reviews", type=int, default=3000, help="in all")
            command.add_argument("--seeds", type=int, default=3)
        if name == "unsure":
            stored = places.SOFT_TARGETS / "imdb.parquet"
            command.add_argument("--first", type=Path, default=stored, help="table")
            command.add_argument(
                "--labelled", type=int, default=5000, help="in pieces of 250"
            )
            command.add_argument("--share", type=float, default=0.2, help="asked")
    command = commands.add_parser("gather")
    command.add_argument("out", type=Path)
    command.add_argument("files", type=Path, nargs="+")
    command.set_defaults(call=gather)
    options = parser.parse_args(arguments)
    options.call(options)


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
    """Return all of IMDB, kept in a file, as its groups take minutes to find."""
    file = work / "reviews.parquet"
    if not file.is_file():
        made_folder(work)
        with whole_file(file) as temporary:
            whole_imdb().to_parquet(temporary, index=False)
    return pd.read_parquet(file)


def settings_of(options) -> dict:
    return {"epochs": options.epochs, "learning_rate": options.learning_rate}


def tried(options) -> None:
    """Learn from a third of the reviews, another for each seed; judge on a third."""
    reviews = some_reviews(options.reviews)
    labels = reviews["label"].to_numpy()
    encoder = split_encoder(options.encoder, options.frozen)
    states = options.work / "states-tried"
    kept = keep_lower(states, encoder, reviews["text"].tolist())
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
    content = described(options, encoder) | {
        "labelled": len(judged),
        "held out": len(judged),
        "seconds for the lower layers": round(kept.seconds, 1),
        "reviews read by them": len(kept),
        "runs": runs,
    }
    write_json(options.work / f"tried-{len(reviews)}.json", content)


def gather(options) -> None:
    """Put trials on the same reviews side by side; the last is the control."""
    trials = [json.loads(file.read_text("utf-8")) for file in options.files]
    asked = [(t["labelled"], t["held out"], len(t["runs"])) for t in trials]
    if len(set(asked)) > 1:
        raise ValueError(f"trials must be of one size, got {asked}")
    rows, last = [], {}
    for trial in trials:
        for steps in zip(*trial["runs"], strict=True):
            found = [step["accuracy"] for step in steps]
            rows.append(
                {
                    "name": trial["encoder"],
                    "passes": steps[0]["passes"],
                    "seconds": np.mean([step["seconds"] for step in steps]),
                    "accuracy": summary(found),
                }
            )
        last[trial["encoder"]] = dict(enumerate(found))
    control = trials[-1]["encoder"]
    gains = {
        name: summary(
            [right - last[control][seed] for seed, right in by.items()], False
        )
        for name, by in last.items()
        if name != control
    }
    title = "a larger encoder, tried on a few reviews"
    content = {"title": title, "format": 1, "control": control}
    write_json(options.out, content | {"rows": rows, "gains": gains, "trials": trials})


def may_teach(imdb) -> pd.Series:
    """Say which reviews are of the train split, and like none of the test split."""
    in_test = imdb["group"].isin(imdb["group"][imdb["split"] == "test"])
    return (imdb["split"] == "train") & ~in_test


def unsure(options) -> None:
    """Ask the larger encoder where the teacher before it is least sure."""
    check_number("--share", options.share, above=0, most=1)
    imdb = all_reviews(options.work)
    learned = shuffled(imdb[may_teach(imdb)])[: options.labelled]
    encoder = split_encoder(options.encoder, options.frozen)
    kept = keep_lower(options.work / "states", encoder, learned["text"].tolist())
    run = train_upper(
        options.work / f"of-{len(learned)}",
        encoder,
        kept,
        np.arange(len(learned)),
        learned["label"].to_numpy(),
        **settings_of(options),
    )
    # What taught it, or is like what did, is left to the teacher before.
    rest = imdb[~imdb["group"].isin(learned["group"])]
    first = SoftTargets.load(options.first)
    rest = rest[first.knows(rest["text"])].assign(labelled=may_teach(imdb))
    rest["first"] = margin(first.logits(rest["text"].tolist()))
    least = rest["first"].abs().argsort(kind="stable")
    asked = rest.iloc[least][: round(options.share * len(rest))].copy()
    teacher, texts = remembering(options, encoder, run.model), asked["text"].tolist()
    asked["second"] = np.concatenate(
        [
            margin(teacher.logits(texts[start : start + ASKED_AT_ONCE]))
            for start in range(0, len(texts), ASKED_AT_ONCE)
        ]
    )
    line, judged = judged_both(asked[asked["labelled"]])
    margins = line.decision_function(asked[["first", "second"]])
    file = options.work / f"unsure-{len(learned)}-{options.share:g}.parquet"
    name = f"{first.fingerprint}+{teacher.fingerprint}"
    keys = [text_hash(text) for text in texts]
    logits = np.stack([-margins / 2, margins / 2], 1)
    write_soft_targets(file, keys, logits, name, SHIPPED_CLASSES)
    known = rest[rest["labelled"]]
    content = {"title": "a larger encoder, asked where the first is least sure"}
    content |= {"format": 1} | described(options, encoder)
    content |= {
        "labelled": len(learned),
        "asked": len(asked),
        "margin of the least sure": float(asked["first"].abs().max()),
        "line": [*line.coef_[0].tolist(), float(line.intercept_[0])],
        "out of fold, of those asked": judged,
        "out of fold": {
            "texts": len(known),
            "first": float(is_right(known["first"], known).mean()),
            "gain": judged["gain"] * judged["texts"] / len(known),
        },
        "CPU seconds without the answers": {
            "lower layers": round(kept.seconds, 1),
            "upper layers": round(run.seconds, 1),
        },
    }
    if not file.with_suffix(".json").is_file():
        write_json(file.with_suffix(".json"), content)


def is_right(margins, reviews):
    """Say of which reviews a margin has the right sign."""
    return (margins > 0) == (reviews["label"] == 1)


def judged_both(asked, folds: int = 5) -> tuple[LogisticRegression, dict]:
    """Fit a line to both margins; judge it out of fold against the first alone."""
    both, labels = asked[["first", "second"]], asked["label"]
    fold, margins = deal_folds(asked["group"], folds), np.zeros(len(asked))
    for k in range(folds):
        line = LogisticRegression().fit(both[fold != k], labels[fold != k])
        margins[fold == k] = line.decision_function(both[fold == k])
    right = {
        "first": is_right(asked["first"], asked),
        "second": is_right(asked["second"], asked),
        "both": is_right(margins, asked),
    }
    gain = (right["both"].astype(float) - right["first"]).tolist()
    judged = {name: float(found.mean()) for name, found in right.items()}
    judged |= {"texts": len(asked), "gain": float(np.mean(gain))}
    judged |= {"interval of the gain": list(interval(gain))}
    return LogisticRegression().fit(both, labels), judged


def margin(logits: np.ndarray) -> np.ndarray:
    return logits[:, 1] - logits[:, 0]


def whole(options) -> None:
    """Answer the train split out of fold, and the rest by a model of all of it."""
    imdb = all_reviews(options.work)
    teaches = may_teach(imdb)
    reviews, others = shuffled(imdb[teaches]), imdb[~teaches]
    labels = reviews["label"].to_numpy()
    half = deal_folds(reviews["group"], 2)
    encoder = split_encoder(options.encoder, options.frozen)
    kept = keep_lower(options.work / "states", encoder, reviews["text"].tolist())

    spent = {"lower layers": round(kept.seconds, 1)}

    def trained_on(name, rows):
        folder, settings = options.work / name, settings_of(options)
        run = train_upper(folder, encoder, kept, rows, labels[rows], **settings)
        spent[name] = round(run.seconds, 1)
        return run.model

    found, right = {}, np.zeros(len(reviews), bool)
    for k in range(2):
        model = trained_on(f"half-{k}", np.flatnonzero(half == k))
        asked = np.flatnonzero(half != k)
        answers = kept_logits(model, kept, asked)
        right[asked] = answers.argmax(1) == labels[asked]
        print(f"half {k}: {right[asked].mean():.4f} out of fold", flush=True)
        found |= {kept.keys[row]: answer for row, answer in zip(asked, answers)}
        # What is like a review that taught the other half is asked here as well.
        twins = others["group"].isin(reviews["group"].iloc[asked])
        teacher = remembering(options, encoder, model)
        found |= answered(teacher, others["text"][twins])
    model = trained_on("all", np.arange(len(reviews)))
    teacher = remembering(options, encoder, model)
    rest = [text for text in others["text"] if text_hash(text) not in found]
    found |= answered(teacher, rest)
    keys = [text_hash(text) for text in imdb["text"]]
    logits = np.stack([found[key] for key in keys])
    file, name = options.work / "answers.parquet", f"imdb-{teacher.fingerprint}"
    write_soft_targets(file, keys, logits, name, SHIPPED_CLASSES)
    total = int(right.sum())
    content = described(options, encoder) | {
        "out of fold": {
            "texts": len(right),
            "accuracy": total / len(right),
            "interval": list(share_interval(total, len(right))),
        },
        "CPU seconds without the answers to the rest": spent,
    }
    if not (options.work / "whole.json").is_file():
        write_json(options.work / "whole.json", content)


def described(options, encoder) -> dict:
    return {
        "encoder": options.encoder.name,
        "frozen layers": options.frozen,
        "layers": options.frozen + len(encoder.upper.layer),
        "settings": settings_of(options),
        "machine": machine(),
    }


def remembering(options, encoder, model) -> CachedTeacher:
    """Return a teacher of whose answers every piece is kept."""
    return CachedTeacher(LayeredTeacher(encoder, model), options.work / "answers")


def answered(teacher, texts) -> dict:
    """Return logits by the texts' hashes."""
    texts = list(texts)
    return dict(zip(map(text_hash, texts), teacher.logits(texts))) if texts else {}


if __name__ == "__main__":
    main()
