"""One planted fault, tried and judged: handled, or one of four ways to fail.

A case says what must come: a value, a value and a word about it, or a refusal whose
text holds certain words. What fails is called by its kind:

silent      another value came than the right one, or none of the words
traceback   an error that is not the package's own clear one
hang        no end within the limit
lost        a file of the user changed, or a refusal left files behind
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import re
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import distill_helpers

PACKAGE = Path(distill_helpers.__file__).parent
CLEAR = (ValueError, TypeError, OSError, RuntimeError, ImportError)
"""What an error of the package may be; further ones are nobody's message."""
NEVER = (UnicodeError, RecursionError, NotImplementedError)


class TooLongError(BaseException):
    """No ``except Exception`` may swallow it."""


class WrongValueError(AssertionError):
    """A value came, and it is not the right one."""


@dataclass
class Place:
    """An empty folder of the case's own, and what all cases share."""

    folder: Path
    shop: Any = None
    written: dict[Path, str] = field(default_factory=dict)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the user: it must be the same when the case is over."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        path.write_bytes(data)
        return self.guard(path)

    def guard(self, path: Path) -> Path:
        """Let nobody change a file."""
        self.written[path] = _digest(path)
        return path

    def out(self, name: str = "out") -> Path:
        """A place where nothing stands, for what is to be made."""
        return self.folder / name

    def changed(self) -> list[str]:
        return [p.name for p, was in self.written.items() if _digest(p) != was]

    def left(self) -> list[str]:
        """Name what stands there besides what the user wrote."""
        files = (p for p in self.folder.rglob("*") if not p.is_dir())
        return sorted(p.name for p in files if p not in self.written)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


@dataclass(frozen=True)
class Expected:
    """What must come of a case."""

    words: Sequence[str] = ()
    refusal: bool = False
    holds: Callable[[Any], Any] | None = None
    leaves: bool = False


def refused(*words: str, leaves: bool = False) -> Expected:
    """An error of the package that says all of the words, and leaves nothing.

    `leaves` allows files, where the fault comes after work that is kept.
    """
    assert words, "an error without a word is none"
    return Expected(words, refusal=True, leaves=leaves)


def gives(value) -> Expected:
    """This value, or one of which a function says that it is right."""
    if callable(value):
        return Expected(holds=value)
    return Expected(holds=lambda found: _same(found, value))


def says(*words: str, holds: Callable[[Any], Any] | None = None) -> Expected:
    """A value, and the words on the way: printed, logged, warned or in its text."""
    return Expected(words, holds=holds)


def _same(found, value) -> bool:
    equal = found == value
    return bool(equal.all()) if hasattr(equal, "all") else bool(equal)


@dataclass(frozen=True)
class Case:
    """One fault: how it is made, and what must come of it."""

    kind: int
    name: str
    act: Callable[[Place], Any]
    expected: Expected
    seconds: float = 60.0


@dataclass(frozen=True)
class Verdict:
    """What came of a case; `failure` is "" where it went well."""

    failure: str
    told: str = ""


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record) -> None:
        self.said.append(record.getMessage())


@contextlib.contextmanager
def listening():
    """Collect what is printed, logged and warned."""
    heard, printed = _Heard(), io.StringIO()
    names = ("", "distill_helpers", "transformers", "datasets")
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addHandler(heard)
    said: list[str] = []
    try:
        with (
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            warnings.simplefilter("always")
            yield said
    finally:
        for logger in loggers:
            logger.removeHandler(heard)
        said += [str(w.message) for w in caught]
        said += [*heard.said, printed.getvalue()]


@contextlib.contextmanager
def at_most(seconds: float):
    """Raise TooLongError when time is up, where the system has such a clock."""
    here = threading.current_thread() is threading.main_thread()
    if not (here and hasattr(signal, "setitimer")):
        yield
        return

    def ring(*_):
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge(case: Case, place: Place) -> Verdict:
    """Try a case and say how it ended."""
    found, error, said = None, None, []
    try:
        with listening() as said, at_most(case.seconds):
            found = case.act(place)
    except TooLongError:
        return Verdict("hang", f"no end within {case.seconds:g} s")
    except (Exception, SystemExit) as raised:
        error = raised
    text = "\n".join(said)
    if changed := place.changed():
        return Verdict("lost", f"changed: {', '.join(changed)}")
    expected = case.expected
    if error is not None:
        return _judge_error(error, text, expected, place)
    if expected.refusal:
        return Verdict("silent", f"no error, but {str(found)[:300]!r}")
    if missing := _missing(expected.words, f"{text}\n{found}"):
        return Verdict("silent", f"not said: {missing}; said was {text[-2000:]!r}")
    if expected.holds is not None and not expected.holds(found):
        return Verdict("silent", f"a wrong value: {str(found)[:500]}")
    return Verdict("")


def _judge_error(error, text, expected: Expected, place: Place) -> Verdict:
    told = f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))[-1500:]
    if isinstance(error, WrongValueError):
        return Verdict("silent", told)
    said = f"{error}\n{text}"
    if isinstance(error, SystemExit):
        # A command's end: its last word is what it printed, and never a traceback.
        clear = error.code not in (0, None) and "Traceback" not in said
    else:
        clear = is_clear(error)
    if not (expected.refusal and clear):
        return Verdict("traceback", f"{told}\n{trace}")
    if missing := _missing(expected.words, said):
        return Verdict("traceback", f"{told[:2000]}\ndoes not say: {missing}")
    if not expected.leaves and (left := place.left()):
        return Verdict("lost", f"left behind: {left}")
    return Verdict("")


def is_clear(error: BaseException) -> bool:
    """Say whether the package itself raised an error, of a kind meant for people."""
    if not isinstance(error, CLEAR) or isinstance(error, NEVER):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and PACKAGE in Path(frames[-1].filename).parents


def _missing(words: Sequence[str], text: str) -> list[str]:
    return [word for word in words if not re.search(word, text, re.S)]
