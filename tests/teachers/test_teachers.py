import copy
import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import CountingTeacher, small_bert
from filelock import FileLock

from distill_helpers.data.cleaning import text_hash
from distill_helpers.data.labels import ONE_LABEL, SEVERAL_LABELS
from distill_helpers.teachers import stored
from distill_helpers.teachers.cached import CachedTeacher, ChangedTeacherError
from distill_helpers.teachers.live import HuggingFaceTeacher, weights_revision
from distill_helpers.teachers.mixed import AverageTeacher, calibration_temperature
from distill_helpers.teachers.ordering import in_order
from distill_helpers.teachers.stored import (
    DamagedFileError,
    SoftTargets,
    read_soft_targets,
    read_stored_logits,
    write_soft_targets,
)


# ---------------------------------------------------------- live classifier
def test_a_live_teacher_gives_what_the_model_gives(bert, bert_tokenizer):
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    text = "A fine film about a river."
    with torch.no_grad():
        expected = bert(**bert_tokenizer(text, return_tensors="pt")).logits
    answer = teacher.logits([text])
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected.numpy(), atol=1e-5)


def test_a_long_review_is_the_mean_of_its_two_windows(bert, bert_tokenizer):
    text = "good river " * 20 + "dull story " * 20
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=16)
    ids = bert_tokenizer(text, add_special_tokens=False)["input_ids"]
    windows = [[2, *ids[:14], 3], [2, *ids[-14:], 3]]
    with torch.no_grad():
        each = bert(input_ids=torch.tensor(windows)).logits
    answer = teacher.logits([text])[0]
    np.testing.assert_allclose(answer, each.mean(0).numpy(), atol=1e-5)
    first = HuggingFaceTeacher(bert, bert_tokenizer, max_length=16, windows=False)
    np.testing.assert_allclose(first.logits([text])[0], each[0].numpy(), atol=1e-5)
    assert not np.allclose(each[0], each[1], atol=1e-2)


def test_the_order_of_texts_and_the_padding_do_not_matter(bert, bert_tokenizer, texts):
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64, batch_size=5)
    padded = HuggingFaceTeacher(
        bert, bert_tokenizer, max_length=64, batch_size=5, pad_to_max=True
    )
    answers = teacher.logits(texts[:12])
    np.testing.assert_allclose(
        teacher.logits(texts[:12][::-1])[::-1], answers, atol=1e-4
    )
    np.testing.assert_allclose(padded.logits(texts[:12]), answers, atol=1e-4)


def test_an_empty_text_and_a_huge_one_are_answered(bert, bert_tokenizer):
    teacher = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    answers = teacher.logits(["", "word " * 100_000])
    assert answers.shape == (2, 2)
    assert np.isfinite(answers).all()


def test_the_wrong_tokeniser_is_refused(bert, tokenizers):
    with pytest.raises(ValueError, match="not this model's tokeniser"):
        HuggingFaceTeacher(bert, tokenizers["text-cnn"])


@pytest.mark.parametrize("length", [4, 65])
def test_max_length_must_fit_the_model(bert, bert_tokenizer, length):
    with pytest.raises(ValueError, match=r"max_length must lie in 8\.\.64"):
        HuggingFaceTeacher(bert, bert_tokenizer, max_length=length)


def test_a_teacher_comes_back_from_its_folder(bert, bert_tokenizer, tmp_path):
    bert.save_pretrained(tmp_path)
    bert_tokenizer.save_pretrained(tmp_path)
    first = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    again = HuggingFaceTeacher.from_pretrained(tmp_path, max_length=64)
    assert again.fingerprint == first.fingerprint
    np.testing.assert_allclose(
        again.logits(["fine"]), first.logits(["fine"]), atol=1e-6
    )


def test_a_missing_teacher_says_what_to_do():
    with pytest.raises(OSError, match="teacher='no/such-model'.*shipped"):
        HuggingFaceTeacher.from_pretrained("no/such-model")


def test_the_fingerprint_follows_weights_and_reading(bert, bert_tokenizer):
    def name(**options):
        return HuggingFaceTeacher(bert, bert_tokenizer, **options).fingerprint

    assert name(max_length=64) == name(max_length=64)
    names = {
        name(max_length=64),
        name(max_length=32),
        name(max_length=64, windows=False),
    }
    before = weights_revision(bert)
    with torch.no_grad():
        bert.classifier.bias.add_(0.1)
    names.add(name(max_length=64))
    with torch.no_grad():
        bert.classifier.bias.sub_(0.1)
    assert len(names) == 4
    assert before != names


def test_how_the_last_call_cut_and_padded_is_not_who_the_teacher_is(
    bert, bert_tokenizer, texts, tmp_path
):
    plain = HuggingFaceTeacher(bert, bert_tokenizer, max_length=64)
    wanted, name = plain.logits(texts[:6]), plain.fingerprint
    cutting = copy.deepcopy(bert_tokenizer)
    cutting.backend_tokenizer.enable_truncation(8)
    cutting.backend_tokenizer.enable_padding(length=8)
    teacher = HuggingFaceTeacher(bert, cutting, max_length=64)
    assert teacher.fingerprint == name
    cached = CachedTeacher(teacher, tmp_path / "answers", chunk=2)
    cached.logits(texts[:4])
    # As a reader does who looks at what the teacher reads.
    teacher.tokenizer(texts[:2], truncation=True, padding="max_length", max_length=9)
    found = cached.logits(texts[:6])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    assert teacher.fingerprint == name


# -------------------------------------------------------------------- cache
def test_the_cache_asks_only_once_per_text(counting_teacher, tmp_path):
    cached = CachedTeacher(counting_teacher, tmp_path)
    first = cached.logits(["a", "bb", "a"])
    again = CachedTeacher(CountingTeacher(), tmp_path)
    np.testing.assert_array_equal(again.logits(["bb", "a"]), first[[1, 0]])
    assert sorted(counting_teacher.asked) == ["a", "bb"]
    assert again.teacher.asked == []
    again.logits(["ccc", "a"])
    assert again.teacher.asked == ["ccc"]


def test_another_fingerprint_has_another_cache(tmp_path):
    CachedTeacher(CountingTeacher("one"), tmp_path).logits(["a"])
    other = CountingTeacher("two")
    CachedTeacher(other, tmp_path).logits(["a"])
    assert other.asked == ["a"]


def test_no_text_is_in_the_cache(tmp_path, counting_teacher):
    CachedTeacher(counting_teacher, tmp_path).logits(["a secret sentence"])
    for path in tmp_path.rglob("*.parquet"):
        assert b"secret" not in path.read_bytes()
        break
    else:
        pytest.fail("nothing was cached")


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_cache_file_is_found_and_rebuilt(tmp_path, harm, capsys):
    texts = [f"text {i}" for i in range(50)]
    expected = CachedTeacher(CountingTeacher(), tmp_path).logits(texts)
    path = next(tmp_path.rglob("*.parquet"))
    content = bytearray(path.read_bytes())
    if harm == "flip":
        middle = content.find(b"PAR1") + 40
        content[middle] ^= 0xFF
    path.write_bytes({"cut": content[:60], "flip": content, "empty": b""}[harm])
    cached = CachedTeacher(CountingTeacher(), tmp_path)
    np.testing.assert_array_equal(cached.logits(texts), expected)
    assert sorted(cached.teacher.asked) == sorted(texts)
    assert len(cached.damaged) == 1
    assert "damaged" in capsys.readouterr().out
    after = CachedTeacher(CountingTeacher(), tmp_path)
    after.logits(texts)
    assert after.teacher.asked == []


@pytest.mark.parametrize(
    ("width", "fingerprint", "value", "reason"),
    [
        (2, "foreign", 1.0, "another teacher's: the fingerprint"),
        (3, "counting", 1.0, "another teacher's: the number of classes"),
        (2, "counting", np.nan, "must be finite"),
        (2, "counting", 0.5, "probabilities"),
    ],
)
def test_a_file_that_is_not_this_teachers_is_not_used(
    tmp_path, monkeypatch, width, fingerprint, value, reason, capsys
):
    expected = CachedTeacher(CountingTeacher(), tmp_path).logits(["a", "bb"])
    path = next(tmp_path.rglob("*.parquet"))
    with monkeypatch.context() as careless:
        careless.setattr(stored, "check_answers", lambda *_: None)
        keys = [text_hash("a"), text_hash("bb")]
        write_soft_targets(path, keys, np.full((2, width), value), fingerprint)
    cached = CachedTeacher(CountingTeacher(), tmp_path)
    np.testing.assert_array_equal(cached.logits(["a", "bb"]), expected)
    assert [p.suffix for p in cached.damaged] == [".damaged"]
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize("renamed", ["logit_1", "text_hash"])
def test_moved_columns_and_missing_hashes_are_damage(tmp_path, renamed):
    path = tmp_path / "t.parquet"
    write_soft_targets(path, [text_hash("a")], np.array([[1.0, 2.0]]), "f")
    table = pq.read_table(path)
    if renamed == "logit_1":
        table = table.select(["text_hash", "logit_1", "logit_0"])
    else:
        empty = pa.array([None], table["text_hash"].type)
        table = table.set_column(0, "text_hash", empty)
    pq.write_table(table, path)
    with pytest.raises(DamagedFileError, match="damaged"):
        read_soft_targets(path)


def test_names_belong_to_what_is_checked(tmp_path):
    path = tmp_path / "t.parquet"
    write_soft_targets(path, [text_hash("a")], np.ones((1, 2)), "f", ["x", "y"])
    assert read_stored_logits(path).label_names == ["x", "y"]
    table = pq.read_table(path)
    meta = table.schema.metadata[b"distill_helpers"].replace(b'"x", "y"', b'"y", "x"')
    pq.write_table(table.replace_schema_metadata({"distill_helpers": meta}), path)
    with pytest.raises(DamagedFileError, match="checksum"):
        read_soft_targets(path)


def test_a_stopped_process_does_not_hold_the_cache_for_ever(
    tmp_path, counting_teacher, capsys
):
    cached = CachedTeacher(counting_teacher, tmp_path, patience=0.1)
    cached.folder.mkdir(parents=True)
    with FileLock(cached.folder / ".lock"):  # and is not heard of again
        assert len(cached.logits(["a"])) == 1
    said = capsys.readouterr().out
    assert "another process is filling" in said and "perhaps it was stopped" in said
    assert CachedTeacher(CountingTeacher(), tmp_path).logits(["a"]).shape == (1, 2)


@pytest.mark.parametrize("how", ["optimiser", "data", "tokeniser", "config", "reading"])
def test_a_teacher_that_changed_is_not_answered_for(tmp_path, bert_tokenizer, how):
    model, tokenizer = small_bert(bert_tokenizer), copy.deepcopy(bert_tokenizer)
    teacher = HuggingFaceTeacher(model, tokenizer, max_length=64, progress=False)
    cached = CachedTeacher(teacher, tmp_path)
    cached.logits(["a film"])
    cached.logits(["a film", "a river"])
    with torch.no_grad():
        if how == "optimiser":
            model.classifier.bias.add_(0.5)
        elif how == "data":
            model.bert.encoder.layer[0].output.dense.weight.data[3, 7] += 0.5
        elif how == "tokeniser":
            tokenizer.backend_tokenizer.normalizer = None
        elif how == "config":
            model.config.hidden_act = "relu"
        else:
            teacher.max_length = 32
    with pytest.raises(ChangedTeacherError, match="has changed since this cache"):
        cached.logits(["a film"])
    assert CachedTeacher(teacher, tmp_path).folder != cached.folder


def test_what_was_written_before_an_interruption_is_kept(tmp_path):
    class Interrupted(CountingTeacher):
        def logits(self, texts):
            if len(self.asked) >= 4:
                raise KeyboardInterrupt
            return super().logits(texts)

    texts = [f"text {i}" for i in range(10)]
    with pytest.raises(KeyboardInterrupt):
        CachedTeacher(Interrupted(), tmp_path, chunk=2).logits(texts)
    assert not list(tmp_path.rglob(".*.tmp"))
    teacher = CountingTeacher()
    CachedTeacher(teacher, tmp_path, chunk=2).logits(texts)
    assert len(teacher.asked) == 6


def test_a_failed_write_leaves_no_file(tmp_path, monkeypatch):
    def torn(table, path, **options):
        with open(path, "wb") as handle:
            handle.write(b"half a fi")
        raise OSError("disk full")

    monkeypatch.setattr("distill_helpers.teachers.stored.pq.write_table", torn)
    with pytest.raises(OSError, match="disk full"):
        write_soft_targets(
            tmp_path / "x.parquet", [text_hash("a")], np.ones((1, 2)), "f"
        )
    assert list(tmp_path.iterdir()) == []


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from conftest import CountingTeacher
from distill_helpers.teachers import CachedTeacher
teacher = CountingTeacher()
CachedTeacher(teacher, sys.argv[1], chunk=20).logits([f"text {{i}}" for i in range(400)])
print(len(teacher.asked))
"""


def test_two_processes_share_one_cache(tmp_path):
    script = textwrap.dedent(
        WORKER.format(tests=os.path.dirname(os.path.dirname(__file__)))
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    asked = [int(worker.communicate(timeout=120)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sum(asked) == 400  # nothing was computed twice
    check = CountingTeacher()
    CachedTeacher(check, tmp_path).logits([f"text {i}" for i in range(400)])
    assert check.asked == []


def test_logits_that_are_not_finite_never_reach_the_cache(tmp_path):
    class Broken(CountingTeacher):
        def logits(self, texts):
            return super().logits(texts) * np.nan

    with pytest.raises(ValueError, match="logits must be finite"):
        CachedTeacher(Broken(), tmp_path).logits(["a"])
    assert not list(tmp_path.rglob("*.parquet"))


# ------------------------------------------------------------------ average
class Fixed(CountingTeacher):
    def __init__(self, row):
        super().__init__(fingerprint=str(row))
        self.row = row
        self.num_labels = len(row)

    def logits(self, texts):
        return np.array([self.row] * len(texts), np.float32)


def test_the_average_is_one_of_probabilities():
    teacher = AverageTeacher([Fixed([0.0, 2.0]), Fixed([1.0, -1.0])], [3, 1])
    p = 0.75 * softmax([0.0, 2.0]) + 0.25 * softmax([1.0, -1.0])
    np.testing.assert_allclose(softmax(teacher.logits(["a"])[0]), p, rtol=1e-5)


def softmax(row):
    exponent = np.exp(row)
    return exponent / exponent.sum()


def test_an_average_of_one_is_that_one():
    answer = AverageTeacher([Fixed([0.0, 2.0])]).logits(["a"])[0]
    np.testing.assert_allclose(softmax(answer), softmax([0.0, 2.0]), rtol=1e-6)


def sigmoid(row):
    return 1 / (1 + np.exp(-np.asarray(row, np.float64)))


def test_of_several_labels_each_class_is_averaged_by_itself():
    one, two = Fixed([0.0, 2.0, 30.0]), Fixed([1.0, -1.0, 20.0])
    one.problem_type = SEVERAL_LABELS
    teacher = AverageTeacher([one, two], [3, 1])
    assert teacher.problem_type == SEVERAL_LABELS
    mixed = teacher.logits(["a"])[0]
    p = 0.75 * sigmoid(one.row) + 0.25 * sigmoid(two.row)
    np.testing.assert_allclose(sigmoid(mixed), p, rtol=1e-6)
    assert 20 < mixed[2] < 22  # as sure as they are, and finite
    asked = AverageTeacher([two], problem_type=SEVERAL_LABELS)
    np.testing.assert_allclose(asked.logits(["a"])[0], two.row, rtol=1e-6)
    assert asked.fingerprint != AverageTeacher([two]).fingerprint


def test_teachers_of_two_kinds_have_no_average(bert, bert_tokenizer, tmp_path):
    model = copy.deepcopy(bert)
    model.config.problem_type = SEVERAL_LABELS
    live = HuggingFaceTeacher(model, bert_tokenizer, max_length=64)
    wrapped = in_order(CachedTeacher(live, tmp_path), ["positive", "negative"])
    assert wrapped.problem_type == SEVERAL_LABELS
    other = Fixed([0.0, 1.0])
    other.problem_type = ONE_LABEL
    with pytest.raises(ValueError, match="one kind of question.*multi.*single"):
        AverageTeacher([wrapped, other])
    with pytest.raises(ValueError, match="problem_type='single.*theirs are"):
        AverageTeacher([wrapped], problem_type=ONE_LABEL)
    with pytest.raises(ValueError, match="problem_type must be"):
        AverageTeacher([Fixed([0, 1])], problem_type="several")


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0]])
def test_weights_must_fit(weights):
    with pytest.raises(ValueError, match="weights must hold 2"):
        AverageTeacher([Fixed([0, 1]), Fixed([1, 0])], weights)


def test_teachers_must_share_their_classes():
    with pytest.raises(ValueError, match="share their classes"):
        AverageTeacher([Fixed([0, 1]), Fixed([1, 0, 0])])
    with pytest.raises(ValueError, match="at least one teacher"):
        AverageTeacher([])


# ------------------------------------------------------------- soft targets
def test_soft_targets_come_back_as_they_were_written(tmp_path):
    logits = np.array([[1.5, -0.25], [0, 3]], np.float32)
    keys = [text_hash("a"), text_hash("b")]
    write_soft_targets(tmp_path / "t.parquet", keys, logits, "teacher-1")
    again, values, fingerprint = read_soft_targets(tmp_path / "t.parquet")
    assert (again, fingerprint) == (keys, "teacher-1")
    np.testing.assert_array_equal(values, logits)
    teacher = SoftTargets.load(tmp_path / "t.parquet")
    assert teacher.knows(["b", "c"]).tolist() == [True, False]
    np.testing.assert_array_equal(teacher.logits(["b", "a"]), logits[::-1])


def test_an_unknown_text_is_an_error_with_a_way_out(tmp_path):
    write_soft_targets(tmp_path / "t.parquet", [text_hash("a")], np.ones((1, 2)), "f")
    with pytest.raises(KeyError, match="1 of 2 texts.*live teacher"):
        SoftTargets.load(tmp_path / "t.parquet").logits(["a", "new"])


def test_a_missing_and_a_foreign_file_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match="no soft targets"):
        SoftTargets.load(tmp_path / "none.parquet")
    (tmp_path / "x.parquet").write_text(json.dumps({"a": 1}))
    with pytest.raises(DamagedFileError, match="damaged"):
        SoftTargets.load(tmp_path / "x.parquet")


def test_the_calibration_temperature_undoes_too_much_confidence():
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(20_000, 2)) * 2
    p = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    labels = (rng.random(len(p)) < p[:, 1]).astype(int)
    for factor in (0.5, 1.0, 4.0):
        found = calibration_temperature(honest * factor, labels)
        assert found == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 2)), [0], "must have shape"),
        (np.zeros((0, 2)), [], "at least one label"),
        (np.full((1, 2), np.inf), [0], "must be finite"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        calibration_temperature(logits, labels)


def test_what_a_teacher_does_not_know_has_a_row_of_nan():
    known = {text_hash("a"): np.array([1, 2], np.float32)}
    teacher = SoftTargets(known, "some")
    found = teacher.answers(["b", "a"])
    assert np.isnan(found[0]).all() and found[1].tolist() == [1, 2]
    assert np.isnan(teacher.answers(["b"])).all()
    assert teacher.answers([]).shape == (0, 2)


def test_no_answer_of_a_teacher_passes_for_none():
    class Lost(CountingTeacher):
        def logits(self, texts):
            return np.full((len(texts), 2), np.nan, np.float32)

    with pytest.raises(ValueError, match="finite"):
        Lost().answers(["a"])
