"""Call a learner's answer safely, and say in a beginner's words what it gave."""

from __future__ import annotations

import contextlib
import dis
import inspect
import io
import random
import traceback
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch

from ..language import Message
from .outcomes import Incorrect, NotAttempted, Unsupported


@contextlib.contextmanager
def undisturbed():
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


def quoted(printed: io.StringIO) -> list[str]:
    """Return the first few different lines that an answer printed, introduced."""
    lines = list(dict.fromkeys(printed.getvalue().splitlines()))
    if not lines:
        return []
    more = ["..."] if len(lines) > 5 else []
    return [Message("Your code printed:"), *lines[:5], *more]


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
            given=type(answer).__name__,
            expected=Message("a function of ({names})", names=", ".join(given)),
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
    look = Message("what it was given: {shapes}", shapes=_shapes(given))
    line = _line_of(error, answer)
    if line:
        look = Message("the line `{line}`; {rest}", line=line, rest=look)
    what = Message(
        "Your function stopped with {kind}: {error}",
        kind=type(error).__name__,
        error=str(error),
    )
    raise Incorrect(what, look=look) from error


def _line_of(error: Exception, answer) -> str:
    """Return the line of the reader's code that raised, where it is known."""
    code = getattr(answer, "__code__", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if code and frame.filename == code.co_filename and frame.line:
            return frame.line.strip()
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
            Message("Your function must take {number} arguments.", number=len(given)),
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
                Message(
                    "Your function changed {name}, which belongs to its caller.",
                    name=name,
                ),
                look="operations that end in _ and assignments such as x[...] = 0;"
                " work on a copy, and use detach() instead of detach_()",
            )


def _is_tensor(value) -> bool:
    return isinstance(value, torch.Tensor)


def _shapes(given: Mapping) -> Message:
    parts = [Message.joined(" ", [name, _shape(v)]) for name, v in given.items()]
    return Message.joined(", ", parts)


def _shape(value) -> str:
    if _is_tensor(value):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{tuple(value.shape)}" + ("" if kind == "float32" else f" {kind}")
    if isinstance(value, np.ndarray):
        return f"{value.shape}"
    if isinstance(value, (int, float, str)):
        return f"= {value!r}"
    if isinstance(value, list):
        return Message("a list of {number}", number=len(value))
    return Message("a {kind}", kind=type(value).__name__)


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
            Message(
                "The {name} must stay a tensor, or no gradient can flow.", name=name
            ),
            given=type(value).__name__,
            expected="a tensor of shape ()",
            look=".item(), float() and numpy: leave them out of the loss",
        )
    if value.numel() != 1:
        raise Incorrect(
            Message("The {name} must be one number for the whole batch.", name=name),
            given=Message("a tensor of shape {shape}", shape=tuple(value.shape)),
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
