"""Does a converted model still say what its source said?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.labels import ONE_LABEL
from ..evaluation.metrics import same_decisions

Predictor = Callable[[Sequence[str]], np.ndarray]


class DisagreementError(ValueError):
    """A converted model says other things than its bound allows."""


@dataclass(frozen=True)
class Bound:
    """How far a conversion may be from its source.

    Attributes
    ----------
    agreement : float
        Least share of texts with the same label, or all the same labels.
    difference : float or None
        Largest difference of any logit; None for no bound.
    """

    agreement: float
    difference: float | None = None


EXACT = Bound(agreement=1.0, difference=1e-3)
"""The same arithmetic in another form: tracing, baking, saving and loading."""
EIGHT_BITS = Bound(agreement=0.98)
"""Weights rounded to eight bits."""
FEW_BITS = Bound(agreement=0.90)
"""Weights rounded to four bits, or static activations."""


@dataclass(frozen=True)
class Parity:
    """How far a converted model is from its source.

    Attributes
    ----------
    name : str
    agreement : float
        Share of texts with the same label, or all the same labels.
    difference : float
        Largest difference of any logit.
    texts : int
    """

    name: str
    agreement: float
    difference: float
    texts: int

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.agreement:.1%} the same label on {self.texts:,}"
            f" texts, largest logit difference {self.difference:.2g}"
        )


def measure_parity(
    name: str,
    source: np.ndarray,
    target: np.ndarray,
    problem_type: str = ONE_LABEL,
) -> Parity:
    """Compare the logits of two models for the same texts.

    Parameters
    ----------
    name : str
        Of the conversion.
    source, target : ndarray, shape (texts, classes)
    problem_type : str, default "single_label_classification"
        With ``"multi_label_classification"`` two models agree on a text where
        all its labels are the same.

    Returns
    -------
    Parity

    Raises
    ------
    ValueError
        If the shapes differ, there is no text, or `problem_type` is unknown.
    DisagreementError
        If a logit of the target is not finite.
    """
    source, target = np.asarray(source), np.asarray(target)
    if source.shape != target.shape or not len(source):
        raise ValueError(
            f"source and target must have one shape and a text, got {source.shape}"
            f" and {target.shape}"
        )
    if not np.isfinite(target).all():
        raise DisagreementError(f"{name}: gave NaN or infinite logits")
    return Parity(
        name,
        float(same_decisions(source, target, problem_type).mean()),
        float(np.abs(source - target).max()),
        len(source),
    )


def verify(
    name: str,
    source: Predictor,
    target: Predictor,
    texts: Sequence[str],
    bound: Bound = EXACT,
    problem_type: str = ONE_LABEL,
) -> Parity:
    """Ask source and target the same texts, and insist that they agree.

    Parameters
    ----------
    name : str
        Of the conversion.
    source, target : callable
        Texts in, logits out.
    texts : sequence of str
    bound : Bound, default EXACT
    problem_type : str, default "single_label_classification"

    Returns
    -------
    Parity

    Raises
    ------
    DisagreementError
        If they are further apart than `bound` allows.

    Examples
    --------
    >>> answer = lambda texts: np.array([[0.0, float(len(t))] for t in texts])
    >>> verify("copy", answer, answer, ["a", "bc"]).agreement
    1.0
    """
    found = measure_parity(name, source(texts), target(texts), problem_type)
    if found.agreement < bound.agreement:
        raise DisagreementError(f"{found}; at least {bound.agreement:.1%} is wanted")
    if bound.difference is not None and found.difference > bound.difference:
        raise DisagreementError(f"{found}; at most {bound.difference:g} is allowed")
    return found
