"""Sliders over pictures: the default figure always, the moving one live."""

import pytest
from matplotlib.figure import Figure

from distill_helpers.lessons import language
from distill_helpers.lessons.widgets import Slider, explore, logit_sliders

PNG = b"\x89PNG"


def draw(temperature, shift=0.0):
    if temperature > 15:
        raise ValueError("too hot to draw")
    figure = Figure(figsize=(2, 1))
    figure.subplots().bar([0, 1], [temperature, shift])
    return figure, f"T is {temperature:g}, shift {shift:g}"


SLIDERS = {
    "temperature": Slider("temperature", 1, 20, 2, step=0.5),
    "shift": Slider("shift", -1, 1, 0),
}


def test_without_a_front_end_there_is_the_default_picture_and_its_words():
    data, metadata = explore(draw, SLIDERS)._repr_mimebundle_()
    assert data["image/png"].startswith(PNG)
    assert data["text/plain"] == "T is 2, shift 0"
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_an_error_in_the_default_picture_is_fatal():
    with pytest.raises(ValueError, match="too hot"):
        explore(draw, {"temperature": Slider("temperature", 1, 20, 16)})


def test_a_picture_without_words_is_refused():
    with pytest.raises(ValueError, match="in words"):
        explore(lambda a: (Figure(), " "), {"a": Slider("a", 0, 1, 0)})


def widgets_of(explorer):
    controls, picture, words = explorer.panel.children
    return controls.children, picture, words


def test_a_moved_slider_changes_the_picture_in_place_and_the_words():
    explorer = explore(draw, SLIDERS)
    (temperature, _), picture, words = widgets_of(explorer)
    before = picture.value
    temperature.value = 5.0
    assert picture.value != before and bytes(picture.value).startswith(PNG)
    assert "T is 5" in words.value and 'role="status"' in words.value
    assert picture.tooltip == "T is 5, shift 0"
    assert explorer.panel.children[1] is picture


def test_an_error_while_moving_is_shown_and_the_next_move_recovers():
    explorer = explore(draw, SLIDERS)
    (temperature, _), picture, words = widgets_of(explorer)
    with pytest.raises(ValueError, match="too hot"):
        temperature.value = 16.0
    assert "too hot" in words.value and picture.value == b""
    assert explorer.values["temperature"] == 2
    temperature.value = 3.0
    assert "T is 3" in words.value and bytes(picture.value).startswith(PNG)


def test_move_checks_names_and_ranges_and_moves_nothing_on_error():
    explorer = explore(draw, SLIDERS)
    explorer.move(temperature=4)
    assert explorer.readout == "T is 4, shift 0"
    with pytest.raises(KeyError, match="no slider 'T'"):
        explorer.move(T=3)
    with pytest.raises(ValueError, match=r"temperature must lie in \[1, 20\], got 21"):
        explorer.move(temperature=21)
    with pytest.raises(TypeError, match="must be a number"):
        explorer.move(temperature="3")
    with pytest.raises(ValueError, match="too hot"):
        explorer.move(temperature=16)
    assert explorer.values["temperature"] == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("", 0, 1, 0), "label must name"),
        (("a", 0, 1, 2), r"start must lie in \[0, 1\], got 2"),
        (("a", 1, 1, 1), "high must be a finite number above 1, got 1"),
        (("a", 0, 1, 0, 0), "step must be a finite number above 0, got 0"),
    ],
)
def test_a_slider_that_cannot_work_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Slider(*given)


def test_no_slider_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        explore(draw, {})


def test_words_are_escaped():
    explorer = explore(lambda a: (Figure(), "<b>"), {"a": Slider("a", 0, 1, 0)})
    assert "&lt;b&gt;" in widgets_of(explorer)[2].value


def test_logit_sliders_have_names_that_python_can_take():
    sliders = logit_sliders(["student cat", "student dog"], [1.0, -2.0])
    assert list(sliders) == ["student_cat", "student_dog"]
    assert sliders["student_dog"].start == -2.0
    with pytest.raises(ValueError, match="one number for each"):
        logit_sliders(["a"], [1.0, 2.0])


def test_the_label_of_a_slider_is_told_word_by_word(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "zh")
    sliders = logit_sliders(["student cat"], [1.0])
    panel = explore(lambda **logits: (Figure(), "one logit"), sliders).panel
    assert panel.children[0].children[0].description == "学生模型 猫"
    assert list(sliders) == ["student_cat"]
