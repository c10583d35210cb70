"""Stories with a running total: problems whose answer takes several steps."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ...arguments import check_whole

LEAST, MOST = 10, 99
"""Every total on the way lies between these."""
MARK = "#"
"""Behind it stands the answer."""

NAMES = ("Anna", "Ben", "Carla", "Dan", "Emma", "Finn", "Greta", "Hugo")
THINGS = ("apples", "books", "coins", "eggs", "figs", "pears", "shells", "stamps")
TOLD = {
    "+": ("finds {}", "gets {}", "buys {}"),
    "-": ("loses {}", "eats {}", "sells {}"),
    "*": ("has {} times that",),
    "/": ("keeps one in {}",),
}
SMALL, FACTORS = range(2, 10), range(2, 5)
"""What is added or taken away, and what a total is multiplied or divided by."""
_OFTEN = "++--*/"
"""Sums and differences are drawn twice as often as the others."""


class NotEnoughStoriesError(ValueError):
    """There are not so many different sums."""


@dataclass(frozen=True)
class Story:
    """A start and what happens then.

    Attributes
    ----------
    start : int
    operations : tuple of (str, int)
        Signs and numbers, such as ``(("+", 7), ("/", 2))``.
    prompt : str
        All of it told in words, and the question.

    Examples
    --------
    >>> Story(71, (("+", 7), ("/", 2)), "...").completion
    '71 + 7 = 78 ; 78 / 2 = 39 # 39'
    """

    start: int
    operations: tuple[tuple[str, int], ...]
    prompt: str

    @property
    def completion(self) -> str:
        """The steps one by one, and the answer behind the mark."""
        steps, total = [], self.start
        for sign, number in self.operations:
            after = _applied(total, sign, number)
            steps.append(f"{total} {sign} {number} = {after}")
            total = after
        return " ; ".join(steps) + f" {MARK} {total}"

    @property
    def bare(self) -> str:
        """The answer behind the mark, without a step."""
        return f"{MARK} {self.answer}"

    @property
    def sum(self) -> tuple[str, str]:
        """The first step as a sum of its own: ``("71 + 7 =", "78")``."""
        step = self.completion.split(f" {MARK}")[0].split(" ;")[0]
        left, _, right = step.partition("= ")
        return f"{left}=", right

    @property
    def answer(self) -> str:
        """The last total."""
        return self.completion.rpartition(f"{MARK} ")[2]

    @property
    def key(self) -> tuple:
        """What two stories must not share: the same sum told in other words."""
        return self.start, self.operations


def draw_stories(
    seed: int | str,
    steps: Sequence[int],
    count: int,
    taken: Collection[tuple] = (),
) -> list[Story]:
    """Draw stories of which no two, and none of those taken, are one sum.

    Parameters
    ----------
    seed : int or str
        The same stories on every machine.
    steps : sequence of int
        Numbers of operations, each as likely.
    count : int
    taken : collection of tuple
        The keys of stories that stand elsewhere, such as those of a test.

    Returns
    -------
    list of Story

    Raises
    ------
    NotEnoughStoriesError
        If a thousand draws in a row brought nothing new.
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> test = draw_stories(1, [2, 3], 50)
    >>> train = draw_stories(2, [2, 3], 50, {story.key for story in test})
    >>> len({story.key for story in test + train})
    100
    """
    check_whole("count", count, least=1)
    if not steps:
        raise ValueError("steps must hold at least one number of operations, got none")
    for number in steps:
        check_whole("steps", number, least=1)
    seen, found, idle = set(taken), [], 0
    for story in _endless(seed, steps):
        idle += 1
        if story.key not in seen:
            seen.add(story.key)
            found.append(story)
            idle = 0
        if len(found) == count:
            return found
        if idle == 1000:
            break
    raise NotEnoughStoriesError(
        f"only {len(found)} of {count} stories with {list(steps)} operations were found"
        f" that differ from each other and from {len(seen) - len(found)} taken ones:"
        " ask for fewer, or for more operations"
    )


def every_step(seed: int | str) -> list[Story]:
    """Return every story with one operation once, in an order of chance.

    Parameters
    ----------
    seed : int or str
        Draws the order and the words.

    Returns
    -------
    list of Story
    """
    draw = random.Random(f"steps {seed}")
    steps = [
        (start, ((sign, number),))
        for start in range(LEAST, MOST + 1)
        for sign in TOLD
        for number in _numbers(start, sign)
    ]
    draw.shuffle(steps)
    return [Story(start, step, _told(draw, start, step)) for start, step in steps]


def _endless(seed: int | str, steps: Sequence[int]) -> Iterator[Story]:
    draw = random.Random(f"stories {seed}")
    while True:
        start = total = draw.randint(LEAST, MOST)
        operations = []
        for _ in range(draw.choice(steps)):
            sign = draw.choice([s for s in _OFTEN if _numbers(total, s)])
            number = draw.choice(_numbers(total, sign))
            operations.append((sign, number))
            total = _applied(total, sign, number)
        yield Story(start, tuple(operations), _told(draw, start, operations))


def _told(draw: random.Random, start: int, operations) -> str:
    name, thing = draw.choice(NAMES), draw.choice(THINGS)
    sentences = [f"{name} has {start} {thing} ."]
    for sign, number in operations:
        sentences.append(f"{draw.choice(TOLD[sign]).format(number)} .")
    return " ".join([*sentences, "how many ?"])


def _numbers(total: int, sign: str) -> list[int]:
    """Return the numbers that keep a total in bounds."""
    if sign == "+":
        return [k for k in SMALL if total + k <= MOST]
    if sign == "-":
        return [k for k in SMALL if total - k >= LEAST]
    if sign == "*":
        return [k for k in FACTORS if total * k <= MOST]
    return [k for k in FACTORS if total % k == 0 and total // k >= LEAST]


def _applied(total: int, sign: str, number: int) -> int:
    if sign == "+":
        return total + number
    if sign == "-":
        return total - number
    return total * number if sign == "*" else total // number
