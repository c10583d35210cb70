"""The lessons on a stranger's file: no leak, the right classes, no word of films."""

import ast
import functools
import json
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import small_bert
from lesson_runs import NOTEBOOKS, by_name, code_cells, run_papermill
from tickets import tickets
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from distill_helpers import data
from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.lessons import examples
from distill_helpers.students.tokenizers import train_tokenizer

JUDGED = ("test", "validation")
READ = ("train", "transfer")
ALL = (
    "03_imdb_distillation",
    "04_tuning",
    "05_quantisation",
    "06_edge_export",
    "07_data",
    "appendix_one_setting",
    "appendix_best_small_student",
)
OF_FILMS = re.compile(
    r"\b(films?|movies?|(?<!IMDB's test )reviews?|positive|joy from start)\b", re.I
)
OUR_RUNS = re.compile(r"stored_results|places\.RESULTS")
SOLD_AS_SMALLER = re.compile(r"-\d+% smaller|-\d+(?:\.\d+)? points (?:lost|gained)")


@functools.cache
def loading(name):
    """Return the calls by which a notebook loads its reader's file."""
    cells = code_cells(nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4))
    calls = [
        node
        for cell in cells
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "load_reviews"
        and getattr(node.args[0], "id", "") == "source"
    ]
    return [compile(ast.Expression(call), name, "eval") for call in calls]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The tickets, in English and in Chinese, and some of two classes."""
    folder = tmp_path_factory.mktemp("files")
    made = {
        "english": tickets(),
        "chinese": tickets(chinese=True),
        "two": tickets(classes=2),
        "half": tickets(),
    }
    made["half"].loc[::2, "label"] = ""
    for name, frame in made.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return {name: folder / f"{name}.csv" for name in made}


# ------------------------------------------------------------- who reads what
@pytest.mark.parametrize("name", ALL)
def test_no_lesson_trains_on_what_it_is_judged_by_whatever_the_seed(name, files):
    calls = loading(name)
    assert calls
    given = {"source": str(files["half"]), "labelled": 60, "transfer": 90}
    given |= {"validation": 40, "test": None, "data": data, "seeds": [5, 1, 2]}
    drawn = [
        eval(call, given | {"seed": seed}) for call in calls for seed in given["seeds"]
    ]
    texts = [t for parts in drawn for part in parts.values() for t in part["text"]]
    groups = dict(zip(texts, duplicate_groups(texts)))

    def groups_of(parts, names):
        return {groups[text] for name in names for text in parts[name]["text"]}

    judged = set.union(*(groups_of(parts, JUDGED) for parts in drawn))
    assert len(judged) > 60
    for parts in drawn:
        assert groups_of(parts, READ) and not groups_of(parts, READ) & judged
        for part in JUDGED:
            assert parts[part]["text"][:] == drawn[0][part]["text"][:]
    by_seed = any(call.co_names.count("seed") for call in calls)
    labels_shown = {tuple(sorted(parts["train"]["text"])) for parts in drawn}
    assert len(labels_shown) > 1 or not by_seed


def test_examples_are_of_the_readers_own_kind(files, reviews):
    assert examples.example_texts(reviews) == examples.OF_FILMS
    own = data.load_reviews(str(files["english"]))
    found = examples.example_texts(own)
    held = {
        text[: examples.LONGEST]: k
        for text, k in own["validation"].to_pandas().values[:, :2]
    }
    assert len(found) == 2 and len({held[text] for text in found}) == 2
    assert not OF_FILMS.search(" ".join(found))


# --------------------------------------------------------------- whole lessons
@pytest.fixture(scope="module")
def teacher_folder(files, tmp_path_factory):
    """A fine-tuned BERT whose classes stand in another order than the data's."""
    frame = pd.read_csv(files["english"])
    names = sorted(set(frame["label"]), reverse=True)
    texts, labels = list(frame["text"]), [names.index(n) for n in frame["label"]]
    tokenizer = train_tokenizer(texts, "text-cnn", vocab_size=800)
    tokenizer.add_special_tokens({"cls_token": "[CLS]", "sep_token": "[SEP]"})
    tokenizer.model_max_length = 256
    torch.manual_seed(0)
    model = small_bert(tokenizer, id2label=dict(enumerate(names))).train()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    rng = np.random.default_rng(0)
    for _ in range(120):
        chosen = rng.integers(0, len(texts), 32)
        batch = tokenizer(
            [texts[i] for i in chosen],
            padding=True,
            truncation=True,
            return_tensors="pt",
        )
        batch.pop("token_type_ids", None)
        loss = model(**batch, labels=torch.tensor([labels[i] for i in chosen])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("teacher")
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def teacher_table(files, tmp_path_factory):
    """What somebody's model says of every ticket: right, mostly, and never sure."""
    frame = pd.read_csv(files["english"])
    names = sorted(set(frame["label"]))
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(len(names)), len(frame)) * 0.5
    shares[np.arange(len(frame)), [names.index(n) for n in frame["label"]]] += 0.5
    path = tmp_path_factory.mktemp("table") / "answers.csv"
    pd.DataFrame(shares, columns=names)[names[::-1]].assign(text=frame["text"]).to_csv(
        path, index=False
    )
    return path


SHORT = {"labelled": 120, "seeds": [0, 1], "epochs": 1.0}
RUNS = {
    "03, a saved classifier": ("03_imdb_distillation", "english", "folder", SHORT),
    "03, a table": ("03_imdb_distillation", "english", "table", SHORT),
    "03, Chinese, all labels": (
        "03_imdb_distillation",
        "chinese",
        "make",
        {"seeds": [0, 1], "epochs": 1.0},
    ),
    "04, made": ("04_tuning", "english", "make", SHORT | {"trials": 2}),
    "05, a saved classifier": ("05_quantisation", "english", "folder", SHORT),
    "06, Chinese, all labels": ("06_edge_export", "chinese", "make", {"epochs": 2.0}),
    "07, made": (
        "07_data",
        "english",
        "make",
        {"budget": 40, "copies": 2, "seeds": [0, 1]},
    ),
    "best small student, two classes": (
        "appendix_best_small_student",
        "two",
        "make",
        {
            "labelled": 150,
            "transfer": 150,
            "validation": 60,
            "held_out": 60,
            "longest_run": 2,
            "ngrams": 500,
            "vocabulary": 200,
            "filters": 4,
            "passes": 0.5,
            "ladder_passes": 0.2,
            "seeds": [0, 1],
        },
    ),
}


def said_by(notebook):
    """Yield what the cells of an executed notebook show, pictures' texts too.

    Those that show our own runs on IMDB are left out.
    """
    cells = [c for c in code_cells(notebook) if not OUR_RUNS.search(c.source)]
    for cell in cells:
        for output in cell.outputs:
            yield output.get("text", "")
            shown, known = output.get("data", {}), output.get("metadata", {})
            yield from (shown.get(kind, "") for kind in ("text/plain", "text/html"))
            yield from (str(of.get("alt", "")) for of in known.values() if of)


@pytest.mark.full
@pytest.mark.parametrize("run", RUNS)
def test_a_lesson_runs_on_tickets_and_speaks_of_tickets(
    run, files, teacher_folder, teacher_table, tmp_path
):
    notebook, file, teacher, given = RUNS[run]
    teachers = {"folder": str(teacher_folder), "table": str(teacher_table)}
    out = tmp_path / "out"
    given = given | {
        "source": str(files[file]),
        "teacher": teachers.get(teacher, teacher),
        "output_dir": str(out),
    }
    if teacher == "table":
        given["values"] = "probabilities"
    done, copy = run_papermill(NOTEBOOKS / f"{notebook}.ipynb", tmp_path, given)
    assert done.returncode == 0, done.stderr[-4000:]
    said = "\n".join(said_by(nbformat.read(copy, as_version=4)))
    assert not OF_FILMS.findall(said)
    assert not SOLD_AS_SMALLER.findall(said)
    results = json.loads((out / "results.json").read_text("utf-8"))
    for row in results["rows"]:
        for score in row.values():
            if isinstance(score, dict) and score.get("interval"):
                low, high = score["interval"]
                assert 0 <= low <= score["mean"] <= high <= 1
    if notebook.startswith("03"):
        check_student(out, results, files[file])


def check_student(out, results, file):
    """The student that was kept is the one that won, and its card says so."""
    choice, rows = results["choice"], by_name(results)
    means = {arm: np.mean([*v.values()]) for arm, v in choice["validation"].items()}
    assert means[choice["name"]] == max(means.values())
    card = (out / "student" / "README.md").read_text("utf-8")
    assert choice["why"] in " ".join(card.split()) and not OF_FILMS.search(card)
    model = AutoModelForSequenceClassification.from_pretrained(out / "student")
    tokenizer = AutoTokenizer.from_pretrained(out / "student")
    test = data.load_reviews(str(file), labelled=results["settings"]["labelled"])[
        "test"
    ]
    encoded = data.encode_reviews(test, tokenizer)
    from distill_helpers.evaluation.predict import predict_encoded

    right = predict_encoded(model, tokenizer, encoded).argmax(1) == test["label"][:]
    seed = rows[choice["name"]]["seeds"].index(choice["seed"])
    kept = rows[choice["name"]]["accuracy"]["per_seed"][seed]
    assert right.mean() == pytest.approx(kept)
