"""Pictures speak Chinese where a font has its letters, and English elsewhere."""

import pytest
from matplotlib.text import Text

from distill_helpers.lessons import language, widgets
from distill_helpers.lessons.plots import bar_groups, fonts, show, to_png


@pytest.fixture(autouse=True)
def chinese(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "zh")
    fonts.font_for.cache_clear()
    language.translations.cache_clear()
    yield
    fonts.font_for.cache_clear()


@pytest.fixture
def no_font(monkeypatch):
    monkeypatch.setattr(fonts, "FAMILIES", {"zh": ("No Such Font",)})
    monkeypatch.setattr(fonts, "FILES", {"zh": ("NoSuchFont",)})


@pytest.fixture
def a_font():
    if not fonts.font_for("zh"):
        pytest.skip("no font with Chinese letters is installed (fonts-noto-cjk)")


def picture():
    return bar_groups(
        ["control", "distilled"],
        {"accuracy": [0.7, 0.8]},
        y_label="accuracy",
        title="A 9 that could be a 3, at T = 5",
    )


def words(figure):
    """Return what a figure says after it was rendered."""
    to_png(figure)
    return {text.get_text() for text in figure.findobj(Text)}


def test_labels_title_and_places_are_chinese(a_font):
    said = words(picture())
    assert {"准确率", "可能是 3 的 9，T = 5", "对照组", "蒸馏组"} <= said
    assert not {"accuracy", "control", "distilled"} & said


def test_no_letter_is_missing(a_font, recwarn):
    to_png(picture())
    assert not [w for w in recwarn if "missing from" in str(w.message)]


def test_alternative_text_and_sliders_are_chinese_too(no_font):
    shown = show(
        picture(),
        alt="20 handwritten digits of 8 by 8 pixels with their"
        " labels. Some are easy to mistake for another digit.",
    )
    assert shown.alt.startswith("20 个手写数字")
    explorer = widgets.explore(
        lambda T: (picture(), f"{T:g} added: 3s right 0.974."),
        {"T": widgets.Slider("temperature", 1, 20, 2)},
    )
    assert explorer.readout == "加 2：答对的 3 0.974。"
    assert explorer.panel.children[0].children[0].description == "温度"


def test_without_a_font_pictures_stay_english_and_one_line_says_how(no_font, capsys):
    assert {"accuracy", "control", "distilled"} <= words(picture())
    words(picture())
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("图中文字保持英文") and "fonts-noto-cjk" in line


def test_a_font_that_was_installed_only_now_is_found(monkeypatch, tmp_path):
    found = []
    manager = fonts.font_manager
    monkeypatch.setattr(manager, "findSystemFonts", lambda: ["/x/NotoSansCJK-Bold.ttc"])
    monkeypatch.setattr(fonts, "FAMILIES", {"zh": ("No Such Font",)})
    monkeypatch.setattr(manager.fontManager, "addfont", found.append)
    assert fonts.font_for("zh") == ""
    assert found == ["/x/NotoSansCJK-Bold.ttc"]


def test_english_pictures_are_what_they_were(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "en")
    assert fonts.settings() == {} and fonts.has_letters()
    assert {"accuracy", "control", "distilled"} <= words(picture())
