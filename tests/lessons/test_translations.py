"""A lesson in another language is the English one with other words, and says no less.

What is stored is what ``docs/translate_notebooks.py`` makes of the English notebook
and of the catalogue beside it, so one source of code serves all languages.
"""

import ast
import copy
import re
import runpy
import unicodedata
from string import Formatter

import nbformat
import pytest

from distill_helpers.lessons import claims, language, parts
from distill_helpers.places import NOTEBOOKS, PROJECT

TOOL = runpy.run_path(str(PROJECT / "docs" / "translate_notebooks.py"))
TRANSLATED = {name: files for name, *files in TOOL["catalogues"]()}
named = pytest.mark.parametrize("name", TRANSLATED)
CHINESE = re.compile("[\u4e00-\u9fff]")
Translated, translate = TOOL["Translated"], TOOL["translate"]


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def pairs(name):
    """Return each English cell with its translation."""
    _, english, made = TRANSLATED[name]
    others = [c for c in cells_of(made) if c.id != "language"]
    return list(zip(cells_of(english), others, strict=True))


# ----------------------------------------------------------- what is stored
@named
def test_a_stored_lesson_has_all_that_the_english_one_has(name):
    made, faults = TOOL["make"](*TRANSLATED[name])
    stored = TRANSLATED[name][2].read_text("utf-8")
    call = "call 'python docs/translate_notebooks.py'"
    assert faults == []
    assert stored == TOOL["written"](made), f"{name} differs from English: {call}"


@named
def test_cells_tags_and_code_are_those_of_the_english_lesson(name):
    for english, other in pairs(name):
        assert other.id == english.id
        assert other.cell_type == english.cell_type
        assert other.metadata.get("tags") == english.metadata.get("tags")
        if english.cell_type == "code":
            trees = [TOOL["tree_without_strings"](c.source) for c in (english, other)]
            assert trees[0] == trees[1], english.id


@named
def test_exercises_ask_and_call_for_the_same_names(name):
    """Their keys, and the functions that they ask for, are no words to translate."""
    asked = [e for e in pairs(name) if "exercise" in e[0].metadata.get("tags", [])]
    assert asked
    for english, other in asked:
        assert other.source == english.source, english.id


@named
def test_one_cell_more_chooses_the_language(name):
    cells = cells_of(TRANSLATED[name][2])
    places = [
        i for i, c in enumerate(cells) if "language" in c.metadata.get("tags", [])
    ]
    assert len(places) == 1
    assert "parameters" in cells[places[0] - 1].metadata["tags"]
    assert f'language.choose("{name.partition("/")[0]}")' in cells[places[0]].source


def spans(text):
    """Return what no translation changes: code, formulas and preprints."""
    found = re.findall(r"`[^`]+`|\$[^$]+\$|arXiv:[\d.]+|\bC\d\d\b", text)
    return sorted(set(found))


@named
def test_a_text_keeps_its_code_formulas_and_sources(name):
    for english, other in pairs(name):
        if english.cell_type == "markdown":
            assert spans(other.source) == spans(english.source), english.id


ASIDE = re.compile(
    r"\[[^\]]*\]\([^)]*\)|`[^`]*`|arXiv:[\d.]+|\$[^$]*\$|^#+ .*$|\d+ 月", re.M
)  # links, code, preprints, formulas, headings, months


def digits(text):
    """Return the numbers of a text, save those that name something."""
    text = ASIDE.sub("", text)
    found = re.findall(r"\d{1,3}(?:,\d{3})+|\d*\.\d+|\d+", text)
    return {n for n in found if not re.fullmatch(r"0?\d", n)}


@named
def test_a_text_says_no_number_that_the_english_one_does_not_say(name):
    for english, other in pairs(name):
        if english.cell_type == "markdown":
            assert digits(other.source) <= digits(english.source), english.id


@named
def test_every_text_is_in_its_language_and_leads_somewhere(name):
    made = TRANSLATED[name][2]
    for english, other in pairs(name):
        if english.cell_type != "markdown":
            continue
        assert CHINESE.search(other.source), other.id
        here, there = (
            re.findall(r"\]\(([^)]+)\)", cell.source) for cell in (english, other)
        )
        assert len(here) == len(there), other.id
        for target in there:
            file = made.parent / target.partition("#")[0]
            assert "://" in target or file.exists(), (other.id, target)


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@named
def test_code_is_no_wider_than_a_page(name):
    for cell in cells_of(TRANSLATED[name][2]):
        if cell.cell_type == "code":
            wide = [line for line in cell.source.splitlines() if width(line) > 88]
            assert wide == [], cell.id


@named
def test_stored_outputs_are_whole_and_pictures_speak_the_language(name):
    code = [c for c in cells_of(TRANSLATED[name][2]) if c.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "a cell was never run"
    outputs = [output for cell in code for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error"]
    assert not [o for o in outputs if o.get("name") == "stderr"]
    alts = [
        o.metadata["image/png"]["alt"]
        for o in outputs
        if "image/png" in o.get("data", {})
    ]
    assert alts and all(CHINESE.search(alt) for alt in alts)


# ------------------------------------------------------ sentences filled in
LANGUAGES = sorted(path.name for path in language.LOCALE.iterdir() if path.is_dir())


def template(node):
    """Return the text of an expression, with a 0 for each value that it fills in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(value) for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return "0"


@pytest.fixture(scope="module")
def sentences():
    """Return whatever English text the lessons and their notebooks may show."""
    modules = (PROJECT / "distill_helpers" / "lessons").rglob("*.py")
    codes = [path.read_text("utf-8") for path in modules]
    for path in NOTEBOOKS.glob("*.ipynb"):
        codes += [cell.source for cell in cells_of(path) if cell.cell_type == "code"]
    found = {template(node) for code in codes for node in ast.walk(ast.parse(code))}
    known = parts.lessons() + parts.appendices()
    found |= {f"{facts.key} {facts.title}" for facts in known}
    found |= {facts.key for facts in known}
    found |= {claim.says for claim in claims.register().values()}
    return {" ".join(text.split()) for text in found}


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_sentence_that_is_filled_in_has_lost_its_english_one(name, sentences):
    def said(msgid):
        pattern = language.fitting(msgid)
        return any(pattern.fullmatch(sentence) for sentence in sentences)

    entries = language.catalogue(name, language.FILLED).entries
    assert [msgid for msgid in entries if msgid and not said(msgid)] == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_sentence_that_is_filled_in_holds_the_same_names(name):
    def names(text):
        return sorted(field for _, field, _, _ in Formatter().parse(text) if field)

    for msgid, msgstr in language.catalogue(name, language.FILLED).entries.items():
        assert names(msgid) == names(msgstr), msgid
        assert "$" not in msgstr or not msgid, "formulas take no letters of a font"


def test_a_list_in_a_sentence_is_translated_one_by_one():
    said = language.Patterns(
        {"{n} of: {which}": "{which}: {n}", "a {one} cat": "Katze {one}", "all": "alle"}
    )
    assert said.told("all of: a red cat, a dog") == "Katze red, a dog: alle"
    assert said.told("of nothing") == "of nothing"
    assert said.told("all") == "alle"


def test_a_list_of_known_words_needs_no_sentence():
    said = language.Patterns(
        {"soft": "weich", "hard": "hart", "hard, all": "alles hart", ",": "\u3001"}
    )
    assert said.told("soft - hard, all") == "weich - alles hart"
    assert said.told("soft, hard, all 0.5") == "weich\u3001alles hart 0.5"
    assert said.told("soft: hard 0.9; hard: 0.8") == "weich: hart 0.9; hart: 0.8"
    assert said.told("soft - hard: +0.5 [1, 2]") == "weich - hart: +0.5 [1, 2]"
    assert said.told("soft, unknown") == "soft, unknown"
    assert said.told("unknown: soft, hard") == "unknown: soft, hard"
    assert said.told("1, 2") == "1, 2"


def test_a_sentence_goes_before_a_list_that_begins_with_a_number():
    said = language.Patterns(
        {"{n} left: {which}": "Rest {n}: {which}", "cat": "Katze", "dog": "Hund"}
    )
    assert said.told("2 left: cat, dog") == "Rest 2: Katze, Hund"
    assert said.told("cat: 2 kg, dog") == "Katze: 2 kg, Hund"


def test_a_part_of_a_list_is_no_sentence_by_itself():
    """Else a pattern for one part would tear a longer sentence apart."""
    said = language.Patterns(
        {"{share} at {place}": "bei {place} {share}", "cat": "Katze", "dog": "Hund"}
        | {"How many at {place}: {which}.": "Wie viele bei {place}: {which}."}
    )
    assert said.told("How many at home: cat, dog.") == (
        "Wie viele bei home: Katze, Hund."
    )
    assert said.told("some at home") == "bei home some"


def test_in_a_gap_what_has_no_word_stays_as_it_is():
    said = language.Patterns({"stopped: {error}": "Halt: {error}", ",": "\u3001"})
    assert said.told("stopped: base 10: 'a', b") == "Halt: base 10: 'a', b"


def test_what_stands_in_a_gap_may_be_a_sentence_with_a_mark_of_lists():
    said = language.Patterns({"no: {what}": "nein: {what}", "at {k}: {e}": "{e} ({k})"})
    assert said.told("no: at 5: off, by 1") == "nein: off, by 1 (5)"


# ------------------------------------------------- what the tool says is wrong
def notebook(*cells):
    made = [
        {"cell_type": kind, "id": name, "metadata": {}, "source": [source]}
        for name, kind, source in cells
    ]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


ENGLISH = notebook(
    ("a", "markdown", "A *student*."), ("b", "code", 'print(f"{x} of", "y")  # right')
)
GOOD = {
    "a": Translated(of=TOOL["fingerprint"]("A *student*."), text="学生模型。"),
    "b": Translated(words={" of": "，共", "right": "对"}),
}


def faults(english=ENGLISH, **change):
    return translate(english, {**GOOD, **change}, "zh")[1]


def test_a_whole_translation_has_no_fault():
    made, wrong = translate(ENGLISH, GOOD, "zh")
    assert wrong == []
    assert ["".join(c["source"]) for c in made["cells"]] == [
        "学生模型。",
        'print(f"{x}，共", "y")  # 对',
    ]


def test_what_is_missing_is_named():
    more = copy.deepcopy(ENGLISH)
    more["cells"].insert(1, notebook(("c", "markdown", "New."))["cells"][0])
    assert faults(more) == ["cell c is new in English"]
    assert faults(a=Translated(of="00000000", text="学生。")) == [
        "cell a changed in English"
    ]
    assert faults(old=Translated(text="旧")) == ["cell old is no longer in English"]
    assert faults(b=Translated(words={"wrong": "错"})) == [
        "cell b changed in English: 'wrong' is not in its code"
    ]


@pytest.mark.parametrize("words", [{"print": "show"}, {"{x}": ""}, {'"y"': "y"}])
def test_words_that_change_what_code_does_are_refused(words):
    (said,) = faults(b=Translated(words=words))
    assert "change more than strings and comments" in said


def test_outputs_stay_from_one_making_to_the_next():
    made, _ = translate(ENGLISH, GOOD, "zh")
    before = copy.deepcopy(made)
    before["cells"][1] |= {"outputs": [{"text": "1"}], "execution_count": 3}
    kept = TOOL["with_outputs"](made, before)["cells"][1]
    assert (kept["outputs"], kept["execution_count"]) == ([{"text": "1"}], 3)


def test_fingerprints_are_written_into_a_catalogue():
    catalogue = "[a]\ntext = '''x'''\n\n[b]\nwords = { \"y\" = \"z\" }\n"
    once = TOOL["accepted"](catalogue, ENGLISH)
    mark = TOOL["fingerprint"]("A *student*.")
    assert once == catalogue.replace("[a]\n", f'[a]\nof = "{mark}"\n')
    assert TOOL["accepted"](once.replace(mark, "00000000"), ENGLISH) == once


def test_the_command_names_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit):
        TOOL["main"](["--accept", "zh/no_such"])
    assert "--accept 'zh/no_such': allowed are zh/00_start_here" in (
        capsys.readouterr().err
    )


# ---------------------------------------------------------------- the glossary
def test_the_chinese_glossary_has_every_term_of_the_chinese_lessons():
    entry = re.compile(r"^### ([^\n]+)\n\n(.+?)(?=^###? |\Z)", re.M | re.S)
    english = entry.findall((PROJECT / "docs" / "glossary.md").read_text("utf-8"))
    chinese = entry.findall((PROJECT / "docs" / "glossary.zh.md").read_text("utf-8"))
    lessons = "|".join(name.partition("/")[2] for name in TRANSLATED)
    wanted = [term for term, text in english if re.search(rf"/({lessons})\.", text)]
    given = [re.match(r"\*([^*]+)\*。", text)[1] for _, text in chinese]
    assert [term for term in wanted if term not in given] == []
    assert given == [term for term, _ in english if term in given]
    assert len({term for term, _ in chinese}) == len(chinese)
