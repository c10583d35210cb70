"""Popular claims, each judged by a measurement of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HELD, FAILED, UNTESTED = "held", "did not hold", "not testable here"


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


def claims_table(claims: Sequence[Claim]):
    """Lay claims out as a table.

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
    return pd.DataFrame(rows).set_index("claim")
