"""A teacher by its name."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..data.table_files import is_table_file
from ..places import SOFT_TARGETS
from .api.naming import is_api_name
from .api.opening import api_teacher
from .base import Teacher
from .cached import CachedTeacher
from .live import HuggingFaceTeacher
from .ordering import in_order
from .small import SmallTeacher
from .stored import SoftTargets
from .tables import table_teacher

SHIPPED, SMALL = "shipped", "small"
SHIPPED_CLASSES = ("negative", "positive")
"""In the order of the logits that the kit ships."""


def open_teacher(
    name: str | Path,
    cache: str | Path,
    label_names: Sequence[str] | None = None,
    mapping: Mapping | None = None,
    **options,
) -> Teacher:
    """Open the teacher that a lesson names.

    Parameters
    ----------
    name : str or Path
        ``"shipped"`` for the soft targets that come with the kit; ``"small"`` for
        the live teacher of a hundred kilobytes that learnt from them; a file
        (``.parquet``, ``.csv``, ``.jsonl``, ...) for a table of answers; ``"api:"``
        and a model for a language model behind an API; else the folder or Hub id
        of a saved classifier.
    cache : str or Path
        Where a live teacher's logits are remembered.
    label_names : sequence of str, optional
        The classes of the data, in the order of its class numbers; the teacher's
        logits are put into it. By default they stay in the teacher's own.
    mapping : mapping of (str or int) to str, optional
        From the teacher's names or numbers to those of the data, where they
        differ; see :func:`~distill_helpers.teachers.in_order`.
    **options
        For :class:`~distill_helpers.teachers.live.HuggingFaceTeacher`, or for
        :func:`~distill_helpers.teachers.tables.table_teacher`, such as
        ``values="probabilities"``, or for
        :func:`~distill_helpers.teachers.api.opening.api_teacher`, such as `max_cost`.

    Returns
    -------
    Teacher

    Raises
    ------
    ClassNamesError
        If the classes are not those of the data, or the teacher's have no names.
    OSError, ValueError
        If there is no such teacher, or it cannot be trusted to be one.
    TypeError
        If an option is not one of this kind of teacher.
    """
    name = str(name)
    if name == SHIPPED:
        _check_no_options(name, options)
        files = sorted(SOFT_TARGETS.glob("*.parquet"))
        teacher: Teacher = SoftTargets.load(*files, label_names=SHIPPED_CLASSES)
    elif name == SMALL:
        _check_no_options(name, options)
        teacher = SmallTeacher.load()
    elif is_api_name(name):
        teacher = api_teacher(name, cache, label_names, mapping, **options)
    elif os.path.isfile(name) or (is_table_file(name) and not os.path.isdir(name)):
        return table_teacher(name, label_names, mapping=mapping, **options)
    else:
        live = HuggingFaceTeacher.from_pretrained(name, **options)
        teacher = CachedTeacher(live, cache)
    return in_order(teacher, label_names, mapping)


def _check_no_options(name: str, options: dict) -> None:
    if options:
        raise TypeError(
            f"teacher={name!r} takes no further option, got {list(options)}"
        )
