"""Many small result files, one tidy table: a sweep's, or a whole class's.

A folder may be that of a sweep (:mod:`distill_helpers.classroom.sweeps`) or one into
which thirty learners dropped a ``results.json`` each, under any name. Files
that cannot be used are named with the reason; none is averaged in silently.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..evaluation.metrics import WITHIN_ONE, stored_metrics
from ..evaluation.statistics import interval, mean_share_interval
from ..foreign import (
    ForeignFileError,
    Shape,
    anything,
    either,
    list_of,
    mapping_of,
    number,
    one_of,
    optional,
    plain,
    read_json,
    record,
    shown,
    text,
    whole,
)
from ..lessons.parameters import ParameterError
from ..places import RESULTS
from .handed_in import files_in
from .settings import PLAN, Setting, read_plan

STORED = RESULTS / "lesson04_sweep.parquet"
SAME_FOR_ALL = ("format", "kit", "data", "lesson")
COSTS = ("parameters", "bytes_on_disk", "median_ms", "reviews_per_second")
_SWEEPS_OWN = ("failed", "scratch")  # folders of a sweep that hold no result


# ---------------------------------------------------------- shape of a result
# A spreadsheet takes their wide twins (U+FF1D and so on) for formulas as well.
_NAME = text(
    r"(?![\s=+@\uff1d\uff0b\uff20\uff0d-]).+",
    "a text that does not begin with = + - @",
    200,
)
_WORDS = text(
    r"(?![=+@\uff1d\uff0b\uff20\uff0d]|-(?!\d)).*",
    "a text that does not begin with = + - @",
)


def _knob_name(value: object, where: str) -> None:
    _NAME(value, where)
    if value in {"file", "model", *stored_metrics(), *COSTS}:
        raise ForeignFileError(f"{where} must be no column's of its own: {value!r}")


def _score(metric: str) -> Shape:
    """The values of one metric, one per seed."""
    one = number(0, 1) if metric in WITHIN_ONE else number()
    return record({"per_seed": list_of(one, least=1, most=1_000)})


def _result() -> Shape:
    """What every ``results.json`` of a lesson is; metrics may have been added."""
    scores = {metric: _score(metric) for metric in stored_metrics()}
    cost = record({}, {name: optional(number(least=0)) for name in COSTS})
    row = record(
        {"name": _NAME, "seeds": list_of(whole(0, 2**64 - 1), most=1_000)},
        scores | {"cost": optional(cost)},
    )
    single = either(one_of(True, False, None), number(), _WORDS)
    knob = either(list_of(anything), mapping_of(anything), single)
    return record(
        {"settings": mapping_of(knob, _knob_name, 1_000), "rows": list_of(row, 1, 999)},
        {name: optional(either(whole(), _WORDS)) for name in SAME_FOR_ALL},
    )


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
    paths, problems = _result_files(folder)
    read = {}
    for path in paths:
        name = _shown_path(path)
        try:
            read[name] = read_result(folder / path)
        except (ValueError, FileNotFoundError) as error:
            problems.append(Problem(name, "damaged", str(error)))
    if not read:
        raise FileNotFoundError(
            f"{str(folder)!r} holds no usable result: "
            + ("; ".join(map(str, problems)) or "no JSON file at all")
        )
    mark = _mark_of_reference(Path(reference)) if reference else _commonest(read)
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


def _shown_path(path: Path) -> str:
    """Return a path that a terminal shows and no spreadsheet calculates."""
    name = plain(path.as_posix())
    return f"./{name}" if name.startswith(("=", "+", "-", "@")) else name


def read_result(path: Path) -> dict:
    """Read one ``results.json`` and check its shape.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ForeignFileError
        If it is no JSON, too large or nested too deep, or no result of a lesson:
        a ValueError whose message says what was found where.
    """
    try:
        content = read_json(path, _result())
        twice = Counter()
        for place, row in enumerate(content["rows"]):
            _check_lengths(row, f"rows[{place}]")
            twice.update((row["name"], seed) for seed in row["seeds"] or [None])
    except ForeignFileError as error:
        raise ForeignFileError(f"is no result of a lesson: {error}") from error
    (name, seed), times = twice.most_common(1)[0]
    if times > 1:
        raise ForeignFileError(
            f"is no result of a lesson: it holds seed {seed} of {shown(name)} twice"
        )
    return content


def _metrics_of(row: dict) -> list[str]:
    return [metric for metric in stored_metrics() if metric in row]


def _check_lengths(row: dict, where: str) -> None:
    """Every metric has a score for every seed, or one where no seed is named."""
    metrics = _metrics_of(row)
    if not metrics:
        known = ", ".join(stored_metrics())
        raise ForeignFileError(f"{where} must have a score, one of {known}")
    wanted = len(row["seeds"]) or len(row[metrics[0]]["per_seed"])
    for metric in metrics:
        scores = row[metric]["per_seed"]
        if len(scores) != wanted:
            raise ForeignFileError(
                f"{where}.{metric} must have {wanted} scores, one for each seed, got"
                f" {len(scores)}"
            )


def _result_files(folder: Path) -> tuple[list[Path], list[Problem]]:
    """Find what may be a result, by its path inside `folder`, and name the rest."""
    found, odd = files_in(folder)
    problems = [Problem(_shown_path(p), "damaged", reason) for p, reason in odd]
    found = [path for path in found if path.suffix.lower() == ".json"]
    if not os.path.lexists(folder / PLAN):
        return found, problems
    found = [path for path in found if path != Path(PLAN)]
    try:
        plan = read_plan(folder)
    except ParameterError as error:
        if not any(problem.file == PLAN for problem in problems):
            problems.append(Problem(PLAN, "damaged", plain(str(error))))
        return found, problems
    if not (folder / "runs").is_dir():
        reason = "is the plan of a sweep, and none has run here; it was passed over"
        return found, [*problems, Problem(PLAN, "foreign", reason)]
    problems += _planned_but_absent(folder, plan)
    results = [path for path in found if _may_be_result(path)]
    return results, problems


def _may_be_result(path: Path) -> bool:
    """Say if a file of a sweep's folder is a run's result, or was laid beside."""
    if path.parts[0] == "runs":
        return len(path.parts) == 3 and path.name == "results.json"
    return path.parts[0] not in _SWEEPS_OWN


def _planned_but_absent(folder: Path, plan: dict) -> list[Problem]:
    problems = []
    for parameters in plan["settings"]:
        key = Setting(parameters).key
        if (folder / "runs" / key / "results.json").exists():
            continue
        try:
            note = read_json(folder / "failed" / key / "setting.json", _FAILED)
            problems.append(Problem(key, "failed", plain(note["error"])))
        except FileNotFoundError:
            problems.append(Problem(key, "missing", "planned, but not run yet"))
        except ForeignFileError as error:
            problems.append(Problem(key, "failed", f"its setting.json {error}"))
    return problems


def _error_text(value: object, where: str) -> None:
    if not isinstance(value, str):
        raise ForeignFileError(f"{where} must be a text, got {shown(value)}")


_FAILED = record({"error": _error_text})


def _mark_of_reference(path: Path) -> tuple:
    try:
        return _mark(read_result(path))
    except ForeignFileError as error:
        raise ValueError(f"reference {str(path)!r} {error}") from error


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
        f"{name} is {shown(content.get(name))}, the others have {shown(expected)}"
        for name, expected in zip(SAME_FOR_ALL, mark)
        if content.get(name) != expected
    )


def _lines(name: str, content: dict) -> list[dict]:
    settings = _knobs_of(content)
    lines = []
    for row in content["rows"]:
        cost = {key: (row.get("cost") or {}).get(key) for key in COSTS}
        metrics = _metrics_of(row)
        for place in range(len(row[metrics[0]]["per_seed"])):
            scores = {metric: row[metric]["per_seed"][place] for metric in metrics}
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
        for seed, score in zip(row["seeds"], row[_metrics_of(row)[0]]["per_seed"])
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
