"""What our own run of a lesson measured, for the picture that a lesson opens with.

A lesson shows where it is going before it has computed anything. The numbers of that
picture are those of a whole run with the lesson's defaults, kept in one file; a test
holds them against what the lesson measures today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..arguments import check_choice
from ..places import RESULTS

STORED = RESULTS / "openings.json"


def ours(lesson: str, path: Path = STORED) -> dict:
    """Return what we measured in a lesson.

    Parameters
    ----------
    lesson : str
        Its number, such as ``"01"``.
    path : Path
        The file that they are kept in.

    Returns
    -------
    dict
        As :func:`picked` makes it of the lesson's results.

    Raises
    ------
    ValueError
        If no numbers of this lesson are kept.
    """
    kept = json.loads(path.read_text("utf-8"))
    return kept[check_choice("lesson", lesson, list(kept))]


def picked(lesson: str, results: Mapping) -> dict:
    """Pick the numbers of a lesson's opening out of its ``results.json``.

    Parameters
    ----------
    lesson : {"00", "01", "02"}
    results : mapping

    Returns
    -------
    dict
        What :func:`ours` returns.

    Raises
    ------
    ValueError
        If the lesson has no opening of its own.
    """
    picks = {"00": _first_distillation, "01": _missing_three, "02": _forgotten_square}
    return picks[check_choice("lesson", lesson, list(picks))](results)


def _first_distillation(results: Mapping) -> dict:
    means = {name: _mean(by.values()) for name, by in results["scores"].items()}
    return {"accuracy": means | {"teacher": round(results["teacher"], 4)}}


def _missing_three(results: Mapping) -> dict:
    shares = {name: _mean(each) for name, each in results["threes"].items()}
    labels = shares.pop("labels")
    return {
        "temperatures": [float(name) for name in shares],
        "soft targets": list(shares.values()),
        "labels": [labels] * len(shares),
    }


def _forgotten_square(results: Mapping) -> dict:
    mixed = results["wrong_labels"]
    return {"accuracy": {name: _mean(each) for name, each in mixed.items()}}


def _mean(values) -> float:
    return round(float(np.mean(list(values))), 4)
