"""Searches and sweeps: values read from a command line, plans and journals (kind 9)."""

import json
import math
from pathlib import Path

from judging import Case, gives, refused

PARAMETERS = """temperature: float = 1.0
steps: int = 3
student: str = "text-cnn"
source: str = "sample"
seeds: list = [0]
output_dir: str = "auto"
"""


def notebook(parameters=PARAMETERS):
    cell = {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}}
    cell |= {"source": parameters, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})  # fmt: skip


def settings(name, *arguments):
    def act(place):
        import distill_helpers.classroom.settings as module

        return getattr(module, name)(*arguments)

    return act


def value(text):
    """What one value of the command line is read as."""

    def act(place):
        from distill_helpers.classroom.settings import parse_fixed

        found = parse_fixed(f"x={text}")[1]
        return type(found).__name__, found

    return act


def keys(*parameters):
    """In how many folders these settings would lie."""

    def act(place):
        from distill_helpers.classroom.settings import Setting

        return len({Setting(one).key for one in parameters})

    return act


def listed(content):
    def act(place):
        from distill_helpers.classroom.settings import read_settings

        return read_settings(place.write("list.json", content))

    return act


def sweep(*words, book=None, before=None):
    """Call the command with a notebook that never gets to run."""

    def act(place):
        from distill_helpers.classroom.sweeps import main

        path = place.write("book.ipynb", notebook() if book is None else book)
        if before is not None:
            before(place)
        return main([str(path), str(place.out("runs")), *words])

    return act


def study(content=None, name="s", seed=0):
    def act(place):
        from distill_helpers.training.search import open_study

        path = place.out("search.journal")
        if content is not None:
            place.write("search.journal", content)
        return open_study(path, name, seed)

    return act


def resumed_draws(place):
    """Two sittings of two trials try four settings, and those of one sitting."""
    from distill_helpers.training.search import open_study, run_trials

    def objective(trial):
        return trial.suggest_float("x", 0, 1)

    for trials in (2, 4):
        two = run_trials(open_study(place.out("two"), "s"), objective, trials, False)
    one = run_trials(open_study(place.out("one"), "s"), objective, 4, False)
    drawn = [t.params["x"] for t in two.trials]
    return len(set(drawn)), drawn == [t.params["x"] for t in one.trials]


def other_seed(place):
    from distill_helpers.training.search import open_study

    open_study(place.out("j"), "s", 0)
    return open_study(place.out("j"), "s", 1)


def pasted(place):
    place.out("runs").mkdir()
    place.write("runs/plan.json", '{"format": 1, "notebook": ')


def a_file(place):
    place.write("runs", "a file")


def text_is(*texts):
    return [
        Case(9, f"value-{t}", value(t), gives(("str", t)))
        for t in texts
    ]  # fmt: skip


CASES = [
    *text_is("0123", "1:30", "2024-01-01", "yes", "off", "~", "1_000", "0x10", ".5", "+3", "nan", "inf", "True", "None", "1e", "--1", "1.", "½", "01e3"),
    Case(9, "value-1e-3", value("1e-3"), gives(("float", 0.001))),
    Case(9, "value-1E5", value("1E5"), gives(("float", 1e5))),
    Case(9, "value-minus-0", value("-0.0"), gives(("float", 0.0))),
    Case(9, "value-true", value("true"), gives(("bool", True))),
    Case(9, "value-null", value("null"), gives(("NoneType", None))),
    Case(9, "value-list", value("[1, 2]"), gives(("list", [1, 2]))),
    Case(9, "value-object", value('{"a": [1]}'), gives(("dict", {"a": [1]}))),
    Case(9, "value-in-double-quotes", value('"1, 2"'), gives(("str", "1, 2"))),
    Case(9, "value-in-single-quotes", value("'1'"), refused("double")),
    Case(9, "value-list-half", value("[1, 2"), refused("JSON")),
    Case(9, "value-object-half", value('{"a": 1'), refused("JSON")),
    Case(9, "value-nan-in-a-list", value("[NaN]"), refused("NaN|number|cannot be read")),
    Case(9, "value-list-too-deep", value("[" * 50_000), refused("JSON|deep")),
    Case(9, "value-too-large-for-a-float", value("1e999"), refused("1e999|finite|large")),
    Case(9, "value-of-many-digits", value("9" * 5000), refused("digits|long|large|cannot be read")),
    Case(9, "value-empty", value(""), refused("x=", "name=value")),
    Case(9, "values-two-for-fixed", value("1,2"), refused("one value")),
    Case(9, "axis-without-name", settings("parse_axis", "=1"), refused("name=value")),
    Case(9, "axis-without-equals", settings("parse_axis", "temperature"), refused("name=value")),
    Case(9, "axis-with-a-hole", settings("parse_axis", "t=1,,2"), refused("empty")),
    Case(9, "axis-that-ends-in-a-comma", settings("parse_axis", "t=1,"), refused("empty")),
    Case(9, "axis-with-spaces", settings("parse_axis", " t = 1 , 2 "), gives(("t", [1, 2]))),
    Case(9, "axis-with-equals-inside", settings("parse_axis", "t=a=b"), gives(("t", ["a=b"]))),
    Case(9, "axis-of-terminal-signs", settings("parse_axis", "\x1b[2J"), refused("name=value")),
    Case(9, "grid-of-nothing", settings("grid", {}), refused("axis")),
    Case(9, "grid-of-an-empty-axis", settings("grid", {"t": []}), refused("'t'")),
    Case(9, "grid-of-1-and-1.0", settings("grid", {"t": [1, 1.0]}), refused("'t'", "twice")),
    Case(9, "grid-of-0-and-minus-0", settings("grid", {"t": [0.0, -0.0]}), refused("'t'", "twice")),
    Case(9, "grid-of-lists-alike", settings("grid", {"t": [[1], [1.0]]}), refused("'t'", "twice")),
    Case(9, "grid-of-nan", settings("grid", {"t": [math.nan]}), refused("'t'", "finite")),
    Case(9, "grid-of-objects", settings("grid", {"t": [object()]}), refused("'t'", "object")),
    Case(9, "grid-of-a-million", settings("grid", {"a": list(range(1000)), "b": list(range(1000))}), refused("1,000,000")),
    Case(9, "one-folder-for-1-and-1.0", keys({"t": 1}, {"t": 1.0}), gives(1)),
    Case(9, "one-folder-whatever-the-order", keys({"a": 1, "b": 2}, {"b": 2, "a": 1}), gives(1)),
    Case(9, "other-folders-for-1-and-true", keys({"t": 1}, {"t": True}, {"t": "1"}, {"t": None}), gives(4)),
    Case(9, "other-folders-for-like-names", keys({"t": "a/b"}, {"t": "a\\b"}, {"t": "a b"}, {"t": "A/b"}), gives(4)),
    Case(9, "a-folder-name-for-windows", lambda p: key_of({"t": 'a:b*?"<>|\u00e4\n', "s": "x" * 500}), gives(lambda k: k.isascii() and not set(k) & set(':*?"<>|\\/\n') and len(k) < 120)),
    Case(9, "list-half", listed("[{"), refused("list.json", "list of objects")),
    Case(9, "list-of-numbers", listed("[1]"), refused("list.json")),
    Case(9, "list-an-object", listed("{}"), refused("list.json")),
    Case(9, "list-too-deep", listed("[" * 100_000), refused("list.json", "deep")),
    Case(9, "list-with-nan", listed('[{"t": NaN}]'), refused("list.json|'t'")),
    Case(9, "list-a-key-twice", listed('[{"t": 1, "t": 2}]'), refused("list.json", "twice")),
    Case(9, "list-not-there", settings("read_settings", "none.json"), refused("none.json")),
    Case(9, "sweep-an-unknown-parameter", sweep("--grid", "temprature=1,2"), refused("temprature")),
    Case(9, "sweep-output-dir", sweep("--grid", "output_dir=a,b"), refused("output_dir")),
    Case(9, "sweep-a-word-for-a-number", sweep("--grid", "temperature=warm,hot"), refused("temperature", "warm")),
    Case(9, "sweep-a-number-for-a-word", sweep("--grid", "student=1,2"), refused("student", "1")),
    Case(9, "sweep-half-a-step", sweep("--grid", "steps=1.5,2"), refused("steps", "1.5")),
    Case(9, "sweep-fixed-and-swept", sweep("--grid", "steps=1,2", "--fixed", "steps=3"), refused("steps", "both")),
    Case(9, "sweep-the-same-axis-twice", sweep("--grid", "steps=1,2", "--grid", "steps=3"), refused("steps")),
    Case(9, "sweep-fixed-twice", sweep("--grid", "steps=1,2", "--fixed", "student=a", "--fixed", "student=b"), refused("student")),
    Case(9, "sweep-of-nothing", sweep(), refused("grid|list|setting")),
    Case(9, "sweep-without-processes", sweep("--grid", "steps=1,2", "--processes", "0"), refused("processes", "0")),
    Case(9, "sweep-a-source-that-is-nowhere", sweep("--grid", "steps=1", "--fixed", "source=own.csv"), refused("own.csv")),
    Case(9, "sweep-into-a-file", sweep("--grid", "steps=1", before=a_file), refused("runs")),
    Case(9, "sweep-with-a-torn-plan", sweep("--grid", "steps=1", before=pasted), refused("plan.json", leaves=True)),
    Case(9, "sweep-a-torn-notebook", sweep("--grid", "steps=1", book='{"cells": ['), refused("book.ipynb")),
    Case(9, "sweep-a-notebook-of-no-cells", sweep("--grid", "steps=1", book="{}"), refused("book.ipynb|parameters")),
    Case(9, "sweep-a-notebook-of-nulls", sweep("--grid", "steps=1", book="null"), refused("book.ipynb")),
    Case(9, "sweep-a-notebook-without-parameters", sweep("--grid", "steps=1", book=notebook("x = 1").replace('"parameters"', '"other"')), refused("book.ipynb|parameters|steps")),
    Case(9, "sweep-no-notebook", lambda p: sweep_main(str(p.out("none.ipynb")), str(p.out()), "--grid", "steps=1"), refused("none.ipynb")),
    Case(9, "journal-of-words", study("hello\nworld\n"), refused("search.journal", leaves=True)),
    Case(9, "journal-of-zeros", study(b"\0" * 200), refused("search.journal", leaves=True)),
    Case(9, "journal-of-lists", study("[]\n"), refused("search.journal", leaves=True)),
    Case(9, "journal-seed-minus", study(seed=-1), refused("seed", "-1")),
    Case(9, "journal-seed-a-word", study(seed="0"), refused("seed", "str")),
    Case(9, "journal-of-another-seed", other_seed, refused("seed", leaves=True)),
    Case(9, "journal-a-folder", lambda p: study_at(p.folder), refused(".")),
    Case(9, "resumed-trials-do-not-repeat", resumed_draws, gives((4, True))),
]  # fmt: skip


def key_of(parameters):
    from distill_helpers.classroom.settings import Setting

    return Setting(parameters).key


def sweep_main(*words):
    from distill_helpers.classroom.sweeps import main

    return main(list(words))


def study_at(path: Path):
    from distill_helpers.training.search import open_study

    return open_study(path, "s")
