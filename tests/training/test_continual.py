"""What keeps an old task while a new one is learnt."""

import pytest
import torch
from torch import nn

from distill_helpers.students.registry import build_student
from distill_helpers.students.tokenizers import train_tokenizer
from distill_helpers.training.continual import (
    fisher_diagonal,
    learn_next,
    old_answers,
    replayed,
    stay_close,
)
from distill_helpers.training.task import DivergedError

CENTRES = torch.tensor([[2.0, 2.0, 0.0], [-2.0, 2.0, 0.0], [0.0, -2.0, 3.0]])
TURN = torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


def points(turned, count=90, seed=0):
    """Three heaps; on the new task the whole plane is turned by 90 degrees."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    found = CENTRES[labels] + torch.randn(count, 3, generator=generator) / 2
    return found @ TURN if turned else found, labels


@pytest.fixture(scope="module")
def old():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 3))
    return learn_next(network, *points(False), steps=300)


def accuracy(model, inputs, labels):
    return float((model(inputs).argmax(1) == labels).float().mean())


def test_each_way_keeps_more_than_none_does_and_learns_the_new_task(old):
    before, labels = points(False)
    tests = points(False, seed=9), points(True, seed=9)
    assert accuracy(old, *tests[0]) > 0.95

    def learnt(*terms):
        model = learn_next(old, *points(True), steps=300, keeping=terms)
        return [accuracy(model, *test) for test in tests]

    kept, new = learnt()
    assert new > 0.95
    fisher = fisher_diagonal(old, before[:50], draws=2)
    few = slice(0, 9)
    for term in (
        stay_close(old, 50.0, fisher),
        replayed(before[few], labels[few]),
        old_answers(old, before[few]),
    ):
        with_it, new = learnt(term)
        assert with_it > kept + 0.1, term.name
        assert new > 0.7, term.name
    # A strong hold on all weights keeps the old task at the cost of the new one.
    held, new = learnt(stay_close(old, 10.0))
    assert held > 0.95 and new < 0.5
    assert accuracy(old, *tests[0]) > 0.95  # the old model is as it was


def test_the_fisher_is_of_the_models_own_draws():
    # One weight w, logits (w x, 0): the Fisher is the mean of p (1 - p) x^2.
    model = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.7], [0.0]]))
    inputs = torch.tensor([[1.0], [2.0]])
    found = fisher_diagonal(model, inputs, draws=2_000)["weight"]
    share = (0.7 * inputs).sigmoid()
    wanted = float((share * (1 - share) * inputs**2).mean())
    assert found.flatten().tolist() == pytest.approx([wanted, wanted], rel=0.03)
    assert model.weight.grad is None and model.training
    again = fisher_diagonal(model, inputs, draws=2, seed=1)
    assert torch.equal(
        again["weight"], fisher_diagonal(model, inputs, draws=2, seed=1)["weight"]
    )


def test_what_does_not_matter_has_no_importance(old):
    inputs = points(False)[0].clone()
    inputs[:, 2] = 0
    fisher = fisher_diagonal(old, inputs[:20])
    assert (fisher["0.weight"][:, 2] == 0).all() and (fisher["0.weight"] >= 0).all()


def test_terms_say_what_they_cost(old):
    generator = torch.Generator().manual_seed(0)
    moved = learn_next(old, *points(True), steps=5)
    differ = sum(
        float(((a - b).detach() ** 2).sum())
        for a, b in zip(moved.parameters(), old.parameters())
    )
    assert float(stay_close(old, 4.0)(old, generator).detach()) == 0
    found = float(stay_close(old, 4.0)(moved, generator).detach())
    assert found == pytest.approx(2 * differ, rel=1e-4)
    answers = old_answers(old, points(False)[0])
    assert float(answers(old, generator).detach()) == pytest.approx(0, abs=1e-6)
    assert float(answers(moved, generator).detach()) > 0
    names = [stay_close(old, 1.0, fisher_diagonal(old, points(False)[0][:2])).name]
    assert names + [stay_close(old, 1.0).name] == ["EWC", "L2"]


def test_terms_do_not_change_the_order_of_the_new_task(old):
    nothing = old_answers(old, points(False)[0], weight=0.0)
    plain = learn_next(old, *points(True), steps=20)
    beside = learn_next(old, *points(True), steps=20, keeping=[nothing])
    for one, other in zip(plain.parameters(), beside.parameters()):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_student_of_texts_is_held_as_well(texts, labels):
    tokenizer = train_tokenizer(texts, "text-cnn", vocab_size=200)
    student = build_student("text-cnn", tokenizer, filters=8, embedding_size=8)
    inputs = dict(
        tokenizer(
            texts[:12],
            padding=True,
            truncation=True,
            max_length=32,
            return_tensors="pt",
        )
    )
    inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    fisher = fisher_diagonal(student, inputs)
    keeping = [stay_close(student, 1.0, fisher), old_answers(student, inputs)]
    targets = torch.tensor(labels[:12])
    model = learn_next(student, inputs, targets, steps=2, keeping=keeping)
    assert not torch.equal(model.classifier.weight, student.classifier.weight)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (lambda m, x, y: stay_close(m, -1.0), "strength must be at least 0"),
        (lambda m, x, y: stay_close(m, 1.0, {}), "importance must hold a tensor"),
        (lambda m, x, y: replayed(x, y[:3]), "labels must hold one class for each"),
        (lambda m, x, y: old_answers(m, x[:0]), "inputs must hold rows"),
        (lambda m, x, y: fisher_diagonal(m, {"a": x, "b": x[:2]}), "as many in each"),
        (lambda m, x, y: learn_next(m, x, y, steps=0), "steps must be at least 1"),
        (
            lambda m, x, y: learn_next(m, x, y, steps=1, optimizer="lion"),
            "optimizer must be one of",
        ),
    ],
    ids=["strength", "importance", "labels", "empty", "lengths", "steps", "optimizer"],
)
def test_what_does_not_fit_is_named(old, fault, named):
    with pytest.raises(ValueError, match=named):
        fault(old, *points(False))


def test_too_strong_a_hold_is_no_result(old):
    with pytest.raises(DivergedError, match=r"the terms that keep \(L2\) are too"):
        hold = stay_close(old, 1e5)
        learn_next(old, *points(True), steps=300, keeping=[hold])
