"""Wherever a run is killed, it goes on from a whole checkpoint to the same weights."""

import json
import logging
import os
import shutil

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, TrainerCallback, TrainerState

from distill_helpers.data.encoding import encode_reviews
from distill_helpers.losses.matching import HiddenStateMatcher
from distill_helpers.students.registry import build_student
from distill_helpers.training.checkpoints import (
    FACTS,
    STATE,
    CheckpointError,
    newest_whole,
    what_is_torn,
)
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.trainer import DistillationTrainer

FILES = ["optimizer.pt", "scheduler.pt", "rng_state.pth"]


@pytest.fixture(scope="module")
def data(texts, labels, tokenizers):
    some = [y if i % 3 == 0 else -100 for i, y in enumerate(labels)]
    logits = [[len(t) % 7 - 3.5, len(t) % 5 - 2.5] for t in texts]
    table = {"text": texts, "label": some, "teacher_logits": logits}
    judged = {"text": texts, "label": labels}
    reader = tokenizers["text-cnn"]
    return encode_reviews(Dataset.from_dict(table), reader), encode_reviews(
        Dataset.from_dict(judged), reader
    )


def make(folder, tokenizers, data, **options):
    given = options.pop("given", {})
    settings = {
        "use_cpu": True,
        "disable_tqdm": True,
        "max_steps": 8,
        "save_strategy": "steps",
        "save_steps": 2,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "save_total_limit": 1,
        "load_best_model_at_end": True,
        "metric_for_best_model": "accuracy",
        "per_device_train_batch_size": 16,
        "learning_rate": 0.01,
        "seed": 3,
    }
    reader = tokenizers["text-cnn"]
    model = build_student("text-cnn", reader, filters=4, embedding_size=8, dropout=0.3)
    return DistillationTrainer(
        model,
        None,
        DistillationConfig(output_dir=str(folder), **(settings | options)),
        *data,
        processing_class=reader,
        **given,
    )


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def train(folder, tokenizers, data, resume=None, **options):
    run = make(folder, tokenizers, data, **options)
    run.train(resume_from_checkpoint=resume)
    return weights(run.model)


class Snapshots:
    """Copies a run's folder before and after each step of writing to it.

    What lies there is what a process would leave that is killed at that moment.
    """

    def __init__(self, folder, home, monkeypatch):
        self.folder, self.home, self.taken = folder, home, []
        for owner, name in (
            (torch, "save"),
            (os, "replace"),
            (shutil, "rmtree"),
            (TrainerState, "save_to_json"),
        ):
            monkeypatch.setattr(owner, name, self.around(getattr(owner, name)))

    def around(self, act):
        def acting(*args, **kwargs):
            self.take()
            found = act(*args, **kwargs)
            self.take()
            return found

        return acting

    def take(self):
        place = self.home / str(len(self.taken))
        if self.folder.is_dir():
            shutil.copytree(self.folder, place)
            self.taken.append(place)


def listing(folder):
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*")}


def test_a_run_that_was_killed_anywhere_ends_with_the_same_weights(
    tmp_path, tokenizers, data, monkeypatch
):
    with monkeypatch.context() as patch:
        shots = Snapshots(tmp_path / "run", tmp_path / "shots", patch)
        whole = train(tmp_path / "run", tokenizers, data)
    assert not list((tmp_path / "run").glob(".*"))
    different = {
        json.dumps(listing(shot), sort_keys=True): shot for shot in shots.taken
    }
    begun = [s for s in different.values() if list(s.glob("checkpoint-*"))]
    assert len(different) >= 20 and len(begun) >= 15
    tried = begun[:: max(1, len(begun) // 5)]
    for shot in tried:
        for path in shot.glob("checkpoint-*"):
            # Whole or not there; one that is being deleted is the older of two.
            if what_is_torn(path, FILES):
                assert newest_whole(shot, FILES) != path
        assert train(shot, tokenizers, data, True).equal(whole), shot.name


def test_the_newest_whole_checkpoint_is_taken_and_named(
    tmp_path, tokenizers, data, caplog
):
    options = {"save_total_limit": None}
    whole = train(tmp_path, tokenizers, data, **options)
    newest = tmp_path / "checkpoint-8"
    (newest / "optimizer.pt").write_bytes((newest / "optimizer.pt").read_bytes()[:200])
    (tmp_path / "checkpoint-6" / STATE).write_text('{"epoch": 1')
    with caplog.at_level(logging.WARNING):
        again = train(tmp_path, tokenizers, data, True, **options)
    assert again.equal(whole)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "resuming from checkpoint-4" in said
    assert "checkpoint-8 is not whole: optimizer.pt is torn" in said
    assert f"checkpoint-6 is not whole: {STATE} is torn" in said


@pytest.mark.parametrize(
    "name", [*FILES, "model.safetensors", STATE], ids=lambda n: n.split(".")[0]
)
def test_a_checkpoint_that_lacks_something_is_refused(tmp_path, tokenizers, data, name):
    train(tmp_path, tokenizers, data, max_steps=2)
    path = tmp_path / "checkpoint-2"
    (path / name).unlink()
    for asked in (True, str(path)):
        with pytest.raises(CheckpointError, match=f"it lacks {name}"):
            train(tmp_path, tokenizers, data, asked, max_steps=4)


def test_without_a_checkpoint_a_resume_is_refused(tmp_path, tokenizers, data):
    with pytest.raises(CheckpointError, match="there is none"):
        train(tmp_path, tokenizers, data, True)
    with pytest.raises(CheckpointError, match="there is no such folder"):
        train(tmp_path, tokenizers, data, str(tmp_path / "checkpoint-1"))


def test_what_was_saved_for_its_weights_alone_is_not_resumed(
    tmp_path, tokenizers, data
):
    train(tmp_path, tokenizers, data, max_steps=2, save_only_model=True)
    with pytest.raises(CheckpointError, match="lacks optimizer.pt: without it.*only"):
        train(tmp_path, tokenizers, data, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 4.0}, "temperature 2.0, now 4.0"),
        ({"alpha": 0.5}, "alpha 0.9, now 0.5"),
        ({"seed": 4}, "seed 3, now 4"),
        ({"class_weights": [1.0, 2.0]}, r"class_weights None, now \[1.0, 2.0\]"),
        ({"teacher": True}, "data '.*', now '.*'"),
        ({"labels": True}, "data '.*', now '.*'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_resume_with_something_else_is_noticed(
    tmp_path, tokenizers, data, change, message
):
    import copy

    train(tmp_path, tokenizers, data, max_steps=2)
    change, (other, judged) = dict(change), data
    other = copy.copy(other)
    if change.pop("teacher", None):
        other.teacher_logits = -np.asarray(other.teacher_logits)
    if change.pop("labels", None):
        other.labels = np.where(other.labels >= 0, 1 - other.labels, other.labels)
    with pytest.raises(CheckpointError, match=f"belongs to another run: .*{message}"):
        train(tmp_path, tokenizers, (other, judged), True, **change)
    # To go on for longer with the same is no other run.
    assert len(train(tmp_path, tokenizers, data, True, max_steps=4))


def test_another_live_teacher_is_noticed_by_its_fingerprint(
    tmp_path, tokenizers, texts, labels
):
    from conftest import CountingTeacher

    table = Dataset.from_dict({"text": texts, "label": labels})
    reader = tokenizers["text-cnn"]

    def run(name, resume=None):
        settings = DistillationConfig(
            output_dir=str(tmp_path),
            use_cpu=True,
            disable_tqdm=True,
            max_steps=2,
            save_steps=1,
            live_teacher=True,
        )
        model = build_student("text-cnn", reader, filters=4, embedding_size=8)
        teacher = CountingTeacher(name)
        trainer = DistillationTrainer(
            model, teacher, settings, table, processing_class=reader
        )
        trainer.train(resume_from_checkpoint=resume)

    run("first")
    with pytest.raises(CheckpointError, match="teacher 'first', now 'second'"):
        run("second", True)


def test_an_older_checkpoint_without_a_note_is_resumed_with_a_word(
    tmp_path, tokenizers, data, caplog
):
    train(tmp_path, tokenizers, data, max_steps=2)
    (tmp_path / "checkpoint-2" / FACTS).unlink()
    train(tmp_path, tokenizers, data, True, max_steps=2)
    assert "cannot be checked" in caplog.text


def test_a_full_disk_is_an_error_and_leaves_nothing_half_written(
    tmp_path, tokenizers, data, monkeypatch
):
    save, calls = torch.save, []

    def full(thing, path, *args, **kwargs):
        calls.append(path)
        if len(calls) == 5:  # in the second checkpoint
            save(thing, path)
            raise OSError(28, "No space left on device")
        save(thing, path, *args, **kwargs)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        train(tmp_path, tokenizers, data)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-2"]
    whole = train(tmp_path / "whole", tokenizers, data)
    assert train(tmp_path, tokenizers, data, True).equal(whole)


def test_the_patience_of_early_stopping_survives(tmp_path, tokenizers, data):
    class Stop(TrainerCallback):
        def on_save(self, args, state, control, **kwargs):
            control.should_training_stop = state.global_step == 4

    options = {"learning_rate": 1e-9, "early_stopping_patience": 3, "max_steps": 20}
    whole = make(tmp_path / "whole", tokenizers, data, **options)
    whole.train()
    assert whole.state.global_step == 8  # the first look and three no better
    part = make(
        tmp_path / "part", tokenizers, data, given={"callbacks": [Stop()]}, **options
    )
    part.train()
    assert part.state.global_step == 4
    again = make(tmp_path / "part", tokenizers, data, **options)
    again.train(resume_from_checkpoint=True)
    assert again.state.global_step == 8
    kept = [
        c
        for c in again.callback_handler.callbacks
        if isinstance(c, EarlyStoppingCallback)
    ]
    assert [c.early_stopping_patience_counter for c in kept] == [3]


def test_projections_belong_to_a_checkpoint(tmp_path, tokenizers, texts, labels):
    reader = tokenizers["tiny-transformer"]
    shape = {"hidden_size": 16, "embedding_size": 8, "num_hidden_layers": 1}
    teacher = build_student("tiny-transformer", reader, **(shape | {"hidden_size": 32}))
    table = Dataset.from_dict({"text": texts, "label": labels})

    def run(resume=None):
        model = build_student("tiny-transformer", reader, **shape)
        trainer = DistillationTrainer(
            model,
            None,
            DistillationConfig(
                output_dir=str(tmp_path),
                use_cpu=True,
                disable_tqdm=True,
                max_steps=1,
                save_steps=1,
            ),
            table,
            processing_class=reader,
            hidden_states=HiddenStateMatcher(teacher, reader, model, reader),
        )
        trainer.train(resume_from_checkpoint=resume)

    run()
    (tmp_path / "checkpoint-1" / "projections.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="projections.safetensors is torn"):
        run(True)
