"""Which students lesson 12 trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...data.cards import SENSES, TYPED
from ...students.cross_attention import CrossAttentionForCards
from .arms import STATES_WEIGHT, Arm
from .shipped import load_teacher

LABELS, ALL_LABELS = "few labels", "all true labels"
SOFT, MAPS = "soft targets", "soft targets and maps"
STATES = "soft targets and states"
SHUFFLED, CROSSED = "maps of other cards", "maps of the wrong block"
DROPPED = "with senses dropped"
BLIND_LABELS = "text only, labels"
BLIND_MORE = "text only, teacher saw both"
BLIND_SAME = "text only, teacher saw as little"
EARLY = (LABELS, ALL_LABELS, SOFT, STATES, MAPS)
KEPT = (SOFT, MAPS)
"""Students whose looks are shown."""
BLIND = (BLIND_LABELS, BLIND_MORE, BLIND_SAME)

_WAYS = {
    LABELS: {"answers": "none"},
    ALL_LABELS: {"answers": "none", "labelled": None},
    SOFT: {},
    STATES: {"states": True, "weight": STATES_WEIGHT},
    MAPS: {"maps": "own", "views": SENSES},
    SHUFFLED: {"maps": "shuffled"},
    CROSSED: {"maps": "crossed"},
    DROPPED: {"maps": "own", "sees": "dropped", "views": SENSES},
    BLIND_LABELS: {"answers": "none", "sees": TYPED, "views": (TYPED,)},
    BLIND_MORE: {"answers": "both", "sees": TYPED, "views": (TYPED,)},
    BLIND_SAME: {"answers": TYPED, "sees": TYPED, "views": (TYPED,)},
}
"""How each differs from a student of soft targets that sees all."""


def an_arm(name: str, seed: int, steps: int, labelled: int, **more) -> Arm:
    """Return one of the lesson's students by its name."""
    ways = {"labelled": labelled} | _WAYS[name] | more
    return Arm(name, seed, steps, **ways)


def all_arms(
    seeds: Sequence[int],
    few_seeds: Sequence[int],
    steps: int,
    longer: int,
    labelled: int,
    keep: str | Path,
) -> list[Arm]:
    """Return every student of the lesson, those that take longest first.

    Parameters
    ----------
    seeds : sequence of int
        Of the comparisons that the lesson rests on.
    few_seeds : sequence of int
        Of the others.
    steps, longer : int
    labelled : int
        Cards with a label, where not all have one.
    keep : str or Path
        A folder for the students of :data:`KEPT`, of the first seed.

    Returns
    -------
    list of Arm
    """
    late = [(name, seed, longer) for seed in seeds for name in (SOFT, MAPS)]
    early = [
        (name, seed, steps)
        for seed in seeds
        for name in (LABELS, SOFT, STATES, MAPS, SHUFFLED)
    ]
    rest = [
        (name, seed, steps)
        for seed in few_seeds
        for name in (ALL_LABELS, CROSSED, DROPPED, *BLIND)
    ]
    return [
        an_arm(name, seed, many, labelled, keep=_place(keep, name))
        if (name in KEPT and many == steps and seed == seeds[0])
        else an_arm(name, seed, many, labelled)
        for name, seed, many in (*late, *early, *rest)
    ]


def load_kept(keep: str | Path) -> dict[str, CrossAttentionForCards]:
    """Return the students that were kept, by name."""
    return {name: load_teacher(_place(keep, name)) for name in KEPT}


def _place(keep: str | Path, name: str) -> str:
    return str(Path(keep) / name.replace(" ", "_"))
