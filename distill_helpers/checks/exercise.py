"""What an exercise is, and how an answer is examined.

An examiner is a plain function of the reader's answer. It raises `Incorrect`
with what was given, what was expected and where to look, or returns a remark
(usually an empty one) for an answer that is right.
"""

from __future__ import annotations

import difflib
import dis
import inspect
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

import torch

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
        letter = answer.strip().lower() if isinstance(answer, str) else answer
        if letter not in self.options:
            raise Incorrect(
                f"{answer!r} is none of the options.",
                expected=" or ".join(f'"{k}"' for k in self.options),
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
    wrong_guesses: tuple[tuple[object, str], ...] = field(default=())

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
            *self.wrong_guesses,
        )

    @property
    def code(self) -> str:
        return f"guess = {self.example:g}"

    @property
    def best(self) -> float:
        return self.example

    def examine(self, guess) -> str:
        low, high = self.allowed
        wanted = f"a number from {low:g} to {high:g}, without quotes or unit"
        if isinstance(guess, bool) or not isinstance(guess, Real):
            raise Incorrect("A guess is a number.", repr(guess), wanted)
        if not low <= guess <= high:
            raise Incorrect("That lies outside what is possible.", f"{guess:g}", wanted)
        return f"Your guess, {guess:g}{self.unit}, is kept. Now measure."

    def compare(self, guess: float | None, measured: float) -> str:
        """Set a guess beside its measurement."""
        found = f"Measured: {measured:.3g}{self.unit}."
        if guess is None:
            return f"{found} You had not guessed.\n{self.why}"
        away = abs(guess - measured)
        verdict = (
            "Close." if away <= self.close else f"{away:.3g}{self.unit} away from it."
        )
        return f"You guessed {guess:g}{self.unit}. {found} {verdict}\n{self.why}"


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
    """
    if is_stub(answer):
        return _untouched(entry)
    state = torch.random.get_rng_state()
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            remark = entry.examine(answer)
    except NotAttempted:
        return _untouched(entry)
    except Incorrect as problem:
        return Outcome(entry.key, INCORRECT, problem.message)
    finally:
        torch.random.set_rng_state(state)
    passed = NOTED if isinstance(entry, Prediction) else CORRECT
    return Outcome(entry.key, passed, remark or "")


def _untouched(entry: Entry) -> Outcome:
    return Outcome(
        entry.key,
        UNTOUCHED,
        f'Replace the ... and run the cell again. Stuck? hint("{entry.key}")',
    )


def is_stub(answer) -> bool:
    """Tell whether an answer is ``...`` or a function that does nothing."""
    if answer is ... or answer is None:
        return True
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    quiet = {"RESUME", "NOP", "LOAD_CONST", "POP_TOP"}
    ends = {"RETURN_VALUE", "RETURN_CONST"}
    steps = list(dis.get_instructions(code))
    constants = [s.argval for s in steps if s.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(s.opname in quiet | ends for s in steps) and all(
        value is None or value is ... for value in constants
    )


def call(answer, **given):
    """Call the reader's function and turn whatever it raises into words.

    The arguments go by name where the function has all these names, else by
    place, in the order of `given`. Tensors are handed over as they are.

    Parameters
    ----------
    answer : callable
    **given
        The arguments in the order that the prompt names them.

    Returns
    -------
    object
        Whatever the function returned.

    Raises
    ------
    Incorrect
        If it is no function, does not take the arguments, or raised.
    NotAttempted
        If it returned ``...``, or stumbled over a ``...`` that it holds.
    """
    if not callable(answer):
        raise Incorrect(
            "Hand over the function itself, not the result of calling it.",
            given=f"{type(answer).__name__}",
            expected=f"a function of ({', '.join(given)})",
            look="the brackets: the name alone, without ( ) behind it",
        )
    places, names = _arguments(answer, given)
    before = {k: v.detach().clone() for k, v in given.items() if _is_tensor(v)}
    try:
        result = answer(*places, **names)
    except Exception as error:
        if "not implemented for" in str(error):  # by PyTorch, for this dtype
            raise Unsupported(str(error)) from error
        if isinstance(error, NotImplementedError):
            raise NotAttempted from error
        if _holds_ellipsis(answer) and "llipsis" in str(error):
            raise NotAttempted from error
        raise Incorrect(
            f"Your function stopped with {type(error).__name__}: {error}",
            look="the shapes it was given: " + _shapes(given),
        ) from error
    if result is ...:
        raise NotAttempted
    _check_untouched(before, given)
    return result


def _arguments(answer, given: Mapping) -> tuple[tuple, dict]:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # some built-ins have none
        return tuple(given.values()), {}
    if set(given) <= set(signature.parameters):
        return (), dict(given)
    try:
        signature.bind(*given.values())
    except TypeError as error:
        raise Incorrect(
            f"Your function does not take these arguments: {error}.",
            given=f"({', '.join(signature.parameters)})",
            expected=f"({', '.join(given)})",
            look="the def line",
        ) from error
    return tuple(given.values()), {}


def _holds_ellipsis(answer) -> bool:
    code = getattr(answer, "__code__", None)
    return code is not None and ... in [c for c in code.co_consts if not _is_tensor(c)]


def _check_untouched(before: Mapping, given: Mapping) -> None:
    for name, value in before.items():
        now = given[name].detach()
        if now.shape != value.shape or not torch.equal(now, value):
            raise Incorrect(
                f"Your function changed {name}, which belongs to its caller.",
                look="operations that end in _ and assignments such as x[...] = 0;"
                " work on a copy",
            )


def _is_tensor(value) -> bool:
    return isinstance(value, torch.Tensor)


def _shapes(given: Mapping) -> str:
    return ", ".join(
        f"{name} {tuple(value.shape)}" if _is_tensor(value) else f"{name}={value!r}"
        for name, value in given.items()
    )


def scalar(value, name: str = "loss") -> torch.Tensor:
    """Return `value` if it is one number in a tensor, else say what it is.

    Raises
    ------
    Incorrect
    """
    if value is None:
        raise Incorrect("Your function returns nothing.", look="its last line: return")
    if not _is_tensor(value):
        raise Incorrect(
            f"The {name} must stay a tensor, or no gradient can flow.",
            given=type(value).__name__,
            expected="a tensor of shape ()",
            look=".item(), float() and numpy: leave them out of the loss",
        )
    if value.numel() != 1:
        raise Incorrect(
            f"The {name} must be one number for the whole batch.",
            given=f"a tensor of shape {tuple(value.shape)}",
            expected="a tensor of shape ()",
            look='the reduction: reduction="none" keeps one number an element',
        )
    return value.reshape(())


def same(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-4) -> bool:
    """Tell whether two tensors agree, relative to the largest `expected`."""
    got, expected = got.detach().double(), expected.detach().double()
    if got.shape != expected.shape or not torch.isfinite(got).all():
        return False
    allowed = tolerance * expected.abs().max() + 1e-6
    return bool((got - expected).abs().max() <= allowed)


def settle(
    got,
    right,
    known: Mapping[str, tuple[object, str]],
    otherwise: tuple[str, str],
    *,
    equal: Callable = same,
    shown: Callable[[object], str] = str,
) -> None:
    """Return if an answer is right, else say which mistake explains it.

    Parameters
    ----------
    got, right : object
        What the answer gave, and what it should have given.
    known : mapping of str to (object, str)
        A mistake in one sentence: what it gives, and where to look.
    otherwise : (str, str)
        What to say, and where to look, if no known mistake explains it.
    equal : callable
    shown : callable
        Turns a value into text.

    Raises
    ------
    Incorrect
    """
    if equal(got, right):
        return
    fitting = [
        (what, look) for what, (value, look) in known.items() if equal(got, value)
    ]
    what, look = (fitting or [otherwise])[0]
    raise Incorrect(what, shown(got), shown(right), look)


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
    near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise KeyError(f"no exercise {key!r}: {hint}Known: {', '.join(known)}")
