"""The domain of numbers, with the same steps as a domain of texts."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ...evaluation.cards import CARD
from ...evaluation.comparison import Comparison, compare_scores
from ...evaluation.metrics import macro_f1, measure_quality
from ...evaluation.refusal import CardFacts, Use
from ...evaluation.scorecard import Row, table
from ...own_data.opened import Opened
from ...own_data.release import (
    LOOK,
    MOST_LOST,
    NOT_ASKED,
    PASSED,
    Finding,
    Release,
    fitting,
    outcome_of,
)
from ...own_data.release_report import write_release
from .market import (
    BY_LOT,
    CONTROL,
    DISTILLED,
    LEAK,
    ODD,
    SAME,
    TEACHER,
    WINDOW,
    Days,
    Walked,
    walk,
)
from .market_bundle import RegimeReader, write_card, write_market_bundle
from .prices import Prices, load_prices
from .stories import Story
from .streaming import (
    REGIMES,
    STREAMED,
    WEEK,
    StreamingFeatures,
    leaky,
    next_volatility,
    regime_edges,
    regimes,
    streamed,
    windows,
)
from .text_project import Settings
from .walking import sees_future

FOLDS, TEST, STEPS = 3, 500, 200
CHECKED = 700
"""Days on which it is checked who sees the future."""
SLIP = 5.0
"""Per cent by which one closing price is wrong when the student is attacked."""
_NO_PERSON = (
    "prices are public, and no person stands in them: the question does not apply"
)


class MarketProject:
    """A series of prices, its teacher, its students, and what is handed over.

    Each seed has a series of its own where prices are simulated; of a real series
    there is one, and the seeds are only those of the students.

    Parameters
    ----------
    story : Story
    settings : Settings
    """

    numeric = True

    def __init__(self, story: Story, settings: Settings) -> None:
        self.story, self.settings = story, settings
        self.prices: dict[int, Prices] = {
            seed: load_prices(settings.prices, seed) for seed in settings.seeds
        }
        self.note = self.first.note
        self.own: dict[str, Comparison] = {}

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those of all comparisons."""
        return tuple(self.settings.seeds)

    @property
    def first(self) -> Prices:
        """The first seed's series."""
        return self.prices[self.seeds[0]]

    # ------------------------------------------------------------ 1 what is there
    def look(self) -> pd.DataFrame:
        """Count the days of each regime, by thirds of the first half of the days."""
        ahead = next_volatility(self.first.returns).dropna().to_numpy()
        half = len(ahead) // 2
        edges = regime_edges(ahead[:half])
        parts = {"earlier half": ahead[:half], "later half": ahead[half:]}
        counts = {
            name: np.bincount(regimes(part, edges), minlength=len(REGIMES))
            for name, part in parts.items()
        }
        return pd.DataFrame(counts, index=pd.Index(REGIMES, name="class"))

    @property
    def example(self) -> str:
        """The last day, as the student reads it."""
        row = dict(zip(STREAMED, streamed(self.first.returns)[-1].round(2).tolist()))
        day = self.first.close.index[-1].date()
        return f"{day}: " + ", ".join(f"{k} {v:g}" for k, v in row.items())

    # ------------------------------------------------- 2 what must not get in
    def guard(self) -> pd.DataFrame:
        """Count the days whose features change when the days behind them do."""
        returns = self.first.returns.iloc[:CHECKED]
        rows = {
            "student's, streamed": streamed,
            "teacher's windows": lambda series: windows(series, WINDOW),
            "leaky on purpose": leaky,
        }
        found = {name: len(sees_future(made, returns)) for name, made in rows.items()}
        counted = {"days": len(returns), "days that see the future": found}
        return pd.DataFrame(counted).rename_axis("features")

    def guard_in_words(self) -> str:
        """Say what the two leaks are, which look harmless."""
        return (
            "The leaky ones are a rolling volatility that is centred on its day, and"
            " returns scaled by mean and deviation of the whole series"
        )

    # ------------------------------------------------- 3 teacher, students, control
    def learn(self, progress: bool = True) -> None:
        """Walk forward through every seed's series."""
        from tqdm.auto import tqdm

        self.days = {seed: Days.of(prices) for seed, prices in self.prices.items()}
        self.walked: dict[int, Walked] = {}
        for seed in tqdm(self.seeds, "seeds", disable=None if progress else True):
            self.walked[seed] = walk(
                self.days[seed], seed, folds=FOLDS, test=TEST, steps=STEPS
            )

    def scores(self, *names: str) -> dict[str, dict[int, float]]:
        """Return macro F1 on all test days by arm and seed."""
        return {
            name: {
                seed: macro_f1(one.answers(name), one.truth)
                for seed, one in self.walked.items()
            }
            for name in names
        }

    @property
    def rows(self) -> list[Row]:
        """A row for each arm."""
        notes = {
            TEACHER: f"gradient boosting over {WINDOW} days",
            SAME: "no model: next week as the last days",
            CONTROL: "labels alone",
            DISTILLED: "labels and the teacher's soft targets",
        }
        return [
            Row(
                name,
                [
                    measure_quality(one.answers(name), one.truth)
                    for one in self.walked.values()
                ],
                seeds=list(self.seeds),
                notes=note,
            )
            for name, note in notes.items()
        ]

    @property
    def scorecard(self) -> pd.DataFrame:
        """Quality of teacher, control and student, and of no model at all."""
        return table(self.rows, "days")[["accuracy", "95% interval", "F1", "ECE"]]

    @property
    def gain(self) -> Comparison:
        """Distilled against control, macro F1 on the test days, seed by seed."""
        scores = self.scores(DISTILLED, CONTROL)
        return compare_scores(scores, [(DISTILLED, CONTROL)], steps=STEPS)[0]

    @property
    def helped(self) -> str:
        """Whether the teacher helped, in plain words."""
        against = "of macro F1 over the control"
        words = {"better": "Distillation helped", "worse": "Distillation hurt"}
        said = words.get(self.gain.verdict, "Distillation was not shown to help")
        return f"{said}: {self.gain.in_points()} {against}, {len(self.seeds)} seeds"

    def compare(self, pairs) -> list[Comparison]:
        """Compare arms seed by seed, and keep what came out."""
        names = dict.fromkeys(name for pair in pairs for name in pair)
        found = compare_scores(self.scores(*names), pairs)
        self.own |= {f"{one.treatment} - {one.control}": one for one in found}
        return found

    def leaks(self) -> list[Comparison]:
        """Compare a control that sees the future with one that does not."""
        return self.compare([(LEAK, CONTROL), (DISTILLED, SAME), (TEACHER, DISTILLED)])

    def odd_days(self) -> list[Comparison]:
        """Compare days that are handed on since they are odd with as many by lot."""
        return self.compare([(ODD, DISTILLED), (ODD, BY_LOT)])

    @property
    def odd_table(self) -> pd.DataFrame:
        """Count the odd days, and how many the student and the teacher have right."""
        rows = {}
        for seed, one in self.walked.items():
            odd = one.is_odd
            right = {
                f"{name} right": int(
                    (one.answers(name).argmax(1) == one.truth)[odd].sum()
                )
                for name in (DISTILLED, TEACHER)
            }
            rows[seed] = {"test days": len(odd), "odd": int(odd.sum()), **right}
        return pd.DataFrame(rows).T.rename_axis("seed")

    # ------------------------------------------------------- 7 handed over
    @property
    def kept(self) -> tuple[str, int]:
        """The arm and the seed that are kept, by the days held back for choosing."""
        means = {
            arm: {s: float(np.mean(one.held[arm])) for s, one in self.walked.items()}
            for arm in (DISTILLED, CONTROL)
        }
        arm = max(means, key=lambda name: np.mean(list(means[name].values())))
        return arm, max(means[arm], key=means[arm].get)

    @property
    def facts(self) -> Mapping:
        """What the card says."""
        arm, seed = self.kept
        one = self.walked[seed]
        return {
            "note": self.prices[seed].note,
            "learnt": "labels and the teacher's soft targets"
            if arm == DISTILLED
            else "labels alone: on the days that choose, the teacher did not help",
            "edges": one.edges,
            "horizon": WEEK,
            "days": len(one.truth),
            "f1": f"{macro_f1(one.answers(arm), one.truth):.3f}",
        }

    def deliver(self) -> str:
        """Write bundle and card, and say what was written."""
        arm, seed = self.kept
        one = self.walked[seed]
        folder = self.settings.folder / "delivered"
        write_market_bundle(folder, one.students[arm], one.edges, self.facts)
        rows = self.days[seed].streamed[one.fold.test]
        ours = one.students[arm].answer(rows)
        self.parity = float(
            (ours.argmax(1) == self.reader.logits(rows).argmax(1)).mean()
        )
        return (
            f"written: bundle and card; {self.parity:.0%} of {len(rows)} days are answered"
            " by the ONNX file as in Python"
        )

    @cached_property
    def reader(self) -> RegimeReader:
        """The kept student as it is handed over, ready to be asked."""
        arm, seed = self.kept
        one = self.walked[seed]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "student"
            write_market_bundle(folder, one.students[arm], one.edges, self.facts)
            return RegimeReader(folder / "bundle")

    def release(self) -> Release:
        """Ask those of lesson 11's five questions that apply to numbers."""
        arm, seed = self.kept
        one = self.walked[seed]
        quality = measure_quality(one.answers(arm), one.truth)
        facts = CardFacts(
            self.story.about,
            test_texts=len(one.truth),
            calibration_error=quality.scores["calibration_error"],
            private_texts=False,
            gives_away=False,
        )
        use = Use(self.story.use, person_decides=self.story.person_decides)
        findings = (
            self._mispriced(seed),
            Finding("forgetting", NOT_ASKED, "a first student has nothing to forget"),
            Finding("privacy", NOT_ASKED, _NO_PERSON),
            Finding("fairness", NOT_ASKED, _NO_PERSON),
            fitting(facts, use),
        )
        folder = self.settings.folder / "delivered"
        found = Release(
            *outcome_of(findings),
            findings,
            use,
            Opened(folder, self.reader.logits),
            tuple(REGIMES),
            self.prices[seed].source,
        )
        write_release(found, self.settings.folder / "release")
        write_card(folder / CARD, self.facts, f"{found.outcome}: {found.reason}.")
        return found

    @property
    def card(self) -> str:
        """The student's card, as the release check left it."""
        return (self.settings.folder / "delivered" / CARD).read_text("utf-8")

    def _mispriced(self, seed: int) -> Finding:
        """Ask after one wrong closing price, three days ago."""
        day_of = {day: at for at, day in enumerate(self.prices[seed].returns.index)}
        returns = self.prices[seed].returns.to_numpy()
        one, days = self.walked[seed], self.days[seed]
        asked = one.fold.test[::10]
        places = [day_of[days.dates[at]] for at in asked]
        labels = regimes(days.ahead[asked], one.edges)
        right = {
            slip: float((self._after(returns, places, slip).argmax(1) == labels).mean())
            for slip in (0.0, SLIP)
        }
        lost = right[0.0] - right[SLIP]
        said = (
            f"accuracy {right[0.0]:.3f} on {len(asked)} days, {right[SLIP]:.3f} where one"
            f" closing price of the last three days is {SLIP:g} per cent too high"
        )
        numbers = {"accuracy": {f"{slip:g}": found for slip, found in right.items()}}
        return Finding("attack", PASSED if lost <= MOST_LOST else LOOK, said, numbers)

    def _after(self, returns: np.ndarray, places, slip: float) -> np.ndarray:
        """Return logits for some days, with the close two days before each wrong."""
        stream, rows, at = StreamingFeatures(), [], 0
        for place in places:
            while at < place - 2:
                stream.update(returns[at])
                at += 1
            branch = copy.copy(stream)
            branch.update(returns[place - 2] + slip)
            branch.update(returns[place - 1] - slip)
            rows.append(branch.update(returns[place]))
        return self.reader.logits(np.array(rows))

    @property
    def milliseconds(self) -> float:
        """What one day takes the delivered student, from return to shares, its median."""
        return self.timed()["student, one day"]

    def timed(self, days: int = 200) -> dict[str, float]:
        """Time one answer of the delivered student and of the teacher.

        Parameters
        ----------
        days : int, default 200

        Returns
        -------
        dict of str to float
            Milliseconds, the median.
        """
        _, seed = self.kept
        values = self.prices[seed].returns.to_numpy()[-days:]
        windows_ = self.days[seed].windows[-20:]
        teacher = self.walked[seed].teacher
        return {
            "student, one day": _median_ms(self.reader.update, values),
            "teacher, one day": _median_ms(lambda row: teacher(row[None]), windows_),
        }


def _median_ms(ask, inputs) -> float:
    times = []
    for value in inputs:
        start = time.perf_counter()
        ask(value)
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1e3)
