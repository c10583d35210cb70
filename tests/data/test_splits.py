"""No part knows another one, whatever the seed, the source and the sizes."""

import json
import os
import random

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from distill_helpers.data import imdb, sample
from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.reviews import load_reviews
from distill_helpers.places import SAMPLE_REVIEWS

SEEDS = range(5)
CLASSES = ("billing", "delivery", "login", "refund", "speed", "other")
WORDS = [f"word{i}" for i in range(400)]


def texts_of(count, length=25, seed=0):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=length)) for _ in range(count)]


def with_near_copies(texts):
    """Two of three texts stand there again, with their last word changed."""
    return texts + [
        f"{text.rsplit(' ', 1)[0]} anew" for text in texts[::3] + texts[1::3]
    ]


def save(path, texts, labels, **columns):
    pd.DataFrame({"text": texts, "label": labels, **columns}).to_csv(path, index=False)
    return path


# ------------------------------------------------- three sources, labels by chance
def own_csv(folder, monkeypatch):
    texts = texts_of(450)
    labels = random.Random(1).choices(CLASSES, k=len(texts))
    copies = labels[::3] + labels[1::3]
    path = save(folder / "own.csv", with_near_copies(texts), labels + copies)
    return path, {"labelled": 120}


def fake_imdb(folder, monkeypatch):
    (folder / "plain_text").mkdir()
    texts = with_near_copies(texts_of(720, seed=2))
    labels = np.array(random.Random(3).choices([0, 1], k=720))
    labels = np.concatenate([labels, labels[::3], labels[1::3]])
    cut = {"train": slice(0, 700), "test": slice(700, 1000)}
    cut["unsupervised"] = slice(1000, None)
    for name, rows in cut.items():
        frame = pd.DataFrame({"text": texts[rows], "label": labels[rows]})
        frame = frame.assign(label=-1) if name == "unsupervised" else frame
        path = folder / "plain_text" / f"{name}-00000-of-00001.parquet"
        frame.to_parquet(path)
    monkeypatch.setenv("DISTILL_IMDB", str(folder))
    return "imdb", {"labelled": 150, "validation": 120}


def random_sample(folder, monkeypatch):
    rows = [json.loads(line) for line in SAMPLE_REVIEWS.read_text("utf-8").splitlines()]
    draw = random.Random(4)
    lines = [json.dumps({**row, "label": draw.randrange(2)}) for row in rows]
    path = folder / "reviews.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    monkeypatch.setattr(sample, "SAMPLE_REVIEWS", path)
    return "sample", {"labelled": 300}


SOURCES = [own_csv, fake_imdb, random_sample]


@pytest.fixture(scope="module", params=SOURCES, ids=lambda make: make.__name__)
def draws(request, tmp_path_factory):
    """The parts of one source with labels by chance, as five seeds draw them."""
    with pytest.MonkeyPatch.context() as patch:
        source, sizes = request.param(tmp_path_factory.mktemp("source"), patch)
        yield [load_reviews(source, seed=seed, **sizes) for seed in SEEDS]


def test_test_and_validation_are_the_same_rows_for_every_seed(draws):
    for part in ("test", "validation"):
        assert len({tuple(drawn[part]["text"]) for drawn in draws}) == 1
    assert len({tuple(drawn["train"]["text"]) for drawn in draws}) == len(SEEDS)


def test_no_seed_learns_a_row_or_a_near_copy_of_what_any_is_judged_on(draws):
    judged = {
        t for drawn in draws for p in ("test", "validation") for t in drawn[p]["text"]
    }
    read = {
        t for drawn in draws for p in ("train", "transfer") for t in drawn[p]["text"]
    }
    assert not judged & read
    both = [*judged, *read]
    groups = duplicate_groups(both, progress=False)
    assert not set(groups[: len(judged)]) & set(groups[len(judged) :])


def test_labels_by_chance_are_learnt_by_chance(draws):
    """Students of every seed, judged on the first one's test and validation part."""
    words = TfidfVectorizer().fit(draws[0]["train"]["text"])
    judged = {
        "text": [*draws[0]["test"]["text"], *draws[0]["validation"]["text"]],
        "label": [*draws[0]["test"]["label"], *draws[0]["validation"]["label"]],
    }
    right = []
    for drawn in draws:
        student = LogisticRegression(C=100.0)
        student.fit(words.transform(drawn["train"]["text"]), drawn["train"]["label"])
        right.append(student.score(words.transform(judged["text"]), judged["label"]))
    chance = 1 / len(draws[0].label_names)
    # Five seeds share the rows they are judged on, which are all the luck there is.
    error = np.sqrt(chance * (1 - chance) / len(judged["label"]))
    assert abs(np.mean(right) - chance) <= 2 * error


# ------------------------------------------------------------ a file's own split
def test_a_files_own_split_is_kept_and_transfer_has_no_label(tmp_path):
    texts, labels = texts_of(120), list(CLASSES) * 20
    parts = ["train"] * 60 + ["dev"] * 24 + ["test"] * 24 + ["unlabelled"] * 12
    path = save(tmp_path / "own.csv", texts, labels, split=parts)
    for seed in (0, 3):
        reviews = load_reviews(path, seed=seed)
        rows = {part: set(reviews[part]["text"]) for part in reviews}
        assert rows["train"] == set(texts[:60])
        assert rows["validation"] == set(texts[60:84])
        assert rows["test"] == set(texts[84:108])
        assert rows["transfer"] == set(texts[108:])
    assert reviews["transfer"].column_names == ["text"]


def test_a_part_that_the_file_does_not_name_is_drawn_once_from_train(tmp_path):
    texts, labels = texts_of(120), list(CLASSES) * 20
    parts = ["train"] * 96 + ["test"] * 24
    path = save(tmp_path / "own.csv", texts, labels, split=parts)
    first, second = (load_reviews(path, labelled=40, seed=seed) for seed in (0, 1))
    assert set(first["test"]["text"]) == set(texts[96:])
    assert first["validation"]["text"] == second["validation"]["text"]
    assert set(first["validation"]["text"]) < set(texts[:96])
    assert any("no rows for validation" in w for w in first.report.warnings)


def test_a_near_copy_of_a_fixed_test_row_is_nowhere_else(tmp_path):
    texts, labels = texts_of(100), ["a", "b"] * 50
    near = [text + " indeed" for text in texts[80:]]
    parts = ["train"] * 80 + ["test"] * 20 + ["train"] * 10 + ["transfer"] * 10
    path = save(tmp_path / "o.csv", texts + near, labels + labels[80:], split=parts)
    reviews = load_reviews(path)
    assert reviews.report.dropped["duplicates of a text in another part"] == 20
    assert sorted(reviews["test"]["text"]) == sorted(texts[80:])


# ------------------------------------------------------------- labels and sizes
def test_all_labels_are_used_and_those_hidden_on_purpose_are_reported(tmp_path):
    path = save(tmp_path / "own.csv", texts_of(120), [*CLASSES[:5], ""] * 20)
    whole = load_reviews(path)
    assert whole.report.hidden_labels == 0
    assert {p: len(whole[p]) for p in whole} == {
        "train": 70,
        "transfer": 20,
        "validation": 10,
        "test": 20,
    }
    few = load_reviews(path, labelled=30)
    assert few.report.hidden_labels == 40
    assert "labels hidden in transfer: 40" in str(few.report)
    assert few["test"]["text"] == whole["test"]["text"]
    assert sum(few.report.classes.values()) == 100
    assert few.report.by_part["train"] == dict.fromkeys(CLASSES[:5], 6)


def test_sizes_are_what_was_asked_for_though_half_are_duplicates(tmp_path):
    texts = texts_of(180)
    copies = [text + " !" for text in texts] + [text + " too" for text in texts]
    path = save(tmp_path / "own.csv", texts + copies, ["a", "b"] * 270)
    sizes = {"labelled": 100, "transfer": 0, "validation": 30, "test": 50}
    reviews = load_reviews(path, **sizes)
    assert [len(reviews[p]) for p in ("train", "transfer", "validation", "test")] == [
        *(100, 0, 30, 50)
    ]
    assert reviews.report.duplicates == 360 and reviews.report.rows_read == 540
    with pytest.raises(ValueError, match="labelled=101 asks.*the 100 that.*duplicates"):
        load_reviews(path, **sizes | {"labelled": 101})


def test_a_share_is_taken_of_what_is_left_after_cleaning(tmp_path):
    texts = texts_of(100)
    path = save(tmp_path / "own.csv", texts * 3 + ["..."] * 50, ["a", "b"] * 175)
    assert load_reviews(path).report.sizes == {
        "train": 70,
        "transfer": 0,
        "validation": 10,
        "test": 20,
    }


def test_texts_that_differ_in_the_deciding_word_are_kept_side_by_side(tmp_path):
    texts = texts_of(120)
    pairs = [f"{text} {word}" for text in texts for word in ("good", "bad")]
    path = save(tmp_path / "own.csv", pairs, ["yes", "no"] * 120)
    reviews = load_reviews(path)
    assert sum(reviews.report.sizes.values()) == 240
    assert reviews.report.conflicting == 240 and reviews.report.duplicates == 0
    assert any("another label" in warning for warning in reviews.report.warnings)
    parts = {t.rsplit(" ", 1)[0]: p for p in reviews for t in reviews[p]["text"]}
    for part in reviews:
        assert {parts[t.rsplit(" ", 1)[0]] for t in reviews[part]["text"]} <= {part}


def test_each_part_has_two_rows_of_a_class_or_the_report_says_so(tmp_path):
    labels = ["common"] * 200 + ["rare"] * 6 + ["tiny"] * 3
    path = save(tmp_path / "own.csv", texts_of(209), labels)
    for parts_seed in SEEDS:
        report = load_reviews(path, parts_seed=parts_seed).report
        assert all(report.by_part[part]["rare"] == 2 for part in report.by_part)
        assert report.by_part["train"]["tiny"] == 2
        (warning,) = report.warnings
        assert "'tiny' (2 in train, 0 in validation, 1 in test)" in warning


def test_what_cannot_be_learnt_is_refused(tmp_path):
    path = save(tmp_path / "own.csv", texts_of(5), ["a", "b", "a", "b", "a"])
    with pytest.raises(ValueError, match="nothing can be learnt: 1 labelled"):
        load_reviews(path)


def test_several_labels_are_rows_of_zero_and_one(tmp_path):
    labels = ["billing|refund", "refund", "login", "billing|login", ""] * 24
    path = save(tmp_path / "own.csv", texts_of(120), labels)
    reviews = load_reviews(path, several_labels="|")
    assert reviews.problem_type == "multi_label_classification"
    assert reviews.label_names == ["billing", "login", "refund"]
    assert set(map(tuple, reviews["train"]["label"])) == {
        *((1, 0, 1), (0, 0, 1), (0, 1, 0), (1, 1, 0))
    }
    assert reviews["transfer"].column_names == ["text"]
    assert reviews.report.classes == dict.fromkeys(reviews.label_names, 48)


# ---------------------------------------------------------------- what is read
def test_a_file_that_changes_under_the_same_size_and_time_is_read_anew(tmp_path):
    texts = texts_of(60)
    path = save(tmp_path / "own.csv", texts, ["a", "b"] * 30)
    before = path.stat()
    old = load_reviews(path)
    path.write_text(path.read_text().replace("word", "mark"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    new = load_reviews(path)
    assert "word" in old["train"]["text"][0] and "word" not in new["train"]["text"][0]


def test_so_is_a_mirror_of_imdb(tmp_path, monkeypatch):
    fake_imdb(tmp_path, monkeypatch)
    file = tmp_path / "plain_text" / "test-00000-of-00001.parquet"
    before = file.stat()
    old = load_reviews("imdb", labelled=50, validation=50)
    rows = pd.read_parquet(file)
    rows.assign(label=1 - rows["label"]).to_parquet(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    new = load_reviews("imdb", labelled=50, validation=50)
    labels = [dict(zip(r["test"]["text"], r["test"]["label"])) for r in (old, new)]
    assert all(labels[0][text] != labels[1][text] for text in labels[0])
    assert imdb.imdb_files()


def test_columns_are_named_for_an_own_file_alone(tmp_path):
    frame = pd.DataFrame({"body": texts_of(60), "topic": ["a", "b"] * 30})
    frame.to_csv(tmp_path / "own.csv", index=False)
    named = {"text_column": "body", "label_column": "topic"}
    assert load_reviews(tmp_path / "own.csv", **named).label_names == ["a", "b"]
    with pytest.raises(ValueError, match="'sample' has columns of its own"):
        load_reviews("sample", **named)
    frame.assign(topic="a").to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(ValueError, match="two classes in column 'topic', got .'a'"):
        load_reviews(tmp_path / "one.csv", **named)
