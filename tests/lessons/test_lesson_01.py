"""Lesson 01: what its pictures say in words, and how its two claims are judged."""

import numpy as np
import pytest
import torch

from distill_helpers.lessons.l01 import judging, pictures


def test_the_picture_of_the_missing_three_says_the_means():
    shares = {1.0: [0.1, 0.3], 20.0: [0.9, 0.7]}
    said = pictures.missing_three(shares, [0.0, 0.0], "a band").alt
    assert "20% at T = 1, 80% at T = 20" in said and said.endswith("labels 0%.")


def test_a_band_is_drawn_where_there_are_several_seeds(monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        pictures.plots, "line_chart", lambda *_, **named: drawn.update(named)
    )
    monkeypatch.setattr(pictures.plots, "show", lambda figure, alt: None)
    pictures.missing_three({1.0: [0.1, 0.3], 5.0: [0.6, 0.8]}, [0.0], "several")
    assert drawn["bands"] == {"soft targets": ([0.1, 0.6], [0.3, 0.8])}
    pictures.missing_three({1.0: [0.2]}, [0.0], "one")
    assert drawn["bands"] is None and "(one)" in drawn["title"]


def test_a_moved_temperature_is_said_with_both_choices():
    shares = torch.full((10,), 0.05)
    shares[9], shares[3] = 0.4, 0.2
    figure, words = pictures.digit_and_shares(torch.zeros(64), shares, (9, 3), 2.5)
    assert words == (
        "T = 2.5: the teacher gives 9 a probability of 0.400, and its second choice,"
        " 3, 0.200."
    )
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    assert heights == pytest.approx(shares.tolist())


def test_a_raised_logit_shows_what_is_right_and_leaves_the_rest_out():
    shares = {"3s right": 0.9, "all right": 0.95, "answers 3": 0.1}
    figure, words = pictures.shares_right(shares, 2.0)
    assert words == "2 added: 3s right 0.900, all right 0.950."
    assert len(figure.axes[0].patches) == 2


def test_the_gains_are_said_by_their_means():
    gains = {"soft": [0.1, 0.2], "hard": [-0.1, 0.1]}
    assert "soft +0.150, hard +0.000" in pictures.paired_gains(gains, 5).alt


def test_every_digit_stands_under_its_own_label(monkeypatch):
    asked = []
    monkeypatch.setattr(
        pictures.plots, "image_grid", lambda *given, **_: asked.append(given)
    )
    monkeypatch.setattr(pictures.plots, "show", lambda figure, alt: alt)
    images = torch.arange(128.0).view(2, 64)
    assert pictures.digits(images, torch.tensor([4, 7])).startswith("2 handwritten")
    said = pictures.second_choices(images, [(4, 9), (7, 1)])
    assert "a 4 that could be a 9, a 7 that could be a 1" in said
    for given, names in asked:
        assert np.array_equal(given[1], images[1].view(8, 8))
        assert [name[0] for name in names] == ["4", "7"]


@pytest.mark.parametrize(
    ("known", "verdict", "measured"),
    [
        ({}, "not testable here", "not asked"),
        ({"a/b": True}, "not testable here", "a/b: True"),
        ({judging.CLAIMED: False}, "did not hold", "deepseek/deepseek-large: False"),
        ({judging.CLAIMED: True}, "held", "deepseek/deepseek-large: True"),
    ],
)
def test_a_model_is_there_only_if_the_hub_says_so(known, verdict, measured):
    claim = judging.judge_model(known)
    assert (claim.verdict, claim.measured) == (verdict, measured)
    assert judging.judge_framework().verdict == "not testable here"
