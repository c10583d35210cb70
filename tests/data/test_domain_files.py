"""The notes and the clauses are what their README says, and fair exercises."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.reviews import load_reviews
from distill_helpers.places import CLINICAL_NOTES, CONTRACT_CLAUSES, PROJECT

LABELLED = ["train", "validation", "test"]
FILES = {"notes": CLINICAL_NOTES, "clauses": CONTRACT_CLAUSES}


@pytest.fixture(scope="module")
def frames():
    return {n: pd.read_csv(path, keep_default_na=False) for n, path in FILES.items()}


def macro_f1(rows, column):
    """Of words and pairs of words, fitted on train, judged on test."""
    train, test = (rows[rows["split"] == part] for part in ("train", "test"))
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=500))
    answers = model.fit(train["text"], train[column]).predict(test["text"])
    return f1_score(test[column], answers, average="macro")


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_readme_counts_and_is_read_whole(frames, name):
    rows, told = frames[name], FILES[name].with_name("README.md").read_text("utf-8")
    table = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \|$", told, re.M)
    told_of = {label: [int(n) for n in counts] for label, *counts in table}
    counted = pd.crosstab(rows["label"], rows["split"])[LABELLED].drop(index="")
    assert counted.T.to_dict("list").items() <= told_of.items()
    words = rows["text"].str.split().str.len()
    assert f"{len(rows)} {name} of {words.min()} to {words.max()} words" in told
    assert ((rows["label"] == "") == (rows["split"] == "transfer")).all()
    reviews = load_reviews(FILES[name], seed=2)
    assert {p: len(reviews[p]) for p in reviews} == dict(rows["split"].value_counts())
    assert reviews.report.duplicates == reviews.report.conflicting == 0
    assert len(np.unique(duplicate_groups(list(rows["text"])))) == len(rows)


def test_words_alone_are_neither_at_chance_nor_perfect(frames):
    notes, clauses = frames["notes"], frames["clauses"]
    endocrine = notes[notes["label"] == "endocrine"]
    assert endocrine["code"].nunique() == 6
    assert not notes["code"][notes["label"] != "endocrine"].any()
    for rows, column in [(notes, "label"), (clauses, "label"), (endocrine, "code")]:
        assert 0.6 < macro_f1(rows, column) < 0.95


def test_the_kept_script_writes_these_very_files(tmp_path):
    if not (PROJECT / "docs" / "write_domain_texts.py").is_file():
        pytest.skip("the script comes with a clone")
    import importlib.util

    script = PROJECT / "docs" / "write_domain_texts.py"
    spec = importlib.util.spec_from_file_location("write_domain_texts", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    material = module.tomllib.loads((module.MATERIAL / "notes.toml").read_text("utf-8"))
    rows = module.write_notes(material, module.part_of)
    module.write(module.kept(rows, ["label", "code"]), tmp_path / "notes.csv")
    written = (tmp_path / "notes.csv").read_bytes()
    assert written == CLINICAL_NOTES.read_bytes().replace(b"\r\n", b"\n")


@pytest.mark.parametrize("name", ["clinical_graph.csv", "support_graph.csv"])
def test_the_facts_are_as_many_as_the_readme_says(name):
    facts = pd.read_csv(CLINICAL_NOTES.with_name(name))
    told = CLINICAL_NOTES.with_name("README.md").read_text("utf-8")
    _, _, about = told.partition(f"`{name}` holds {len(facts)} facts")
    assert about
    assert not facts.duplicated().any() and not facts.isna().any(axis=None)
    kinds = facts[["relation", "from_kind", "to_kind"]].drop_duplicates()
    own, _, _ = about.partition("\n## ")
    table = re.findall(r"^\| `([A-Z_]+)` \| (\w+) \| (\w+) \|$", own, re.M)
    assert set(table) == set(kinds.itertuples(index=False, name=None))
