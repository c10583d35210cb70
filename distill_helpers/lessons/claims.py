"""Popular claims, each judged by a measurement of the run.

What is claimed stands in ``claims.toml``, once; a lesson judges it by its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from .language import pictured
from .parts import HERE, read_table

HELD, FAILED, UNTESTED = "held", "did not hold", "not testable here"


@dataclass(frozen=True)
class KnownClaim:
    """A claim before anything is measured.

    Attributes
    ----------
    says : str
        What is claimed; a value of the run may stand in braces.
    known : str
        What was known of it before.
    lessons : sequence of str
        The lessons that judge it, such as ``["03", "06"]``.
    """

    says: str
    known: str
    lessons: Sequence[str]


@cache
def register() -> Mapping[str, KnownClaim]:
    """Return every claim by its number, such as ``"C01"``.

    Raises
    ------
    FactsError
        If the file of claims lacks a key, or has one that nobody reads.
    """
    return read_table(HERE / "claims.toml", KnownClaim)


@dataclass(frozen=True)
class Claim:
    """A claim and what this run says of it.

    Attributes
    ----------
    id : str
        Number in the curriculum, such as ``"C01"``.
    statement : str
        What is claimed.
    measured : str
        The numbers of this run.
    held : bool or None
        None if this machine or run cannot tell.
    """

    id: str
    statement: str
    measured: str
    held: bool | None

    @property
    def verdict(self) -> str:
        """``held``, ``did not hold`` or ``not testable here``."""
        return UNTESTED if self.held is None else HELD if self.held else FAILED

    def to_json(self) -> dict:
        """Return plain data."""
        return {
            "id": self.id,
            "statement": self.statement,
            "measured": self.measured,
            "verdict": self.verdict,
        }


def judge(id: str, measured: str, held: bool | None, **values) -> Claim:
    """Judge a claim of the register by what a run measured.

    Parameters
    ----------
    id : str
    measured : str
        The numbers of this run.
    held : bool or None
        None if this machine or run cannot tell.
    **values
        For the braces of what is claimed, where it has some.

    Returns
    -------
    Claim

    Raises
    ------
    KeyError
        If there is no such claim, or a value for its braces is missing.

    Examples
    --------
    >>> judge("C11", "1.2x the time", False).statement
    'pad everything to max_length'
    """
    if id not in register():
        raise KeyError(f"no claim {id!r}; there are {', '.join(register())}")
    return Claim(id, register()[id].says.format(**values), measured, held)


# ------------------------------------------------- what was measured, in words
def size_in_words(ratio: float) -> str:
    """Say how a size compares with another, of which it is `ratio`.

    Examples
    --------
    >>> size_in_words(0.05), size_in_words(1.0), size_in_words(9.34)
    ('95% smaller', 'as large', '9.3 times as large')
    """
    if ratio < 0.995:
        return f"{1 - ratio:.0%} smaller"
    return "as large" if ratio < 1.05 else f"{ratio:.1f} times as large"


def times_in_words(factor: float) -> str:
    """Say a factor of speed; one below 1 keeps its digits.

    Examples
    --------
    >>> times_in_words(102.3), times_in_words(1.24), times_in_words(0.034)
    ('102x', '1.2x', '0.034x')
    """
    if factor >= 9.95:
        return f"{factor:.0f}x"
    return f"{factor:.1f}x" if factor >= 0.95 else f"{factor:.2g}x"


def points_in_words(lost: float) -> str:
    """Say by how many points a score fell, or rose where `lost` is below 0.

    Examples
    --------
    >>> points_in_words(3.31), points_in_words(-2.0), points_in_words(-0.01)
    ('3.3 points lost', '2.0 points gained', '0.0 points lost')
    """
    gained = round(lost, 1) < 0
    return f"{abs(lost):.1f} points {'gained' if gained else 'lost'}"


def claims_table(claims: Sequence[Claim]):
    """Lay claims out as a table, in the reader's language where it has the words.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    rows = [
        {
            "claim": claim.id,
            "what is said": claim.statement,
            "what this run measured": claim.measured,
            "verdict": claim.verdict,
        }
        for claim in claims
    ]
    told = [{pictured(k): pictured(v) for k, v in row.items()} for row in rows]
    return pd.DataFrame(told).set_index(pictured("claim"))
