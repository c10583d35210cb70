"""Many small result files, one tidy table: a sweep's, or a whole class's.

A folder may be that of a sweep (:mod:`distill_helpers.classroom.sweeps`) or one into
which thirty learners dropped a ``results.json`` each, under any name. Files
that cannot be used are named with the reason; none is averaged in silently.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..evaluation.metrics import WITHIN_ONE, stored_metrics
from ..evaluation.statistics import interval, mean_share_interval
from ..places import RESULTS
from .settings import PLAN, Setting, read_plan

STORED = RESULTS / "lesson04_sweep.parquet"
SAME_FOR_ALL = ("format", "kit", "data", "lesson")
COSTS = ("parameters", "bytes_on_disk", "median_ms", "reviews_per_second")


@dataclass(frozen=True)
class Problem:
    """A file that is not in the table, and why.

    Attributes
    ----------
    file : str
        Its path inside the folder, or a setting's name if there is no file.
    kind : str
        ``"missing"``, ``"failed"``, ``"damaged"``, ``"foreign"``,
        ``"duplicate"`` or ``"conflict"`` (the same runs, other numbers).
    reason : str
    """

    file: str
    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.file}: {self.reason}"


@dataclass
class Collection:
    """What a folder holds.

    Attributes
    ----------
    table : DataFrame
        One line for each setting, model and seed.
    problems : list of Problem
    knobs : list of str
        Settings in which the runs differ.
    """

    table: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)

    @property
    def knobs(self) -> list[str]:
        fixed = {"file", "model", "seed", *stored_metrics(), *COSTS}
        return [
            name
            for name in self.table.columns
            if name not in fixed and self.table[name].nunique(dropna=False) > 1
        ]


def collect(folder: str | Path, reference: str | Path | None = None) -> Collection:
    """Read every result below a folder into one table.

    Parameters
    ----------
    folder : str or Path
    reference : str or Path, optional
        A result file whose version, data and lesson all others must share.
        By default the version that most files have.

    Returns
    -------
    Collection

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no usable result in it.
    ValueError
        If no version is the most frequent one, so that a reference is needed,
        or the reference is no result.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}")
    problems = _planned_but_absent(folder) if (folder / PLAN).exists() else []
    read = {}
    for path in _result_files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            read[name] = read_result(path)
        except ValueError as error:
            problems.append(Problem(name, "damaged", str(error)))
    if not read:
        raise FileNotFoundError(
            f"{str(folder)!r} holds no usable result: "
            + ("; ".join(map(str, problems)) or "no JSON file at all")
        )
    mark = _mark(read_result(Path(reference))) if reference else _commonest(read)
    lines, seen = [], {}
    for name, content in sorted(read.items()):
        if _mark(content) != mark:
            problems.append(Problem(name, "foreign", _difference(content, mark)))
            continue
        problem = _seen_before(name, content, seen)
        if problem:
            problems.append(problem)
        else:
            lines += _lines(name, content)
    return Collection(pd.DataFrame(lines), problems)


def read_result(path: Path) -> dict:
    """Read one ``results.json`` and check its shape.

    Raises
    ------
    ValueError
        If it is no JSON, or lacks what every result has.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        rows = content["rows"]
        settings = content["settings"]
        if not isinstance(settings, dict) or not rows:
            raise ValueError("no settings or no rows")
        for row in rows:
            scores, seeds = row["accuracy"]["per_seed"], row["seeds"]
            if len(scores) != len(seeds or scores):
                raise ValueError(f"row {row['name']!r} lacks seeds")
            if not np.isfinite(np.asarray(scores, float)).all():
                raise ValueError(f"row {row['name']!r} has a score that is no number")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"is no result of a lesson: {error!r}") from error
    return content


def _result_files(folder: Path) -> list[Path]:
    if (folder / PLAN).exists():
        return sorted(folder.glob("runs/*/results.json"))
    return sorted(p for p in folder.rglob("*.json") if not p.name.startswith("."))


def _planned_but_absent(folder: Path) -> list[Problem]:
    problems = []
    for parameters in read_plan(folder)["settings"]:
        key = Setting(parameters).key
        if (folder / "runs" / key / "results.json").exists():
            continue
        note = folder / "failed" / key / "setting.json"
        if note.exists():
            error = json.loads(note.read_text("utf-8"))["error"]
            problems.append(Problem(key, "failed", error))
        else:
            problems.append(Problem(key, "missing", "planned, but not run yet"))
    return problems


def _mark(content: dict) -> tuple:
    return tuple(content.get(name) for name in SAME_FOR_ALL)


def _commonest(read: dict[str, dict]) -> tuple:
    counts = Counter(map(_mark, read.values())).most_common(2)
    if len(counts) == 2 and counts[0][1] == counts[1][1]:
        raise ValueError(
            "as many files have one version or data set as another:"
            f" {counts[0][0]} and {counts[1][0]}; name a reference"
        )
    return counts[0][0]


def _difference(content: dict, mark: tuple) -> str:
    return ", ".join(
        f"{name} is {content.get(name)!r}, the others have {expected!r}"
        for name, expected in zip(SAME_FOR_ALL, mark)
        if content.get(name) != expected
    )


def _lines(name: str, content: dict) -> list[dict]:
    settings = _knobs_of(content)
    lines = []
    for row in content["rows"]:
        cost = {key: (row.get("cost") or {}).get(key) for key in COSTS}
        for place in range(len(row["accuracy"]["per_seed"])):
            scores = {
                metric: row[metric]["per_seed"][place]
                for metric in stored_metrics()
                if metric in row
            }
            seed = row["seeds"][place] if row["seeds"] else None
            head = {"file": name, **settings, "model": row["name"], "seed": seed}
            lines.append(head | scores | cost)
    return lines


def _knobs_of(content: dict) -> dict:
    single = (str, int, float, bool, type(None))
    return {k: v for k, v in content["settings"].items() if isinstance(v, single)}


def _seen_before(name: str, content: dict, seen: dict) -> Problem | None:
    """Say if a setting's runs are in the table already; else remember them."""
    settings = _knobs_of(content)
    settings.pop("seconds", None)
    where = json.dumps(settings, sort_keys=True)
    scores = {
        (where, row["name"], seed): score
        for row in content["rows"]
        for seed, score in zip(row["seeds"], row["accuracy"]["per_seed"])
    }
    again = [key for key in scores if key in seen]
    if not again:
        seen |= {key: (name, score) for key, score in scores.items()}
        return None
    first = seen[again[0]][0]
    if all(seen[key][1] == scores[key] for key in again) and len(again) == len(scores):
        return Problem(name, "duplicate", f"holds the same runs as {first}")
    return Problem(
        name, "conflict", f"holds runs of {first} again, with other numbers or seeds"
    )


def read_sweep(sweep: str | Path, again: str | Path = "runs/sweep04") -> Collection:
    """Read a sweep of one's own, or the one that is shipped with the kit.

    Parameters
    ----------
    sweep : str or Path
        ``"stored"``; ``"run"`` to run the shipped one again on this machine;
        or a folder as for :func:`collect`.
    again : str or Path
        Where ``"run"`` keeps its runs: stopped, it goes on from there.

    Returns
    -------
    Collection
    """
    if sweep == "stored":
        return Collection(pd.read_parquet(STORED))
    if sweep == "run":
        from .sweeps import repeat_stored  # loads slowly, and few need it

        repeat_stored(again)
        return collect(again)
    return collect(sweep)


# ------------------------------------------------------------------ summaries
def summarise(
    table: pd.DataFrame, by: Sequence[str], metric: str = "accuracy"
) -> pd.DataFrame:
    """Average a metric over seeds, with its 95% interval.

    Parameters
    ----------
    table : DataFrame
        From :func:`collect`.
    by : sequence of str
        Columns that name a group, such as ``["temperature", "alpha"]``.
    metric : str, default "accuracy"

    Returns
    -------
    DataFrame
        The columns of `by`, ``mean``, ``low``, ``high`` and ``seeds``.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    missing = [name for name in (*by, metric) if name not in table.columns]
    if missing:
        raise KeyError(f"the table has no column {missing}; it has {list(table)}")
    rows = []
    for names, group in table.groupby(list(by), dropna=False):
        values = group[metric].to_numpy(float)
        around = mean_share_interval if metric in WITHIN_ONE else interval
        low, high = around(values) or (np.nan, np.nan)
        rows.append(
            dict(zip(by, names))
            | {"mean": values.mean(), "low": low, "high": high, "seeds": len(values)}
        )
    return pd.DataFrame(rows)


def pareto_front(points: pd.DataFrame, cost: str, gain: str) -> pd.DataFrame:
    """Keep the points that no other beats in cost and gain at once.

    Parameters
    ----------
    points : DataFrame
    cost : str
        Column in which less is better.
    gain : str
        Column in which more is better.

    Returns
    -------
    DataFrame
        Sorted by cost; points with a missing value are left out.

    Examples
    --------
    >>> points = pd.DataFrame({"mb": [1, 2, 3], "acc": [0.8, 0.7, 0.9]})
    >>> pareto_front(points, "mb", "acc")["mb"].tolist()
    [1, 3]
    """
    known = points.dropna(subset=[cost, gain])
    order = known.sort_values([cost, gain], ascending=[True, False])
    best = order[gain].cummax().shift(fill_value=-np.inf)
    return order[order[gain] > best]
