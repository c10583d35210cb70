"""What an examination may end with."""

from __future__ import annotations

from dataclasses import dataclass

from ..language import Message

CORRECT, INCORRECT, UNTOUCHED = "correct", "incorrect", "not attempted"
NOTED = "noted"  # a guess, which is neither right nor wrong before it is measured
MARKS = {
    CORRECT: Message("\u2713 Correct"),
    INCORRECT: Message("\u2717 Not yet right"),
    NOTED: Message("\u2713 Noted"),
    UNTOUCHED: Message("\u2026 Not attempted yet"),
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

    Notes
    -----
    `what`, `expected` and `look` are sentences that a catalogue may translate; one
    that holds values is a `Message`, so that its template can be found there.
    """

    def __init__(self, what, given="", expected="", look="", source=""):
        super().__init__(what)
        lines = [Message.of(what)]
        if given:
            lines.append(Message("Yours gave: {given}", given=given))
        if expected:
            lines.append(Message("Expected: {right}", right=Message.of(expected)))
        if look:
            lines.append(Message("Look at: {place}", place=Message.of(look)))
        if source:
            lines.append(Message("Seen before in: {source}", source=source))
        self.message = Message.joined("\n", lines)


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
    message : Message
    """

    key: str
    status: str
    message: Message

    @property
    def said(self) -> Message:
        """Mark, key and message."""
        mark = Message("{mark} ({key})", mark=MARKS[self.status], key=self.key)
        return Message.joined("\n", [mark, self.message])
