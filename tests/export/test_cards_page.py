"""The page of cards: a browser gives the answers and the looks that Python gives."""

import numpy as np
import pytest

from distill_helpers import export, students
from distill_helpers.data import CardQuestion, draw_cards, drop_senses


@pytest.fixture(scope="module")
def cards():
    return drop_senses(draw_cards(24, "test", seed=5), 0.25, seed=5)


@pytest.fixture(scope="module")
def reader():
    return students.build_card_student(4, hidden_size=16, num_attention_heads=2).eval()


@pytest.fixture(scope="module")
def graph(reader, tmp_path_factory):
    return export.trace_cards(reader, tmp_path_factory.mktemp("graph") / "reader.onnx")


@pytest.fixture(scope="module")
def page(graph, cards, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "cards"
    try:
        return export.cards_to_browser(graph, cards, folder)
    except export.RuntimeMissingError as missing:
        pytest.skip(f"the browser's runtime is missing: {missing}")


def test_it_answers_and_looks_as_python_does(page, reader, cards):
    try:
        logits, looks = export.ask_cards_page(page)
    except export.HeadlessMissingError as missing:
        pytest.skip(f"no browser to ask: {missing}")
    ours = students.answer_cards(reader, cards)
    assert np.allclose(logits, ours.logits, atol=1e-4)
    assert np.array_equal(logits.argmax(1), ours.logits.argmax(1))
    assert np.allclose(looks, ours.maps[:, 0, 0], atol=1e-5)


def test_it_asks_nobody_and_overwrites_nothing(page, graph, cards):
    index = (page / "index.html").read_text("utf-8")
    code = (page / "app.js").read_text("utf-8")
    assert "default-src 'none'" in index and "http" not in index.replace(
        "http-equiv", ""
    )
    assert "http" not in code
    with pytest.raises(FileExistsError):
        export.cards_to_browser(graph, cards, page)


def test_what_is_no_card_and_no_graph_is_refused(graph, cards, tmp_path):
    with pytest.raises(ValueError, match="at least one, got none"):
        export.cards_to_browser(graph, cards.some([]), tmp_path / "a")
    own = cards.asking(CardQuestion("largest digit of the row", "largest", (0, 1)))
    with pytest.raises(ValueError, match="questions must be those of"):
        export.cards_to_browser(graph, own, tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        export.cards_to_browser(tmp_path / "none.onnx", cards, tmp_path / "c")
    assert not list(tmp_path.iterdir())
