import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import ClassLabel, DatasetDict
from hub_server import HubServer

from distill_helpers.data import imdb
from distill_helpers.data.cleaning import clean_text, signature
from distill_helpers.data.duplicates import duplicate_groups
from distill_helpers.data.imdb import IMDB_ID
from distill_helpers.data.reviews import load_reviews
from distill_helpers.places import DATA, SAMPLE_REVIEWS

ROOT = Path(__file__).resolve().parents[2]
MIRROR = ROOT.parent / "shared" / "imdb"


# ------------------------------------------------------------------- sample
def test_the_sample_is_committed_whole_with_its_readme():
    rows = [json.loads(line) for line in SAMPLE_REVIEWS.read_text("utf-8").splitlines()]
    assert len(rows) == 3400
    assert (DATA / "sample_reviews" / "README.md").is_file()
    assert {row["split"] for row in rows} == {"pool", "validation", "test"}


def test_the_samples_split_is_stratified_by_label_and_kind():
    rows = pd.DataFrame(
        [json.loads(line) for line in SAMPLE_REVIEWS.read_text("utf-8").splitlines()]
    )
    shares = rows.groupby("split").apply(
        lambda part: pd.Series(
            {"positive": part.label.mean(), "hard": (part.kind == "hard").mean()}
        )
    )
    assert (abs(shares["positive"] - 0.5) < 0.01).all()
    assert (abs(shares["hard"] - 2300 / 3400) < 0.01).all()


def test_the_sample_comes_in_four_parts(reviews):
    assert isinstance(reviews, DatasetDict)
    sizes = {name: part.num_rows for name, part in reviews.items()}
    assert sizes == {"train": 400, "transfer": 2000, "validation": 300, "test": 700}
    assert "label" not in reviews["transfer"].column_names
    assert isinstance(reviews["train"].features["label"], ClassLabel)
    assert reviews["train"].features["label"].names == ["negative", "positive"]
    assert "sample" in str(reviews.report)


def test_no_review_is_on_both_sides_of_a_split(reviews):
    names = list(reviews)
    texts = [text for name in names for text in reviews[name]["text"]]
    part = np.repeat(names, [reviews[name].num_rows for name in names])
    groups = duplicate_groups(texts)
    assert (part == part[groups]).all()
    assert len({signature(text) for text in texts}) == len(texts)


def test_the_test_part_never_changes_and_the_seed_draws_the_rest(reviews):
    other = load_reviews("sample", labelled=100, seed=7)
    again = load_reviews("sample", labelled=100, seed=7)
    assert sorted(other["test"]["text"]) == sorted(reviews["test"]["text"])
    assert list(other["train"]["text"]) == list(again["train"]["text"])
    assert set(other["train"]["text"]) != set(reviews["train"]["text"][:100])
    assert np.mean(other["train"]["label"]) == pytest.approx(0.5)


def test_auto_takes_the_sample_where_nothing_else_is(monkeypatch, tmp_path):
    monkeypatch.delenv("DISTILL_IMDB", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("distill_helpers.data.imdb.imdb_cache", lambda: None)
    report = load_reviews("auto").report
    assert report.source == "sample"
    assert "auto" in report.note


# ------------------------------------------------------------------ own file
@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(500)])
    texts = [" ".join(rng.choice(words, 30)) for _ in range(90)]
    return pd.DataFrame({"text": texts, "label": ["bad", "fair", "good"] * 30})


def save(frame, path):
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_an_own_file_of_three_classes_loads(frame, tmp_path, suffix):
    reviews = load_reviews(save(frame, tmp_path / f"own{suffix}"), labelled=30)
    assert reviews["train"].features["label"].names == ["bad", "fair", "good"]
    assert reviews["train"].num_rows == 30
    assert reviews["test"].num_rows == 18
    assert sum(part.num_rows for part in reviews.values()) == 90
    assert set(np.bincount(reviews["train"]["label"])) == {10}


def test_numbers_as_classes_keep_their_order(frame, tmp_path):
    frame["label"] = [2, 10, 1] * 30
    reviews = load_reviews(save(frame, tmp_path / "own.csv"))
    assert reviews["train"].features["label"].names == ["1", "2", "10"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_rows_without_a_label_go_to_the_transfer_part(frame, tmp_path, suffix):
    frame.loc[::2, "label"] = None
    reviews = load_reviews(save(frame, tmp_path / f"own{suffix}"))
    unlabelled = set(frame.loc[::2, "text"])
    assert unlabelled <= set(reviews["transfer"]["text"])
    for part in ("train", "validation", "test"):
        assert not unlabelled & set(reviews[part]["text"])


def test_duplicates_are_kept_out_of_the_other_parts_and_reported(frame, tmp_path):
    doubled = pd.concat([frame, frame.assign(text=frame.text.str.upper() + "!")])
    reviews = load_reviews(save(doubled, tmp_path / "own.csv"))
    texts = [signature(t) for part in reviews.values() for t in part["text"]]
    assert len(texts) == len(set(texts)) == 90
    assert reviews.report.dropped["duplicates"] == reviews.report.duplicates == 90
    assert "90 duplicates" in str(reviews.report)


def test_empty_texts_are_dropped_and_huge_ones_kept(frame, tmp_path):
    frame.loc[0, "text"] = "   <br /> "
    frame.loc[1, "text"] = "..."
    frame.loc[2, "text"] = "long " * 100_000
    reviews = load_reviews(save(frame, tmp_path / "own.csv"))
    assert reviews.report.dropped["empty"] == 2
    longest = max(len(t) for part in reviews.values() for t in part["text"])
    assert longest == len("long " * 100_000) - 1


def test_text_that_looks_like_a_missing_value_is_text(frame, tmp_path):
    frame.loc[0, "text"] = "NA"
    reviews = load_reviews(save(frame, tmp_path / "own.csv"))
    assert "NA" in [t for part in reviews.values() for t in part["text"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("text,label\n", "no rows"),
        ("review,label\na,1\n", "lacks the column text; it has"),
        ("a,b\n1,2\n", "lacks the columns text, label"),
        ("text,label\nfine one,1\ndull one,1\n", "at least two classes.*'1'"),
        ("text,label\nfine one,\ndull one,\n", "at least two classes"),
        ('text,label\n"fine,1\n', "cannot be read as csv"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "own.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_reviews(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="source must be.*got 'imbd'"):
        load_reviews("imbd")
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_reviews(tmp_path / "none.csv")
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="cannot be read as parquet"):
        load_reviews(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labelled": 1}, ValueError, "labelled must be at least 2, got 1"),
        ({"labelled": 99_999}, ValueError, "labelled=99,999 asks for more"),
        ({"transfer": -1}, ValueError, "transfer must be at least 0"),
        ({"transfer": 99_999}, ValueError, "transfer=99,999 asks for more"),
        ({"test": "7"}, TypeError, "test must be a whole number.*str"),
        ({"validation": 3.5}, TypeError, "validation must be a whole number"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
    ],
)
def test_bad_sizes_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        load_reviews("sample", **options)


# --------------------------------------------------------------------- imdb
@pytest.fixture(scope="session")
def imdb_folder(small_mirror):
    """The real mirror if it is there, else the sample in its layout."""
    if MIRROR.is_dir():
        return MIRROR
    print("no IMDB mirror beside the project: the sample stands in for it")
    return small_mirror


SMALL = {"labelled": 100, "transfer": 300, "validation": 50, "test": 80}


def test_a_mirror_is_read_without_any_network(imdb_folder, monkeypatch):
    monkeypatch.setenv("DISTILL_IMDB", str(imdb_folder))
    for source in ("imdb", "auto"):
        reviews = load_reviews(source, **SMALL)
        assert {k: v.num_rows for k, v in reviews.items()} == {
            "train": 100,
            "transfer": 300,
            "validation": 50,
            "test": 80,
        }
        assert reviews.report.source == "imdb"
        assert "mirror" in reviews.report.note
    assert "<br />" not in " ".join(reviews["train"]["text"])


def test_a_mirror_that_is_none_is_an_error_not_a_fall_back(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILL_IMDB", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="DISTILL_IMDB=.*plain_text/train"):
        load_reviews("auto")


LOAD = """
import json, sys
from distill_helpers.data import load_reviews
reviews = load_reviews(sys.argv[1], labelled=100, transfer=300, validation=50, test=80)
print(json.dumps([reviews.report.source, reviews.report.note]))
print(json.dumps({k: v.num_rows for k, v in reviews.items()}))
"""


def hub_environment(home, endpoint, offline="0"):
    environment = {k: v for k, v in os.environ.items() if k != "DISTILL_IMDB"}
    return environment | {
        "HF_HOME": str(home),
        "HF_ENDPOINT": endpoint,
        "HF_HUB_OFFLINE": offline,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(ROOT),
    }


def start(*command, environment):
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=ROOT,
    )


def test_the_copy_that_an_offline_bundle_installed_is_found(
    monkeypatch, imdb_folder, tmp_path
):
    monkeypatch.delenv("DISTILL_IMDB", raising=False)
    monkeypatch.setattr(imdb, "PROJECT", tmp_path)
    assert imdb.imdb_named() is None
    settings = tmp_path / "classroom.json"
    settings.write_text(json.dumps({"imdb": None}))
    assert imdb.imdb_mirror() is None
    settings.write_text(json.dumps({"imdb": str(imdb_folder)}))
    assert set(imdb.imdb_mirror()) == set(imdb.IMDB_SPLITS)
    monkeypatch.setenv("DISTILL_IMDB", str(tmp_path))  # it comes first
    with pytest.raises(FileNotFoundError, match="DISTILL_IMDB="):
        imdb.imdb_mirror()
    monkeypatch.delenv("DISTILL_IMDB")
    settings.write_text(json.dumps({"imdb": str(tmp_path)}))
    with pytest.raises(FileNotFoundError, match="classroom.json=.*plain_text/train"):
        imdb.imdb_mirror()


def test_the_hub_is_asked_once_and_its_cache_serves_ever_after(small_mirror, tmp_path):
    with HubServer(IMDB_ID, small_mirror) as hub:
        environment = hub_environment(tmp_path, hub.url)
        fetched = start("-m", "distill_helpers", "fetch", environment=environment)
        assert fetched.returncode == 0, fetched.stderr[-3000:]
        assert "unsupervised" in fetched.stdout
        downloads = {path for method, path, _ in hub.requests if method == "GET"}
        assert sum(path.endswith(".parquet") for path in downloads) == 3
        hub.requests.clear()
        loaded = start("-c", LOAD, "auto", environment=environment)
        assert loaded.returncode == 0, loaded.stderr[-3000:]
        assert "Hub cache" in loaded.stdout
        assert hub.requests == []


def test_load_reviews_imdb_downloads_where_nothing_is_cached(small_mirror, tmp_path):
    with HubServer(IMDB_ID, small_mirror) as hub:
        loaded = start(
            "-c", LOAD, "imdb", environment=hub_environment(tmp_path, hub.url)
        )
        assert loaded.returncode == 0, loaded.stderr[-3000:]
        assert '"train": 100, "transfer": 300' in loaded.stdout
        assert len(hub.requests) > 3


def test_a_broken_download_is_taken_up_where_it_stopped(imdb_folder, tmp_path):
    # The Hub's client keeps whole chunks of 10 MiB; less is asked for again.
    chunk = 10 * 2**20
    sizes = [path.stat().st_size for path in imdb_folder.glob("plain_text/train-*")]
    large = max(sizes) > chunk + 100_000
    with HubServer(IMDB_ID, imdb_folder) as hub:
        hub.cut_after = chunk + 100_000 if large else 50_000
        environment = hub_environment(tmp_path, hub.url)
        fetched = start("-m", "distill_helpers", "fetch", environment=environment)
        assert fetched.returncode == 0, fetched.stderr[-3000:]
        assert hub.cut_after is None, "the line never dropped"
        asked = [
            wanted
            for method, path, wanted in hub.requests
            if method == "GET" and "/train-" in path
        ]
    assert len(asked) == 2
    assert asked[1] == (f"bytes={chunk}-" if large else None)


def test_without_network_mirror_and_cache_the_next_step_is_named(tmp_path):
    environment = hub_environment(tmp_path, "http://127.0.0.1:9")  # nobody answers
    failed = start("-m", "distill_helpers", "fetch", environment=environment)
    assert failed.returncode == 1
    assert "Next step" in failed.stderr and "DISTILL_IMDB" in failed.stderr
    assert "Traceback" not in failed.stderr
    offline = hub_environment(tmp_path, "http://127.0.0.1:9", offline="1")
    failed = start("-c", LOAD, "imdb", environment=offline)
    assert "FileNotFoundError" in failed.stderr and "source='sample'" in failed.stderr


def test_validation_may_be_drawn_in_blocks_of_neighbours(imdb_folder, monkeypatch):
    """Films stand side by side; a film must not be on both sides."""
    monkeypatch.setenv("DISTILL_IMDB", str(imdb_folder))
    order = pd.read_parquet(next(imdb_folder.glob("plain_text/train-*")))
    place = {signature(clean_text(t)): i for i, t in enumerate(order["text"])}

    def runs(blocks):
        drawn = load_reviews(
            "imdb",
            labelled=100,
            transfer=100,
            validation=200,
            seed=3,
            validation_blocks=blocks,
        )
        rows = np.sort([place[signature(t)] for t in drawn["validation"]["text"]])
        assert len(rows) == 200
        assert abs(np.mean(drawn["validation"]["label"]) - 0.5) < 0.1
        assert not set(drawn["train"]["text"]) & set(drawn["validation"]["text"])
        same = order["label"].to_numpy()
        between = [(same[a + 1 : b] == same[a]).sum() for a, b in zip(rows, rows[1:])]
        return np.mean(np.array(between) == 0)

    assert runs(50) > 0.4 > runs(1) + 0.1


def test_a_block_holds_at_least_one_review():
    with pytest.raises(ValueError, match="validation_blocks must be at least 1, got 0"):
        load_reviews("sample", validation_blocks=0)
