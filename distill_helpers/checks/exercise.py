"""What an exercise is, and how an answer is examined.

An examiner is a plain function of the reader's answer. It raises `Incorrect`
with what was given, what was expected and where to look, or returns a remark
(usually an empty one) for an answer that is right.
"""

from __future__ import annotations

import contextlib
import difflib
import dis
import inspect
import io
import random
import textwrap
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
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
        letter = answer.strip().lower() if isinstance(answer, str) else ""
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
        wanted = f"a number from {low:g} to {high:g}, without quotes or unit"
        if isinstance(guess, bool) or not isinstance(guess, Real):
            raise Incorrect("A guess is a number.", repr(guess), wanted)
        if not low <= guess <= high:
            raise Incorrect("That lies outside what is possible.", str(guess), wanted)
        return f"Your guess, {float(guess):g}{self.unit}, is kept. Now measure."

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
        What the answer printed stands at its end.
    """
    if is_stub(answer):
        return _untouched(entry)
    printed = io.StringIO()
    try:
        with _undisturbed(), contextlib.redirect_stdout(printed):
            remark = entry.examine(answer)
    except NotAttempted:
        return _untouched(entry)
    except Incorrect as problem:
        return Outcome(entry.key, INCORRECT, problem.message + _quoted(printed))
    except Exception as error:
        what = f"Your answer could not be examined: {type(error).__name__}: {error}"
        return Outcome(entry.key, INCORRECT, what + _quoted(printed))
    passed = NOTED if isinstance(entry, Prediction) else CORRECT
    return Outcome(entry.key, passed, (remark or "") + _quoted(printed))


@contextlib.contextmanager
def _undisturbed():
    """Let an answer neither warn, nor draw from the reader's random numbers."""
    states = torch.random.get_rng_state(), np.random.get_state(), random.getstate()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these tensors are too small to share
    try:
        with warnings.catch_warnings(), torch.inference_mode(False):
            warnings.simplefilter("ignore")
            with torch.enable_grad():
                yield
    finally:
        torch.set_num_threads(threads)
        torch.random.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


def _quoted(printed: io.StringIO) -> str:
    """Return the first few different lines that an answer printed."""
    lines = list(dict.fromkeys(printed.getvalue().splitlines()))
    if not lines:
        return ""
    more = ["..."] if len(lines) > 5 else []
    return "\n".join(["\nYour code printed:", *lines[:5], *more])


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

    Arguments go by name where the function has a parameter of that name; the
    others take the places that are left, in the order of `given`.

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
    Unsupported
        If PyTorch cannot compute in half precision here.
    """
    if not callable(answer):
        raise Incorrect(
            "Hand over the function itself, not the result of calling it.",
            given=f"{type(answer).__name__}",
            expected=f"a function of ({', '.join(given)})",
            look="the brackets: the name alone, without ( ) behind it",
        )
    places, names = _arguments(answer, given)
    before = {
        k: (v.detach().clone(), v.requires_grad)
        for k, v in given.items()
        if _is_tensor(v)
    }
    try:
        result = answer(*places, **names)
    except Exception as error:
        _explain(error, answer, given)
    if result is ...:
        raise NotAttempted
    _check_untouched(before, given)
    return result


def _explain(error: Exception, answer, given: Mapping):
    """Say in words what a reader's function raised; always raises."""
    halves = (torch.float16, torch.bfloat16)
    half = any(_is_tensor(v) and v.dtype in halves for v in given.values())
    if half and "not implemented for" in str(error):
        raise Unsupported(str(error)) from error
    has_code = hasattr(answer, "__code__")
    if has_code and isinstance(error, NotImplementedError) and not str(error):
        raise NotAttempted from error
    if _holds_ellipsis(answer) and "llipsis" in str(error):
        raise NotAttempted from error
    raise Incorrect(
        f"Your function stopped with {type(error).__name__}: {error}",
        look=f"{_line_of(error, answer)}what it was given: {_shapes(given)}",
    ) from error


def _line_of(error: Exception, answer) -> str:
    """Return the line of the reader's code that raised, where it is known."""
    code = getattr(answer, "__code__", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if code and frame.filename == code.co_filename and frame.line:
            return f"the line `{frame.line.strip()}`; "
    return ""


def _arguments(answer, given: Mapping) -> tuple[tuple, dict]:
    try:
        parameters = inspect.signature(answer).parameters
    except (TypeError, ValueError):  # some built-ins have none
        return tuple(given.values()), {}
    kinds = {p.kind for p in parameters.values()}
    plain = [
        name
        for name, p in parameters.items()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return tuple(given.values()), {}
    if not plain:  # **anything
        return (), dict(given)
    named = {name: given[name] for name in plain if name in given}
    rest = [value for name, value in given.items() if name not in named]
    places = [name for name in plain if name not in named]
    required = [n for n in places if parameters[n].default is inspect.Parameter.empty]
    if len(rest) > len(places) or len(required) > len(rest):
        raise Incorrect(
            f"Your function must take {len(given)} arguments.",
            given=f"({', '.join(parameters)})",
            expected=f"({', '.join(given)})",
            look="the def line",
        )
    values = named | dict(zip(places, rest))
    ordered = {name: values[name] for name in plain if name in values}
    bound = inspect.BoundArguments(inspect.signature(answer), ordered)
    return bound.args, bound.kwargs


def _holds_ellipsis(answer) -> bool:
    code = getattr(answer, "__code__", None)
    return code is not None and any(c is ... for c in code.co_consts)


def _check_untouched(before: Mapping, given: Mapping) -> None:
    for name, (value, learns) in before.items():
        now = given[name]
        same_values = now.shape == value.shape and torch.equal(
            now.detach().nan_to_num(), value.nan_to_num()
        )
        if not same_values or now.requires_grad != learns:
            raise Incorrect(
                f"Your function changed {name}, which belongs to its caller.",
                look="operations that end in _ and assignments such as x[...] = 0;"
                " work on a copy, and use detach() instead of detach_()",
            )


def _is_tensor(value) -> bool:
    return isinstance(value, torch.Tensor)


def _shapes(given: Mapping) -> str:
    return ", ".join(f"{name} {_shape(value)}" for name, value in given.items())


def _shape(value) -> str:
    if _is_tensor(value):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{tuple(value.shape)}" + ("" if kind == "float32" else f" {kind}")
    if isinstance(value, np.ndarray):
        return f"{value.shape}"
    if isinstance(value, (int, float, str)):
        return f"= {value!r}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"a {type(value).__name__}"


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
