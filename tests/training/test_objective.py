"""From fields of a config to what is learnt: losses, temperatures, weights, order."""

import numpy as np
import pytest
import torch

from distill_helpers.data.encoding import encode_reviews
from distill_helpers.losses import kd_loss, relational_loss, reverse_kl_loss
from distill_helpers.losses.combined import standard_losses
from distill_helpers.students.registry import build_student
from distill_helpers.training import (
    DistillationConfig,
    self_distil,
    teach_in_turn,
    weighted_reads,
    with_difficulty,
)
from distill_helpers.training.recipes import train_student
from distill_helpers.training.trainer import DistillationTrainer

pytestmark = pytest.mark.filterwarnings(
    "ignore::distill_helpers.teachers.WeakTeacherWarning"
)
SHAPE = {"filters": 8, "embedding_size": 16, "dropout": 0.0}


@pytest.fixture(scope="module")
def tokenizer(tokenizers):
    return tokenizers["text-cnn"]


@pytest.fixture
def taught(labelled, tokenizer, counting_teacher):
    return encode_reviews(labelled, tokenizer, counting_teacher)


@pytest.fixture
def trainer(tmp_path, tokenizer, taught):
    def make(data=None, losses=None, label_names=("negative", "positive"), **fields):
        settings = {
            "max_steps": 4,
            "logging_steps": 1,
            "save_strategy": "no",
            "per_device_train_batch_size": 8,
            "data_seed": 0,
        }
        args = DistillationConfig(
            str(tmp_path), use_cpu=True, disable_tqdm=True, **(settings | fields)
        )
        model = build_student("text-cnn", tokenizer, label_names=label_names, **SHAPE)
        return DistillationTrainer(
            model,
            None,
            args,
            taught if data is None else data,
            processing_class=tokenizer,
            losses=losses,
        )

    return make


def first_batch(made):
    """One batch, the student's logits for it, and what the trainer makes of both."""
    batch = next(iter(made.get_train_dataloader()))
    made.model.eval()
    inputs = {k: batch[k] for k in ("input_ids", "attention_mask")}
    logits = made.model(**inputs).logits
    losses = {
        loss.name: loss.function(made.model(**inputs), batch, len(logits))
        for loss in made.objective.at(made.losses, 0, 4)
    }
    return batch, logits, losses


def test_a_named_loss_takes_the_place_of_the_kl_divergence(trainer):
    made = trainer(soft_loss="reverse_kl", temperature=3.0)
    batch, logits, losses = first_batch(made)
    expected = reverse_kl_loss(logits, batch["teacher_logits"], 3.0)
    assert losses["reverse_kl"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert set(losses) == {"reverse_kl", "cross_entropy"}
    made.train()
    assert sum("reverse_kl" in entry for entry in made.state.log_history) == 4


def test_a_recipe_takes_every_field_at_once(taught, tokenizer):
    changed = {
        "soft_loss": "alpha",
        "soft_loss_kwargs": {"order": 0.2},
        "relational": 0.1,
        "example_weights": "entropy",
        "example_weights_kwargs": {"favour": "unsure", "shuffle_seed": 1},
        "curriculum": "random",
        "curriculum_kwargs": {"pacing": "root"},
        "final_temperature": 1.0,
    }
    first, model = (
        train_student(
            "text-cnn",
            tokenizer,
            taught,
            taught,
            steps=2,
            shape=SHAPE,
            best=False,
            config={"eval_strategy": "no", "warmup_steps": 0} | fields,
        )
        for fields in ({}, changed)
    )
    weights = [torch.cat([p.flatten() for p in m.parameters()]) for m in (first, model)]
    assert torch.isfinite(weights[1]).all() and not torch.equal(*weights)


def test_the_temperature_goes_down_in_a_straight_line(trainer):
    made = trainer(temperature=4.0, final_temperature=1.0)
    batch, logits, _ = first_batch(made)
    for update, temperature in enumerate((4.0, 3.0, 2.0, 1.0)):
        soft, hard = made.objective.at(made.losses, update, 4)
        value = soft.function(
            type("Outputs", (), {"logits": logits}), batch, len(logits)
        )
        expected = kd_loss(logits, batch["teacher_logits"], temperature)
        assert value.item() == pytest.approx(expected.item(), rel=1e-6)
        assert (soft.weight, hard) == (made.losses[0].weight, made.losses[1])
    assert made.objective.at(made.losses, 0, 0)[0].name == "kd"  # nothing trained yet


def test_relations_stand_beside_the_other_losses(trainer):
    made = trainer(relational=0.5)
    batch, logits, losses = first_batch(made)
    centred = (z - z.mean(1, keepdim=True) for z in (logits, batch["teacher_logits"]))
    assert losses["relational"].item() == pytest.approx(
        relational_loss(*centred).item(), rel=1e-4
    )
    assert made.losses[-1].weight == 0.5


def test_each_text_counts_as_much_as_its_weight(trainer, taught):
    made = trainer(example_weights="margin")
    batch, logits, losses = first_batch(made)
    rows = torch.stack(
        [
            kd_loss(logits[[row]], batch["teacher_logits"][[row]], 2.0)
            for row in range(len(logits))
        ]
    )
    expected = (rows * batch["teacher_weight"]).mean()
    assert losses["kd"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert made.train_dataset.tensors["teacher_weight"].mean() == pytest.approx(1)
    assert "teacher_weight" not in taught.tensors
    even = trainer(data=weighted_reads(taught, np.ones(len(taught))))
    plain = trainer()
    ends = []
    for one in (even, plain):
        one.train()
        ends.append(torch.cat([p.detach().flatten() for p in one.model.parameters()]))
    torch.testing.assert_close(*ends)


def test_texts_come_in_the_order_of_the_curriculum(trainer, taught):
    hard = np.arange(len(taught), dtype=float)
    kwargs = {"start": 8 / len(taught), "full_at": 1.0}
    made = trainer(
        with_difficulty(taught, hard), curriculum="easy_first", curriculum_kwargs=kwargs
    )
    first = next(iter(made.get_train_dataloader()))
    assert sorted(first["teacher_difficulty"].tolist()) == list(range(8))
    turned = trainer(
        with_difficulty(taught, hard), curriculum="hard_first", curriculum_kwargs=kwargs
    )
    last = next(iter(turned.get_train_dataloader()))
    assert last["teacher_difficulty"].min() == len(taught) - 8
    made.train()
    assert made.state.global_step == 4
    by_epochs = trainer(curriculum="random", max_steps=-1, num_train_epochs=2)
    sampler = by_epochs._get_train_sampler()
    assert sampler.updates == 2 * -(-len(taught) // 8)


def test_a_resumed_run_must_share_what_the_objective_says(trainer):
    one, other = trainer(), trainer(soft_loss="alpha", curriculum="random")
    apart = {
        name
        for name, value in one.resume_facts().items()
        if other.resume_facts()[name] != value
    }
    assert apart == {"soft_loss", "curriculum", "losses"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"soft_loss": "KL"}, "soft_loss must be one of .*'reverse_kl'.* got 'KL'"),
        ({"soft_loss_kwargs": {"beta": 1}}, "'kl' takes none, got 'beta'"),
        ({"soft_loss": "decoupled"}, "three classes, got 2.*exactly 0"),
        ({"final_temperature": 0}, "final_temperature must be a finite number above 0"),
        ({"relational": -1}, "relational must be at least 0"),
        ({"example_weights": "loss"}, "example_weights must be one of .*'margin'"),
        (
            {"example_weights": "margin", "example_weights_kwargs": {"favor": "sure"}},
            "example_weights_kwargs takes .*'favour'.* got 'favor'",
        ),
        ({"example_weights_kwargs": {"favour": "sure"}}, "needs example_weights"),
        ({"curriculum": "easy"}, "curriculum must be one of .*'easy_first'"),
        (
            {"curriculum": "random", "curriculum_kwargs": {"reach": 1}},
            "curriculum_kwargs takes .*'full_at'.* got 'reach'",
        ),
        (
            {"curriculum": "random", "curriculum_kwargs": {"pacing": "slow"}},
            "pacing must be one of",
        ),
        ({"curriculum_kwargs": {"start": 1}}, "needs curriculum"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(trainer, fields, message):
    with pytest.raises(ValueError, match=message):
        trainer(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"soft_loss": "alpha"},
        {"final_temperature": 1.0},
        {"relational": 1.0},
        {"example_weights": "margin"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_losses_of_ones_own_and_a_field_about_the_others_are_refused(trainer, fields):
    with pytest.raises(ValueError, match=f"{next(iter(fields))} belongs? to the stand"):
        trainer(losses=standard_losses(2.0, 0.9), **fields)


def test_weights_need_answers_and_no_second_weights(trainer, taught):
    taught.teacher_logits, logits = None, taught.teacher_logits
    with pytest.raises(ValueError, match="needs the teacher's logits of all texts"):
        trainer(data=taught, alpha=0.0, example_weights="margin")
    taught.teacher_logits = logits
    with pytest.raises(ValueError, match="a column 'teacher_weight' already"):
        trainer(data=weighted_reads(taught, "confidence"), example_weights="confidence")


# ------------------------------------------------------- students that teach
def test_each_generation_learns_from_the_one_before(taught, tokenizer, monkeypatch):
    from distill_helpers.training import self_distillation

    seen = []

    def untrained(student, tokenizer, reads, validation, *, seed, shape, steps):
        seen.append((reads.teacher_logits, seed, shape))
        return build_student(student, tokenizer, seed=seed, **shape)

    monkeypatch.setattr(self_distillation, "train_student", untrained)
    chain = self_distil(
        "text-cnn",
        tokenizer,
        taught,
        taught,
        generations=2,
        seed=5,
        shape=SHAPE,
        steps=1,
    )
    assert len(chain) == 3
    assert seen[0][0] is taught.teacher_logits and seen[0][1] == 5
    for (logits, _, shape), before in zip(seen[1:], chain):
        assert np.array_equal(logits, before.logits) and shape == SHAPE
    assert len({seed for _, seed, _ in seen}) == 3
    del seen[:]
    wide = SHAPE | {"filters": 16}
    assistant, small = teach_in_turn(
        "text-cnn", tokenizer, taught, taught, shapes=[wide, SHAPE], steps=1
    )
    assert assistant.model.num_parameters() > small.model.num_parameters()
    assert np.array_equal(seen[1][0], assistant.logits)


def test_a_chain_of_nobody_is_refused(taught, tokenizer):
    with pytest.raises(ValueError, match="generations must be at least 1, got 0"):
        self_distil("text-cnn", tokenizer, taught, taught, generations=0, steps=1)
    with pytest.raises(ValueError, match="shapes must name at least one student"):
        teach_in_turn("text-cnn", tokenizer, taught, taught, shapes=[], steps=1)
