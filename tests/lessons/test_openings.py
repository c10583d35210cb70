"""A lesson's first picture shows what we measured in it."""

import json

import pytest

from distill_helpers.lessons import openings
from distill_helpers.lessons.l08.judging import OPENING
from distill_helpers.lessons.l11.judging import RISKS
from distill_helpers.lessons.l13.stories import DOMAINS

WAYS = ("soft", "votes", "hard", "soft and true labels")
RESULTS = {
    "00": {
        "scores": {"control": {"0": 0.5, "1": 0.7}, "distilled": {"0": 0.75}},
        "teacher": 0.9,
    },
    "01": {"threes": {"labels": [0.0, 0.1], "1.0": [0.2, 0.4], "20.0": [0.8]}},
    "02": {"wrong_labels": {"with T^2": [0.9, 1.0], "without T^2": [0.5]}},
    "08": {
        "opening": {
            end: dict.fromkeys(OPENING, 0.01234) for end in ("mean", "low", "high")
        }
    },
    "09": {
        "scores": {
            "answers alone": {"0": 0.1},
            "traces": {"0": 0.5, "1": 0.60001},
            "checked traces": {"0": 0.8},
        },
        "first": {"teacher": 0.7, "base": 0.0},
    },
    "07": {
        "settings": {"budget": 400},
        "bought": {
            "random": {"200": {"0": 0.6}, "400": {"0": 0.7, "1": 0.8}},
            "student-doubt": {"400": {"0": 0.8}},
            "teacher-doubt": {"400": {"0": 0.5, "1": 0.6}},
            "teacher-sure": {"400": {"0": 0.75}},
            "diverse": {"400": {"0": 0.7}},
        },
    },
    "10": {
        "students": {
            arm: {"0": 0.5, "1": 0.6}
            for arm in (
                "control",
                *(f"{t}, {way}" for t in ("small", "good") for way in WAYS),
            )
        }
    },
    "11": {
        "opening": {
            way: dict.fromkeys(RISKS, 0.12345)
            for way in ("as it comes", "with a remedy")
        }
    },
    "12": {
        "opening": {
            "question": "largest digit of the lower row",
            "picture": "09",
            "looks": dict.fromkeys(
                ("teacher", "soft targets", "soft targets and maps"), [0.5, 0.5]
            ),
        }
    },
    "13": {
        "opening": {
            "gains": dict.fromkeys(DOMAINS, [0.1, 0.2]),
            "two stages": 1.5,
        }
    },
}
PICKED = {
    "00": {"accuracy": {"control": 0.6, "distilled": 0.75, "teacher": 0.9}},
    "01": {
        "temperatures": [1.0, 20.0],
        "soft targets": [0.3, 0.8],
        "labels": [0.05, 0.05],
    },
    "02": {"accuracy": {"with T^2": 0.95, "without T^2": 0.5}},
    "08": {end: dict.fromkeys(OPENING, 0.0123) for end in ("mean", "low", "high")},
    "09": {
        "answers alone": [0.1],
        "traces": [0.5, 0.6],
        "checked traces": [0.8],
        "their teacher": [0.7],
    },
    "07": {
        "accuracy": {
            "random": 0.75,
            "student-doubt": 0.8,
            "teacher-doubt": 0.55,
            "teacher-sure": 0.75,
            "diverse": 0.7,
        }
    },
    "10": {"accuracy": dict.fromkeys(RESULTS["10"]["students"], 0.55)},
    "11": {
        way: dict.fromkeys(RISKS, 0.1235) for way in ("as it comes", "with a remedy")
    },
    "12": RESULTS["12"]["opening"],
    "13": RESULTS["13"]["opening"],
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
