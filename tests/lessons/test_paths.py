"""A relative path among the parameters begins where its user called."""

import os
from pathlib import Path

import pytest

from distill_helpers.classroom import running
from distill_helpers.lessons.parameters import ParameterError
from distill_helpers.lessons.paths import as_called


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Where the user calls, and where the notebook lies."""
    here, beside = tmp_path / "hier ü", tmp_path / "notebooks"
    for folder, name in ((here, "here"), (beside, "there")):
        (folder / "sub").mkdir(parents=True)
        for file in (f"{name}.csv", "both.csv", f"sub/{name}.parquet"):
            (folder / file).write_text(name)
    for word in ("sample", "imdb", "shipped", "org/model"):
        (here / word).mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    return here, beside


@pytest.mark.parametrize(
    ("name", "value", "means"),
    [
        ("source", "here.csv", "here.csv"),
        ("source", "both.csv", "both.csv"),
        ("source", "./here.csv", "here.csv"),
        ("source", "sub/../here.csv", "here.csv"),
        ("source", "~/here.csv", "here.csv"),
        ("source", "sub/here.parquet", "sub/here.parquet"),
        ("teacher", "sub/here.parquet", "sub/here.parquet"),
        ("teacher", "org/model", "org/model"),
        ("encoder", "sub", "sub"),
        ("base", "./org/model", "org/model"),
        ("sweep", "sub", "sub"),
        ("work_dir", "new/stage", "new/stage"),
    ],
)
def test_a_relative_path_begins_where_the_user_is(places, name, value, means):
    here, beside = places
    (found,) = as_called({name: value}, beside).values()
    assert found == str(here / means)
    assert as_called({name: found}, beside) == {name: found}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", "auto"),
        ("source", "sample"),
        ("source", "imdb"),
        ("source", "practice"),
        ("teacher", "shipped"),
        ("teacher", "make"),
        ("teacher", "other/model-v1.5"),
        ("encoder", "sentence-transformers/all-MiniLM-L6-v2"),
        ("encoder", ""),
        ("encoder", None),
        ("sweep", "stored"),
        ("sweep", "run"),
        ("student", "here.csv"),
        ("class_names", {"a": "here.csv"}),
        ("seeds", [0]),
    ],
)
def test_words_hub_ids_and_other_parameters_stay(places, name, value):
    assert as_called({name: value}, places[1]) == {name: value}


@pytest.mark.parametrize(
    ("name", "value", "is_there"),
    [
        ("source", "there.csv", True),
        ("source", "none.csv", False),
        ("source", "smaple", False),
        ("source", "sub/there.parquet", True),
        ("source", "~/none.csv", False),
        ("teacher", "there.csv", True),
        ("teacher", "answers.jsonl.gz", False),
        ("teacher", "./model", False),
        ("teacher", "../notebooks/none", False),
        ("encoder", "C:\\models\\x", False),
        ("base", "~/model", False),
        ("sweep", "runs/none", False),
    ],
)
def test_what_is_not_there_is_refused_with_both_places(places, name, value, is_there):
    here, beside = places
    with pytest.raises(ParameterError) as refused:
        as_called({name: value}, beside)
    said = str(refused.value)
    meant = Path(os.path.abspath(os.path.expanduser(value)))
    assert said.startswith(f"{name}={value!r}: there is no {str(meant)!r}")
    assert repr(os.path.abspath(beside / value)) in said
    assert ("it is there" in said) == is_there


def test_the_lessons_read_a_file_from_where_they_are_called(
    places, monkeypatch, capsys
):
    asked = []
    monkeypatch.setattr(running, "lesson_paths", lambda: [Path("03_x.ipynb")])
    monkeypatch.setattr(
        running,
        "run_lesson",
        lambda path, to, source, progress: asked.append(source) or path,
    )
    assert running.main(["--source", "here.csv"]) == 0
    assert asked == [str(places[0] / "here.csv")]
    with pytest.raises(SystemExit):
        running.main(["--source", "gone.csv"])
    assert "source='gone.csv': there is no" in capsys.readouterr().err
    assert len(asked) == 1
