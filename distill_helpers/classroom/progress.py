"""What a class has done so far, from the files that its learners hand in.

Each learner copies ``runs/progress.json`` into one folder: under the learner's
own name (``ada.json``), or in a folder of that name (``ada/progress.json``). No
account and no server are needed::

    distill-kit class handed_in --csv class.csv

A file that cannot be used is named with the reason; none is counted silently.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from ..arguments import CommandLine
from ..files import fresh_path
from ..foreign import ForeignFileError, parse_json, plain, read_text, shown
from ..lessons.exercises.engine import Entry
from ..lessons.exercises.notebook_api import all_entries
from ..lessons.exercises.outcomes import CORRECT
from ..lessons.exercises.record import EXERCISES, VERSION, moment
from .handed_in import files_in, same_name, seen_name, write_table

ALL = "all"
# Names that every kit gives, so that they name no learner.
_NAMELESS = re.compile(r"(progress|runs)([ _-]*\(?\d+\)?)?", re.I)
_BESIDE = (".lock", ".tmp")  # what the kit leaves next to a progress file


@dataclass(frozen=True)
class ClassProgress:
    """What a class has done.

    Attributes
    ----------
    table : DataFrame
        One line for each learner (the index), one column for each lesson and
        one, ``"all"``, for their sum: exercises that are done.
    exercises : DataFrame
        One line for each exercise (the index), the hardest first: ``lesson``,
        ``kind``, ``solved`` and ``tried`` (learners), ``attempts`` (their mean
        over those who tried). The hardest has the least share of solvers among
        those who tried, then the most attempts; what nobody tried comes last.
    problems : DataFrame
        One line for each file with something to say about: ``file``, ``kind``
        and ``reason``. Kinds: ``"empty"``, ``"damaged"``, ``"foreign"`` (of
        another version), ``"duplicate"``; these files are not counted.
        ``"unknown"``: the file is counted, apart from the exercises named.
    """

    table: pd.DataFrame
    exercises: pd.DataFrame
    problems: pd.DataFrame

    def __str__(self) -> str:
        return "\n\n".join(
            [
                _titled("Done, by learner and lesson", _with_sizes(self)),
                _titled("Exercises, the hardest first", _in_words(self.exercises)),
                *_problem_lines(self.problems),
            ]
        )


def collect_progress(folder: str | Path) -> ClassProgress:
    """Read every progress file below a folder.

    A learner's name is the file's, or its folder's where the file is called
    ``progress``. Of two files of one learner the one that was changed last
    counts, and the other is named.

    Parameters
    ----------
    folder : str or Path
        Files may have any name and lie in sub-folders. Hidden files and the
        kit's own ``.lock`` files are passed over.

    Returns
    -------
    ClassProgress

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no usable file in it.

    Examples
    --------
    >>> import json, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> done = {"02.kd_loss": {"status": "correct", "attempts": 2}}
    >>> content = json.dumps({"version": 1, "exercises": done})
    >>> _ = (folder / "ada.json").write_text(content)
    >>> int(collect_progress(folder).table.loc["ada", "02"])
    1
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"FOLDER {str(folder)!r} must be a folder; it is none")
    entries = all_entries()
    records, problems = _read_all(folder)
    records = _one_of_each(records, problems)
    if not records:
        reasons = "; ".join(f"{p['file']}: {p['reason']}" for p in problems)
        raise FileNotFoundError(
            f"FOLDER {str(folder)!r} holds no progress file that can be used:"
            f" {reasons or 'no file at all'}"
        )
    problems += _unknown(records, {entry.key for entry in entries})
    learners = {_learner(file): record for file, record in records.items()}
    learners = dict(sorted(learners.items(), key=lambda pair: pair[0].casefold()))
    frame = pd.DataFrame(problems, columns=["file", "kind", "reason"])
    return ClassProgress(
        _table(learners, entries),
        _exercises(learners, entries),
        frame.sort_values("file", ignore_index=True),
    )


# -------------------------------------------------------------------- reading
def _read_all(folder: Path) -> tuple[dict[Path, dict], list[dict]]:
    """Return the usable records by their path inside `folder`, and problems."""
    found, odd = files_in(folder)
    problems = [_problem(path, "damaged", reason) for path, reason in odd]
    records = {}
    for path in found:
        if path.suffix in _BESIDE:
            continue
        kind, reason, exercises = _read(folder / path)
        if kind:
            problems.append(_problem(path, kind, reason))
        else:
            records[path] = exercises
    return records, problems


def _problem(file: Path, kind: str, reason: str) -> dict[str, str]:
    return {"file": plain(file.as_posix()), "kind": kind, "reason": reason}


def _read(path: Path) -> tuple[str, str, dict[str, dict]]:
    """Return what makes a file useless, and why, or its exercises."""
    try:
        text = read_text(path)
        if not text.strip():
            return "empty", "the file is empty", {}
        content = parse_json(text)
        if not isinstance(content, dict) or "version" not in content:
            return "damaged", "is no progress file", {}
        seen = content["version"]
        if type(seen) is not int or seen != VERSION:
            return "foreign", f"version must be {VERSION}, it is {shown(seen)}", {}
        exercises = content.get("exercises")
        EXERCISES(exercises, "exercises")
    except (ForeignFileError, FileNotFoundError) as error:
        return "damaged", str(error), {}
    return ("", "", exercises) if exercises else ("empty", "no exercise was tried", {})


def _learner(file: Path) -> str:
    """Return the nearest name, from the file upwards, that is a learner's."""
    names = [file.stem if file.suffix else file.name, *reversed(file.parts[:-1])]
    named = [name for name in names if not _NAMELESS.fullmatch(seen_name(name))]
    name = named[0] if named else names[0]
    return seen_name(name) or plain(name)


def _one_of_each(records: dict[Path, dict], problems: list[dict]) -> dict[Path, dict]:
    """Keep one file of each learner and of each content; name the others."""
    by_learner: dict[str, Path] = {}
    newest_first = sorted(records)  # of files of one moment, the first by name
    newest_first.sort(key=lambda file: _changed(records[file]), reverse=True)
    for file in newest_first:
        first = by_learner.setdefault(same_name(_learner(file)), file)
        if first != file:
            same = records[file] == records[first]
            how = "holds the same as" if same else "is of the same learner as the newer"
            reason = f"{how} {plain(first.as_posix())}"
            problems.append(_problem(file, "duplicate", reason))
    kept: dict[Path, dict] = {}
    for file in sorted(by_learner.values()):
        twin = next((f for f in kept if kept[f] == records[file]), None)
        if twin is None:
            kept[file] = records[file]
        else:
            reason = f"holds the same, to the second, as {plain(twin.as_posix())}"
            problems.append(_problem(file, "duplicate", reason))
    return kept


def _changed(record: dict) -> datetime:
    return max(moment(known.get("when", "")) for known in record.values())


def _unknown(records: dict[Path, dict], keys: set[str]) -> list[dict]:
    problems = []
    for file, record in records.items():
        strange = sorted(set(record) - keys)
        if strange:
            names = plain(", ".join(strange))
            reason = f"exercises that this kit does not have: {names}"
            problems.append(_problem(file, "unknown", reason))
    return problems


# --------------------------------------------------------------------- tables
def _table(learners: dict[str, dict], entries: Sequence[Entry]) -> pd.DataFrame:
    lessons = sorted({entry.key[:2] for entry in entries})
    rows = {}
    for name, record in learners.items():
        done = Counter(
            entry.key[:2]
            for entry in entries
            if record.get(entry.key, {}).get("status") == CORRECT
        )
        rows[name] = {lesson: done[lesson] for lesson in lessons}
        rows[name][ALL] = sum(done.values())
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("learner")


def _exercises(learners: dict[str, dict], entries: Sequence[Entry]) -> pd.DataFrame:
    rows = []
    for entry in entries:
        known = [record.get(entry.key, {}) for record in learners.values()]
        tried = [facts for facts in known if facts.get("status")]
        counts = [facts["attempts"] for facts in tried]
        rows.append(
            {
                "exercise": entry.key,
                "lesson": entry.key[:2],
                "kind": type(entry).__name__.lower(),
                "solved": sum(facts["status"] == CORRECT for facts in tried),
                "tried": len(tried),
                "attempts": sum(counts) / len(counts) if counts else float("nan"),
            }
        )
    frame = pd.DataFrame(rows).set_index("exercise")
    share = frame["solved"] / frame["tried"].where(frame["tried"] > 0)
    order = frame.assign(share=share).sort_values(
        ["share", "attempts"], ascending=[True, False], kind="stable"
    )
    return frame.loc[order.index]


# -------------------------------------------------------------------- showing
def _with_sizes(found: ClassProgress) -> pd.DataFrame:
    """Return the table with the number of all exercises in each heading."""
    sizes = found.exercises.groupby("lesson").size()
    sizes[ALL] = sizes.sum()
    return found.table.rename(columns=lambda name: f"{name} (of {sizes[name]})")


def _in_words(exercises: pd.DataFrame) -> pd.DataFrame:
    shown = exercises.drop(columns="lesson")
    attempts = shown["attempts"].map(lambda n: "-" if pd.isna(n) else f"{n:.1f}")
    return shown.assign(attempts=attempts)


def _titled(title: str, frame: pd.DataFrame) -> str:
    return f"{title}\n\n{frame.rename_axis(None).to_string()}"


def _problem_lines(problems: pd.DataFrame) -> list[str]:
    lines = [f"{p.kind}: {p.file}: {p.reason}" for p in problems.itertuples()]
    return ["\n".join(["Files to look at", "", *lines])] if lines else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Show a class's progress and, if wanted, keep its table as CSV."""
    parser = CommandLine(
        prog="distill-kit class", description="Show what a class has done."
    )
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--csv", metavar="FILE", help="keep the learners' table")
    options = parser.parse_args(arguments)
    try:
        target = fresh_path(options.csv) if options.csv else None
        found = collect_progress(options.folder)
        print(found)
        if target:
            write_table(found.table, target)
    except (FileNotFoundError, FileExistsError) as error:
        raise SystemExit(f"error: {error}") from None
    return 0
