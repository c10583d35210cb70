"""The teacher that a lesson's parameter names, for whatever file the reader has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..data.class_order import ClassNamesError
from ..data.reviews import ReviewDict
from ..own_data.request import MAKE
from ..teachers.base import Teacher
from ..teachers.making import make_teacher
from ..teachers.opening import SHIPPED, SMALL, open_teacher
from ..teachers.ordering import innermost
from .parameters import ParameterError

CACHE = Path("runs", "teacher_cache")


def open_guide(
    teacher: str,
    reviews: ReviewDict,
    *,
    class_names: Mapping | None = None,
    values: str | None = None,
    seed: int = 0,
    cache: str | Path = CACHE,
) -> Teacher:
    """Open or make the teacher, its classes in the order of the data set.

    Parameters
    ----------
    teacher : str
        ``"shipped"``, ``"make"``, a table of soft targets, or the folder or Hub id
        of a saved classifier.
    reviews : ReviewDict
        Their classes; a made teacher learns from the ``train`` part.
    class_names : mapping, optional
        From the teacher's names or numbers to those of the data, where they differ.
    values : {"probabilities", "logits"}, optional
        What the numbers of a table are.
    seed : int, default 0
        Of a made teacher.
    cache : str or Path
        Where answers are remembered.

    Returns
    -------
    Teacher

    Raises
    ------
    ParameterError
        If the texts have several labels each, which the lessons do not teach.
    ClassNamesError
        If the teacher's classes are not those of the data.
    """
    if reviews.problem_type != "single_label_classification":
        raise ParameterError(
            f"source={reviews.report.source!r} has several labels a text; the lessons"
            " are about one. notebooks/own_data.ipynb and `python -m distill_helpers"
            " distill` take several"
        )
    if teacher == MAKE:
        return make_teacher(reviews, seed=seed, cache=cache)
    options = {} if values is None else {"values": values}
    names = reviews.label_names
    try:
        return open_teacher(
            teacher, cache, label_names=names, mapping=class_names, **options
        )
    except ClassNamesError as error:
        raise ClassNamesError(f"{error}. {_way_out(teacher)}") from error


def _way_out(teacher: str) -> str:
    if teacher in (SHIPPED, SMALL):
        return (
            f"The {teacher} teacher knows film reviews alone: teacher='make' makes one of"
            " your labels; a saved classifier's folder or Hub id, or a table of soft"
            " targets, will do as well"
        )
    return "In a lesson, the parameter class_names is that mapping"


def by_seed(
    guide: Teacher,
    drawn: Mapping[int, ReviewDict],
    teacher: str,
    *,
    cache: str | Path = CACHE,
) -> dict[int, Teacher]:
    """Give each seed its teacher.

    A made teacher learns from the labels that its seed draws and from no other:
    else the distilled student would profit from labels that its control never saw.
    Any other teacher is the same for all.

    Parameters
    ----------
    guide : Teacher
        That of the first seed.
    drawn : mapping of int to ReviewDict
        What each seed draws.
    teacher : str
        As for :func:`open_guide`.
    cache : str or Path

    Returns
    -------
    dict of int to Teacher
    """
    found = dict.fromkeys(drawn, guide)
    if teacher == MAKE:
        for seed in list(drawn)[1:]:
            found[seed] = open_guide(teacher, drawn[seed], seed=seed, cache=cache)
    return found


def stands_in(guide: Teacher, twin: Teacher, teacher: str) -> bool:
    """Say whether what was timed is neither the teacher nor of its shape.

    Parameters
    ----------
    guide : Teacher
        Who answers.
    twin : Teacher
        What was timed, from :func:`~distill_helpers.teachers.timed_teacher`.
    teacher : str
        As for :func:`open_guide`.

    Returns
    -------
    bool
        True for a table and for a made linear teacher: whatever is claimed of
        their size and speed cannot be tested here.
    """
    return teacher != SHIPPED and innermost(guide) is not twin


def timed_on(guide: Teacher, twin: Teacher, teacher: str) -> str:
    """Say in words what a teacher's size and speed were measured on.

    Parameters
    ----------
    guide, twin, teacher
        As for :func:`stands_in`.

    Returns
    -------
    str
        For the notes of a row.
    """
    if stands_in(guide, twin, teacher):
        return (
            "size and speed: not its own, but those of an encoder of the shipped"
            " teacher's shape, for it is no network that could be timed here"
        )
    shipped = teacher == SHIPPED
    return "size and speed: " + ("one encoder of its shape" if shipped else "its own")
