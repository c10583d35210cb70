"""Hashed n-grams, and a linear student fitted to soft targets at once."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import expit

from distill_helpers.data.labels import NO_LABEL
from distill_helpers.losses.combined import DistillationLoss
from distill_helpers.students.ngrams import (
    HASH_BITS,
    NgramIndex,
    _MarginLoss,
    by_root,
    fit_margins,
    log_count_ratio,
    ngram_hashes,
    word_hashes,
    words,
)

TEXTS = ["a fine film", "a dull film", "fine , fine", "a fine film !"] * 3


def test_words_keep_apostrophes_and_the_marks_that_carry_a_mood():
    assert words("It ISN'T so-so (really)!") == [
        *("it", "isn't", "so", "-", "so", "(", "really", ")", "!")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u4e2d\u6587 \U0001f600", ["\u4e2d", "\u6587"]),
        ("Schön: ÇA", ["schön", ":", "ça"]),
        ("Фильм, ΚΑΛΟ", ["фильм", ",", "καλο"]),
        ("한국어 좋아요", ["한국어", "좋아요"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("ไทย かな abc", ["ไ", "ท", "ย", "か", "な", "abc"]),
        ("snake_case l'été", ["snake", "case", "l'été"]),
    ],
)
def test_words_are_those_of_any_script(text, expected):
    assert words(text) == expected


def test_a_run_of_words_has_one_hash_wherever_it_stands():
    first, second = word_hashes(["so a fine film", "a fine film"])
    for n in (1, 2, 3):
        assert ngram_hashes(first, n)[1:].tolist() == ngram_hashes(second, n).tolist()
    assert len(ngram_hashes(second, 4)) == 0
    assert ngram_hashes(first, 1).max() < 2**HASH_BITS


def test_order_and_length_of_a_run_matter():
    a, b = word_hashes(["fine film", "film fine"])
    assert ngram_hashes(a, 2) != ngram_hashes(b, 2)
    same = word_hashes(["fine fine"])[0]
    assert len({*ngram_hashes(same, 1).tolist(), *ngram_hashes(same, 2).tolist()}) == 2


def test_hashes_spread_over_all_their_bits():
    hashes = word_hashes([" ".join(f"w{i}" for i in range(20_000))])[0]
    for n in (1, 2, 3):
        spread = ngram_hashes(hashes, n)
        share = len(np.unique(spread)) / len(spread)
        assert share > 1 - 2 * len(spread) / 2**HASH_BITS
        assert np.bincount(spread >> (HASH_BITS - 3), minlength=8).min() > 2_000


def test_the_index_keeps_what_stands_in_enough_texts():
    hashes = word_hashes(TEXTS)
    index = NgramIndex.of(hashes, 2, [1, 4])
    known = set(index.keys.tolist())
    (dull,), (pair,) = (
        ngram_hashes(word_hashes([t])[0], n) for t, n in (("dull", 1), ("a dull", 2))
    )
    assert dull in known and pair not in known
    features = index.features([*hashes, word_hashes(["unheard of"])[0], hashes[0][:0]])
    assert features.shape == (len(TEXTS) + 2, len(index.keys))
    assert features.max() == 1  # "fine , fine" counts fine once
    assert features[-1].nnz == features[-2].nnz == 0


@pytest.mark.parametrize("at_least", [[1], [1, 1, 1], []])
def test_one_threshold_for_each_length(at_least):
    with pytest.raises(ValueError, match="at_least must hold one number for each"):
        NgramIndex.of(word_hashes(TEXTS), 2, at_least)


def test_thresholds_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="lower at_least"):
        NgramIndex.of(word_hashes(TEXTS), 1, [99])


def test_the_ratio_speaks_for_the_class_of_its_texts():
    hashes = word_hashes(["good film"] * 4 + ["bad film"] * 4)
    index = NgramIndex.of(hashes, 1, [1])
    ratio = log_count_ratio(index.features(hashes), [0.9] * 4 + [0.1] * 4)
    place = {
        word: np.searchsorted(index.keys, ngram_hashes(word_hashes([word])[0], 1)[0])
        for word in ("good", "bad", "film")
    }
    assert ratio[place["good"]] > 0.5 > abs(ratio[place["film"]])
    assert ratio[place["bad"]] < -0.5


def problem(seed=0, texts=12, features=7):
    rng = np.random.default_rng(seed)
    x = sparse.csr_matrix((rng.random((texts, features)) < 0.5).astype(np.float32))
    labels = rng.integers(0, 2, texts)
    labels[::3] = NO_LABEL
    return x, rng.normal(size=texts) * 3, labels, rng.normal(size=features + 1)


def test_the_loss_is_that_of_the_lessons_and_so_is_its_gradient():
    x, margins, labels, found = problem()
    known = labels != NO_LABEL
    ours = _MarginLoss(
        x, expit(margins / 3.0), np.where(known, labels, 0), known, 3.0, 0.6, 1e9
    )
    value, gradient = ours(found)
    free = torch.tensor(found, requires_grad=True)
    s = torch.tensor(x.toarray()).double() @ free[:-1] + free[-1]

    def two(margin):
        return torch.stack([-margin / 2, margin / 2], 1)

    teacher = two(torch.tensor(margins))
    loss = DistillationLoss(3.0, 0.6)(two(s), teacher, torch.tensor(labels))
    loss.backward()
    p = torch.sigmoid(torch.tensor(margins) / 3.0)
    entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean()
    assert value == pytest.approx(loss.item() + 0.6 * 9 * entropy.item(), rel=1e-4)
    np.testing.assert_allclose(gradient, free.grad.numpy(), atol=1e-5)


def test_soft_targets_alone_teach_the_teachers_margin():
    hashes = word_hashes(["good"] * 5 + ["bad"] * 5 + ["good bad"] * 5)
    index = NgramIndex.of(hashes, 1, [1])
    x = index.features(hashes)
    teacher = np.repeat([2.0, -1.0, 0.5], 5)
    weights, bias = fit_margins(
        x, teacher, np.full(15, NO_LABEL), alpha=1.0, temperature=2.0, strength=1e4
    )
    np.testing.assert_allclose(x @ weights + bias, teacher, atol=0.05)


def test_labels_alone_need_no_teacher_and_a_scale_loosens_the_penalty():
    x, _, labels, _ = problem(texts=60)
    weights, bias = fit_margins(x, None, labels, strength=0.1)
    scale = np.ones(x.shape[1])
    scale[0] = 10
    loose, _ = fit_margins(x, None, labels, strength=0.1, scale=scale)
    assert abs(loose[0]) > 2 * abs(weights[0])
    assert np.isfinite([*weights, bias]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "temperature must be"),
        ({"alpha": 1.5}, "alpha must lie"),
        ({"strength": 0.0}, "strength must be a finite number above 0, got 0.0"),
        ({"teacher_margins": np.zeros(3)}, "they must agree"),
        ({"labels": np.arange(12) % 3}, "labels must be 0, 1 or -100"),
        ({"labels": np.zeros((12, 2))}, "a margin tells two classes apart"),
        (
            {"teacher_margins": None, "labels": np.full(12, NO_LABEL)},
            "nothing to learn from",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    x, margins, labels, _ = problem()
    given = {"features": x, "teacher_margins": margins, "labels": labels} | change
    with pytest.raises(ValueError, match=message):
        fit_margins(**given)


def test_rooted_features_have_length_one_and_leave_the_others_alone():
    index = NgramIndex.of(word_hashes(TEXTS), 2, (1, 1))
    found = index.features(word_hashes([*TEXTS, "", "never seen"]))
    before = found.toarray()
    rooted = by_root(found)
    assert (found.toarray() == before).all()
    assert rooted.dtype == np.float32 and sparse.issparse(rooted)
    lengths = np.sqrt(rooted.multiply(rooted).sum(1))
    np.testing.assert_allclose(lengths[: len(TEXTS)], 1, rtol=1e-6)
    assert not rooted[len(TEXTS) :].nnz
    present = before.sum(1, keepdims=True)[: len(TEXTS)]
    expected = before[: len(TEXTS)] / np.sqrt(present)
    np.testing.assert_allclose(rooted.toarray()[: len(TEXTS)], expected, rtol=1e-6)
