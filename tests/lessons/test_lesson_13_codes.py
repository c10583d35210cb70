"""Medical texts of two stages: from the package of codes, or from the notes."""

import re
import sys
from types import ModuleType

import pytest

from distill_helpers.lessons.l13.codes import code_facts, medical_texts

CODES = {
    "1": ("Infectious diseases (A00-B99)", ""),
    "A00-A09": ("Intestinal infectious diseases (A00-A09)", "1"),
    "A00": ("Cholera", "A00-A09"),
    "A00.9": ("Cholera, unspecified", "A00"),
    "4": ("Endocrine diseases (E00-E89)", ""),
    "E00-E07": ("Disorders of thyroid gland (E00-E07)", "4"),
    "E05": ("Thyrotoxicosis", "E00-E07"),
    "E08-E13": ("Diabetes mellitus (E08-E13)", "4"),
    "E11": ("Type 2 diabetes mellitus", "E08-E13"),
    "E11.9": ("Type 2 diabetes mellitus without complications", "E11"),
    "E11.32": ("with mild retinopathy", "E11"),
    "E13": ("cholera", "E08-E13"),
}


@pytest.fixture()
def icd(monkeypatch):
    """A package with the functions of simple-icd-10-cm and few codes."""

    def ancestors(code):
        above = CODES[code][1]
        return [above, *ancestors(above)] if above else []

    package = ModuleType("simple_icd_10_cm")
    package.__spec__ = object()
    package.get_all_codes = lambda dots: list(CODES)
    package.is_valid_item = lambda code: code in CODES
    package.is_chapter = str.isdigit
    package.is_block = lambda code: "-" in code
    package.is_category = lambda code: bool(re.fullmatch(r"[A-Z]\d\d", code))
    package.is_category_or_subcategory = lambda code: bool(
        re.fullmatch(r"[A-Z]\d\d(\.\d+)?", code)
    )
    package.get_description = lambda code: CODES[code][0]
    package.get_parent = lambda code: CODES[code][1]
    package.get_ancestors = ancestors
    package.get_children = lambda code: [c for c in CODES if CODES[c][1] == code]
    monkeypatch.setitem(sys.modules, "simple_icd_10_cm", package)


def test_descriptions_have_a_chapter_and_the_specialty_has_codes(icd):
    texts = medical_texts()
    assert texts.source == "icd" and texts.specialty == "Endocrine diseases"
    assert texts.rows.to_numpy().tolist() == [
        ["Cholera", "Infectious diseases", ""],
        ["Cholera, unspecified", "Infectious diseases", ""],
        ["Thyrotoxicosis", "Endocrine diseases", "E00-E07"],
        ["Type 2 diabetes mellitus", "Endocrine diseases", "E11"],
        ["Type 2 diabetes mellitus without complications", "Endocrine diseases", "E11"],
    ]
    fewer = medical_texts("icd", per_chapter=1).rows["label"].value_counts()
    assert fewer.to_dict() == {"Infectious diseases": 1, "Endocrine diseases": 3}


def test_the_hierarchy_of_codes_becomes_facts(icd):
    facts = code_facts("E11")
    assert [tuple(fact) for fact in facts] == [
        (
            *("code", "E11.9 Type 2 diabetes mellitus without complications"),
            *("PART_OF", "code", "E11 Type 2 diabetes mellitus"),
        )
    ]
    assert len(code_facts()) == 3
    with pytest.raises(ValueError, match="root must be a code of ICD-10-CM .* 'X'"):
        code_facts("X")


def test_without_the_package_the_notes_stand_in_and_say_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "simple_icd_10_cm", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    texts = medical_texts()
    assert texts.source == "notes" and "simple-icd-10-cm is not installed" in texts.note
    finer = texts.rows["code"] != ""
    assert set(texts.rows["label"][finer]) == {texts.specialty}
    assert "not installed" not in medical_texts("notes").note
    for ask in (lambda: medical_texts("icd"), code_facts):
        with pytest.raises(ModuleNotFoundError, match=r"distill-helpers\[domains\]"):
            ask()
    with pytest.raises(ValueError, match="source must be one of"):
        medical_texts("snomed")
