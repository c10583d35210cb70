"""What a student of numbers hands over: weights in ONNX, how to read it, a card."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ...evaluation.cards import CARD
from ...files import whole_file, whole_folder
from ...foreign import read_json
from ...logs import quietly
from .market import RegimeStudent
from .streaming import REGIMES, STREAMED, StreamingFeatures

MODEL, ABOUT = "model.onnx", "regimes.json"
FORMAT = 1
_CARD = """\
---
library_name: onnxruntime
pipeline_tag: tabular-classification
tags:
- knowledge-distillation
---

# Regimes of volatility, from seven numbers a day

A student of knowledge distillation that reads no text: it says which regime
({labels}) the volatility of the next {horizon} trading days points to.

- Made of: {note}.
- Learnt from: {learnt}.
- Regimes: calm below {low:.3f} per cent a day, wild from {high:.3f} on; thirds of its
  training days, not of yours.
- Judged on: {days} later days, with all training days before them; macro F1 {f1}.
- It says nothing about whether prices rise or fall, and was measured on this series
  alone. It is no advice to buy or sell.
- The gate for odd days is no part of this folder: fit it anew on your training days.

## May it go out

{release}

## How to load it

```python
from distill_helpers.lessons.l13.market_bundle import RegimeReader

reader = RegimeReader("this folder")
for value in returns:  # of each day, in per cent, from the first to today
    shares = reader.update(value)
```
"""


class RegimeReader:
    """A delivered student, asked day by day; nothing of the past is kept but six numbers.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    FileNotFoundError
        If there is no such student in it.
    ValueError
        If what lies there was written by another kit.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        if not (folder / ABOUT).is_file():
            raise FileNotFoundError(
                f"{str(folder)!r} holds no {ABOUT}: no such student"
            )
        self.about = read_json(folder / ABOUT)
        if self.about.get("format") != FORMAT or self.about.get("features") != STREAMED:
            raise ValueError(
                f"{ABOUT} must have format {FORMAT} and the features {STREAMED}, got"
                f" {self.about.get('format')!r} and {self.about.get('features')!r}"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / MODEL), options)
        self._stream = StreamingFeatures()

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return logits, shape (days, 3), of rows of features."""
        rows = np.asarray(features, np.float32)
        return self._session.run(None, {"features": rows})[0]

    def update(self, value: float) -> dict[str, float]:
        """Take a day's return in per cent and give each regime's share."""
        logits = self.logits(self._stream.update(value)[None])[0].astype(float)
        shares = np.exp(logits - logits.max())
        return dict(zip(REGIMES, (shares / shares.sum()).tolist()))


def write_market_bundle(
    folder: Path, student: RegimeStudent, edges: tuple[float, float], card: Mapping
) -> Path:
    """Write a student of numbers, all or nothing.

    Parameters
    ----------
    folder : Path
        Does not exist, or is empty.
    student : RegimeStudent
    edges : (float, float)
        Where calm ends and wild begins.
    card : mapping
        What the card says; see :func:`write_card`.

    Returns
    -------
    Path
    """
    with whole_folder(folder) as made:
        (made / "bundle").mkdir()
        trace_student(student, made / "bundle" / MODEL)
        about = {
            "format": FORMAT,
            "features": STREAMED,
            "labels": REGIMES,
            "edges": list(edges),
            "unit": "per cent a day",
        }
        (made / "bundle" / ABOUT).write_text(
            json.dumps(about, indent=1) + "\n", "utf-8"
        )
        write_card(made / CARD, card, "Not asked yet.")
    return folder


def trace_student(student: RegimeStudent, path: Path) -> Path:
    """Write a student as ONNX; any number of days may be asked at once."""
    example = torch.zeros(2, len(STREAMED))
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(
        logging.ERROR
    )
    with quietly(), warnings.catch_warnings(), whole_file(path) as part:
        warnings.simplefilter("ignore")  # notes of the exporter to its makers
        torch.onnx.export(
            student,
            (example,),
            str(part),
            input_names=["features"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("days")},),
            external_data=False,
            verbose=False,
        )
    return path


def write_card(path: Path, facts: Mapping, release: str) -> None:
    """Write the card of a student of numbers.

    Parameters
    ----------
    path : Path
    facts : mapping
        ``note``, ``learnt``, ``edges``, ``days``, ``f1`` and ``horizon``.
    release : str
        What the release check came to.
    """
    low, high = facts["edges"]
    plain = {k: v for k, v in facts.items() if k != "edges"}
    text = _CARD.format(
        labels=", ".join(REGIMES), low=low, high=high, release=release, **plain
    )
    path.write_text(text, "utf-8")
