"""Next week's volatility, foretold by a heavy teacher and by a student of few numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from ...arguments import check_whole
from ...evaluation.metrics import macro_f1
from ...losses.combined import DistillationLoss
from .odd_days import OddDays, hand_over
from .prices import Prices
from .streaming import (
    REGIMES,
    STREAMED,
    WEEK,
    leaky,
    next_volatility,
    regime_edges,
    regimes,
    streamed,
    windows,
)
from .walking import Fold, check_dates, walk_forward

WINDOW = 120
"""Days that the teacher reads for each answer."""
HELD = 250
"""Days at the end of each training part that choose, and are not learnt from."""
BLOCKS = 3
"""Parts of the training days that are answered by a teacher of the others."""
TEACHER, CONTROL, DISTILLED = "teacher", "control", "distilled"
SAME, LEAK = "as this week", "control with a leak"
ODD, BY_LOT = "odd days to the teacher", "as many days by lot"
_FLOOR = 1e-6


@dataclass(frozen=True)
class Days:
    """Rows to learn from: what is known on a day, and the week behind it."""

    dates: pd.DatetimeIndex
    streamed: np.ndarray
    """What the student reads, shape (days, 7)."""
    windows: np.ndarray
    """What the teacher reads, shape (days, 124)."""
    leaked: np.ndarray
    """Two features that see the future, shape (days, 2)."""
    ahead: np.ndarray
    """Volatility of the five days behind each day, in per cent a day."""

    @classmethod
    def of(cls, prices: Prices) -> Days:
        """Make the rows of a series; days without a whole window are left out.

        Raises
        ------
        ValueError
            If the dates are out of order, or there are too few days.
        """
        check_dates(prices.close.index)
        returns = prices.returns
        kept = slice(WINDOW, len(returns) - WEEK)
        if len(returns) < WINDOW + WEEK + 2 * HELD:
            raise ValueError(
                f"prices must have {WINDOW + WEEK + 2 * HELD + 1} days at least, got"
                f" {len(prices.close)}"
            )
        return cls(
            returns.index[kept],
            streamed(returns)[kept],
            windows(returns, WINDOW)[kept],
            leaky(returns)[kept],
            next_volatility(returns).to_numpy()[kept],
        )


class RegimeStudent(nn.Module):
    """Seven numbers in, three logits out; it scales the numbers itself.

    Parameters
    ----------
    centre, scale : numpy.ndarray, shape (features,)
        Of the training days.
    hidden : int, default 16
    """

    def __init__(self, centre: np.ndarray, scale: np.ndarray, hidden: int = 16) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        self.layers = nn.Sequential(
            nn.Linear(len(centre), hidden), nn.ReLU(), nn.Linear(hidden, len(REGIMES))
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (days, 3)."""
        return self.layers((features - self.centre) / self.scale)

    def answer(self, features: np.ndarray) -> np.ndarray:
        """Return logits of rows of features as an array."""
        with torch.no_grad():
            return self(
                torch.as_tensor(np.asarray(features), dtype=torch.float32)
            ).numpy()


def fit_student(
    features: np.ndarray,
    labels: np.ndarray,
    teacher_logits: np.ndarray | None = None,
    *,
    hidden: int = 16,
    steps: int = 200,
    seed: int = 0,
    temperature: float = 2.0,
    alpha: float = 0.9,
) -> RegimeStudent:
    """Train a student on all days at once.

    Parameters
    ----------
    features : numpy.ndarray, shape (days, width)
    labels : numpy.ndarray of int, shape (days,)
    teacher_logits : numpy.ndarray, shape (days, 3), optional
        Without them this is the control.
    hidden, steps, seed : int
    temperature, alpha : float
        As for :class:`~distill_helpers.losses.combined.DistillationLoss`.

    Returns
    -------
    RegimeStudent
    """
    check_whole("steps", steps, least=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = RegimeStudent(features.mean(0), features.std(0) + _FLOOR, hidden)
    taught = teacher_logits is not None
    loss = DistillationLoss(temperature, alpha if taught else 0.0)
    rows, truth = (torch.as_tensor(part) for part in (features, labels))
    told = torch.zeros(len(labels), len(REGIMES))
    if taught:
        told = torch.as_tensor(teacher_logits, dtype=torch.float32)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(student(rows.float()), told, truth).backward()
        optimizer.step()
    return student.eval()


def fit_teacher(windows: np.ndarray, labels: np.ndarray, seed: int = 0):
    """Fit gradient boosting over the long windows.

    Parameters
    ----------
    windows : numpy.ndarray, shape (days, width)
    labels : numpy.ndarray of int, shape (days,)
    seed : int, default 0

    Returns
    -------
    callable
        Windows in, logits of shape (days, 3) out.

    Raises
    ------
    ValueError
        If a regime has no day among the labels.
    """
    missing = sorted(set(range(len(REGIMES))) - set(np.unique(labels).tolist()))
    if missing:
        raise ValueError(
            f"labels must have a day of every regime, none is"
            f" {[REGIMES[label] for label in missing]}: train on more days"
        )
    model = HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.05,
        max_leaf_nodes=8,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    ).fit(windows, labels)
    return lambda rows: np.log(model.predict_proba(rows) + _FLOOR)


def out_of_fold(windows: np.ndarray, labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Answer each training day by a teacher that was not trained on it.

    Parameters
    ----------
    windows : numpy.ndarray, shape (days, width)
    labels : numpy.ndarray of int, shape (days,)
    seed : int, default 0

    Returns
    -------
    numpy.ndarray, shape (days, 3)
        Blocks of neighbouring days are left out together, with a week on each side:
        their labels overlap.
    """
    count = len(labels)
    answers = np.empty((count, len(REGIMES)))
    for block in np.array_split(np.arange(count), BLOCKS):
        others = np.ones(count, bool)
        others[max(0, block[0] - WEEK) : block[-1] + WEEK + 1] = False
        teacher = fit_teacher(windows[others], labels[others], seed)
        answers[block] = teacher(windows[block])
    return answers


@dataclass
class Walked:
    """All that one seed said of its test days, fold after fold."""

    seed: int
    labels: list[np.ndarray] = field(default_factory=list)
    logits: dict[str, list[np.ndarray]] = field(default_factory=dict)
    odd: list[np.ndarray] = field(default_factory=list)
    held: dict[str, list[float]] = field(default_factory=dict)
    """Macro F1 on the days that choose."""
    students: dict[str, RegimeStudent] = field(default_factory=dict)
    """Of the last fold."""
    teacher: object = None
    gate: OddDays | None = None
    edges: tuple[float, float] = (0.0, 0.0)
    fold: Fold | None = None

    @property
    def truth(self) -> np.ndarray:
        """The regimes of all test days."""
        return np.concatenate(self.labels)

    def answers(self, name: str) -> np.ndarray:
        """Return the logits of an arm for all test days."""
        return np.concatenate(self.logits[name])

    @property
    def is_odd(self) -> np.ndarray:
        """Which test days the gate hands to the teacher."""
        return np.concatenate(self.odd)


def walk(days: Days, seed: int, *, folds: int, test: int, steps: int) -> Walked:
    """Train and judge every arm on folds that never see the future.

    Parameters
    ----------
    days : Days
    seed : int
    folds, test : int
        As for :func:`~distill_helpers.lessons.l13.walking.walk_forward`.
    steps : int
        Of each student.

    Returns
    -------
    Walked
    """
    walked = Walked(seed)
    for fold in walk_forward(days.dates, folds, test=test, horizon=WEEK):
        _walk_fold(days, fold, walked, steps)
    return walked


def _walk_fold(days: Days, fold: Fold, walked: Walked, steps: int) -> None:
    fit, held = fold.train[: -HELD - WEEK], fold.train[-HELD:]
    edges = regime_edges(days.ahead[fit])
    labels = regimes(days.ahead, edges)
    truth, seed = labels[fold.test], walked.seed
    teacher = fit_teacher(days.windows[fit], labels[fit], seed)
    told = out_of_fold(days.windows[fit], labels[fit], seed)
    leaking = np.column_stack([days.streamed, days.leaked])

    def student(features, answers=None):
        return fit_student(features[fit], labels[fit], answers, steps=steps, seed=seed)

    students = {
        CONTROL: student(days.streamed),
        DISTILLED: student(days.streamed, told),
    }
    said = {TEACHER: teacher(days.windows[fold.test])}
    for name, model in students.items():
        said[name] = model.answer(days.streamed[fold.test])
        chosen = macro_f1(model.answer(days.streamed[held]), labels[held])
        walked.held.setdefault(name, []).append(chosen)
    said[LEAK] = student(leaking).answer(leaking[fold.test])
    said[SAME] = _as_this_week(days.streamed[fold.test], edges)
    gate = OddDays(days.streamed[fit], seed=seed)
    odd = gate(days.streamed[fold.test])
    said[ODD] = hand_over(said[DISTILLED], said[TEACHER], odd)
    lot = np.random.default_rng(seed).permutation(odd)
    said[BY_LOT] = hand_over(said[DISTILLED], said[TEACHER], lot)
    for name, logits in said.items():
        walked.logits.setdefault(name, []).append(logits)
    walked.labels.append(truth)
    walked.odd.append(odd)
    walked.students, walked.teacher, walked.gate = students, teacher, gate
    walked.edges, walked.fold = edges, fold


def _as_this_week(features: np.ndarray, edges: tuple[float, float]) -> np.ndarray:
    """Say that next week will be as the last days were: no model at all."""
    now = regimes(features[:, STREAMED.index("volatility_fast")], edges)
    return np.where(np.arange(len(REGIMES)) == now[:, None], 4.0, 0.0)
