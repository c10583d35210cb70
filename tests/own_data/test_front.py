"""Whom none beats, whom a budget leaves, and what is said of them."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from distill_helpers.own_data.front import (
    Candidate,
    beats,
    best_within,
    front_of,
    not_shown_worse,
    what_it_takes,
)
from distill_helpers.own_data.front_figure import front_figure


def candidate(name, mb, ms, *scores):
    return Candidate(name, "int8", mb, ms, dict(enumerate(scores)))


def drawn_points(count=300):
    """Yield random candidates; few values, so that equals and ties are common."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        rows = rng.integers(1, 5, (rng.integers(1, 13), 3))
        yield (
            [
                candidate(str(n), float(mb), float(ms), f1 / 4)
                for n, (mb, ms, f1) in enumerate(rows)
            ],
            rng,
        )


def test_nobody_beats_the_front_and_somebody_of_it_beats_all_others():
    sizes = set()
    for points, _ in drawn_points():
        front = front_of(points)
        assert front
        assert not any(beats(other, one) for one in front for other in points)
        for one in points:
            assert one in front or any(beats(other, one) for other in front)
        assert [one.mb for one in front] == sorted(one.mb for one in front)
        sizes.add(len(front))
    assert len(sizes) > 3  # of one, and of several


def test_the_choice_is_on_the_front_fits_and_is_the_best_that_does():
    outcomes = {"fits": 0, "nothing fits": 0}
    for points, rng in drawn_points():
        mb, ms = (rng.choice([None, 0.5, 1.5, 2.5, 4]) for _ in range(2))
        chosen = best_within(points, mb, ms)
        fit = [
            one
            for one in points
            if (mb is None or one.mb <= mb) and (ms is None or one.ms <= ms)
        ]
        outcomes["fits" if fit else "nothing fits"] += 1
        if not fit:
            assert chosen is None
            continue
        assert chosen in front_of(points) and chosen in fit
        assert chosen.mean == max(one.mean for one in fit)
        equals = [one for one in fit if one.mean == chosen.mean]
        assert (chosen.mb, chosen.ms) == min((one.mb, one.ms) for one in equals)
    assert min(outcomes.values()) > 20


LARGE = candidate("large", 2.0, 1.0, 0.80, 0.82, 0.81)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (candidate("small", 1.0, 1.0, 0.81, 0.80, 0.81), True),
        (candidate("worse", 1.0, 1.0, 0.50, 0.52, 0.51), False),
        (candidate("hardly smaller", 1.99, 1.0, 0.81, 0.80, 0.81), False),
        (candidate("faster alone", 3.0, 0.1, 0.81, 0.80, 0.81), False),
    ],
    ids=lambda value: value.student if isinstance(value, Candidate) else "",
)
def test_a_smaller_one_is_named_if_it_is_not_shown_to_be_worse(other, said):
    found = not_shown_worse(LARGE, [other, LARGE])
    assert (found is not None) == said
    if said:
        assert found.startswith("small, int8 is smaller (1 MB")
        assert "not shown to be worse: -0.3 points [" in found


def test_one_seed_shows_nothing():
    small, large = candidate("a", 1, 1, 0.8), candidate("b", 2, 1, 0.8)
    assert not_shown_worse(large, [small, large]) is None
    assert small.interval is None
    assert LARGE.interval[0] < LARGE.mean < LARGE.interval[1]


def test_what_the_smallest_and_the_fastest_would_need_is_said():
    slow, quick = candidate("a", 1, 5, 0.8), candidate("b", 2, 1, 0.8)
    said = what_it_takes([slow, quick], 0.5, None)
    assert "nothing fits budget_mb=0.5: the smallest, a, int8, takes 1 MB, 5 ms" in said
    assert "the fastest, b, int8, 2 MB, 1 ms" in said
    assert "fastest" not in what_it_takes([slow], 0.5, 3)


def test_the_drawing_has_a_mark_for_each_and_names_are_only_text():
    points = [candidate("<b>", 1, 2, 0.5, 0.6), LARGE, candidate("c", 3, 3, 0.2, 0.3)]
    front = front_of(points)
    drawn = front_figure(points, front, LARGE, budget_mb=2.5, budget_ms=1.5)
    root = ElementTree.fromstring(drawn)
    words = [text.text for text in root.findall("text")]
    assert {"<b>", "large", "c", "budget 2.5", "budget 1.5"} <= set(words)
    assert words.count("1") >= 2 and "<b>" not in drawn
    assert "macro F1 on validation texts" in words
    assert "MB (log scale)" in words and "ms a text (log scale)" in words
    rings = [c for c in root.findall("circle") if c.get("stroke") == "currentColor"]
    assert len(rings) == 2  # one a panel
    hollow = [
        e
        for e in root
        if e.get("fill") == "none" and e.get("stroke", "").startswith("#009e73")
    ]
    assert len(hollow) == 2  # c is beaten
    places = [float(v) for v in re.findall(r'c[xy]="([-\d.]+)"', drawn)]
    assert all(0 <= place <= 700 for place in places)


def test_equal_scores_can_be_drawn():
    points = [candidate("a", 1, 1, 0.0), candidate("b", 1, 1, 0.0)]
    ElementTree.fromstring(front_figure(points, front_of(points), points[0]))
