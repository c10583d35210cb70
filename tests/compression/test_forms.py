import numpy as np
import pytest

from distill_helpers.compression.forms import Form, measure_forms
from distill_helpers.evaluation.cost import race
from distill_helpers.export.onnx import trace_onnx
from distill_helpers.students.registry import build_student

TEXTS = ["a", "bb", "ccc", "dddd"]


def by_length(texts):
    return np.array([[0.0, len(t) - 2.5] for t in texts])


def test_forms_are_measured_against_the_first():
    table = measure_forms(
        {
            "first": Form(by_length, 4_000_000),
            "half": Form(lambda t: by_length(t) + [[0.0, 1.0]], 2_000_000),
        },
        TEXTS,
        [0, 0, 1, 1],
        rounds=3,
    )
    assert table["accuracy"].tolist() == [1.0, 0.75]
    assert table["agreement"].tolist() == [1.0, 0.75]
    assert table["largest difference"].tolist() == [0.0, 1.0]
    assert table["MB"].tolist() == [4.0, 2.0]
    assert table["smaller"].tolist() == [1.0, 2.0]
    assert table["faster"]["first"] == 1.0 and (table["ms"] > 0).all()


def test_a_form_that_is_measured_twice_answers_all_texts_once():
    asked = []

    def answer(texts):
        asked.append(len(texts))
        return by_length(texts)

    source, other = Form(answer, 2), Form(by_length, 1)
    for rounds in (1, 2):
        table = measure_forms({"a": source, "b": other}, TEXTS, [0] * 4, rounds)
        assert table["agreement"].tolist() == [1.0, 1.0]
    assert asked.count(len(TEXTS)) == 1
    assert asked.count(1) == (5 + 1) + (5 + 2)  # a race is never answered from memory
    np.testing.assert_array_equal(source.logits(TEXTS[:2]), by_length(TEXTS[:2]))
    with pytest.raises(ValueError, match="read-only"):
        source.logits(TEXTS)[0, 0] = 1.0


def test_models_and_files_are_forms(tmp_path, tokenizers, texts):
    tokenizer = tokenizers["text-cnn"]
    model = build_student("text-cnn", tokenizer, filters=8).eval()
    path = trace_onnx(model, tmp_path / "s.onnx")
    forms = [Form.of_model(model, tokenizer), Form.of_file(path, tokenizer)]
    assert forms[1].bytes == path.stat().st_size
    assert forms[0].bytes == pytest.approx(forms[1].bytes, rel=0.3)
    np.testing.assert_allclose(*(f.answer(texts[:5]) for f in forms), atol=1e-4)


def test_racers_take_turns():
    order = []
    racers = {n: lambda t, n=n: order.append((n, t[0])) for n in ("a", "b")}
    spent = race(racers, TEXTS, rounds=6)
    assert order[0::2] == [("a", text) for _, text in order[1::2]]
    assert len(order) == 2 * (5 + 6)
    assert set(spent) == {"a", "b"} and min(spent.values()) >= 0


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="0 forms"):
        measure_forms({}, TEXTS, [0] * 4)
    with pytest.raises(ValueError, match="3 labels"):
        measure_forms({"a": Form(by_length, 1)}, TEXTS, [0] * 3)
    with pytest.raises(ValueError, match="rounds=0"):
        race({}, TEXTS, 0)
