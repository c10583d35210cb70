"""What belongs to one lesson alone: its folder ``lNN`` and what is known of it.

Each folder holds ``lesson.toml`` beside the lesson's exercises; an appendix has
no exercises, so it has only its file in ``appendices``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

from ..arguments import did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LESSONS = __package__
"""The package of which each lesson's folder is a part."""

HERE = Path(__file__).parent
T = TypeVar("T")


class FactsError(ValueError):
    """What is written of a lesson cannot be read, or something is missing."""


@dataclass(frozen=True)
class Refusal:
    """Parameters that a lesson must refuse.

    Attributes
    ----------
    given : mapping of str to object
        Parameters and their bad values.
    says : str
        Words that the refusal must hold.
    """

    given: Mapping[str, object]
    says: str


@dataclass(frozen=True)
class LessonFacts:
    """What is known of a lesson without running it.

    Attributes
    ----------
    notebook : str
        The file's name without its ending.
    purpose : str
        What the reader does in it, as the README's table says.
    title : str
        Its place on the start page's map; an appendix without one is not on it.
    short : mapping of str to object
        Parameters of a run that is quick and still reaches every cell.
    bad_parameters : tuple of Refusal
        What its guard must refuse.
    prose : mapping of str to str
        Figures of the text that no cell prints, and why no run makes them false.
    most_seconds : float or None
        What the lesson promises to take at most, where it promises that.
    """

    notebook: str
    purpose: str
    title: str = ""
    short: Mapping[str, object] = field(default_factory=dict)
    bad_parameters: tuple[Refusal, ...] = ()
    prose: Mapping[str, str] = field(default_factory=dict)
    most_seconds: float | None = None

    @property
    def key(self) -> str:
        """``"03"`` of ``"03_imdb_distillation"``; ``"appendix"``."""
        return self.notebook.partition("_")[0]


def lesson_folders() -> list[Path]:
    """Return the folder of each lesson, in the lessons' order.

    A folder is a lesson's as soon as it holds what is known of the lesson.
    """
    return sorted(path.parent for path in HERE.glob("l[0-9][0-9]/lesson.toml"))


def lessons() -> list[LessonFacts]:
    """Return what is known of each lesson, in the lessons' order."""
    return [read_lesson(folder / "lesson.toml") for folder in lesson_folders()]


def appendices() -> list[LessonFacts]:
    """Return what is known of each appendix."""
    return [read_lesson(path) for path in sorted(HERE.glob("appendices/*.toml"))]


def read_lesson(path: Path) -> LessonFacts:
    """Read one ``lesson.toml``.

    Raises
    ------
    FactsError
        If the file is missing or no TOML, lacks a key, or has one that nobody
        reads; the message names file and key.
    """
    where, given = _read(path)
    refusals = given.pop("bad_parameters", [])
    facts = _made(where, given, LessonFacts)
    made = [_made(f"{where}, bad_parameters", r, Refusal) for r in refusals]
    return replace(facts, bad_parameters=tuple(made))


def read_table(path: Path, kind: type[T]) -> dict[str, T]:
    """Read a TOML file whose every table is one object of a dataclass.

    Raises
    ------
    FactsError
        As `read_lesson`.
    """
    where, given = _read(path)
    return {name: _made(f"{where}, {name}", t, kind) for name, t in given.items()}


def _read(path: Path) -> tuple[str, dict]:
    where = "/".join(path.parts[-2:])
    try:
        return where, tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FactsError(f"{where} cannot be read: {error}") from error


def _made(where: str, given: Mapping, kind: type[T]) -> T:
    known = {f.name: f for f in fields(kind)}
    for key in given:
        if key not in known:
            hint = did_you_mean(key, known, after=" ")
            raise FactsError(
                f"{where}: unknown key {key!r}: {hint}Known: {', '.join(known)}"
            )
    for key, wanted in known.items():
        needed = wanted.default is MISSING and wanted.default_factory is MISSING
        if needed and given.get(key) in (None, ""):
            raise FactsError(f"{where}: the key {key!r} is missing or empty")
    return kind(**given)
