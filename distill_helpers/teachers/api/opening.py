"""A language model by its name: ``api:MODEL``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...data.class_order import ClassNamesError, class_order, class_place
from .chat import ChatServer
from .naming import model_of
from .prompts import Task, draw_examples, read_task
from .teacher import ApiTeacher

ADDRESS_VARIABLE = "DISTILL_API_BASE_URL"
BUDGET_VARIABLE = "DISTILL_API_MAX_COST"
DEEPSEEK = "https://api.deepseek.com"
STORE = "answers.sqlite"
_SECRET = ("api_key", "key", "token", "password")


def api_teacher(
    name: str,
    cache: str | Path,
    label_names: Sequence[str] | None = None,
    mapping: Mapping | None = None,
    *,
    classes: Task | Mapping | str | Path | None = None,
    base_url: str | None = None,
    max_cost: float | None = None,
    key_variable: str | None = None,
    timeout: float = 60.0,
    examples: int = 0,
    labelled: Sequence[tuple[str, str]] = (),
    **options,
) -> ApiTeacher:
    """Make the teacher that ``api:MODEL`` means.

    Parameters
    ----------
    name : str
        ``"api:deepseek-flash"``.
    cache : str or Path
        A folder for the file of answers; or that file, by a name with ``.sqlite``.
    label_names : sequence of str, optional
        The classes of the data; the model is asked for these unless `classes` says
        otherwise.
    mapping : mapping of str to str, optional
        From the names in `classes` to those of the data, where they differ.
    classes : Task or mapping or str or Path, optional
        What is asked; a mapping of names to definitions; or a file that
        :func:`~.prompts.read_task` reads.
    base_url : str, optional
        By default what ``DISTILL_API_BASE_URL`` says, and for DeepSeek's models
        their own server.
    max_cost : float, optional
        Dollars; by default what ``DISTILL_API_MAX_COST`` says.
    key_variable, timeout
        For :class:`~.chat.ChatServer`.
    examples : int, default 0
        Labelled texts of each class that are shown to the model.
    labelled : sequence of (str, str), optional
        Labelled texts of train and their classes (as the data names them), for the
        examples and the calibration.
    **options
        For :class:`~.teacher.ApiTeacher`.

    Raises
    ------
    ClassNamesError
        If the classes are not those of the data.
    TypeError
        If a key is given: it belongs into the environment.
    ValueError
        If there is no model, class or address, or an option does not fit.
    """
    model = model_of(name)
    for secret in _SECRET:
        if secret in options:
            raise TypeError(
                f"{secret} is no option: a key in a notebook or a command is read by"
                " others. Set it in the environment before Python starts"
            )
    task = _task(name, classes, label_names)
    if label_names is not None:
        class_order(
            task.label_names,
            label_names,
            count=len(task.label_names),
            whose=f"teacher={name!r}",
            mapping=mapping,
        )
    rows = [(text, _own_name(c, task, mapping)) for text, c in labelled]
    if examples:
        task = draw_examples(task, [t for t, _ in rows], [c for _, c in rows], examples)
    path = Path(cache)
    return ApiTeacher(
        model,
        task,
        server=ChatServer(
            _address(model, base_url), key_variable=key_variable, timeout=timeout
        ),
        store=path if path.suffix == ".sqlite" else path / STORE,
        max_cost=_budget(max_cost),
        labelled=rows,
        **options,
    )


def _task(name: str, classes, label_names) -> Task:
    if isinstance(classes, Task):
        return classes
    if isinstance(classes, Mapping):
        return Task(classes)
    if classes is not None:
        return read_task(classes)
    if label_names is None:
        raise ValueError(
            f"teacher={name!r} must know the classes: give classes, a TOML file with a"
            " table [classes] of names and what belongs to them"
        )
    return Task({str(label): "" for label in label_names})


def _own_name(name: str, task: Task, mapping: Mapping | None) -> str:
    """Return the task's name for a class of the data."""
    for theirs, ours in (mapping or {}).items():
        if str(ours) == str(name) and str(theirs) in task.classes:
            return str(theirs)
    place = class_place(name, task.label_names)
    if place is None:
        raise ClassNamesError(
            f"classes must name each class of the labelled texts: {name!r} is none of"
            f" {task.label_names}"
        )
    return task.label_names[place]


def _address(model: str, base_url: str | None) -> str:
    found = base_url or os.environ.get(ADDRESS_VARIABLE)
    if found:
        return found
    if model.startswith("deepseek-"):
        return DEEPSEEK
    raise ValueError(
        f"base_url must say which server has model={model!r}, such as"
        f" 'http://127.0.0.1:8000/v1'; or set {ADDRESS_VARIABLE}"
    )


def _budget(max_cost: float | None) -> float | None:
    said = os.environ.get(BUDGET_VARIABLE)
    if max_cost is not None or not said:
        return max_cost
    try:
        return float(said)
    except ValueError:
        raise ValueError(
            f"{BUDGET_VARIABLE} must be a number of dollars, got {said!r}"
        ) from None
