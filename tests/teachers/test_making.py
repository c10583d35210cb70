"""A teacher of the reader's own labels: out of fold, calibrated, found again."""

import json

import numpy as np
import pytest
import torch
from conftest import small_bert
from datasets import Dataset

from distill_helpers.data.encoding import device_of
from distill_helpers.data.scripts import is_spaceless
from distill_helpers.evaluation.metrics import measure_quality
from distill_helpers.students.linear import linear_baseline, tokens
from distill_helpers.teachers import finetuning, learners, live, making
from distill_helpers.teachers.calibrating import calibrate
from distill_helpers.teachers.examples import Examples
from distill_helpers.teachers.folds import stratified_folds
from distill_helpers.teachers.heads import fit_head
from distill_helpers.teachers.learners import EncoderLearner
from distill_helpers.teachers.making import make_teacher
from distill_helpers.teachers.ngram_features import NgramFeatures
from distill_helpers.teachers.stand_in import timed_teacher

NAMES = ["delivery", "login", "refund"]
STEMS = {
    "delivery": ["parcel", "courier", "shipping", "package", "deliver"],
    "login": ["password", "account", "signing", "locked", "username"],
    "refund": ["refund", "money", "return", "cancel", "charged"],
}


class Parts(dict):
    label_names = NAMES


def messages(count, seed, names=NAMES, shares=(0.5, 0.3, 0.2)):
    """Texts whose class one word gives away, inflected or not."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(names), count, p=shares)
    filler = "please help me today about this since again nothing here works".split()
    texts = []
    for label in labels:
        stem = rng.choice(STEMS[names[label]]) + rng.choice(["", "s", "ing", "ed"])
        words = [*rng.choice(filler, 6), stem]
        texts.append(" ".join(rng.permutation(words)) + f" {rng.integers(10_000)}")
    return texts, labels.tolist()


def parts(train, labels, transfer=()):
    return Parts(
        train=Dataset.from_dict({"text": train, "label": labels}),
        transfer=Dataset.from_dict({"text": list(transfer)}),
    )


@pytest.fixture(scope="module")
def mail():
    texts, labels = messages(90, 0)
    return parts(texts, labels, messages(60, 1)[0])


@pytest.fixture(scope="module")
def made(mail):
    return make_teacher(mail, progress=False)


def test_it_knows_classes_of_texts_it_has_not_seen_better_than_the_baseline(mail, made):
    texts, labels = messages(200, 2)
    line = linear_baseline().fit(mail["train"]["text"], mail["train"]["label"])
    right = measure_quality(made.logits(texts), labels).accuracy
    assert right > 0.9
    assert right > (line.predict(texts) == labels).mean()
    assert made.label_names == NAMES and made.num_labels == 3


def test_what_it_says_of_itself_is_what_it_answers_out_of_fold(mail, made):
    logits = made.logits(mail["train"]["text"])
    found = measure_quality(logits, mail["train"]["label"])
    assert made.about["out of fold"]["accuracy"] == pytest.approx(
        found.accuracy, abs=1e-4
    )
    assert {"how": "linear", "folds": 5, "warnings": []}.items() <= made.about.items()
    assert "no more" in made.about["cannot teach"]


def test_labels_by_chance_are_not_learnt_by_heart():
    texts, _ = messages(90, 3)
    labels = np.random.default_rng(0).integers(0, 3, 90).tolist()
    teacher = make_teacher(parts(texts, labels), progress=False)
    found = measure_quality(teacher.logits(texts), labels).accuracy
    assert abs(found - 1 / 3) < 3 * np.sqrt(2 / 9 / 90)
    probabilities = torch.softmax(torch.tensor(teacher.logits(texts)), 1)
    assert probabilities.max(1).values.mean() < 0.5  # and it knows that it guesses


def test_like_texts_never_vouch_for_each_other():
    """Each text stands twice; its copy must not give its random label away."""
    texts, _ = messages(40, 4)
    labels = np.random.default_rng(1).integers(0, 3, 40).tolist()
    teacher = make_teacher(
        parts(texts + [f"{t} !" for t in texts], labels * 2), progress=False
    )
    assert measure_quality(teacher.logits(texts), labels).accuracy < 0.65


def test_a_teacher_that_knows_nothing_says_so():
    texts, _ = messages(60, 5)
    labels = ([0] * 5 + [1]) * 10
    warnings = make_teacher(parts(texts, labels), progress=False).about["warnings"]
    assert any("nothing to teach" in warning for warning in warnings)


def test_the_same_seed_gives_the_same_teacher_and_another_seed_another(mail, made):
    again = make_teacher(mail, progress=False)
    asked = [*mail["train"]["text"], *messages(5, 6)[0]]
    assert again.fingerprint == made.fingerprint
    np.testing.assert_array_equal(again.logits(asked), made.logits(asked))
    other = make_teacher(mail, seed=1, progress=False)
    assert other.fingerprint != made.fingerprint
    assert not np.array_equal(other.logits(asked), made.logits(asked))


def test_a_cache_is_found_again_and_no_other_files(mail, made, tmp_path, monkeypatch):
    first = make_teacher(mail, cache=tmp_path, progress=False)
    texts = mail["train"]["text"]
    np.testing.assert_array_equal(first.logits(texts), made.logits(texts))
    monkeypatch.setattr(making, "_out_of_fold", None)
    again = make_teacher(mail, cache=tmp_path, progress=False)
    assert again.about == first.about
    np.testing.assert_array_equal(again.logits(texts), made.logits(texts))
    asked = messages(5, 6)[0]
    np.testing.assert_array_equal(again.logits(asked), made.logits(asked))
    moved = parts(texts, mail["train"]["label"][::-1])
    with pytest.raises(TypeError):  # other labels: it must be made anew
        make_teacher(moved, cache=tmp_path, progress=False)


def test_an_interrupted_one_leaves_nothing_half_done(mail, tmp_path, monkeypatch):
    real = learners.fit_head

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(learners, "fit_head", stopped)
    with pytest.raises(KeyboardInterrupt):
        make_teacher(mail, cache=tmp_path, progress=False)
    monkeypatch.setattr(learners, "fit_head", real)
    teacher = make_teacher(mail, cache=tmp_path, progress=False)
    assert teacher.about["out of fold"]["accuracy"] > 0.8


def test_a_class_with_one_text_is_named_and_can_be_answered():
    texts, labels = messages(60, 7, shares=(0.6, 0.4, 0.0))
    texts, labels = [*texts, "a refund for my vase"], [*labels, 2]
    teacher = make_teacher(parts(texts, labels), progress=False)
    assert "'refund' (1)" in teacher.about["warnings"][0]
    assert np.isfinite(teacher.logits(texts)).all()
    assert teacher.logits(["when comes the refund"]).argmax() == 2


def test_several_labels_at_once():
    one, other = messages(120, 8), messages(120, 9)
    texts = [f"{a} {b}" for a, b in zip(one[0], other[0])]
    rows = np.zeros((120, 3))
    rows[np.arange(120), one[1]] = rows[np.arange(120), other[1]] = 1
    labels = [*rows[:110].tolist(), *[[-100.0] * 3] * 10]
    teacher = make_teacher(parts(texts, labels), progress=False)
    assert teacher.problem_type == "multi_label_classification"
    assert teacher.about["labelled texts"] == 110
    logits = teacher.logits(texts[:110])
    assert ((logits > 0) == rows[:110]).mean() > 0.85
    chances = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(chances.mean(0), rows[:110].mean(0), atol=0.06)


def test_chinese_texts_are_read():
    words = {"物流": 0, "快递": 0, "密码": 1, "登录": 1, "退款": 2, "退货": 2}
    rng = np.random.default_rng(0)
    fill = list("我想问一下今天可以吗谢谢你们好的请")
    texts, labels = [], []
    for _ in range(90):
        word = rng.choice(list(words))
        texts.append("".join(rng.choice(fill, 8)) + word + "".join(rng.choice(fill, 6)))
        labels.append(words[word])
    assert is_spaceless(texts) and not is_spaceless(["all of it is 中文"])
    teacher = make_teacher(parts(texts, labels), progress=False)
    assert teacher.about["out of fold"]["accuracy"] > 0.9
    line = linear_baseline().fit(texts[:60], labels[:60])
    assert (line.predict(texts[60:]) == labels[60:]).mean() > 0.9


def test_words_of_every_script():
    assert tokens("don't über हिन्दी ภาษา 中文 x") == [
        *("don", "über", "हिन्दी", "ภ", "า", "ษ", "า", "中", "文")
    ]


# ------------------------------------------------------------------ encoders
@pytest.fixture(scope="module")
def encoder(tmp_path_factory, bert_tokenizer):
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    small_bert(bert_tokenizer).bert.save_pretrained(folder)
    bert_tokenizer.save_pretrained(folder)
    return folder


def test_a_frozen_encoder_teaches_with_its_head_alone(mail, encoder, tmp_path):
    teacher = make_teacher(mail, encoder=encoder, cache=tmp_path, progress=False)
    accelerated = torch.accelerator.is_available()
    assert teacher.about["how"] == ("encoder" if accelerated else "frozen")
    frozen = make_teacher(mail, "frozen", encoder=encoder, progress=False)
    texts = [*mail["train"]["text"], *messages(3, 6)[0]]
    assert frozen.logits(texts).shape == (93, 3)
    assert frozen.teacher is None
    labels = np.array(mail["train"]["label"])
    right = frozen.logits(texts[:90]).argmax(1) == labels
    assert right.mean() > 1 / 3  # its letters are random, yet not nothing


@pytest.mark.parametrize("several", [False, True])
def test_an_encoder_is_fine_tuned_out_of_fold(
    mail, encoder, tmp_path, monkeypatch, several
):
    monkeypatch.setattr(learners, "passes", lambda texts: 1)
    texts, labels = mail["train"]["text"][:30], mail["train"]["label"][:30]
    if several:
        labels = np.eye(3)[labels].tolist()
    given = {"how": "encoder", "encoder": encoder, "folds": 2, "progress": False}
    teacher = make_teacher(parts(texts, labels), cache=tmp_path, **given)
    asked = [*texts, "a parcel"]
    answers = teacher.logits(asked)
    assert answers.shape == (31, 3)
    assert timed_teacher(teacher, texts) is teacher.teacher
    assert teacher.teacher.model.config.id2label == dict(enumerate(NAMES))
    assert teacher.teacher.problem_type == teacher.problem_type
    kept = sorted(p.name for p in (tmp_path / teacher.fingerprint).iterdir())
    assert kept == [".lock", "all", "out-of-fold"]  # those of the folds are gone
    again = make_teacher(parts(texts, labels), cache=tmp_path, **given)
    np.testing.assert_array_equal(again.logits(asked), answers)
    uncached = make_teacher(parts(texts, labels), **given)
    np.testing.assert_allclose(uncached.logits(asked), answers, atol=1e-5)


@pytest.mark.parametrize("cached", [False, True])
def test_an_encoder_is_fine_tuned_where_the_accelerator_is(
    mail, encoder, tmp_path, monkeypatch, cached
):
    learner = EncoderLearner(Examples.of(mail), 0, encoder, False)
    learner.folder = tmp_path if cached else None

    class Reached(Exception):
        """Holds the device."""

    def stop(model, *_, **__):
        raise Reached(device_of(model).type)

    monkeypatch.setattr(finetuning, "finetune", stop)
    for module in (live, finetuning):
        monkeypatch.setattr(module, "on_accelerator", lambda model: model.to("meta"))
    with pytest.raises(Reached, match="meta"):
        learner.fit(np.arange(10), "all")


# ------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"how": "magic"}, "how must be one of"),
        ({"how": "frozen"}, "how='frozen' needs an encoder"),
        ({"how": "encoder"}, "how='encoder' needs an encoder"),
        ({"how": "linear", "encoder": "x"}, "how='linear' uses no encoder"),
        ({"folds": 1}, "folds must be at least 2"),
        ({"seed": -1}, "seed must lie in"),
    ],
)
def test_arguments_that_do_not_fit(mail, change, message):
    with pytest.raises(ValueError, match=message):
        make_teacher(mail, progress=False, **change)


def test_an_encoder_that_is_not_there_is_named(mail, tmp_path):
    with pytest.raises(OSError, match="neither a folder with an encoder"):
        make_teacher(mail, encoder=tmp_path / "none", progress=False)


def test_an_encoder_without_separators_is_named(mail, tmp_path, bert_tokenizer):
    small_bert(bert_tokenizer).bert.save_pretrained(tmp_path)
    bert_tokenizer.save_pretrained(tmp_path)
    place = tmp_path / "tokenizer_config.json"
    told = json.loads(place.read_text())
    for token in ("cls_token", "sep_token"):
        told.pop(token, None)
    place.write_text(json.dumps(told | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    (tmp_path / "special_tokens_map.json").unlink(missing_ok=True)
    with pytest.raises(ValueError, match="tokeniser without cls_token, sep_token"):
        make_teacher(mail, "frozen", encoder=tmp_path, progress=False)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None, None, None], "must hold labelled texts, got none"),
        ([1, 1, None], "at least two classes, got 1"),
        ([0, 7, 1], "labels must lie in 0..2"),
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], "rows of 3 numbers"),
        ([[1.0, 0.0, 0.3], [0.0, 1.0, 0.0], None], "0 or 1 for each class"),
        (["refund", "login", None], "must hold class numbers, got the text 'refund'"),
        ([0.4, 1.0, 2.0], "must hold class numbers, got 0.4 in row 0"),
    ],
)
def test_labels_that_teach_nothing(labels, message):
    with pytest.raises(ValueError, match=message):
        make_teacher(parts(["one text", "two texts", "three"], labels), progress=False)


# ------------------------------------------------------------- folds and heads
@pytest.mark.parametrize("several", [False, True])
def test_folds_hold_like_shares_and_keep_groups_together(several):
    labels = np.repeat([0, 1, 2], [50, 15, 5])
    groups = np.arange(70)
    groups[1:10:2] -= 1  # five pairs
    given = np.eye(3)[labels] if several else labels
    fold = stratified_folds(given, groups, 5, seed=3)
    counts = np.array([np.bincount(labels[fold == k], minlength=3) for k in range(5)])
    assert np.ptp(counts[:, 1:], axis=0).tolist() == [0, 0]
    assert np.ptp(counts[:, 0]) <= 2
    for group in np.unique(groups):
        assert len(set(fold[groups == group])) == 1


def test_folds_are_refused_where_there_are_too_few_texts():
    with pytest.raises(ValueError, match="folds must be at most 2"):
        stratified_folds(np.array([0, 1, 1]), [0, 1, 1], 3)
    with pytest.raises(ValueError, match="labels has 2 examples and groups 3"):
        stratified_folds(np.array([0, 1]), [0, 1, 1], 2)


def test_features_of_known_texts_are_those_of_any_text():
    texts = messages(40, 0)[0]
    features = NgramFeatures(texts)
    asked = [texts[3], texts[0], texts[3]]
    among_new = features([*asked, "a parcel that nobody knew"])[:3]
    np.testing.assert_allclose(
        features(asked).toarray(), among_new.toarray(), atol=1e-5
    )


def test_a_class_that_never_holds_is_unlikely_but_not_impossible():
    rng = np.random.default_rng(0)
    holds = np.zeros((40, 3), bool)
    holds[np.arange(40), rng.integers(0, 2, 40)] = True
    logits = fit_head(rng.normal(size=(40, 4)).astype(np.float32), holds)(np.eye(4))
    np.testing.assert_allclose(logits[:, 2], np.log(1 / 41), rtol=1e-5)


@pytest.mark.parametrize("several", [False, True])
def test_calibration_finds_the_temperature_and_the_shift(several):
    rng = np.random.default_rng(0)
    true = rng.normal(size=(6_000, 3)) * 2
    if several:
        labels = (rng.random(true.shape) < 1 / (1 + np.exp(-true))).astype(float)
        found = calibrate(true * 3 - [0, 3, 6], labels)
        np.testing.assert_allclose(found.shift, [0, 1, 2], atol=0.15)
    else:
        chances = np.exp(true) / np.exp(true).sum(1, keepdims=True)
        draws = rng.random((6_000, 1))
        labels = (chances.cumsum(1) < draws).sum(1).clip(max=2)
        found = calibrate(true * 3, labels)
        assert found.shift == (0.0, 0.0, 0.0)
    assert found.temperature == pytest.approx(3, rel=0.1)
