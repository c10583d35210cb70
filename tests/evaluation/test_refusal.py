"""A card and a proposed use: allowed, refused, or a person is asked."""

import dataclasses

import pytest

from distill_helpers.evaluation.refusal import (
    ALLOW,
    ASK,
    OUTCOMES,
    REFUSE,
    RULES,
    CardFacts,
    Decision,
    Use,
    cases,
    judge_use,
    score_cases,
)

FILMS = CardFacts(
    ("film",), test_texts=700, calibration_error=0.02, private_texts=False
)


@pytest.mark.parametrize(
    ("words", "change", "use", "outcome", "rule"),
    [
        ("Count the positive film reviews", {}, {}, ALLOW, "none"),
        ("Drop job applicants by film taste", {}, {}, REFUSE, "high stakes"),
        # A person at the end does not mend the ground of the decision.
        (
            "Drop job applicants by film taste",
            {"groups_examined": True},
            {"person_decides": True},
            REFUSE,
            "high stakes",
        ),
        ("Guess the gender of film critics", {}, {}, REFUSE, "guessed traits"),
        ("Keep fake film reviews that pass", {}, {}, REFUSE, "deceit"),
        ("Publish the model of film reviews", {}, {}, ALLOW, "none"),
        (
            "Publish the model of film reviews",
            {"private_texts": True},
            {},
            REFUSE,
            "private texts",
        ),
        ("film", {}, {}, ASK, "not described"),
        ("Sort film reviews by mood", {}, {"language": "de"}, ASK, "other language"),
        ("Sort hotel reviews by mood", {}, {}, ASK, "other texts"),
        ("Hide negative film reviews", {}, {}, ASK, "acts alone"),
        ("Hide negative film reviews", {}, {"person_decides": True}, ALLOW, "none"),
        ("Keep film reviews above a threshold", {}, {}, ALLOW, "none"),
        (
            "Keep film reviews above a threshold",
            {"calibration_error": None},
            {},
            ASK,
            "probabilities",
        ),
        ("Sort film reviews by mood", {"test_texts": 99}, {}, ASK, "few texts"),
    ],
)
def test_the_rule_that_speaks_is_named(words, change, use, outcome, rule):
    found = judge_use(dataclasses.replace(FILMS, **change), Use(words, **use))
    assert (found.outcome, found.rule) == (outcome, rule)
    assert found.reason


def test_every_rule_speaks_in_some_case_and_refusals_come_first():
    spoken = {judge_use(case.facts, case.use).rule for case in cases()}
    assert spoken >= set(RULES) - {"few texts"}
    outcomes = [outcome for outcome, _ in RULES.values()]
    assert outcomes == sorted(outcomes, key=[REFUSE, ASK].index)


def test_there_are_sixty_cases_and_a_third_is_held_out():
    held_out = [case for case in cases() if case.held_out]
    assert (len(cases()), len(held_out)) == (60, 20)
    assert {case.outcome for case in held_out} == set(OUTCOMES)
    assert len({case.use.words for case in cases()}) == 60


def test_scores_count_what_differs_and_what_does_harm():
    some = cases()
    ours = score_cases(some)
    assert ours.cases == 60 and ours.right == 60 - len(ours.missed)
    assert ours.right > 50
    lax = score_cases(some, lambda facts, use: Decision(ALLOW, "", ""))
    refused = sum(case.outcome == REFUSE for case in some)
    assert lax.harmful == refused > ours.harmful
    assert lax.right == sum(case.outcome == ALLOW for case in some)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (lambda: Use("  "), "words must say"),
        (lambda: CardFacts(()), "about must hold at least one word"),
        (lambda: CardFacts("film"), "about must hold"),
        (lambda: CardFacts(("film",), languages=[""]), "languages must hold"),
        (lambda: CardFacts(("film",), calibration_error=2.0), "calibration_error must"),
        (lambda: score_cases([]), "at least one case"),
        (
            lambda: score_cases(cases(), lambda f, u: Decision("perhaps", "", "")),
            "judge must be one of",
        ),
    ],
    ids=["use", "about", "word", "language", "error", "none", "outcome"],
)
def test_what_is_no_card_use_or_outcome_is_named(fault, named):
    with pytest.raises(ValueError, match=named):
        fault()
