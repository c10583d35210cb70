"""What an examination may end with."""

from __future__ import annotations

from dataclasses import dataclass

CORRECT, INCORRECT, UNTOUCHED = "correct", "incorrect", "not attempted"
NOTED = "noted"  # a guess, which is neither right nor wrong before it is measured
MARKS = {
    CORRECT: "\u2713 Correct",
    INCORRECT: "\u2717 Not yet right",
    NOTED: "\u2713 Noted",
    UNTOUCHED: "\u2026 Not attempted yet",
}


class Incorrect(Exception):
    """An answer is wrong, and this is what its author should be told.

    Parameters
    ----------
    what : str
        The mistake in one sentence.
    given, expected : str, optional
        What the answer gave, and what it should have given.
    look : str, optional
        Where to look.
    source : str, optional
        Where the mistake was seen before.
    """

    def __init__(self, what, given="", expected="", look="", source=""):
        super().__init__(what)
        lines = [
            what,
            f"Yours gave: {given}" if given else "",
            f"Expected: {expected}" if expected else "",
            f"Look at: {look}" if look else "",
            f"Seen before in: {source}" if source else "",
        ]
        self.message = "\n".join(line for line in lines if line)


class NotAttempted(Exception):
    """The answer is still the stub."""


class Unsupported(Exception):
    """PyTorch has no kernel for this dtype on this machine."""


@dataclass(frozen=True)
class Outcome:
    """What a reader is told about one answer.

    Attributes
    ----------
    key : str
    status : str
        ``"correct"``, ``"incorrect"``, ``"not attempted"`` or, for a guess,
        ``"noted"``.
    message : str
    """

    key: str
    status: str
    message: str

    def __str__(self) -> str:
        return f"{MARKS[self.status]} ({self.key})\n{self.message}".rstrip()
