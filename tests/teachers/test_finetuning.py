import numpy as np
import pytest
import torch

from distill_helpers.teachers.finetuning import (
    average_weights,
    finetune,
    finetuned_stage,
    logits_stage,
    predict_logits,
    save_teacher,
    stack_logits,
)
from distill_helpers.teachers.folds import deal_folds
from distill_helpers.teachers.stages import run_stage


@pytest.fixture
def folder(bert, bert_tokenizer, tmp_path):
    save_teacher(bert, bert_tokenizer, tmp_path / "base")
    return tmp_path / "base"


def test_folds_keep_like_reviews_together_and_are_of_one_size():
    groups = [0, 0, 2, 3, 3, 3, 6, 7, 8, 9]
    folds = deal_folds(groups, 3, seed=1)
    assert set(folds) == {0, 1, 2}
    for group in set(groups):
        assert len({f for f, g in zip(folds, groups) if g == group}) == 1
    sizes = np.bincount(deal_folds(range(3000), 3))
    assert sizes.max() - sizes.min() <= 1
    with pytest.raises(ValueError, match="folds must lie in 2..3"):
        deal_folds([1, 2, 3], 4)


def test_fine_tuning_lowers_the_loss_and_freezes_the_embedding(folder, texts, labels):
    from distill_helpers.teachers.finetuning import load_encoder

    model, tokenizer = load_encoder(str(folder))
    before = model.get_input_embeddings().weight.clone()
    losses = finetune(
        model,
        tokenizer,
        texts,
        labels,
        epochs=10,
        max_length=64,
        batch_size=8,
        learning_rate=3e-3,
    )
    assert len(losses) == 80
    assert np.mean(losses[-8:]) < 0.5 * np.mean(losses[:8])
    assert torch.equal(model.get_input_embeddings().weight, before)
    right = predict_logits(model, tokenizer, texts, max_length=64).argmax(1) == labels
    assert right.mean() > 0.8


def test_an_average_of_weights_is_the_mean(folder):
    from distill_helpers.teachers.finetuning import load_encoder

    models = [load_encoder(str(folder))[0] for _ in range(2)]
    with torch.no_grad():
        models[1].classifier.bias.add_(2.0)
    before = models[0].classifier.bias.clone()
    other = models[0].bert.pooler.dense.weight.clone()
    average = average_weights(models)
    torch.testing.assert_close(average.classifier.bias, before + 1.0)
    torch.testing.assert_close(average.bert.pooler.dense.weight, other)


def test_a_stage_is_done_once_and_an_interrupted_one_again(tmp_path):
    calls = []

    def interrupted(part):
        calls.append("interrupted")
        (part / "half").write_text("half")
        raise KeyboardInterrupt

    def whole(part):
        calls.append("whole")
        assert list(part.iterdir()) == []
        (part / "file").write_text("all")
        return {"answer": 42}

    with pytest.raises(KeyboardInterrupt):
        run_stage(tmp_path / "stage", interrupted)
    assert not (tmp_path / "stage").exists()
    for _ in range(2):
        folder, record = run_stage(tmp_path / "stage", whole)
        assert record["answer"] == 42 and record["seconds"] >= 0
    assert calls == ["interrupted", "whole"]
    assert (folder / "file").read_text() == "all"


def test_logits_of_other_texts_are_not_taken_for_these(
    folder, texts, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "distill_helpers.teachers.finetuning.predict_logits",
        lambda model, tokenizer, t, **_: np.ones((len(t), 2), np.float32),
    )
    first = logits_stage(tmp_path / "logits", folder, texts[:5])
    assert first.shape == (5, 2)
    with pytest.raises(ValueError, match="logits of other texts"):
        logits_stage(tmp_path / "logits", folder, texts[5:10])


def test_a_fine_tuned_stage_can_be_loaded(folder, texts, labels, tmp_path):
    from transformers import AutoModelForSequenceClassification

    where, record = finetuned_stage(
        tmp_path / "tuned", folder, texts[:16], labels[:16], epochs=1, max_length=64
    )
    assert record["steps"] == 1
    assert AutoModelForSequenceClassification.from_pretrained(where).num_labels == 2
    assert not list(where.glob("*.bin"))


@pytest.mark.parametrize("classes", [2, 3])
def test_stacking_trusts_the_teacher_that_is_right(classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 600)
    good = np.eye(classes)[labels] * 3 + rng.normal(size=(600, classes))
    noise = rng.normal(size=(600, classes)) * 3
    stacked = stack_logits(
        [good[:300], noise[:300]], labels[:300], [good[300:], noise[300:]]
    )
    assert stacked.shape == (300, classes) and stacked.dtype == np.float32
    np.testing.assert_allclose(stacked.sum(1), 0, atol=1e-3)
    truth = labels[300:]
    alone = (good[300:].argmax(1) == truth).mean()
    averaged = ((good + noise)[300:].argmax(1) == truth).mean()
    assert (stacked.argmax(1) == truth).mean() > max(averaged, alone - 0.02)
