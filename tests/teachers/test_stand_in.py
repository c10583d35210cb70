import json

import numpy as np
import pytest

from distill_helpers.data.reviews import load_reviews
from distill_helpers.data.sources import whole_sample
from distill_helpers.evaluation.cost import count_parameters
from distill_helpers.evaluation.metrics import measure_quality
from distill_helpers.places import SOFT_TARGETS
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.live import HuggingFaceTeacher
from distill_helpers.teachers.opening import open_teacher
from distill_helpers.teachers.stand_in import (
    stand_in_teacher,
    teacher_card,
    timed_teacher,
)
from distill_helpers.teachers.stored import (
    answerable,
    read_soft_targets,
)


@pytest.fixture(scope="module")
def shipped():
    return open_teacher("shipped", cache="unused")


def test_the_stand_in_has_the_teachers_shape(texts):
    card = teacher_card()
    twin = stand_in_teacher(texts)
    assert count_parameters(twin.model) == card["parameters"]
    assert twin.max_length == card["max_length"]
    assert twin.logits(texts[:2]).shape == (2, 2)


def test_a_live_teacher_is_timed_itself(bert, bert_tokenizer, tmp_path, texts):
    live = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    assert timed_teacher(CachedTeacher(live, tmp_path), texts) is live


def test_the_shipped_teacher_knows_all_of_the_sample(shipped):
    sample = whole_sample()
    assert shipped.knows(sample["text"]).all()
    assert len(shipped) > 95_000


def test_the_shipped_teacher_is_as_good_as_its_card_says(shipped):
    reviews = load_reviews("sample")["test"]
    found = measure_quality(shipped.logits(reviews["text"]), reviews["label"])
    card = teacher_card()["test"]
    assert found.accuracy == pytest.approx(card["sample"]["accuracy"], abs=1e-9)
    assert found.accuracy >= 0.89
    assert card["imdb"]["accuracy"] >= 0.928
    assert card["imdb"]["examples"] == 20_000


def test_its_confidence_on_the_pool_is_that_of_a_model_that_had_not_seen_it(shipped):
    sample = whole_sample()
    pool = sample[sample["split"] != "test"]
    found = measure_quality(shipped.logits(pool["text"].tolist()), pool["label"])
    assert 0.8 < found.accuracy < 0.97  # a memorised answer would be near 1
    card = teacher_card()["out_of_fold"]
    assert card["trained on"]["accuracy"] > card["out of fold"]["accuracy"]
    assert (
        card["trained on"]["mean confidence"] > card["out of fold"]["mean confidence"]
    )


def test_what_is_shipped_is_small_and_holds_no_text():
    total = 0
    for path in SOFT_TARGETS.glob("*.parquet"):
        keys, logits, _ = read_soft_targets(path)
        assert logits.shape == (len(keys), 2)
        assert np.isfinite(logits).all()
        total += path.stat().st_size
    assert 0 < total < 5 * 2**20
    assert "text" not in json.dumps(teacher_card())


def test_only_reviews_that_the_teacher_knows_can_be_answered(shipped, reviews):
    from datasets import Dataset

    known = reviews["test"]["text"][:3]
    mixed = Dataset.from_dict({"text": [*known, "never seen before"]})
    assert answerable(shipped, mixed)["text"][:] == known
    with pytest.raises(ValueError, match="knows 0 of these 2 texts"):
        answerable(shipped, Dataset.from_dict({"text": ["new one", "new two"]}))


def test_a_live_teacher_answers_everything(bert, bert_tokenizer, reviews):
    live = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    assert answerable(live, reviews["test"]).num_rows == reviews["test"].num_rows


def test_a_named_teacher_is_opened_behind_a_cache(bert, bert_tokenizer, tmp_path):
    bert.save_pretrained(tmp_path / "t")
    bert_tokenizer.save_pretrained(tmp_path / "t")
    teacher = open_teacher(str(tmp_path / "t"), tmp_path / "cache", max_length=64)
    assert isinstance(teacher, CachedTeacher)
    teacher.logits(["a fine film"])
    assert list((tmp_path / "cache").rglob("*.parquet"))
