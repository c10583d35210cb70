"""One card for every model: quality, size, speed and memory.

A model is anything that turns texts into logits: a teacher, a student, later
a quantised or exported one.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil
import torch
from scipy import stats
from sklearn.metrics import f1_score

from . import __version__
from .files import whole_file
from .memory import PeakMemory
from .reading import length_grouped
from .training import (
    DistillationCollator,
    EncodedReviews,
    encode_texts,
    quietly,
)

RESULTS_FOLDER = Path(__file__).resolve().parent.parent / "data" / "results"
Predictor = Callable[[Sequence[str]], np.ndarray]
_CPU_FEATURES = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "amx_bf16",
    "amx_int8",
)


@dataclass
class Quality:
    """How well a model answers on one set of labelled texts.

    Attributes
    ----------
    accuracy, f1, calibration_error : float
        Shares within [0, 1]; F1 is the macro average.
    agreement : float or None
        Share of texts on which the model and its teacher choose one class.
    examples : int
        Texts that were asked.
    """

    accuracy: float
    f1: float
    calibration_error: float
    agreement: float | None
    examples: int


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


@dataclass
class Row:
    """One line of the scorecard, over several seeds.

    Attributes
    ----------
    name : str
        Stable, such as ``teacher``, ``control``, ``distilled``.
    per_seed : list of Quality
    cost : Cost or None
    notes : str
    """

    name: str
    per_seed: list[Quality]
    cost: Cost | None = None
    notes: str = ""
    seeds: list[int] = field(default_factory=list)

    def values(self, metric: str) -> list[float]:
        """Return one metric, seed by seed."""
        return [getattr(quality, metric) for quality in self.per_seed]

    def to_json(self) -> dict:
        """Return plain data: mean, per-seed values and interval."""
        metrics = {}
        for metric in ("accuracy", "f1", "calibration_error", "agreement"):
            values = self.values(metric)
            if None not in values:
                metrics[metric] = summary(values)
        return {
            "name": self.name,
            "seeds": self.seeds,
            "examples": self.per_seed[0].examples,
            **metrics,
            "cost": asdict(self.cost) if self.cost else None,
            "notes": self.notes,
        }


# ------------------------------------------------------------------ quality
def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float64, of the same shape as `logits`."""
    shifted = np.asarray(logits, np.float64)
    shifted = shifted - shifted.max(-1, keepdims=True)
    exponent = np.exp(shifted)
    return exponent / exponent.sum(-1, keepdims=True)


def expected_calibration_error(
    logits: np.ndarray, labels: Sequence[int], bins: int = 15
) -> float:
    """Return the mean gap between confidence and accuracy [1]_.

    Parameters
    ----------
    logits : ndarray, shape (examples, classes)
    labels : sequence of int, length examples
    bins : int, default 15
        Equal steps of confidence.

    Returns
    -------
    float
        Within [0, 1].

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML
       2017.
    """
    probabilities = softmax(logits)
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == np.asarray(labels)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = place == index
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            error += inside.mean() * gap
    return float(error)


def measure_quality(
    logits: np.ndarray,
    labels: Sequence[int],
    teacher_logits: np.ndarray | None = None,
) -> Quality:
    """Judge logits against labels and, if given, against the teacher.

    Parameters
    ----------
    logits : ndarray, shape (examples, classes)
    labels : sequence of int, length examples
    teacher_logits : ndarray, shape (examples, classes), optional

    Returns
    -------
    Quality

    Raises
    ------
    ValueError
        If the lengths differ, there is no example, or a logit is not finite.
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    if len(logits) != len(labels) or not len(labels):
        raise ValueError(
            f"logits has {len(logits)} rows and labels {len(labels)}: they"
            " must be equal and not 0"
        )
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite, got NaN or infinite values")
    choice = logits.argmax(1)
    agreement = None
    if teacher_logits is not None:
        agreement = float((choice == np.asarray(teacher_logits).argmax(1)).mean())
    return Quality(
        accuracy=float((choice == labels).mean()),
        f1=float(f1_score(labels, choice, average="macro")),
        calibration_error=expected_calibration_error(logits, labels),
        agreement=agreement,
        examples=len(labels),
    )


def interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return Student's t interval of the mean.

    Parameters
    ----------
    values : sequence of float
        One per seed.
    confidence : float, default 0.95

    Returns
    -------
    (float, float) or None
        None for fewer than two values: one seed has no interval.
    """
    values = np.asarray(values, float)
    if len(values) < 2:
        return None
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * error)
    return float(values.mean()) - half, float(values.mean()) + half


def summary(values: Sequence[float]) -> dict:
    """Return mean, per-seed values and 95% interval as plain data."""
    bounds = interval(values)
    return {
        "mean": float(np.mean(values)),
        "per_seed": [float(value) for value in values],
        "interval": list(bounds) if bounds else None,
    }


def predictor(model, tokenizer, batch_size: int = 64) -> Predictor:
    """Wrap a student and its tokeniser as a function from texts to logits.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    batch_size : int, default 64

    Returns
    -------
    callable
        Texts in, float32 logits (texts, classes) out; like lengths are put
        side by side.
    """

    def predict(texts: Sequence[str]) -> np.ndarray:
        ids = encode_texts(tokenizer, list(texts))
        encoded = EncodedReviews(ids, np.full(len(ids), -100))
        return predict_encoded(model, tokenizer, encoded, batch_size)

    return predict


@torch.inference_mode()
def predict_encoded(
    model, tokenizer, reviews: EncodedReviews, batch_size: int = 64
) -> np.ndarray:
    """Return a student's logits for reviews that are tokenised already.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
        Gives the padding id.
    reviews : EncodedReviews
    batch_size : int, default 64

    Returns
    -------
    ndarray of float32, shape (len(reviews), classes)
    """
    collate = DistillationCollator(tokenizer.pad_token_id)
    model.eval()
    output = np.zeros((len(reviews), model.config.num_labels), np.float32)
    for rows in length_grouped(reviews.lengths, batch_size):
        batch = collate(
            [{"input_ids": reviews.token_ids[i], "labels": -100} for i in rows]
        )
        del batch["labels"]
        output[rows] = model(**batch).logits.float().numpy()
    return output


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


def machine() -> dict:
    """Name the machine: system, CPU features, cores, threads, versions.

    Returns
    -------
    dict
        Nothing in it names the user, the host or a path.
    """
    import transformers

    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("flags"):
                flags = set(line.split(":")[1].split())
                break
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cpu_features": [name for name in _CPU_FEATURES if name in flags],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


# ------------------------------------------------------------------- output
def table(rows: Sequence[Row], examples: str = "reviews"):
    """Lay rows out as a table for people.

    Parameters
    ----------
    rows : sequence of Row
    examples : str, default "reviews"
        What the models read, for the heading of the speed.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    lines = []
    for row in rows:
        accuracy = summary(row.values("accuracy"))
        agreement = row.values("agreement")
        line = {
            "model": row.name,
            "accuracy": f"{accuracy['mean']:.3f}",
            "95% interval": _bounds(accuracy["interval"]),
            "F1": f"{np.mean(row.values('f1')):.3f}",
            "ECE": f"{np.mean(row.values('calibration_error')):.3f}",
            "agreement": "" if None in agreement else f"{np.mean(agreement):.3f}",
        }
        if row.cost:
            line |= {
                "parameters": f"{row.cost.parameters:,}",
                "MB on disk": _short(row.cost.bytes_on_disk / 1e6),
                "ms (median)": f"{row.cost.median_ms:.2f}",
                "ms (95th)": f"{row.cost.p95_ms:.2f}",
                f"{examples}/s": f"{row.cost.reviews_per_second:,.0f}",
                "peak MiB": _short(row.cost.peak_memory_mb, 0),
            }
        lines.append(line)
    return pd.DataFrame(lines).fillna("").set_index("model")


def _short(value: float, digits: int = 1) -> str:
    """Round for people, but never a small number down to 0."""
    return f"{value:.{digits}f}" if value >= 1 else f"{value:.2g}"


def _bounds(bounds) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "one run"


def results(rows: Sequence[Row], **settings) -> dict:
    """Gather rows, settings and the machine as plain data for JSON.

    Raises
    ------
    ValueError
        If two rows share a name.
    """
    names = [row.name for row in rows]
    if len(set(names)) < len(names):
        raise ValueError(f"row names must differ, got {names}")
    return {
        "format": 1,
        "kit": __version__,
        "settings": settings,
        "machine": machine(),
        "rows": [row.to_json() for row in rows],
    }


def stored_results(prefix: str) -> dict[str, list[dict]]:
    """Read the runs that we made, kept as numbers under ``data/results``.

    Parameters
    ----------
    prefix : str
        Of the file names, such as ``"lesson03_imdb"``.

    Returns
    -------
    dict of str to list of dict
        The title of each run and its rows.
    """
    runs = {}
    for path in sorted(RESULTS_FOLDER.glob(f"{prefix}*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        runs[content["title"]] = content["rows"]
    return runs


def side_by_side(runs: dict[str, Sequence[dict]]):
    """Lay the accuracy of several runs side by side.

    Parameters
    ----------
    runs : dict of str to list of dict
        Rows as :meth:`Row.to_json` gives them, by the run's title.

    Returns
    -------
    pandas.DataFrame
        A line per model, a column per run.
    """
    import pandas as pd

    columns = {}
    for title, rows in runs.items():
        cells = {}
        for row in rows:
            accuracy = row["accuracy"]
            bounds = accuracy["interval"]
            around = f" ({_bounds(bounds)})" if bounds else ""
            cells[row["name"]] = f"{accuracy['mean']:.3f}{around}"
        columns[title] = cells
    return pd.DataFrame(columns).fillna("")


def write_json(path: str | Path, content: dict) -> Path:
    """Write JSON, all or nothing; never over a file that exists.

    Raises
    ------
    FileExistsError
        If there is such a file already.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(
            f"{str(path)!r} holds a result already; name another folder"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
