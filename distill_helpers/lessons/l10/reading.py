"""Exercises on what an answer says: shares, votes, a threshold."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from ..exercises.answers import call, settle
from ..exercises.outcomes import Incorrect


# ----------------------------------------------------------- distribution
def my_label_distribution(top, labels):
    real = [(token, value) for token, value in top if value > -9000]
    if len(real) < 2:
        return None
    found = dict.fromkeys(labels, 0.0)
    for token, value in real:
        name = token.strip().lower()
        if name in found:
            found[name] += math.exp(value)
    mass = sum(found.values())
    return [share / mass for share in found.values()] if mass else None


def by_masks(top, labels):
    tokens = np.array([token.strip().lower() for token, _ in top])
    chances = np.exp([value for _, value in top])
    shares = np.array([chances[tokens == name].sum() for name in labels])
    if (chances > 0).sum() < 2 or shares.sum() == 0:
        return None
    return shares / shares.sum()


def exact_tokens(top, labels):
    found = {token: math.exp(v) for token, v in top if v > -9000}
    shares = [found.get(name, 0.0) for name in labels]
    if len(found) < 2 or not sum(shares):
        return None
    return [share / sum(shares) for share in shares]


def not_renormalised(top, labels):
    shares = my_label_distribution(top, labels)
    return None if shares is None else [s * _mass(top, labels) for s in shares]


def hollow_is_certain(top, labels):
    found = Counter({name: 0.0 for name in labels})
    for token, value in top:
        if token.strip().lower() in labels:
            found[token.strip().lower()] += math.exp(value)
    mass = sum(found.values())
    return [found[name] / mass for name in labels] if mass else None


def summed_logarithms(top, labels):
    real = [(t.strip().lower(), v) for t, v in top if v > -9000]
    sums = [math.exp(sum(v for t, v in real if t == name)) for name in labels]
    return None if len(real) < 2 else [value / sum(sums) for value in sums]


def _mass(top, labels):
    return sum(math.exp(v) for t, v in top if t.strip().lower() in labels)


TOPS = (
    [(" positive", -1.2), ("Positive", -1.6), (" negative", -1.9), (" The", -0.9)],
    [("negative", 0.0), (" positive", -9999.0), (" The", -9999.0)],
    [(" I", -0.7), (" The", -0.9), (" film", -2.0)],
)
LABELS = ["negative", "positive"]


def examine_distribution(answer) -> str:
    """Try spellings, a hollow answer, and one outside the classes."""
    for top in TOPS:
        given = {"top": list(top), "labels": list(LABELS)}
        got = _shares(call(answer, **given))
        known = {
            "Only one spelling of each class is counted: ' positive' and 'Positive' are"
            " other tokens of the same class.": (
                exact_tokens(**given),
                "token.strip().lower()",
            ),
            "The shares do not sum to 1: what lies on other words is no class.": (
                not_renormalised(**given),
                "divide by the sum over the classes",
            ),
            "-9999 is no log-probability but a filler: the server had none to give, and"
            " one lone token is no certainty.": (
                hollow_is_certain(**given),
                "None where fewer than two values are real",
            ),
            "Logarithms are added; probabilities have to be.": (
                summed_logarithms(**given),
                "math.exp before the sum",
            ),
        }
        otherwise = ("Not the shares of the classes.", f"what it was given: {top}")
        settle(
            got,
            _shares(my_label_distribution(**given)),
            known,
            otherwise,
            equal=_alike,
            shown=_shown,
        )
    return (
        "All spellings together, made to sum to 1; and no answer where there is none."
    )


# ------------------------------------------------------------------ votes
def my_vote_shares(votes, classes):
    counts = [0.5] * classes
    for vote in votes:
        if vote is not None:
            counts[vote] += 1
    return [count / sum(counts) for count in counts]


def by_bincount(votes, classes):
    given = [vote for vote in votes if vote is not None]
    counts = np.bincount(np.array(given, int), minlength=classes) + 0.5
    return counts / counts.sum()


def no_smoothing(votes, classes):
    given = [vote for vote in votes if vote is not None]
    return [given.count(c) / max(1, len(given)) for c in range(classes)]


def prose_divides(votes, classes):
    shares = [votes.count(c) + 0.5 for c in range(classes)]
    return [share / (len(votes) + 0.5 * classes) for share in shares]


def prose_is_guessed(votes, classes):
    return my_vote_shares([vote or 0 for vote in votes], classes)


def examine_votes(answer) -> str:
    """Try votes of one kind, votes with prose among them, three classes."""
    for votes, classes in (([1, 1, 1], 2), ([1, None, 0, None, 1], 2), ([2, 2, 0], 3)):
        given = {"votes": list(votes), "classes": classes}
        got = _shares(call(answer, **given))
        known = {
            "Three votes of one kind are no certainty: without smoothing the other class"
            " has probability 0, and its logarithm does not exist.": (
                no_smoothing(**given),
                "half a vote for each class beforehand",
            ),
            "An answer that names no class is no vote, and does not divide either.": (
                prose_divides(**given),
                "divide by the sum of the counts",
            ),
            "None was counted as class 0: an answer is never guessed.": (
                prose_is_guessed(**given),
                "if vote is not None",
            ),
        }
        otherwise = ("Not the smoothed shares.", f"what it was given: {votes}")
        settle(
            got,
            _shares(my_vote_shares(**given)),
            known,
            otherwise,
            equal=_alike,
            shown=_shown,
        )
    return "The lesson's votes are counted so."


# -------------------------------------------------------------- threshold
THRESHOLDS = np.linspace(0, 1, 201)


def my_predictions(shares, labels, parts):
    train, test = parts == "train", parts == "test"

    def right(threshold):
        return np.mean((shares[train] > threshold) == labels[train])

    best = max(np.linspace(0, 1, 201), key=right)
    return (shares[test] > best).astype(int)


def by_sorting(shares, labels, parts):
    train, test = parts == "train", parts == "test"
    known = np.sort(shares[train])
    between = (known[1:] + known[:-1]) / 2
    hits = [((shares[train] > t) == labels[train]).sum() for t in between]
    return [int(share > between[int(np.argmax(hits))]) for share in shares[test]]


def left_at_half(shares, labels, parts):
    return (shares[parts == "test"] > 0.5).astype(int)


def _line_drawn_on(chosen, shares, labels, parts):
    rights = [np.mean((shares[chosen] > t) == labels[chosen]) for t in THRESHOLDS]
    best = THRESHOLDS[int(np.argmax(rights))]
    return (shares[parts == "test"] > best).astype(int)


def chosen_on_test(shares, labels, parts):
    return _line_drawn_on(parts == "test", shares, labels, parts)


def turned_round(shares, labels, parts):
    return 1 - my_predictions(shares, labels, parts)


def predicted_everywhere(shares, labels, parts):
    return (shares > 0.75).astype(int)


def shifted_model() -> dict:
    """A model whose line lies at .75 on train, and by luck at .9 on test."""
    train = np.array([0.55, 0.60, 0.65, 0.70, 0.80, 0.85, 0.90, 0.95])
    test = np.array([0.58, 0.68, 0.83, 0.86, 0.92, 0.97, 0.20, 0.65])
    return {
        "shares": np.concatenate([train, test]),
        "labels": np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0]),
        "parts": np.array(["train"] * 8 + ["test"] * 8),
    }


def examine_predictions(answer) -> str:
    """Try a model that ranks well and draws its line in the wrong place."""
    given = shifted_model()
    got = _shares(call(answer, **given))
    count = int((given["parts"] == "test").sum())
    if got is None or len(got) != count:
        raise Incorrect(
            "One 0 or 1 is wanted for each text of test, and for no other.",
            given=_shown(got),
            expected=f"{count} numbers",
            look='shares[parts == "test"]',
        )
    known = {
        "The threshold was left at .5: this model ranks the texts well and is too fond"
        " of one class.": (
            _shares(left_at_half(**given)),
            "the threshold that gets most of train right",
        ),
        "The threshold was chosen on test: what is measured there afterwards is no"
        " longer a measurement.": (
            _shares(chosen_on_test(**given)),
            'only the rows with parts == "train" choose',
        ),
        "The two classes are turned round.": (
            _shares(turned_round(**given)),
            "1 where the share lies above the threshold",
        ),
    }
    otherwise = ("Not the predictions of the threshold that fits train.", "one by hand")
    settle(
        got,
        _shares(my_predictions(**given)),
        known,
        otherwise,
        equal=_alike,
        shown=_shown,
    )
    return "The labels of train move the line; test only says where it fell."


# ----------------------------------------------------------------- values
def _shares(got):
    """Return a list of floats, or None."""
    if got is None:
        return None
    try:
        return [float(value) for value in got]
    except (TypeError, ValueError):
        raise Incorrect(
            "A list of numbers is wanted, one for each.",
            given=type(got).__name__,
            expected="a list of numbers",
            look="the return line",
        ) from None


def _alike(one, other) -> bool:
    if one is None or other is None:
        return one is other
    return len(one) == len(other) and bool(np.allclose(one, other, atol=1e-6))


def _shown(values) -> str:
    return str(None if values is None else [round(value, 3) for value in values])
