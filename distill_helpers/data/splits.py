"""Four parts that share no review: train, transfer, validation, test.

Test and validation are drawn once, by a seed of their own; other seeds draw
the labelled rows from what is left, so none of them learns what it is judged on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

PARTS = ("train", "transfer", "validation", "test")
HELD_OUT = ("test", "validation")
LEAST_OF_A_CLASS = 2
"""So many rows of each class a part holds, if there are enough of them."""
LEAVE = {"test": (2 * LEAST_OF_A_CLASS, LEAST_OF_A_CLASS)}
LEAVE["validation"] = LEAVE["test"][1:]
"""Rows of each class that stay for the parts to come: better the first number
than the second."""
DROPPED_TWIN = "duplicates"
DROPPED_ACROSS = "duplicates of a text in another part"


@dataclass
class Sizes:
    """How many rows each part gets.

    `wanted` is what the reader asked for, None if nothing; `defaults` is what is
    taken then: a number, a share of the labelled rows, or None for all.
    """

    wanted: dict[str, int | None]
    defaults: dict[str, int | float | None]

    def of(self, name: str, have: int, labelled: int = 0, classes: int = 0) -> int:
        """Return a part's size where `have` rows are left for it.

        Raises
        ------
        ValueError
            If there are fewer than were asked for.
        """
        want = self.wanted[name]
        if want is None:
            return min(have, self._by_default(name, have, labelled, classes))
        if want > have:
            argument = {"train": "labelled"}.get(name, name)
            raise ValueError(
                f"{argument}={want:,} asks for more texts than the {have:,} that"
                " are left for it once empty texts and duplicates are gone"
            )
        return want

    def _by_default(self, name: str, have: int, labelled: int, classes: int) -> int:
        size = self.defaults[name]
        if isinstance(size, float):
            least = min(LEAST_OF_A_CLASS * classes, labelled // 6)
            return max(2, int(size * labelled + 1e-9), least)
        return have if size is None else size


@dataclass
class Drawn:
    """The rows of each part, and what became of the others."""

    rows: dict[str, np.ndarray]
    dropped: dict[str, int]
    warnings: list[str] = field(default_factory=list)


def draw_parts(
    frame: pd.DataFrame,
    sizes: Sizes,
    *,
    seed: int,
    parts_seed: int,
    blocks: int = 1,
) -> Drawn:
    """Draw four parts; near duplicates are dropped first.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``label`` (what a part has its share of; -1: none), ``part`` (see
        :class:`~.rows.Rows`), ``group`` (like texts have the same) and
        ``version`` (those of a group that have the same label as well).
    sizes : Sizes
    seed : int
        Draws train and transfer.
    parts_seed : int
        Draws test and validation, where the source does not fix them.
    blocks : int, default 1
        Rows of one class that go into a drawn validation part side by side.

    Returns
    -------
    Drawn

    Raises
    ------
    ValueError
        If a part would get fewer rows than were asked for, or train fewer than
        two classes.
    """
    label, part = frame["label"].to_numpy(), frame["part"].to_numpy()
    group = frame["group"].to_numpy()
    fixed = [name for name in HELD_OUT if (part == name).any()]
    held = _shuffled(part, label, np.random.default_rng(parts_seed), blocks)
    for name in fixed:
        held[name] = _interleaved(held[name], label)
    keep, dropped = _keepers(frame, [held[name] for name in fixed])
    drawn = Drawn({}, dropped)
    pool = _kept(held["pool"], keep)
    labelled, classes = len(pool), len(np.unique(label[pool]))
    for name in HELD_OUT:
        source, leave = _kept(held[name], keep), ()
        if name not in fixed:
            source, leave = source[np.isin(source, pool)], LEAVE[name]
        want = sizes.of(name, len(source), labelled, classes)
        if name not in fixed:
            source = _rather_open(source, part, want, name, drawn.warnings)
        drawn.rows[name] = _draw(source, label, group, want, leave)
        pool = pool[~np.isin(group[pool], group[drawn.rows[name]])]
    rng = np.random.default_rng(seed)
    order = _shuffled(part, label, rng, blocks)["pool"]  # the pool in its own order
    pool = order[np.isin(order, pool)]
    want = sizes.of("train", len(pool))
    _check_trainable(label[pool], want)
    train, close = _train_rows(pool, label, group, want)
    drawn.rows["train"] = train
    rest = pool[~np.isin(group[pool], group[np.concatenate([train, close])])]
    given = np.flatnonzero((part == "transfer") & keep)
    extra = rng.permutation(_one_of_each(np.concatenate([rest, given]), group))
    extra = np.concatenate([extra, close])
    drawn.rows["transfer"] = extra[: sizes.of("transfer", len(extra))]
    drawn.dropped[DROPPED_ACROSS] += _set_aside(drawn, keep, group)
    return drawn


# ------------------------------------------------------------- in what order
def _shuffled(part, label, rng, blocks: int) -> dict[str, np.ndarray]:
    """Shuffle the rows that each held-out part and the pool may take.

    The numbers are drawn in the same order whatever is done with them, so that
    a seed always gives the pool the same order.
    """
    pool = rng.permutation(np.flatnonzero(np.isin(part, ("", "train"))))
    orders = {"pool": pool}
    for name in HELD_OUT:
        source = rng.permutation(np.flatnonzero(part == name))
        source = source if len(source) else pool
        if name == "validation" and blocks > 1:
            source = _in_blocks(source, label, blocks, rng)
        orders[name] = source
    return orders


def _in_blocks(rows, label, size: int, rng) -> np.ndarray:
    """Shuffle whole runs of neighbours of one class, not single reviews."""
    rows = np.sort(rows)
    runs = []
    for value in np.unique(label[rows]):
        same = rows[label[rows] == value]
        runs += [same[i : i + size] for i in range(0, len(same), size)]
    return np.concatenate([runs[i] for i in rng.permutation(len(runs))])


def _places(rows, label) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's place within its class, and how many the class has."""
    of = pd.Series(label[rows])
    by_class = of.groupby(of)
    return by_class.cumcount().to_numpy(), by_class.transform("size").to_numpy()


def _interleaved(rows, label) -> np.ndarray:
    """Order rows so that every beginning holds the classes in proportion."""
    place, size = _places(rows, label)
    return rows[((place + 0.5) / size).argsort(kind="stable")]


# ---------------------------------------------------------------- duplicates
def _keepers(
    frame: pd.DataFrame, fixed: list[np.ndarray]
) -> tuple[np.ndarray, dict[str, int]]:
    """Say which rows stay: of a group those of the strongest part, each label once."""
    part = frame["part"].to_numpy()
    group, version = frame["group"].to_numpy(), frame["version"].to_numpy()
    rank = pd.Series(part).map({"test": 0, "validation": 1, "transfer": 3})
    rank = rank.fillna(2).to_numpy(int)
    others = np.flatnonzero(rank >= 2)
    rows = np.concatenate([*fixed, others])
    rows = rows[np.argsort(rank[rows], kind="stable")]
    best = pd.Series(rank).groupby(group).transform("min").to_numpy()
    rows, across = rows[rank[rows] == best[rows]], int((rank != best).sum())
    _, firsts = np.unique(version[rows], return_index=True)
    keep = np.zeros(len(frame), bool)
    keep[rows[firsts]] = True
    return keep, {DROPPED_TWIN: len(rows) - len(firsts), DROPPED_ACROSS: across}


def _kept(rows, keep) -> np.ndarray:
    return rows[keep[rows]]


def _one_of_each(rows, group) -> np.ndarray:
    """Leave out the rows whose group stood before."""
    _, firsts = np.unique(group[rows], return_index=True)
    return rows[np.sort(firsts)]


def _set_aside(drawn: Drawn, keep, group) -> int:
    """Count rows that stand in no part because a like one stands in some."""
    taken = np.zeros(len(keep), bool)
    for rows in drawn.rows.values():
        taken[rows] = True
    return int((keep & ~taken & np.isin(group, group[taken])).sum())


# ------------------------------------------------------------------- drawing
def _rather_open(source, part, want: int, name: str, warnings: list[str]):
    """Leave the rows that the file calls train alone if others suffice."""
    open_rows = source[part[source] == ""]
    if len(open_rows) >= want or len(open_rows) == len(source):
        return open_rows
    warnings.append(
        f"the file names no rows for {name}: {want:,} were drawn from those for"
        " train; a teacher that was trained on them is judged too well there"
    )
    return source


def _draw(rows, label, group, want: int, leave: tuple[int, ...] = ()) -> np.ndarray:
    """Take `want` rows, the classes in proportion, like texts together.

    Of each class some rows stay for the parts to come, see :data:`LEAVE`, and two
    are taken even if its share is less, as far as that goes.
    """
    if want == len(rows):
        return rows
    leaders = _leaders(rows, label, group)
    order = _interleaved(leaders, label)
    place, size = _places(order, label)
    rounds = min(LEAST_OF_A_CLASS, want // len(np.unique(label[order])))
    first = place < np.minimum(rounds, size - min(leave, default=0))
    turn = np.where(first, 0, 1 + sum((place >= size - n for n in leave), 0 * place))
    by_priority = order[np.argsort(turn, kind="stable")]
    taken = _fill(by_priority, rows, group, want)
    where = pd.Series(np.arange(len(order)), index=group[order])
    return taken[np.argsort(where[group[taken]].to_numpy(), kind="stable")]


def _leaders(rows, label, group) -> np.ndarray:
    """Return one row of each group, of its rarest label, in the order of `rows`."""
    of = pd.DataFrame({"row": rows, "label": label[rows], "group": group[rows]})
    of["size"] = of.groupby("label")["row"].transform("size")
    rarest = of.sort_values("size", kind="stable").drop_duplicates("group")
    return rarest.sort_index()["row"].to_numpy()


def _fill(leaders, rows, group, want: int) -> np.ndarray:
    """Take groups whole, one after the other, until there are `want` rows."""
    members = pd.Series(rows).groupby(group[rows]).agg(list)
    if len(members) == len(rows):
        return leaders[:want]
    taken, left = [], []
    for leader in leaders:
        together = members[group[leader]]
        fits = len(taken) + len(together) <= want
        taken += together if fits else []
        left += [] if fits else [leader]
    return np.array(taken + left[: want - len(taken)], dtype=int)


def _train_rows(pool, label, group, want: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled rows, and the few after them that close transfer."""
    train = _draw(pool, label, group, want)
    if want == len(pool):
        return _interleaved(train, label), pool[:0]
    rest = _interleaved(_one_of_each(pool, group), label)
    rest = rest[~np.isin(group[rest], group[train])]
    return train, rest[: want // 50 + 2]


def _check_trainable(labels, want: int) -> None:
    classes = len(np.unique(labels))
    if want < 2 or classes < 2:
        raise ValueError(
            f"nothing can be learnt: {len(labels):,} labelled texts of {classes}"
            f" class{'es' * (classes != 1)} are left for train once validation and"
            " test have theirs; give more labelled rows, or smaller parts"
        )
