"""docs/distil_text.py, on tiny random models: what it writes, learns and refuses."""

import json
import runpy
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from distill_helpers.students.causal import tiny_causal_lm, word_tokenizer
from distill_helpers.training import SequenceConfig, SequenceTrainer

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "distil_text.py"
main = runpy.run_path(str(SCRIPT))["main"]
PROBLEMS = [{"prompt": f"{n} =", "answer": str(n)} for n in range(4)]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A teacher that often repeats a number, and a student of the same words."""
    folder = tmp_path_factory.mktemp("models")
    rows = [{"prompt": p["prompt"], "completion": f"# {p['answer']}"} for p in PROBLEMS]
    tokenizer = word_tokenizer(["1 = # 2"], max_length=32)
    teacher = tiny_causal_lm(tokenizer, width=16, layers=1, heads=2, seed=1)
    args = SequenceConfig(
        str(folder / "run"),
        max_steps=60,
        learning_rate=0.02,
        per_device_train_batch_size=4,
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    SequenceTrainer(teacher, None, args, rows, processing_class=tokenizer).train()
    student = tiny_causal_lm(tokenizer, width=8, layers=1, heads=2, seed=2)
    words = word_tokenizer(["a b c"])
    other = tiny_causal_lm(words, width=8, layers=1, heads=2)
    for name, model, reads in (
        ("teacher", teacher, tokenizer),
        ("student", student, tokenizer),
        ("other", other, words),
    ):
        model.save_pretrained(folder / name)
        reads.save_pretrained(folder / name)
    lines = (json.dumps(row) for row in PROBLEMS)
    (folder / "problems.jsonl").write_text("\n".join(lines), "utf-8")
    return folder


def run(models, command, out, **options):
    words = [command, "--out", str(out), "--max-new-tokens", "6"]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    main(words)


def test_checked_texts_are_written_and_learned(models, tmp_path, capsys):
    traces = tmp_path / "traces.jsonl"
    problems = models / "problems.jsonl"
    teacher = models / "teacher"
    run(models, "write", traces, teacher=teacher, problems=problems, samples=5)
    rows = [json.loads(line) for line in traces.read_text("utf-8").splitlines()]
    answers = {p["prompt"]: p["answer"] for p in PROBLEMS}
    assert rows and all(
        row["completion"].rpartition("#")[2].strip() == answers[row["prompt"]]
        for row in rows
    )
    assert f"{len(rows)} texts kept" in capsys.readouterr().out
    with pytest.raises(FileExistsError):
        run(models, "write", traces, teacher=teacher, problems=problems)

    student = models / "student"
    before = AutoModelForCausalLM.from_pretrained(student)
    taught = {"student": student, "rows": traces, "steps": 2, "learning_rate": 0.01}
    run(models, "learn", tmp_path / "plain", **taught)
    run(models, "learn", tmp_path / "own", **taught, teacher=teacher, lmbda=1, beta=1)
    for name in ("plain", "own"):
        after = AutoModelForCausalLM.from_pretrained(tmp_path / name)
        pairs = list(zip(before.parameters(), after.parameters()))
        assert not all(torch.equal(one, two) for one, two in pairs)
        assert not list((tmp_path / name).glob("*.bin"))
    with pytest.raises(FileExistsError):  # before it trains, not after
        run(models, "learn", tmp_path / "own", **(taught | {"steps": 10**9}))


def test_a_teacher_of_other_words_is_refused(models, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "1 =", "completion": "# 1"}\n', "utf-8")
    given = {"student": models / "student", "rows": rows}
    with pytest.raises(ValueError, match="other vocabularies"):
        run(models, "learn", tmp_path / "out", **given, teacher=models / "other")
    assert not (tmp_path / "out").exists()


def test_a_line_that_lacks_something_is_named(models, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "1 =", "answer": "1"}\n{"prompt": "2 ="}\n', "utf-8")
    given = {"teacher": models / "teacher", "problems": rows}
    with pytest.raises(SystemExit, match=r"line 2 lacks \['answer'\]"):
        run(models, "write", tmp_path / "out", **given)
