"""The notebook for people who come with a file, as they run it."""

import json

import pandas as pd
import pytest
from lesson_runs import FACTS, NOTEBOOKS, ROOT, differences, environment, run_papermill
from nbformat import read

from distill_helpers.own_data.command import parser
from distill_helpers.places import PRACTICE_FILE

NOTEBOOK = NOTEBOOKS / "own_data.ipynb"
THEIRS = {"PAY": "billing", "ENTRY": "login", "FAULT": "bug"}


def declared():
    """Return the parameters cell's names and values."""
    cells = read(NOTEBOOK, as_version=4).cells
    names = {}
    exec(
        next(c.source for c in cells if c.metadata.get("tags") == ["parameters"]), names
    )
    return {name: names[name] for name in names["__annotations__"]}


def test_its_options_and_defaults_are_those_of_the_command():
    known = vars(parser().parse_args(["FILE"]))
    here = declared()
    apart = {"dry_run", "output", "cache", "price"}  # those are the command's alone
    assert set(known) - apart == set(here) - {"output_dir"}
    own = {"source", "output_dir", "seeds"}
    assert len(here["seeds"]) == known["seeds"]
    assert {n: v for n, v in here.items() if n not in own} == {
        name: known[name] for name in here if name not in own
    }


def test_it_takes_a_strangers_file_and_a_table_as_a_teacher(tmp_path):
    """Semicolons, other columns, parts to be drawn, answers in the teacher's words."""
    rows = pd.read_csv(PRACTICE_FILE, keep_default_na=False)
    rows = rows[rows["label"].isin(THEIRS.values())].reset_index(drop=True)
    rows.loc[::3, "label"] = ""
    own = rows.rename(columns={"text": "message", "label": "topic"})
    own.drop(columns="split").to_csv(tmp_path / "own.csv", sep=";", index=False)
    table = pd.DataFrame({"text": rows["text"]})
    for name, ours in THEIRS.items():
        table[name] = (rows["label"] == ours) * 0.7 + 0.1
    table.iloc[:, 1:] = table.iloc[:, 1:].div(table.iloc[:, 1:].sum(axis=1), axis=0)
    table.to_csv(tmp_path / "answers.csv", index=False)
    given = {
        "source": str(tmp_path / "own.csv"),
        "text_column": "message",
        "label_column": "topic",
        "teacher": str(tmp_path / "answers.csv"),
        "values": "probabilities",
        "class_names": THEIRS,
        "student": "bigram",
        "seeds": [0],
        "epochs": 5.0,
        "output_dir": "out",
    }
    done, copy = run_papermill(NOTEBOOK, tmp_path, given)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert sorted(results["settings"]["labels"]) == sorted(THEIRS.values())
    assert results["parity"]["onnx int8"] == 1.0
    names = [row["name"] for row in results["rows"]]
    assert {"teacher", "control", "distilled", "linear baseline"} <= set(names)
    outputs = [o for c in read(copy, 4).cells if "outputs" in c for o in c.outputs]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    assert len([o for o in outputs if "image/png" in o.get("data", {})]) == 2
    said = "\n".join(o.get("text", "") for o in outputs)
    assert "One seed cannot say" in said
    assert "film" not in said and "review" not in said


def test_under_a_budget_it_draws_the_front_and_delivers_the_choice(tmp_path):
    rows = pd.read_csv(PRACTICE_FILE, keep_default_na=False)
    rows[rows["label"].isin(["bug", "delivery", "login", ""])].to_csv(
        tmp_path / "own.csv", index=False
    )
    given = {
        "source": str(tmp_path / "own.csv"),
        "how": "linear",
        "students": "bigram",
        "forms": "fp32,int8",
        "budget_mb": 5.0,
        "seeds": [0],
        "epochs": 3.0,
        "output_dir": "out",
    }
    done, copy = run_papermill(NOTEBOOK, tmp_path, given)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert results["front"]["budget_mb"] == 5.0
    assert results["front"]["chosen"].startswith("bigram, ")
    cells = {cell.id: cell for cell in read(copy, 4).cells}
    (picture,) = cells["own-front"].outputs
    assert "Chosen: bigram" in picture["metadata"]["image/png"]["alt"]


@pytest.mark.full
def test_the_stored_outputs_still_come_out(tmp_path, request):
    given = {**FACTS["own_data"].short, "output_dir": str(tmp_path / "out")}
    done, copy = run_papermill(NOTEBOOK, tmp_path, given, env=environment())
    assert done.returncode == 0, done.stderr[-3000:]
    sanitize = (ROOT / "tests" / "nbval_sanitize.cfg").read_text()
    found = differences(request.session, NOTEBOOK, read(copy, 4), sanitize)
    assert not found, "\n\n".join(found)
