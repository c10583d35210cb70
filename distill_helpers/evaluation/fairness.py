"""Is somebody treated otherwise? Swapped words, and the rates of groups.

:func:`swap_test` asks a model about the same text twice, with the person in it
exchanged. :func:`group_rates` compares groups of texts that differ in more than that:
it finds unequal errors and cannot say where they come from. :func:`lost_examples` asks
which of a model's right answers a smaller form of it has lost, group by group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ..arguments import check_type, check_whole
from ..data.cleaning import check_texts
from ..data.labels import class_numbers
from ..data.swaps import Swaps
from .asking import Answer, answers_of
from .statistics import share_interval

if TYPE_CHECKING:
    import pandas as pd
    from fairlearn.metrics import MetricFrame

LEAST = 30
"""Texts below which a group's rates say too little to be shown."""
RATES = ("accuracy", "selection", "true_positive", "false_positive")
"""Right answers; texts given the positive class, of all and of those that have it or
have it not by their label."""
_HOW = (
    "fairlearn is not installed. Call python -m pip install 'distill-helpers[trust]',"
    " or use group_rates(), which needs nothing"
)


# ---------------------------------------------------------------------- swaps
@dataclass(frozen=True)
class SwapTest:
    """What changed when the people in the texts were exchanged.

    Attributes
    ----------
    rows : ndarray of int
        The texts that hold a word of the pairs; the others say nothing here.
    before, after : ndarray, shape (rows,)
        Probability of the positive class.
    flipped : ndarray of bool, shape (rows,)
        Whether the chosen class changed, of all classes.
    more_first : ndarray of bool, shape (rows,)
        Whether the text named the first side of the pairs more often.
    more_second : ndarray of bool, shape (rows,)
        Whether it named the second side more often.
    """

    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray
    flipped: np.ndarray
    more_first: np.ndarray
    more_second: np.ndarray

    @property
    def share(self) -> float:
        """Of the touched texts, those whose class changed."""
        return float(self.flipped.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of :attr:`share`."""
        return share_interval(int(self.flipped.sum()), len(self.flipped))

    @property
    def shift(self) -> float:
        """Mean size of the change of the positive class's probability."""
        return float(np.abs(self.after - self.before).mean())

    @property
    def to_second(self) -> float | None:
        """Mean change of it where the text was about the first side before.

        Above 0 the second side is answered more positively. Texts that were about the
        second side count the other way round. None where no text was about either.
        """
        changes = np.concatenate(
            [
                (self.after - self.before)[self.more_first],
                (self.before - self.after)[self.more_second],
            ]
        )
        return float(changes.mean()) if len(changes) else None

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.share:.1%} [{low:.1%}, {high:.1%}] of {len(self.rows):,} texts with a"
            f" swapped word change their class; mean shift {self.shift:.3f}"
        )


def swap_test(
    answer: Answer, texts: Sequence[str], swaps: Swaps, positive: int = 1
) -> SwapTest:
    """Ask a model about texts and about the same texts with people exchanged.

    Parameters
    ----------
    answer : callable
        Texts in, logits of shape (texts, classes) out.
    texts : sequence of str
    swaps : Swaps
        Of :data:`~distill_helpers.data.swaps.PRONOUNS`, say.
    positive : int, default 1
        The class whose probability is followed.

    Returns
    -------
    SwapTest

    Raises
    ------
    ValueError
        If fewer than :data:`LEAST` texts hold a word of the pairs, or there is no
        class of that number.

    References
    ----------
    .. [1] M. Kusner et al., "Counterfactual fairness", NeurIPS 2017.
    .. [2] S. Garg et al., "Counterfactual fairness in text classification through
       robustness", AIES 2019.
    """
    check_texts(texts)
    check_type("swaps", swaps, Swaps, "Swaps, such as Swaps(PRONOUNS)")
    check_whole("positive", positive, least=0)
    rows = np.array([i for i, text in enumerate(texts) if swaps.touches(text)], int)
    if len(rows) < LEAST:
        raise ValueError(
            f"texts must hold a word of the pairs in {LEAST} of them at least, got"
            f" {len(rows)} of {len(texts):,}: bring more texts, or other pairs"
        )
    asked = [texts[row] for row in rows]
    before, after = (
        answers_of(answer, some) for some in (asked, [swaps(text) for text in asked])
    )
    check_whole("positive", positive, most=before.shape[1] - 1)
    sides = np.array([swaps.sides(text) for text in asked])
    return SwapTest(
        rows,
        special.softmax(before, axis=1)[:, positive],
        special.softmax(after, axis=1)[:, positive],
        before.argmax(1) != after.argmax(1),
        sides[:, 0] > sides[:, 1],
        sides[:, 0] < sides[:, 1],
    )


# --------------------------------------------------------------------- groups
@dataclass(frozen=True)
class GroupRates:
    """The rates of several groups, and how far apart they lie.

    Attributes
    ----------
    table : DataFrame
        A row for each group, then one for all: ``texts``, and for each of
        :data:`RATES` the rate and ``_low``, ``_high`` of its interval. NaN where a
        group has no text of the class that a rate is about.
    gaps : DataFrame
        A row for each of :data:`RATES`: ``gap``, the largest minus the smallest rate
        of the groups, ``low`` and ``high``, ``largest`` and ``smallest`` (groups).
    """

    table: pd.DataFrame
    gaps: pd.DataFrame

    def __str__(self) -> str:
        names = ["texts", *RATES]
        return "\n".join(
            [self.table[names].round(3).to_string(), "", self.gaps.round(3).to_string()]
        )


def group_rates(
    labels: Sequence[int],
    chosen: Sequence[int],
    groups: Sequence,
    positive: int = 1,
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> GroupRates:
    """Compare how a model answers several groups of texts.

    Parameters
    ----------
    labels, chosen : sequence of int
        True class and given class of each text.
    groups : sequence
        To whom each text belongs, such as the side of a pair that it names.
    positive : int, default 1
        The class that is good to get.
    draws : int, default 1,000
        Of the bootstrap.
    seed : int, default 0

    Returns
    -------
    GroupRates

    Raises
    ------
    ValueError
        If a group has fewer than :data:`LEAST` texts, there is one group only, or the
        lengths differ.

    Notes
    -----
    The intervals are percentiles of a bootstrap within each group [2]_. A largest
    difference is never below 0, and luck alone makes it larger than 0: its interval
    leans upwards where the groups are alike. The rates of an equalised treatment are
    those of [1]_.

    References
    ----------
    .. [1] M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised
       learning", NeurIPS 2016.
    .. [2] B. Efron, "Bootstrap methods: another look at the jackknife", Annals of
       Statistics 7, 1979.
    """
    import pandas as pd

    labels, chosen, groups = _alike(labels, chosen, groups)
    check_whole("positive", positive, least=0)
    check_whole("draws", draws, least=100)
    rng = np.random.default_rng(check_whole("seed", seed, least=0))
    names = _group_names(groups)
    # Label and answer may be positive or not; of another class, right or not.
    cells = (labels == positive) * 4 + (chosen == positive) * 2 + (chosen == labels)
    counts = [np.bincount(cells[groups == name], minlength=8) for name in names]
    drawn = np.stack(
        [rng.multinomial(count.sum(), count / count.sum(), draws) for count in counts]
    )
    own, many = _rates(np.stack(counts)), _rates(drawn)
    rows = {
        name: _row(counts[i].sum(), own[i], many[i]) for i, name in enumerate(names)
    }
    total = np.sum(counts, axis=0)
    rows["all"] = _row(total.sum(), _rates(total), _rates(drawn.sum(0)))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")
    gaps = {rate: _gap(own[:, i], many[:, :, i], names) for i, rate in enumerate(RATES)}
    return GroupRates(
        table.astype({"texts": int}),
        pd.DataFrame.from_dict(gaps, orient="index").rename_axis("rate"),
    )


@dataclass(frozen=True)
class Lost:
    """What a smaller form of a model answers otherwise.

    Attributes
    ----------
    rows : ndarray of int
        Texts that the source had right and the smaller form has wrong.
    won : ndarray of int
        The other way round.
    table : DataFrame
        A line for each group and ``all``: ``texts``, ``right`` (before), ``lost``,
        ``won``, ``share`` (lost of those right before) with ``low`` and ``high``,
        Wilson's 95% interval.
    """

    rows: np.ndarray
    won: np.ndarray
    table: pd.DataFrame

    @property
    def share(self) -> dict:
        """The share of right answers that was lost, by group."""
        return self.table["share"].to_dict()

    def __str__(self) -> str:
        return self.table.round(3).to_string()


def lost_examples(
    labels: Sequence[int],
    source: Sequence[int],
    smaller: Sequence[int],
    groups: Sequence,
) -> Lost:
    """Find the right answers that compression loses, and whose they are [1]_, [2]_.

    Parameters
    ----------
    labels : sequence of int
        True class of each text.
    source, smaller : sequence of int
        The class that the source and its smaller form give.
    groups : sequence
        To whom each text belongs.

    Returns
    -------
    Lost

    Raises
    ------
    ValueError
        If a group has fewer than :data:`LEAST` texts, or none that the source had
        right; if there is one group only, or the lengths differ.

    Notes
    -----
    The intervals cover the choice of the texts. A difference between groups wants
    several seeds besides, as any comparison does.

    References
    ----------
    .. [1] S. Hooker et al., "What do compressed deep neural networks forget?", 2019,
       arXiv:1911.05248.
    .. [2] S. Hooker et al., "Characterising bias in compressed models", 2020,
       arXiv:2010.03058.

    Examples
    --------
    >>> labels, groups = [1] * 60, ["a"] * 30 + ["b"] * 30
    >>> lost_examples(labels, labels, [0] * 3 + [1] * 57, groups).share
    {'a': 0.1, 'b': 0.0, 'all': 0.05}
    """
    import pandas as pd

    truth, before, groups = _alike(labels, source, groups)
    _, after, _ = _alike(labels, smaller, groups)
    right, still = before == truth, after == truth
    inside = {name: groups == name for name in _group_names(groups)}
    rows = {}
    for name, mask in (inside | {"all": np.ones(len(truth), bool)}).items():
        had, lost = int((right & mask).sum()), int((right & ~still & mask).sum())
        if not had:
            raise ValueError(f"groups: the source has no text of {name!r} right")
        low, high = share_interval(lost, had)
        won = int((~right & still & mask).sum())
        rows[name] = [int(mask.sum()), had, lost, won, lost / had, low, high]
    columns = ["texts", "right", "lost", "won", "share", "low", "high"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return Lost(
        np.flatnonzero(right & ~still),
        np.flatnonzero(~right & still),
        table.rename_axis("group"),
    )


def metric_frame(
    labels: Sequence[int], chosen: Sequence[int], groups: Sequence, positive: int = 1
) -> MetricFrame:
    """Give the same rates as Fairlearn's ``MetricFrame`` [1]_.

    Parameters
    ----------
    labels, chosen, groups, positive
        As for :func:`group_rates`.

    Returns
    -------
    fairlearn.metrics.MetricFrame
        Its metrics are called as :data:`RATES` are.

    Raises
    ------
    ImportError
        If Fairlearn, of the extra ``[trust]``, is not installed.

    References
    ----------
    .. [1] S. Bird et al., "Fairlearn: a toolkit for assessing and improving fairness
       in AI", Microsoft technical report, 2020.
    """
    labels, chosen, groups = _alike(labels, chosen, groups)
    try:
        from fairlearn import metrics
    except ImportError as error:
        raise ImportError(_HOW) from error
    right = chosen == labels
    held = labels == positive
    given = chosen == positive
    table = {
        "accuracy": lambda y_true, y_pred: float(np.mean(y_pred // 2)),
        "selection": lambda y_true, y_pred: metrics.selection_rate(y_true, y_pred % 2),
        "true_positive": lambda y_true, y_pred: metrics.true_positive_rate(
            y_true, y_pred % 2
        ),
        "false_positive": lambda y_true, y_pred: metrics.false_positive_rate(
            y_true, y_pred % 2
        ),
    }
    return metrics.MetricFrame(
        metrics=table,
        y_true=held.astype(int),
        y_pred=right * 2 + given,
        sensitive_features=groups,
    )


def _alike(labels, chosen, groups) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # As objects, or NaN among words would become a word.
    groups = np.asarray(groups, dtype=object)
    found = [np.asarray(labels), np.asarray(chosen), groups]
    shapes = [values.shape for values in found]
    if len(set(shapes)) != 1 or found[0].ndim != 1:
        raise ValueError(
            "labels, chosen and groups must hold one entry for each text, got shapes"
            f" {', '.join(map(str, shapes))}"
        )
    labels, chosen, _ = found
    labels = class_numbers(labels, len(groups))
    return labels, class_numbers(chosen, len(groups), name="chosen"), groups


def _group_names(groups: np.ndarray) -> list:
    unnamed = [row for row, name in enumerate(groups) if name is None or name != name]
    if unnamed:
        raise ValueError(
            f"groups must name a group for each text, got {groups[unnamed[0]]!r} for"
            f" text {unnamed[0]}: leave such texts out, or call their group 'unknown'"
        )
    counts = Counter(groups.tolist())
    names = sorted(counts, key=str)
    small = [f"{name} ({counts[name]})" for name in names if counts[name] < LEAST]
    if small:
        raise ValueError(
            f"groups must have {LEAST} texts each at least, got {', '.join(small)}: leave"
            " such a group out or join it with another one, and say so"
        )
    if len(names) < 2:
        raise ValueError(f"groups must name two groups at least, got {names}")
    return names


def _rates(counts: np.ndarray) -> np.ndarray:
    """Return :data:`RATES`, shape (..., 4), of counts of cells, shape (..., 8)."""
    counts = counts.astype(float)
    right = counts[..., 1::2].sum(-1)
    given = counts[..., [2, 3, 6, 7]].sum(-1)
    held, not_held = counts[..., 4:].sum(-1), counts[..., :4].sum(-1)
    hits, alarms = counts[..., 6:].sum(-1), counts[..., 2:4].sum(-1)
    total = counts.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [right / total, given / total, hits / held, alarms / not_held], axis=-1
        )


def _row(texts: int, rates: np.ndarray, many: np.ndarray) -> dict:
    row = {"texts": int(texts)}
    for place, name in enumerate(RATES):
        low, high = _between(many[:, place])
        row |= {name: rates[place], f"{name}_low": low, f"{name}_high": high}
    return row


def _gap(rates: np.ndarray, many: np.ndarray, names: list) -> dict:
    if np.isnan(rates).sum() > len(rates) - 2:  # fewer than two to compare
        return dict.fromkeys(("gap", "low", "high", "largest", "smallest"), np.nan)
    defined = ~np.isnan(rates)
    low, high = _between(np.ptp(many[defined], axis=0))
    return {
        "gap": float(np.nanmax(rates) - np.nanmin(rates)),
        "low": low,
        "high": high,
        "largest": names[int(np.nanargmax(rates))],
        "smallest": names[int(np.nanargmin(rates))],
    }


def _between(values: np.ndarray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
