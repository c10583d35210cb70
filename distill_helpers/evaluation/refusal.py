"""May this student be used for that? A model card, a proposed use, three outcomes.

The rules read the card and a sentence about the use. They cannot judge; they stop what
a person would stop at once, let through what the card was measured for, and hand on the
rest. What they say stands in the card.

References
----------
.. [1] M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
.. [2] Regulation (EU) 2024/1689, annex III: uses with a high risk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ..arguments import check_choice, check_number, check_type, check_whole
from ..foreign import (
    list_of,
    mapping_of,
    number,
    one_of,
    read_json,
    record,
    text,
    whole,
)
from ..places import PROPOSED_USES

ALLOW, REFUSE, ASK = "allow", "refuse", "ask"
"""What is said to a use; ``"ask"``: a person has to decide."""
OUTCOMES = (ALLOW, REFUSE, ASK)
LEAST_TEXTS = 100
"""Test texts below which a card says too little."""
MOST_MISCALIBRATED = 0.05
"""Calibration error above which a threshold on probabilities is a question."""


@dataclass(frozen=True)
class CardFacts:
    """What a model card says that a use can be held against.

    Attributes
    ----------
    about : tuple of str
        Words for what the texts of the test part are about, in small letters, such as
        ``("film", "movie")``; a use has to name one of them.
    languages : tuple of str
        Of those texts, such as ``("en",)``.
    test_texts : int
    calibration_error : float or None
        None where it was not measured.
    groups_examined : bool
        Whether errors were compared between groups of people.
    private_texts : bool
        Whether it was trained on texts that are not public.
    gives_away : bool
        Whether an attack could tell its training texts from others, or none was tried.
    """

    about: tuple[str, ...]
    languages: tuple[str, ...] = ("en",)
    test_texts: int = 0
    calibration_error: float | None = None
    groups_examined: bool = False
    private_texts: bool = True
    gives_away: bool = True

    def __post_init__(self) -> None:
        for name in ("about", "languages"):
            words = getattr(self, name)
            if isinstance(words, str) or not words or not all(words):
                raise ValueError(f"{name} must hold at least one word, got {words!r}")
            object.__setattr__(self, name, tuple(str(word).lower() for word in words))
        check_whole("test_texts", self.test_texts, least=0)
        if self.calibration_error is not None:
            check_number("calibration_error", self.calibration_error, least=0, most=1)


@dataclass(frozen=True)
class Use:
    """What somebody wants to do with a student.

    Attributes
    ----------
    words : str
        In a sentence of English.
    language : str, default "en"
        Of the texts that shall be read.
    person_decides : bool, default False
        Whether a person looks at each answer before anything follows from it.
    """

    words: str
    language: str = "en"
    person_decides: bool = False

    def __post_init__(self) -> None:
        check_type("words", self.words, str, "a sentence about the use")
        if not self.words.strip():
            raise ValueError("words must say what the student shall be used for")


class Decision(NamedTuple):
    """What is said to a use.

    Attributes
    ----------
    outcome : str
        One of :data:`OUTCOMES`.
    reason : str
        For whoever proposed it.
    rule : str
        The name of the rule that spoke.
    """

    outcome: str
    reason: str
    rule: str


# ----------------------------------------------------------------- words of a use
_FIELDS = {
    "work": r"\b(hir(e|ing)|recruit\w*|job|applicants?|candidates?|cvs?|r[eé]sum[eé]s?|"
    r"employees?|workers?|boss|dismiss\w*|promotions?)\b",
    "credit or insurance": r"\b(loans?|credit\w*|mortgage\w*|insur\w+|premiums?)\b",
    "housing or benefits": r"\b(tenan\w+|landlord\w*|rent(al|ing)?|welfare|benefits?)\b",
    "education": r"\b(grad(e|ing) (students?|essays?|exams?|pupils?)|admissions?|exams?)\b",
    "health": r"\b(diagnos\w+|patients?|depress\w+|disease\w*|illness\w*|suicid\w+|"
    r"medical|therap\w+|pregnan\w+)\b",
    "justice or asylum": r"\b(court|legal|judge[sd]?|polic(e|ing)|crim\w+|prison\w*|"
    r"parole|asylum|visa|migra\w+|border)\b",
}
_TRAITS = (
    r"\b(relig\w+|ethnic\w*|race|gay|lesbian|sexual\w*|orientation|political\w*|vote[sd]?|"
    r"voting|union|gender|women|men|female|male|nationality|disab\w+|ages?|how old)\b"
)
_GUESS = r"\b(guess\w*|infer\w*|detect\w*|predict\w*|tell|find out|estimate|identify)\b"
_DECEIT = r"\b(fake|invented|forged?|pretend\w*|deceiv\w+|mislead\w*|impersonat\w+)\b"
_GIVE = (
    r"\b(publish\w*|release[ds]?|download\w*|open(ly)?[ -]?sourc\w*|share[ds]?|sharing|"
    r"upload\w*|sell|give)\b"
)
_WEIGHTS = r"\b(model|weights|student)('s)?\b"
_ACTS = (
    r"\b(hid(e|es|ing)|delet\w+|remov\w+|ban(s|ned|ning)?|block\w*|clos(e|es|ing)|"
    r"reject\w*|den(y|ies)|refus\w+|punish\w*|suspend\w*|decid\w+|censor\w*)\b"
)
_SURE = r"\b(probabilit\w+|threshold\w*|confiden\w+|percent|sure|certain\w*)\b|%"


def _says(use: Use, pattern: str) -> bool:
    return re.search(pattern, use.words, re.IGNORECASE) is not None


# ----------------------------------------------------------------------- the rules
def _high_stakes(facts: CardFacts, use: Use) -> str | None:
    for field, pattern in _FIELDS.items():
        if _says(use, pattern):
            return (
                f"it touches {field}, where a decision changes somebody's life; a"
                " student of a few texts is no ground for one, whoever decides"
            )
    return None


def _guesses(facts: CardFacts, use: Use) -> str | None:
    if _says(use, _TRAITS) and _says(use, _GUESS):
        return "it guesses what somebody is, which the text was not written to tell"
    return None


def _deceives(facts: CardFacts, use: Use) -> str | None:
    return "it serves to deceive" if _says(use, _DECEIT) else None


def _gives_away(facts: CardFacts, use: Use) -> str | None:
    if facts.private_texts and _says(use, _GIVE) and _says(use, _WEIGHTS):
        shown = "an attack finds its" if facts.gives_away else "it is made of"
        return f"{shown} private training texts; who has the model has a part of them"
    return None


def _too_short(facts: CardFacts, use: Use) -> str | None:
    if len(use.words.split()) < 3:
        return "the use is not described; say who reads what, and what follows from it"
    return None


def _other_language(facts: CardFacts, use: Use) -> str | None:
    if use.language.lower() not in facts.languages:
        return (
            f"the card was measured on {', '.join(facts.languages)} and not on"
            f" {use.language}; measure first"
        )
    return None


def _other_texts(facts: CardFacts, use: Use) -> str | None:
    if not _says(use, rf"\b({'|'.join(map(re.escape, facts.about))})"):
        return (
            f"the card is about texts on {', '.join(facts.about)}, and the use does not"
            " name them; measure on texts of the new kind first"
        )
    return None


def _acts_alone(facts: CardFacts, use: Use) -> str | None:
    if _says(use, _ACTS) and not use.person_decides:
        unequal = (
            "" if facts.groups_examined else ", and whom it wrongs more was not asked"
        )
        return (
            f"something is done to people or their words, and no person looks{unequal}"
        )
    return None


def _leans_on_probabilities(facts: CardFacts, use: Use) -> str | None:
    error = facts.calibration_error
    if _says(use, _SURE) and (error is None or error > MOST_MISCALIBRATED):
        known = (
            "were not measured"
            if error is None
            else f"are off by {error:.0%} on average"
        )
        return f"it leans on probabilities, which {known}; calibrate first"
    return None


def _few_texts(facts: CardFacts, use: Use) -> str | None:
    if facts.test_texts < LEAST_TEXTS:
        return (
            f"the card was measured on {facts.test_texts} texts; below {LEAST_TEXTS} its"
            " scores say too little"
        )
    return None


Rule = Callable[[CardFacts, Use], "str | None"]
RULES: Mapping[str, tuple[str, Rule]] = {
    "high stakes": (REFUSE, _high_stakes),
    "guessed traits": (REFUSE, _guesses),
    "deceit": (REFUSE, _deceives),
    "private texts": (REFUSE, _gives_away),
    "not described": (ASK, _too_short),
    "other language": (ASK, _other_language),
    "other texts": (ASK, _other_texts),
    "acts alone": (ASK, _acts_alone),
    "probabilities": (ASK, _leans_on_probabilities),
    "few texts": (ASK, _few_texts),
}
"""By name: the outcome, and a function that gives its reason or None. The first one that
speaks decides; where none does, the use is allowed."""
_ALLOWED = (
    "it stays within what the card was measured on, and no rule speaks against it"
)


def judge_use(facts: CardFacts, use: Use) -> Decision:
    """Hold a proposed use against a model card.

    Parameters
    ----------
    facts : CardFacts
    use : Use

    Returns
    -------
    Decision

    Examples
    --------
    >>> films = CardFacts(("film", "movie"), test_texts=700)
    >>> judge_use(films, Use("Count the positive film reviews of a week")).outcome
    'allow'
    >>> judge_use(films, Use("Reject job applicants by their film reviews")).rule
    'high stakes'
    """
    check_type("facts", facts, CardFacts, "CardFacts: what the card says")
    check_type("use", use, Use, "a Use: what is proposed")
    for name, (outcome, rule) in RULES.items():
        reason = rule(facts, use)
        if reason is not None:
            return Decision(outcome, reason, name)
    return Decision(ALLOW, _ALLOWED, "none")


# ----------------------------------------------------------------------- the cases
class Case(NamedTuple):
    """A use that somebody judged by hand.

    Attributes
    ----------
    card : str
    facts : CardFacts
    use : Use
    outcome, why : str
        What should be said, and the reason.
    held_out : bool
        Whether the rules were written without it.
    """

    card: str
    facts: CardFacts
    use: Use
    outcome: str
    why: str
    held_out: bool


class Scores(NamedTuple):
    """How often rules say what a person said.

    Attributes
    ----------
    cases, right : int
    harmful : int
        Uses that were to be refused, and were allowed.
    missed : list of (Case, Decision)
        All that differ.
    """

    cases: int
    right: int
    harmful: int
    missed: list[tuple[Case, Decision]]


def _boolean(value: object, where: str) -> None:
    one_of(True, False)(value, where)


_CARD = record(
    {
        "about": list_of(text(), 1, 10),
        "languages": list_of(text(), 1, 10),
        "test_texts": whole(),
        "calibration_error": number(),
        "groups_examined": _boolean,
        "private_texts": _boolean,
        "gives_away": _boolean,
    }
)
_CASE = record(
    {
        "card": text(),
        "use": text(),
        "language": text(),
        "person_decides": _boolean,
        "outcome": one_of(*OUTCOMES),
        "why": text(),
        "held_out": _boolean,
    }
)
_SHAPE = record({"cards": mapping_of(_CARD), "cases": list_of(_CASE)})


@cache
def cases() -> tuple[Case, ...]:
    """Read the cases that come with the kit, written for it by hand."""
    content = read_json(PROPOSED_USES, _SHAPE)
    facts = {name: CardFacts(**card) for name, card in content["cards"].items()}
    return tuple(
        Case(
            one["card"],
            facts[one["card"]],
            Use(one["use"], one["language"], one["person_decides"]),
            one["outcome"],
            one["why"],
            one["held_out"],
        )
        for one in content["cases"]
    )


def score_cases(
    some: Sequence[Case], judge: Callable[[CardFacts, Use], Decision] = judge_use
) -> Scores:
    """Count the cases to which rules say what a person said.

    Parameters
    ----------
    some : sequence of Case
        Those held out tell how good the rules are, the others how well they were
        fitted.
    judge : callable, default :func:`judge_use`

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If there is no case, or `judge` gives another outcome than allowed.
    """
    if not some:
        raise ValueError("some must hold at least one case, got none")
    said = [judge(case.facts, case.use) for case in some]
    for decision in said:
        check_choice("judge", decision.outcome, OUTCOMES)
    missed = [(c, d) for c, d in zip(some, said) if c.outcome != d.outcome]
    harmful = sum(c.outcome == REFUSE and d.outcome == ALLOW for c, d in missed)
    return Scores(len(some), len(some) - len(missed), harmful, missed)
