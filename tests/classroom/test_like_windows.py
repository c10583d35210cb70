"""One way through the kit where the system refuses what Windows refuses."""

import ast
import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import tickets
from like_windows import windows_ways
from toy_sweep import Instant, settings, write_notebook

from distill_helpers.classroom.sweeps import FINISHED, run_sweep
from distill_helpers.data import encode_reviews, load_reviews
from distill_helpers.export import TextClassifier, trace_onnx, write_bundle
from distill_helpers.students import build_student, train_tokenizer
from distill_helpers.teachers import CachedTeacher
from distill_helpers.training import DistillationConfig, DistillationTrainer

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = [*sorted((ROOT / "distill_helpers").rglob("*.py")), ROOT / "start.py"]


@pytest.fixture
def folder(tmp_path_factory):
    """Give a folder as accounts have them, on such a system."""
    folder = tmp_path_factory.mktemp("Jörg Müller (Lehrer)")
    with windows_ways():
        yield folder


def refused(act, *arguments):
    with pytest.raises(OSError):
        act(*arguments)
    return True


def test_what_windows_refuses_is_refused(folder):
    one, two = folder / "one.txt", folder / "zwei.txt"
    one.write_bytes("ü".encode("cp1252"))
    assert one.read_text() == "ü"  # noqa: PLW1514
    two.touch()
    assert refused(one.rename, two) and refused((folder / "l").symlink_to, one)
    with one.open("rb"):
        assert refused(one.unlink) and refused(two.replace, one)
        assert refused(folder.rename, folder.with_name("other"))
    for name in ("a:b", "con.txt", "dot.", "ONE.txt", "what?"):
        assert refused((folder / name).write_text, "x", "utf-8"), name
        assert refused((folder / name).mkdir), name
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    assert refused((folder / "a").replace, folder / "b")
    assert multiprocessing.get_start_method() == "spawn"
    two.replace(one)
    assert not two.exists()


def make_trainer(folder, reads, tokenizer, steps):
    names = ["billing", "delivery", "größe"]
    model = build_student("text-cnn", tokenizer, label_names=names, filters=4)
    arguments = DistillationConfig(
        output_dir=str(folder),
        use_cpu=True,
        disable_tqdm=True,
        max_steps=steps,
        save_strategy="steps",
        save_steps=1,
        save_total_limit=1,
        alpha=0.0,
        seed=0,
    )
    return DistillationTrainer(
        model, None, arguments, reads, processing_class=tokenizer
    )


def test_from_an_own_file_to_a_bundle_stopped_on_the_way(folder):
    source = folder / "Anfragen für März.csv"
    frame = tickets(90)
    frame["text"] += " Straße"
    frame["label"] = frame["label"].replace("login", "größe")
    frame[["text", "label", "split"]].to_csv(source, index=False, encoding="utf-8")
    reviews = load_reviews(source)
    assert all(text.endswith("Straße") for text in reviews["train"]["text"])
    tokenizer = train_tokenizer(reviews["train"]["text"], "text-cnn", vocab_size=300)
    reads = encode_reviews(reviews["train"], tokenizer)
    make_trainer(folder / "läuft", reads, tokenizer, 2).train()
    trainer = make_trainer(folder / "läuft", reads, tokenizer, 3)
    trainer.train(resume_from_checkpoint=True)
    assert trainer.state.global_step == 3
    trainer.save_model(str(folder / "fertig"))
    again = type(trainer.model).from_pretrained(folder / "fertig").eval()
    graph = trace_onnx(again, folder / "fertig" / "modell.onnx")
    names = [again.config.id2label[number] for number in range(3)]
    bundle = write_bundle(folder / "Bündel", graph, tokenizer, names)
    reader = TextClassifier(bundle)
    texts = list(reviews["test"]["text"])[:3]
    rows = encode_reviews(reviews["test"].select(range(3)), tokenizer)
    wanted = trainer.predict(rows).predictions
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    np.testing.assert_allclose(reader(texts), wanted, atol=1e-4)
    assert reader.labels[-1] == "größe"


def test_a_cache_sets_a_damaged_file_aside_and_goes_on(folder, counting_teacher):
    texts = ["gut", "schlecht", "mäßig"]
    wanted = CachedTeacher(counting_teacher, folder / "cache").logits(texts)
    (file,) = (folder / "cache").rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    again = CachedTeacher(counting_teacher, folder / "cache")
    np.testing.assert_array_equal(again.logits(texts), wanted)
    assert len(again.damaged) == 1 and len(counting_teacher.asked) == 6
    np.testing.assert_array_equal(again.logits(texts), wanted)


def test_a_sweep_goes_on_where_it_was_stopped(folder):
    toy = write_notebook(folder / "toy.ipynb")
    place, first, second = folder / "für alle", Instant(error="zu heiß"), Instant()
    run_sweep(toy, place, settings(1, 2), executor=first)
    states = run_sweep(toy, place, settings(1, 2), executor=second, retry_failed=True)
    assert set(states.values()) == {FINISHED} and len(second.asked) == 2
    assert len(list(place.glob("runs/*/results.json"))) == 2
    third = Instant()
    run_sweep(toy, place, settings(1, 2, 3), executor=third)
    assert [asked["temperature"] for asked in third.asked] == [3]


# ------------------------------------------------------------- what would be guessed
def test_no_text_is_opened_in_the_machines_own_encoding():
    words = ["check", "--isolated", "--preview", "--select", "PLW1514", "--quiet"]
    places = ["start.py", "distill_helpers", "tests", "notebooks", "docs"]
    command = [sys.executable, "-m", "ruff", *words, "--no-cache", *places]
    found = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert not found.returncode, found.stdout.decode()


def guesses(source):
    """Return the lines at which another program's output is decoded by guess."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            names = {keyword.arg for keyword in node.keywords}
            if names & {"text", "universal_newlines"} and not names & {"encoding"}:
                if isinstance(node.func, ast.Attribute) and node.func.attr in (
                    "run",
                    "Popen",
                    "check_output",
                ):
                    yield node.lineno


def test_no_programs_output_is_decoded_by_guess():
    found = [(path, *guesses(path.read_text("utf-8"))) for path in PROGRAMS]
    assert not [path for path, *lines in found if lines]
    source = "import subprocess\nsubprocess.run([], text=True)\nrun(text='a')\n"
    assert list(guesses(source)) == [2]
