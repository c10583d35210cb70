"""A reader of cards: two inputs through trainer, scorecard, cascade and ONNX."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from distill_helpers import evaluation, export, students
from distill_helpers.data import CardQuestion, draw_cards, drop_senses
from distill_helpers.losses import standard_losses, weighted_maps
from distill_helpers.students.card_reading import card_ids, looking
from distill_helpers.training import DistillationConfig, DistillationTrainer

SHAPE = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def cards():
    return drop_senses(draw_cards(40, seed=3), 0.2, seed=3)


@pytest.fixture(scope="module")
def reader():
    return students.build_card_student(0, **SHAPE).eval()


def test_fast_tokens_are_those_of_the_tokeniser(cards):
    told = students.card_tokenizer()(
        cards.texts, padding="max_length", return_tensors="np"
    )
    assert np.array_equal(card_ids(cards), told["input_ids"])


def test_each_word_shares_one_look_and_a_missing_picture_takes_all(reader, cards):
    maps = students.answer_cards(reader, cards).maps
    assert maps.shape == (40, 2, 8, 7)
    assert np.allclose(maps.sum(-1), 1, atol=1e-5)
    assert np.allclose(maps[~cards.seen][..., 6], 1)
    assert (maps[cards.seen][..., :6] > 0).all()


def test_padding_changes_nothing(reader, cards):
    inputs = students.card_tensors(cards)
    wide = torch.nn.functional.pad(inputs["input_ids"], (0, 18))
    with torch.no_grad():
        plain = reader(**inputs).logits
        padded = reader(wide, inputs["pixel_values"]).logits
    assert torch.equal(plain, padded)


@pytest.mark.parametrize(
    ("ids", "pixels", "said"),
    [
        ((2, 14), (2, 24, 16), "pixel_values must have the shape"),
        ((2, 14), (3, 16, 24), "2 texts and 3 pictures"),
        ((2, 15), (2, 16, 24), "at most 14 tokens"),
        ((2, 6), (2, 16, 24), "at least 7 tokens"),
    ],
)
def test_inputs_that_do_not_fit_are_named(reader, ids, pixels, said):
    with pytest.raises(ValueError, match=said):
        reader(torch.ones(ids, dtype=torch.long), torch.zeros(pixels))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("largest digit of the top row", "'top' in text 0 is outside"),
        ("is upper left larger than lower left or right", "'or' in text 0"),
        ("is the upper left larger than the lower left", "at most 7 words, got 9"),
    ],
)
def test_questions_outside_of_the_vocabulary_are_refused(cards, text, said):
    with pytest.raises(ValueError, match=said):
        card_ids(cards.asking(CardQuestion(text, "largest", (0,))))


def test_maps_of_a_missing_sense_and_padding_do_not_count(reader, cards):
    reads = students.encode_cards(cards, students.answer_cards(reader, cards), 5)
    mask = reads.tensors["teacher_attention_mask"]
    words = looking(card_ids(cards)) != 0
    assert np.array_equal(mask, words & cards.seen[:, None])
    assert reads.labelled.sum() == 5


@pytest.fixture(scope="module")
def trained(reader, cards, tmp_path_factory):
    student = students.build_card_student(1, **SHAPE)
    before = [weight.clone() for weight in student.parameters()]
    trainer = DistillationTrainer(
        student,
        None,
        DistillationConfig(
            output_dir=str(tmp_path_factory.mktemp("trained")),
            max_steps=3,
            per_device_train_batch_size=16,
            gradient_accumulation_steps=2,
            logging_steps=1,
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
        ),
        students.encode_cards(cards, students.answer_cards(reader, cards), 20),
        processing_class=students.card_tokenizer(),
        losses=[*standard_losses(2.0, 0.9), weighted_maps(5.0)],
    )
    trainer.train()
    changed = sum(
        not torch.equal(old, new) for old, new in zip(before, student.parameters())
    )
    return trainer.model.eval(), trainer.state.log_history, changed / len(before)


def test_the_trainer_takes_both_inputs_and_logs_the_maps(trained):
    _, log, changed = trained
    steps = [entry for entry in log if "maps" in entry]
    assert len(steps) == 3 and all(entry["maps"] > 0 for entry in steps)
    assert {"kd", "ce"} <= set(steps[0]) or {"kd", "cross_entropy"} <= set(steps[0])
    assert changed > 0.9, "every part of the student learns"


def test_scorecard_and_cascade_judge_it(trained, reader, cards):
    reads = students.encode_cards(cards)
    logits = evaluation.predict_encoded(trained[0], students.card_tokenizer(), reads)
    assert np.allclose(
        logits, students.answer_cards(trained[0], cards).logits, atol=1e-5
    )
    quality = evaluation.measure_quality(logits, cards.labels)
    assert quality.examples == 40
    stages = [
        evaluation.Stage("student", logits, 1.0),
        evaluation.Stage("teacher", students.answer_cards(reader, cards).logits, 4.0),
    ]
    found = evaluation.run_cascade(stages, [1.0])
    assert found.shares["teacher"] == 1.0


def test_saved_and_exported_it_answers_alike(trained, cards, tmp_path):
    model = trained[0]
    model.save_pretrained(tmp_path / "saved")
    kept = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert isinstance(kept, students.CrossAttentionForCards)
    ours = students.answer_cards(model, cards)
    assert np.array_equal(students.answer_cards(kept, cards).logits, ours.logits)
    path = export.trace_cards(model, tmp_path / "reader.onnx")
    for some in (cards, cards.some([0])):
        mine, theirs = (
            students.answer_cards(model, some),
            export.OnnxCards(path).answer(some),
        )
        assert np.allclose(mine.logits, theirs.logits, atol=1e-4)
        assert np.allclose(mine.maps, theirs.maps, atol=1e-5)
    with pytest.raises(FileExistsError):
        export.trace_cards(model, path)
    with pytest.raises(FileNotFoundError):
        export.OnnxCards(tmp_path / "none.onnx")
    with pytest.raises(ValueError, match="must have the inputs"):
        export.OnnxClassifier(path, students.card_tokenizer())
