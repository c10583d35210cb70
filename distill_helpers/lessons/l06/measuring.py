"""Lesson 06: tables of what its models take and how often they are right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ...compression.forms import Form
from ...evaluation.cascade import CascadeResult
from ...export.headless import ask_page
from ...export.latency import latency_budget

WARM_UP = 5
"""Answers of a page that are not counted."""


def beside_each_other(
    logits: Mapping[str, np.ndarray], truth: np.ndarray, label_names: Sequence[str]
) -> pd.DataFrame:
    """Compare answers to the same texts.

    Parameters
    ----------
    logits : mapping of str to ndarray, shape (texts, classes)
    truth : ndarray of int, shape (texts,)
    label_names : sequence of str

    Returns
    -------
    DataFrame
        One row each: accuracy, and the logits of the first text.
    """
    rows = {
        title: {
            "accuracy": (each.argmax(1) == truth).mean(),
            **{
                f"first text's logit, {label}": value
                for label, value in zip(label_names, each[0])
            },
        }
        for title, each in logits.items()
    }
    return pd.DataFrame(rows).T.astype(float).round(3)


def latency_budgets(
    path: str | Path, tokenizer, texts: Sequence[str], rounds: int = 20
) -> dict[str, dict[str, float]]:
    """Time the parts of an answer, one text and 32 at a time, in one thread and two.

    Parameters
    ----------
    path : str or Path
        An ONNX file.
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str
    rounds : int, default 20

    Returns
    -------
    dict of str to dict of str to float
        By setting, such as ``"batch 32, 1 thread"``: milliseconds for one *text*,
        by the parts of :func:`~distill_helpers.export.latency.latency_budget`.
    """
    budgets = {}
    for batch_size in (1, 32):
        for threads in (1, 2):
            found = latency_budget(
                path,
                tokenizer,
                texts,
                batch_size=batch_size,
                threads=threads,
                rounds=rounds,
            )
            title = f"batch {batch_size}, {threads} thread" + "s" * (threads > 1)
            budgets[title] = {part: ms / batch_size for part, ms in found.items()}
    return budgets


def candidates(
    forms: Mapping[str, Form],
    milliseconds: Mapping[str, float],
    answers: Mapping[str, Callable[[Sequence[str]], np.ndarray]],
    parts: Mapping[str, tuple[Sequence[str], np.ndarray]],
) -> pd.DataFrame:
    """Say of each model what it takes, and how often it is right.

    Parameters
    ----------
    forms : mapping of str to Form
        Their bytes.
    milliseconds : mapping of str to float
        For one text, by the same names.
    answers : mapping of str to callable
        Texts in, logits out. A form that is missing here has no accuracy: NaN.
    parts : mapping of str to (texts, labels)
        By the name of the column, such as ``"validation"``.

    Returns
    -------
    DataFrame
        One row a form: ``MB``, ``ms`` and a column for each part.
    """
    table = pd.DataFrame(
        {
            name: {"MB": form.bytes / 1e6, "ms": milliseconds[name]}
            for name, form in forms.items()
        }
    ).T
    for column, (texts, truth) in parts.items():
        hits = {n: answer(texts).argmax(1) == truth for n, answer in answers.items()}
        table[column] = pd.Series({n: right.mean() for n, right in hits.items()})
    return table


def page_milliseconds(page: str | Path, texts: Sequence[str]) -> float:
    """Ask a page out of sight; return the median milliseconds of an answer.

    Parameters
    ----------
    page : str or Path
        Its folder.
    texts : sequence of str
        The first :data:`WARM_UP` only warm it up.

    Returns
    -------
    float

    Raises
    ------
    HeadlessMissingError
        If Playwright or a browser is missing.
    """
    found = ask_page(page, texts)
    return float(np.median([one.milliseconds for one in found[WARM_UP:]]))


def cascades(
    ours: CascadeResult,
    cloud_alone: CascadeResult,
    truth: np.ndarray,
    folder: str | Path,
) -> pd.DataFrame:
    """Set a cascade beside those of stored runs of the lesson.

    Parameters
    ----------
    ours, cloud_alone : CascadeResult
    truth : ndarray of int, shape (texts,)
    folder : str or Path
        Of the stored results, ``lesson06_*.json``.

    Returns
    -------
    DataFrame
        One row a run: accuracies, the share that each stage answered, texts.
    """
    rows = [
        {
            "run": "this one",
            "cloud alone": cloud_alone.accuracy(truth),
            "cascade": ours.accuracy(truth),
            **ours.shares,
            "texts": len(truth),
        }
    ]
    for path in sorted(Path(folder).glob("lesson06_*.json")):
        run = json.loads(path.read_text("utf-8"))
        cascade = run["cascade"]
        rows.append(
            {
                "run": run["title"],
                "cloud alone": cascade["cloud_accuracy"],
                "cascade": cascade["accuracy"],
                **cascade["shares"],
                "texts": run["settings"]["test_reviews"],
            }
        )
    return pd.DataFrame(rows).set_index("run").round(3)
