"""docs/make_stronger_teacher.py, on a tiny random encoder and a small mirror."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import small_bert

from distill_helpers.data.cleaning import text_hash
from distill_helpers.teachers.stored import read_soft_targets, write_soft_targets

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "make_stronger_teacher.py"
script = runpy.run_path(str(SCRIPT))
main = script["main"]


@pytest.fixture
def encoder(tmp_path, bert_tokenizer, small_mirror, monkeypatch):
    monkeypatch.setenv("DISTILL_IMDB", str(small_mirror))
    torch.manual_seed(0)
    model = small_bert(bert_tokenizer, num_hidden_layers=2).bert
    model.save_pretrained(tmp_path / "tiny")
    bert_tokenizer.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_trials_are_judged_on_reviews_that_taught_nobody(encoder, tmp_path, capsys):
    common = ["--frozen", "1", "--epochs", "1", "--reviews", "90", "--seeds", "2"]
    for work in ("one", "two"):
        call = ["try", str(encoder), str(tmp_path / work), *common]
        main([*call, "--learning-rate", "1e-3" if work == "one" else "1e-5"])
        told = json.loads((tmp_path / work / "tried-90.json").read_text("utf-8"))
        assert (told["labelled"], told["held out"]) == (30, 30)
        assert (told["frozen layers"], told["layers"]) == (1, 2)
        assert [[s["passes"] for s in run] for run in told["runs"]] == [[0, 1]] * 2
        (tmp_path / work / "tried-90.json").write_text(
            json.dumps(told | {"encoder": work})
        )
    files = [str(tmp_path / work / "tried-90.json") for work in ("one", "two")]
    main(["gather", str(tmp_path / "both.json"), *files])
    both = json.loads((tmp_path / "both.json").read_text("utf-8"))
    assert [(r["name"], r["passes"]) for r in both["rows"]] == [
        ("one", 0),
        ("one", 1),
        ("two", 0),
        ("two", 1),
    ]
    last = [[run[-1]["accuracy"] for run in t["runs"]] for t in both["trials"]]
    gain = np.mean(last[0]) - np.mean(last[1])
    assert both["gains"]["one"]["mean"] == pytest.approx(gain)
    assert both["control"] == "two" and list(both["gains"]) == ["one"]
    with pytest.raises(FileExistsError, match="holds a result already"):
        main(["gather", str(tmp_path / "both.json"), *files])
    told["labelled"] = 31
    Path(files[1]).write_text(json.dumps(told), "utf-8")
    with pytest.raises(ValueError, match="of one size"):
        main(["gather", str(tmp_path / "apart.json"), *files])


def test_all_of_imdb_is_answered_and_a_second_call_only_reads(
    encoder, tmp_path, capsys
):
    work = tmp_path / "work"
    call = ["whole", str(encoder), str(work), "--frozen", "1", "--epochs", "1"]
    main(call)
    said = capsys.readouterr().out
    assert said.count("out of fold") == 2
    told = json.loads((work / "whole.json").read_text("utf-8"))
    assert told["out of fold"]["texts"] > 1000
    spent = told["CPU seconds without the answers to the rest"]
    assert list(spent) == ["lower layers", "half-0", "half-1", "all"]
    imdb = pd.read_parquet(work / "reviews.parquet")
    keys, logits, _ = read_soft_targets(work / "answers.parquet")
    assert keys == [text_hash(text) for text in imdb["text"]]
    assert logits.shape == (len(imdb), 2) and np.isfinite(logits).all()
    made = {p: p.stat().st_mtime_ns for p in work.rglob("*.safetensors")}
    (work / "answers.parquet").unlink()
    main(call)
    assert {p: p.stat().st_mtime_ns for p in work.rglob("*.safetensors")} == made
    again = read_soft_targets(work / "answers.parquet")
    np.testing.assert_array_equal(again[1], logits)


def test_the_larger_encoder_is_asked_where_the_teacher_before_was_unsure(
    encoder, tmp_path
):
    work = tmp_path / "work"
    imdb = script["all_reviews"](work)
    keys = [text_hash(text) for text in imdb["text"]]
    draw = np.random.default_rng(0)
    # Right where it is sure, blind where it is not, and silent about one review.
    sure, side = draw.random(len(imdb)) < 0.8, draw.choice([-1, 1], len(imdb))
    side = np.where(sure & (imdb["label"] >= 0), 2 * imdb["label"] - 1, side)
    margins = side * np.where(sure, 5.0, 0.5) * draw.uniform(0.9, 1.1, len(imdb))
    before = np.stack([-margins / 2, margins / 2], 1)
    write_soft_targets(tmp_path / "first.parquet", keys[1:], before[1:], "first")
    call = ["unsure", str(encoder), str(work), "--frozen", "1", "--epochs", "1"]
    call += ["--first", str(tmp_path / "first.parquet"), "--labelled", "250"]
    main([*call, "--share", "0.1"])
    told = json.loads((work / "unsure-250-0.1.json").read_text("utf-8"))
    asked, logits, _ = read_soft_targets(work / "unsure-250-0.1.parquet")
    assert len(asked) == told["asked"] and np.isfinite(logits).all()
    unsure = {key for key, value in zip(keys, np.abs(margins)) if value < 1}
    assert set(asked) < unsure - {keys[0]}
    assert told["margin of the least sure"] < 1
    judged = told["out of fold, of those asked"]
    assert 0 < judged["texts"] < told["asked"] and 0.3 < judged["first"] < 0.7
    low, high = judged["interval of the gain"]
    assert low <= judged["both"] - judged["first"] <= high
    assert told["out of fold"]["first"] > 0.8
    made = {p: p.stat().st_mtime_ns for p in work.rglob("*.safetensors")}
    main([*call, "--share", "0.1"])
    assert {p: p.stat().st_mtime_ns for p in work.rglob("*.safetensors")} == made
    with pytest.raises(ValueError, match="--share must be"):
        main([*call, "--share", "1.5"])
