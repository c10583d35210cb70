"""Reviews in four parts: labelled, unlabelled, validation and test.

One call serves our sample, IMDB and the reader's own file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from ..arguments import check_whole
from .sources import meant_by, prepare, stamp
from .splits import (
    PARTS,
    check_classes,
    choose_parts,
    drop_duplicates,
    trim,
)


class ReviewDict(DatasetDict):
    """A ``DatasetDict`` that remembers how it came about.

    Attributes
    ----------
    report : LoadReport
        Source, sizes, and what was dropped and why.
    """

    report: LoadReport


@dataclass
class LoadReport:
    """What :func:`load_reviews` read, kept and dropped."""

    source: str
    note: str
    sizes: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        sizes = ", ".join(f"{n:,} {part}" for part, n in self.sizes.items())
        lines = [f"source: {self.source} ({self.note})", f"kept: {sizes}"]
        reasons = [f"{n:,} {why}" for why, n in self.dropped.items() if n]
        lines.append(f"dropped: {', '.join(reasons) or 'nothing'}")
        return "\n".join(lines)


def load_reviews(
    source: str | Path = "auto",
    labelled: int | None = None,
    transfer: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    seed: int = 0,
    validation_blocks: int = 1,
) -> ReviewDict:
    """Load reviews, clean them, and keep the four parts apart.

    Parameters
    ----------
    source : str or Path, default "auto"
        ``"sample"``: the 3,400 reviews of the kit, with a fixed test and
        validation part. ``"imdb"``: a local mirror named by the environment
        variable ``DISTILL_IMDB``, else the Hub's cache, else the Hub.
        ``"auto"``: IMDB if a mirror or the cache has it, else the sample;
        never the network. Otherwise a CSV, Parquet or JSON Lines file with
        columns ``text`` and ``label``; an empty label means none.
    labelled : int, optional
        Reviews in ``train``. By default 400 of the sample, 1,000 of IMDB, a
        third of an own file (1,000 at most).
    transfer : int, optional
        Reviews in ``transfer``. By default all that are left, of IMDB 24,000.
    validation, test : int, optional
        By default the fixed parts of the sample; 1,000 and the whole test
        split of IMDB; a tenth and a fifth of an own file.
    seed : int, default 0
        Draws the reviews where the split is not fixed.
    validation_blocks : int, default 1
        Where validation is drawn: how many reviews that stand side by side in
        the source go into it together. IMDB's labelled reviews stand film by
        film, so blocks of 100 keep most of its films out of training, as the
        test part does.

    Returns
    -------
    ReviewDict
        ``train``, ``validation`` and ``test`` have ``text`` and ``label``;
        ``transfer`` has ``text`` alone. ``.report`` says what was dropped:
        empty texts, and reviews that (nearly) equal one in another part.

    Raises
    ------
    ValueError
        If an argument or the file's content does not fit; the message names
        it.
    FileNotFoundError
        If a file is missing, or IMDB is neither mirrored, cached nor
        reachable.

    Examples
    --------
    >>> reviews = load_reviews("sample", labelled=100)
    >>> reviews["train"].num_rows
    100
    """
    wanted = {
        "train": check_whole("labelled", labelled, least=2, optional=True),
        "transfer": check_whole("transfer", transfer, least=0, optional=True),
        "validation": check_whole("validation", validation, least=2, optional=True),
        "test": check_whole("test", test, least=2, optional=True),
    }
    check_whole("seed", seed, least=0)
    check_whole("validation_blocks", validation_blocks, least=1)
    name = meant_by(str(source))
    rows, frame, empty = prepare(name, stamp(name))
    note = rows.note + (", chosen by 'auto'" if str(source) == "auto" else "")
    check_classes(frame, rows)
    report = LoadReport(rows.source, note, dropped={"empty": empty})
    rng = np.random.default_rng(seed)
    chosen = choose_parts(frame, wanted, rows.defaults, rng, validation_blocks)
    parts = drop_duplicates(frame, chosen, report)
    parts = trim(parts, chosen)
    report.sizes = {part: len(parts[part]) for part in PARTS}
    return _to_datasets(parts, rows.label_names, report)


def _to_datasets(parts, label_names: Sequence[str], report) -> ReviewDict:
    datasets = {}
    for name, frame in parts.items():
        columns = [c for c in ("text", "label", "kind") if c in frame.columns]
        features = {c: Value("string") for c in columns}
        features["label"] = ClassLabel(names=list(label_names))
        if name == "transfer":
            columns.remove("label")
            del features["label"]
        datasets[name] = Dataset.from_pandas(
            frame[columns], features=Features(features), preserve_index=False
        )
    reviews = ReviewDict(datasets)
    reviews.report = report
    return reviews


def fingerprint(dataset, teacher_logits: np.ndarray | None = None) -> str:
    """Return a short hash of reviews, their labels and a teacher's answers.

    Runs may be compared if they were judged on reviews, and by a teacher, of
    the same fingerprint.

    Parameters
    ----------
    dataset : datasets.Dataset
        Columns ``text`` and, optionally, ``label``.
    teacher_logits : ndarray, shape (reviews, classes), optional
        Rounded to two decimals, so that another machine's last bits do not
        count.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    labels = dataset["label"] if "label" in dataset.column_names else []
    digest.update(json.dumps([list(dataset["text"]), list(labels)]).encode())
    if teacher_logits is not None:
        rounded = np.round(np.asarray(teacher_logits, np.float64), 2) + 0.0
        digest.update(json.dumps(rounded.tolist()).encode())
    return digest.hexdigest()[:16]
