"""Which mistake is made in an epsilon, in noisy votes and in an attack's AUC."""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real

import torch

from ..exercises.answers import call
from ..exercises.outcomes import Incorrect
from . import mistakes_of_trust as known
from .mistakes import describe
from .probes import name_mistakes

ORDERS = (1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
QUERIES, TEACHERS, NOISE = 400, 30, 4.0
_CLOSE = (0.2, 0.45)  # share of turned votes at 16 to 14, which is 0.36


def number(value, what: str) -> float:
    """Return one number, or say what was given in its place.

    Raises
    ------
    Incorrect
    """
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise Incorrect(
            "Your function must return one number.",
            given=type(value).__name__,
            expected=what,
            look="its last line: return",
        )
    return float(value)


# ------------------------------------------------------------------- epsilon
def examine_epsilon(answer) -> str:
    """Examine ``f(noise, steps, delta, orders)``.

    The epsilon of so many Gaussian steps: Renyi divergences added at each order,
    converted with `delta`, and the smallest over the orders.
    """
    probes = [(4.0, 60, 1e-5), (12.0, 200, 1e-6), (1.5, 3, 1e-3)]
    values = [
        number(
            call(answer, noise=s, steps=n, delta=d, orders=list(ORDERS)),
            "an epsilon, above 0",
        )
        for s, n, d in probes
    ]
    mistakes = name_mistakes(
        [torch.tensor(value) for value in values],
        [list(_epsilons(*probe)) for probe in probes],
    )
    right = next(_epsilons(*probes[0]))[1]
    if mistakes:
        raise describe(mistakes, f"{values[0]:.4f}", f"{right:.4f}")
    if mistakes is None:
        raise Incorrect(
            "That is not the epsilon of these steps.",
            f"{values[0]:.4f}",
            f"{right:.4f}",
            "one order by hand: its divergence, times the steps, then the conversion",
        )
    return "Steps are added before the conversion, and the best order is taken."


def _epsilons(noise, steps, delta) -> Iterator[tuple[tuple, torch.Tensor]]:
    def tight(order, divergence):
        return (
            divergence
            + math.log((order - 1) / order)
            - (math.log(delta) + math.log(order)) / (order - 1)
        )

    def loose(order, divergence):
        return divergence - math.log(delta) / (order - 1)

    def none(order, divergence):
        return divergence

    ways = {tight: (), loose: (known.LOOSE,), none: (known.NO_DELTA,)}
    powers = {2: (), 1: (known.NOISE_NOT_SQUARED,)}
    picks = {
        min: (),
        max: (known.NOT_THE_BEST_ORDER,),
        _first: (known.NOT_THE_BEST_ORDER,),
    }
    for convert, of_way in ways.items():
        for power, of_power in powers.items():
            for pick, of_pick in picks.items():
                one = [(o, o / (2 * noise**power)) for o in ORDERS]
                made = of_way + of_power + of_pick
                whole = pick([convert(o, steps * d) for o, d in one])
                yield made, torch.tensor(whole)
                if convert is not none:
                    single = steps * pick([convert(o, d) for o, d in one])
                    yield (known.EPSILONS_ADDED, *made), torch.tensor(single)


def _first(values):
    return values[0]


# --------------------------------------------------------------------- votes
def examine_votes(answer) -> str:
    """Examine ``f(rows, teachers, fit, classes, noise, generator)``.

    Rows dealt out without overlap, votes counted, Gaussian noise on the counts, and
    the class of the largest.
    """
    _examine_shards(answer)
    flips = [_turned(answer, against, seed) for against, seed in ((14, 1), (14, 2))]
    if max(flips) < _CLOSE[0] / 4:
        raise describe([known.NO_VOTE_NOISE], f"{flips[0]:.0%} of close votes turned")
    if _turned(answer, 0, 3) > 0.01:
        raise describe([known.NOISE_TOO_LATE])
    for share in flips:
        if not _CLOSE[0] < share < _CLOSE[1]:
            raise Incorrect(
                "The noise is not of the size that was asked for, or is not drawn for"
                " each query and class.",
                f"{share:.0%} of the votes of 16 to 14 are turned",
                f"{_CLOSE[0]:.0%} to {_CLOSE[1]:.0%}, at a noise of {NOISE:g}",
                "noise * torch.randn(counts.shape, generator=generator)",
            )
    return "One row moves one vote, and the noise hides it before anyone looks."


def _examine_shards(answer) -> None:
    rows, seen = list(range(100)), []

    def fit(shard):
        seen.append([int(row) for row in shard])
        return torch.zeros(QUERIES, dtype=torch.long)

    _labels(answer, rows, 10, fit, 1)
    told = [row for shard in seen for row in shard]
    if len(told) > len(set(told)):
        raise describe(
            [known.OVERLAP], f"{len(told)} rows in shards, {len(set(told))} different"
        )
    if len(told) < len(rows):
        raise describe([known.NOT_ALL_ROWS], f"{len(told)} rows", f"{len(rows)} rows")
    if len(seen) != 10 or min(map(len, seen)) < 9:
        raise Incorrect(
            "The rows must be dealt out evenly, a shard to each teacher.",
            f"shards of {sorted(map(len, seen))}",
            "10 shards of 10",
            "rows[k::teachers] for k in range(teachers)",
        )


def _turned(answer, against: int, seed: int) -> float:
    """Return the share of queries on which the minority wins."""
    done = []

    def fit(shard):
        done.append(shard)
        vote = 1 if len(done) > against else 0
        return torch.full((QUERIES,), vote)

    labels = _labels(answer, list(range(TEACHERS)), TEACHERS, fit, seed)
    return float((labels != 1).float().mean())


def _labels(answer, rows, teachers, fit, seed) -> torch.Tensor:
    given = call(
        answer,
        rows=rows,
        teachers=teachers,
        fit=fit,
        classes=2,
        noise=NOISE,
        generator=torch.Generator().manual_seed(seed),
    )
    if not isinstance(given, torch.Tensor) or given.shape != (QUERIES,):
        raise Incorrect(
            "Your function must return a class for each query.",
            given=str(tuple(getattr(given, "shape", ()))) or type(given).__name__,
            expected=f"a tensor of shape ({QUERIES},)",
            look="the dimension along which you take the largest",
        )
    return given


# ----------------------------------------------------------------------- AUC
def examine_auc(answer) -> str:
    """Examine ``f(member_losses, other_losses)``.

    The share of pairs in which the member has the lower loss; ties count half.
    """
    probes = [_losses(-0.7, 1), _losses(0.6, 2), _losses(-0.1, 3)]
    values = [
        number(
            call(answer, member_losses=ours, other_losses=theirs), "a share of pairs"
        )
        for ours, theirs in probes
    ]
    mistakes = name_mistakes(
        [torch.tensor(value) for value in values],
        [list(_aucs(*probe)) for probe in probes],
    )
    right = next(_aucs(*probes[0]))[1]
    if mistakes:
        raise describe(mistakes, f"{values[0]:.4f}", f"{right:.4f}")
    if mistakes is None:
        raise Incorrect(
            "That is not the share of pairs in which the member has the lower loss.",
            f"{values[0]:.4f}",
            f"{right:.4f}",
            "two members and two others by hand: four pairs",
        )
    return "One half is chance, and below one half stays below."


def _losses(shift: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ours = (torch.randn(40, generator=generator) + shift + 3).round(decimals=1)
    theirs = (torch.randn(50, generator=generator) + 3).round(decimals=1)
    return ours, theirs


def _aucs(ours, theirs) -> Iterator[tuple[tuple, torch.Tensor]]:
    below = (ours[:, None] < theirs).double().mean()
    equal = (ours[:, None] == theirs).double().mean()
    ties = {0.5: (), 0.0: (known.TIES_LOST,), 1.0: (known.TIES_WON,)}
    for worth, of_ties in ties.items():
        auc = below + worth * equal
        turned = 1 - below - (1 - worth) * equal
        yield of_ties, auc
        yield (known.TURNED_ROUND, *of_ties), turned
        yield (known.FOLDED, *of_ties), torch.maximum(auc, 1 - auc)
