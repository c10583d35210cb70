"""The packed student that comes with the kit is the one that the results speak of."""

import json

import numpy as np
from safetensors import safe_open

from distill_helpers.data.reviews import load_reviews
from distill_helpers.places import BEST_STUDENT, RESULTS
from distill_helpers.students.pocket import PocketStudent

KEPT = json.loads((RESULTS / "best_small_student_imdb.json").read_text("utf-8"))
(ROW,) = KEPT["rows"]


def test_its_file_has_the_size_and_the_shape_of_the_results():
    assert BEST_STUDENT.stat().st_size == ROW["cost"]["bytes_on_disk"] <= 1_000_000
    student, asked = PocketStudent.load(BEST_STUDENT), KEPT["settings"]
    assert student.rooted and list(student.label_names) == ["negative", "positive"]
    assert len(student.index.keys) == asked["ngrams"]
    assert len(student.table.keys) == asked["vocabulary"]
    assert student.cnn.config.filters == asked["filters"]
    parameters = sum(p.numel() for p in student.cnn.parameters())
    assert len(student.weights) + parameters == ROW["cost"]["parameters"]


def test_it_holds_numbers_and_no_text():
    with safe_open(BEST_STUDENT, "numpy") as file:
        assert set(file.metadata()) == {"about"}
        about = json.loads(file.metadata()["about"])
        assert all(file.get_tensor(name).dtype.kind in "iuf" for name in file.keys())
    written = [value for value in about.values() if isinstance(value, str)]
    assert len(written) == 2 and about["format"] in written and about["kit"] in written


def test_it_answers_reviews_that_it_has_not_read():
    """They are our own, in another manner than those of IMDB."""
    reviews = load_reviews("sample")["test"]
    logits = PocketStudent.load(BEST_STUDENT)(list(reviews["text"]))
    assert logits.shape == (len(reviews), 2) and np.isfinite(logits).all()
    assert (logits.argmax(1) == np.array(reviews["label"])).mean() >= 0.74


def test_its_card_says_what_the_results_say():
    card = (BEST_STUDENT.parent / "README.md").read_text("utf-8")
    assert f"**the file** | {ROW['accuracy']['mean']:.3f}" in card
