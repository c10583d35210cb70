"""Order and pacing, each by itself."""

import math
from collections import Counter

import numpy as np
import pytest

from distill_helpers.data.encoding import EncodedReviews
from distill_helpers.training import (
    CurriculumSampler,
    check_pacing,
    curriculum_order,
    pacing,
    with_difficulty,
)
from distill_helpers.training.curriculum import PACINGS, difficulty_of

HARD = [0.5, 0.1, 0.9, 0.1, 0.3]


@pytest.mark.parametrize("name", PACINGS)
def test_every_pacing_begins_small_and_lets_all_texts_in(name):
    grow = pacing(name, start=0.25, full_at=0.5)
    check_pacing(grow)
    assert grow(0) == 0.25 and grow(0.5) == grow(1) == 1
    half = {
        "linear": 0.5,
        "root": 0.5**0.5,
        "quadratic": 0.25,
        "exponential": math.expm1(5) / math.expm1(10),
        "step": 0,
    }
    assert grow(0.25) == pytest.approx(0.25 + 0.75 * half[name])


@pytest.mark.parametrize(
    ("pace", "message"),
    [
        (lambda done: 0.2 + 0.5 * done, "reach 1 by the end.*got 0.7"),
        (lambda done: 1 - 0.8 * done, "never fall, got 1 at 0 "),
        (lambda done: done, r"above 0 and at most 1, got 0\.0"),
        (lambda done: 0.5 + done, "at most 1, got 1.5|at most 1, got 1.001"),
    ],
    ids=["never full", "reversed", "begins with nothing", "more than all"],
)
def test_a_pacing_that_is_none_is_refused(pace, message):
    with pytest.raises(ValueError, match=message):
        check_pacing(pace)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "cubic"}, "pacing must be one of .*'linear'"),
        ({"start": 0}, "start must be a finite number above 0"),
        ({"full_at": 1.5}, "full_at must be at most 1"),
    ],
)
def test_an_option_of_a_pacing_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        pacing(**options)


def test_the_orders_are_each_others_mirror_and_chance():
    easy, hard = (curriculum_order(HARD, f"{o}_first") for o in ("easy", "hard"))
    assert [HARD[row] for row in easy] == sorted(HARD)
    assert [HARD[row] for row in hard] == sorted(HARD, reverse=True)
    many = np.zeros(100)
    assert not np.array_equal(*(curriculum_order(many, seed=s) for s in (0, 1)))
    assert sorted(curriculum_order(many, "random", 3)) == list(range(100))
    for given, order in (
        (HARD, "easy"),
        ([0.1, math.nan], "random"),
        ([[1]], "random"),
    ):
        with pytest.raises(ValueError, match="order must be one|difficulty must hold"):
            curriculum_order(given, order)


def sampler(epochs=4, texts=40, size=8, **options):
    order = np.arange(texts)[::-1]
    return CurriculumSampler(
        order, pacing(**options), size, epochs * math.ceil(texts / size), seed=0
    )


def drawn(made, epochs=4):
    found = []
    for epoch in range(epochs):
        made.set_epoch(epoch)
        found.append(list(made))
        assert len(found[-1]) == len(made)
    return found


def test_an_update_reads_only_what_is_in_use_by_then():
    made = sampler(start=0.25, full_at=0.5)
    epochs = drawn(made)
    for update, batch in enumerate(np.concatenate(epochs).reshape(-1, 8)):
        allowed = set(made.order[: made.in_use(update)])
        assert set(batch) <= allowed and len(set(batch)) == 8
    assert made.in_use(0) == 10 and made.in_use(10) == 40
    # All are in use in the last two epochs: each text once.
    for epoch in epochs[2:]:
        assert sorted(epoch) == list(range(40))
    assert max(Counter(epochs[0]).values()) > 1
    made.set_epoch(1)
    assert list(made) == epochs[1]  # as a resumed run needs it


def test_with_all_texts_from_the_start_only_the_shuffle_is_left():
    for epoch in drawn(sampler(start=1.0, texts=37)):
        assert sorted(epoch) == list(range(37))


def test_a_batch_is_full_however_little_is_in_use():
    made = sampler(start=0.01)
    assert made.in_use(0) == 8
    assert sorted(drawn(made)[0][:8]) == sorted(made.order[:8])


def test_how_hard_a_text_is_may_be_said_or_asked():
    logits = np.array([[0.0, 0.0], [0.0, 3.0], [1.0, 0.0]])
    ids = [np.array([place]) for place in range(3)]
    taught = EncodedReviews(ids, np.zeros(3, int), logits)
    assert curriculum_order(difficulty_of(taught, "margin")).tolist() == [1, 2, 0]
    said = with_difficulty(taught, [1, 2, 3])
    assert difficulty_of(said, "margin").tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="curriculum needs to know how hard"):
        difficulty_of(EncodedReviews(ids, np.zeros(3, int)), "margin")
    for wrong in ([1, 2], [1, 2, math.inf]):
        with pytest.raises(ValueError, match="row for each|finite number for each"):
            with_difficulty(taught, wrong)
