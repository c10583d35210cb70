"""Make the small teacher that the kit ships, from what the large one said.

``DISTILL_IMDB=FOLDER python docs/make_small_teacher.py NEW_FOLDER``

A linear model of hashed runs of up to three words learns the soft targets of
``data/soft_targets`` by the kit's own loss, on IMDB's reviews (those of its test split
and what is like them left out) and on the sample's pool. A text's features are divided
by the root of how many it has, as the sample's texts are shorter. The weightiest runs
are kept, fitted again, and rounded to four bits. How strong the penalty is, and how
often a sample review counts, is chosen on texts that are in no fit: some of IMDB's, and
the sample's validation part. Test parts are looked at once, for the card. No text and
no word is written: what is kept of a word is a number of 24 bits.

Then move the folder to ``data/small_teacher`` and call
``python -m distill_helpers doctor --write-checksums``.
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np
from scipy import sparse

from distill_helpers.data.sources import whole_imdb, whole_sample
from distill_helpers.students.ngrams import (
    NgramIndex,
    by_root,
    fit_margins,
    log_count_ratio,
    word_hashes,
)
from distill_helpers.teachers.opening import open_teacher
from distill_helpers.teachers.small import SmallTeacher

LONGEST, AT_LEAST = 3, (3, 5, 8)
HELD_OUT = 4_000
"""Reviews of IMDB that no fit sees before the settings are chosen."""
TEMPERATURE = 2.0
FIRST_STRENGTH, FIRST_REPEATS = 3.0, 40
"""Of the first fit, which chooses the runs."""
STRENGTHS, REPEATS = (1.0, 3.0), (40, 100, 250)


def features_of(index, texts):
    return by_root(index.features(word_hashes(texts)))


def fit(x, margins, strength):
    soft = 1 / (1 + np.exp(-margins))
    scale = np.abs(log_count_ratio(x, soft)) ** 0.5
    labels = np.full(len(margins), -100)
    return fit_margins(
        x,
        margins,
        labels,
        alpha=1.0,
        temperature=TEMPERATURE,
        scale=scale,
        strength=strength,
    )


def stacked(imdb, sample, repeats):
    """Put the sample's rows below those of IMDB, several times."""
    (x, m), (xs, ms) = imdb, sample
    return (
        sparse.vstack([x, *[xs] * repeats]).tocsr(),
        np.concatenate([m, *[ms] * repeats]),
    )


def weightiest(x, weights, count):
    """Return the columns that move most texts most, in their order."""
    texts = x.getnnz(0)
    return np.sort(np.argsort(-np.abs(weights) * np.sqrt(texts))[:count])


def judged(answer, labels, margins):
    """Compare margins with labels and with the large teacher's."""
    found = {
        "agreement with the large teacher": ((answer > 0) == (margins > 0)).mean(),
        "correlation with its margins": np.corrcoef(answer, margins)[0, 1],
        "examples": len(answer),
    }
    if labels is not None:
        found["accuracy"] = ((answer > 0) == labels).mean()
    return {k: round(float(v), 5) if k != "examples" else v for k, v in found.items()}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("folder", help="a new folder")
    reader.add_argument("--ngrams", type=int, default=60_000)
    options = reader.parse_args()
    started = time.perf_counter()

    def say(*words):
        print(f"{time.perf_counter() - started:6.0f} s", *words, flush=True)

    large = open_teacher("shipped", "no-cache")
    imdb, sample = whole_imdb(), whole_sample()
    say("read", len(imdb), len(sample))
    tested = imdb[imdb["split"] == "test"]
    imdb_read = imdb[~imdb["group"].isin(tested["group"])].drop_duplicates("group")
    imdb_read = imdb_read.sample(frac=1, random_state=0)

    def told(texts):
        texts = list(texts)
        known = large.knows(texts)
        texts = [text for text, is_known in zip(texts, known) if is_known]
        logits = large.logits(texts)
        return texts, logits[:, 1] - logits[:, 0], known

    texts, margins, _ = told(imdb_read["text"])
    held, held_margins = texts[:HELD_OUT], margins[:HELD_OUT]
    texts, margins = texts[HELD_OUT:], margins[HELD_OUT:]
    part = {name: sample[sample["split"] == name] for name in sample["split"].unique()}
    pool, pool_margins, _ = told(part["pool"]["text"])
    ours, ours_margins, _ = told(part["validation"]["text"])
    ours_labels = part["validation"]["label"].to_numpy()

    hashes, pool_hashes = word_hashes(texts), word_hashes(pool)
    index = NgramIndex.of(hashes + pool_hashes, LONGEST, AT_LEAST)
    say("runs that count at first:", len(index.keys))
    x, xs = index.features(hashes), index.features(pool_hashes)
    whole = (by_root(x), margins), (by_root(xs), pool_margins)
    both, both_margins = stacked(*whole, FIRST_REPEATS)
    weights, _ = fit(both, both_margins, FIRST_STRENGTH)
    kept = weightiest(both, weights, options.ngrams)
    say("fitted whole")
    index = NgramIndex(index.keys[kept], LONGEST)
    imdb_rows = by_root(x[:, kept]), margins
    sample_rows = by_root(xs[:, kept]), pool_margins
    asked = {"held out": features_of(index, held), "ours": features_of(index, ours)}

    tried = {}
    for strength, repeats in itertools.product(STRENGTHS, REPEATS):
        weights, bias = fit(*stacked(imdb_rows, sample_rows, repeats), strength)
        theirs = asked["held out"] @ weights + bias
        own = asked["ours"] @ weights + bias
        near = ((theirs > 0) == (held_margins > 0)).mean()
        right = ((own > 0) == ours_labels).mean()
        tried[strength, repeats] = (near + right, weights, bias)
        say(f"strength {strength}, sample {repeats} times: {near:.4f} {right:.4f}")
    strength, repeats = max(tried, key=lambda key: tried[key][0])
    _, weights, bias = tried[strength, repeats]
    teacher = SmallTeacher(index, weights, bias, by_root=True)

    test, test_margins, known = told(tested["text"])
    test_labels = tested["label"].to_numpy()
    own_test, own_margins, _ = told(part["test"]["text"])
    teacher.about = {
        "how": "a linear model of hashed runs of one to three words in four bits,"
        " taught by the soft targets of the kit's large teacher",
        "taught by": large.fingerprint,
        "reviews": {"imdb": len(texts), "sample": len(pool)},
        "settings": {
            "ngrams": len(index.keys),
            "temperature": TEMPERATURE,
            "strength": strength,
            "sample repeated": repeats,
            "held out of imdb": HELD_OUT,
        },
        "test": {
            "imdb": judged(teacher.margins(test), test_labels[known], test_margins),
            "imdb, all of it": {
                "accuracy": round(
                    float(
                        (
                            (teacher.margins(list(tested["text"])) > 0) == test_labels
                        ).mean()
                    ),
                    5,
                ),
                "examples": len(tested),
            },
            "sample": judged(
                teacher.margins(own_test), part["test"]["label"].to_numpy(), own_margins
            ),
        },
        "licence": "CC0-1.0; figures alone, no text and no word",
        "made by": "docs/make_small_teacher.py",
        "seconds": round(time.perf_counter() - started),
    }
    print(teacher.about)
    folder = teacher.save(options.folder)
    say(*(f"{file.name}: {file.stat().st_size:,} bytes" for file in folder.iterdir()))


if __name__ == "__main__":
    main()
