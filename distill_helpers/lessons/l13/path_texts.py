"""Texts for classes that have few, made of what the graph says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

import numpy as np

from ...arguments import check_whole
from .graph import Graph


@dataclass(frozen=True)
class Forms:
    """How texts of a domain are written from what its graph says of a leaf.

    Attributes
    ----------
    leaf, group : str
        Kinds of entities: leaves are ``PART_OF`` groups, which are the classes.
    gaps : mapping of str to sequence of str
        For each gap of a sentence the relations that lead to what may fill it.
    needed : str
        The gap without which nothing can be written.
    sentences : sequence of sequence of str
        One form is drawn of each; ``{sign2}`` is another filling of ``{sign}``.
    """

    leaf: str
    group: str
    gaps: Mapping[str, Sequence[str]]
    needed: str
    sentences: Sequence[Sequence[str]]


NOTES = Forms(
    "illness",
    "chapter",
    {"sign": ["SHOWS_AS"], "finding": ["FOUND_BY"], "plan": ["TREATED_BY"]},
    "sign",
    (
        (
            "Seen for {sign}.",
            "Reports {sign}.",
            "Comes because of {sign} and {sign2}.",
            "{sign} for some weeks.",
            "No change in {sign}, now also {sign2}.",
        ),
        ("", "On examination {finding}.", "Shows {finding}.", "{finding} today."),
        ("", "Start {plan}.", "{plan} discussed.", "Continue {plan}, review soon."),
    ),
)
MESSAGES = Forms(
    "matter",
    "wish",
    {
        "ask": ["ASKED_AS"],
        "thing": ["CONCERNS"],
        "product": ["CONCERNS", "BELONGS_TO"],
    },
    "ask",
    (
        ("", "", "Hello.", "It is about {product}.", "Hi, I use {product}."),
        ("{ask} {thing}.", "{ask} {thing}, thanks.", "{ask} {thing} and {thing2}."),
        ("", "", "It came with {product}.", "Thank you.", "I wrote last week already."),
    ),
)

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
    graph: Graph,
    wanted: Mapping[tuple[str, str], int],
    seed: int = 0,
    forms: Forms = NOTES,
) -> list[str]:
    """Write short texts from the paths that start at some entities.

    Nobody labels them here: what such a text is, the teacher says. A path says what
    may be written about an illness, not that every such note would be one of it.

    Parameters
    ----------
    graph : Graph
        With ``PART_OF`` from leaves to their group, and the relations of `forms`.
    wanted : mapping of (str, str) to int
        How many texts for an entity, by kind (such as ``illness`` or ``chapter``) and
        name.
    seed : int, default 0
    forms : Forms
        Those of the domain; clinical notes by default.

    Returns
    -------
    list of str
        No two alike.

    Raises
    ------
    UnknownRelationError
        If the graph lacks a relation of `forms`.
    ValueError
        If the graph has no such entity, says too little of it for so many different
        texts, or the kind is another.
    """
    check_whole("seed", seed, least=0)
    generator = np.random.default_rng(seed)
    texts: list[str] = []
    for (kind, name), count in wanted.items():
        check_whole(f"wanted[{kind!r}, {name!r}]", count, least=0)
        leaves = _leaves(graph, kind, name, forms)
        known = [_said(graph, leaf, forms) for leaf in leaves]
        made = _different(known, forms, count, set(texts), generator)
        if len(made) < count:
            raise ValueError(
                f"wanted[{kind!r}, {name!r}] asks for {count} texts, the graph says"
                f" enough for about {len(made)}: add facts, or ask for fewer"
            )
        texts += made
    return texts


def _different(known, forms: Forms, count: int, there: set[str], generator):
    """Draw texts until there are so many, or no new one comes for long."""
    made: list[str] = []
    in_vain = 0
    while len(made) < count and in_vain < PATIENCE:
        text = _text(known[generator.integers(len(known))], forms, generator)
        in_vain = in_vain + 1 if text in there else 0
        if not in_vain:
            there.add(text)
            made.append(text)
    return made


def _leaves(graph: Graph, kind: str, name: str, forms: Forms) -> list[str]:
    if kind == forms.leaf:
        return [name]
    if kind != forms.group:
        wanted = " or ".join(
            f"{'an' if k[0] in 'aeiou' else 'a'} {k}" for k in (forms.leaf, forms.group)
        )
        raise ValueError(f"wanted must name {wanted}, got {kind!r}")
    found = [path[0] for path in graph.paths(kind, name, ["<PART_OF"])]
    if not found:
        raise ValueError(f"no {forms.leaf} of the graph is PART_OF {name!r}")
    return found


def _said(graph: Graph, leaf: str, forms: Forms) -> dict[str, list[str]]:
    said = {
        gap: sorted({path[-1] for path in graph.paths(forms.leaf, leaf, steps)})
        for gap, steps in forms.gaps.items()
    }
    if not said[forms.needed]:
        steps = " ".join(forms.gaps[forms.needed])
        raise ValueError(f"the graph does not say what {leaf!r} {steps}")
    return said


def _text(
    said: Mapping[str, Sequence[str]], forms: Forms, generator: np.random.Generator
) -> str:
    filled: dict[str, str] = {}
    for gap, fillings in said.items():
        order = generator.permutation(len(fillings))
        for at, suffix in enumerate(("", "2")[: len(fillings)]):
            filled[gap + suffix] = fillings[order[at]]
    parts = []
    for options in forms.sentences:
        possible = [form for form in options if _gaps(form) <= filled.keys()]
        if possible:
            parts.append(possible[generator.integers(len(possible))].format(**filled))
    return " ".join(part[:1].upper() + part[1:] for part in parts if part)


def _gaps(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name}
