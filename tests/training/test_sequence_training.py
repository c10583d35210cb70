"""Texts given, written by the teacher, written by the student: each counted right."""

import copy

import pytest
import torch
from datasets import Dataset
from torch.nn import functional as F

from distill_helpers.losses.sequence import (
    generalized_jsd_loss,
    next_tokens,
    token_cross_entropy,
    weighted_jsd,
    weighted_token_cross_entropy,
)
from distill_helpers.students.causal import (
    CompletionCollator,
    tiny_causal_lm,
    word_tokenizer,
)
from distill_helpers.training.checkpoints import CheckpointError
from distill_helpers.training.sequence import SequenceConfig, SequenceTrainer

ROWS = [
    {"prompt": f"{a} + {b} =", "completion": " ".join(str(a + b) * (1 + a % 3))}
    for a in range(8)
    for b in range(4)
]


@pytest.fixture(scope="module")
def tokenizer():
    return word_tokenizer(["1 + 2 = 3"], max_length=24)


def small(tokenizer, seed, scale=1.0):
    model = tiny_causal_lm(tokenizer, width=16, layers=1, heads=2, seed=seed)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(scale)
    return model


@pytest.fixture
def student(tokenizer):
    return small(tokenizer, seed=0)


@pytest.fixture(scope="module")
def teacher(tokenizer):
    return small(tokenizer, seed=1, scale=6.0)


def trainer(folder, student, teacher, tokenizer, rows=ROWS, losses=None, **options):
    settings = {
        "output_dir": str(folder),
        "use_cpu": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "max_steps": 2,
        "per_device_train_batch_size": 8,
        "max_new_tokens": 6,
        "data_seed": 0,
        "max_grad_norm": 0.0,
    }
    evaluation = options.pop("eval_dataset", None)
    args = SequenceConfig(**(settings | options))
    return SequenceTrainer(
        student,
        teacher,
        args,
        rows,
        evaluation,
        processing_class=tokenizer,
        losses=losses,
    )


def record(trainer):
    """Let a trainer keep the batches that it computes a loss of."""
    seen, compute = [], trainer.compute_loss

    def keep(model, inputs, *args, **kwargs):
        seen.append({name: value.clone() for name, value in inputs.items()})
        return compute(model, inputs, *args, **kwargs)

    trainer.compute_loss = keep
    return seen


def logged(trainer, name):
    return [row[name] for row in trainer.state.log_history if name in row]


@pytest.mark.parametrize("kind", ["jsd", "cross_entropy"])
def test_the_first_loss_is_that_of_a_plain_loop(
    tmp_path, student, teacher, tokenizer, kind
):
    same = copy.deepcopy(student)
    given = teacher if kind == "jsd" else None
    made = trainer(tmp_path, student, given, tokenizer, ROWS[:8], beta=0.3, max_steps=1)
    made.train()
    batch = CompletionCollator(tokenizer)(ROWS[:8])
    reads = {name: batch[name] for name in ("input_ids", "attention_mask")}
    logits, labels = next_tokens(same(**reads).logits, batch["labels"])
    if kind == "jsd":
        other = teacher(**reads).logits[:, :-1]
        loss = generalized_jsd_loss(logits, other, labels, beta=0.3)
    else:
        loss = token_cross_entropy(logits, labels)
    assert logged(made, "loss") == [pytest.approx(loss.item(), rel=1e-4)]
    assert logged(made, kind) == [pytest.approx(loss.item(), rel=1e-4)]


@pytest.mark.parametrize("lmbda", [0.0, 1.0])
def test_small_batches_make_the_gradient_of_all_tokens(
    tmp_path, student, teacher, tokenizer, lmbda
):
    same = copy.deepcopy(student)
    made = trainer(
        tmp_path,
        student,
        teacher,
        tokenizer,
        lmbda=lmbda,
        beta=1.0,
        max_steps=1,
        gradient_accumulation_steps=4,
        optim="sgd",
        learning_rate=1.0,
        warmup_steps=0,
    )
    seen = record(made)
    made.train()
    assert len(seen) == 4
    tokens = [int((batch["labels"][:, 1:] != -100).sum()) for batch in seen]
    assert len(set(tokens)) > 1  # else a mean of means would do
    total = 0
    for batch in seen:
        reads = {name: batch[name] for name in ("input_ids", "attention_mask")}
        logits, labels = next_tokens(same(**reads).logits, batch["labels"])
        other = teacher(**reads).logits[:, :-1].detach()
        total = total + generalized_jsd_loss(
            logits, other, labels, beta=1.0, tokens=sum(tokens)
        )
    total.backward()
    for before, after in zip(same.parameters(), student.parameters()):
        expected = before - before.grad
        torch.testing.assert_close(after, expected, rtol=1e-4, atol=1e-6)


def test_the_student_writes_what_it_learns_from(tmp_path, student, teacher, tokenizer):
    made = trainer(tmp_path, student, teacher, tokenizer, lmbda=1.0)
    given = CompletionCollator(tokenizer)(ROWS[:8])
    student.train()
    torch.manual_seed(4)
    (own,) = made.batches_of_update([given])
    assert student.training
    assert not any(tensor.requires_grad for tensor in own.values())
    assert all(weights.grad is None for weights in student.parameters())
    prompts = tokenizer([row["prompt"] for row in ROWS[:8]], padding=True)
    torch.manual_seed(4)
    expected = student.eval().generate(
        **prompts.convert_to_tensors("pt"),
        do_sample=True,
        top_k=0,
        max_new_tokens=6,
    )[:, 4:]
    end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    unended = 0
    for row, labels, ids, mask in zip(
        expected.tolist(), own["labels"], own["input_ids"], own["attention_mask"]
    ):
        new = row[: row.index(end) + 1] if end in row else row
        unended += end not in row
        assert labels[labels != -100].tolist() == new
        assert (labels[:4] == -100).all()
        assert ids[labels != -100].tolist() == new
        assert int(mask.sum()) == 4 + len(new)
        assert (ids[mask == 0] == pad).all()
    assert 0 < unended < 8  # an end within the limit, and none, were both seen
    assert torch.equal(own["input_ids"][:, :4], given["input_ids"][:, :4])


@pytest.mark.parametrize(
    ("lmbda", "seq_kd", "writers"),
    [
        (0.0, False, {"data"}),
        (1.0, False, {"student"}),
        (0.0, True, {"teacher"}),
        (0.5, False, {"student", "data"}),
        (0.5, True, {"student", "teacher"}),
    ],
)
def test_who_writes_is_drawn_by_lmbda_and_seq_kd(
    tmp_path, student, teacher, tokenizer, monkeypatch, lmbda, seq_kd, writers
):
    made = trainer(
        tmp_path, student, teacher, tokenizer, lmbda=lmbda, seq_kd=seq_kd, max_steps=4
    )
    calls = []
    for name, model in (("student", student), ("teacher", teacher)):
        plain = type(model).generate

        def write(*args, name=name, model=model, plain=plain, **kwargs):
            calls.append(name)
            return plain(model, *args, **kwargs)

        monkeypatch.setattr(model, "generate", write)
    seen = record(made)
    before = copy.deepcopy(teacher.state_dict())
    made.train()
    collate = CompletionCollator(tokenizer)
    given = {
        tuple(row["labels"][0].tolist()[:8]) for row in (collate([r]) for r in ROWS)
    }
    assert set(calls) == writers - {"data"}
    if writers == {"data"}:
        for batch in seen:
            assert all(tuple(row[:8].tolist()) in given for row in batch["labels"])
    else:
        assert len(calls) == 4 or "data" in writers and 0 < len(calls) < 4
    assert all(torch.equal(before[k], v) for k, v in teacher.state_dict().items())
    assert all(weights.grad is None for weights in teacher.parameters())
    assert not teacher.training and student.training


def test_on_its_own_texts_the_student_comes_to_write_as_its_teacher(
    tmp_path, student, teacher, tokenizer
):
    def apart(model):
        ids = tokenizer([row["prompt"] for row in ROWS], return_tensors="pt").input_ids
        with torch.no_grad():
            own, other = (m(ids).logits[:, -1] for m in (model, teacher))
        return F.kl_div(
            own.log_softmax(-1), other.softmax(-1), reduction="batchmean"
        ).item()

    before = apart(student)
    made = trainer(
        tmp_path,
        student,
        teacher,
        tokenizer,
        lmbda=1.0,
        beta=0.0,
        max_steps=25,
        learning_rate=0.02,
    )
    made.train()
    assert apart(student) < before / 2


def test_the_evaluation_weighs_every_token_alike(tmp_path, student, teacher, tokenizer):
    losses = [weighted_jsd(0.0), weighted_token_cross_entropy(0.5)]
    made = trainer(
        tmp_path,
        student,
        teacher,
        tokenizer,
        losses=losses,
        eval_dataset=Dataset.from_list(ROWS[:11]),
        per_device_eval_batch_size=3,
    )
    found = made.evaluate()
    assert made.evaluate(ROWS[:11])["eval_loss"] == found["eval_loss"]
    both = made.evaluate({"a": ROWS[:11], "b": ROWS[:2]})
    assert both["eval_a_jsd"] == found["eval_jsd"] != both["eval_b_jsd"]
    batch = CompletionCollator(tokenizer)(ROWS[:11])
    reads = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        logits, labels = next_tokens(student(**reads).logits, batch["labels"])
        jsd = generalized_jsd_loss(
            logits, teacher(**reads).logits[:, :-1], labels, beta=0.0
        ).item()
        entropy = token_cross_entropy(logits, labels).item()
    assert found["eval_jsd"] == pytest.approx(jsd, rel=1e-5)
    assert found["eval_cross_entropy"] == pytest.approx(entropy, rel=1e-5)
    assert found["eval_loss"] == pytest.approx(jsd + 0.5 * entropy, rel=1e-5)


def test_a_resumed_run_writes_and_learns_the_same(
    tmp_path, student, teacher, tokenizer
):
    options = {"lmbda": 0.5, "max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    copies = [copy.deepcopy(student) for _ in range(3)]
    whole = trainer(tmp_path / "a", student, teacher, tokenizer, **options)
    whole.train()
    assert not list((tmp_path / "a").rglob("training_args.bin"))
    again = trainer(tmp_path / "b", copies[0], teacher, tokenizer, **options)
    again.train(resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-2"))
    for one, other in zip(student.parameters(), copies[0].parameters()):
        torch.testing.assert_close(one, other, atol=1e-7, rtol=0)
    for change, told in (({"lmbda": 0.25}, "lmbda 0.5, now 0.25"), ({}, "teacher")):
        better = teacher if change else small(tokenizer, seed=9)
        other = trainer(
            tmp_path / "c", copies[1], better, tokenizer, **options | change
        )
        with pytest.raises(CheckpointError, match=told):
            other.train(resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-2"))


def test_prompts_alone_are_enough_where_all_is_written(
    tmp_path, student, teacher, tokenizer
):
    prompts = [{"prompt": row["prompt"]} for row in ROWS]
    for options in ({"lmbda": 1.0}, {"seq_kd": True}):
        options["max_steps"] = 1
        made = trainer(tmp_path, student, teacher, tokenizer, prompts, **options)
        made.train()
        assert all(loss > 0 for loss in logged(made, "jsd"))
    with pytest.raises(ValueError, match="'completion' in every row.*row 0 has"):
        trainer(tmp_path, student, teacher, tokenizer, prompts, lmbda=0.5)
    with pytest.raises(ValueError, match="eval_dataset needs a 'completion'"):
        trainer(tmp_path, student, teacher, tokenizer, lmbda=1.0, eval_dataset=prompts)


def test_another_vocabulary_is_refused_with_both_sizes(
    tmp_path, student, teacher, tokenizer
):
    size, more = len(tokenizer), len(tokenizer) + 3
    larger = small(tokenizer, seed=1)
    larger.resize_token_embeddings(more)
    with pytest.raises(ValueError, match=f"of {size} and {more} tokens.*rejection"):
        trainer(tmp_path, student, larger, tokenizer)
    # As many tokens, but others.
    renamed = word_tokenizer(["1 * 2 ~ 3"])
    assert len(renamed) == size
    with pytest.raises(ValueError, match=f"tokenisers of {size} and {size} tokens"):
        SequenceTrainer(
            student,
            teacher,
            SequenceConfig(str(tmp_path), use_cpu=True),
            ROWS,
            processing_class=tokenizer,
            teacher_processing_class=renamed,
        )


def test_what_is_beyond_the_context_is_refused_not_cut(
    tmp_path, student, teacher, tokenizer
):
    long = [*ROWS, {"prompt": " ".join("1" * 20), "completion": " ".join("2" * 3)}]
    trainer(tmp_path, student, teacher, tokenizer, long)
    with pytest.raises(ValueError, match="prompts number 32 has 20 tokens with 6 to"):
        trainer(tmp_path, student, teacher, tokenizer, long, lmbda=0.1)
    longer = [*ROWS, {"prompt": " ".join("1" * 20), "completion": " ".join("2" * 4)}]
    with pytest.raises(ValueError, match="number 32 has 25 tokens.*context of 24"):
        trainer(tmp_path, student, teacher, tokenizer, longer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lmbda": 1.5}, r"lmbda must lie in \[0, 1\]"),
        ({"beta": -0.1}, r"beta must lie in \[0, 1\]"),
        ({"temperature": 0}, "temperature must be a finite number above 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"label_smoothing_factor": 0.1}, "label_smoothing_factor is not used"),
        ({"teacher": None, "lmbda": 0.5}, "lmbda=0.5 needs a teacher_model"),
        ({"teacher": None, "seq_kd": True}, "seq_kd=True needs a teacher_model"),
        ({"teacher": None, "losses": [weighted_jsd()]}, "'jsd' needs a teacher_model"),
        (
            {"losses": [weighted_jsd(), weighted_token_cross_entropy()], "lmbda": 0.5},
            "teaches the student its own mistakes",
        ),
        ({"losses": []}, "at least one loss"),
        ({"rows": []}, "train_dataset is empty"),
        ({"rows": [{"prompt": "1", "completion": None}]}, "row 0 has"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path, student, teacher, tokenizer, change, message
):
    given = {"student": student, "teacher": teacher, "tokenizer": tokenizer} | change
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path, **given)


def test_a_student_is_not_its_own_teacher(tmp_path, student, tokenizer):
    with pytest.raises(ValueError, match="the student itself"):
        trainer(tmp_path, student, student, tokenizer)


def test_texts_of_like_length_share_a_batch_in_an_order_of_the_seed(
    tmp_path, tokenizer, student
):
    def order(seed, **options):
        made = trainer(tmp_path, student, None, tokenizer, data_seed=seed, **options)
        lengths = made.train_dataset.lengths
        assert lengths == [
            len(r["prompt_ids"] + r["completion_ids"]) for r in made.train_dataset.rows
        ]
        taken = list(made._get_train_sampler())
        assert sorted(taken) == list(range(len(ROWS)))
        batches = [taken[start : start + 8] for start in range(0, len(taken), 8)]
        padding = sum(
            max(lengths[i] for i in b) * 8 - sum(lengths[i] for i in b) for b in batches
        )
        return taken, padding

    alike = {"train_sampling_strategy": "group_by_length"}
    (taken, little), (again, _), (other, _) = (
        order(seed, **alike) for seed in (0, 0, 1)
    )
    assert taken == again != other
    assert little < order(0)[1]
