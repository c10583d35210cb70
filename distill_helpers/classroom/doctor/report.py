"""Findings, and how they are shown."""

from __future__ import annotations

import os
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

OK, WARN, FAIL = "OK", "WARN", "FAIL"
WIDTH = 80
_COLOURS = {OK: "32", WARN: "33", FAIL: "31"}


@dataclass(frozen=True)
class Finding:
    """What one check saw.

    Attributes
    ----------
    name : str
        Stable, such as ``"kernel"`` or ``"package torch"``.
    status : str
        ``"OK"``, ``"WARN"`` or ``"FAIL"``: a lesson will not run.
    seen : str
    cure : str
        One sentence; empty where nothing is to be done.
    """

    name: str
    status: str
    seen: str
    cure: str = ""


def as_table(findings: Sequence[Finding]):
    """Lay findings out for a notebook.

    Parameters
    ----------
    findings : sequence of Finding

    Returns
    -------
    pandas.DataFrame
        Columns ``status``, ``name``, ``seen`` and ``cure``.
    """
    import pandas as pd

    columns = ["status", "name", "seen", "cure"]
    return pd.DataFrame([asdict(f) for f in findings], columns=columns)


def as_text(findings: Sequence[Finding], colour: bool = False) -> str:
    """Lay findings out for a terminal, one line each, its cure below.

    What is too long for a line is cut in the middle.

    Parameters
    ----------
    findings : sequence of Finding
    colour : bool, default False
        Paint the status as well.

    Returns
    -------
    str

    Examples
    --------
    >>> print(as_text([Finding("disk", "FAIL", "full", "Make room.")]))
    FAIL  disk   full
          Make room.
    0 OK, 0 WARN, 1 FAIL
    """
    wide = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        head = f"{finding.status:4}  {finding.name:{wide}}   "
        seen = _cut(finding.seen, max(20, WIDTH - len(head)))
        if colour:
            head = f"\x1b[{_COLOURS[finding.status]}m{head[:4]}\x1b[0m{head[4:]}"
        lines.append(f"{head}{seen}")
        if finding.status != OK:
            lines += textwrap.wrap(
                finding.cure,
                WIDTH,
                initial_indent=" " * 6,
                subsequent_indent=" " * 6,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join([*lines, _total(findings)])


def _total(findings: Sequence[Finding]) -> str:
    counts = counts_of(findings)
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def counts_of(findings: Sequence[Finding]) -> dict[str, int]:
    counted = Counter(finding.status for finding in findings)
    return {status: counted[status] for status in (OK, WARN, FAIL)}


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def wants_colour() -> bool:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return False
    if os.name == "nt" and "WT_SESSION" not in os.environ:
        return False  # an old console shows the codes themselves
    return os.environ.get("TERM") != "dumb"
