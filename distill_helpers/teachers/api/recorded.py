"""What a small language model once said about the sample's reviews, said again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from ...data.cleaning import text_hash
from .prompts import Task
from .speaking import NothingToSayError, Said, classes_of, text_of

FILM_REVIEWS = Task(
    {"negative": "", "positive": ""},
    "Say whether a film review is positive or negative.",
)
"""What it was asked."""


class RecordedModel:
    """Answers of a language model that were written down.

    Parameters
    ----------
    path : str or Path
        The file that ``docs/record_answers.py`` made.

    Attributes
    ----------
    models : list of str
    owner : str
        Which model it was.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """

    models = ["smollm2-135m-recorded"]

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(
                f"path={str(path)!r}: there is no such file; docs/record_answers.py"
                " makes one"
            )

    @cached_property
    def owner(self) -> str:
        told = pq.read_schema(self.path).metadata or {}
        return f"recorded answers of {told.get(b'model', b'somebody').decode()}"

    @cached_property
    def _rows(self) -> dict[str, dict]:
        rows = pq.read_table(self.path).to_pylist()
        return {row["text_hash"]: row for row in rows}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, text: str) -> bool:
        return text_hash(text) in self._rows

    def turned(self, text: str) -> bool:
        """Say whether the classes were named in the reverse order, too."""
        return text in self and self._rows[text_hash(text)]["turned_tokens"] is not None

    def says(self, body: Mapping, turn: int) -> Said:
        """See :meth:`~.speaking.Speaker.says`; it knows one question in two forms."""
        way = _way(body)
        row = self._rows.get(text_hash(text_of(body)))
        if row is None or row[f"{way}_tokens"] is None:
            raise NothingToSayError("nobody recorded an answer to this text")
        tokens = row[f"{way}_tokens"]
        votes = row[f"{way}_votes"]
        drawn = votes[turn % len(votes)] if body.get("temperature") else tokens[0]
        head = 0 if way == "plain" else row["head_tokens"]
        alternatives = list(zip(tokens, row[f"{way}_logprobs"]))
        return Said(drawn, alternatives, row["prompt_tokens"] + head)


def _way(body: Mapping) -> str:
    """Say in which of the recorded ways a request asks."""
    names, prefilled = classes_of(body), body["messages"][-1]["role"] == "assistant"
    turned = names == FILM_REVIEWS.label_names[::-1]
    task = Task({n: FILM_REVIEWS.classes.get(n, "") for n in names}, FILM_REVIEWS.task)
    asked = task.messages(text_of(body), head=prefilled)
    same = [(m["role"], m["content"]) for m in body["messages"]]
    if same != [(m["role"], m["content"]) for m in asked] or turned > prefilled:
        raise NothingToSayError(
            "answers to one question alone were recorded; ask for FILM_REVIEWS"
        )
    return "turned" if turned else "prefilled" if prefilled else "plain"
