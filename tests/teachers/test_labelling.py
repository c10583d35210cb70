"""A pool is labelled in pieces by any executor, as by the teacher itself."""

import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from distill_helpers.teachers.base import Teacher
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.labelling import label_texts

TEXTS = [f"{'long ' * (i % 7)}text {i}" for i in range(50)]


class Counting(Teacher):
    """Answers with the text's length and its last number."""

    num_labels = 2
    fingerprint = "counting"

    def __init__(self, folder: Path | None = None, failures: int = 0) -> None:
        self.folder = folder
        self.failures = failures

    def logits(self, texts):
        if self.folder is not None and "text 13" in " ".join(texts):
            tries = len(list(self.folder.iterdir()))
            if tries < self.failures:
                (self.folder / str(tries)).touch()
                raise ConnectionError("the worker went away")
        rows = [[len(t), int(re.findall(r"\d+", t)[-1])] for t in texts]
        return np.array(rows, np.float32)


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("asked", [Counting(), Counting], ids=["teacher", "opener"])
def test_processes_say_what_the_teacher_says_in_the_same_order(processes, asked):
    found = label_texts(asked, TEXTS, processes, chunk=8)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, Counting().logits(TEXTS))


def test_without_an_executor_it_is_done_here():
    found = label_texts(Counting(), TEXTS, chunk=7)
    np.testing.assert_array_equal(found, Counting().logits(TEXTS))


@pytest.mark.parametrize("pool", [None, ThreadPoolExecutor])
def test_a_piece_that_failed_once_is_asked_again(pool, tmp_path):
    executor = pool and pool(2)
    found = label_texts(Counting(tmp_path, failures=1), TEXTS, executor, chunk=8)
    np.testing.assert_array_equal(found, Counting().logits(TEXTS))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_piece_that_goes_on_failing_is_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"1 texts .* 3 attempts \(numbers 13\)"):
        label_texts(Counting(tmp_path, failures=9), TEXTS, chunk=1, attempts=3)


def test_answers_are_remembered_where_the_teacher_has_a_cache(processes, tmp_path):
    cached = CachedTeacher(Counting(), tmp_path / "cache", chunk=8)
    found = label_texts(cached, TEXTS, processes, chunk=8)
    again = CachedTeacher(Counting(tmp_path, failures=9), tmp_path / "cache")
    np.testing.assert_array_equal(again.logits(TEXTS), found)


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([], {}, "at least one text"),
        (["a 1"], {"chunk": 0}, "chunk must be at least 1"),
        (["a 1"], {"attempts": 0}, "attempts must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_refused(texts, options, message):
    with pytest.raises(ValueError, match=message):
        label_texts(Counting(), texts, **options)
