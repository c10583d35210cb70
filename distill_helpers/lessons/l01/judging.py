"""Lesson 01: two claims on DeepSeek, which a paper and the Hub can judge."""

from __future__ import annotations

from collections.abc import Mapping

from ..claims import Claim, judge

CLAIMED = "deepseek/deepseek-large"


def judge_framework() -> Claim:
    """Judge C12, on R1's distillation: only the paper can, and no run."""
    return judge(
        "C12",
        "not measured; the paper says supervised fine-tuning on about 800,000 samples",
        None,
    )


def judge_model(known: Mapping[str, bool]) -> Claim:
    """Judge C13: a certain model is on the Hub.

    Parameters
    ----------
    known : mapping of str to bool
        By name, whether the Hub has it; empty if it was not asked.

    Returns
    -------
    Claim
        Not testable if the Hub was not asked for :data:`CLAIMED`.
    """
    said = ", ".join(f"{name}: {there}" for name, there in known.items())
    return judge("C13", said or "not asked", known.get(CLAIMED))
