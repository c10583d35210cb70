"""Label a large pool of texts in pieces, on one machine or on many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import numpy as np

from ..arguments import check_whole
from .base import Teacher, check_answers


def label_texts(
    teacher: Teacher | Callable[[], Teacher],
    texts: Sequence[str],
    executor: Executor | None = None,
    *,
    chunk: int = 512,
    attempts: int = 2,
) -> np.ndarray:
    """Ask a teacher for the logits of many texts, piece by piece.

    Parameters
    ----------
    teacher : Teacher or callable
        A callable opens one, without arguments: it travels to the workers in
        its stead, and each of them calls it once.
    texts : sequence of str
    executor : concurrent.futures.Executor, optional
        Who does the work; a Dask client's ``get_executor()`` is one. By
        default this process itself.
    chunk : int, default 512
        Texts in one piece.
    attempts : int, default 2
        How often a piece is asked before the labelling is given up.

    Returns
    -------
    ndarray of float32, shape (len(texts), classes)
        In the order of the texts.

    Raises
    ------
    ValueError
        If there is no text, or a number is below 1.
    RuntimeError
        If a piece failed at every attempt; the message names its texts.

    Notes
    -----
    Like lengths are put side by side, so that pieces pad little. To remember
    the answers, give a :class:`~distill_helpers.teachers.cached.CachedTeacher`
    as `teacher`: its folder may be shared between processes.
    """
    check_whole("chunk", chunk, least=1)
    check_whole("attempts", attempts, least=1)
    texts = list(texts)
    if not texts:
        raise ValueError("texts must hold at least one text, got none")
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    pieces = [order[i : i + chunk] for i in range(0, len(order), chunk)]

    def begin(places: list[int]) -> Callable[[], np.ndarray]:
        asked = [texts[i] for i in places]
        if executor is None:
            return lambda: answer(teacher, asked)
        return executor.submit(answer, teacher, asked).result

    begun = [begin(places) for places in pieces]
    rows: list = [None] * len(texts)
    for places, result in zip(pieces, begun):
        for left in reversed(range(attempts)):
            try:
                answers = (result or begin(places))()
                break
            except Exception as error:
                if not left:
                    raise RuntimeError(_failure(places, attempts, error)) from error
                result = None
        for place, row in zip(places, answers):
            rows[place] = row
    return np.stack(rows)


def _failure(places: list[int], attempts: int, error: Exception) -> str:
    named = ", ".join(map(str, sorted(places)[:5]))
    return (
        f"{len(places)} texts could not be labelled in {attempts} attempts (numbers"
        f" {named}{', ...' if len(places) > 5 else ''}): {error!r}"
    )


_opened: dict[Callable, Teacher] = {}


def answer(teacher, texts: Sequence[str]) -> np.ndarray:
    """Do one piece of the work, wherever it is."""
    if not isinstance(teacher, Teacher):
        if teacher not in _opened:
            _opened[teacher] = teacher()
        teacher = _opened[teacher]
    logits = np.asarray(teacher.logits(texts), np.float32)
    check_answers(logits, len(texts), teacher.num_labels)
    return logits
