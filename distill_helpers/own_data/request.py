"""What is asked for: every option, checked before any work begins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from ..arguments import (
    check_choice,
    check_number,
    check_temperature,
    check_type,
    check_whole,
    did_you_mean,
    nearest,
)
from ..data.active import HOW, RANDOM, TEACHER_DOUBT, TEACHER_SURE
from ..data.table_files import TABLE_SUFFIXES, is_table_file
from ..losses.named import KL, check_soft_loss
from ..students.registry import STUDENTS, student_spec
from ..teachers.api.naming import is_api_name, model_of
from ..teachers.tables import VALUES
from ..training.weighting import CERTAINTIES

MAKE = "make"
ALL = "all"
STUDENT = "text-cnn"
FORMS = ("fp32", "int8", "int4", "fewer-words", "pruned", "narrow")
"""Those of ``delivered_forms``, whose module loads slowly."""
WAYS = ("auto", "encoder", "frozen", "linear")
"""Those of ``make_teacher``, whose module loads slowly."""
WEIGHTS = (None, "balanced")
LLM_WORDS = frozenset({"llm", "gpt", "chatgpt", "openai", "claude", "gemini"})
PAID = "_answers.sqlite"
"""What is added to the output's name for the answers of a language model."""
FORMS_KEPT, FRONT = "forms", "front"
"""Folders of the working folder: what was weighed, and the report of it."""
WORKING = ".unfinished"
"""What is added to the output's name while the work lasts."""


@dataclass(frozen=True)
class Request:
    """A wish: which file, which teacher, which student.

    Parameters
    ----------
    source : str or Path
        A file of texts; see :func:`~distill_helpers.data.reviews.load_reviews`.
    teacher : str, default "make"
        ``"make"``: one is made of the file itself. Else a saved classifier's folder
        or Hub id, a table of soft targets (a file), or ``"api:MODEL"``, a language
        model behind an API.
    how : str, default "auto"
        Of ``teacher="make"``: ``"encoder"``, ``"frozen"``, ``"linear"`` or
        ``"auto"``; see :func:`~distill_helpers.teachers.making.make_teacher`.
    encoder : str, optional
        Of ``teacher="make"``: the folder or Hub id of an encoder.
    values : str, optional
        What a table holds: ``"probabilities"`` or ``"logits"``.
    classes : str or Path, optional
        Of ``teacher="api:..."``: a TOML file that says what belongs to each class;
        see :func:`~distill_helpers.teachers.api.prompts.read_task`.
    base_url : str, optional
        Of ``teacher="api:..."``: the server.
    max_cost : float, optional
        Of ``teacher="api:..."``: dollars that its answers may cost.
    price : sequence of two floats, optional
        Of ``teacher="api:..."``: dollars for a million tokens in and out.
    class_names : mapping of str or int to str, optional
        From the teacher's names (or class numbers) to the file's classes, where the
        two differ.
    text_column, label_column, split_column : str
        Columns of the file.
    several_labels : str, optional
        What stands between several labels in one cell, such as ``"|"``.
    labelled : int, optional
        Labels that the student is shown; by default all of them.
    ask : int, optional
        Texts without a label that the teacher is asked about; by default all.
    choose : str, optional
        How these are chosen, see :data:`~distill_helpers.data.active.HOW`; by
        default by chance.
    student : str, default "text-cnn"
    students : str or sequence of str, optional
        ``"all"``, or some kinds of student (in one text, with commas): each is
        trained, and the best on validation is taken that fits the budget.
    forms : str or sequence of str, optional
        Of several students, or under a budget: in which forms they may be delivered,
        see :data:`~distill_helpers.own_data.delivered_forms.FORMS`; by default all
        that apply.
    budget_mb : float, optional
        Megabytes that the bundle may take. Without `students`: over the forms of
        `student`.
    budget_ms : float, optional
        Milliseconds that one text may take on this machine.
    seeds : sequence of int, default 0 to 4
        One run of each kind for each.
    temperature : float, default 2.0
    alpha : float, default 0.9
        Weight of the soft targets, above 0 and at most 1.
    soft_loss : str, default "kl"
        What compares the soft targets, one of
        :data:`~distill_helpers.losses.named.SOFT_LOSSES`.
    example_weights : str, optional
        Let the soft targets that the teacher is sure of count more:
        ``"confidence"``, ``"margin"`` or ``"entropy"``, see
        :func:`~distill_helpers.training.weighting.example_weights`.
    epochs : float, optional
        Passes over labelled and unlabelled texts together; by default as many as
        make a small file enough steps.
    class_weights : str, optional
        ``"balanced"``: a rare class weighs as much as a frequent one.
    output : str or Path, optional
        A folder that does not exist yet or is empty; by default the file's name
        with ``_student``, in the current folder.
    cache : str or Path, optional
        Where the teacher's answers are remembered; by default they go with the
        working folder when all is done, but those of a language model stay beside
        the output.

    Raises
    ------
    TypeError, ValueError
        If an option does not fit; the message names it.
    FileNotFoundError
        If there is no such file.
    FileExistsError, PermissionError
        If the output holds something, or cannot be written.
    """

    source: str | Path
    _: KW_ONLY
    teacher: str = MAKE
    how: str = "auto"
    encoder: str | None = None
    values: str | None = None
    classes: str | Path | None = None
    base_url: str | None = None
    max_cost: float | None = None
    price: Sequence[float] | None = None
    class_names: Mapping[str | int, str] | None = None
    text_column: str = "text"
    label_column: str = "label"
    split_column: str = "split"
    several_labels: str | None = None
    labelled: int | None = None
    ask: int | None = None
    choose: str | None = None
    student: str = STUDENT
    students: str | Sequence[str] | None = None
    forms: str | Sequence[str] | None = None
    budget_mb: float | None = None
    budget_ms: float | None = None
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    temperature: float = 2.0
    alpha: float = 0.9
    soft_loss: str = KL
    example_weights: str | None = None
    epochs: float | None = None
    class_weights: str | None = None
    output: str | Path | None = None
    cache: str | Path | None = None

    def __post_init__(self) -> None:
        student_spec(self.student)
        _check_choice_of_students(self)
        check_whole("labelled", self.labelled, least=2, optional=True)
        check_whole("ask", self.ask, least=1, optional=True)
        _check_choice_of_texts(self)
        check_temperature(self.temperature)
        check_number("alpha", self.alpha, above=0, most=1)
        check_soft_loss(self.soft_loss)
        check_choice("example_weights", self.example_weights, (None, *CERTAINTIES))
        if self.epochs is not None:
            check_number("epochs", self.epochs, above=0, most=10_000)
        check_choice("class_weights", self.class_weights, WEIGHTS)
        object.__setattr__(self, "seeds", _checked_seeds(self.seeds))
        _check_columns(self)
        _check_teacher(self)
        _check_api(self)
        _check_class_names(self.class_names)
        _check_file("source", self.source)
        _check_ending(self.source)
        check_output(self.folder)

    @property
    def folder(self) -> Path:
        """Where the result goes."""
        name = f"{Path(self.source).name.partition('.')[0]}_student"
        return Path(self.output if self.output is not None else name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of student that are trained."""
        return self.students or (self.student,)

    @property
    def weighs(self) -> bool:
        """Whether a student and a form are chosen, by a budget or without one."""
        wishes = (self.students, self.forms, self.budget_mb, self.budget_ms)
        return any(wish is not None for wish in wishes)

    def of_one(self, student: str, epochs: float | None) -> Request:
        """Return the same wish for one kind of student, with nothing to choose."""
        return replace(
            self,
            student=student,
            epochs=epochs,
            students=None,
            forms=None,
            budget_mb=None,
            budget_ms=None,
        )

    @property
    def working(self) -> Path:
        """Where finished pieces lie until all is done."""
        return self.folder.with_name(self.folder.name + WORKING)

    @property
    def teacher_cache(self) -> Path:
        """Where the teacher's answers are remembered."""
        if self.cache is not None:
            return Path(self.cache)
        if self.teacher_is_api:  # paid for: they outlast the working folder
            return self.folder.with_name(f"{self.folder.name}{PAID}")
        return self.working / "teacher"

    @property
    def teacher_name(self) -> str:
        """The teacher without the folders of this machine."""
        path = Path(self.teacher)
        return path.name if path.exists() else self.teacher

    @property
    def asking(self) -> str | None:
        """Which texts without a label the teacher is asked about; None: all."""
        if self.ask is None:
            return None
        return (
            f"asked about {self.ask:,} of the texts without a label, chosen by"
            f" {self.choose or RANDOM!r}"
        )

    @property
    def teacher_is_table(self) -> bool:
        """Whether the teacher is a table of answers."""
        return self.teacher != MAKE and Path(self.teacher).is_file()

    @property
    def teacher_is_api(self) -> bool:
        """Whether the teacher is a language model behind an API."""
        return is_api_name(self.teacher)


def _checked_seeds(seeds) -> tuple[int, ...]:
    if isinstance(seeds, str) or not isinstance(seeds, Sequence):
        raise TypeError(f"seeds must be a list of whole numbers, got {seeds!r}")
    found = tuple(check_whole("seeds", seed, least=0) for seed in seeds)
    if not found or len(set(found)) < len(found):
        raise ValueError(
            f"seeds must hold at least one number, and none twice, got {list(found)}"
        )
    return found


def _check_choice_of_students(request: Request) -> None:
    if request.students is not None and request.student != STUDENT:
        raise ValueError(
            f"students={request.students!r} says which students are weighed; leave"
            f" student={request.student!r} out, and name it among them if it is one"
        )
    for name, known in (("students", tuple(STUDENTS)), ("forms", FORMS)):
        object.__setattr__(request, name, _names(name, getattr(request, name), known))
    for name in ("budget_mb", "budget_ms"):
        if getattr(request, name) is not None:
            check_number(name, getattr(request, name), above=0)


def _names(argument: str, given, known: Sequence[str]) -> tuple[str, ...] | None:
    """Read names from a list or a text with commas; ``"all"`` stands for each."""
    if given is None:
        return None
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",")]
    check_type(argument, given, Sequence, "names, in a list or with commas between")
    if list(given) == [ALL]:
        return tuple(known)
    if ALL in given and len(given) > 1:
        rest = [name for name in given if name != ALL]
        raise ValueError(
            f"{argument} must be {ALL!r} or some of {list(known)}, got {ALL!r} and"
            f" {rest}: {ALL!r} stands alone"
        )
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, before="; ")
            raise ValueError(
                f"{argument} must be {ALL!r} or some of {list(known)}, got"
                f" {name!r}{hint}"
            )
    if not given or len(set(given)) < len(given):
        raise ValueError(
            f"{argument} must hold at least one name, and none twice, got {list(given)}"
        )
    return tuple(given)


def _check_columns(request: Request) -> None:
    names = ("text_column", "label_column", "split_column")
    for name in names:
        if not check_type(name, getattr(request, name), str, "a column's name"):
            raise ValueError(f"{name} must be the name of a column, got ''")
    if request.text_column == request.label_column:
        raise ValueError(
            "text_column and label_column must differ, both are"
            f" {request.text_column!r}"
        )
    if request.several_labels == "":
        raise ValueError(
            "several_labels must be what stands between two labels, such as '|', got ''"
        )


def _check_teacher(request: Request) -> None:
    name = check_type("teacher", request.teacher, str, "a name, a folder or a file")
    check_choice("how", request.how, WAYS)
    check_choice("values", request.values, (None, *VALUES))
    if not name.strip():
        raise ValueError("teacher must be 'make', a folder, a Hub id or a file, got ''")
    if name.lower() in LLM_WORDS:
        raise ValueError(
            f"teacher={name!r} names no model: say 'api:' and the model as its server"
            " calls it, such as 'api:deepseek-flash'. Or let it answer elsewhere, write"
            " its answers into a table (columns 'text' and 'label', or one column a"
            " class) and give that file as teacher"
        )
    if Path(name).suffix and not Path(name).exists() and is_table_file(name):
        _check_file("teacher", name)
    if name != MAKE and (request.how != "auto" or request.encoder is not None):
        given = "encoder" if request.how == "auto" else "how"
        raise ValueError(
            f"{given} says how a teacher is made; it needs teacher='make', got"
            f" teacher={name!r}"
        )
    if request.values is not None and not request.teacher_is_table:
        raise ValueError(
            f"values={request.values!r} says what a table of answers holds, but"
            f" teacher={name!r} is no file"
        )
    if request.how in ("encoder", "frozen") and request.encoder is None:
        raise ValueError(f"how={request.how!r} needs encoder: a folder or a Hub id")
    if request.how == "linear" and request.encoder is not None:
        raise ValueError("how='linear' uses no encoder; leave one of the two out")


def _check_choice_of_texts(request: Request) -> None:
    check_choice("choose", request.choose, (None, *HOW))
    if request.choose is not None and request.ask is None:
        raise ValueError(
            f"choose={request.choose!r} says which texts the teacher is asked about; it"
            " needs ask: about how many"
        )
    if request.choose in (TEACHER_DOUBT, TEACHER_SURE) and request.teacher_is_api:
        raise ValueError(
            f"choose={request.choose!r} needs the teacher's answer to every text, which"
            f" the budget of teacher={request.teacher!r} is there to avoid; choose by"
            f" {[h for h in HOW if h not in (TEACHER_DOUBT, TEACHER_SURE)]}"
        )


def _check_api(request: Request) -> None:
    given = [
        name
        for name in ("classes", "base_url", "max_cost", "price")
        if getattr(request, name) is not None
    ]
    if not request.teacher_is_api:
        if given:
            raise ValueError(
                f"{given[0]} is about a language model behind an API; it needs"
                f" teacher='api:MODEL', got teacher={request.teacher!r}"
            )
        return
    model_of(request.teacher)
    if request.several_labels is not None:
        raise ValueError(
            f"several_labels: teacher={request.teacher!r} gives one label a text. Let it"
            " answer elsewhere and give a table of its answers as teacher"
        )
    if request.max_cost is not None:
        check_number("max_cost", request.max_cost, above=0)
    if request.classes is not None:
        _check_file("classes", request.classes)


def _check_class_names(names) -> None:
    if names is None:
        return
    check_type("class_names", names, Mapping, "a mapping from name to class")
    classes = [str(value) for value in names.values()]
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(
            "class_names must name each of the file's classes at most once, and at"
            f" least one, got {dict(names)!r}"
        )


def _check_file(argument: str, source) -> None:
    check_type(argument, source, (str, Path), "the path of a file")
    path = Path(source)
    if path.is_file():
        return
    if path.is_dir():
        raise ValueError(f"{argument} must be a file, got the folder {str(source)!r}")
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = nearest(path.name, beside)
    hint = f"; did you mean {str(path.with_name(near))!r}?" if near else ""
    raise FileNotFoundError(f"{argument}: there is no file {str(source)!r}{hint}")


def _check_ending(source) -> None:
    if not is_table_file(source):
        raise ValueError(
            f"source must be a {', '.join(TABLE_SUFFIXES)} file (or one of them with"
            f" .gz), got {str(source)!r}; save a spreadsheet as CSV (UTF-8)"
        )


def check_output(folder: Path) -> None:
    """Raise unless a folder is free and can be written; change nothing.

    Raises
    ------
    FileExistsError
        If something stands there.
    PermissionError
        If it, or the first folder above it that exists, cannot be written.
    NotADirectoryError
        If a file stands where a folder must be.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"output {str(folder)!r} holds something already; name another folder or"
            " take it away"
        )
    above = folder.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir():
        raise NotADirectoryError(f"output {str(folder)!r}: {str(above)!r} is a file")
    try:
        with tempfile.TemporaryDirectory(dir=above, prefix=".can-write-"):
            pass
    except OSError as error:
        raise PermissionError(
            f"output {str(folder)!r} cannot be written: {error.strerror or error};"
            f" name a folder elsewhere than in {os.fspath(above)!r}"
        ) from error
