"""What a language model is asked: the task, the classes, examples, the text."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...arguments import check_type, check_whole
from ...data.class_order import class_place, folded
from ...foreign import ForeignFileError, read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEMPLATE = 1
"""Raised when the words around a text change: answers of before are others' then."""
USUAL_TASK = "Say to which class the text belongs."
HEAD = "Label:"
"""What an answer begins with, where it is written for the model."""
PREFILLS = ("deepseek", "vllm", "plain")
"""How a server is told to go on with the beginning of an answer."""
_KEYS = {"task", "classes"}


@dataclass(frozen=True)
class Task:
    """A question about a text with one of several classes as its answer.

    Parameters
    ----------
    classes : mapping of str to str
        Names of the classes and what belongs to each; ``""`` where the name says
        it all. Their order is that of the logits.
    task : str, optional
        One sentence that says what is wanted.
    examples : sequence of (str, str)
        Texts and their classes, from labelled rows of train; see
        :func:`draw_examples`.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two classes, a name is empty or twice there, or an
        example's class is none of them.
    """

    classes: Mapping[str, str]
    task: str = USUAL_TASK
    examples: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        check_type(
            "classes", self.classes, Mapping, "a mapping of names to definitions"
        )
        check_type("task", self.task, str, "a sentence")
        names = list(self.classes)
        if len(names) < 2:
            raise ValueError(f"classes must name at least two classes, got {names}")
        for name, definition in self.classes.items():
            if not isinstance(name, str) or not name.strip() or "\n" in name:
                raise ValueError(f"classes must have names of one line, got {name!r}")
            if not isinstance(definition, str):
                raise TypeError(f"classes: {name!r} needs a text, got {definition!r}")
        if len({folded(name) for name in names}) < len(names):
            raise ValueError(
                f"classes must differ in more than case and blanks, got {names}"
            )
        for text, name in self.examples:
            if name not in self.classes or not isinstance(text, str):
                raise ValueError(
                    f"examples must be pairs of a text and one of {names}, got"
                    f" {(text[:40] if isinstance(text, str) else text, name)!r}"
                )

    @property
    def label_names(self) -> list[str]:
        """The classes in their order."""
        return list(self.classes)

    @property
    def fingerprint(self) -> str:
        """Names the question, the words around it included."""
        whole = [TEMPLATE, self.task, list(self.classes.items()), list(self.examples)]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]

    def messages(
        self, text: str, order: Sequence[int] | None = None, head: bool = False
    ) -> list[dict]:
        """Return the messages that ask about one text.

        Parameters
        ----------
        text : str
        order : sequence of int, optional
            In which order the classes are named.
        head : bool, default False
            Whether the answer's beginning is written for the model.
        """
        names = self.label_names
        named = [names[i] for i in (order if order is not None else range(len(names)))]
        lines = [self.task, "", "Classes:"]
        for name in named:
            definition = self.classes[name]
            lines.append(f"- {name}: {definition}" if definition else f"- {name}")
        lines += ["", "Answer with the name of one class and nothing else."]
        messages = [{"role": "system", "content": "\n".join(lines)}]
        for example, name in self.examples:
            messages.append({"role": "user", "content": _asked(example)})
            answer = f"{HEAD} {name}" if head else name
            messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": _asked(text)})
        if head:
            messages.append({"role": "assistant", "content": HEAD})
        return messages


def _asked(text: str) -> str:
    return f"Text:\n{text}"


def with_prefill(messages: list[dict], prefill: str) -> tuple[list[dict], dict]:
    """Mark the last message as a beginning; return it and the body's extra fields."""
    if prefill == "deepseek":
        return [*messages[:-1], {**messages[-1], "prefix": True}], {}
    if prefill == "vllm":
        extra = {"continue_final_message": True, "add_generation_prompt": False}
        return messages, extra
    return messages, {}


def draw_examples(
    task: Task,
    texts: Sequence[str],
    names: Sequence[str],
    per_class: int = 1,
    seed: int = 0,
) -> Task:
    """Put labelled texts into a task as examples.

    Parameters
    ----------
    task : Task
    texts, names : sequence of str
        Labelled rows of train and their classes. Never those of validation or
        test: their labels would be in the question.
    per_class : int, default 1
    seed : int, default 0

    Returns
    -------
    Task
        With short texts, the classes in turn.

    Raises
    ------
    ValueError
        If a class has too few texts, or a name is none of the task's.
    """
    check_whole("per_class", per_class, least=0)
    by_class: dict[str, list[str]] = {name: [] for name in task.classes}
    for text, name in zip(texts, names):
        place = class_place(name, task.label_names)
        if place is None:
            raise ValueError(f"names must be of {task.label_names}, got {name!r}")
        by_class[task.label_names[place]].append(text)
    few = {name: len(rows) for name, rows in by_class.items() if len(rows) < per_class}
    if few:
        raise ValueError(
            f"examples need {per_class} labelled texts of each class, there are {few}"
        )
    rng, drawn = random.Random(seed), {}
    for name, rows in by_class.items():
        short = sorted(dict.fromkeys(rows), key=lambda text: (len(text), text))
        short = short[: max(per_class, len(short) // 2)]
        drawn[name] = rng.sample(short, min(per_class, len(short)))
    examples = [
        (drawn[name][turn], name)
        for turn in range(per_class)
        for name in task.classes
        if turn < len(drawn[name])
    ]
    return replace(task, examples=tuple(examples))


def read_task(path: str | Path) -> Task:
    """Read a task from TOML: ``task = "..."`` and a table ``[classes]``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, or holds something else; the message names it.
    """
    named = f"classes={str(path)!r}"
    try:
        found = tomllib.loads(read_text(path))
    except (ForeignFileError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{named} cannot be read as TOML: {error}") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"{named}: there is no such file") from None
    if set(found) - _KEYS or not isinstance(found.get("classes"), dict):
        raise ValueError(
            f"{named} must hold a table [classes], each line a name and what belongs"
            f' to it, and may hold task = "..."; it holds {sorted(found)}'
        )
    try:
        return Task(found["classes"], found.get("task", USUAL_TASK))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{named}: {error}") from None
