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
    lesson : {"00", "01", "02", "07", "08", "09", "10", "11", "12", "13"}
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
    picks = {
        "00": _first_distillation,
        "01": _missing_three,
        "02": _forgotten_square,
        "07": _whom_to_ask,
        "08": _beyond_logits,
        "09": _checked_traces,
        "10": _two_teachers,
        "11": _four_risks,
        "12": _where_they_look,
        "13": _four_domains,
    }
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


def _two_teachers(results: Mapping) -> dict:
    arms = results["students"]
    return {"accuracy": {name: _mean(by.values()) for name, by in arms.items()}}


def _whom_to_ask(results: Mapping) -> dict:
    budget = str(results["settings"]["budget"])
    rules = results["bought"].items()
    return {"accuracy": {how: _mean(by[budget].values()) for how, by in rules}}


def _checked_traces(results: Mapping) -> dict:
    scores = {
        name: [round(score, 4) for score in by.values()]
        for name, by in results["scores"].items()
    }
    return scores | {"their teacher": [round(results["first"]["teacher"], 4)]}


def _beyond_logits(results: Mapping) -> dict:
    return {
        end: {idea: round(value, 4) for idea, value in by_idea.items()}
        for end, by_idea in results["opening"].items()
    }


def _where_they_look(results: Mapping) -> dict:
    return results["opening"]


def _four_domains(results: Mapping) -> dict:
    return results["opening"]


def _four_risks(results: Mapping) -> dict:
    return {
        way: {risk: round(value, 4) for risk, value in by_risk.items()}
        for way, by_risk in results["opening"].items()
    }


def _mean(values) -> float:
    return round(float(np.mean(list(values))), 4)
