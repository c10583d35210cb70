"""In which order a student meets its texts, and how fast it meets more of them.

A curriculum has two parts that are easily taken for one [1]_: an *order*, easy first
say, and a *pacing*, which lets the student choose from ever more of the texts. A small
set that grows is a change by itself; so the control is a random order with the same
pacing.

References
----------
.. [1] X. Wu, E. Dyer, B. Neyshabur, "When do curricula work?", ICLR 2021,
   arXiv:2012.03107.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from torch.utils.data import Sampler

from ..arguments import check_choice, check_number, check_whole
from ..data.encoding import EncodedReviews
from ..data.labels import ONE_LABEL
from .checks import check_way
from .weighting import CERTAINTIES, certainty

DIFFICULTY = "teacher_difficulty"
"""The column of a data set that says how hard each text is."""
ORDERS = ("easy_first", "hard_first", "random")
Pacing = Callable[[float], float]
"""From the share of the training that is done to the share of the texts in use."""
_STEEP = 10.0
_GROWTHS: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "root": math.sqrt,
    "quadratic": lambda x: x**2,
    "exponential": lambda x: math.expm1(_STEEP * x) / math.expm1(_STEEP),
    "step": math.floor,
}
PACINGS = tuple(_GROWTHS)
DEFAULTS = {
    "difficulty": "margin",
    "pacing": "linear",
    "start": 0.2,
    "full_at": 0.8,
}
"""Options of a curriculum."""


def pacing(name: str = "linear", start: float = 0.2, full_at: float = 0.8) -> Pacing:
    """Make a pacing function.

    Parameters
    ----------
    name : {"linear", "root", "quadratic", "exponential", "step"}, default "linear"
        How the share grows between `start` and 1; "step" waits and jumps.
    start : float, default 0.2
        The share of the texts in use at first; above 0, at most 1.
    full_at : float, default 0.8
        The share of the training after which all texts are in use; above 0, at most
        1. So the student has met every text before the end.

    Returns
    -------
    callable
        From [0, 1] to [start, 1]; never falls, and is 1 from `full_at` on.

    Raises
    ------
    TypeError, ValueError
        If there is no such function, or a share is out of range.

    Examples
    --------
    >>> grow = pacing("linear", start=0.2, full_at=0.5)
    >>> [round(grow(done), 3) for done in (0, 0.25, 0.5, 1)]
    [0.2, 0.6, 1.0, 1.0]
    """
    growth = _GROWTHS[check_choice("pacing", name, PACINGS)]
    for what, share in (("start", start), ("full_at", full_at)):
        check_number(what, share, above=0, most=1)

    def grown(done: float) -> float:
        if done >= full_at:
            return 1.0
        return start + (1 - start) * growth(max(0.0, done) / full_at)

    return grown


def check_pacing(pace: Pacing, looks: int = 1_000) -> None:
    """Raise unless a pacing function of one's own is one.

    Parameters
    ----------
    pace : callable
    looks : int, default 1000
        Places at which it is looked at.

    Raises
    ------
    ValueError
        If it leaves (0, 1], falls somewhere, or never lets all texts in.
    """
    shares = [float(pace(place / looks)) for place in range(looks + 1)]
    wrong = [share for share in shares if not 0 < share <= 1]
    if wrong:
        raise ValueError(f"pacing must stay above 0 and at most 1, got {wrong[0]!r}")
    falls = [place for place in range(looks) if shares[place + 1] < shares[place]]
    if falls:
        place = falls[0]
        raise ValueError(
            f"pacing must never fall, got {shares[place]:g} at {place / looks:g} of the"
            f" training and {shares[place + 1]:g} after it"
        )
    if shares[-1] < 1:
        raise ValueError(
            f"pacing must reach 1 by the end of the training, got {shares[-1]:g}: some"
            " texts would never be read"
        )


def curriculum_order(
    difficulty: Sequence[float], order: str = "easy_first", seed: int = 0
) -> np.ndarray:
    """Say in which order texts come into use.

    Parameters
    ----------
    difficulty : sequence of float
        One a text; the easiest has the smallest.
    order : {"easy_first", "hard_first", "random"}, default "easy_first"
    seed : int, default 0
        Of the random order, and of the order of texts that are equally hard.

    Returns
    -------
    ndarray of int, shape (texts,)
        Their rows.

    Raises
    ------
    TypeError, ValueError
        If there is no such order, or a difficulty is not finite.

    Examples
    --------
    >>> curriculum_order([0.3, 0.1, 0.2]).tolist()
    [1, 2, 0]
    """
    check_choice("order", order, ORDERS)
    check_whole("seed", seed, least=0)
    hard = np.asarray(difficulty, np.float64)
    if hard.ndim != 1 or not np.isfinite(hard).all():
        raise ValueError(
            "difficulty must hold a finite number for each text, got the shape"
            f" {hard.shape} with {int((~np.isfinite(hard)).sum())} that are not finite"
        )
    chance = np.random.default_rng(seed).permutation(len(hard))
    if order == "random":
        return chance
    sign = 1 if order == "easy_first" else -1
    return chance[np.argsort(sign * hard[chance], kind="stable")]


class CurriculumSampler(Sampler):
    """Draw each update's texts from those that are in use by then.

    Parameters
    ----------
    order : sequence of int
        From :func:`curriculum_order`.
    pace : callable
        From :func:`pacing`.
    batch_size : int
        Texts an update reads; at least so many are in use.
    updates : int
        Of the whole training.
    seed : int

    Notes
    -----
    An epoch has as many texts as there are, some of them twice while few are in use.
    The texts in use are shuffled anew whenever they are used up or have become more.
    The order hangs on nothing but the arguments and the epoch, so that a resumed run
    sees the batches that the interrupted one would have seen.
    """

    def __init__(
        self,
        order: Sequence[int],
        pace: Pacing,
        batch_size: int,
        updates: int,
        seed: int,
    ) -> None:
        self.order = np.asarray(order)
        self.pace = pace
        self.batch_size = check_whole("batch_size", batch_size, least=1)
        self.updates = check_whole("updates", updates, least=1)
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.order)

    def in_use(self, update: int) -> int:
        """Return how many texts an update may read, counted from 0."""
        last = max(1, self.updates - 1)
        share = self.pace(min(1.0, update / last))
        return min(len(self), max(self.batch_size, round(share * len(self))))

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        first = self.epoch * math.ceil(len(self) / self.batch_size)
        waiting, used, left = np.empty(0, int), 0, len(self)
        for update in range(first, first + math.ceil(len(self) / self.batch_size)):
            count = self.in_use(update)
            wanted = min(self.batch_size, left)
            if count > used or len(waiting) < wanted:
                waiting, used = rng.permutation(self.order[:count]), count
            yield from waiting[:wanted].tolist()
            waiting, left = waiting[wanted:], left - wanted


def with_difficulty(
    reads: EncodedReviews, difficulty: Sequence[float]
) -> EncodedReviews:
    """Say how hard each text is, for a curriculum that shall not ask the teacher.

    Parameters
    ----------
    reads : EncodedReviews
    difficulty : sequence of float
        One a text; the easiest has the smallest.

    Returns
    -------
    EncodedReviews
        A new one with the column ``teacher_difficulty``; `reads` stays as it is.

    Raises
    ------
    ValueError
        If there is not a finite number for each text.
    """
    values = np.asarray(difficulty, np.float64)
    curriculum_order(values)  # or refuse
    return reads.changed(**{DIFFICULTY: values})


def difficulty_of(
    reads: EncodedReviews, how: str, problem_type: str = ONE_LABEL
) -> np.ndarray:
    """Return how hard each text is: as was said, or as unsure as the teacher is.

    Parameters
    ----------
    reads : EncodedReviews
    how : str
        A name of :data:`~distill_helpers.training.weighting.CERTAINTIES`.
    problem_type : str

    Returns
    -------
    ndarray of float64, shape (texts,)

    Raises
    ------
    ValueError
        If nobody says it.
    """
    if DIFFICULTY in reads.tensors:
        return reads.tensors[DIFFICULTY]
    if reads.teacher_logits is None:
        raise ValueError(
            "curriculum needs to know how hard each text is: train on data with the"
            " teacher's logits, or say it yourself by with_difficulty(reads, numbers)"
        )
    return 1 - certainty(how, reads.teacher_logits, problem_type=problem_type)


def check_curriculum(order: str | None, options: Mapping | None) -> dict:
    """Return the options of a curriculum, with their defaults.

    Parameters
    ----------
    order : str or None
        One of :data:`ORDERS`.
    options : mapping or None
        ``difficulty``, and those of :func:`pacing` (its name as ``pacing``).

    Raises
    ------
    TypeError, ValueError
        The message names the argument of the config.
    """
    found = DEFAULTS | check_way("curriculum", order, options, ORDERS, DEFAULTS)
    check_choice("difficulty", found["difficulty"], CERTAINTIES)
    pacing(found["pacing"], found["start"], found["full_at"])
    return found
