"""One card for every model: quality, size, speed and memory.

A model is anything that turns texts into logits: a teacher, a student, later
a quantised or exported one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from distill_helpers import __version__

from ..arguments import check_choice
from ..files import whole_file
from ..places import RESULTS
from .cost import Cost
from .hardware import machine
from .metrics import HEADINGS, SHARES_OF_TEXTS, WITHIN_ONE, Quality, stored_metrics
from .statistics import SEEDS, TEXTS, share_interval, summary


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

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of its scores, the one that leads the table first."""
        return (*self.per_seed[0].scores, "agreement")

    @property
    def examples(self) -> int:
        """How many texts each run was judged on."""
        return self.per_seed[0].examples

    def values(self, metric: str) -> list[float]:
        """Return one metric, seed by seed."""
        return [getattr(quality, metric) for quality in self.per_seed]

    def to_json(self) -> dict:
        """Return plain data: mean, per-seed values, interval and what that covers."""
        values = {metric: self.values(metric) for metric in self.metrics}
        metrics = {
            name: summarised(name, scores, self.examples)
            for name, scores in values.items()
            if None not in scores
        }
        return {
            "name": self.name,
            "seeds": self.seeds,
            "examples": self.examples,
            **metrics,
            "cost": asdict(self.cost) if self.cost else None,
            "notes": self.notes,
        }


def summarised(metric: str, values: Sequence[float], examples: int) -> dict:
    """Return mean, values and 95% interval of a metric as plain data.

    Parameters
    ----------
    metric : str
        Its name.
    values : sequence of float
        One per seed.
    examples : int
        Texts that each run was judged on.

    Returns
    -------
    dict
        ``mean``, ``per_seed``, ``interval`` and ``interval_over``: ``"seeds"``
        where there are several, ``"texts"`` for the share of a single run or of
        equal ones (Wilson), None where there is no interval.
    """
    found = summary(values, bounded=metric in WITHIN_ONE)
    over = SEEDS if found["interval"] else None
    if metric in WITHIN_ONE and len(set(found["per_seed"])) == 1:
        # One run, or equal ones: no spread of seeds says how sure the mean is.
        found["interval"], over = None, None
        if metric in SHARES_OF_TEXTS and examples:
            right = round(found["mean"] * examples)
            found["interval"], over = list(share_interval(right, examples)), TEXTS
    return found | {"interval_over": over}


def stored_score(row: Mapping, metric: str) -> dict:
    """Summarise a metric of a stored row as :func:`summarised` does.

    It is made anew from the values: an older result may hold an interval of another
    kind.
    """
    return summarised(metric, row[metric]["per_seed"], row.get("examples", 0))


def scores_of(row: Mapping) -> list[str]:
    """Return the names of the scores that a stored row holds."""
    return [k for k, v in row.items() if isinstance(v, dict) and "per_seed" in v]


# ------------------------------------------------------------------- output
def table(rows: Sequence[Row], examples: str = "texts"):
    """Lay rows out as a table for people.

    Parameters
    ----------
    rows : sequence of Row
    examples : str, default "texts"
        What the models read, for the heading of the speed.

    Returns
    -------
    pandas.DataFrame
        The interval of several seeds covers the draw of labels and the training;
        that of ``one run`` the choice of the texts it was judged on.
    """
    import pandas as pd

    lines = []
    for row in rows:
        leading, *others = row.metrics
        score = summarised(leading, row.values(leading), row.examples)
        line = {
            "model": row.name,
            leading.replace("_", " "): f"{score['mean']:.3f}",
            "95% interval": _described(score),
        }
        for metric in others:
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


def _described(score: dict) -> str:
    """Return an interval in words, and whether it is that of a single run."""
    bounds, over = score["interval"], score["interval_over"]
    single = single_run(score["per_seed"])
    if not bounds:
        return single
    of = "" if over == SEEDS else f", {single}"
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}{of}"


def single_run(per_seed: Sequence[float]) -> str:
    """Say why there is no spread of seeds."""
    return "one run" if len(per_seed) == 1 else "equal runs"


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

    held = {k for rows in runs.values() for row in rows for k in scores_of(row)}
    check_choice("metric", metric, sorted(held | set(stored_metrics())))
    columns = {}
    for title, rows in runs.items():
        cells = {}
        for row in rows:
            if metric in row:
                score = stored_score(row, metric)
                around = f" ({_described(score)})" if score["interval"] else ""
                cells[row["name"]] = f"{score['mean']:.3f}{around}"
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
