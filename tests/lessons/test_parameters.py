import errno
import os
import sys

import nbformat
import pytest

from distill_helpers import files
from distill_helpers.lessons.parameters import (
    ParameterError,
    check_above_zero,
    check_kind,
    check_parameters,
    check_range,
    check_seeds,
    declared_parameters,
    output_folder,
    parameters_of,
)

CELL = """# what a reader may change
epochs: int = 3  # passes
temperature: float = 2.0
labelled: int | None = None
seeds: list[int] = [0, 1]
source: str = "auto"
"""
VALUES = {
    "epochs": 3,
    "temperature": 2.0,
    "labelled": None,
    "seeds": [0, 1],
    "source": "auto",
}


def test_the_parameters_cell_declares_names_and_types():
    assert declared_parameters(["", "import os", CELL, "x = 1"]) == {
        "epochs": "int",
        "temperature": "float",
        "labelled": "int | None",
        "seeds": "list[int]",
        "source": "str",
    }


def test_without_a_history_the_annotations_declare():
    namespace = {}
    exec(CELL, namespace)
    assert declared_parameters([""], namespace) == declared_parameters([CELL])
    with pytest.raises(ParameterError, match="'epochs' must be of type int"):
        check_parameters([""], {**namespace, "epochs": "3"})


def test_values_of_the_declared_types_pass():
    check_parameters([CELL], VALUES)
    check_parameters([CELL, "# Parameters\nepochs = 5\n"], {**VALUES, "epochs": 5})
    check_parameters([CELL], {**VALUES, "temperature": 3, "labelled": 7})


def test_a_misspelt_name_is_refused_with_the_nearest_one():
    with pytest.raises(
        ParameterError, match="'temprature': did you mean 'temperature'"
    ):
        check_parameters([CELL, "# Parameters\ntemprature = 3.0\n"], VALUES)
    with pytest.raises(ParameterError, match="unknown parameter 'zzz': Known: epochs"):
        check_parameters([CELL, "# Parameters\nepochs = 2\nzzz = 3.0\n"], VALUES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "3"),
        ("epochs", 3.5),
        ("epochs", True),
        ("temperature", "hot"),
        ("temperature", None),
        ("labelled", "all"),
        ("seeds", 3),
        ("seeds", ["a"]),
        ("source", 5),
    ],
)
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(ParameterError, match=f"'{name}' must be of type"):
        check_parameters([CELL], {**VALUES, name: value})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, "int"),
        (3, "float"),
        (0.5, "float"),
        (True, "bool"),
        (None, "str | None"),
        ([], "list[int]"),
        ([1, None], "list[int | None]"),
        ([[0], [1, 2]], "list[list[int]]"),
        ({"a": "b"}, "dict | None"),
        ({"a": 1}, "dict[str, float]"),
        ([1, "a"], "list"),
        ("x", "Path"),
        (3, "Literal[3]"),
        ((1,), "tuple[int, ...]"),
        (3, "int | Fraction"),
        ("anything", ""),
    ],
)
def test_a_value_of_its_kind_passes(value, kind):
    check_kind("a", value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "hint"),
    [
        (3.0, "int", "got float: 3.0"),
        (True, "int", "got bool: True"),
        (True, "float", "got bool: True"),
        (1, "bool", "got int: 1"),
        (123, "str", "papermill's -r"),
        (100, "str | None", "papermill's -r"),
        (True, "str", "papermill's -r"),
        ("true", "bool", "write True"),
        ("False", "bool | None", "write False"),
        ("1e-3", "float", "a dot and a sign: 1.0e-3"),
        ("1e-3", "float | None", "a dot and a sign: 1.0e-3"),
        ("3", "int", "without quotes: 3"),
        ("0,1", "list[int]", "with -y"),
        ("[0,1]", "list[int]", "without quotes"),
        ("0123", "int", "got str: '0123'"),
        ("1:30", "float", "got str: '1:30'"),
        ("yes", "bool", "got str: 'yes'"),
        ("null", "int", "got str: 'null'"),
        (".5", "float", "got str: '.5'"),
        (None, "int", "got NoneType"),
        ([1, True], "list[int]", "got list"),
        ([[1], 2], "list[list[int]]", "got list"),
        ([1, None], "list[int] | None", "got list"),
        ({"a": "b"}, "dict[str, int]", "got dict"),
        ([["a", 1]], "dict", "got list"),
        (3, "list", "got int"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_a_hint(value, kind, hint):
    with pytest.raises(ParameterError) as refused:
        check_kind("a", value, kind)
    assert f"parameter 'a' must be of type {kind}, got" in str(refused.value)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (float("nan"), "float"),
        (float("inf"), "float | None"),
        (-float("inf"), "float"),
        ([0.5, float("nan")], "list[float]"),
        ({"a": float("inf")}, "dict"),
        ([[float("inf")]], ""),
    ],
)
def test_no_parameter_is_without_bounds(value, kind):
    with pytest.raises(ParameterError, match="'a' must be finite"):
        check_kind("a", value, kind)


def test_without_a_parameters_cell_there_is_nothing_to_check_against():
    with pytest.raises(ParameterError, match="has not been run"):
        check_parameters(["import os", "%time x"], {})


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_seeds_must_differ(seeds):
    with pytest.raises(ParameterError, match="seeds must hold"):
        check_seeds(seeds)


def test_a_number_above_zero():
    check_above_zero("epochs", 0.5)
    for value in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="epochs must be above 0"):
            check_above_zero("epochs", value)


def test_a_folder_with_a_result_is_never_used_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(output_folder("new", "03")) == "new"
    (tmp_path / "new").mkdir()
    assert str(output_folder("new", "03")) == "new"
    (tmp_path / "new" / "results.json").write_text("{}")
    with pytest.raises(ParameterError, match="already holds a result"):
        output_folder("new", "03")
    with pytest.raises(ParameterError, match="is a file"):
        output_folder("new/results.json", "03")


def in_the_way(folder):
    (folder / "file").write_text("mine")
    (folder / "dangling").symlink_to(folder / "nowhere" / "else")


@pytest.mark.parametrize(
    "name",
    [
        "file",
        "file/out",
        "file/deep/er",
        "dangling",
        "dangling/out",
        "x" * 300,
        "x/" * 3000,
        "a\0b",
        "a\ud800b",
        "",
        "  ",
        "~nobody-of-this-name/out",
        *(
            ["/proc/out", "/proc/1/out", "/sys/out", "/dev/null", "/dev/null/out"]
            if sys.platform == "linux"
            else []
        ),
    ],
    ids=lambda name: ascii(name[:20]),
)
def test_a_folder_that_cannot_be_written_is_found_at_once(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    in_the_way(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ParameterError) as refused:
        output_folder(name, "03")
    assert str(refused.value).startswith(f"output_dir={name!r} ")
    assert sorted(tmp_path.rglob("*")) == before


REFUSALS = {
    "read-only disk": errno.EROFS,
    "no permission": errno.EACCES,
    "not permitted": errno.EPERM,
    "quota": errno.EDQUOT,
    "full disk": errno.ENOSPC,
    "too many files": errno.EMFILE,
    "damaged disk": errno.EIO,
    "share gone": errno.ESTALE,
}


@pytest.mark.parametrize("where", ["mkdir", "open", "write"])
@pytest.mark.parametrize("code", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("given", ["auto", "new/deep", "there"])
def test_whatever_the_system_says_is_said_at_once(
    tmp_path, monkeypatch, given, code, where
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    target = {"mkdir": (files.Path, "mkdir"), "write": (os, "fsync")}
    monkeypatch.setattr(*target.get(where, (files.tempfile, "TemporaryFile")), refuse)
    with pytest.raises(ParameterError, match="cannot be written in") as refused:
        output_folder(given, "03")
    assert os.strerror(code) in str(refused.value)
    assert f"output_dir={given!r}" in str(refused.value)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full device is Linux's")
def test_a_disk_that_fills_up_while_it_is_tried(tmp_path, monkeypatch):
    full = lambda **_: open("/dev/full", "wb", buffering=0)  # noqa: E731
    monkeypatch.setattr(files.tempfile, "TemporaryFile", full)
    with pytest.raises(ParameterError, match="No space left on device"):
        output_folder(str(tmp_path / "out"), "03")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    ["new", "new/deep", "with space", "über/schön", "你好", "a.b", "./x/../y", "-p"],
)
def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        folder = output_folder(name, "03")
        assert not folder.exists()
        assert not [p for p in tmp_path.iterdir() if p.name != "x"]
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    assert output_folder(name, "03") == folder
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]


def test_a_home_folder_is_meant_by_its_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert output_folder("~/out", "03") == tmp_path / "out"


def test_auto_finds_a_free_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = []
    for _ in range(3):
        folder = output_folder("auto", "03")
        folder.mkdir(parents=True)
        names.append(folder.as_posix())
    assert names == ["runs/03", "runs/03-2", "runs/03-3"]


def test_the_parameters_cell_is_read_whatever_its_annotations(tmp_path):
    path = tmp_path / "a.ipynb"
    code = "a: int | None = None\nb: list[int] = [1]\nc = 3\n# a remark"
    cells = [
        nbformat.v4.new_code_cell("other = 1"),
        nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]}),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert parameters_of(path) == ["a", "b", "c"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells[:1]), path)
    with pytest.raises(ParameterError, match="no cell with the tag"):
        parameters_of(path)
    with pytest.raises(ParameterError, match="there is no notebook"):
        parameters_of(tmp_path / "b.ipynb")
    with pytest.raises(ParameterError, match="there is no notebook"):
        parameters_of(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"cells": 3}',
        '{"cells": [3]}',
        '{"cells": [{"cell_type": "code", "source": 5, "metadata": {}}]}',
        '{"cells": [{"cell_type": "code", "source": ""}]}',
        '{"worksheets": [{"cells": []}]}',
        "[" * 100_000,
        "\ufeff{}",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_notebook_is_named(tmp_path, content):
    (tmp_path / "a.ipynb").write_text(content, "utf-8")
    with pytest.raises(ParameterError, match="a.ipynb' is no notebook"):
        parameters_of(tmp_path / "a.ipynb")


def test_a_number_outside_its_range_is_refused():
    check_range("draws", 2, 2, 5)
    with pytest.raises(ParameterError, match="draws must lie between 2 and 5, got 6"):
        check_range("draws", 6, 2, 5)
