"""The functions that a reader calls in a lesson.

Each shows its answer at once: as HTML in a notebook, as text in a console.
None of them needs a widget.
"""

from __future__ import annotations

import html
import sys
from collections import Counter
from dataclasses import dataclass
from importlib import import_module

from ..language import Message, told
from ..parts import LESSONS, lesson_folders
from . import record
from .engine import Entry, Prediction, examine, find
from .outcomes import CORRECT, INCORRECT, NOTED, UNTOUCHED, Outcome

COLOURS = {
    CORRECT: "#009E73",
    NOTED: "#009E73",
    INCORRECT: "#D55E00",
    UNTOUCHED: "#56B4E9",
}
_hints_given: Counter = Counter()
_session: dict[str, dict] = {}


def all_entries() -> list[Entry]:
    """Return every exercise of every lesson, in the lessons' order."""
    return [
        entry
        for folder in lesson_folders()
        for entry in import_module(f"{LESSONS}.{folder.name}.exercises").ENTRIES
    ]


def entry_of(key: str) -> Entry:
    """Return one exercise; a `KeyError` names the nearest key."""
    return find(all_entries(), key)


@dataclass
class Shown:
    """Text that shows itself once: as HTML in a notebook, else as plain text.

    Attributes
    ----------
    text : str
    markup : str
    status : str or None
    """

    text: str
    markup: str
    status: str | None = None

    def __repr__(self) -> str:
        return self.text

    def _ipython_display_(self) -> None:
        """Do nothing: it was shown when it was made."""

    def show(self) -> Shown:
        if _in_notebook():
            from IPython.display import display

            data = {"text/plain": self.text, "text/html": self.markup}
            display(data, raw=True)
        else:
            print(self.text)
        return self


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _box(text: str, colour: str, code: str = "") -> str:
    """Return a box that reads well on a light and on a dark page."""
    body = html.escape(text).replace("\n", "<br>")
    block = f"<pre><code>{html.escape(code)}</code></pre>" if code else ""
    return (
        f'<div style="border-left:4px solid {colour};padding:.3em .8em;'
        f'max-width:60em">{body}{block}</div>'
    )


def check(key: str, answer) -> Shown:
    """Examine an answer and say what is right or wrong with it.

    Parameters
    ----------
    key : str
        Such as ``"02.kd_loss"``.
    answer : object
        A function, or a letter for a closing question; ``...`` where nothing
        has been tried yet.

    Returns
    -------
    Shown
        Its `status` is ``"correct"``, ``"incorrect"``, ``"not attempted"`` or,
        for a guess, ``"noted"``.

    Raises
    ------
    KeyError
        If there is no such exercise. What the answer does wrong is never
        raised but told.
    """
    entry = entry_of(key)
    if isinstance(entry, Prediction):
        return predict(key, answer)
    outcome = examine(entry, answer)
    return _show_outcome(outcome, _remember(outcome))


def predict(key: str, guess) -> Shown:
    """Keep a guess until its measurement is made.

    Parameters
    ----------
    key : str
    guess : float
        ``...`` for none yet. Once the measurement has been revealed, the
        first guess stays.

    Returns
    -------
    Shown
    """
    entry = _prediction(key)
    outcome = examine(entry, guess)
    if outcome.status != NOTED:
        return _show_outcome(outcome, "")
    known = _known().get(key, {})
    if "measured" in known and known.get("guess", guess) != guess:
        kept = Message(
            "You have seen the measurement; your first guess, {guess:g}{unit}, stays.",
            guess=known["guess"],
            unit=Message.of(entry.unit),
        )
        return _show_outcome(Outcome(key, NOTED, kept), "")
    remark = _note(key, guess=float(guess))
    return _show_outcome(outcome, remark)


def reveal(key: str, measured: float) -> Shown:
    """Show a measurement beside the guess that was made before it.

    Parameters
    ----------
    key : str
    measured : float
        In the unit of the exercise.

    Returns
    -------
    Shown
    """
    entry = _prediction(key)
    guess = _known().get(key, {}).get("guess")
    message = entry.compare(guess, measured)
    if guess is None:
        return _show(message, UNTOUCHED)
    remark = _note(key, measured=float(measured), status=CORRECT)
    return _show(Message.joined("\n", [message, remark]), CORRECT)


def hint(key: str, number: int | None = None) -> Shown:
    """Show the next hint, or hint `number`, counted from 1.

    Raises
    ------
    KeyError
        If there is no such exercise.
    ValueError
        If there is no hint of that number.
    """
    hints = entry_of(key).hints
    if number is None:
        number = min(_hints_given[key] + 1, len(hints))
    if isinstance(number, bool) or number not in range(1, len(hints) + 1):
        raise ValueError(
            f"number must be a whole number from 1 to {len(hints)}, got {number!r}"
        )
    _hints_given[key] = number
    more = Message("That was the last one.")
    if number < len(hints):
        more = Message('More: hint("{key}")', key=key)
    head = Message(
        "Hint {number} of {all} ({key})", number=number, all=len(hints), key=key
    )
    text = told(Message.joined("\n", [head, Message.of(hints[number - 1]), more]))
    return Shown(text, _box(text, COLOURS[UNTOUCHED])).show()


def solution(key: str) -> Shown:
    """Show a solution and what to take from it."""
    entry = entry_of(key)
    title, why = told(Message("Solution of {key}", key=key)), told(entry.why)
    colour = COLOURS[CORRECT]
    markup = _box(title, colour, entry.code) + _box(why, colour)
    return Shown(f"{title}\n\n{entry.code}\n\n{why}", markup).show()


def progress(lesson: str | None = None) -> Shown:
    """Show which exercises are done.

    Parameters
    ----------
    lesson : str, optional
        Such as ``"02"``; by default all.

    Raises
    ------
    ValueError
        If the lesson has no exercise.
    """
    entries = all_entries()
    lessons = sorted({entry.key[:2] for entry in entries})
    if lesson is not None and lesson not in lessons:
        raise ValueError(f"lesson must be one of {lessons}, got {lesson!r}")
    chosen = [e for e in entries if lesson in (None, e.key[:2])]
    known = _known()
    words = {CORRECT: told("\u2713 done"), INCORRECT: told("\u2717 tried")}
    states = [known.get(e.key, {}).get("status") for e in chosen]
    rows = [(e.key, words.get(s, told("\u2026 open"))) for e, s in zip(chosen, states)]
    done = sum(state == CORRECT for state in states)
    title = told(Message("{done} of {all} done", done=done, all=len(rows)))
    width = max(len(key) for key, _ in rows)
    text = "\n".join([title, *(f"{key:{width}}  {state}" for key, state in rows)])
    body = "".join(
        f"<tr><td>{html.escape(key)}</td><td>{state}</td></tr>" for key, state in rows
    )
    columns = "".join(f"<th scope='col'>{told(c)}</th>" for c in ("exercise", "state"))
    head = f"<tr>{columns}</tr>"
    return Shown(text, f"<p>{title}</p><table>{head}{body}</table>").show()


def _prediction(key: str) -> Prediction:
    entry = entry_of(key)
    if not isinstance(entry, Prediction):
        raise ValueError(f"{key!r} is no prediction; use check({key!r}, ...)")
    return entry


def _show_outcome(outcome: Outcome, remark: str) -> Shown:
    return _show(Message.joined("\n", [outcome.said, remark]), outcome.status)


def _show(message: Message, status: str) -> Shown:
    """Show a message in the reader's language, in the colour of its status."""
    text = told(message).rstrip()
    return Shown(text, _box(text, COLOURS[status]), status).show()


def _remember(outcome: Outcome) -> str:
    """Keep an outcome, unless a right answer is already on record."""
    if outcome.status == UNTOUCHED:
        return ""
    before = _known().get(outcome.key, {}).get("status")
    status = CORRECT if before == CORRECT else outcome.status
    return _note(outcome.key, status=status)


def _note(key: str, **facts) -> str:
    """Keep facts in this session and, where possible, in the file."""
    _session[key] = _session.get(key, {}) | facts
    try:
        record.note(key, **facts)
    except record.RecordError as error:
        said = "(Progress is kept for this session only: {error})"
        return Message(said, error=str(error))
    return ""


def _known() -> dict[str, dict]:
    """Return the file's record and, over it, this session's."""
    try:
        stored = record.read_record()
    except record.RecordError:
        stored = {}  # said aloud by _note, when there is something to keep
    keys = [*stored, *(key for key in _session if key not in stored)]
    return {key: stored.get(key, {}) | _session.get(key, {}) for key in keys}
