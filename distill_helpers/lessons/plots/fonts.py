"""Which letters a picture can show: fonts for languages that need more than Latin."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from matplotlib import font_manager, rcParams

from .. import language

FILES = {"zh": ("NotoSansCJK", "NotoSansSC", "SourceHanSans", "wqy", "msyh", "simhei")}
"""How the files of such fonts begin, to find one that was installed only now."""
FAMILIES = {
    "zh": (
        "Noto Sans CJK SC",
        "Noto Sans SC",
        "Source Han Sans SC",
        "Noto Sans CJK JP",  # the name under which a collection is often registered
        "WenQuanYi Micro Hei",
        "WenQuanYi Zen Hei",
        "Microsoft YaHei",
        "SimHei",
        "PingFang SC",
        "Hiragino Sans GB",
        "Heiti TC",
        "Arial Unicode MS",
        "Droid Sans Fallback",
    )
}
"""For each language the fonts that have its letters, the best one first."""


NONE = (
    "Pictures stay English: no font with the letters of your language is installed."
    " Install one, such as Debian's fonts-noto-cjk, and restart the kernel."
)


@cache
def font_for(name: str) -> str:
    """Return an installed font for a language; an empty text if there is none.

    Parameters
    ----------
    name : str
        Such as ``"zh"``. A language that Latin letters serve needs none.
    """
    if name not in FAMILIES:
        return ""
    found = _registered(name)
    if not found:
        _look_for_files(FILES[name])
        found = _registered(name)
    if not found:
        print(language.told(NONE))
    return found


def _registered(name: str) -> str:
    there = set(font_manager.fontManager.get_font_names())
    return next((one for one in FAMILIES[name] if one in there), "")


def _look_for_files(beginnings: tuple[str, ...]) -> None:
    """Register fonts that matplotlib's stored list does not know yet."""
    for path in font_manager.findSystemFonts():
        if Path(path).name.startswith(beginnings):
            font_manager.fontManager.addfont(path)


def settings() -> dict[str, list[str]]:
    """Return matplotlib's settings for the reader's language; for English, none."""
    found = font_for(language.chosen())
    return {"font.family": [*rcParams["font.family"], found]} if found else {}


def has_letters() -> bool:
    """Return whether a picture can show the language that the reader has chosen."""
    name = language.chosen()
    return name not in FAMILIES or bool(font_for(name))
