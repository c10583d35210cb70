"""Which texts without a label the teacher is asked about, if not about all."""

from __future__ import annotations

import numpy as np
from datasets import Dataset

from ..data.active import RANDOM, STUDENT_DOUBT, choose
from ..students.linear import baseline_logits
from .guide import Guide
from .looking import Texts
from .request import Request


def budget(request: Request, texts: Texts) -> int:
    """Return how many texts without a label the teacher answers at most.

    Raises
    ------
    ValueError
        If there are fewer than it is to be asked about.
    """
    there = len(texts.reviews["transfer"])
    if request.ask is None:
        return there
    if request.ask > there:
        raise ValueError(
            f"ask={request.ask:,} is more than the {there:,} texts without a label that"
            f" {str(request.source)!r} has; leave it out to ask about all"
        )
    return request.ask


def texts_read(request: Request, texts: Texts) -> int:
    """Return how many texts a student reads: those with a label, and those asked about.

    Raises
    ------
    ValueError
        As :func:`budget`.
    """
    return len(texts.reviews["train"]) + budget(request, texts)


def chosen(guide: Guide, teacher, train: Dataset, transfer: Dataset) -> Dataset:
    """Choose the texts without a label that are asked about, by the request's rule.

    Parameters
    ----------
    guide : Guide
    teacher : Teacher
        Who is asked, for the rules that need its answers.
    train, transfer : datasets.Dataset
        As a seed draws them; the teacher can answer all of `transfer`.

    Returns
    -------
    datasets.Dataset
        Rows of `transfer`. All seeds with the same rows choose the same ones, so that
        nothing is asked beyond the budget. The student in doubt is a linear one that
        knows the labels alone.

    Raises
    ------
    ValueError
        If the teacher can answer fewer texts than it is to be asked about.
    """
    request = guide.request
    if request.ask is None:
        return transfer
    if request.ask > len(transfer):
        raise ValueError(
            f"ask={request.ask:,} is more than the {len(transfer):,} texts without a"
            " label that the teacher can answer"
        )
    if request.ask == len(transfer):
        return transfer
    how = request.choose or RANDOM
    # Each seed has an order of its own, which must not change what is chosen.
    train, transfer = _by_text(train), _by_text(transfer)
    pool, student = list(transfer["text"]), None
    if how == STUDENT_DOUBT:
        labels, classes = np.asarray(train["label"]), len(guide.texts.label_names)
        student = baseline_logits(list(train["text"]), labels, pool, classes)
    rows = choose(
        how,
        pool,
        request.ask,
        student=student,
        teacher=teacher,
        seed=request.seeds[0],
        problem_type=guide.texts.problem_type,
    )
    return transfer.select(np.sort(rows))


def _by_text(part: Dataset) -> Dataset:
    texts = list(part["text"])
    return part.select(sorted(range(len(texts)), key=texts.__getitem__))
