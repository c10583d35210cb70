"""SIGKILL wherever something is written: done again, the result is the same bit by bit.

A child counts what it writes and kills itself at a chosen call, so that no clock
decides where. Children are forked from this process, which has loaded all already.
"""

import builtins
import hashlib
import io
import json
import os
import shutil
import signal
import sys
import traceback
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from cases_05_teachers import answering, right
from cases_07_training import SOFT, data, student
from cases_09_sweeps import notebook
from judging import Place

from distill_helpers.classroom.executors import Outcome
from distill_helpers.classroom.settings import grid
from distill_helpers.classroom.sweeps import run_sweep
from distill_helpers.export.browser import (
    RuntimeMissingError,
    runtime_files,
    to_browser,
)
from distill_helpers.export.bundle import write_bundle
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.training.checkpoints import CheckpointError
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.saving import save_run
from distill_helpers.training.trainer import DistillationTrainer

pytestmark = [
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]
WRITES = (
    (os, "replace"),
    (os, "rename"),
    (os, "mkdir"),
    (os, "rmdir"),
    (os, "fsync"),
    (torch, "save"),
    (pq, "write_table"),
    (shutil, "copyfile"),
)


class Counting:
    """Counts each call that writes, before and after it; kills at the chosen one."""

    def __init__(self, kill_at=None):
        self.count, self.kill_at = 0, kill_at
        for owner, name in WRITES:
            setattr(owner, name, self.around(getattr(owner, name)))
        opened = self.around(io.open)

        def opening(file, mode="r", *args, **kwargs):
            writes = set(mode) & set("wax+") and not isinstance(file, int)
            return (opened if writes else self.open)(file, mode, *args, **kwargs)

        self.open = io.open
        io.open = builtins.open = opening

    def tick(self):
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, act):
        def acting(*args, **kwargs):
            self.tick()
            found = act(*args, **kwargs)
            self.tick()
            return found

        return acting


def in_child(work, folder, kill_at=None):
    """Do work in a child; give (calls, result), or None if it was killed."""
    said = folder.parent / f"{folder.name}.said"
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.set_num_threads(1)  # the parent's threads are not there
            counting = Counting(kill_at)
            result = work(folder)
            calls = counting.count
            counting.kill_at = None
            said.write_text(json.dumps([calls, result]), "utf-8")
            status = 0
        except BaseException:  # noqa: BLE001 -- told, and the child must end here
            said.with_suffix(".error").write_text(traceback.format_exc(), "utf-8")
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return None
    error = said.with_suffix(".error")
    assert ended == 0, error.read_text("utf-8") if error.is_file() else ended
    return json.loads(said.read_text("utf-8"))


def digest(*parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def files(folder, pattern="**/*"):
    """The content of a folder, without what is hidden."""
    paths = sorted(p for p in Path(folder).glob(pattern) if p.is_file())
    shown = [p for p in paths if "/." not in f"/{p.relative_to(folder).as_posix()}"]
    return digest(*(str(p.relative_to(folder)).encode() + p.read_bytes() for p in shown))  # fmt: skip


# ------------------------------------------------------------------------- the works
def training(shop):
    """Six steps with checkpoints; the best by validation is loaded at the end."""

    def work(folder):
        model, reader = student(Place(folder, shop), dropout=0.3)
        options = {
            "save_strategy": "steps",
            "save_steps": 2,
            "eval_strategy": "steps",
            "eval_steps": 2,
            "load_best_model_at_end": True,
            "metric_for_best_model": "accuracy",
            "save_total_limit": 1,
        }
        config = DistillationConfig(
            output_dir=str(folder), max_steps=6, use_cpu=True, disable_tqdm=True,
            learning_rate=0.01, seed=3, per_device_train_batch_size=8, **options,
        )  # fmt: skip
        run = DistillationTrainer(
            model, None, config, data(teacher_logits=SOFT), data(16),
            processing_class=reader,
        )  # fmt: skip
        try:
            run.train(resume_from_checkpoint=bool(list(folder.glob("checkpoint-*"))))
        except CheckpointError:  # killed before the first was whole
            shutil.rmtree(folder)
            run.train()
        best = run.state.best_global_step, run.state.best_metric
        weights = [p.detach().numpy().tobytes() for p in run.model.parameters()]
        return digest(*weights, repr(best).encode())

    return work


def caching(shop):
    def work(folder):
        texts = [f"{'word ' * (i % 5)}text {i}" for i in range(12)]
        cached = CachedTeacher(answering(right), folder, chunk=3)
        found = cached.logits(texts)
        assert np.array_equal(found, right(texts)) and not cached.damaged
        return digest(found.tobytes(), files(folder).encode())

    return work


class Instant(Executor):
    """Runs nothing: the parameters are the result."""

    def submit(self, run, content, parameters, sweep, **place):
        future = Future()
        plain = {k: v for k, v in parameters.items() if k != "output_dir"}
        future.set_result(Outcome(content, json.dumps(plain).encode()))
        return future


def sweeping(shop):
    def work(folder):
        book = folder.parent / "book.ipynb"
        if not book.exists():
            book.write_text(notebook(), "utf-8")
        settings = grid({"temperature": [1.0, 2.0], "steps": [1, 2]})
        ended = run_sweep(book, folder, settings, {"student": "bigram"}, executor=Instant())  # fmt: skip
        assert set(ended.values()) == {"finished"} and len(ended) == 4
        plan = (folder / "plan.json").read_bytes()
        return digest(files(folder, "runs/*/*").encode(), plan)

    return work


def keeping(shop):
    """The student that won, with its results and its card."""

    def work(folder):
        model, reader = student(Place(folder, shop), seed=4)
        result = folder / "results.json"
        if not result.exists():
            row = {"name": "distilled", "seeds": [0], "examples": 4}
            row |= {"accuracy": {"per_seed": [0.5], "mean": 0.5}}
            content = {"format": 1, "lesson": "03", "settings": {}, "rows": [row]}
            save_run(folder, content, model, reader)
        return digest(files(folder).encode())

    return work


def exporting(shop):
    """A bundle and, where its runtime is there, a page of it."""

    def work(folder):
        folder.mkdir(exist_ok=True)
        bundle, page = folder / "bundle", folder / "page"
        names = ["negative", "positive"]
        if not bundle.exists():
            write_bundle(bundle, shop.onnx, shop.student[1], names)
        if WITH_PAGE and not page.exists():
            to_browser(bundle, page)
        return files(folder)

    return work


try:
    WITH_PAGE = bool(runtime_files())
except RuntimeMissingError:
    WITH_PAGE = False
KILLS = {training: 4, caching: 4, sweeping: 4, keeping: 4, exporting: 4}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            make, id=make.__name__, marks=[pytest.mark.full] * (make is training)
        )
        for make in KILLS
    ],
)
def test_killed_anywhere_and_called_again_gives_the_same(make, shop, tmp_path):
    assert shop.student and shop.onnx  # before any child
    work = make(shop)
    calls, whole = in_child(work, tmp_path / "whole")
    points = np.linspace(1, calls - 3, KILLS[make]).round().astype(int)
    assert len(set(points)) == KILLS[make], f"only {calls} calls that write"
    for point in points:
        home = tmp_path / str(point)
        home.mkdir()
        assert in_child(work, home / "whole", int(point)) is None
        assert in_child(work, home / "whole")[1] == whole, f"killed at call {point}"


def test_there_are_twenty_points_and_more():
    assert sum(KILLS.values()) >= 20
