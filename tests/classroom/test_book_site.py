"""The whole book, made once and once more: its pages in files and in a browser."""

import hashlib
import json
import re

import numpy as np
import pytest

from distill_helpers.classroom.book import (
    building,
    checking,
    contents,
    reference,
    sources,
    student_page,
)
from distill_helpers.export.browser import PACKED, PageServer
from distill_helpers.lessons.claims import register
from distill_helpers.places import BROWSER_RUNTIME, PACKAGE, PROJECT
from distill_helpers.students.pocket import PocketStudent

for _name in building.NEEDED:
    pytest.importorskip(_name, reason=f"{_name} is not installed (extra 'book')")
pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed (extra 'test')"
)
from conftest import CHROMIUM  # noqa: E402

from distill_helpers.export.headless import ASK  # noqa: E402

if CHROMIUM is None:
    pytest.skip(
        "no Chromium on this machine (Debian's package chromium)",
        allow_module_level=True,
    )
pytestmark = [pytest.mark.full, pytest.mark.xdist_group("the book")]
AXE = BROWSER_RUNTIME / "node_modules" / "axe-core" / "axe.min.js"
NOTEBOOKS = sources.shown_notebooks(PROJECT)
LOOKED_AT = (
    "index.html",
    "notebooks/03_imdb_distillation.html",
    "claims.html",
    "student.html",
    "docs/glossary.html",
    "docs/architecture.html",
    "api/losses.html",
)
SERIOUS = {"serious", "critical"}
TEXTS = ("A joy from start to finish.", "I want those two hours back.", "Dull. " * 900)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return building.build_book(tmp_path_factory.mktemp("made") / "book")


@pytest.fixture(scope="module")
def server(book):
    with PageServer(book) as server:
        yield server


@pytest.fixture
def visit(chromium, server):
    """Open pages of the book; afterwards nobody may have asked another server."""
    opened, asked, said = [], [], []

    def open_page(name, width=1280, theme="light", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, **options
        )
        opened.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda m: m.type == "error" and said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(server.address + name)
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in opened:
        context.close()
    own = (server.address, "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert said == []


# ------------------------------------------------------------------ in files
def content(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in files
    }


def test_made_once_more_it_is_the_same(book, tmp_path):
    again = building.build_book(tmp_path / "again")
    first, second = content(book), content(again)
    different = [n for n in {*first, *second} if first.get(n) != second.get(n)]
    assert different == []


def test_every_link_resolves_and_nothing_is_loaded_from_elsewhere(book):
    assert checking.check_site(book) == []
    outward = checking.outward_links(book)
    assert outward
    for address, pages in outward.items():
        assert address.startswith("https://"), (address, pages)


def test_every_lesson_reading_aid_and_room_has_its_page(book):
    pages = [name.removesuffix(".ipynb") for name in NOTEBOOKS]
    moved = sources.moved_pages(sources.pages_of(PROJECT))
    pages += [
        moved.get(name, name).removesuffix(".md") for name in sources.pages_of(PROJECT)
    ]
    pages += [f"api/{room}" for room in reference.rooms_of(PACKAGE)]
    pages += contents.FIRST
    assert [page for page in pages if not (book / f"{page}.html").is_file()] == []


def test_a_lesson_shows_every_picture_that_it_stores(book):
    for name in NOTEBOOKS:
        notebook = json.loads((PROJECT / name).read_text("utf-8"))
        outputs = [o for c in notebook["cells"] for o in c.get("outputs", [])]
        stored = [
            o["metadata"]["image/png"]["alt"]
            for o in outputs
            if "image/png" in o.get("data", {})
        ]
        page = (book / name).with_suffix(".html").read_text("utf-8")
        drawn = re.findall(r'<img\b[^>]*src="[^"]*_images/[0-9a-f]{32,}\.png"', page)
        assert len(drawn) == len(stored), name
        assert page.count('class="dataframe"') == sum(
            '"dataframe' in "".join(o.get("data", {}).get("text/html", ""))
            for o in outputs
        ), name


def test_nothing_of_this_machine_is_in_the_book(book):
    for path in book.rglob("*"):
        if path.suffix in (".html", ".js", ".json", ".txt", ".svg", ".inv"):
            assert str(PROJECT) not in path.read_text("utf-8", "replace"), path.name


def test_every_claim_has_its_place(book):
    page = checking.read_page((book / "claims.html").read_text("utf-8"))
    assert {id.lower() for id in register()} <= page.ids


def test_every_formula_is_drawn_by_the_browser(book):
    written = drawn = 0
    for name in NOTEBOOKS:
        cells = json.loads((PROJECT / name).read_text("utf-8"))["cells"]
        prose = [c for c in cells if c["cell_type"] == "markdown"]
        text = "\n\n".join("".join(cell["source"]) for cell in prose)
        written += len(re.findall(r"\$\$.+?\$\$|\$[^$]+\$", text, re.S))
        page = (book / name).with_suffix(".html").read_text("utf-8")
        article = re.search(r"<article\b.*</article>", page, re.S)[0]
        drawn += article.count("<math ")  # headings stand in the margin as well
    assert drawn == written > 20


# ---------------------------------------------------------------- in a browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_fits_its_window(visit, width, theme):
    for name in LOOKED_AT:
        page = visit(name, width, theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.get_attribute("html", "data-theme") == theme
        page.context.close()


@pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed: python start.py fetch-browser"
)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_serious_fault(visit, width, theme):
    for name in LOOKED_AT:
        page = visit(name, width, theme, bypass_csp=True)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("async () => (await axe.run()).violations")
        faults = {
            fault["id"]: [node["html"][:200] for node in fault["nodes"]]
            for fault in found
            if fault["impact"] in SERIOUS
        }
        assert faults == {}, name
        page.context.close()


def test_a_term_shows_its_meaning_at_the_pointer_and_at_the_focus(visit, book):
    page = visit("notebooks/01_concepts.html")
    tip, term = page.locator("#term-tip"), page.locator("a[data-term]").first
    script = (book / "_static" / "meanings.js").read_text("utf-8")
    meanings = json.loads(script.removeprefix("window.bookTerms = ").rstrip(";\n"))
    meaning = meanings["en"][term.get_attribute("data-term")]
    term.hover()
    assert tip.inner_text() == meaning
    tip.hover()
    page.wait_for_timeout(400)
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    term.focus()
    assert tip.is_visible() and term.get_attribute("aria-describedby") == "term-tip"
    term.click()
    assert page.url.endswith(f"docs/glossary.html#{term_of(page)}")


def term_of(page):
    return page.evaluate("decodeURIComponent(location.hash.slice(1))")


def test_the_search_finds_a_word_of_a_lesson(visit):
    page = visit("search.html?q=temperature")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a").evaluate_all("a => a.map(x => x.href)")
    assert any("notebooks/" in link for link in links)


def test_the_reader_may_choose_the_theme_and_the_students_page_follows(visit):
    page = visit("student.html", theme="null")  # the browser's own
    (inner,) = [f for f in page.frames if f is not page.main_frame]
    for theme in ("dark", "light"):
        page.click(".theme-switch-button:visible")
        page.click(f".theme-change-button[data-mode={theme}]:visible")
        page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
        inner.wait_for_function(
            f"matchMedia('(prefers-color-scheme: {theme})').matches"
        )


def test_the_student_answers_in_the_book_with_the_network_cut(chromium, book):
    with PageServer(book) as server:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{server.address}student.html")
        (inner,) = [f for f in page.frames if f is not page.main_frame]
        inner.wait_for_selector("html[data-ready=yes]", state="attached")
        context.set_offline(True)
    answers = inner.evaluate(ASK, list(TEXTS))
    known = PocketStudent.load(PROJECT / student_page.PLACE).logits(TEXTS)
    assert np.abs([a["logits"] for a in answers] - known).max() < 1e-4
    assert answers[0]["label"] == "positive" and answers[1]["label"] == "negative"
    inner.fill("#text", TEXTS[0])
    inner.click("#ask")
    inner.wait_for_selector("#why:not([hidden])")
    assert inner.inner_text("#verdict").startswith("positive")
    context.close()


def test_the_students_page_holds_the_file_of_the_project(book):
    listed = json.loads((book / "student" / "page.json").read_text("utf-8"))
    made = book / "student" / listed["version"] / "student" / PACKED
    assert made.read_bytes() == (PROJECT / student_page.PLACE).read_bytes()
    assert listed["server"] == ""
    assert not list(book.rglob("*.wasm"))
