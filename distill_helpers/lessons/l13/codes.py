"""Medical texts in two stages: ICD-10-CM where its package is, else the kit's notes."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pandas as pd

from ...arguments import check_choice, check_whole
from ...places import CLINICAL_NOTES
from .graph import Fact

SOURCES = ("auto", "icd", "notes")
PACKAGE = "simple_icd_10_cm"
SPECIALTY, DIABETES = "4", "E08-E13"
"""The chapter of the second stage, and the block whose categories it tells apart."""


@dataclass(frozen=True)
class MedicalTexts:
    """Texts with a chapter, and within one chapter with a finer code."""

    rows: pd.DataFrame
    """Columns ``text``, ``label`` (the chapter), ``code`` ("" outside of the specialty),
    and ``split`` for the notes."""
    specialty: str
    """The chapter that has codes."""
    source: str
    """``icd`` or ``notes``."""
    note: str
    """What these are, in a sentence to show beside every result."""


def medical_texts(
    source: str = "auto", per_chapter: int = 120, seed: int = 0
) -> MedicalTexts:
    """Return texts of two stages, always without the network.

    Parameters
    ----------
    source : {"auto", "icd", "notes"}
        ``icd`` reads descriptions of codes from the package simple-icd-10-cm (MIT;
        extra ``[domains]``). They are read where that package is installed, the kit
        ships none. ``auto`` takes them if they are there, else the kit's notes.
    per_chapter : int, default 120
        At most so many descriptions of each chapter, drawn by `seed`; the specialty
        has up to three times as many.
    seed : int, default 0

    Returns
    -------
    MedicalTexts

    Raises
    ------
    ValueError
        If `source` is none of these.
    ModuleNotFoundError
        If ``icd`` is asked for and its package is not installed.
    """
    check_choice("source", source, SOURCES)
    check_whole("per_chapter", per_chapter, least=1)
    check_whole("seed", seed, least=0)
    there = importlib.util.find_spec(PACKAGE) is not None
    if source == "icd" or (source == "auto" and there):
        return _descriptions(_package(), per_chapter, seed)
    rows = pd.read_csv(CLINICAL_NOTES, keep_default_na=False)
    note = "the kit's clinical notes, written for it: nobody was ever ill in them" + (
        "" if source == "notes" else "; simple-icd-10-cm is not installed"
    )
    columns = ["text", "label", "code", "split"]
    return MedicalTexts(rows[columns], "endocrine", "notes", note)


def code_facts(root: str = DIABETES) -> list[Fact]:
    """Return the hierarchy below a code as facts for a graph.

    Parameters
    ----------
    root : str, default "E08-E13"
        A chapter, block or category of ICD-10-CM.

    Returns
    -------
    list of Fact
        ``PART_OF`` from each code, down to four characters, to the one above it;
        the names are codes and their descriptions.

    Raises
    ------
    ValueError
        If there is no such code.
    ModuleNotFoundError
        If simple-icd-10-cm is not installed.
    """
    icd = _package()
    if not icd.is_valid_item(root):
        raise ValueError(f"root must be a code of ICD-10-CM such as E11, got {root!r}")
    facts = []
    for code in _below(icd, root):
        above = icd.get_parent(code)
        facts.append(
            Fact("code", _name(icd, code), "PART_OF", "code", _name(icd, above))
        )
    return facts


def _package() -> ModuleType:
    try:
        import simple_icd_10_cm
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "simple-icd-10-cm is not installed. Call python -m pip install"
            " 'distill-helpers[domains]', or take source='notes'"
        ) from error
    return simple_icd_10_cm


def _below(icd: ModuleType, code: str) -> list[str]:
    """Return the codes below one, in order, down to four characters."""
    found = []
    for child in icd.get_children(code):
        if len(child.replace(".", "")) > 4 and "-" not in child:
            continue
        found += [child, *_below(icd, child)]
    return found


def _name(icd: ModuleType, code: str) -> str:
    return f"{code} {_said(icd, code)}"


def _said(icd: ModuleType, code: str) -> str:
    """Return a description without the range of codes behind it."""
    return re.sub(r"\s*\([A-Z]\w+-[A-Z]\w+\)$", "", icd.get_description(code))


def _descriptions(icd: ModuleType, per_chapter: int, seed: int) -> MedicalTexts:
    generator = np.random.default_rng(seed)
    chapters = [code for code in icd.get_all_codes(True) if icd.is_chapter(code)]
    rows, seen = [], set()
    for chapter in chapters:
        found = []
        for code in _below(icd, chapter):
            text = _said(icd, code)
            if icd.is_category_or_subcategory(code) and text.lower() not in seen:
                seen.add(text.lower())
                found.append((text, code))
        most = per_chapter * (3 if chapter == SPECIALTY else 1)
        order = np.sort(generator.permutation(len(found))[:most])
        for text, code in (found[at] for at in order):
            finer = _finer(icd, code) if chapter == SPECIALTY else ""
            rows.append((text, _said(icd, chapter), finer))
    frame = pd.DataFrame(rows, columns=["text", "label", "code"])
    note = (
        "descriptions of ICD-10-CM codes, as the package simple-icd-10-cm brings them:"
        " short, tidy, and no notes about anybody"
    )
    return MedicalTexts(frame, _said(icd, SPECIALTY), "icd", note)


def _finer(icd: ModuleType, code: str) -> str:
    """Return the category of a diabetes code, the block of any other."""
    above = [code, *icd.get_ancestors(code)]
    block = next(item for item in above if icd.is_block(item))
    if block != DIABETES:
        return block
    return next(item for item in above if icd.is_category(item))
