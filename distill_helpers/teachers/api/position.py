"""Does a model like a class because of its place in the list?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...evaluation.statistics import share_interval
from .prompts import Task
from .teacher import ApiTeacher


@dataclass(frozen=True)
class PositionBias:
    """How answers change when the classes are named from the other end.

    Attributes
    ----------
    texts : int
        Those that were answered both ways.
    flipped : float
        Share of texts whose likeliest class is another one.
    interval : tuple of float
        Its 95% interval (Wilson).
    first : float
        By how much the share of the class that is named first is larger than that of
        the same class named last, on average; 0 without a bias.
    """

    texts: int
    flipped: float
    interval: tuple[float, float]
    first: float


def position_bias(teacher: ApiTeacher, texts: Sequence[str]) -> PositionBias:
    """Ask about texts with the classes in their order and in the reverse.

    Parameters
    ----------
    teacher : ApiTeacher
        Its store keeps both sets of answers, its budget bounds both.
    texts : sequence of str

    Returns
    -------
    PositionBias

    Raises
    ------
    ValueError
        If no text was answered both ways.
    """
    task = teacher.task
    turned = Task(dict(reversed(task.classes.items())), task.task, task.examples)
    ways = [
        replace(teacher.questions, task=one, shuffle=False) for one in (task, turned)
    ]
    plain, other = (teacher.with_questions(way).ask(list(texts)) for way in ways)
    both = [
        (a.shares, b.shares[::-1])
        for a, b in zip(plain, other)
        if a.shares is not None and b.shares is not None
    ]
    if not both:
        raise ValueError("texts: the model answered none of them in both orders")
    one, two = (np.array(side) for side in zip(*both))
    flips = int((one.argmax(1) != two.argmax(1)).sum())
    first = ((one[:, 0] - two[:, 0]) + (two[:, -1] - one[:, -1])) / 2
    low, high = share_interval(flips, len(both))
    return PositionBias(len(both), flips / len(both), (low, high), float(first.mean()))
