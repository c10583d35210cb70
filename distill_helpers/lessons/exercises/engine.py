"""What an exercise is, and how an answer is examined.

An examiner is a plain function of the reader's answer. It raises `Incorrect`
with what was given, what was expected and where to look, or returns a remark
(usually an empty one) for an answer that is right.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from ...arguments import did_you_mean
from ..language import Message
from .answers import is_stub, quoted, undisturbed
from .outcomes import (
    CORRECT,
    INCORRECT,
    NOTED,
    UNTOUCHED,
    Incorrect,
    NotAttempted,
    Outcome,
)


@dataclass(frozen=True)
class Exercise:
    """A task with a function as its answer.

    Attributes
    ----------
    key : str
        Lesson and name, such as ``"02.kd_loss"``.
    prompt : str
        Markdown; stands in the lesson word for word.
    hints : tuple of str
        From a nudge to nearly the answer.
    solution : function
        Its source is what `solution` shows.
    why : str
        What the solution should leave behind.
    examine : callable
        Takes the answer; raises `Incorrect` or returns a remark.
    right : tuple
        Answers that must pass, besides the solution.
    wrong : tuple of (answer, str)
        Answers that must fail, and words that their message must hold.
    """

    key: str
    prompt: str
    hints: tuple[str, ...]
    solution: Callable
    why: str
    examine: Callable[[object], str | None]
    right: tuple = ()
    wrong: tuple[tuple[object, str], ...] = ()

    @property
    def code(self) -> str:
        """The solution as the reader would type it."""
        return textwrap.dedent(inspect.getsource(self.solution)).strip()

    @property
    def best(self):
        """An answer that passes."""
        return self.solution


@dataclass(frozen=True)
class Question:
    """A closing question with one right option.

    Attributes
    ----------
    key, prompt : str
    options : mapping of str to str
        Letter to text.
    answer : str
        The right letter.
    because : mapping of str to str
        For every letter, right or wrong, the reason.
    """

    key: str
    prompt: str
    options: Mapping[str, str]
    answer: str
    because: Mapping[str, str]
    hints: tuple[str, ...] = (
        "Go back to the section that the question names and look at its"
        " picture once more; then rule out one option at a time.",
    )

    @property
    def right(self) -> tuple:
        return (self.answer, self.answer.upper(), f" {self.answer} ")

    @property
    def wrong(self) -> tuple:
        letters = [letter for letter in self.options if letter != self.answer]
        return tuple((letter, self.because[letter]) for letter in letters) + (
            ("z", "is none of the options"),
            (3, "is none of the options"),
        )

    @property
    def code(self) -> str:
        return f'answer = "{self.answer}"'

    @property
    def best(self) -> str:
        return self.answer

    @property
    def why(self) -> str:
        return self.because[self.answer]

    @property
    def text(self) -> str:
        """The question with its options, as Markdown."""
        options = [f"- **{k}** {text}" for k, text in self.options.items()]
        return "\n".join([self.prompt, "", *options])

    def examine(self, answer) -> str:
        letter = answer.strip().lower() if isinstance(answer, str) else ""
        if letter not in self.options:
            raise Incorrect(
                Message("{answer} is none of the options.", answer=repr(answer)),
                expected=Message.joined(" or ", [f'"{k}"' for k in self.options]),
            )
        if letter != self.answer:
            raise Incorrect(self.because[letter])
        return self.because[letter]


@dataclass(frozen=True)
class Prediction:
    """A number that the reader guesses before it is measured.

    Attributes
    ----------
    key, prompt : str
    unit : str
        Written after the number.
    allowed : (float, float)
        Smallest and largest guess.
    close : float
        A guess this near to the measurement counts as close.
    why : str
        What the measurement teaches.
    example : float
        A guess that the answer key puts in.
    """

    key: str
    prompt: str
    unit: str
    allowed: tuple[float, float]
    close: float
    why: str
    example: float
    hints: tuple[str, ...] = (
        "There is no wrong guess. Write down what you would bet on, and"
        " why: the distance to the measurement is what you learn from.",
    )

    @property
    def right(self) -> tuple:
        return (*self.allowed, self.example)

    @property
    def wrong(self) -> tuple:
        low, high = self.allowed
        return (
            (high + 1, "outside"),
            (low - 1, "outside"),
            ("many", "a number"),
            (True, "a number"),
            (float("nan"), "outside"),
        )

    @property
    def code(self) -> str:
        return f"guess = {self.example:g}"

    @property
    def best(self) -> float:
        return self.example

    def examine(self, guess) -> str:
        low, high = self.allowed
        wanted = Message(
            "a number from {low:g} to {high:g}, without quotes or unit",
            low=low,
            high=high,
        )
        if isinstance(guess, bool) or not isinstance(guess, Real):
            raise Incorrect("A guess is a number.", repr(guess), wanted)
        if not low <= guess <= high:
            raise Incorrect("That lies outside what is possible.", str(guess), wanted)
        return Message(
            "Your guess, {guess:g}{unit}, is kept. Now measure.",
            guess=float(guess),
            unit=Message.of(self.unit),
        )

    def compare(self, guess: float | None, measured: float) -> Message:
        """Set a guess beside its measurement."""
        unit = Message.of(self.unit)
        found = Message("Measured: {number:.3g}{unit}.", number=measured, unit=unit)
        if guess is None:
            told = Message("{found} You had not guessed.", found=found)
            return Message.joined("\n", [told, Message.of(self.why)])
        away = abs(guess - measured)
        verdict = Message("Close.")
        if away > self.close:
            # Two percentages lie percentage points apart, not percent.
            apart = Message(" percentage points") if self.unit == "%" else unit
            verdict = Message("{away:.3g}{unit} away from it.", away=away, unit=apart)
        told = Message(
            "You guessed {guess:g}{unit}. {found} {verdict}",
            guess=guess,
            unit=unit,
            found=found,
            verdict=verdict,
        )
        return Message.joined("\n", [told, Message.of(self.why)])


Entry = Exercise | Question | Prediction


def examine(entry: Entry, answer) -> Outcome:
    """Examine one answer; never raises for what the answer does.

    Parameters
    ----------
    entry : Exercise, Question or Prediction
    answer : object
        ``...`` or a function whose body is ``...`` is not attempted yet.

    Returns
    -------
    Outcome
        What the answer printed stands at its end.
    """
    if is_stub(answer):
        return _untouched(entry)
    printed = io.StringIO()
    try:
        with undisturbed(), contextlib.redirect_stdout(printed):
            remark = entry.examine(answer)
    except NotAttempted:
        return _untouched(entry)
    except Incorrect as problem:
        status, said = INCORRECT, problem.message
    except Exception as error:
        status = INCORRECT
        said = Message(
            "Your answer could not be examined: {kind}: {error}",
            kind=type(error).__name__,
            error=str(error),
        )
    else:
        status = NOTED if isinstance(entry, Prediction) else CORRECT
        said = Message.of(remark or "")
    return Outcome(entry.key, status, Message.joined("\n", [said, *quoted(printed)]))


def _untouched(entry: Entry) -> Outcome:
    said = 'Replace the ... and run the cell again. Stuck? hint("{key}")'
    return Outcome(entry.key, UNTOUCHED, Message(said, key=entry.key))


def find(entries: Sequence[Entry], key: str) -> Entry:
    """Return the entry of that key.

    Raises
    ------
    KeyError
        If there is none; names the nearest.
    """
    known = {entry.key: entry for entry in entries}
    if key in known:
        return known[key]
    hint = did_you_mean(key, known, cutoff=0.4, after=" ")
    raise KeyError(f"no exercise {key!r}: {hint}Known: {', '.join(known)}")
