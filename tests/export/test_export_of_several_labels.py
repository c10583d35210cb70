"""Several labels a text outside Python: file, bundle, service, page, parity."""

import json
from http.client import HTTPConnection
from urllib.parse import urlparse

import numpy as np
import pytest
import torch
from conftest import ODD_TEXTS

from distill_helpers.compression.forms import Form, measure_forms
from distill_helpers.compression.onnx_quantisation import (
    quantise_dynamic,
    quantise_four_bits,
    quantise_static,
)
from distill_helpers.compression.parity import (
    DisagreementError,
    measure_parity,
    verify,
)
from distill_helpers.compression.pruning import importances, prune_filters
from distill_helpers.compression.vocabulary import factorise_embedding
from distill_helpers.data.encoding import EncodedReviews, encode_texts
from distill_helpers.data.labels import ONE_LABEL, SEVERAL_LABELS
from distill_helpers.evaluation.metrics import measure_quality, probabilities
from distill_helpers.evaluation.predict import predictor
from distill_helpers.export.browser import (
    RuntimeMissingError,
    runtime_files,
    to_browser,
)
from distill_helpers.export.bundle import (
    ABOUT,
    DamagedBundleError,
    TextClassifier,
    write_bundle,
)
from distill_helpers.export.headless import ask_page
from distill_helpers.export.onnx import OnnxClassifier, trace_onnx
from distill_helpers.export.other_machine import answer_questions, write_questions
from distill_helpers.export.service import make_app, running
from distill_helpers.students.registry import build_student
from distill_helpers.teachers.mixed import calibration_temperature

NAMES = ["billing", "refund", "delivery", "login"]


@pytest.fixture(scope="module")
def student(tokenizers, texts):
    """A text CNN that was not trained, but says yes and no in equal parts."""
    torch.manual_seed(0)
    model = build_student(
        "text-cnn",
        tokenizers["text-cnn"],
        label_names=NAMES,
        problem_type=SEVERAL_LABELS,
        filters=8,
        embedding_size=16,
    ).eval()
    with torch.no_grad():
        model.classifier.weight.mul_(8)
        centre = np.median(predictor(model, tokenizers["text-cnn"])(texts), 0)
        model.classifier.bias.sub_(torch.from_numpy(centre))
    return model, tokenizers["text-cnn"]


@pytest.fixture(scope="module")
def traced(student, tmp_path_factory):
    return trace_onnx(student[0], tmp_path_factory.mktemp("onnx") / "s.onnx")


@pytest.fixture(scope="module")
def bundle(student, traced, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "b"
    return write_bundle(folder, traced, student[1], NAMES, temperature=2.0)


def test_every_form_of_the_file_says_that_it_has_several_labels(
    student, traced, texts, tmp_path
):
    model, tokenizer = student
    source = OnnxClassifier(traced, tokenizer)
    forms = [
        quantise_dynamic(traced, tmp_path / "8.onnx"),
        quantise_static(traced, tmp_path / "s.onnx", source, texts[:4]),
        quantise_four_bits(traced, tmp_path / "4.onnx", block=16),
    ]
    for path in (traced, *forms):
        assert OnnxClassifier(path, tokenizer).problem_type == SEVERAL_LABELS
    plain = build_student("bigram", tokenizer, buckets=64).eval()
    one = OnnxClassifier(trace_onnx(plain, tmp_path / "one.onnx"), tokenizer)
    assert one.problem_type == ONE_LABEL


def test_a_bundle_gives_each_label_its_own_probability(bundle, student, texts):
    reader = TextClassifier(bundle)
    logits = predictor(*student)(texts) / 2
    assert json.loads((bundle / ABOUT).read_text())["problem_type"] == SEVERAL_LABELS
    assert reader.problem_type == SEVERAL_LABELS
    found = reader.classify(texts)
    for answer, row in zip(found, logits):
        assert answer.labels == tuple(n for n, z in zip(NAMES, row) if z > 0)
        np.testing.assert_allclose(
            answer.probabilities, 1 / (1 + np.exp(-row)), atol=1e-4
        )
        assert answer.label == NAMES[row.argmax()]
        assert answer.probability == max(answer.probabilities)
    assert {len(answer.labels) for answer in found} > {0, 1, 2}


def test_a_bundle_of_one_label_names_it_alone(student, tmp_path, texts):
    tokenizer = student[1]
    model = build_student("bigram", tokenizer, buckets=64).eval()
    path = trace_onnx(model, tmp_path / "one.onnx")
    folder = write_bundle(tmp_path / "b", path, tokenizer, ["bad", "good"])
    answer = TextClassifier(folder).classify(texts[:1])[0]
    assert answer.labels == (answer.label,) and sum(answer.probabilities) == 1
    about = json.loads((folder / ABOUT).read_text())
    del about["problem_type"]  # as bundles were written before
    (folder / ABOUT).write_text(json.dumps(about))
    assert TextClassifier(folder).problem_type == ONE_LABEL


def test_what_contradicts_the_file_is_refused(bundle, traced, student, tmp_path):
    with pytest.raises(ValueError, match="as the ONNX file says, got 'single_label"):
        write_bundle(tmp_path / "b", traced, student[1], NAMES, problem_type=ONE_LABEL)
    about = json.loads((bundle / ABOUT).read_text())
    swapped = tmp_path / "swapped"
    swapped.mkdir()
    for file in bundle.iterdir():
        (swapped / file.name).write_bytes(file.read_bytes())
    (swapped / ABOUT).write_text(json.dumps(about | {"problem_type": ONE_LABEL}))
    with pytest.raises(DamagedBundleError, match="which is for 'multi_label"):
        TextClassifier(swapped)
    with pytest.raises(ValueError, match="threshold must be 0 for a bundle of several"):
        to_browser(bundle, tmp_path / "page", threshold=0.8)
    assert not (tmp_path / "page").exists()


def test_the_service_gives_all_labels_that_hold(bundle, texts):
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    reader = TextClassifier(bundle)
    app = make_app(reader, reader.labels, problem_type=reader.problem_type)
    with running(app) as address:
        connection = HTTPConnection(urlparse(address).netloc, timeout=20)
        body = json.dumps({"text": texts[0]})
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/classify", body, headers)
        found = json.loads(connection.getresponse().read())
        connection.close()
    expected = reader.classify([texts[0]])[0]
    assert tuple(found["labels"]) == expected.labels
    assert list(found["probabilities"]) == NAMES
    assert tuple(found["probabilities"].values()) == pytest.approx(
        expected.probabilities
    )
    with pytest.raises(ValueError, match="problem_type must be one of"):
        make_app(reader, reader.labels, problem_type="several")


def test_the_page_says_what_python_says_label_by_label(bundle, reviews, tmp_path):
    from conftest import CHROMIUM

    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian's package chromium)")
    try:
        runtime_files()
    except RuntimeMissingError as missing:
        pytest.skip(str(missing))
    asked = [*reviews["test"]["text"][:40], *ODD_TEXTS]
    found = ask_page(to_browser(bundle, tmp_path / "page"), asked)
    ours = TextClassifier(bundle).classify(asked)
    assert [f.labels for f in found] == [o.labels for o in ours]
    for f, o in zip(found, ours):
        np.testing.assert_allclose(f.probabilities, o.probabilities, atol=1e-3)


def test_another_machine_is_held_to_every_label(traced, student, texts, tmp_path):
    questions = write_questions(
        tmp_path / "q.json", OnnxClassifier(traced, student[1]), texts[:8]
    )
    assert answer_questions(traced, questions)["agreement"] == 1
    content = json.loads(questions.read_text())
    row = content["rows"][0]["logits"]
    place = int(np.argmin(row))  # the likeliest label stays the same
    row[place] = -row[place]
    questions.write_text(json.dumps(content))
    assert answer_questions(traced, questions)["agreement"] == 7 / 8


# ------------------------------------------------------------- compression
SOURCE = np.array([[1.0, -1.0, 2.0], [-1.0, -1.0, -2.0], [1.0, 1.0, 3.0]])


def test_models_agree_on_a_text_if_all_its_labels_are_the_same():
    target = SOURCE.copy()
    target[0, 1] = 0.5  # the likeliest label is still the third
    assert measure_parity("x", SOURCE, target).agreement == 1
    several = measure_parity("x", SOURCE, target, SEVERAL_LABELS)
    assert several.agreement == pytest.approx(2 / 3)
    assert several.difference == 1.5
    answers = iter((SOURCE, target))
    with pytest.raises(DisagreementError, match="66.7%"):
        verify(
            "x",
            lambda t: next(answers),
            lambda t: next(answers),
            "abc",
            problem_type=SEVERAL_LABELS,
        )


def test_forms_are_measured_by_whole_sets_of_labels(student, traced, texts):
    model, tokenizer = student
    rows = (predictor(model, tokenizer)(texts) > 0).astype(float)
    rows[:16] = 1 - rows[:16]
    forms = {
        "torch": Form.of_model(model, tokenizer),
        "onnx": Form.of_file(traced, tokenizer),
    }
    found = measure_forms(forms, texts, rows, rounds=2)
    assert found["accuracy"].tolist() == [0.75, 0.75]
    assert found["agreement"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("soft", [True, False])
def test_filters_are_weighed_by_the_loss_of_several_labels(student, texts, soft):
    model, tokenizer = student
    ids = encode_texts(tokenizer, texts)
    logits = predictor(model, tokenizer)(texts)
    rows = (logits < 0).astype(np.float32)  # the student is wrong everywhere
    teacher = np.where(rows > 0, 3, -3).astype(np.float32)
    data = EncodedReviews(
        ids, np.full_like(rows, -100) if soft else rows, teacher if soft else None
    )
    found = importances(model, tokenizer, data)
    assert all((scores > 0).any() for scores in found.values())
    smaller = prune_filters(model, 0.5, found)
    assert smaller.config.problem_type == SEVERAL_LABELS
    assert smaller.config.filters == 4
    numbers = EncodedReviews(ids, np.zeros(len(ids), np.int64))
    with pytest.raises(ValueError, match="built for several labels a text"):
        importances(model, tokenizer, numbers)


def test_a_reshaped_model_remembers_that_it_has_several_labels(bert, tmp_path):
    from transformers import AutoModelForSequenceClassification

    bert.config.problem_type = SEVERAL_LABELS
    try:
        factorise_embedding(bert, 4).save_pretrained(tmp_path)
    finally:
        bert.config.problem_type = None
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert loaded.config.problem_type == SEVERAL_LABELS


def test_calibration_finds_the_temperature_of_independent_labels():
    rng = np.random.default_rng(0)
    sure = rng.normal(size=(4_000, 3)) * 2
    rows = (rng.random(sure.shape) < probabilities(sure, SEVERAL_LABELS)).astype(float)
    found = calibration_temperature(sure * 3, rows)
    assert found == pytest.approx(3, rel=0.1)
    better = measure_quality(sure * 3 / found, rows).calibration_error
    assert better < 0.3 * measure_quality(sure * 3, rows).calibration_error
