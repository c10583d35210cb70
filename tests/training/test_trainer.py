import copy
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import Trainer

from distill_helpers.data.encoding import (
    DistillationCollator,
    EncodedReviews,
    LengthGroupedSampler,
    encode_reviews,
    length_grouped,
)
from distill_helpers.losses.combined import DistillationLoss
from distill_helpers.losses.soft_targets import kd_loss
from distill_helpers.students.registry import build_student
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.live import HuggingFaceTeacher
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.trainer import DistillationTrainer


def config(folder, **options):
    settings = {
        "output_dir": str(folder),
        "use_cpu": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "max_steps": 4,
        "per_device_train_batch_size": 16,
        "data_seed": 0,
    }
    return DistillationConfig(**{**settings, **options})


def make_student(tokenizers, seed=0):
    return build_student(
        "text-cnn",
        tokenizers["text-cnn"],
        filters=8,
        embedding_size=16,
        dropout=0.0,
        seed=seed,
    )


def make_trainer(folder, tokenizers, dataset, teacher, **options):
    evaluation = options.pop("eval_dataset", None)
    return DistillationTrainer(
        make_student(tokenizers),
        teacher,
        config(folder, **options),
        dataset,
        evaluation,
        processing_class=tokenizers["text-cnn"],
    )


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture
def mixed(texts, labels):
    """Every third review is labelled."""
    some = [y if i % 3 == 0 else -100 for i, y in enumerate(labels)]
    return Dataset.from_dict({"text": texts, "label": some})


def test_a_student_learns_to_follow_its_teacher(
    tmp_path, tokenizers, mixed, bert, bert_tokenizer
):
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64, progress=False)
    trainer = make_trainer(
        tmp_path, tokenizers, mixed, teacher, max_steps=60, learning_rate=0.01
    )
    trainer.train()
    kd = [entry["kd"] for entry in trainer.state.log_history if "kd" in entry]
    assert np.mean(kd[-4:]) < 0.5 * np.mean(kd[:4])


def test_the_first_step_is_that_of_a_plain_loop(
    tmp_path, tokenizers, mixed, counting_teacher
):
    trainer = make_trainer(
        tmp_path,
        tokenizers,
        mixed,
        counting_teacher,
        max_steps=1,
        per_device_train_batch_size=64,
        warmup_steps=0,
        optim="sgd",
        learning_rate=0.1,
        lr_scheduler_type="constant",
        max_grad_norm=0,
        temperature=3.0,
        alpha=0.3,
    )
    trainer.train()
    model = make_student(tokenizers).train()
    encoded = encode_reviews(mixed, tokenizers["text-cnn"], counting_teacher)
    collate = DistillationCollator(tokenizers["text-cnn"].pad_token_id)
    batch = collate([encoded[i] for i in range(64)])
    logits = model(batch["input_ids"], batch["attention_mask"]).logits
    loss = DistillationLoss(3.0, 0.3)(logits, batch["teacher_logits"], batch["labels"])
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    torch.testing.assert_close(
        weights(trainer.model), weights(model), atol=1e-6, rtol=1e-5
    )
    assert trainer.state.log_history[0]["loss"] == pytest.approx(loss.item(), rel=1e-3)


@pytest.mark.parametrize("micro", [1, 2, 8])
def test_accumulated_gradients_equal_the_big_batch(
    tmp_path, tokenizers, mixed, counting_teacher, micro
):
    results = []
    for size, steps in ((64, 1), (64 // micro, micro)):
        trainer = make_trainer(
            tmp_path,
            tokenizers,
            mixed,
            counting_teacher,
            max_steps=3,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=steps,
            optim="sgd",
            learning_rate=0.5,
            max_grad_norm=0,
            warmup_steps=0,
        )
        trainer.train()
        history = [e for e in trainer.state.log_history if "kd" in e]
        results.append((weights(trainer.model), history))
    (whole, one), (parts, many) = results
    assert (whole - weights(make_student(tokenizers))).abs().max() > 1e-3
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-5)
    for term in ("loss", "kd", "cross_entropy"):
        assert many[0][term] == pytest.approx(one[0][term], rel=1e-3)


STILL = {  # no dropout, which would draw other numbers for other batches
    "bigram": {},
    "text-cnn": {"dropout": 0.0},
    "tiny-transformer": {"hidden_dropout_prob": 0.0},
}


@pytest.mark.parametrize("student", sorted(STILL))
def test_the_accumulated_gradient_is_that_of_the_big_batch_for_every_student(
    tmp_path, tokenizers, mixed, counting_teacher, student
):
    """In float64, where only the arithmetic of the loss is left to differ."""
    gradients = []
    for size, steps in ((64, 1), (8, 8)):
        model = build_student(student, tokenizers[student], **STILL[student]).double()
        before = weights(model).clone()
        trainer = DistillationTrainer(
            model,
            counting_teacher,
            config(
                tmp_path,
                max_steps=1,
                per_device_train_batch_size=size,
                gradient_accumulation_steps=steps,
                optim="sgd",
                learning_rate=1.0,
                lr_scheduler_type="constant",
                max_grad_norm=0,
                warmup_steps=0,
            ),
            mixed,
            processing_class=tokenizers[student],
        )
        trainer.train()
        gradients.append(before - weights(model))
    whole, parts = gradients
    assert whole.dtype == torch.float64 and whole.abs().max() > 1e-3
    torch.testing.assert_close(parts, whole, atol=1e-10, rtol=0)


PROCESSES = """
    import sys
    sys.path.insert(0, {tests!r})
    from conftest import CountingTeacher
    from datasets import Dataset
    from distill_helpers import load_reviews
    from distill_helpers.students import build_student, train_tokenizer
    from distill_helpers.training import DistillationConfig, DistillationTrainer

    folder, size = sys.argv[1:]
    texts = load_reviews("sample")["train"]["text"][:64]
    labels = [i % 2 if i % 16 == 0 else -100 for i in range(64)]
    tokenizer = train_tokenizer(texts, "text-cnn", vocab_size=800)
    model = build_student(
        "text-cnn", tokenizer, filters=8, embedding_size=16, dropout=0.0
    )
    args = DistillationConfig(
        output_dir=folder, use_cpu=True, ddp_backend="gloo", disable_tqdm=True,
        max_steps=6, save_strategy="no", per_device_train_batch_size=int(size),
        learning_rate=0.1, optim="sgd", max_grad_norm=0, warmup_steps=0,
    )
    trainer = DistillationTrainer(
        model, CountingTeacher(), args,
        Dataset.from_dict({{"text": texts, "label": labels}}),
        processing_class=tokenizer,
    )
    trainer.train()
    if trainer.is_world_process_zero():
        assert args.world_size * int(size) == 16
        model.save_pretrained(folder + "/final")
"""


def test_two_processes_train_as_one_with_the_doubled_batch(tmp_path):
    """Even where one process holds a label and the other none."""
    from safetensors.torch import load_file

    script = tmp_path / "train.py"
    tests = str(Path(__file__).parents[1])
    script.write_text(textwrap.dedent(PROCESSES.format(tests=tests)))
    ends = []
    for count in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc_per_node={count}", str(script)]
        command += [str(tmp_path / str(count)), str(16 // count)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=300,
            env=os.environ
            | {
                "CUDA_VISIBLE_DEVICES": "",  # two processes may not share one
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "HF_HUB_OFFLINE": "1",
            },
        )
        assert done.returncode == 0, done.stderr[-3000:]
        ends.append(load_file(tmp_path / str(count) / "final" / "model.safetensors"))
    for name, weight in ends[0].items():
        torch.testing.assert_close(ends[1][name], weight, atol=1e-6, rtol=1e-5)


def test_a_short_last_accumulation_is_exact_too(
    tmp_path, tokenizers, mixed, counting_teacher
):
    fifty = mixed.select(range(50))  # 3 batches of 16 and one of 2
    runs = [
        make_trainer(
            tmp_path,
            tokenizers,
            fifty,
            counting_teacher,
            max_steps=1,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=steps,
            optim="sgd",
            learning_rate=0.5,
            max_grad_norm=0,
            warmup_steps=0,
        )
        for size, steps in ((50, 1), (16, 4))
    ]
    for trainer in runs:
        trainer.train()
    torch.testing.assert_close(
        weights(runs[0].model), weights(runs[1].model), atol=1e-5, rtol=1e-5
    )


def test_the_loss_terms_are_logged_apart(tmp_path, tokenizers, mixed, counting_teacher):
    trainer = make_trainer(
        tmp_path,
        tokenizers,
        mixed,
        counting_teacher,
        alpha=0.25,
        max_steps=2,
        eval_dataset=mixed,
        eval_strategy="steps",
        eval_steps=1,
    )
    trainer.train()
    train = next(e for e in trainer.state.log_history if "kd" in e)
    mixture = 0.25 * train["kd"] + 0.75 * train["cross_entropy"]
    assert train["loss"] == pytest.approx(mixture, rel=1e-3)
    evaluation = next(e for e in trainer.state.log_history if "eval_loss" in e)
    assert 0 <= evaluation["eval_accuracy"] <= 1
    assert evaluation["eval_cross_entropy"] == evaluation["eval_loss"]


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_evaluation_loss_weighs_every_label_alike(
    tmp_path, tokenizers, mixed, labelled, counting_teacher, batch_size
):
    """However the labels fall into batches, the loss is that of all at once."""
    trainer = make_trainer(
        tmp_path,
        tokenizers,
        mixed,
        counting_teacher,
        alpha=0.25,
        per_device_eval_batch_size=batch_size,
    )
    found = trainer.evaluate(mixed)
    logits = torch.from_numpy(trainer.predict(mixed).predictions)
    truth = torch.tensor(mixed["label"])
    expected = torch.nn.functional.cross_entropy(logits, truth)  # -100 is left out
    assert found["eval_cross_entropy"] == pytest.approx(expected.item(), rel=1e-5)
    assert found["eval_loss"] == pytest.approx(expected.item(), rel=1e-5)
    soft = mixed.add_column(
        "teacher_logits", counting_teacher.logits(mixed["text"]).tolist()
    )
    found = trainer.evaluate(soft, metric_key_prefix="soft")
    target = torch.tensor(soft["teacher_logits"])
    kd = kd_loss(logits, target, trainer.args.temperature)
    assert found["soft_kd"] == pytest.approx(kd.item(), rel=1e-4)
    total = 0.25 * kd + 0.75 * expected
    assert found["soft_loss"] == pytest.approx(total.item(), rel=1e-4)


def test_a_live_teacher_and_a_cached_one_train_the_same_student(
    tmp_path, tokenizers, mixed, bert, bert_tokenizer
):
    live = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64, progress=False)
    cached = CachedTeacher(live, tmp_path / "cache")
    runs = [
        make_trainer(tmp_path, tokenizers, mixed, teacher, live_teacher=per_batch)
        for teacher, per_batch in ((live, True), (cached, False))
    ]
    for trainer in runs:
        trainer.train()
    torch.testing.assert_close(
        weights(runs[0].model), weights(runs[1].model), atol=1e-4, rtol=1e-4
    )


def test_the_teacher_is_asked_once_when_it_is_not_live(
    tmp_path, tokenizers, mixed, counting_teacher
):
    make_trainer(tmp_path, tokenizers, mixed, counting_teacher, max_steps=12).train()
    assert len(counting_teacher.asked) == len(mixed)


def test_the_control_needs_labels_alone(tmp_path, tokenizers, labelled):
    trainer = make_trainer(tmp_path, tokenizers, labelled, None, max_steps=3)
    trainer.train()
    history = [e for e in trainer.state.log_history if "loss" in e]
    assert all("kd" not in entry for entry in history)
    assert history[0]["loss"] == pytest.approx(history[0]["cross_entropy"], rel=1e-3)


def test_logits_in_a_column_need_no_teacher(
    tmp_path, tokenizers, texts, counting_teacher
):
    logits = counting_teacher.logits(texts)
    dataset = Dataset.from_dict({"text": texts, "teacher_logits": logits.tolist()})
    trainer = make_trainer(tmp_path, tokenizers, dataset, None, alpha=1.0)
    trainer.train()
    assert any("kd" in entry for entry in trainer.state.log_history)


def test_the_best_checkpoint_is_that_of_the_metric(
    tmp_path, tokenizers, labelled, counting_teacher
):
    trainer = make_trainer(
        tmp_path,
        tokenizers,
        labelled,
        counting_teacher,
        max_steps=40,
        save_strategy="steps",
        eval_strategy="steps",
        eval_steps=2,
        save_steps=2,
        early_stopping_patience=3,
        eval_dataset=labelled,
        learning_rate=0.02,
        save_total_limit=1,
    )
    trainer.train()
    scores = [
        e["eval_accuracy"] for e in trainer.state.log_history if "eval_accuracy" in e
    ]
    assert trainer.state.best_metric == max(scores)
    assert trainer.state.global_step < 40 or scores[-1] >= max(scores[:-3])
    assert trainer.evaluate()["eval_accuracy"] == max(scores)


def test_the_schedule_is_a_cosine_with_warm_up(tmp_path, tokenizers, labelled):
    trainer = make_trainer(tmp_path, tokenizers, labelled, None, max_steps=50)
    trainer.train()
    rates = [
        e["learning_rate"] for e in trainer.state.log_history if "learning_rate" in e
    ]
    peak = int(np.argmax(rates))
    assert 1 <= peak <= 5
    middle = rates[peak + (len(rates) - peak) // 2]
    assert middle == pytest.approx(max(rates) / 2, rel=0.15)
    assert rates[-1] < 0.01 * max(rates)


def test_bf16_trains(tmp_path, tokenizers, mixed, counting_teacher):
    trainer = make_trainer(
        tmp_path, tokenizers, mixed, counting_teacher, bf16=True, max_steps=3
    )
    trainer.train()
    assert torch.isfinite(weights(trainer.model)).all()
    assert trainer.model.dtype == torch.float32


def test_only_one_process_of_a_launch_writes(
    tmp_path, tokenizers, labelled, monkeypatch
):
    trainer = make_trainer(tmp_path / "out", tokenizers, labelled, None, max_steps=1)
    monkeypatch.setattr(type(trainer.args), "should_save", False)
    trainer.save_model(str(tmp_path / "model"))
    assert not (tmp_path / "model").exists()


def test_a_checkpoint_holds_json_not_a_pickle_of_the_arguments(
    tmp_path, tokenizers, labelled
):
    trainer = make_trainer(tmp_path, tokenizers, labelled, None, max_steps=1)
    trainer.save_model(str(tmp_path / "model"))
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert "training_args.bin" not in names
    assert "model.safetensors" in names
    settings = json.loads((tmp_path / "model" / "training_args.json").read_text())
    assert settings["temperature"] == 2.0


SCRIPT = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from transformers import TrainerCallback
    from datasets import Dataset
    from conftest import CountingTeacher
    from distill_helpers.data import load_reviews
    from distill_helpers.students import build_student, train_tokenizer
    from distill_helpers.training import DistillationConfig, DistillationTrainer

    folder, mode = sys.argv[1:]
    reviews = load_reviews("sample")["train"].select(range(64))
    tokenizer = train_tokenizer(reviews["text"], "text-cnn", vocab_size=800)
    model = build_student("text-cnn", tokenizer, filters=8, embedding_size=16, dropout=0.3)

    class Kill(TrainerCallback):
        def on_step_begin(self, args, state, control, **kwargs):
            if mode == "kill" and state.global_step == 9:
                os.kill(os.getpid(), signal.SIGKILL)

    args = DistillationConfig(
        output_dir=folder, use_cpu=True, disable_tqdm=True, max_steps=14,
        save_strategy="steps", save_steps=2, per_device_train_batch_size=16,
        learning_rate=0.01, seed=3,
    )
    trainer = DistillationTrainer(
        model, CountingTeacher(), args, reviews, processing_class=tokenizer,
        callbacks=[Kill()],
    )
    trainer.train(resume_from_checkpoint=mode == "resume")
    model.save_pretrained(folder + "/final")
"""


def test_a_killed_run_resumes_to_the_same_weights(tmp_path):
    from safetensors.torch import load_file

    script = textwrap.dedent(SCRIPT.format(tests=str(Path(__file__).parents[1])))

    def start(folder, mode):
        command = [sys.executable, "-c", script, str(tmp_path / folder), mode]
        return subprocess.run(command, capture_output=True, text=True, timeout=240)

    assert start("whole", "run").returncode == 0
    assert start("killed", "kill").returncode == -9
    assert not (tmp_path / "killed" / "final").exists()
    resumed = start("killed", "resume")
    assert resumed.returncode == 0, resumed.stderr[-2000:]
    whole = load_file(tmp_path / "whole" / "final" / "model.safetensors")
    again = load_file(tmp_path / "killed" / "final" / "model.safetensors")
    for name, value in whole.items():
        torch.testing.assert_close(again[name], value, atol=1e-7, rtol=0)


def test_the_sampler_visits_every_review_once_and_groups_by_length():
    lengths = np.random.default_rng(0).integers(1, 400, 1000).tolist()
    sampler = LengthGroupedSampler(lengths, batch_size=32, seed=0)
    first = list(sampler)
    assert sorted(first) == list(range(1000))
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first

    def padded(order):
        batches = [order[i : i + 32] for i in range(0, 1000, 32)]
        return sum(max(lengths[i] for i in b) * len(b) for b in batches)

    assert padded(first) < 0.7 * padded(range(1000))


def test_batches_of_like_length_start_with_the_longest():
    assert length_grouped([3, 9, 5, 7], 2) == [[1, 3], [2, 0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"alpha": 1.5}, "alpha"),
        ({"early_stopping_patience": 0}, "early_stopping_patience"),
    ],
)
def test_bad_configs_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        config(tmp_path, **options)


def test_a_student_with_another_tokeniser_is_refused(tmp_path, tokenizers, labelled):
    bigger = copy.deepcopy(tokenizers["text-cnn"])
    bigger.add_tokens(["onemoretoken"])
    with pytest.raises(ValueError, match="not this student's tokeniser"):
        DistillationTrainer(
            make_student(tokenizers),
            None,
            config(tmp_path),
            labelled,
            processing_class=bigger,
        )


def test_what_cannot_be_learned_from_is_refused(
    tmp_path, tokenizers, texts, bert, bert_tokenizer, counting_teacher
):
    plain = Dataset.from_dict({"text": texts})
    with pytest.raises(ValueError, match="nothing to learn from"):
        make_trainer(tmp_path, tokenizers, plain, None)
    with pytest.raises(ValueError, match="nothing to learn from"):
        make_trainer(tmp_path, tokenizers, plain, counting_teacher, alpha=0.0)
    with pytest.raises(ValueError, match="train_dataset is empty"):
        make_trainer(tmp_path, tokenizers, plain.select([]), counting_teacher)
    with pytest.raises(ValueError, match="teacher_processing_class"):
        make_trainer(tmp_path, tokenizers, plain, bert)
    with pytest.raises(TypeError, match="Teacher, a PreTrainedModel or None"):
        make_trainer(tmp_path, tokenizers, plain, "bert")
    with pytest.raises(ValueError, match="column 'text'"):
        make_trainer(tmp_path, tokenizers, Dataset.from_dict({"x": [1]}), None)
    ids = Dataset.from_dict({"input_ids": [[1, 2]], "label": [0]})
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    with pytest.raises(ValueError, match="one id means two different words"):
        make_trainer(tmp_path, tokenizers, ids, teacher)


def test_teacher_and_student_must_agree_on_the_classes(tmp_path, tokenizers, labelled):
    model = build_student("text-cnn", tokenizers["text-cnn"], label_names=list("abc"))
    from conftest import CountingTeacher

    with pytest.raises(ValueError, match="2 classes apart, the student 3"):
        DistillationTrainer(
            model,
            CountingTeacher(),
            config(tmp_path),
            labelled,
            processing_class=tokenizers["text-cnn"],
        )


def test_nan_logits_stop_the_run_before_it_begins(tmp_path, tokenizers, texts):
    logits = [[float("nan"), 0.0]] * len(texts)
    dataset = Dataset.from_dict({"text": texts, "teacher_logits": logits})
    with pytest.raises(ValueError, match="teacher_logits must be finite"):
        make_trainer(tmp_path, tokenizers, dataset, None, alpha=1.0)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_the_stock_arguments_are_refused_with_a_hint(tokenizers, labelled, tmp_path):
    from transformers import TrainingArguments

    with pytest.raises(TypeError, match="args must be a DistillationConfig"):
        DistillationTrainer(
            make_student(tokenizers),
            None,
            TrainingArguments(str(tmp_path)),
            labelled,
            processing_class=tokenizers["text-cnn"],
        )


def test_encoded_reviews_are_reused_not_encoded_again(tokenizers, labelled):
    encoded = encode_reviews(labelled, tokenizers["text-cnn"])
    assert isinstance(encoded, EncodedReviews)
    assert encoded.lengths == [len(ids) for ids in encoded.token_ids]
    assert (
        len(
            encode_reviews(
                Dataset.from_dict({"text": ["\u4e00\u4e8c", ""], "label": [None, 1]}),
                tokenizers["text-cnn"],
            )
        )
        == 2
    )


def test_lengths_are_rounded_up_to_the_multiple_asked_for(tmp_path, tokenizers, mixed):
    reviews = [{"input_ids": np.arange(1, 38), "labels": -100}]
    for multiple, length in ((1, 37), (8, 40), (32, 64)):
        batch = DistillationCollator(0, multiple)(reviews)
        assert batch["input_ids"].shape == batch["attention_mask"].shape == (1, length)
        assert batch["attention_mask"].sum() == 37
    trainer = make_trainer(
        tmp_path, tokenizers, mixed, None, pad_to_multiple_of=8, alpha=0.0
    )
    assert trainer.data_collator.multiple == 8
    with pytest.raises(
        ValueError, match="pad_to_multiple_of must be at least 1, got 0"
    ):
        config(tmp_path, pad_to_multiple_of=0)


def test_the_operations_are_those_of_the_stock_trainer_from_one_count_of_weights(
    tmp_path, tokenizers, labelled, monkeypatch
):
    trainer = make_trainer(tmp_path, tokenizers, labelled, None, max_steps=3)
    count, counted = trainer.model.num_parameters, []
    monkeypatch.setattr(
        trainer.model,
        "num_parameters",
        lambda **options: counted.append(options) or count(**options),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    stock = Trainer.floating_point_ops(trainer, batch)
    assert trainer.floating_point_ops(batch) == stock > 0
    counted.clear()
    trainer.train()
    assert trainer.state.total_flos > 0 and len(counted) <= 1
    assert trainer.floating_point_ops({}) == 0
