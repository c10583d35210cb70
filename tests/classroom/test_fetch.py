"""Fetching IMDB says what came, or in one line why nothing did."""

import pytest
from datasets import Dataset, DatasetDict

from distill_helpers.classroom import fetch
from distill_helpers.data import imdb


def test_what_was_fetched_is_counted(monkeypatch, capsys):
    part = Dataset.from_dict({"text": ["good", "bad"], "label": [1, 0]})
    monkeypatch.setattr(imdb, "fetch_imdb", lambda: DatasetDict({"train": part}))
    assert fetch.main([]) == 0
    assert f"{imdb.IMDB_ID}: train, 2 reviews" in capsys.readouterr().out


def test_a_hub_that_does_not_answer_ends_without_a_traceback(monkeypatch):
    def refuses():
        raise FileNotFoundError("the Hub does not answer")

    monkeypatch.setattr(imdb, "fetch_imdb", refuses)
    with pytest.raises(SystemExit, match="the Hub does not answer"):
        fetch.main([])
