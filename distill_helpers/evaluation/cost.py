"""What a model costs: size, speed, memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from ..arguments import check_whole
from ..logs import quietly
from .memory import PeakMemory
from .predict import Predictor
from .statistics import interval


@dataclass
class Cost:
    """What a model takes, measured on this machine.

    Attributes
    ----------
    parameters : int
    bytes_on_disk : int
    median_ms, p95_ms : float
        Milliseconds for one review at batch 1.
    reviews_per_second : float
        At the batch size given.
    peak_memory_mb : float
        The weights and the most that PyTorch held besides while it answered
        one batch, in MiB.
    batch_size, threads : int
    """

    parameters: int
    bytes_on_disk: int
    median_ms: float
    p95_ms: float
    reviews_per_second: float
    peak_memory_mb: float
    batch_size: int
    threads: int


# --------------------------------------------------------------------- cost
def measure_cost(
    predict: Predictor,
    texts: Sequence[str],
    *,
    parameters: int,
    bytes_on_disk: int,
    single: int = 50,
    batch_size: int = 64,
) -> Cost:
    """Time a model on this machine.

    Parameters
    ----------
    predict : callable
        Texts in, logits out.
    texts : sequence of str
        What to read; repeated if there are too few.
    parameters, bytes_on_disk : int
        From :func:`count_parameters` and :func:`size_on_disk`.
    single : int, default 50
        Reviews timed one by one, after ten to warm up.
    batch_size : int, default 64
        Reviews per call when the throughput is timed.

    Returns
    -------
    Cost
    """
    if not len(texts):
        raise ValueError("texts must hold at least one text")
    # Deterministic and mixed in length, whatever the order of the texts.
    order = np.random.default_rng(0).permutation(len(texts))
    pick = [texts[order[i % len(texts)]] for i in range(single + batch_size)]
    for text in pick[:10]:
        predict([text])
    times = []
    for text in pick[:single]:
        start = time.perf_counter()
        predict([text])
        times.append(time.perf_counter() - start)
    with PeakMemory() as memory:  # the first batch, which also warms up
        predict(pick[:batch_size])
    rates = []
    for start_index in (0, single):
        batch = pick[start_index : start_index + batch_size]
        start = time.perf_counter()
        predict(batch)
        rates.append(len(batch) / (time.perf_counter() - start))
    return Cost(
        parameters=parameters,
        bytes_on_disk=bytes_on_disk,
        median_ms=float(np.median(times) * 1e3),
        p95_ms=float(np.percentile(times, 95) * 1e3),
        reviews_per_second=float(np.median(rates)),
        peak_memory_mb=(bytes_on_disk + memory.peak) / 2**20,
        batch_size=batch_size,
        threads=torch.get_num_threads(),
    )


def race(
    predictors: Mapping[str, Predictor], texts: Sequence[str], rounds: int = 40
) -> dict[str, float]:
    """Time several models side by side, one review at a time.

    They take turns on every review, so that a machine that slows down slows
    all of them. PyTorch computes in one thread meanwhile: for one review of a
    small model more threads mostly wait for each other.

    Parameters
    ----------
    predictors : mapping of str to callable
        Texts in, logits out.
    texts : sequence of str
        Read in turn, after five to warm up.
    rounds : int, default 40
        Reviews that are timed; at least 1.

    Returns
    -------
    dict of str to float
        Median milliseconds for one review, by name.

    Raises
    ------
    ValueError
        If there is no text or `rounds` is below 1.
    """
    if not len(texts) or rounds < 1:
        raise ValueError(
            f"a race needs texts and at least one round, got {len(texts)} texts"
            f" and rounds={rounds!r}"
        )
    times: dict[str, list[float]] = {name: [] for name in predictors}
    with one_thread():
        for turn in range(-5, rounds):
            text = [texts[turn % len(texts)]]
            for name, predict in predictors.items():
                start = time.perf_counter()
                predict(text)
                if turn >= 0:
                    times[name].append(time.perf_counter() - start)
    return {name: float(np.median(spent) * 1e3) for name, spent in times.items()}


@dataclass(frozen=True)
class TimeRatio:
    """How many times as long one thing takes as another.

    Attributes
    ----------
    ratio : float
        Geometric mean over the rounds.
    interval : (float, float)
        95% interval, Student's t on the logarithms.
    rounds : int
    """

    ratio: float
    interval: tuple[float, float]
    rounds: int

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.ratio:.2f}x [{low:.2f}, {high:.2f}], {self.rounds} rounds"


def compare_seconds(
    first: Callable[[], object], second: Callable[[], object], rounds: int = 5
) -> TimeRatio:
    """Time two things in turn, round by round, after one round to warm up.

    Whatever slows the machine for a while slows both, and the interval says how
    far their ratio can be trusted; a single timing says nothing about that.

    Parameters
    ----------
    first, second : callable
        Called without arguments.
    rounds : int, default 5
        At least 2.

    Returns
    -------
    TimeRatio
        Above 1 where `first` takes longer.

    Raises
    ------
    ValueError
        If `rounds` is below 2.
    """
    check_whole("rounds", rounds, least=2)
    spent = np.array(
        [
            [_seconds(work) for work in (first, second)]
            for _ in tqdm(range(rounds + 1), "rounds", leave=False)
        ][1:]
    )
    logs = np.log(spent[:, 0] / spent[:, 1])
    low, high = np.exp(interval(logs))
    return TimeRatio(float(np.exp(logs.mean())), (float(low), float(high)), rounds)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def one_thread():
    """Let PyTorch compute in one thread for a while."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def count_parameters(model: torch.nn.Module) -> int:
    """Count a model's weights, shared ones once."""
    return sum(parameter.numel() for parameter in model.parameters())


def size_on_disk(model, tokenizer=None) -> int:
    """Save a model to a temporary folder and add up the bytes.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase, optional
        Counted too if given: a model cannot be used without its own.

    Returns
    -------
    int
        Bytes of weights, config and tokeniser.
    """
    with tempfile.TemporaryDirectory() as folder, quietly():
        model.save_pretrained(folder)
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
        return sum(p.stat().st_size for p in Path(folder).rglob("*"))
