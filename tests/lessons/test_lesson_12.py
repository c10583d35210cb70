"""Lesson 12: which students it trains, on what, how, and what their marks show."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from distill_helpers.data import draw_cards
from distill_helpers.data.encoding import EncodedReviews
from distill_helpers.lessons.l12 import arms, judging, loop, plan, states
from distill_helpers.losses.weighted import weighted_sum
from distill_helpers.students import CardAnswers, build_card_student, encode_cards
from distill_helpers.students.card_reading import card_ids
from distill_helpers.training.task import DivergedError

SEEDS, FEW = (0, 1, 2), (0, 1)


@pytest.fixture(scope="module")
def ground():
    teacher = build_card_student(9, hidden_size=16, intermediate_size=16)
    pool, exam = draw_cards(70, "train", 0), draw_cards(12, "test", 0)
    return arms.prepare(teacher, pool, exam)


def an_arm(name, steps=2, **more):
    return plan.an_arm(name, 0, steps, 20, **more)


# --------------------------------------------------------------------- the plan
def test_the_main_students_have_every_seed_and_the_others_a_few(tmp_path):
    todo = plan.all_arms(SEEDS, FEW, 4, 8, 20, tmp_path)
    count = Counter((arm.name, arm.steps) for arm in todo)
    main = (plan.LABELS, plan.SOFT, plan.STATES, plan.MAPS, plan.SHUFFLED)
    aside = (plan.ALL_LABELS, plan.CROSSED, plan.DROPPED, *plan.BLIND)
    expected = {(name, 4): 3 for name in main} | {(name, 4): 2 for name in aside}
    assert count == expected | {(name, 8): 3 for name in (plan.SOFT, plan.MAPS)}
    assert len({(arm.name, arm.steps, arm.seed) for arm in todo}) == len(todo)
    steps = [arm.steps for arm in todo]
    assert steps == sorted(steps, reverse=True), "the longest first"
    assert {a.name for a in todo if a.keep} == set(plan.KEPT)


def test_an_arm_differs_from_soft_targets_in_what_its_name_says():
    soft = an_arm(plan.SOFT)
    for name, ways in {
        plan.MAPS: {"maps": "own", "views": ("picture", "typed")},
        plan.SHUFFLED: {"maps": "shuffled"},
        plan.STATES: {"states": True, "weight": arms.STATES_WEIGHT},
        plan.LABELS: {"answers": "none"},
        plan.ALL_LABELS: {"answers": "none", "labelled": None},
    }.items():
        assert an_arm(name) == replace(soft, name=name, **ways)


# --------------------------------------------------------------- what they read
def test_a_ground_is_read_as_it_was_written(ground, tmp_path):
    again = arms.load_ground(str(arms.save_ground(ground, tmp_path / "a/ground")))
    assert again.pool.questions == ground.pool.questions
    for one, other in (
        (again.pool.pictures, ground.pool.pictures),
        (again.exam.typed, ground.exam.typed),
        (again.both.logits, ground.both.logits),
        (again.both.maps, ground.both.maps),
        (again.both.states, ground.both.states),
        (again.typed.logits, ground.typed.logits),
    ):
        np.testing.assert_array_equal(one, other)


def rows_in(reads, ground):
    """Say which card of the pool each example is, by its typed copy and question."""
    places = {row.tobytes(): n for n, row in enumerate(card_ids(ground.pool))}
    assert len(places) == len(ground.pool)
    return [places[np.asarray(row).tobytes()] for row in reads.token_ids]


def test_soft_targets_and_maps_stay_with_their_cards(ground):
    reads = arms.reads_of(an_arm(plan.MAPS), ground)
    rows = rows_in(reads, ground)
    assert sorted(rows) == list(range(70)) and rows != sorted(rows)
    np.testing.assert_array_equal(reads.teacher_logits, ground.both.logits[rows])
    maps = reads.tensors["teacher_attention"]
    np.testing.assert_array_equal(maps, ground.both.maps[rows])
    assert reads.labelled.tolist() == [True] * 20 + [False] * 50


def test_shuffled_maps_are_those_of_other_cards(ground):
    reads = arms.reads_of(an_arm(plan.SHUFFLED), ground)
    rows = rows_in(reads, ground)
    maps, own = reads.tensors["teacher_attention"], ground.both.maps[rows]
    moved = [not np.array_equal(one, other) for one, other in zip(maps, own)]
    assert np.mean(moved) > 0.9
    assert sorted(m.sum() for m in maps[:, :, 0, 0]) == pytest.approx(
        sorted(m.sum() for m in own[:, :, 0, 0])
    )


def test_states_come_with_the_words_that_are_no_padding(ground):
    reads = arms.reads_of(an_arm(plan.STATES), ground)
    rows = rows_in(reads, ground)
    kept = reads.tensors[states.STATES]
    np.testing.assert_array_equal(kept, ground.both.states[rows])
    lengths = [1 + len(ground.pool.questions[row].text.split()) for row in rows]
    assert reads.tensors[states.STATES_MASK].sum(1).tolist() == lengths


def test_labels_alone_have_no_teacher_and_no_other_cards(ground):
    few = arms.reads_of(an_arm(plan.LABELS), ground)
    everything = arms.reads_of(an_arm(plan.ALL_LABELS), ground)
    assert (len(few), len(everything)) == (20, 70)
    assert few.teacher_logits is None and few.labelled.all()
    assert everything.labelled.all()


def test_who_sees_only_the_text_may_be_taught_by_who_saw_more(ground):
    more, same = (
        arms.reads_of(an_arm(name), ground)
        for name in (plan.BLIND_MORE, plan.BLIND_SAME)
    )
    for reads, answers in ((more, ground.both), (same, ground.typed)):
        assert not reads.tensors["pixel_values"].any()
        rows = rows_in(reads, ground)
        np.testing.assert_array_equal(reads.teacher_logits, answers.logits[rows])


def test_dropped_senses_are_never_both(ground):
    reads = arms.reads_of(an_arm(plan.DROPPED), ground)
    unseen = ~reads.tensors["pixel_values"].any((1, 2))
    missing = ground.pool.without("typed").some([0])
    blank = card_ids(missing)[0, 1]
    untyped = (np.asarray(reads.token_ids)[:, 1:7] == blank).all(1)
    assert unseen.any() and untyped.any() and not (unseen & untyped).any()


# ------------------------------------------------------------------- the losses
@pytest.mark.parametrize(
    ("name", "losses"),
    [
        (plan.LABELS, {"cross_entropy": 1.0}),
        (plan.SOFT, {"kd": 0.9, "cross_entropy": 0.1}),
        (plan.MAPS, {"kd": 0.9, "cross_entropy": 0.1, "maps": arms.MAPS_WEIGHT}),
        (plan.STATES, {"kd": 0.9, "cross_entropy": 0.1, "states": arms.STATES_WEIGHT}),
    ],
)
def test_each_student_follows_its_losses(ground, name, losses):
    arm = an_arm(name)
    found, beside = arms.losses_of(arm, arms.reads_of(arm, ground))
    assert {loss.name: loss.weight for loss in found} == pytest.approx(losses)
    assert len(beside) == arm.states


def test_the_loss_of_states_is_a_mean_square_over_words_that_count(ground):
    reads = arms.reads_of(an_arm(plan.STATES), ground)
    columns = loop.whole_columns(reads)
    mask, wanted = columns[states.STATES_MASK], columns[states.STATES]
    loss = states.weighted_states(torch.nn.Identity(), 1.0)
    own = wanted + torch.where(mask[..., None], 3.0, 100.0)
    outputs = CardOutputs([own])
    total, _ = weighted_sum([loss], outputs, columns)
    assert total.item() == pytest.approx(9.0, rel=1e-5)
    half = loss.function(outputs, columns, 2 * loss.count(columns))
    assert half.item() == pytest.approx(4.5, rel=1e-5)


class CardOutputs:
    """What a student returns, as far as the loss of states asks."""

    def __init__(self, hidden_states):
        self.hidden_states = hidden_states


# --------------------------------------------------------------------- the loop
@pytest.mark.parametrize("name", [plan.MAPS, plan.LABELS, plan.DROPPED])
def test_the_plain_loop_updates_as_the_trainer_does(ground, name):
    arm = an_arm(name)
    student, seconds = arms.train(arm, ground)
    trained = arms.train_by_trainer(arm, ground)
    before = build_card_student(0, **arms.SHAPE)
    moved = 0.0
    for one, other, first in zip(*(m.parameters() for m in (student, trained, before))):
        assert torch.allclose(one, other, atol=2e-4)
        moved = max(moved, (one - first).abs().max().item())
    assert moved > 1e-3 and seconds > 0


def test_states_need_a_projection_that_learns_and_no_trainer(ground):
    arm = an_arm(plan.STATES, steps=3)
    reads = arms.reads_of(arm, ground)
    losses, (bridge,) = arms.losses_of(arm, reads)
    first = bridge.weight.detach().clone()
    student = build_card_student(0, **arms.SHAPE)
    loop.train_plainly(student, reads, losses, 3, 1e-2, 16, 0, [bridge])
    assert not torch.equal(first, bridge.weight)
    with pytest.raises(ValueError, match="without states"):
        arms.train_by_trainer(arm, ground)


def test_a_trained_student_owns_its_weights_and_is_kept(ground, tmp_path):
    arm = an_arm(plan.MAPS, keep=str(tmp_path / "soft_targets_and_maps"))
    path = arms.save_ground(ground, tmp_path / "ground.safetensors")
    marks = arms.train_and_judge((arm, str(path)))
    assert (marks.name, marks.seed, marks.steps) == (plan.MAPS, 0, 2)
    assert set(marks.accuracy) == {"both", "picture", "typed"}
    kept = plan.load_teacher(arm.keep)
    again = arms.mark(kept, ground.exam, arm)
    assert again.accuracy == marks.accuracy and again.looks == marks.looks


def test_one_order_gives_one_student_and_more_updates_another(ground):
    def weights(steps):
        student, _ = arms.train(an_arm(plan.SOFT, steps=steps), ground)
        return torch.cat([weight.flatten() for weight in student.parameters()])

    assert torch.equal(weights(5), weights(5))  # five batches are two rounds and more
    assert not torch.equal(weights(4), weights(5))


def test_the_loop_refuses_texts_of_several_lengths(ground):
    reads = EncodedReviews([np.arange(3), np.arange(4)], np.array([0, 1]))
    with pytest.raises(ValueError, match="one length.*from 3 to 4"):
        loop.whole_columns(reads)


def test_a_student_that_diverges_is_an_error(ground):
    reads = encode_cards(ground.pool)
    broken = reads.changed(pixel_values=np.full_like(ground.pool.pictures, np.inf))
    losses, _ = arms.losses_of(an_arm(plan.LABELS), broken)
    student = build_card_student(0, **arms.SHAPE)
    with pytest.raises(DivergedError, match="holds NaN or inf"):
        loop.train_plainly(student, broken, losses, 2, 1e-3, 16, 0)


# -------------------------------------------------------------------- the marks
def test_a_look_is_the_share_on_the_cells_that_are_asked_for(ground):
    cards = ground.exam.some([0, 1])
    maps = np.zeros((2, 8, 7), np.float32)
    maps[0, 0, :6] = cards.asked[0] / cards.asked[0].sum()
    maps[1, 0, 6] = 1.0
    maps[:, 1:] = 5.0  # other words do not count
    assert arms.looks_at_asked(maps, cards) == pytest.approx(0.5)


def marks(name, scores, steps=4, typed=None, looks=0.5):
    return [
        arms.Marks(
            name,
            seed,
            steps,
            {"both": score} | ({} if typed is None else {"typed": typed[seed]}),
            looks,
            1.0,
        )
        for seed, score in enumerate(scores)
    ]


def test_scores_are_told_apart_by_steps_and_sense():
    some = [
        *marks("a", [0.5, 0.6], typed=[0.2, 0.3]),
        *marks("a", [0.9], steps=8),
        *marks("b", [0.4]),
    ]
    assert judging.scores_of(some, 4) == {"a": {0: 0.5, 1: 0.6}, "b": {0: 0.4}}
    assert judging.scores_of(some, 4, "typed") == {"a": {0: 0.2, 1: 0.3}}
    assert judging.scores_of(some, 8) == {"a": {0: 0.9}}


def test_a_gain_is_paired_on_the_seeds_that_both_have():
    some = [*marks("a", [0.5, 0.7, 0.9]), *marks("b", [0.4, 0.6])]
    found = judging.gain(some, "a", "b", 4)
    assert found.gains == pytest.approx((0.1, 0.1))
    table = judging.gains_table({"a - b": found})
    assert table.loc["a - b", "seeds"] == 2


def test_the_table_has_means_ranges_and_looks():
    table = judging.marks_table(marks("a", [0.5, 0.7], looks=0.25), 4, ["a"])
    assert table.loc["a"].tolist() == ["0.600", "0.500 to 0.700", "0.25", 2]


def by_gains(early, late):
    base = [0.5, 0.5, 0.5]

    def compared(gains):
        treated = [one + gain for one, gain in zip(base, gains)]
        return judging.gain([*marks("a", treated), *marks("b", base)], "a", "b", 4)

    return judging.early_and_late(compared(early), compared(late))


HIGH, LOW, NONE = (0.2, 0.21, 0.22), (0.1, 0.11, 0.12), (-0.1, 0.0, 0.1)


@pytest.mark.parametrize(
    ("early", "late", "said"),
    [
        (NONE, HIGH, "no gain is shown early"),
        (LOW, HIGH, "does not fade here"),
        (HIGH, LOW, "shrinks, and is still there"),
        (HIGH, NONE, "is gone; where to look bought time"),
    ],
    ids=["none", "grows", "shrinks", "gone"],
)
def test_whether_a_gain_fades_is_said(early, late, said):
    assert said in by_gains(early, late)


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        (LOW, "who saw less taught better"),
        (tuple(-gain for gain in LOW), "who saw more taught better"),
        (NONE, "no difference is shown"),
    ],
    ids=["less", "more", "neither"],
)
def test_which_teacher_was_better_is_said(gains, said):
    treated = [0.5 + gain for gain in gains]
    some = [*marks("less", treated), *marks("more", [0.5] * 3)]
    assert said in judging.two_teachers(judging.gain(some, "less", "more", 4))


def test_answers_keep_states_only_where_they_are_asked_for(ground):
    assert ground.both.states.shape == (70, 8, 16) and ground.typed.states is None
    assert CardAnswers(ground.both.logits, ground.both.maps).states is None
