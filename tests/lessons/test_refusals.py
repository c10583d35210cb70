"""What a lesson cannot run it refuses at its start, and says why.

The first cells run in this process, up to the one that refuses: no kernel is
needed to see that. That the plain command passes it on is asked of the command.
"""

import re

import pandas as pd
import pytest
from lesson_runs import FACTS, LESSON, NOTEBOOKS, run_papermill
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

LESSON_03 = LESSON["03"]
GUARD = "check_parameters("
LOADED = "open_guide("  # by then the reviews are there too
REFUSALS = [(f.notebook, bad) for f in FACTS.values() for bad in f.bad_parameters]


def begin(name, parameters, last=GUARD):
    """Run a notebook's cells here, from the first to the one with these words."""
    path = str(NOTEBOOKS / f"{name}.ipynb")
    notebook = parameterize_notebook(load_notebook_node(path), parameters)
    names = {"__name__": "__main__", "In": []}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            names["In"].append(cell.source)
            exec(compile(cell.source, name, "exec", dont_inherit=True), names)
            if last in cell.source:
                return names
    raise AssertionError(f"no cell of {name} holds {last}")


@pytest.fixture
def out(tmp_path, monkeypatch):
    """Where a lesson would write its results; it starts in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISTILL_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "out"


@pytest.mark.parametrize("name", FACTS)
def test_the_defaults_are_not_refused(name, out):
    names = begin(name, {"output_dir": str(out)})
    assert names["output_dir"] == str(out)
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize(
    ("name", "bad"), REFUSALS, ids=[f"{n}-{[*b.given]}" for n, b in REFUSALS]
)
def test_a_wrong_parameter_is_refused_at_the_start(name, bad, out):
    reads = "source" in bad.given or "labelled" in bad.given
    with pytest.raises((OSError, TypeError, ValueError), match=re.escape(bad.says)):
        begin(name, {"output_dir": str(out), **bad.given}, LOADED if reads else GUARD)
    assert not out.exists()


def test_a_wrong_parameter_stops_the_plain_command(tmp_path):
    options = ["-p", "output_dir", str(tmp_path / "out"), "-p", "temprature", "3.0"]
    done, _ = run_papermill(LESSON_03, tmp_path, options=options)
    assert done.returncode != 0
    assert "did you mean 'temperature'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_with_a_result_is_left_alone(out):
    out.mkdir()
    (out / "results.json").write_text("precious")
    with pytest.raises(ValueError, match="already holds a result"):
        begin(LESSON_03.stem, {"output_dir": str(out)})
    assert [p.name for p in out.iterdir()] == ["results.json"]
    assert (out / "results.json").read_text() == "precious"


def test_imdb_without_network_mirror_and_cache_names_the_next_step(tmp_path):
    done, _ = run_papermill(LESSON_03, tmp_path, options=["-p", "source", "imdb"])
    assert done.returncode != 0
    assert "Next step" in done.stderr


@pytest.fixture
def own_file(tmp_path, reviews):
    """Three classes, some rows without a label."""
    frame = pd.DataFrame({"text": reviews["transfer"]["text"][:260]})
    frame["label"] = [("bad", "fair", "good")[len(t) % 3] for t in frame["text"]]
    frame.loc[::4, "label"] = ""
    frame.to_csv(tmp_path / "own.csv", index=False)
    return tmp_path / "own.csv"


def test_own_data_needs_an_own_teacher_and_says_so(out, own_file):
    frame = pd.read_csv(own_file)
    frame["text"] = frame["text"] + " And that is all."
    frame.to_csv(own_file, index=False)
    given = {"source": str(own_file), "output_dir": str(out)}
    with pytest.raises(ValueError, match="'bad', 'fair', 'good'.*teacher='make'"):
        begin(LESSON_03.stem, given, LOADED)
    assert not out.exists()
