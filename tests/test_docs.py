"""The reading aids agree with the lessons, with the code and with each other."""

import ast
import dataclasses
import json
import math
import pkgutil
import re
import runpy
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import pytest
import yaml

from distill_helpers import arguments, losses
from distill_helpers.__main__ import COMMANDS as KIT
from distill_helpers.classroom import sweeps
from distill_helpers.students.registry import STUDENTS
from distill_helpers.training.config import DistillationConfig

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
START = "notebooks/00_start_here.ipynb"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEACHING = [path for path in NOTEBOOKS if not path.name.startswith("00_")]
CHINESE = [ROOT / "README.zh.md", *sorted((ROOT / "notebooks" / "zh").glob("*.ipynb"))]
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *NOTEBOOKS, *CHINESE]
SOURCES = sorted((ROOT / "distill_helpers").rglob("*.py"))
PROGRAM = runpy.run_path(str(ROOT / "start.py"))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)
SPAN = re.compile(r"`[^`]+`")
OLD_CALL = re.compile(r"^\| `[^`|]+` \| (?=`python -m )", re.M)
IN_THE_WHEEL = "distill_helpers/shipped"  # a clone has it in data/


COURSE = runpy.run_path(str(ROOT / "docs" / "draw_course.py"))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@cache
def words_of(path):
    """Return a page's Markdown; of a notebook, that of its text cells."""
    if path.suffix != ".ipynb":
        return path.read_text("utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


def flowed(text):
    """Join the lines of each paragraph."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def page(name):
    return words_of(DOCS / name)


def parameters_of(notebook):
    """Return the values of a notebook's parameters cell."""
    cells = nbformat.read(ROOT / "notebooks" / notebook, as_version=4).cells
    source = next(c.source for c in cells if "parameters" in c.metadata.get("tags", []))
    return {
        node.target.id: ast.literal_eval(node.value) for node in ast.parse(source).body
    }


# ------------------------------------------------------------------- links
def slug(heading):
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path):
    text = FENCE.sub("", words_of(path))
    found = re.findall(r"^#+ (.+?)\s*$", text, re.M)
    plain = [slug(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", h)) for h in found]
    if path.suffix == ".ipynb":  # JupyterLab's own way
        plain += [heading.replace(" ", "-") for heading in found]
    return set(plain)


def links(text):
    """Return the targets of Markdown links and images, but not of examples."""
    text = SPAN.sub("", FENCE.sub("", text))
    return re.findall(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)", text)


def broken(path, target):
    """Say what is wrong with a link, or return nothing."""
    if re.match(r"[a-z]+:", target):
        return "" if target.startswith("https://") else "not https"
    file, _, anchor = unquote(target).partition("#")
    where = (path.parent / file).resolve() if file else path
    if not where.exists():
        return "no such file"
    if anchor and anchor not in anchors(where):
        return "no such heading"
    return ""


def images_without_words(text):
    text = SPAN.sub("", FENCE.sub("", text))
    bare = re.findall(r"!\[\s*\]\([^)]*\)", text)
    tags = re.findall(r"<img\b[^>]*>", text)
    return bare + [t for t in tags if not re.search(r"\balt=[\"'][^\"']", t)]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_somewhere(path):
    wrong = {t: broken(path, t) for t in links(words_of(path)) if broken(path, t)}
    assert not wrong


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_image_says_what_it_shows(path):
    assert not images_without_words(words_of(path))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_address_is_left_without_encryption(path):
    found = re.findall(r"http://\S+", words_of(path))
    assert all(re.match(r"http://(127\.0\.0\.1|localhost)\b", a) for a in found), found


def test_a_broken_link_is_noticed():
    here = DOCS / "README.md"
    assert links("[a](b.md#c), `[d](e)` and ![f](g.png)") == ["b.md#c", "g.png"]
    assert broken(here, "no_such.md") == "no such file"
    assert broken(here, "ways_in.md#no-such") == "no such heading"
    assert broken(here, "ftp://example.org") == "not https"
    assert not broken(here, "../README.md#start")


def test_an_image_without_words_is_noticed():
    assert images_without_words("![](a.png) <img src='b'> ![c](d)") == [
        "![](a.png)",
        "<img src='b'>",
    ]


def test_the_index_lists_every_page():
    listed = {t for t in links(page("README.md")) if t.endswith(".md")}
    assert listed == {p.name for p in DOCS.glob("*.md")} - {"README.md"}


# ---------------------------------------------------------------- commands
CALL = re.compile(
    r"(?:(?:python[\d.]*|py)(?: -[\d.]+)? (?:-m ([\w.]+)|([\w/]+\.py))|(distill-kit))"
    r"([^`'\n]*)"
)


def commands(text):
    """Return the calls of Python and of the kit: module, script and the rest."""
    code = " ".join(f"`{body}`" for _, body in FENCE.findall(text))
    code = re.sub(r"\\\n", " ", code)
    spans = SPAN.findall(flowed(FENCE.sub("", text)))
    return [
        ("distill_helpers" if kit else module, script, rest.split())
        for module, script, kit, rest in CALL.findall(code + " " + " ".join(spans))
        if not module.endswith("..")  # an ellipsis names no module
    ]


def source_of(module):
    """Return what stands in a module of the kit."""
    path = ROOT / "distill_helpers" / Path(*module.split("."))
    return path.with_suffix(".py").read_text("utf-8")


def missing_options(words, known):
    asked = {w.partition("=")[0] for w in words if w.startswith("--")}
    return {o for o in asked - {"--help"} if f'"{o}"' not in known}


def unknown_kit(words):
    """Say what the kit's own command does not know."""
    command, *rest = words or [""]
    if command == "--help":
        return ""
    if command not in KIT:
        return f"distill-kit has no {command}"
    missing = missing_options(rest, source_of(KIT[command][0]))
    return f"distill-kit {command} has no {missing}" if missing else ""


def unknown_start(words):
    command, *rest = words
    if command not in PROGRAM["COMMANDS"]:
        return f"start.py has no {command}"
    inner = PROGRAM["COMMANDS"][command]
    known = (ROOT / "start.py").read_text("utf-8")
    if inner[1:2] == ["distill_helpers"]:
        known += source_of(KIT[inner[2]][0])
    missing = missing_options(rest, known)
    if command == "lab":
        from jupyter_server.serverapp import aliases

        missing -= {f"--{alias}" for alias in aliases} | {"--version"}
    return f"start.py {command} has no {missing}" if missing else ""


def unknown(module, script, words):
    """Say what a command names that does not exist, or return nothing."""
    if module == "distill_helpers":
        return unknown_kit(words)
    if module:
        return "" if module in ("pip", "venv", "uv") else f"what is {module}?"
    if script == "start.py":
        return unknown_start(words)
    if script == "install.py":  # lies in the bundle that the kit packs
        missing = missing_options(words, source_of(KIT["install"][0]))
        return f"{script} has no {missing}" if missing else ""
    mine = script == "train.py" or (ROOT / script).is_file()
    return "" if mine else f"there is no {script}"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_command_exists(path):
    wrong = [unknown(*c) for c in commands(words_of(path)) if unknown(*c)]
    assert not wrong


def test_a_command_that_does_not_exist_is_noticed():
    text = "`python start.py\nlesons` and\n```\npython -m distill_helpers.no x\n```\n"
    assert [unknown(*c) for c in commands(text)] == [
        "what is distill_helpers.no?",
        "start.py has no lesons",
    ]
    text = "```\ndistill-kit swep a b\ndistill-kit sweep a b --nothing=1\n```\n"
    assert [unknown(*c) for c in commands(text)] == [
        "distill-kit has no swep",
        "distill-kit sweep has no {'--nothing'}",
    ]
    assert unknown("", "classroom.py", ["pack", "kit"])
    assert unknown("", "install.py", ["--nothing"])
    assert unknown("", "start.py", ["lab", "--nothing"])
    assert not unknown("", "start.py", ["lab", "--here", "--port", "8890"])


def imported(tree):
    """Import what an example imports from the kit; return it by its name."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("distill_"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found[alias.name] = pkgutil.resolve_name(full)
    return found


@pytest.mark.parametrize("path", [PAGES[0], *sorted(DOCS.glob("*.md"))], ids=name_of)
def test_every_example_uses_names_that_exist(path):
    for kind, body in FENCE.findall(words_of(path)):
        if kind != "python":
            continue
        tree = ast.parse(
            re.sub(r"^   ", "", body, flags=re.M) if body[0] == " " else body
        )
        kit = imported(tree)
        assert kit
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                holder = kit.get(node.value.id)
                assert holder is None or hasattr(holder, node.attr), ast.unparse(node)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_file_and_module_of_the_kit_that_a_page_names_exists(path):
    text = re.sub(OLD_CALL, "", words_of(path))
    files = set(re.findall(r"(?<![\w/])distill_helpers/[\w/*.]*[\w*]", text))
    assert not {f for f in files - {IN_THE_WHEEL} if not [*ROOT.glob(f)]}
    for dotted in re.findall(r"(?<![\w.])distill_helpers(?:\.\w+)+", text):
        assert pkgutil.resolve_name(dotted)


# ------------------------------------------------- the picture of the course
def test_the_course_is_drawn_as_its_lessons_are():
    stale = "call 'python docs/draw_course.py'"
    assert COURSE["DRAWING"].read_text("utf-8") == COURSE["drawing"](), stale


@pytest.mark.parametrize("count", [1, 4, 5, 14])
def test_each_box_of_the_course_leads_to_the_next(count):
    boxes = [(f"{place:02d}", f"a < b, {place}") for place in range(count)]
    root = ElementTree.fromstring(COURSE["draw"](boxes))
    said = [text.text for text in root.findall(".//{*}text")]
    assert said == [word for box in boxes for word in box]
    ways = [p for p in root.findall(".//{*}path") if p.get("class") == "line"]
    assert len(ways) == count - 1
    width, height = (float(n) for n in root.get("viewBox").split()[2:])
    for box in root.findall(".//{*}rect"):
        x, y = float(box.get("x", 0)), float(box.get("y", 0))
        assert x + float(box.get("width")) <= width
        assert y + float(box.get("height")) <= height


# ---------------------------------------------------------------- glossary
ENTRY = re.compile(r"^### ([^\n]+)\n\n(.+?)(?=^###? |\Z)", re.M | re.S)
WHERE = re.compile(
    r"(?:First used in \[[^]]+\]\(\.\./notebooks/(?P<first>\w+\.ipynb)\)"
    r"|Named in \[[^]]+\]\(\.\./notebooks/(?P<named>\w+\.ipynb)\),"
    r" explained in \[[^]]+\]\(\.\./notebooks/(?P<explained>\w+\.ipynb)\))\."
)


def glossary():
    """Return the glossary's entries: term and the paragraphs below it."""
    return [
        (term, flowed(text).strip().split("\n\n"))
        for term, text in ENTRY.findall(page("glossary.md"))
    ]


def forms(term, paragraphs):
    """Return the term and its other names."""
    also = [p for p in paragraphs if p.startswith("Also called: ")]
    return [term, *(also[0][13:].rstrip(".").split(", ") if also else [])]


def pattern(form):
    """Find a term in the singular or plural, as a word of its own."""
    body = re.escape(form)
    if form.endswith("y"):
        body = body[:-1] + "(?:y|ies)"
    else:
        body += "(?:es)?" if form[-1] in "sxh" else "s?"
    return re.compile(rf"(?<![\w-]){body}(?![\w-])", re.I)


def users(names):
    """Return the lessons, in order, that use one of the names."""
    looked = [pattern(name) for name in names]
    return [
        path.name
        for path in TEACHING
        if any(p.search(flowed(words_of(path))) for p in looked)
    ]


def test_the_glossary_is_in_order_and_names_nothing_twice():
    terms = [term.casefold() for term, _ in glossary()]
    assert len(terms) > 50
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


def test_every_heading_of_the_glossary_is_an_entry():
    assert page("glossary.md").count("\n### ") == len(glossary())


@pytest.mark.parametrize("term, paragraphs", glossary(), ids=lambda v: str(v)[:30])
def test_a_term_is_explained_briefly_and_leads_to_its_lesson(term, paragraphs):
    words, *_, where = paragraphs
    sentences = re.findall(r"[^.!?]+[.!?](?:\s|$)", words)
    assert 1 <= len(sentences) <= 4
    using = users(forms(term, paragraphs))
    assert using, f"{term}: no lesson uses it"
    found = WHERE.fullmatch(where)
    assert found, where
    assert using[0] == (found["first"] or found["named"])
    if found["explained"]:
        assert found["explained"] in using[1:]


def test_every_other_name_of_a_term_is_used_somewhere():
    for term, paragraphs in glossary():
        for other in forms(term, paragraphs)[1:]:
            assert users([other]), (term, other)


def test_a_term_that_no_lesson_uses_is_noticed():
    assert not users(["flux capacitor"])
    assert users(["dark knowledge"])[0] == "01_concepts.ipynb"
    assert not pattern("step").search("a footstep, one-step")


# -------------------------------------------------------------- cheat sheet
def table_rows(text, first):
    """Return the rows of the table whose heading begins with a word."""
    after = text[text.index(f"| {first} |") :]
    lines = after.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def literal(cell):
    return ast.literal_eval(cell.strip("`"))


def config_defaults():
    fields = dataclasses.fields(DistillationConfig)
    return {f.name: f.default for f in fields}


def test_the_cheat_sheet_starts_with_the_defaults():
    defaults = [config_defaults(), parameters_of("03_imdb_distillation.ipynb")]
    rows = table_rows(page("cheat_sheet.md"), "knob")
    assert {"`temperature`", "`alpha`", "`epochs`", "`student`"} <= {r[0] for r in rows}
    for knob, _, start, _ in rows:
        known = [d[knob.strip("`")] for d in defaults if knob.strip("`") in d]
        assert known, knob
        assert all(literal(start) == value for value in known), (knob, start, known)


def test_the_cheat_sheet_knows_each_student_and_its_recipe():
    rows = table_rows(page("cheat_sheet.md"), "student")
    sheet = {literal(name): (literal(r), literal(b)) for name, r, b in rows}
    recipes = {name: spec.recipe for name, spec in STUDENTS.items()}
    assert sheet == {k: (r.learning_rate, r.batch_size) for k, r in recipes.items()}


def test_every_loss_of_the_cheat_sheet_exists_and_its_paper_is_a_source():
    rows = table_rows(page("cheat_sheet.md"), "loss")
    named = {re.sub("`", "", row[2]): row for row in rows}
    kit = {n for n in dir(losses) if n.lower().endswith(("_loss", "lossterms"))}
    assert set(named) >= {"kd_loss", "hidden_state_loss", "DistillationLoss"}
    for name, row in named.items():
        assert name in kit | {"DistillationLoss", "labelled_cross_entropy"}
        assert hasattr(losses, name)
        for author, year in re.findall(r"(\w+) et al\., (\d{4})", " ".join(row[3:])):
            assert cited(author, year), author


def test_the_cheat_sheet_fits_a_page_and_holds_no_measurement():
    text = page("cheat_sheet.md")
    assert len(text.splitlines()) <= 65
    assert len(text) <= 4500
    prose = SPAN.sub("", FENCE.sub("", text))
    assert not re.findall(r"\d+(?:\.\d+)?\s?%|\b0?\.\d\d", prose)


def test_the_recipe_of_the_cheat_sheet_trains_a_student(tmp_path, monkeypatch):
    (body,) = [b for kind, b in FENCE.findall(page("cheat_sheet.md")) if kind]
    tree = ast.parse(body.replace("num_train_epochs=5", "max_steps=3"))
    lines = [n for n in tree.body if not isinstance(n, (ast.Import, ast.ImportFrom))]
    assert len(lines) == 4
    tree.body[-1] = ast.Assign([ast.Name("done", ast.Store())], tree.body[-1].value)
    monkeypatch.chdir(tmp_path)
    seen = {}
    exec(compile(ast.fix_missing_locations(tree), "cheat_sheet.md", "exec"), seen)
    assert seen["done"].global_step == 3
    assert 0 < seen["done"].training_loss < 10


# ---------------------------------------------------------- troubleshooting
def rendered(node):
    """Return a message as written, with a mark where a value goes."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        v.value if isinstance(v, ast.Constant) else "\0" for v in node.values
    )


def refusals(call):
    """Return what a guard of `arguments` says, called as here, to bad values."""
    guard = getattr(arguments, ast.unparse(call.func).split(".")[-1], None)
    try:
        name, *rest = [ast.literal_eval(a) for a in (call.args[:1] + call.args[2:])]
        named = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    except ValueError:  # known only when the kit runs
        return
    for bad in ("no number", -math.inf, math.inf) if guard else ():
        try:
            guard(name, bad, *rest, **named)
        except (TypeError, ValueError) as error:
            yield str(error)


@cache
def messages():
    """Return every text in the code that may be a part of a message."""
    found = set()
    for path in [*SOURCES, ROOT / "start.py"]:
        if path.is_file():
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, (ast.Constant, ast.JoinedStr)):
                    found.add(rendered(node))
                elif isinstance(node, ast.Call):
                    found |= set(refusals(node))
    return found


def said_by_the_kit(heading):
    """Is there a message whose constant parts are those of the heading?"""
    parts = [re.escape(part.strip()) for part in heading.split("...")]
    looked = re.compile(r"\s*" + r"(?:.*?)".join(parts) + r"\s*", re.S)
    return any(looked.fullmatch(message) for message in messages())


def chapter(text, title):
    return re.split(r"^## ", text.split(f"\n## {title}\n")[1], flags=re.M)[0]


def headings(text):
    return [h.strip("`") for h in re.findall(r"^### (.+)$", text, re.M)]


KIT_MESSAGES = headings(chapter(page("troubleshooting.md"), "What the kit says"))


@pytest.mark.parametrize("heading", KIT_MESSAGES)
def test_the_kit_says_what_troubleshooting_quotes(heading):
    assert len(re.sub(r"\W", "", heading)) >= 12
    assert said_by_the_kit(heading)


def test_a_message_that_the_kit_does_not_know_is_noticed():
    assert said_by_the_kit("alpha must lie in [0, 1], got ...")
    assert not said_by_the_kit("alpha must lie in [0, 2], got ...")
    assert not said_by_the_kit("the kit has ... no such sentence")


def test_troubleshooting_has_a_cause_and_a_cure_for_each_message():
    entries = ENTRY.findall(page("troubleshooting.md"))
    assert len(entries) >= 25
    names = [heading for heading, _ in entries]
    assert len(set(names)) == len(names)
    for heading, text in entries:
        assert "**Cause.**" in text and "**Cure.**" in text, heading


# ------------------------------------------------------------------ sources
NAMES = r"([A-Z][a-z]+)(?:, [A-Z][a-z]+)*(?:,? (?:and|et) (?:al\.|[A-Z][a-z]+))?"
CITATION = re.compile(
    NAMES + r",? \(?(?:[A-Z]{2,}[A-Za-z]* )?((?:19|20)\d\d)\b(?!\.\d)"
)
MONTHS = "January February March April May June July August September October November"
NO_AUTHOR = {*MONTHS.split(), "December", "Studio"}
REFERENCE = re.compile(r'^ *\.\. \[\d+\] (.+?)(?=^ *\.\. \[|\n *\n|"{3})', re.M | re.S)
PREPRINT = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
MODEL = re.compile(r"\b(?:\w*BERT(?:-\w+)?|bert-\w+|[\w-]*MiniLM[\w-]*)")


def entries_of_sources():
    return [flowed(e) for e in re.split(r"^\* ", page("sources.md"), flags=re.M)[1:]]


def cited(author, year):
    return [
        e for e in entries_of_sources() if re.search(rf"\b{author}\b", e) and year in e
    ]


def citations(text):
    """Return author and year of everything that a text cites."""
    found = {(a, y) for a, y in CITATION.findall(flowed(text)) if a not in NO_AUTHOR}
    for entry in map(flowed, REFERENCE.findall(text)):
        first = re.split(r",| et al", entry)[0].split()[-1]
        years = re.findall(r"\b((?:19|20)\d\d)\b(?!\.\d)", entry)
        found.add((first, years[-1]))
    return found


@pytest.mark.parametrize("path", [*NOTEBOOKS, *SOURCES, PAGES[0]], ids=name_of)
def test_whatever_is_cited_has_its_source(path):
    text = words_of(path)
    missing = [c for c in citations(text) if not cited(*c)]
    preprints = [i for i in PREPRINT.findall(text) if i not in page("sources.md")]
    assert not missing and not preprints


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_every_published_model_that_a_lesson_names_has_its_source(path):
    prose = re.sub(r"(?<=[\w/-])\.(?=\w)", " ", words_of(path))
    named = set(MODEL.findall(prose))
    assert not {n for n in named if n not in page("sources.md")}


def test_citations_are_found_in_every_form_that_is_used():
    text = (
        "Hinton, Vinyals and\nDean (2015, x), (Romero et al., ICLR 2015), "
        "Wolpert 1992,\n"
        'November 2026.\n\n    .. [1] G. Hunt, A. Two, "A title of\n'
        '       1984", 2015, arXiv:1503.02531.\n    .. [2] Lee et al., "B", ACL 2022.\n'
        '    """\n'
    )
    assert citations(text) >= {
        ("Hinton", "2015"),
        ("Romero", "2015"),
        ("Wolpert", "1992"),
        ("Hunt", "2015"),
        ("Lee", "2022"),
    }
    assert ("November", "2026") not in citations(text)
    assert not cited("Nobody", "2015")


# ------------------------------------------------------- the teachers' guide
def plans():
    """Return the planned minutes of each table and the sum that it states."""
    after = page("instructor_guide.md").split("| planned minutes |")[1:]
    tables = [text.split("\n\n")[0] for text in after]
    minutes = [[int(n) for n in re.findall(r"^\| (\d+) \|", t, re.M)] for t in tables]
    stated = [int(re.search(r"^\| \*\*(\d+)\*\*", t, re.M)[1]) for t in tables]
    return list(zip(minutes, stated))


def test_the_planned_minutes_add_up():
    assert len(plans()) == 3
    for minutes, stated in plans():
        assert sum(minutes) == stated


def test_the_guide_answers_at_least_twelve_questions():
    questions = headings(
        chapter(page("instructor_guide.md"), "Questions that people ask")
    )
    assert len(questions) >= 12
    assert all(q.endswith("?") for q in questions)


def test_the_grid_of_the_class_has_as_many_settings_as_the_guide_says():
    text = page("instructor_guide.md")
    axes = dict(map(sweeps.parse_axis, re.findall(r"--grid (\S+)", text)))
    assert set(axes) <= set(parameters_of("appendix_one_setting.ipynb"))
    assert "This grid\n   has thirty" in text
    assert len(sweeps.grid(axes)) == 30
    (fixed,) = re.findall(r'--fixed "(\S+)"', text)
    assert sweeps.parse_fixed(fixed) == ("seeds", [3, 4, 5])


# ------------------------------------------------------------------ ways in
def test_the_dev_container_sets_the_kit_up_and_opens_the_start():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    wanted = ".".join(map(str, PROGRAM["PINNED_PYTHON"]))
    assert container["image"].endswith(f"python:{wanted}")
    ((module, script, words),) = commands(f"`{container['postCreateCommand']}`")
    assert (module, script) == ("", "start.py")
    assert not unknown(module, script, words)
    assert "--here" not in words  # the kernel is that of .venv
    opened = container["customizations"]["codespaces"]["openFiles"]
    assert opened == [START]


def test_binder_uses_the_projects_python_and_packages():
    mine = yaml.safe_load((ROOT / ".binder/environment.yml").read_text())
    whole = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = [d for d in whole["dependencies"] if str(d).startswith("python=")]
    assert mine["dependencies"] == [*python, "pip"]
    assert mine["channels"] == whole["channels"]
    text = (ROOT / ".binder/postBuild").read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    lines = re.sub(r"\\\n", " ", text).splitlines()
    steps = [" ".join(line.split()) for line in lines if not line.startswith("#")]
    assert [s for s in steps if "install" in s and "--constraint constraints.txt" in s]
    assert steps[-2].endswith("--editable .")
    assert steps[-1] == f"test -f {START}"
    assert "--torch-backend=cpu" in text and "--torch-backend=cpu" in (
        ROOT / "start.py"
    ).read_text("utf-8")
    assert (ROOT / "constraints.txt").is_file()


def test_the_start_notebook_is_there():
    assert (ROOT / START).is_file()


def test_binder_and_colab_open_the_start_notebook():
    text = page("ways_in.md")
    addresses = re.findall(r"`(https://(?:mybinder|colab)[^`]+)`", text)
    assert len(addresses) == 2
    assert all(a.endswith(START) for a in addresses)


def test_the_repositorys_address_is_a_placeholder_in_one_place_only():
    holders = [p.name for p in PAGES if "OWNER/REPOSITORY" in words_of(p)]
    assert holders in ([], ["ways_in.md"])
    if holders:
        inside = chapter(page("ways_in.md"), "Binder and Colab")
        assert inside.count("OWNER/") == page("ways_in.md").count("OWNER/")
        project = (ROOT / "pyproject.toml").read_text("utf-8")
        assert "[project.urls]" not in project, (
            "put the address in for OWNER/REPOSITORY"
        )


def test_every_file_that_a_way_in_names_exists():
    named = re.findall(
        r"`((?:[\w.]+/)*[\w.-]+\.(?:yml|txt|json|ipynb|py))`", page("ways_in.md")
    )
    assert {"environment.yml", "constraints.txt", START} <= set(named)
    assert not [n for n in named if n != START and not (ROOT / n).is_file()]


def test_the_environment_of_the_docs_is_the_one_of_the_tests():
    """No page sends a reader to a Python that the kit refuses."""
    low, high = re.search(
        r">=3\.(\d+),<3\.(\d+)", (ROOT / "pyproject.toml").read_text()
    ).groups()
    for path in [*DOCS.glob("*.md")]:
        for minor in re.findall(r"\bpython3\.(\d+)|--python 3\.(\d+)", words_of(path)):
            assert int(low) <= int("".join(minor)) < int(high), path.name
    assert sys.version_info[:2] >= (3, int(low))
