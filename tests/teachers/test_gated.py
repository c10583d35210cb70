"""Several teachers and a gate that learns which of them to ask."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax

from distill_helpers.teachers import (
    AverageTeacher,
    CachedTeacher,
    ClassNamesError,
    DomainGate,
    GatedTeacher,
    Teacher,
)

WORDS = {
    "films": "actor plot scene camera director screen".split(),
    "food": "soup waiter taste dessert kitchen menu".split(),
}


class Always(Teacher):
    """Gives every text the same logits."""

    def __init__(self, *logits, label_names=None, problem_type=None):
        self.row = np.array(logits, np.float32)
        self.num_labels, self.fingerprint = len(logits), f"always-{logits}"
        self.label_names, self.problem_type = label_names, problem_type

    def logits(self, texts):
        return np.tile(self.row, (len(texts), 1))


def written(domain, count=30, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS[domain], 4)) for _ in range(count)]


TEXTS = written("films") + written("food")
DOMAINS = ["films"] * 30 + ["food"] * 30
TEACHERS = {"food": Always(-3.0, 3.0), "films": Always(2.0, 0.0)}


@pytest.fixture(scope="module")
def gated():
    return GatedTeacher(TEACHERS, TEXTS, DOMAINS)


def test_a_new_text_is_answered_by_the_teacher_of_its_domain(gated):
    asked = written("films", 5, seed=9) + written("food", 5, seed=9)
    shares = gated.gate(asked)
    assert shares.sum(1) == pytest.approx(1) and gated.gate.domains == ["films", "food"]
    assert (shares.argmax(1) == [0] * 5 + [1] * 5).all() and shares.max(1).min() > 0.8
    assert gated.logits(asked).argmax(1).tolist() == [0] * 5 + [1] * 5


def test_the_answer_is_the_average_by_the_gates_weights(gated):
    asked = [*TEXTS[:2], "a scene of soup", "nothing known"]
    weights = gated.gate(asked).T
    members = [
        log_softmax(TEACHERS[name].logits(asked), 1) for name in gated.gate.domains
    ]
    expected = logsumexp(np.log(weights)[:, :, None] + members, axis=0)
    found = gated.logits(asked)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert found.dtype == np.float32
    assert gated.logits([]).shape == (0, 2)
    # Where the gate knows nothing, it is (nearly) the plain average.
    plain = AverageTeacher(list(TEACHERS.values())).logits(["nothing known"])
    np.testing.assert_allclose(softmax(found[-1:]), softmax(plain), atol=0.02)


def test_names_are_put_into_one_order():
    teachers = {
        "films": Always(5.0, 0.0, label_names=["bad", "good"]),
        "food": Always(0.0, 5.0, label_names=["good", "bad"]),
    }
    gated = GatedTeacher(teachers, TEXTS, DOMAINS)
    assert gated.label_names == ["bad", "good"]
    assert (gated.logits(TEXTS).argmax(1) == 0).all()


def test_it_is_known_by_members_and_gate_and_can_be_cached(gated, tmp_path):
    again = GatedTeacher(TEACHERS, TEXTS, DOMAINS)
    fewer = GatedTeacher(TEACHERS, TEXTS[1:], DOMAINS[1:])
    others = GatedTeacher(TEACHERS | {"food": Always(0.0, 1.0)}, TEXTS, DOMAINS)
    prints = [t.fingerprint for t in (gated, again, fewer, others)]
    assert prints[0] == prints[1] and len(set(prints)) == 3
    cached = CachedTeacher(gated, tmp_path)
    for _ in range(2):
        np.testing.assert_array_equal(cached.logits(TEXTS[:3]), gated.logits(TEXTS[:3]))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"food": Always(1.0, 2.0, 3.0)}, ValueError, "share their classes"),
        (
            {
                "films": Always(1.0, 2.0, label_names=["a", "b"]),
                "food": Always(1.0, 2.0, label_names=["a", "c"]),
            },
            ClassNamesError,
            "'c'",
        ),
        (
            {
                "films": Always(1, 2, problem_type="single_label_classification"),
                "food": Always(1, 2, problem_type="multi_label_classification"),
            },
            ValueError,
            "one kind of question",
        ),
        ({"cars": Always(1.0, 2.0)}, ValueError, "at home in .*'cars'.* texts come"),
    ],
    ids=["number", "names", "kind", "no texts"],
)
def test_teachers_that_do_not_fit_together_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        GatedTeacher(TEACHERS | change, TEXTS, DOMAINS)


@pytest.mark.parametrize(
    ("texts", "domains", "error", "message"),
    [
        (TEXTS, DOMAINS[1:], ValueError, "each of the 60 texts, got 59"),
        (TEXTS[:30], DOMAINS[:30], ValueError, "at least two.*{'films': 30}"),
        (TEXTS[:31], DOMAINS[:31], ValueError, "two texts or more each"),
        (TEXTS, [0] * 30 + [1] * 30, TypeError, "domains must be a name"),
    ],
    ids=["length", "one domain", "one text", "numbers"],
)
def test_a_gate_needs_texts_of_two_domains(texts, domains, error, message):
    with pytest.raises(error, match=message):
        DomainGate(texts, domains)
