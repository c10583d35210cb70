"""What was read, kept and dropped, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .labels import SEVERAL_LABELS
from .rows import UNLABELLED
from .sources import OWN_SOURCES, Prepared
from .splits import DROPPED_ACROSS, DROPPED_TWIN, LEAST_OF_A_CLASS, PARTS, Drawn


@dataclass
class LoadReport:
    """What :func:`load_reviews` read, kept and dropped.

    Attributes
    ----------
    source, note : str
        What was read, and from where.
    sizes : dict of str to int
        Rows of each part.
    dropped : dict of str to int
        Rows that are in no part, by the reason.
    rows_read : int
        Rows of the source.
    classes : dict of str to int
        Labelled rows of each class, once empty texts and duplicates are gone.
    by_part : dict of str to dict of str to int
        The same for train, validation and test.
    hidden_labels : int
        Rows of the transfer part whose labels the student does not see.
    conflicting : int
        Texts that are like another one with another label.
    duplicates : int
        Rows that were dropped because a like one is kept.
    lengths : dict of str to int
        ``median``, ``p95`` and ``longest`` of all texts, in words, or in characters
        where `spaceless`.
    spaceless : bool
        Whether most texts are written without spaces between words.
    warnings : list of str
        What the reader should look at.
    """

    source: str
    note: str
    sizes: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    rows_read: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    by_part: dict[str, dict[str, int]] = field(default_factory=dict)
    hidden_labels: int = 0
    conflicting: int = 0
    duplicates: int = 0
    lengths: dict[str, int] = field(default_factory=dict)
    spaceless: bool = False
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        sizes = ", ".join(f"{n:,} {part}" for part, n in self.sizes.items())
        lines = [f"source: {self.source} ({self.note})", f"kept: {sizes}"]
        reasons = [f"{n:,} {why}" for why, n in self.dropped.items() if n]
        lines.append(f"dropped: {', '.join(reasons) or 'nothing'}")
        if self.source not in OWN_SOURCES:
            lines += self._of_an_own_file()
        return "\n".join([*lines, *(f"! {warning}" for warning in self.warnings)])

    def _of_an_own_file(self) -> list[str]:
        classes = ", ".join(f"{name} {n:,}" for name, n in self.classes.items())
        unit = "characters" if self.spaceless else "words"
        lengths = ", ".join(f"{name} {n:,}" for name, n in self.lengths.items())
        lines = [f"rows: {self.rows_read:,}", f"classes: {classes}"]
        if self.hidden_labels:
            lines.append(f"labels hidden in transfer: {self.hidden_labels:,}")
        return [*lines, f"length in {unit}: {lengths}"]


def make_report(prepared: Prepared, drawn: Drawn, note: str) -> LoadReport:
    """Put together what a load has to say.

    Parameters
    ----------
    prepared : Prepared
    drawn : Drawn
    note : str
        From where the source comes.

    Returns
    -------
    LoadReport
    """
    rows = drawn.rows
    by_part = {part: _count(prepared, rows[part]) for part in PARTS}
    hidden = by_part.pop("transfer")
    label = prepared.frame["label"].to_numpy()
    report = LoadReport(
        prepared.rows.source,
        note,
        sizes={part: len(rows[part]) for part in PARTS},
        dropped={"empty": prepared.empty, **drawn.dropped},
        rows_read=len(prepared.rows.frame),
        classes={n: sum(c[n] for c in by_part.values()) + hidden[n] for n in hidden},
        by_part=by_part,
        hidden_labels=int((label[rows["transfer"]] != UNLABELLED).sum()),
        conflicting=prepared.conflicting,
        duplicates=drawn.dropped[DROPPED_TWIN] + drawn.dropped[DROPPED_ACROSS],
        lengths=dict(prepared.lengths),
        spaceless=prepared.spaceless,
    )
    report.warnings = [*prepared.rows.warnings, *drawn.warnings, *_warnings(report)]
    return report


def _count(prepared: Prepared, rows: np.ndarray) -> dict[str, int]:
    """Count the rows of each class; of several labels, each counts."""
    some, names = prepared.frame.iloc[rows], prepared.rows.label_names
    some = some[some["label"] != UNLABELLED]
    if prepared.rows.problem_type == SEVERAL_LABELS:
        held = np.array(some["labels"].tolist()).reshape(-1, len(names)).sum(axis=0)
    else:
        held = some["label"].value_counts().reindex(range(len(names)), fill_value=0)
    return {name: int(n) for name, n in zip(names, held)}


def _warnings(report: LoadReport) -> list[str]:
    warnings = []
    table = pd.DataFrame(report.by_part)
    few = table[(table < LEAST_OF_A_CLASS).any(axis=1)]
    if len(few):
        said = (
            f"{name!r} ({', '.join(f'{n} in {part}' for part, n in row.items())})"
            for name, row in few.iterrows()
        )
        warnings.append(
            f"fewer than {LEAST_OF_A_CLASS} rows of a class in a part:"
            f" {'; '.join(said)}. What is said of such a class is chance"
        )
    if report.conflicting:
        warnings.append(
            f"{report.conflicting:,} texts are (nearly) the same as one with another"
            " label; all are kept, like ones in the same part: look whether the"
            " labels are right"
        )
    return warnings
