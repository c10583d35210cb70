"""Texts for classes that have few, made of what the graph says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...arguments import check_whole
from .graph import Graph

OPENINGS = (
    "Seen for {sign}.",
    "Reports {sign}.",
    "Comes because of {sign} and {sign2}.",
    "{sign} for some weeks.",
    "No change in {sign}, now also {sign2}.",
)
FINDINGS = ("", "On examination {finding}.", "Shows {finding}.", "{finding} today.")
PLANS = ("", "Start {plan}.", "{plan} discussed.", "Continue {plan}, review soon.")

PATIENCE = 100
"""Draws in a row that bring nothing new before the graph is taken to be told out."""


def rare_classes(counts: Mapping[str, int], share: float = 0.5) -> list[str]:
    """Return the classes with fewer rows than `share` of the median class.

    Parameters
    ----------
    counts : mapping of str to int
        Rows of each class in training.
    share : float, default 0.5
        1 takes every class below the median.

    Returns
    -------
    list of str
        The rarest first.

    Raises
    ------
    ValueError
        If a class has no row: a class of which nothing is known cannot be judged.
    """
    empty = sorted(name for name, rows in counts.items() if rows < 1)
    if empty or not counts:
        raise ValueError(
            f"counts must have a row for every class, got none for {empty or 'any'}:"
            " label some, or leave the class out"
        )
    middle = float(np.median(list(counts.values())))
    rare = [name for name, rows in counts.items() if rows < share * middle]
    return sorted(rare, key=lambda name: (counts[name], name))


def texts_from_paths(
    graph: Graph, wanted: Mapping[tuple[str, str], int], seed: int = 0
) -> list[str]:
    """Write short notes from the paths that start at some entities.

    Nobody labels them here: what such a text is, the teacher says. A path says what
    may be written about an illness, not that every such note would be one of it.

    Parameters
    ----------
    graph : Graph
        With the relations ``SHOWS_AS``, ``FOUND_BY`` and ``TREATED_BY`` from illnesses,
        and ``PART_OF`` from an illness to its chapter.
    wanted : mapping of (str, str) to int
        How many texts for an entity, by kind (``illness`` or ``chapter``) and name.
    seed : int, default 0

    Returns
    -------
    list of str
        No two alike.

    Raises
    ------
    ValueError
        If the graph has no such entity, says too little of it for so many different
        texts, or the kind is another.
    """
    check_whole("seed", seed, least=0)
    generator = np.random.default_rng(seed)
    texts: list[str] = []
    for (kind, name), count in wanted.items():
        check_whole(f"wanted[{kind!r}, {name!r}]", count, least=0)
        known = [_said(graph, illness) for illness in _illnesses(graph, kind, name)]
        made = _different(known, count, set(texts), generator)
        if len(made) < count:
            raise ValueError(
                f"wanted[{kind!r}, {name!r}] asks for {count} texts, the graph says"
                f" enough for about {len(made)}: add facts, or ask for fewer"
            )
        texts += made
    return texts


def _different(known, count: int, there: set[str], generator) -> list[str]:
    """Draw texts until there are so many, or no new one comes for long."""
    made: list[str] = []
    in_vain = 0
    while len(made) < count and in_vain < PATIENCE:
        text = _note(known[generator.integers(len(known))], generator)
        in_vain = in_vain + 1 if text in there else 0
        if not in_vain:
            there.add(text)
            made.append(text)
    return made


def _illnesses(graph: Graph, kind: str, name: str) -> list[str]:
    if kind == "illness":
        return [name]
    if kind != "chapter":
        raise ValueError(f"wanted must name an illness or a chapter, got {kind!r}")
    found = [path[0] for path in graph.paths(kind, name, ["<PART_OF"])]
    if not found:
        raise ValueError(f"no illness of the graph is PART_OF {name!r}")
    return found


def _said(graph: Graph, illness: str) -> dict[str, list[str]]:
    said = {
        part: [path[0] for path in graph.paths("illness", illness, [relation])]
        for part, relation in (
            ("sign", "SHOWS_AS"),
            ("finding", "FOUND_BY"),
            ("plan", "TREATED_BY"),
        )
    }
    if not said["sign"]:
        raise ValueError(f"the graph does not say what {illness!r} SHOWS_AS")
    return said


def _note(said: Mapping[str, Sequence[str]], generator: np.random.Generator) -> str:
    def one(options: Sequence[str]) -> str:
        return options[generator.integers(len(options))]

    signs = list(said["sign"])
    generator.shuffle(signs)
    filled = {"sign": signs[0], "sign2": signs[-1]}
    openings = [o for o in OPENINGS if len(signs) > 1 or "sign2" not in o]
    parts = [one(openings)]
    for part, forms in (("finding", FINDINGS), ("plan", PLANS)):
        if said[part]:
            filled[part] = one(said[part])
            parts.append(one(forms))
    sentences = [part.format(**filled) for part in parts if part]
    return " ".join(s[:1].upper() + s[1:] for s in sentences)
