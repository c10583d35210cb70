import nbformat
import pytest

from distill_helpers.lessons.parameters import (
    ParameterError,
    check_above_zero,
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


def test_without_a_parameters_cell_there_is_nothing_to_check_against():
    with pytest.raises(ParameterError, match="has not been run"):
        check_parameters(["import os", "%time x"], {})


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1]])
def test_seeds_must_differ(seeds):
    with pytest.raises(ParameterError, match="seeds must hold"):
        check_seeds(seeds)


def test_a_number_above_zero():
    check_above_zero("epochs", 0.5)
    for value in (0, -1, float("nan")):
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


def test_a_number_outside_its_range_is_refused():
    check_range("draws", 2, 2, 5)
    with pytest.raises(ParameterError, match="draws must lie between 2 and 5, got 6"):
        check_range("draws", 6, 2, 5)
