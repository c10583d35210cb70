"""What a user may exchange: losses, batches, students' inputs, devices."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import CountingTeacher
from datasets import Dataset
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

from distill_helpers.data.encoding import (
    DistillationCollator,
    EncodedReviews,
    encode_reviews,
)
from distill_helpers.losses.combined import standard_losses
from distill_helpers.losses.labels import weighted_cross_entropy
from distill_helpers.losses.matching import HiddenStateMatcher
from distill_helpers.losses.weighted import WeightedLoss, count_tokens
from distill_helpers.students.layers import StudentModel
from distill_helpers.students.registry import build_student
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.recipes import train_student
from distill_helpers.training.trainer import DistillationTrainer

STEPS = {
    "max_steps": 3,
    "logging_steps": 1,
    "save_strategy": "no",
    "per_device_train_batch_size": 8,
}


def train(folder, model, tokenizer, data, *, teacher=None, given=None, **options):
    args = DistillationConfig(
        str(folder), use_cpu=True, disable_tqdm=True, **(STEPS | options)
    )
    trainer = DistillationTrainer(
        model, teacher, args, data, processing_class=tokenizer, **(given or {})
    )
    trainer.train()
    return trainer


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def logged(trainer, name):
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def small(tokenizers):
    return build_student(
        "text-cnn", tokenizers["text-cnn"], filters=8, embedding_size=16, dropout=0.0
    )


@pytest.fixture
def taught(labelled, tokenizers, counting_teacher):
    return encode_reviews(labelled, tokenizers["text-cnn"], counting_teacher)


# ------------------------------------------------------------------- losses
def squared(outputs, batch, divisor):
    return (outputs.logits - batch["teacher_logits"]).pow(2).sum() / divisor


SQUARED = WeightedLoss("squared", squared, 0.5, needs=frozenset({"teacher_logits"}))


def test_the_standard_list_trains_to_the_bits_of_the_default(
    tmp_path, tokenizers, taught
):
    ends = [
        train(tmp_path, small(tokenizers), tokenizers["text-cnn"], taught, given=given)
        for given in ({}, {"losses": standard_losses(2.0, 0.9)})
    ]
    assert torch.equal(*(weights(end.model) for end in ends))
    for name in ("loss", "kd", "cross_entropy"):
        assert logged(ends[0], name) == logged(ends[1], name)


def test_a_loss_of_ones_own_is_logged_by_its_name_and_trains(
    tmp_path, tokenizers, taught
):
    tokenizer = tokenizers["text-cnn"]
    losses = [*standard_losses(2.0, 0.9), SQUARED]
    run = train(
        tmp_path, small(tokenizers), tokenizer, taught, given={"losses": losses}
    )
    first = next(e for e in run.state.log_history if "squared" in e)
    mixture = (
        0.9 * first["kd"] + (1 - 0.9) * first["cross_entropy"] + 0.5 * first["squared"]
    )
    assert first["loss"] == pytest.approx(mixture, rel=1e-3)
    alone = train(
        tmp_path,
        small(tokenizers),
        tokenizer,
        taught,
        given={"losses": [SQUARED]},
        max_steps=30,
        learning_rate=0.02,
    )
    found = logged(alone, "squared")
    assert np.mean(found[-4:]) < 0.8 * np.mean(found[:4])
    assert not logged(alone, "kd")


def test_small_batches_of_any_loss_make_the_gradient_of_the_large_one(
    tmp_path, tokenizers, taught
):
    """In float64, where only the arithmetic of the losses is left to differ."""

    def by_token(outputs, batch, divisor):
        lengths = batch["attention_mask"].sum(1, keepdim=True)
        return (outputs.logits.pow(2) * lengths).sum() / divisor

    losses = [
        SQUARED,
        WeightedLoss("by_token", by_token, 2.0, count_tokens),
        weighted_cross_entropy(0.3),
    ]
    gradients = []
    for size, parts in ((48, 1), (16, 3)):
        model = small(tokenizers).double()
        before = weights(model)
        train(
            tmp_path,
            model,
            tokenizers["text-cnn"],
            taught,
            given={"losses": losses},
            max_steps=1,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=parts,
            optim="sgd",
            learning_rate=1.0,
            max_grad_norm=0,
            lr_scheduler_type="constant",
            warmup_steps=0,
            data_seed=0,
        )
        gradients.append(before - weights(model))
    assert gradients[0].abs().max() > 1e-3
    torch.testing.assert_close(*gradients, atol=1e-10, rtol=1e-8)


def test_a_recipe_takes_losses_too(tokenizers, taught):
    seen = []

    def watched(outputs, batch, divisor):
        seen.append((outputs.logits.requires_grad, divisor))
        return squared(outputs, batch, divisor)

    loss = WeightedLoss("squared", watched, needs=frozenset({"teacher_logits"}))
    train_student(
        "text-cnn",
        tokenizers["text-cnn"],
        taught,
        taught,
        steps=2,
        shape={"filters": 8, "embedding_size": 16},
        losses=[loss],
        best=False,
    )
    assert (True, 32) in seen  # the recipe's batch


def test_losses_that_cannot_be_counted_apart_are_refused(
    tmp_path, tokenizers, taught, labelled
):
    tokenizer = tokenizers["text-cnn"]
    for losses in ([], [SQUARED, SQUARED]):
        with pytest.raises(ValueError, match="losses must hold.*name of its own"):
            train(
                tmp_path, small(tokenizers), tokenizer, taught, given={"losses": losses}
            )
    with pytest.raises(ValueError, match=r"'squared' needs \['teacher_logits'\]"):
        train(
            tmp_path,
            small(tokenizers),
            tokenizer,
            labelled,
            given={"losses": [SQUARED]},
        )


def test_the_teacher_is_asked_if_a_loss_needs_it(tmp_path, tokenizers, labelled):
    asked = []
    for losses, live in (
        ([SQUARED], False),
        ([SQUARED], True),
        ([weighted_cross_entropy()], False),
    ):
        teacher = CountingTeacher()
        train(
            tmp_path,
            small(tokenizers),
            tokenizers["text-cnn"],
            labelled,
            teacher=teacher,
            given={"losses": losses},
            live_teacher=live,
        )
        asked.append(len(teacher.asked))
    assert asked == [len(labelled), 3 * 8, 0]


# ------------------------------------------------------------------ batches
class TwoInputs(StudentModel):
    """Reads token ids and an image, and nothing else."""

    config_class = PreTrainedConfig

    def __init__(self, config, tokens):
        super().__init__(config)
        self.words = nn.Embedding(tokens, config.num_labels)
        self.image = nn.Linear(12, config.num_labels)
        self.seen = []
        self.post_init()

    def forward(self, input_ids, pixel_values):
        self.seen.append(tuple(pixel_values.shape))
        logits = self.words(input_ids).mean(1) + self.image(pixel_values.flatten(1))
        return SequenceClassifierOutput(logits=logits)


@pytest.fixture
def pictured(labelled, tokenizers):
    """Reviews whose label stands in a picture alone."""
    ids = encode_reviews(labelled, tokenizers["text-cnn"]).token_ids
    labels = np.array(labelled["label"])
    images = np.random.default_rng(0).normal(size=(len(ids), 3, 2, 2))
    images[:, 0, 0, 0] = 4 * labels - 2
    return EncodedReviews(ids, labels, pixel_values=images, teacher_hint=labels * 2.0)


def test_a_student_of_text_and_image_trains_as_it_is(tmp_path, tokenizers, pictured):
    tokenizer = tokenizers["text-cnn"]
    hints = []

    def hinted(outputs, batch, divisor):
        hints.append(batch["teacher_hint"])
        return outputs.logits.pow(2).sum() / divisor

    torch.manual_seed(0)
    model = TwoInputs(PreTrainedConfig(num_labels=2), len(tokenizer))
    run = train(
        tmp_path,
        model,
        tokenizer,
        pictured,
        given={
            "losses": [weighted_cross_entropy(), WeightedLoss("hinted", hinted, 0.01)],
            "eval_dataset": pictured,
        },
        max_steps=40,
        learning_rate=0.05,
    )
    assert run.evaluate()["eval_accuracy"] > 0.95
    assert set(model.seen) == {(8, 3, 2, 2), (64, 3, 2, 2)}
    assert hints[0].shape == (8,) and hints[0].dtype == torch.float32


def test_a_batch_stacks_whatever_is_named(pictured):
    batch = DistillationCollator(0)([pictured[i] for i in range(3)])
    assert list(batch) == [
        "input_ids",
        "attention_mask",
        "labels",
        "pixel_values",
        "teacher_hint",
    ]
    assert batch["pixel_values"].shape == (3, 3, 2, 2)
    assert batch["pixel_values"].dtype == torch.float32
    assert batch["labels"].dtype == torch.int64
    with pytest.raises(ValueError, match="pixel_values must have a row.*64.*got 2"):
        EncodedReviews(pictured.token_ids, pictured.labels, pixel_values=np.ones(2))


def test_several_labels_a_review_go_through_as_rows(tmp_path, tokenizers, texts):
    rows = [[float(i % 2), float(i % 3 == 0)] for i in range(len(texts))]
    dataset = Dataset.from_dict(
        {"text": texts, "label": rows, "weight": [0.5] * len(texts)}
    )
    tokenizer = tokenizers["text-cnn"]
    encoded = encode_reviews(dataset, tokenizer, tensors=["weight"])
    batch = DistillationCollator(0)([encoded[i] for i in range(4)])
    assert batch["labels"].dtype == torch.float32
    assert batch["labels"].tolist() == rows[:4]
    assert batch["weight"].tolist() == [0.5] * 4

    def each_label(outputs, batch, divisor):
        found = F.binary_cross_entropy_with_logits(
            outputs.logits, batch["labels"], reduction="none"
        )
        return (found.sum(1) * batch["weight"]).sum() / divisor

    run = train(
        tmp_path,
        small(tokenizers),
        tokenizer,
        encoded,
        given={"losses": [WeightedLoss("each_label", each_label)]},
        max_steps=20,
        learning_rate=0.02,
    )
    found = logged(run, "each_label")
    assert np.mean(found[-4:]) < np.mean(found[:4])


# ------------------------------------------------------------------ devices
def test_no_float64_is_made_on_the_device_in_training(
    tmp_path, tokenizers, taught, monkeypatch
):
    """As on Apple's chips, which have none."""
    made = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            for value in out if isinstance(out, (tuple, list)) else [out]:
                if isinstance(value, torch.Tensor) and value.dtype == torch.float64:
                    made.append(str(function))
            return out

    plain = DistillationTrainer.get_batch_samples
    loss = DistillationTrainer.compute_loss

    def watched(method):
        def call(*args, **kwargs):
            with Watch():
                return method(*args, **kwargs)

        return call

    monkeypatch.setattr(DistillationTrainer, "get_batch_samples", watched(plain))
    monkeypatch.setattr(DistillationTrainer, "compute_loss", watched(loss))
    taught.teacher_logits = taught.teacher_logits.astype(np.float64)
    run = train(tmp_path, small(tokenizers), tokenizers["text-cnn"], taught)
    assert len(logged(run, "kd")) == 3
    assert not made


def test_the_teacher_of_hidden_states_reads_on_its_own_device(tokenizers):
    tokenizer = tokenizers["tiny-transformer"]
    shape = {"hidden_size": 16, "embedding_size": 16, "intermediate_size": 32}
    teacher, student = (
        build_student("tiny-transformer", tokenizer, **shape) for _ in range(2)
    )
    hidden = HiddenStateMatcher(teacher, tokenizer, student, tokenizer)
    read = []

    class Elsewhere(nn.Module):
        """A teacher whose weights lie on another device than the batch."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, device="meta"))

        def forward(self, input_ids, attention_mask, output_hidden_states):
            read.append((input_ids.device.type, attention_mask.device.type))
            states = torch.zeros(2, 4, 16)
            return SimpleNamespace(hidden_states=[states, states])

    hidden._teacher = [Elsewhere()]
    ids = torch.ones(2, 4, dtype=torch.long)
    states = [torch.ones(2, 4, 16)] * 2
    assert hidden(states, ids, torch.ones_like(ids)).item() == 1.0
    assert read == [("meta", "meta")]


@pytest.mark.skipif(
    not torch.accelerator.is_available(), reason="no accelerator on this machine"
)
def test_a_student_trains_and_imitates_on_the_accelerator(
    tmp_path, tokenizers, labelled, counting_teacher
):
    from distill_helpers.training.choosing import choose_student
    from distill_helpers.training.recipes import judge

    tokenizer = tokenizers["tiny-transformer"]
    reads = encode_reviews(labelled, tokenizer, counting_teacher)
    wide = build_student("tiny-transformer", tokenizer, hidden_size=32)
    model = train_student(
        "tiny-transformer",
        tokenizer,
        reads,
        reads,
        steps=4,
        shape={"hidden_size": 16, "num_hidden_layers": 1},
        match=lambda student: HiddenStateMatcher(wide, tokenizer, student, tokenizer),
    )
    assert next(model.parameters()).device.type != "cpu"
    choice = choose_student({"taught": [model]}, reads, tokenizer, seeds=[0])
    assert choice.model is model
    quality = judge(model, tokenizer, labelled["text"], labelled["label"])
    assert 0 <= quality.accuracy <= 1
