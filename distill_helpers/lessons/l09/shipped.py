"""What lesson 09 brings: a teacher, a base, and what the teacher wrote.

All of it is made by :mod:`~distill_helpers.lessons.l09.making`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
from transformers import AutoModelForCausalLM, AutoTokenizer

from ...arguments import check_whole
from ...logs import quietly
from ...places import DATA
from .stories import Story, draw_stories

FOLDER = DATA / "reasoning"
TEACHER, BASE, WRITTEN = "teacher", "base", "traces.parquet"
STEPS = (2, 3, 4, 5)
"""Operations in a story of the lesson."""
LONGER = (6,)
TEST, POOL, TEACHERS_OWN = 800, 2000, 20_000
"""Stories to be judged by, to learn from, and those that the teacher learned from."""
SAMPLES = 4
"""Texts that the teacher wrote for each story of the pool."""
HEAT = 0.8
"""The temperature at which it drew them."""


def load_teacher(folder: Path = FOLDER):
    """Return the teacher and its tokeniser.

    Returns
    -------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    """
    return _load(Path(folder) / TEACHER)


def load_base(folder: str | Path | None = None):
    """Return a model to train, and its tokeniser.

    Parameters
    ----------
    folder : str or Path, optional
        By default that of the base, which knows stories with one operation.

    Returns
    -------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    """
    return _load(Path(folder or FOLDER / BASE))


def _load(folder: Path):
    with quietly():
        model = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        )
        return model, AutoTokenizer.from_pretrained(folder, local_files_only=True)


# ----------------------------------------------------------------- the stories
def exam_stories(count: int = TEST) -> list[Story]:
    """Return the stories that all models are judged by."""
    return list(_exam()[: _some("count", count, TEST)])


def pool_stories(count: int = POOL) -> list[Story]:
    """Return the stories that the students may learn from; none is of the exam."""
    return list(_pool()[: _some("count", count, POOL)])


def teachers_stories() -> list[Story]:
    """Return the stories that the teacher learned from; none is of pool or exam."""
    taken = keys(_exam()) | keys(_pool())
    return draw_stories("teacher", STEPS, TEACHERS_OWN, taken)


def longer_stories(count: int = 200) -> list[Story]:
    """Return stories with one operation more than any model has seen."""
    return draw_stories("longer", LONGER, count)


@cache
def _exam() -> tuple[Story, ...]:
    return tuple(draw_stories("test", STEPS, TEST))


@cache
def _pool() -> tuple[Story, ...]:
    return tuple(draw_stories("pool", STEPS, POOL, keys(_exam())))


def keys(stories: Sequence[Story]) -> set[tuple]:
    """Return the sums of stories, in whatever words."""
    return {story.key for story in stories}


def _some(name: str, count: int, most: int) -> int:
    return check_whole(name, count, least=1, most=most)


# ------------------------------------------------------ what the teacher wrote
def written_traces(count: int = POOL, path: Path | None = None) -> list[list]:
    """Return what the teacher wrote for the first stories of the pool.

    Parameters
    ----------
    count : int
    path : Path, optional

    Returns
    -------
    list of list of str or None
        Four texts a story, None where one did not end.

    Raises
    ------
    ValueError
        If the file was written for other stories.
    """
    table = pq.read_table(path or FOLDER / WRITTEN).to_pydict()
    if table["prompt"] != [story.prompt for story in _pool()]:
        raise ValueError(
            f"{WRITTEN} was written for other stories than those that are drawn now;"
            " make it anew: python -m distill_helpers.lessons.l09.making traces"
        )
    return table["texts"][: _some("count", count, POOL)]


def as_they_come(stories, texts, seed: int) -> list[dict[str, str]]:
    """Take one text of each story, whatever it says.

    Parameters
    ----------
    stories : sequence of Story
    texts : sequence of sequence of str or None
    seed : int
        Says which; those that did not end are left out, for they teach no end.

    Returns
    -------
    list of dict
        Rows of ``prompt`` and ``completion``.
    """
    chosen = [some[seed % len(some)] for some in texts]
    return [
        {"prompt": story.prompt, "completion": text}
        for story, text in zip(stories, chosen)
        if text is not None
    ]


def one_right(stories, texts, right, seed: int) -> list[dict[str, str]]:
    """Take one text that passed the check of each story that has any.

    Parameters
    ----------
    stories, texts
        As for :func:`as_they_come`.
    right : sequence of sequence of bool
    seed : int
        The text that :func:`as_they_come` takes, if it is right; else the next that
        is.

    Returns
    -------
    list of dict
    """
    rows = []
    for story, some, passed in zip(stories, texts, right):
        turn = [(seed + place) % len(some) for place in range(len(some))]
        first = next((place for place in turn if passed[place]), None)
        if first is not None:
            rows.append({"prompt": story.prompt, "completion": some[first]})
    return rows
