"""The collector: each unusable file named, none lost, none averaged silently."""

import json

import numpy as np
import pandas as pd
import pytest

from distill_helpers.classroom.collecting import (
    collect,
    pareto_front,
    read_sweep,
    summarise,
)
from distill_helpers.evaluation.statistics import mean_share_interval
from distill_helpers.lessons import plots


def result(temperature=2.0, seeds=(0, 1), scores=(0.8, 0.9), **change):
    content = {
        "format": 1,
        "kit": "0.1.0",
        "data": "abc",
        "lesson": "one_setting",
        "settings": {"temperature": temperature, "alpha": 0.9, "seeds": list(seeds)},
        "rows": [
            {
                "name": "distilled",
                "seeds": list(seeds),
                "accuracy": {"per_seed": list(scores)},
                "f1": {"per_seed": list(scores)},
                "cost": {"bytes_on_disk": 1000, "median_ms": 0.5},
            }
        ],
    }
    return content | change


@pytest.fixture
def shared(tmp_path):
    """The folder into which learners drop their files."""

    def drop(name, content):
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    drop.folder = tmp_path / "class"
    drop("ada.json", result(1.0))
    drop("bob.json", result(2.0))
    drop("cy/results.json", result(4.0, scores=(0.7, 0.8)))
    return drop


def test_a_class_makes_one_table(shared):
    found = collect(shared.folder)
    assert found.problems == []
    assert len(found.table) == 6
    assert found.knobs == ["temperature"]
    assert set(found.table["file"]) == {"ada.json", "bob.json", "cy/results.json"}
    assert found.table["bytes_on_disk"].unique() == [1000]


def kinds(found):
    return {problem.file: problem.kind for problem in found.problems}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "",
        "null",
        json.dumps({"rows": []}),
        json.dumps(result(rows=[])),
        json.dumps(result(rows=[{"name": "x"}])),
        json.dumps(result(scores=(0.8, None))),
        json.dumps(result(scores=(0.8,))),
    ],
)
def test_a_damaged_file_is_named(shared, content):
    shared("dee.json", content)
    found = collect(shared.folder)
    assert kinds(found) == {"dee.json": "damaged"}
    assert len(found.table) == 6


def test_a_file_that_is_no_text_is_named(shared):
    (shared.folder / "photo.json").write_bytes(b"\xff\xfe\x00\x01\x89PNG")
    assert kinds(collect(shared.folder)) == {"photo.json": "damaged"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kit": "0.0.9"}, "kit is '0.0.9', the others have '0.1.0'"),
        ({"data": "other"}, "data is 'other'"),
        ({"lesson": "03"}, "lesson is '03'"),
        ({"format": 2}, "format is 2"),
    ],
)
def test_another_version_or_other_data_is_refused_by_name(shared, change, words):
    shared("eve.json", result(8.0, **change))
    found = collect(shared.folder)
    assert kinds(found) == {"eve.json": "foreign"}
    assert words in found.problems[0].reason
    assert 8.0 not in set(found.table["temperature"])


def test_a_reference_decides_which_version_counts(shared, tmp_path):
    newer = shared("fay.json", result(8.0, kit="0.2.0"))
    found = collect(shared.folder, reference=newer)
    assert len(found.problems) == 3
    assert set(found.table["temperature"]) == {8.0}


def test_a_tie_between_versions_needs_a_reference(tmp_path):
    for name, kit in (("a.json", "1"), ("b.json", "2")):
        (tmp_path / name).write_text(json.dumps(result(kit=kit)))
    with pytest.raises(ValueError, match="name a reference"):
        collect(tmp_path)


def test_the_same_file_twice_is_counted_once(shared):
    shared("bob copy.json", result(2.0))
    found = collect(shared.folder)
    assert kinds(found) == {"bob.json": "duplicate"}
    assert "bob copy.json" in found.problems[0].reason
    assert len(found.table) == 6


def test_other_numbers_for_the_same_runs_are_a_conflict(shared):
    shared("gus.json", result(2.0, scores=(0.1, 0.1)))
    found = collect(shared.folder)
    assert kinds(found) == {"gus.json": "conflict"}
    assert 0.1 not in set(found.table["accuracy"])


def test_other_seeds_of_a_setting_join_it(shared):
    shared("hal.json", result(2.0, seeds=(2, 3)))
    found = collect(shared.folder)
    assert found.problems == []
    means = summarise(found.table, ["temperature"])
    assert means.set_index("temperature").loc[2.0, "seeds"] == 4


def test_a_folder_without_results_says_what_is_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        collect(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no JSON file at all"):
        collect(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(FileNotFoundError, match="damaged: a.json"):
        collect(tmp_path)


def test_a_summary_has_the_interval_of_its_seeds(shared):
    means = summarise(collect(shared.folder).table, ["temperature", "alpha"])
    row = means[means["temperature"] == 4.0].iloc[0]
    assert row["mean"] == pytest.approx(0.75)
    values = row["mean"] - 0.05, row["mean"] + 0.05
    assert (row["low"], row["high"]) == pytest.approx(mean_share_interval(values))
    assert 0 < row["low"] and row["high"] < 1
    with pytest.raises(KeyError, match="no column"):
        summarise(means, ["warmth"])


def test_the_heat_map_writes_interval_and_leaves_gaps(shared):
    shared(
        "ida.json",
        result(2.0, seeds=(0,), scores=(0.6,))
        | {"settings": {"temperature": 2.0, "alpha": 0.5}},
    )
    means = summarise(collect(shared.folder).table, ["temperature", "alpha"])
    figure = plots.heat_map(means, "temperature", "alpha", label="accuracy")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert len(texts) == 4  # of 3 x 2 cells, two were never run
    assert any(text.startswith("0.600\none run") for text in texts)
    assert figure.axes[0].get_xlabel() == "temperature"
    assert figure.axes[1].get_ylabel() == "accuracy"


def test_the_pareto_front_keeps_what_nobody_beats():
    points = pd.DataFrame(
        {
            "name": list("abcde"),
            "mb": [1.0, 2.0, 2.0, 4.0, np.nan],
            "accuracy": [0.8, 0.79, 0.85, 0.85, 0.99],
        }
    )
    front = pareto_front(points, "mb", "accuracy")
    assert list(front["name"]) == ["a", "c"]
    figure = plots.pareto_chart(
        points.dropna(),
        front,
        "mb",
        "accuracy",
        name="name",
        x_label="MB",
        y_label="accuracy",
    )
    assert figure.axes[0].get_xscale() == "log"


def test_the_stored_sweep_is_whole():
    found = read_sweep("stored")
    assert found.problems == []
    varied = {"temperature", "alpha", "learning_rate", "epochs", "labelled", "transfer"}
    assert {*varied, "student", "steps", "width"} == set(found.knobs)
    taught = found.table[found.table["model"] == "distilled"]
    means = summarise(taught, sorted({*varied, "student", "width"}))
    assert set(means["seeds"]) == {5}
    pairs = taught[["temperature", "alpha"]].drop_duplicates()
    assert len(pairs) == 25
    assert taught["accuracy"].between(0.5, 1).all()


def test_a_sweep_of_ones_own_is_read_like_a_class(shared):
    assert len(read_sweep(shared.folder).table) == 6
