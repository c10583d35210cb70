"""Wherever a teacher meets a student or data, their classes are compared by name."""

import numpy as np
import pytest
import torch
from conftest import CountingTeacher, small_bert
from datasets import ClassLabel

from distill_helpers.data.class_order import ClassNamesError
from distill_helpers.data.encoding import encode_reviews
from distill_helpers.evaluation.predict import predict_encoded, predictor
from distill_helpers.students.registry import build_student
from distill_helpers.teachers.cached import CachedTeacher
from distill_helpers.teachers.finetuning import save_teacher
from distill_helpers.teachers.live import HuggingFaceTeacher, weights_revision
from distill_helpers.teachers.mixed import AverageTeacher
from distill_helpers.teachers.opening import open_teacher
from distill_helpers.teachers.ordering import in_order, innermost
from distill_helpers.training.config import DistillationConfig
from distill_helpers.training.recipes import judge
from distill_helpers.training.trainer import DistillationTrainer

NAMES = ["negative", "positive"]


def turned_round(model, names=("positive", "negative")):
    """The same classifier with its two classes the other way round."""
    turned = type(model)(model.config)
    turned.load_state_dict(model.state_dict())
    with torch.no_grad():
        for parameter in turned.classifier.parameters():
            parameter.copy_(parameter.flip(0))
    turned.config = type(model.config)(
        **(model.config.to_dict() | {"id2label": dict(enumerate(names))})
    )
    return turned.eval()


@pytest.fixture
def named(labelled):
    return labelled.cast_column("label", ClassLabel(names=NAMES))


def student_of(tmp_path, tokenizer, train, teacher, **options):
    torch.manual_seed(0)
    student = build_student("text-cnn", tokenizer, label_names=NAMES, seed=0)
    trainer = DistillationTrainer(
        student,
        teacher,
        DistillationConfig(
            str(tmp_path / "run"), max_steps=4, alpha=0.5, disable_tqdm=True, **options
        ),
        train,
        processing_class=tokenizer,
    )
    trainer.train()
    return weights_revision(trainer.model)


@pytest.mark.parametrize("live", [False, True], ids=["asked once", "asked live"])
def test_a_teacher_with_permuted_names_gives_the_same_student_bit_for_bit(
    tmp_path, bert, bert_tokenizer, tokenizers, named, live
):
    found = [
        student_of(
            tmp_path,
            tokenizers["text-cnn"],
            named.select(range(32)),
            HuggingFaceTeacher(model, bert_tokenizer, max_length=64, progress=False),
            live_teacher=live,
        )
        for model in (bert, turned_round(bert))
    ]
    assert found[0] == found[1]


def test_a_teacher_that_is_turned_round_is_said_loudly(tmp_path, tokenizers, named):
    upside_down = -6 * np.eye(2, dtype=np.float32)[named["label"]]
    data = named.add_column("teacher_logits", upside_down.tolist())
    with pytest.warns(UserWarning, match="worse than chance.*another order"):
        student_of(tmp_path, tokenizers["text-cnn"], data, None)


def test_a_data_set_in_another_order_gives_the_same_student(
    tmp_path, bert, bert_tokenizer, tokenizers, named, labelled
):
    other = labelled.map(lambda row: {"label": 1 - row["label"]})
    other = other.cast_column("label", ClassLabel(names=NAMES[::-1]))
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64, progress=False)
    found = [
        student_of(tmp_path, tokenizers["text-cnn"], data.select(range(32)), teacher)
        for data in (named, other)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("names", [["good", "bad"], ["LABEL_0", "LABEL_1"]])
def test_a_teacher_of_other_or_no_names_is_refused(
    tmp_path, bert, bert_tokenizer, tokenizers, named, names
):
    other = HuggingFaceTeacher(turned_round(bert, names), bert_tokenizer, max_length=64)
    with pytest.raises(ClassNamesError, match=rf"{names[0]}.*negative.*mapping"):
        student_of(tmp_path, tokenizers["text-cnn"], named, other)
    with pytest.raises(ClassNamesError, match="mapping"):
        encode_reviews(named, tokenizers["text-cnn"], other)
    told = in_order(other, NAMES, {names[0]: "positive", names[1]: "negative"})
    texts = named["text"][:4]
    expected = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64).logits(texts)
    np.testing.assert_array_equal(told.logits(texts), expected)


def test_a_student_in_another_order_answers_in_that_of_the_data(tokenizers, named):
    tokenizer = tokenizers["text-cnn"]
    student = build_student("text-cnn", tokenizer, label_names=NAMES[::-1]).eval()
    texts = named["text"][:6]
    own = predictor(student, tokenizer)(texts)
    put = predictor(student, tokenizer, label_names=NAMES)(texts)
    np.testing.assert_array_equal(put, own[:, ::-1])
    reads = encode_reviews(named.select(range(6)), tokenizer)
    np.testing.assert_array_equal(predict_encoded(student, tokenizer, reads), put)
    labels = put.argmax(1)
    assert judge(student, tokenizer, texts, labels, label_names=NAMES).accuracy == 1
    with pytest.raises(ClassNamesError, match="ham"):
        predictor(student, tokenizer, label_names=["ham", "spam"])


def test_a_folder_is_opened_in_the_order_of_the_data(tmp_path, bert, bert_tokenizer):
    texts = ["a fine film", "a dull one"]
    answers = []
    for number, model in enumerate((bert, turned_round(bert))):
        save_teacher(model, bert_tokenizer, tmp_path / str(number))
        teacher = open_teacher(
            tmp_path / str(number), tmp_path / "cache", NAMES, max_length=64
        )
        assert teacher.label_names == NAMES
        answers.append(teacher.logits(texts))
        assert isinstance(innermost(teacher), HuggingFaceTeacher)
    np.testing.assert_array_equal(*answers)
    bare = small_bert(bert_tokenizer, num_labels=2)
    save_teacher(bare, bert_tokenizer, tmp_path / "bare")
    with pytest.raises(ClassNamesError, match="LABEL_0.*negative.*mapping"):
        open_teacher(tmp_path / "bare", tmp_path / "cache", NAMES)
    assert open_teacher(tmp_path / "bare", tmp_path / "cache").num_labels == 2


class Named(CountingTeacher):
    def __init__(self, names, fingerprint="named"):
        super().__init__(fingerprint)
        self.label_names = names


def test_an_average_puts_its_members_in_one_order():
    one, two = Named(["a", "b"]), Named(["b", "a"])
    average = AverageTeacher([one, two])
    assert average.label_names == ["a", "b"]
    np.testing.assert_allclose(*average.logits(["xyz"]).T, rtol=1e-6)
    with pytest.raises(ClassNamesError, match=r"\['a', 'c'\].*\['a', 'b'\]"):
        AverageTeacher([one, Named(["a", "c"])])


def test_the_order_is_part_of_the_fingerprint_only_where_it_differs():
    teacher = Named(["a", "b"])
    assert in_order(teacher, ["a", "b"]) is teacher
    assert in_order(teacher, None) is teacher
    turned = in_order(teacher, ["b", "a"])
    assert turned.fingerprint != teacher.fingerprint
    renamed = in_order(teacher, ["x", "y"], {"a": "x", "b": "y"})
    assert renamed.fingerprint == teacher.fingerprint
    with pytest.raises(TypeError, match="teacher must be a Teacher"):
        in_order("bert", ["a", "b"])


# ------------------------------------------------------- a cache that does not lie
def test_a_cache_knows_the_names_of_its_columns(tmp_path):
    cached = CachedTeacher(Named(["a", "b"]), tmp_path)
    cached.logits(["x"])
    turned = Named(["b", "a"])  # by mistake under the same fingerprint
    again = CachedTeacher(turned, tmp_path)
    again.logits(["x"])
    assert turned.asked == ["x"] and len(again.damaged) == 1
