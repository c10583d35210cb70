"""Softness and unlabelled text, one at a time."""

import numpy as np
import pytest
import torch

from distill_helpers.data.encoding import EncodedReviews
from distill_helpers.losses.soft_targets import kd_loss
from distill_helpers.training.arms import (
    answered,
    hard_answers,
    soft_and_hard,
    some_of,
)

LOGITS = np.array([[2.0, 1.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 5.0]], np.float32)


def reads(labels, logits=LOGITS):
    ids = [np.array([place]) for place in range(len(labels))]
    return EncodedReviews(ids, np.array(labels), logits, label_names=["a", "b", "c"])


def test_a_hard_answer_is_learnt_like_a_label():
    student = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    learnt = kd_loss(student, torch.from_numpy(hard_answers(LOGITS)), temperature=1.0)
    labels = torch.tensor([0, 1, 2])
    expected = torch.nn.functional.cross_entropy(student, labels)
    assert learnt.item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_arms_change_softness_and_texts_one_at_a_time():
    taught = reads([-100, 1, -100])
    arms = soft_and_hard(taught)
    assert list(arms) == ["hard, labelled", "soft, labelled", "hard, all"]
    few = arms["soft, labelled"]
    assert [ids.tolist() for ids in few.reads.token_ids] == [[1]]
    assert few.options == {}
    assert np.array_equal(few.reads.teacher_logits, LOGITS[[1]])
    for name, rows in (("hard, labelled", [1]), ("hard, all", [0, 1, 2])):
        reading, options = arms[name]
        assert options == {"temperature": 1.0}
        assert np.array_equal(reading.teacher_logits, hard_answers(LOGITS)[rows])
        assert reading.labels.tolist() == taught.labels[rows].tolist()
        assert reading.label_names == taught.label_names
    assert np.array_equal(taught.teacher_logits, LOGITS)  # left as it was


def test_other_answers_and_some_texts_keep_what_belongs_to_a_text():
    rows = np.arange(3)
    taught = EncodedReviews(
        [np.array([row]) for row in rows], rows, LOGITS, list("xyz"), size=rows
    )
    turned = answered(taught, LOGITS[:, ::-1].astype(float))
    assert np.array_equal(turned.teacher_logits, LOGITS[:, ::-1])
    assert turned.teacher_logits.dtype == np.float32
    last = some_of(turned, [2, 0])
    assert last.teacher_logits.tolist() == LOGITS[[2, 0], ::-1].tolist()
    assert (last.texts, last.labels.tolist()) == (["z", "x"], [2, 0])
    assert last.tensors["size"].tolist() == [2, 0]
    assert some_of(reads([0, 1], None), [1]).teacher_logits is None
    with pytest.raises(ValueError, match="teacher_logits must have a row for each"):
        answered(taught, LOGITS[:2])


@pytest.mark.parametrize("labels", [[0, 1, 2], [-100] * 3])
def test_where_all_texts_are_alike_only_softness_can_be_changed(labels):
    assert list(soft_and_hard(reads(labels))) == ["hard, all"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (reads([0, 1, 2], None), "teacher's logits, got none"),
        (reads(np.eye(3, dtype=np.float32)), "one label a text, got several"),
    ],
)
def test_what_has_no_hard_answers_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        soft_and_hard(given)


def test_who_has_no_answer_chose_nothing():
    hard = hard_answers(np.array([[np.nan, np.nan], [0.0, 1.0]]))
    assert np.isnan(hard[0]).all() and hard[1].tolist() == [-40, 0]


def test_logits_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(texts, classes\), got \(3,\)"):
        hard_answers(LOGITS[0])
