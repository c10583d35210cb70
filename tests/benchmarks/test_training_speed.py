"""How much the Trainer and the cache cost or save: ratios within one run.

``python start.py tests tests/benchmarks`` prints the table.
"""

import statistics
import time

import pytest
import torch
from conftest import small_bert
from datasets import Dataset
from torch.utils.data import DataLoader

from distill_helpers.data.encoding import (
    DistillationCollator,
    LengthGroupedSampler,
    encode_reviews,
)
from distill_helpers.losses.combined import DistillationLoss
from distill_helpers.students.registry import STUDENTS, build_student
from distill_helpers.students.tokenizers import train_tokenizer
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.live import HuggingFaceTeacher
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.trainer import DistillationTrainer

STEPS = 40


@pytest.fixture(scope="module")
def material(reviews):
    texts = list(reviews["transfer"]["text"])[:1280]
    logits = torch.randn(len(texts), 2, generator=torch.Generator().manual_seed(0))
    data = Dataset.from_dict(
        {
            "text": texts,
            "label": [0, 1] * (len(texts) // 2),
            "teacher_logits": logits.tolist(),
        }
    )
    tokenizer = train_tokenizer(texts, "text-cnn")
    return encode_reviews(data, tokenizer), tokenizer


def bare_loop(encoded, tokenizer):
    """Train as a plain loop does, and return the seconds it took."""
    model = build_student("text-cnn", tokenizer).train()
    recipe = STUDENTS["text-cnn"].recipe
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    loss_of = DistillationLoss(2.0, 0.9)
    loader = DataLoader(
        encoded,
        recipe.batch_size,
        collate_fn=DistillationCollator(0),
        sampler=LengthGroupedSampler(encoded.lengths, recipe.batch_size, 0),
    )
    start = time.perf_counter()
    for batch in list_of(loader):
        logits = model(batch["input_ids"], batch["attention_mask"]).logits
        loss = loss_of(logits, batch["teacher_logits"], batch["labels"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return time.perf_counter() - start


def list_of(loader):
    for step, batch in enumerate(loader):
        if step == STEPS:
            return
        yield batch


def with_trainer(encoded, tokenizer, folder):
    """Train as the Trainer does, and return the seconds its loop took."""
    recipe = STUDENTS["text-cnn"].recipe
    args = DistillationConfig(
        output_dir=str(folder),
        max_steps=STEPS,
        temperature=2.0,
        alpha=0.9,
        learning_rate=recipe.learning_rate,
        disable_tqdm=True,
        use_cpu=True,
        per_device_train_batch_size=recipe.batch_size,
        save_strategy="no",
        optim="adamw_torch_fused",
        warmup_steps=0,
        logging_steps=10,
    )
    trainer = DistillationTrainer(
        build_student("text-cnn", tokenizer),
        None,
        args,
        encoded,
        processing_class=tokenizer,
    )
    return trainer.train().metrics["train_runtime"]


def test_the_trainer_costs_at_most_15_percent_a_step(benchmark, material, tmp_path):
    encoded, tokenizer = material
    bare_loop(encoded, tokenizer)  # warm up
    with_trainer(encoded, tokenizer, tmp_path)
    bare, trainer = [], []
    for _ in range(5):  # interleaved, so that a busy machine slows both
        bare.append(bare_loop(encoded, tokenizer))
        trainer.append(with_trainer(encoded, tokenizer, tmp_path))
    ratio = statistics.median(t / b for t, b in zip(trainer, bare))
    benchmark.extra_info["trainer over bare loop"] = round(ratio, 3)
    print(f"\ntrainer over bare loop, per step: {ratio:.3f}")
    benchmark.pedantic(bare_loop, (encoded, tokenizer), rounds=1)
    assert ratio <= 1.15


def test_the_cache_makes_an_epoch_at_least_10_times_faster(
    benchmark, reviews, bert_tokenizer, tmp_path
):
    texts = list(reviews["transfer"]["text"])[:96]
    data = Dataset.from_dict({"text": texts})
    bert = small_bert(
        bert_tokenizer,
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
    )
    teacher = HuggingFaceTeacher(
        bert,
        bert_tokenizer,
        max_length=256,
        windows=False,
        pad_to_max=True,
        progress=False,
    )
    tokenizer = train_tokenizer(texts, "text-cnn")
    cached = CachedTeacher(teacher, tmp_path / "cache")
    cached.logits(texts)

    def epoch(guide, live):
        args = DistillationConfig(
            output_dir=str(tmp_path),
            num_train_epochs=1,
            alpha=1.0,
            live_teacher=live,
            disable_tqdm=True,
            use_cpu=True,
            save_strategy="no",
            per_device_train_batch_size=32,
        )
        trainer = DistillationTrainer(
            build_student("text-cnn", tokenizer, filters=32),
            guide,
            args,
            data,
            processing_class=tokenizer,
        )
        return trainer.train().metrics["train_runtime"]

    epoch(cached, False)  # warm up
    ratios = [epoch(teacher, True) / epoch(cached, False) for _ in range(3)]
    ratio = statistics.median(ratios)
    benchmark.extra_info["naive loop over cached"] = round(ratio, 1)
    print(f"\nnaive epoch over cached epoch: {ratio:.1f}")
    benchmark.pedantic(epoch, (cached, False), rounds=1)
    assert ratio >= 10
