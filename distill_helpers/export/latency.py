"""Where the milliseconds of an answer go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..arguments import check_whole
from ..data.encoding import DistillationCollator, encode_texts
from ..evaluation.metrics import softmax
from .browser import download_bytes
from .headless import ask_page
from .onnx import INPUTS, OnnxClassifier

PARTS = ("tokenise", "run", "post-process")


def latency_budget(
    path: str | Path,
    tokenizer,
    texts: Sequence[str],
    *,
    batch_size: int = 1,
    threads: int = 1,
    rounds: int = 30,
) -> dict[str, float]:
    """Time the three parts of an answer.

    Parameters
    ----------
    path : str or Path
        An ONNX file.
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str
        Read in turn.
    batch_size : int, default 1
    threads : int, default 1
        Of ONNX Runtime.
    rounds : int, default 30
        Batches that are timed, after three to warm up.

    Returns
    -------
    dict of str to float
        Median milliseconds for one *batch*: ``"tokenise"`` (texts to padded
        ids), ``"run"`` (ids to logits), ``"post-process"`` (logits to labels
        and probabilities).

    Raises
    ------
    ValueError
        If there is no text, or a number is below 1.
    """
    check_whole("batch_size", batch_size, least=1)
    check_whole("threads", threads, least=1)
    check_whole("rounds", rounds, least=1)
    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    classifier = OnnxClassifier(path, tokenizer, threads=threads)
    collate = DistillationCollator(tokenizer.pad_token_id, 2)
    times = []
    for turn in range(-3, rounds):
        start = (turn + 3) * batch_size
        asked = [texts[(start + i) % len(texts)] for i in range(batch_size)]
        marks = [time.perf_counter()]
        ids = encode_texts(tokenizer, asked)
        batch = collate([{"input_ids": i, "labels": -100} for i in ids])
        feeds = [batch[name].numpy() for name in INPUTS]
        marks.append(time.perf_counter())
        logits = classifier.run(*feeds)
        marks.append(time.perf_counter())
        list(zip(logits.argmax(1), softmax(logits).max(1)))
        marks.append(time.perf_counter())
        if turn >= 0:
            times.append(np.diff(marks))
    return dict(zip(PARTS, (np.median(times, axis=0) * 1e3).tolist()))


def page_latency(folder: str | Path, texts: Sequence[str], *, turns: int = 5) -> dict:
    """Ask a page in a browser without a window, and time its answers.

    Parameters
    ----------
    folder : str or Path
        From :func:`~distill_helpers.export.browser.to_browser`.
    texts : sequence of str
        Asked one after the other.
    turns : int, default 5
        How often all of them are asked. Of each text the quickest turn counts, as what
        else a machine does can only make an answer slower; the first one warms up.

    Returns
    -------
    dict
        How many ``"texts"``, ``"median_ms"`` and ``"p90_ms"`` of them, from text to
        label, as the page itself measures it, and the ``"bytes"`` that a visitor
        loads, of student, code and runtime.

    Raises
    ------
    HeadlessMissingError, FileNotFoundError, PageFaultError
        As :func:`~distill_helpers.export.headless.ask_page`.
    ValueError
        If `turns` is below 1, or there is no text.
    """
    check_whole("turns", turns, least=1)
    if not len(texts):
        raise ValueError("texts must hold at least one text, got none")
    found = ask_page(folder, [*texts] * turns)
    times = np.array([answer.milliseconds for answer in found])
    median, high = np.quantile(times.reshape(turns, -1).min(0), [0.5, 0.9]).tolist()
    return {
        "texts": len(texts),
        "median_ms": median,
        "p90_ms": high,
        "bytes": download_bytes(folder),
    }
