"""Four parts that share no review: train, transfer, validation, test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .rows import UNLABELLED, Rows

PARTS = ("train", "transfer", "validation", "test")


# -------------------------------------------------------------- the split
@dataclass
class _Chosen:
    rows: np.ndarray  # candidates, a few more than wanted
    want: int


def check_classes(frame: pd.DataFrame, rows: Rows) -> None:
    found = sorted(set(frame["label"]) - {UNLABELLED})
    if len(found) < 2:
        names = [rows.label_names[i] for i in found]
        raise ValueError(
            f"source={rows.source!r} must have at least two classes in column"
            f" 'label', got {names or 'none'}"
        )


def choose_parts(frame, wanted, defaults, rng, blocks) -> dict[str, _Chosen]:
    """Draw candidates for each part; labelled parts are stratified."""
    part, label = frame["part"].to_numpy(), frame["label"].to_numpy()
    pool = rng.permutation(np.flatnonzero(part == ""))
    chosen = {}
    for name in ("test", "validation", "train"):
        fixed = rng.permutation(np.flatnonzero(part == name))
        source = fixed if len(fixed) else pool
        want = wanted[name] if wanted[name] is not None else defaults[name]
        want = len(source) if want is None else want
        _check_available(name, want, len(source))
        if name == "validation" and blocks > 1:
            source = _in_blocks(source, label, blocks, rng)
        rows = _stratified(source, label, want, spare=not len(fixed))
        chosen[name] = _Chosen(rows, want)
        pool = pool[~np.isin(pool, rows)]
    spare = sum(max(0, len(c.rows) - c.want) for c in chosen.values())
    extra = np.concatenate([pool, np.flatnonzero(part == "transfer")])
    extra = rng.permutation(extra)
    want = wanted["transfer"]
    want = defaults["transfer"] if want is None else want
    want = len(extra) + spare if want is None else want
    _check_available("transfer", want, len(extra) + spare)
    chosen["transfer"] = _Chosen(extra[: int(want * 1.05) + 20], want)
    return chosen


def _in_blocks(rows, label, size: int, rng) -> np.ndarray:
    """Shuffle whole runs of neighbours of one class, not single reviews."""
    rows = np.sort(rows)
    runs = []
    for value in np.unique(label[rows]):
        same = rows[label[rows] == value]
        runs += [same[i : i + size] for i in range(0, len(same), size)]
    return np.concatenate([runs[i] for i in rng.permutation(len(runs))])


def _stratified(rows, label, want: int, spare: bool) -> np.ndarray:
    """Interleave the classes in proportion; take `want` and some spare."""
    ranked = pd.DataFrame({"row": rows, "label": label[rows]})
    place = ranked.groupby("label").cumcount()
    size = ranked.groupby("label")["row"].transform("size")
    order = ((place + 0.5) / size).argsort(kind="stable")
    extra = want // 50 + 2 if spare else 0
    return ranked["row"].to_numpy()[order][: want + extra]


def drop_duplicates(frame, chosen, report) -> dict[str, pd.DataFrame]:
    """Keep each group of like reviews in one part, the test part first."""
    order = ("test", "validation", "train", "transfer")
    rows = np.concatenate([chosen[name].rows for name in order])
    names = np.repeat(order, [len(chosen[name].rows) for name in order])
    groups = frame["group"].to_numpy()[rows]
    _, firsts, inverse = np.unique(groups, return_index=True, return_inverse=True)
    keeper = firsts[inverse]  # who stands for each review's group
    first = keeper == np.arange(len(rows))
    within = across = 0
    for index in np.flatnonzero(~first):
        same = names[keeper[index]] == names[index]
        within, across = within + same, across + (not same)
    report.dropped["duplicates within a part"] = int(within)
    report.dropped["duplicates of a review in another part"] = int(across)
    return {
        name: frame.iloc[rows[(names == name) & first]].reset_index(drop=True)
        for name in PARTS
    }


def trim(parts, chosen) -> dict[str, pd.DataFrame]:
    """Cut each part to what was asked; spare rows join the transfer part."""
    labelled = [name for name in PARTS if name != "transfer"]
    spare = [parts[name].iloc[chosen[name].want :] for name in labelled]
    parts["transfer"] = pd.concat([parts["transfer"], *spare])
    return {
        name: parts[name].head(chosen[name].want).reset_index(drop=True)
        for name in PARTS
    }


def _check_available(name: str, want: int, have: int) -> None:
    argument = {"train": "labelled"}.get(name, name)
    if want > have:
        raise ValueError(
            f"{argument}={want:,} asks for more reviews than the {have:,} that"
            " are left for it"
        )
