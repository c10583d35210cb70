"""Lesson 08: its bench, its verdicts and its pictures."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from distill_helpers.evaluation.comparison import compare_scores
from distill_helpers.lessons.l08 import judging, pictures
from distill_helpers.lessons.l08.networks import SideBySide
from distill_helpers.places import RESULTS


def alone(seed, width):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def trained(network, images, labels, times):
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(3):
        loss = times * F.cross_entropy(network(images).flatten(0, -2), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network(images).detach()


def test_networks_side_by_side_learn_as_each_would_alone():
    seeds, generator = [3, 8], torch.Generator().manual_seed(0)
    images = torch.rand(2, 20, 64, generator=generator)
    labels = torch.randint(10, (2, 20), generator=generator)
    together = trained(SideBySide(seeds, 5), images, labels, len(seeds))
    for place, seed in enumerate(seeds):
        single = trained(alone(seed, 5), images[place], labels[place], 1)
        torch.testing.assert_close(together[place], single, rtol=1e-3, atol=1e-4)


def test_networks_side_by_side_may_see_the_same_images_and_leave_chance_alone():
    torch.manual_seed(7)
    networks, drawn = SideBySide([0, 1, 2]), torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(1))
    assert networks(torch.zeros(4, 64)).shape == (3, 4, 10)
    with pytest.raises(ValueError, match="seeds must hold at least one"):
        SideBySide([])


def claim_scores(easy, other):
    plain = {0: 0.85, 1: 0.86, 2: 0.84}
    return {
        judging.PLAIN: plain,
        judging.EASY: {seed: value + easy for seed, value in plain.items()},
        judging.RANDOM: {seed: value + other for seed, value in plain.items()},
    }


@pytest.mark.parametrize(
    ("easy", "other", "verdict"),
    [
        (0.0, -0.03, "held"),
        (-0.009, -0.03, "held"),
        (-0.02, -0.03, "did not hold"),  # too much is lost
        (0.0, 0.0, "did not hold"),  # the order did nothing
        (0.0, 0.01, "did not hold"),
    ],
)
def test_a_curriculum_must_lose_little_and_beat_a_random_order(easy, other, verdict):
    claim = judging.judge_curriculum(claim_scores(easy, other))
    assert claim.verdict == verdict
    assert f"{100 * easy + 0.0:+.1f} [" in claim.measured


@pytest.fixture
def ideas():
    arms = {
        "up": {0: 0.9, 1: 0.91},
        "down": {0: 0.6, 1: 0.61},
        "level": {0: 0.8, 1: 0.6},
        "plain": {0: 0.7, 1: 0.71},
    }
    names = ["up", "down", "level"]
    found = compare_scores(arms, [(name, "plain") for name in names])
    return dict(zip(names, found))


def test_every_idea_stands_under_its_verdict_and_luck_is_counted(ideas):
    said = judging.verdicts_in_words(ideas).splitlines()
    assert said[:3] == ["better: up", "worse: down", "no difference shown: level"]
    assert said[3].startswith("of 3 intervals, 0.2 would")  # 3 times 0.05


def test_an_idea_keeps_its_runs_and_has_a_line_in_points(ideas):
    stored = judging.kept({"up": ideas["up"]})
    assert stored["up"]["points"] == "+20.0 [+20.0, +20.0]"
    assert stored["up"]["gains"] == pytest.approx([0.2, 0.2])
    table = judging.ideas_table(ideas)
    assert table.loc["down"].to_dict() == {
        "against": "plain",
        "points, 95% interval": "-10.0 [-10.0, -10.0]",
        "runs": 2,
        "verdict": "worse",
    }


def test_the_opening_shows_ends_and_mean_of_its_ideas(ideas):
    every = dict.fromkeys(judging.OPENING, ideas["down"])
    shown = judging.for_opening({"digits": every, "reviews": {}})
    assert list(shown["mean"]) == list(judging.OPENING)
    assert set(shown["low"].values()) == {ideas["down"].interval[0]}
    assert "wrong classes shuffled -10.0" in pictures.opening(shown).alt


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (
            lambda: pictures.wrong_classes(
                1, torch.tensor([0.1, 0.7, 0.2]), torch.tensor([0.15, 0.7, 0.15])
            ),
            "likeliest wrong digit is 2 with 0.200; shuffled, no wrong digit has more"
            " than 0.150",
        ),
        (
            lambda: pictures.paces({"line": lambda done: 0.2 + 0.8 * done}),
            "half way: line 0.60.",
        ),
        (
            lambda: pictures.orders({"easy": {"few": 0.81, "all": 0.85}}),
            "easy 0.810 after few, 0.850 after all",
        ),
        (
            lambda: pictures.two_domains(
                torch.rand(3, 64), torch.rand(3, 64), torch.tensor([1, 2, 3])
            ),
            "3 handwritten digits in two rows",
        ),
    ],
    ids=["classes", "paces", "orders", "domains"],
)
def test_a_picture_says_the_numbers_that_it_was_given(picture, said):
    assert said in picture().alt


def test_on_imdb_no_order_gains_by_itself_and_the_claim_fails_too():
    stored = json.loads((RESULTS / "lesson08_imdb.json").read_text("utf-8"))
    settings, ideas = stored["settings"], stored["ideas"]["reviews"]
    assert settings["source"] == "imdb" and len(settings["text_seeds"]) >= 3
    for budget in ("half the steps", "all steps"):
        low, high = ideas[f"order alone, {budget}"]["interval"]
        assert low < 0 < high
    (claim,) = stored["claims"]
    assert (claim["id"], claim["verdict"]) == ("C14", "did not hold")
