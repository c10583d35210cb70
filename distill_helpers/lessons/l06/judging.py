"""Lesson 06: the claim that goes from end to end, judged like with like."""

from __future__ import annotations

from collections.abc import Mapping

from ..claims import Claim, judge, points_in_words, size_in_words, times_in_words

FASTER, SMALLER = "times as fast", "times as small"


def judge_student(
    alike: Mapping[str, float],
    mixed: Mapping[str, float],
    gap: float,
    *,
    stand_in: bool = False,
) -> Claim:
    """Judge C01: ten times as fast, a tenth of the size, accuracy close.

    Parameters
    ----------
    alike, mixed : mapping of str to float
        The teacher's milliseconds and bytes over the student's, by
        ``"times as fast"`` and ``"times as small"``: both models in one form, and a
        rounded student beside a teacher that is not.
    gap : float
        Points of accuracy that the student is behind.
    stand_in : bool, default False
        What was timed is not the teacher: then nothing is judged.

    Returns
    -------
    Claim
        By the first of the two, with at most two points lost.
    """
    words = (
        f"like with like {times_in_words(alike[FASTER])},"
        f" {size_in_words(1 / alike[SMALLER])}, {points_in_words(gap)}"
        f" (INT8 against PyTorch {times_in_words(mixed[FASTER])})"
    )
    held = alike[FASTER] >= 10 and alike[SMALLER] >= 10 and gap <= 2
    return judge("C01", words, None if stand_in else bool(held))
