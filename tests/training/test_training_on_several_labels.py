"""Several labels a text and unequal classes, through trainer and recipes."""

import warnings

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import pipeline

from distill_helpers.data.encoding import EncodedReviews, encode_reviews
from distill_helpers.data.labels import ONE_LABEL, SEVERAL_LABELS
from distill_helpers.evaluation.predict import predict_encoded, predictor
from distill_helpers.losses.balance import class_weights
from distill_helpers.losses.combined import standard_losses
from distill_helpers.losses.several_labels import (
    multi_label_cross_entropy,
    multi_label_kd_loss,
)
from distill_helpers.students.registry import build_student
from distill_helpers.students.tokenizers import train_tokenizer
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.stored import SoftTargets
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.recipes import judge, train_student
from distill_helpers.training.task import DivergedError, task_metrics
from distill_helpers.training.trainer import DistillationTrainer

NAMES = ["billing", "refund", "delivery", "login"]
WORDS = [
    ["invoice", "charged", "receipt"],
    ["money back", "return", "refunded"],
    ["parcel", "courier", "late"],
    ["password", "account", "locked"],
]


@pytest.fixture(scope="module")
def messages():
    """Texts that name what they are about, one label, several or none each."""
    rng = np.random.default_rng(0)
    texts, rows = [], []
    for number in range(240):
        row = (rng.random(4) < [0.5, 0.4, 0.3, 0.1]).astype(float)
        said = [str(rng.choice(WORDS[c])) for c in range(4) if row[c]]
        filler = [f"word{k}" for k in rng.integers(0, 60, 4)]
        texts.append(" ".join(rng.permutation([*said, *filler, f"no{number}"])))
        rows.append(row.tolist())
    return texts, rows


@pytest.fixture(scope="module")
def parts(messages):
    """Encoded: labels alone; with soft targets and few labels; validation."""
    texts, rows = messages
    tokenizer = train_tokenizer(texts, "bigram", vocab_size=500)
    logits = (
        np.array(rows) * 8 - 4 + np.random.default_rng(1).normal(size=(240, 4))
    ).tolist()
    few = [row if i < 40 else None for i, row in enumerate(rows)]

    def encoded(chosen, **columns):
        table = {k: [v[i] for i in chosen] for k, v in columns.items()}
        return encode_reviews(Dataset.from_dict(table), tokenizer)

    return {
        "labels": encoded(range(40), text=texts, label=rows),
        "taught": encoded(range(180), text=texts, label=few, teacher_logits=logits),
        "validation": encoded(range(180, 240), text=texts, label=rows),
        "tokenizer": tokenizer,
    }


@pytest.fixture(scope="module")
def students(parts):
    """The control and its distilled twin."""
    settings = {"steps": 60, "label_names": NAMES, "shape": {"buckets": 1024}}
    return {
        name: train_student(
            "bigram", parts["tokenizer"], parts[name], parts["validation"], **settings
        )
        for name in ("labels", "taught")
    }


def test_a_teacher_of_several_labels_helps_a_student_with_few(
    students, parts, messages
):
    texts, rows = messages
    quality = {
        name: judge(model, parts["tokenizer"], texts[180:], rows[180:])
        for name, model in students.items()
    }
    assert quality["taught"].f1 > quality["labels"].f1 + 0.1
    assert quality["taught"].micro_f1 > quality["labels"].micro_f1 + 0.1
    assert all(m.config.problem_type == SEVERAL_LABELS for m in students.values())


def test_the_saved_student_gives_a_sigmoid_a_class_in_the_stock_pipeline(
    students, parts, messages, tmp_path
):
    students["taught"].save_pretrained(tmp_path)
    parts["tokenizer"].save_pretrained(tmp_path)
    pipe = pipeline("text-classification", model=str(tmp_path), top_k=None)
    found = pipe(messages[0][180:183])
    logits = predictor(students["taught"], parts["tokenizer"])(messages[0][180:183])
    for row, entries in zip(logits, found):
        scores = {entry["label"]: entry["score"] for entry in entries}
        expected = 1 / (1 + np.exp(-row))
        assert [scores[n] for n in NAMES] == pytest.approx(expected.tolist(), abs=1e-5)


def settings(folder, **options):
    given = {
        "use_cpu": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "logging_steps": 1,
        "max_steps": 2,
    }
    return DistillationConfig(**({"output_dir": str(folder)} | given | options))


def trainer(folder, parts, train="taught", evaluation="validation", **options):
    given = options.pop("given", {})
    model = build_student(
        "bigram",
        parts["tokenizer"],
        label_names=NAMES,
        buckets=256,
        problem_type=options.pop("problem_type", SEVERAL_LABELS),
    )
    return DistillationTrainer(
        model,
        given.pop("teacher_model", None),
        settings(folder, **options),
        parts.get(train, train),
        parts.get(evaluation, evaluation)
        if isinstance(evaluation, str)
        else evaluation,
        processing_class=parts["tokenizer"],
        **given,
    )


@pytest.mark.parametrize("micro", [1, 4])
def test_the_first_loss_is_the_formula_however_the_batch_is_cut(tmp_path, parts, micro):
    run = trainer(
        tmp_path,
        parts,
        max_steps=1,
        temperature=3.0,
        alpha=0.3,
        per_device_train_batch_size=180 // micro,
        gradient_accumulation_steps=micro,
    )
    run.train()
    data = parts["taught"]
    logits = torch.zeros(180, 4)  # the linear student starts at nothing
    kd = multi_label_kd_loss(logits, torch.from_numpy(data.teacher_logits), 3.0)
    hard = multi_label_cross_entropy(logits, torch.from_numpy(data.labels))
    first = run.state.log_history[0]
    assert first["kd"] == pytest.approx(kd.item(), rel=1e-3)
    assert first["cross_entropy"] == pytest.approx(hard.item(), rel=1e-3)
    assert first["loss"] == pytest.approx((0.3 * kd + 0.7 * hard).item(), rel=1e-3)


def test_an_evaluation_scores_sets_of_labels_and_may_choose_by_f1(tmp_path, parts):
    run = trainer(
        tmp_path,
        parts,
        eval_strategy="steps",
        eval_steps=1,
        save_strategy="best",
        metric_for_best_model="f1",
        load_best_model_at_end=True,
        learning_rate=0.05,
        max_steps=6,
    )
    run.train()
    judged = [e for e in run.state.log_history if "eval_f1" in e]
    assert run.state.best_metric == max(e["eval_f1"] for e in judged)
    last = run.evaluate()
    assert last["eval_f1"] == run.state.best_metric
    logits = predict_encoded(run.model, parts["tokenizer"], parts["validation"])
    rows = parts["validation"].labels
    assert last["eval_subset_accuracy"] == ((logits > 0) == (rows > 0)).all(1).mean()
    assert last["eval_accuracy"] == last["eval_subset_accuracy"]
    assert {"eval_micro_f1", "eval_loss", "eval_cross_entropy"} <= set(last)


def test_one_label_a_text_has_f1_beside_accuracy():
    class Prediction:
        predictions = np.array([[2.0, 0, 0], [0, 2, 0], [0, 2, 0], [0, 0, 2.0]])
        label_ids = np.array([0, 1, 0, -100])

    found = task_metrics(Prediction)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 / 3)
    Prediction.label_ids = np.full(4, -100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert task_metrics(Prediction) == {}


def test_texts_without_any_label_may_train_on_soft_targets_alone(tmp_path, parts):
    data = parts["taught"]
    plain = EncodedReviews(
        data.token_ids, np.full(180, -100), np.asarray(data.teacher_logits)
    )
    run = trainer(tmp_path, parts, plain, alpha=1.0)
    run.train()
    assert any("kd" in entry for entry in run.state.log_history)


def test_labels_of_the_other_kind_are_refused(tmp_path, parts):
    with pytest.raises(ValueError, match="was built for one: build it with"):
        trainer(tmp_path, parts, problem_type=None)
    data = parts["labels"]
    numbers = EncodedReviews(data.token_ids, np.arange(40) % 4)
    with pytest.raises(ValueError, match="a row of 4 values"):
        trainer(tmp_path, parts, numbers)
    with pytest.raises(ValueError, match="a row of 4 values"):
        trainer(tmp_path, parts, evaluation=numbers)


def test_a_teacher_of_the_other_kind_is_refused_also_behind_its_cache(tmp_path, parts):
    table = {"0" * 32: np.zeros(4, np.float32)}
    teacher = SoftTargets(table, "f", NAMES, problem_type=ONE_LABEL)
    with pytest.raises(ValueError, match="trained for 'single.*built for 'multi"):
        trainer(
            tmp_path, parts, given={"teacher_model": CachedTeacher(teacher, tmp_path)}
        )


# ------------------------------------------------------------ unequal classes
def test_class_weights_reach_the_loss(tmp_path, parts, texts):
    labels = [0] * 48 + [1] * 12 + [-100] * 4
    tokenizer = parts["tokenizer"]
    data = encode_reviews(
        Dataset.from_dict({"text": texts, "label": labels}), tokenizer
    )
    found = {}
    for asked in (None, "balanced", [2.0, 1.0]):
        run = DistillationTrainer(
            build_student("bigram", tokenizer, buckets=256),
            None,
            settings(
                tmp_path,
                class_weights=asked,
                max_steps=1,
                alpha=0.0,
                per_device_train_batch_size=64,
            ),
            data,
            processing_class=tokenizer,
        )
        run.train()
        found[str(asked)] = run.state.log_history[0]["cross_entropy"]
    half = np.log(2)  # of two classes, before anything is learnt
    assert found["None"] == pytest.approx(half, rel=1e-3)
    assert found["balanced"] == pytest.approx(half, rel=1e-3)  # their mean is 1
    assert found["[2.0, 1.0]"] == pytest.approx(half * (2 * 48 + 12) / 60, rel=1e-3)
    assert class_weights("balanced", data.labels, 2) == [0.625, 2.5]


def test_balanced_weights_raise_what_is_found_of_a_rare_class(parts, messages):
    """The rare class is told from the others by words that both may have."""
    rng = np.random.default_rng(2)
    rows = [
        (i % 10 == 0, " ".join(rng.choice(["a", "b", "c", "d"], 6))) for i in range(300)
    ]
    texts = [
        f"{text} {'x' if rare or rng.random() < 0.3 else 'y'}" for rare, text in rows
    ]
    data = Dataset.from_dict({"text": texts, "label": [int(rare) for rare, _ in rows]})
    tokenizer = train_tokenizer(texts, "bigram", vocab_size=100)
    encoded = encode_reviews(data, tokenizer)
    shares = {}
    for asked in (None, "balanced"):
        model = train_student(
            "bigram",
            tokenizer,
            encoded,
            encoded,
            steps=40,
            class_weights=asked,
            metric="f1",
            shape={"buckets": 64},
        )
        said = predict_encoded(model, tokenizer, encoded).argmax(1)
        shares[asked] = said[encoded.labels == 1].mean()
    assert shares["balanced"] > 0.9 > shares[None] + 0.1


def test_weights_beside_losses_of_ones_own_are_refused(tmp_path, parts):
    with pytest.raises(ValueError, match="class_weights belong to the standard losses"):
        trainer(
            tmp_path,
            parts,
            class_weights="balanced",
            given={"losses": standard_losses(2.0, 0.5, SEVERAL_LABELS)},
        )


# ------------------------------------------- what the stock trainer is given
@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({"compute_loss_func": lambda *a, **k: 0}, {}, "compute_loss_func is not used"),
        ({"model_init": lambda: None}, {}, "model_init is not used"),
        ({}, {"label_smoothing_factor": 0.1}, "label_smoothing_factor is not used"),
        ({}, {"label_names": ["stars"]}, "label_names is not used"),
    ],
)
def test_what_would_be_ignored_is_refused(tmp_path, parts, given, options, message):
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path, parts, given=given, **options)


def test_several_evaluation_sets_and_raw_ones_are_judged(tmp_path, parts, messages):
    texts, rows = messages
    raw = Dataset.from_dict({"text": texts[180:], "label": rows[180:]})
    run = trainer(
        tmp_path,
        parts,
        evaluation={"own": parts["validation"], "raw": raw},
        eval_strategy="steps",
        eval_steps=2,
        max_steps=2,
    )
    run.train()
    logged = {k: v for entry in run.state.log_history for k, v in entry.items()}
    for score in ("loss", "f1", "cross_entropy"):
        assert logged[f"eval_own_{score}"] == pytest.approx(logged[f"eval_raw_{score}"])
    later = run.evaluate(raw)
    assert later["eval_f1"] == logged["eval_own_f1"]
    answers = run.predict(raw.remove_columns("label"))  # nobody knows the answers
    expected = predict_encoded(run.model, parts["tokenizer"], parts["validation"])
    np.testing.assert_allclose(answers.predictions, expected, atol=1e-5)
    assert "test_f1" not in answers.metrics
    assert run.predict(raw).metrics["test_f1"] == later["eval_f1"]


def test_an_evaluation_without_any_label_stops_with_a_word(tmp_path, parts, messages):
    silent = Dataset.from_dict({"text": messages[0][180:]})
    with pytest.raises(ValueError, match="eval_dataset has no label"):
        trainer(tmp_path, parts, evaluation=silent)
    with pytest.raises(ValueError, match="nothing to judge the student by in its 60"):
        trainer(tmp_path, parts).evaluate(silent)


@pytest.mark.parametrize("train", ["labels", "taught"])
def test_a_student_that_diverges_stops_with_a_word(tmp_path, parts, train):
    run = trainer(
        tmp_path,
        parts,
        train,
        learning_rate=3e38,
        max_grad_norm=0,
        warmup_steps=0,
        max_steps=20,
    )
    with pytest.raises(DivergedError, match="diverged.*Lower learning_rate"):
        run.train()
