"""A teacher whose logits stand in the order of somebody else's classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..arguments import check_type
from ..data.class_order import ClassNamesError, class_order, ordered, real_names
from .base import Teacher

__all__ = ["ClassNamesError", "OrderedTeacher", "in_order", "innermost"]


class OrderedTeacher(Teacher):
    """Another teacher's logits, its columns moved.

    Parameters
    ----------
    teacher : Teacher
        Who answers.
    order : sequence of int
        Its column for each class here.
    label_names : sequence of str
        What the classes are called here.
    """

    def __init__(
        self, teacher: Teacher, order: Sequence[int], label_names: Sequence[str]
    ) -> None:
        self.teacher = teacher
        self.order = [int(column) for column in order]
        self.label_names = list(label_names)
        self.num_labels = len(self.order)

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """The teacher's, and the order of its columns unless it is the same."""
        inner = self.teacher.fingerprint
        if self.order == sorted(self.order):
            return inner
        return f"{inner}-columns-{'.'.join(map(str, self.order))}"

    @property
    def problem_type(self) -> str | None:  # type: ignore[override]
        """The teacher's."""
        return self.teacher.problem_type

    @property
    def about(self) -> dict:
        """What the teacher says about itself, if it does."""
        return self.teacher.about

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """See :meth:`Teacher.logits`."""
        return ordered(self.teacher.logits(texts), self.order)

    def knows(self, texts: Iterable[str]) -> np.ndarray:
        """See :meth:`Teacher.knows`."""
        return self.teacher.knows(texts)


def in_order(
    teacher: Teacher,
    label_names: Sequence[str] | None,
    mapping: Mapping | None = None,
) -> Teacher:
    """Give a teacher's logits in the order of the data's classes.

    Parameters
    ----------
    teacher : Teacher
    label_names : sequence of str or None
        The names of the data's classes, in the order of its class numbers. None,
        or names that say nothing, leave the teacher as it is.
    mapping : mapping of (str or int) to str, optional
        From the teacher's name for a class, or its number, to the data's name:
        where they use other words, or the teacher has no names. What it leaves
        out keeps its name.

    Returns
    -------
    Teacher
        `teacher` itself where its classes stand in this order under these names.

    Raises
    ------
    ClassNamesError
        If the names do not match, or the teacher's are missing or only
        ``LABEL_0``, ``LABEL_1``, ...; the message shows both lists.

    Examples
    --------
    >>> import numpy as np
    >>> class Length(Teacher):
    ...     num_labels, fingerprint, label_names = 2, "length", ["short", "long"]
    ...     def logits(self, texts):
    ...         return np.array([[-len(t), len(t)] for t in texts], np.float32)
    >>> in_order(Length(), ["long", "short"]).logits(["four"]).tolist()
    [[4.0, -4.0]]
    """
    check_type("teacher", teacher, Teacher, "a Teacher")
    if isinstance(label_names, str):
        raise TypeError(f"label_names must be a list of names, got {label_names!r}")
    if mapping is not None:
        check_type("mapping", mapping, Mapping, "a mapping of names to names, or None")
    wanted = None if label_names is None else [str(name) for name in label_names]
    own = teacher.label_names
    if wanted is None or (own and not mapping and not real_names(wanted)):
        return teacher
    order = class_order(own, wanted, count=teacher.num_labels, mapping=mapping)
    if order == list(range(len(order))) and own == wanted:
        return teacher
    return OrderedTeacher(teacher, order, wanted)


def innermost(teacher: Teacher) -> Teacher:
    """Return who answers in the end, below caches and orders."""
    while isinstance(getattr(teacher, "teacher", None), Teacher):
        teacher = teacher.teacher
    return teacher
