"""A lesson's first picture shows what we measured in it."""

import json

import pytest

from distill_helpers.lessons import openings

RESULTS = {
    "00": {
        "scores": {"control": {"0": 0.5, "1": 0.7}, "distilled": {"0": 0.75}},
        "teacher": 0.9,
    },
    "01": {"threes": {"labels": [0.0, 0.1], "1.0": [0.2, 0.4], "20.0": [0.8]}},
    "02": {"wrong_labels": {"with T^2": [0.9, 1.0], "without T^2": [0.5]}},
}
PICKED = {
    "00": {"accuracy": {"control": 0.6, "distilled": 0.75, "teacher": 0.9}},
    "01": {
        "temperatures": [1.0, 20.0],
        "soft targets": [0.3, 0.8],
        "labels": [0.05, 0.05],
    },
    "02": {"accuracy": {"with T^2": 0.95, "without T^2": 0.5}},
}


@pytest.mark.parametrize("lesson", RESULTS)
def test_the_means_over_the_seeds_are_picked(lesson):
    assert openings.picked(lesson, RESULTS[lesson]) == PICKED[lesson]


def test_what_is_kept_has_the_shape_of_what_is_picked():
    def names(content):
        return {k: sorted(v) for k, v in content.items() if isinstance(v, dict)}

    for lesson, expected in PICKED.items():
        kept = openings.ours(lesson)
        assert set(kept) == set(expected) and names(kept) == names(expected)


def test_a_lesson_without_an_opening_is_refused(tmp_path):
    with pytest.raises(ValueError, match="lesson must be.*'03'"):
        openings.picked("03", {})
    path = tmp_path / "openings.json"
    path.write_text(json.dumps(PICKED))
    assert openings.ours("00", path) == PICKED["00"]
    with pytest.raises(ValueError, match="lesson must be.*'03'"):
        openings.ours("03", path)
