"""One card for every model: quality, size, speed and memory.

A model is anything that turns texts into logits: a teacher, a student, later
a quantised or exported one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from distill_helpers import __version__

from ..arguments import check_choice
from ..files import whole_file
from ..places import RESULTS
from .cost import Cost
from .hardware import machine
from .metrics import HEADINGS, Quality, stored_metrics
from .statistics import summary


@dataclass
class Row:
    """One line of the scorecard, over several seeds.

    Attributes
    ----------
    name : str
        Stable, such as ``teacher``, ``control``, ``distilled``.
    per_seed : list of Quality
    cost : Cost or None
    notes : str
    """

    name: str
    per_seed: list[Quality]
    cost: Cost | None = None
    notes: str = ""
    seeds: list[int] = field(default_factory=list)

    def values(self, metric: str) -> list[float]:
        """Return one metric, seed by seed."""
        return [getattr(quality, metric) for quality in self.per_seed]

    def to_json(self) -> dict:
        """Return plain data: mean, per-seed values and interval."""
        values = {metric: self.values(metric) for metric in stored_metrics()}
        metrics = {k: summary(v) for k, v in values.items() if None not in v}
        return {
            "name": self.name,
            "seeds": self.seeds,
            "examples": self.per_seed[0].examples,
            **metrics,
            "cost": asdict(self.cost) if self.cost else None,
            "notes": self.notes,
        }


# ------------------------------------------------------------------- output
def table(rows: Sequence[Row], examples: str = "reviews"):
    """Lay rows out as a table for people.

    Parameters
    ----------
    rows : sequence of Row
    examples : str, default "reviews"
        What the models read, for the heading of the speed.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    lines = []
    for row in rows:
        accuracy = summary(row.values("accuracy"))
        line = {
            "model": row.name,
            "accuracy": f"{accuracy['mean']:.3f}",
            "95% interval": _bounds(accuracy["interval"]),
        }
        for metric in stored_metrics()[1:]:
            values = row.values(metric)
            shown = "" if None in values else f"{np.mean(values):.3f}"
            line[HEADINGS.get(metric, metric)] = shown
        if row.cost:
            line |= {
                "parameters": f"{row.cost.parameters:,}",
                "MB on disk": _short(row.cost.bytes_on_disk / 1e6),
                "ms (median)": f"{row.cost.median_ms:.2f}",
                "ms (95th)": f"{row.cost.p95_ms:.2f}",
                f"{examples}/s": f"{row.cost.reviews_per_second:,.0f}",
                "peak MiB": _short(row.cost.peak_memory_mb, 0),
            }
        lines.append(line)
    return pd.DataFrame(lines).fillna("").set_index("model")


def _short(value: float, digits: int = 1) -> str:
    """Round for people, but never a small number down to 0."""
    return f"{value:.{digits}f}" if value >= 1 else f"{value:.2g}"


def _bounds(bounds) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "one run"


def results(rows: Sequence[Row], **settings) -> dict:
    """Gather rows, settings and the machine as plain data for JSON.

    Raises
    ------
    ValueError
        If two rows share a name.
    """
    names = [row.name for row in rows]
    if len(set(names)) < len(names):
        raise ValueError(f"row names must differ, got {names}")
    return {
        "format": 1,
        "kit": __version__,
        "settings": settings,
        "machine": machine(),
        "rows": [row.to_json() for row in rows],
    }


def stored_results(prefix: str) -> dict[str, list[dict]]:
    """Read the runs that we made, kept as numbers under ``data/results``.

    Parameters
    ----------
    prefix : str
        Of the file names, such as ``"lesson03_imdb"``.

    Returns
    -------
    dict of str to list of dict
        The title of each run and its rows.
    """
    runs = {}
    for path in sorted(RESULTS.glob(f"{prefix}*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        runs[content["title"]] = content["rows"]
    return runs


def side_by_side(runs: dict[str, Sequence[dict]], metric: str = "accuracy"):
    """Lay one metric of several runs side by side.

    Parameters
    ----------
    runs : dict of str to list of dict
        Rows as :meth:`Row.to_json` gives them, by the run's title.
    metric : str, default "accuracy"
        One of those stored; left empty where a row has none.

    Returns
    -------
    pandas.DataFrame
        A line per model, a column per run.

    Raises
    ------
    ValueError
        If there is no such metric.
    """
    import pandas as pd

    check_choice("metric", metric, stored_metrics())

    columns = {}
    for title, rows in runs.items():
        cells = {}
        for row in rows:
            if metric in row:
                bounds = row[metric]["interval"]
                around = f" ({_bounds(bounds)})" if bounds else ""
                cells[row["name"]] = f"{row[metric]['mean']:.3f}{around}"
        columns[title] = cells
    return pd.DataFrame(columns).fillna("")


def write_json(path: str | Path, content: dict) -> Path:
    """Write JSON, all or nothing; never over a file that exists.

    Raises
    ------
    FileExistsError
        If there is such a file already.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(
            f"{str(path)!r} holds a result already; name another folder"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
