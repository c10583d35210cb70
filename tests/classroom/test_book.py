"""What the book is made of: links, terms, claims, the reference, the student."""

import hashlib
import html
import json
import re
import runpy
import sys

import numpy as np
import pytest

from distill_helpers.classroom.book import (
    building,
    checking,
    claims_page,
    command,
    contents,
    glossary,
    launching,
    reference,
    sources,
    student_page,
)
from distill_helpers.classroom.book.links import BookError, Links, check_repository
from distill_helpers.lessons.claims import KnownClaim, register
from distill_helpers.places import PACKAGE, PROJECT
from distill_helpers.students.pocket import PocketStudent

DOCS = PROJECT / "docs"
NOTEBOOKS = sources.notebooks_of(PROJECT)
ENGLISH = [name for name in NOTEBOOKS if not contents.language_of(name)]
WAYS_IN = (DOCS / "ways_in.md").read_text("utf-8")


def stored(name):
    return json.loads((PROJECT / name).read_text("utf-8"))


# ------------------------------------------------------------------- links
@pytest.fixture
def links(tmp_path):
    """A project of a few files; the book has the pages among them."""
    for name in ("README.md", "docs/a.md", "notebooks/01_b.ipynb", "data/c.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    pages = {"README.md", "docs/a.md", "notebooks/01_b.ipynb"}
    return Links(pages, tmp_path, "ada/kit", {"README.md": "index.md"})


@pytest.mark.parametrize(
    "page, written, read",
    [
        ("docs/a.md", "[b](../notebooks/01_b.ipynb)", "[b](../notebooks/01_b.ipynb)"),
        ("docs/a.md", "[r](../README.md#Start-here)", "[r](../index.md#start-here)"),
        ("README.md", "[![x](docs/a.md)](docs/a.md)", "[![x](docs/a.md)](docs/a.md)"),
        ("notebooks/01_b.ipynb", "[h](#3-A-T-of-2)", "[h](#3-a-t-of-2)"),
        ("docs/a.md", "[o](https://example.org/#A)", "[o](https://example.org/#A)"),
        (
            "docs/a.md",
            "[c](../data/c.json)",
            "[c](https://github.com/ada/kit/blob/main/data/c.json)",
        ),
        (
            "docs/a.md",
            "[d](../data)",
            "[d](https://github.com/ada/kit/tree/main/data)",
        ),
        ("docs/a.md", "[`r`](../README.md)", "[`r`](../index.md)"),
        ("docs/a.md", "`[n](no.md)`", "`[n](no.md)`"),
        (
            "docs/a.md",
            "```\n[n](no.md)\n```\n[a](a.md)",
            "```\n[n](no.md)\n```\n[a](a.md)",
        ),
    ],
    ids=[
        "a lesson",
        "a page that moved",
        "a picture that is a link",
        "a place on the page",
        "outside",
        "a file of the project",
        "a folder of the project",
        "words that are code",
        "in code",
        "in a block of code",
    ],
)
def test_a_link_leads_to_the_same_in_the_book(links, page, written, read):
    assert links.repaired(written, page) == read


def test_a_file_of_a_project_without_an_address_is_named(links):
    nowhere = Links(links.pages, links.root)
    said = nowhere.repaired("see [the list](../data/c.json).", "docs/a.md")
    assert said == "see the list (`../data/c.json` of the project)."
    row = "| [`data/c.json`](data/c.json) | words |"
    assert nowhere.repaired(row, "README.md") == "| `data/c.json` | words |"


@pytest.mark.parametrize("target", ["no.md", "../../elsewhere.md", "../data/no"])
def test_a_link_to_nothing_is_refused(links, target):
    with pytest.raises(BookError, match="docs/a.md has a link to"):
        links.repaired(f"[x]({target})", "docs/a.md")


@pytest.mark.parametrize("name", ["ada", "a/b/c", "OWNER/REPOSITORY", "a b/c", ""])
def test_what_is_no_repository_is_refused(name):
    with pytest.raises(BookError, match=f"got {name!r}"):
        check_repository(name)


# ----------------------------------------------------------------- buttons
def test_the_buttons_take_their_address_from_one_place():
    known = WAYS_IN.replace("OWNER/REPOSITORY", "ada/kit")
    assert launching.repository_of(known) == "ada/kit"
    for text in (known, WAYS_IN):
        found = launching.launch_addresses(text, "ada/kit")
        assert list(found) == ["Colab", "Binder", "Codespaces"]
        assert all("ada/kit" in address for address in found.values())
        assert not any("OWNER" in address for address in found.values())
        assert found["Colab"].endswith("blob/main/{page}")
        assert found["Binder"].endswith("lab/tree/{page}")


def test_without_an_address_the_buttons_say_how():
    placeholder = WAYS_IN.replace("ada/kit", "OWNER/REPOSITORY")
    assert launching.repository_of(placeholder) == ""
    found = launching.launch_addresses(placeholder, "")
    assert {*found.values()} == {"docs/ways_in"}
    assert (PROJECT / "docs/ways_in.md").is_file()


def test_two_addresses_are_one_too_many():
    mixed = WAYS_IN.replace("OWNER/REPOSITORY/HEAD", "ada/kit/HEAD")
    with pytest.raises(BookError, match="one repository"):
        launching.repository_of(mixed)
    with pytest.raises(BookError, match="one address of Colab"):
        launching.repository_of("no address at all")


# ------------------------------------------------------------------- terms
ENTRIES = [
    glossary.Entry("Batch", "Texts."),
    glossary.Entry("Soft target", "Shares."),
    glossary.Entry("Target", "What is hit."),
    glossary.Entry("AUC", "Rank."),
    glossary.Entry("Entropy", "Doubt.", ("uncertainty",)),
    glossary.Entry("教师模型", "大的。"),
]


def found_in(text, used=None):
    used = set() if used is None else used
    found = glossary.find_terms(text, ENTRIES, used)
    return [text[start:end] for start, end, _ in found]


@pytest.mark.parametrize(
    "text, words",
    [
        ("Two batches and a batch.", ["batches"]),
        ("Soft\ntargets, a target.", ["Soft\ntargets", "target"]),
        ("auc AUC", ["AUC"]),
        ("Entropies", ["Entropies"]),
        ("its uncertainty, its entropy", ["uncertainty"]),
        ("a batch-wise rebatch", []),
        ("大的教师模型回答", ["教师模型"]),
        ("", []),
    ],
    ids=[
        "plural, once",
        "the longer one",
        "capitals",
        "-ies",
        "another name",
        "parts of words",
        "Chinese",
        "nothing",
    ],
)
def test_a_term_is_found_where_it_is_used_first(text, words):
    assert found_in(text) == words


def test_a_term_that_was_met_is_not_marked_again():
    used = set()
    assert found_in("a batch", used) == ["batch"]
    assert found_in("a batch", used) == []


def test_every_entry_of_the_glossaries_can_be_shown():
    for language, path in glossary.glossaries_of(DOCS).items():
        text = path.read_text("utf-8")
        entries = glossary.read_glossary(text)
        assert len(entries) == text.count("\n### ") > 10, language
        assert all(e.meaning and "](" not in e.meaning for e in entries)
        assert all(e.pattern.search(e.term) for e in entries)
        assert "\n### " not in glossary.as_page(text)


@pytest.mark.parametrize(
    "text, said",
    [("# Empty\n", "no term"), ("### A\n\nx.\n\n### a\n\ny.\n", "'a'.*twice")],
    ids=["empty", "twice"],
)
def test_a_glossary_that_cannot_be_shown_is_refused(text, said):
    with pytest.raises(BookError, match=said):
        glossary.read_glossary(text)


# --------------------------------------------------------------- notebooks
def code(outputs, count=1):
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {"tags": ["x"]},
        "outputs": outputs,
        "source": ["1 + 1"],
    }


def shown(**data):
    return {"output_type": "display_data", "data": data, "metadata": {}}


def picture(alt):
    metadata = {"image/png": {"alt": alt, "width": 675}} if alt else {}
    return shown(**{"image/png": "AAAA"}) | {"metadata": metadata}


def prepared(cell, links):
    book = {"cells": [cell], "metadata": {}}
    before = json.dumps(book)
    (made,) = sources.prepared(book, "notebooks/01_b.ipynb", links)["cells"]
    assert json.dumps(book) == before
    return made


def test_a_picture_keeps_its_words_and_width(links):
    made = prepared(code([picture("a curve")]), links)
    image = {"alt": "a curve", "width": "675px"}
    assert made["metadata"] == {"tags": ["x"], "mystnb": {"image": image}}


def test_of_a_progress_bar_at_its_end_the_words_are_kept(links):
    bar = "<progress value='3'\n max='3'></progress>[3/3]<table></table>"
    (output,) = prepared(code([shown(**{"text/html": [bar]})]), links)["outputs"]
    assert output["data"]["text/html"] == "[3/3]<table></table>"


def test_a_page_that_the_lesson_served_leads_to_the_books_own(links):
    frame = '<iframe\n width="100%"\n src="http://127.0.0.1:36693/"\n></iframe>'
    (output,) = prepared(code([shown(**{"text/html": [frame]})]), links)["outputs"]
    assert "127.0.0.1" not in json.dumps(output)
    assert 'href="../student.html"' in output["data"]["text/html"]


@pytest.mark.parametrize(
    "cell, said",
    [
        (code([], None), "never run"),
        (code([picture("")]), "needs the same words"),
        (code([picture("a"), picture("b")]), "needs the same words"),
    ],
    ids=["never run", "no words", "two pictures"],
)
def test_a_notebook_that_cannot_be_shown_is_refused(links, cell, said):
    with pytest.raises(BookError, match=f"01_b.*{said}"):
        prepared(cell, links)


def test_a_translation_that_was_never_run_is_left_out_and_named(tmp_path, caplog):
    for name, count in (("00_a", 1), ("zh/00_a", 1), ("zh/01_b", None)):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"cells": [code([], count)]}), "utf-8")
    shown = sources.shown_notebooks(tmp_path)
    assert shown == ["notebooks/00_a.ipynb", "notebooks/zh/00_a.ipynb"]
    assert "never run: notebooks/zh/01_b.ipynb" in caplog.text


def test_the_front_page_leads_to_every_lesson():
    text = sources.linked_lessons((PROJECT / "README.md").read_text("utf-8"), NOTEBOOKS)
    named = re.findall(r"\[`\w+`\]\((notebooks/\w+\.ipynb)\)", text)
    assert {*named} == {*ENGLISH}


# ---------------------------------------------------------------- contents
def test_a_new_lesson_and_a_new_language_are_in_the_book_at_once(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("index", "docs/README", "docs/ways_in", "docs/glossary.zh"):
        (tmp_path / f"{name}.md").write_text("# A\n", "utf-8")
    books = ["notebooks/00_a.ipynb", "notebooks/99_b.ipynb", "notebooks/zh/00_a.ipynb"]
    contents.add_all_contents(tmp_path, books)
    listed = {
        path.relative_to(tmp_path).as_posix(): re.findall(
            r"^/(\S+)$", path.read_text("utf-8"), re.M
        )
        for path in tmp_path.rglob("*.md")
    }
    assert listed["lessons.md"] == ["notebooks/00_a", "notebooks/99_b"]
    assert listed["zh.md"] == ["notebooks/zh/00_a", "docs/glossary.zh"]
    assert listed["docs/README.md"] == ["docs/ways_in"]
    assert listed["index.md"] == [*contents.FIRST, "zh"]


# ------------------------------------------------------------------ claims
def all_judged():
    found = [
        one for n in ENGLISH for one in claims_page.judged_in_notebook(stored(n), n)
    ]
    return found + claims_page.judged_in_results(PROJECT / "data" / "results")


TITLES = {name: building.title_of(stored(name)) for name in NOTEBOOKS}


def test_every_claim_is_judged_by_the_lessons_that_say_so():
    assert claims_page.missing(register(), all_judged()) == {}


def test_the_page_shows_what_the_stored_outputs_say():
    """Read with another reader: the cells of the tables as they are written."""
    page = claims_page.claims_page(register(), all_judged(), TITLES)
    rows = re.compile(r"<th>(C\d\d)</th>\s*((?:<td>.*?</td>\s*)+)", re.S)
    count = 0
    for name in ENGLISH:
        for id, cells in rows.findall("".join(map(str, tables_of(stored(name))))):
            _, measured, verdict = re.findall(r"<td>(.*?)</td>", cells, re.S)
            words = sources.escape_words(" ".join(html.unescape(measured).split()))
            title = sources.escape_words(TITLES[name])
            assert f"| [{title}]({name}) | {words} | **{verdict}** |" in page, id
            count += 1
    assert count >= len(register())


def tables_of(notebook):
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            yield "".join(output.get("data", {}).get("text/html", ""))


def test_the_page_tells_larger_runs_apart():
    larger = claims_page.judged_in_results(PROJECT / "data" / "results")
    page = claims_page.claims_page(register(), all_judged(), TITLES)
    assert larger
    for one in larger:
        assert f"| {one.run} | {sources.escape_words(one.measured)} |" in page


ONE = claims_page.Judged("C01", "fast", "2x", "held", "a run", "notebooks/03_x.ipynb")


@pytest.mark.parametrize(
    "known, judged, said",
    [
        ({"C01": ["03"]}, "C02", "no C02"),
        ({"C01": ["03"], "C02": ["04"]}, "C01", "judges .*C02.*04"),
    ],
    ids=["unknown", "not judged"],
)
def test_a_claim_without_its_other_half_is_refused(known, judged, said):
    known = {id: KnownClaim("fast", "true", lessons) for id, lessons in known.items()}
    rows = [ONE] + [claims_page.Judged(judged, *list(vars(ONE).values())[1:])]
    with pytest.raises(BookError, match=said):
        claims_page.claims_page(known, rows, {ONE.page: "03"})


def test_a_verdict_that_no_lesson_gives_is_refused():
    with pytest.raises(BookError, match="verdict on C01 .*'nearly'"):
        claims_page.checked(claims_page.Judged("C01", "a", "b", "nearly", "a run"))


# --------------------------------------------------------------- reference
ROOMS = reference.rooms_of(PACKAGE)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_shows_each_name_that_it_hands_on(room):
    page = reference.room_page(PACKAGE, room)
    shown = re.findall(r"^\.\. auto(?:class|function|data):: \S+\.(\w+)$", page, re.M)
    shown += re.findall(r"^``(\w+)`` comes from another module\.$", page, re.M)
    given = [name for names in ROOMS[room].values() for name in names]
    assert sorted(shown) == sorted(given)


def test_every_room_of_the_architecture_has_a_page():
    drawn = (DOCS / "architecture.md").read_text("utf-8").split("\n## ")[0]
    rooms = set(re.findall(r"^\| `(\w+)` \|", drawn, re.M))
    assert rooms - {room.split(".")[0] for room in ROOMS} == set()


def test_a_name_that_nobody_makes_is_refused():
    with pytest.raises(BookError, match="links.py makes no NoSuchName"):
        reference.kind_of(PACKAGE / "classroom" / "book" / "links.py", "NoSuchName")


def test_a_list_of_names_that_must_be_run_is_refused(tmp_path):
    path = tmp_path / "__init__.py"
    path.write_text("x = attach(__name__, made())\n", "utf-8")
    with pytest.raises(BookError, match="must be written out"):
        reference.handed_on(path)


# ----------------------------------------------------------------- student
def test_the_file_that_answers_in_the_book_is_the_one_of_the_results(reviews):
    results = stored(student_page.BEST)
    (row,) = results["rows"]
    file = PROJECT / student_page.PLACE
    assert file.stat().st_size == row["cost"]["bytes_on_disk"] <= 1_000_000
    student = PocketStudent.load(file)
    assert list(student.label_names) == ["negative", "positive"]
    texts = reviews["test"]
    right = student.logits(list(texts["text"])).argmax(1) == np.array(texts["label"])
    known = stored(student_page.SPEED)["sample"]
    assert known["examples"] == len(right)
    assert (
        known["accuracy"] == pytest.approx(right.mean(), abs=0.003)
        and known["accuracy"] > 0.7
    )


def test_the_students_page_takes_its_numbers_from_what_is_stored(tmp_path):
    page = student_page.student_page(PROJECT)
    results, card = stored(student_page.BEST), stored(student_page.TEACHER)
    (row,) = results["rows"]
    assert f"| the file that answers here | {row['accuracy']['mean']:.3f} |" in page
    assert f"{row['cost']['bytes_on_disk']:,} bytes" in page
    size = 4 * card["parameters"] / row["cost"]["bytes_on_disk"]
    assert f"one part in {size:.0f}" in page and size > 80
    for name in (student_page.BEST, student_page.TEACHER, student_page.SPEED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    row["accuracy"]["mean"] = 0.5
    (tmp_path / student_page.BEST).write_text(json.dumps(results), "utf-8")
    (tmp_path / student_page.TEACHER).write_text(json.dumps(card), "utf-8")
    speed = stored(student_page.SPEED)
    speed["rows"][0]["median_ms"] = 123.4
    (tmp_path / student_page.SPEED).write_text(json.dumps(speed), "utf-8")
    other = student_page.student_page(tmp_path)
    assert "| the file that answers here | 0.500 |" in other
    assert "123.4 ms" in other


def test_the_speed_was_measured_on_the_file_that_is_shipped():
    speed = stored(student_page.SPEED)
    content = (PROJECT / student_page.PLACE).read_bytes()
    assert speed["student"] == hashlib.sha256(content).hexdigest()
    packed, beside = speed["rows"]
    assert packed["bytes"]["student"] == len(content)
    assert packed["bytes"]["runtime"] == 0 < beside["bytes"]["runtime"]
    assert 0 < packed["median_ms"] <= packed["p90_ms"]


# ------------------------------------------------------------------- site
SITE = {
    "index.html": '<link rel="stylesheet" href="s/a.css"><a href="b.html#x">b</a>',
    "b.html": '<p id="x">b</p><img src="s/c.png?v=1" srcset="s/c.png 2x"><a href="">.</a>',
    "s/a.css": "a { background: url(c.png) } b { background: url(data:,) }",
    "s/c.png": "",
}


def site(folder, **changed):
    for name, text in (SITE | changed).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_a_site_that_holds_together_has_no_fault(tmp_path):
    outside = (
        '<a href="https://example.org/a">o</a><a href="mailto:a@example.org">m</a>'
    )
    folder = site(tmp_path, **{"index.html": SITE["index.html"] + outside})
    assert checking.check_site(folder) == []
    assert checking.outward_links(folder) == {
        "https://example.org/a": ["index.html"],
        "mailto:a@example.org": ["index.html"],
    }


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("b.html", "", "no such place"),
        ("index.html", '<a href="no.html">n</a>', "no.html, which is not there"),
        ("index.html", '<a href="/b.html">n</a>', "/b.html, which is not there"),
        ("index.html", '<a href="../b.html">n</a>', "../b.html, which is not there"),
        ("index.html", '<img src="no.png">', "loads no.png, which is not there"),
        (
            "index.html",
            '<script src="https://a.org/b.js"></script>',
            "not of this site",
        ),
        ("index.html", '<img src="//a.org/b.png">', "not of this site"),
        ("index.html", '<iframe src="http://127.0.0.1:80/"></iframe>', "not of this"),
        ("index.html", '<link rel="preconnect" href="https://a.org">', "not of this"),
        ("index.html", "<style>@import 'https://a.org/b';</style>", "not of this site"),
        (
            "index.html",
            '<p style="background: url(https://a.org)">',
            "not of this site",
        ),
        ("s/a.css", "@import url(https://a.org/b.css);", "not of this site"),
    ],
    ids=[
        "anchor",
        "page",
        "absolute",
        "above",
        "picture",
        "script",
        "no scheme",
        "frame",
        "hint",
        "import",
        "style",
        "sheet",
    ],
)
def test_a_site_that_does_not_hold_is_noticed(tmp_path, name, text, said):
    faults = checking.check_site(site(tmp_path, **{name: text}))
    assert len(faults) == 1 and said in faults[0], faults


def test_a_folder_without_a_page_is_no_site(tmp_path):
    with pytest.raises(FileNotFoundError, match="no page"):
        checking.check_site(tmp_path)


# ---------------------------------------------------------------- building
def test_what_is_no_book_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me", "utf-8")
    with pytest.raises(FileExistsError, match="something else than a book"):
        building.build_book(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_installed_package_has_nothing_to_make_a_book_of(tmp_path):
    with pytest.raises(BookError, match="comes with a clone"):
        building.build_book(tmp_path / "book", root=tmp_path)
    assert not (tmp_path / "book").exists()


def test_what_makes_the_pages_may_be_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(building, "NEEDED", ("sphinx", "no_such_package"))
    with pytest.raises(SystemExit, match="no_such_package must be installed"):
        command.main(["--output", str(tmp_path / "book")])
    assert not (tmp_path / "book").exists()


def test_a_book_that_cannot_be_made_leaves_the_earlier_one(monkeypatch, tmp_path):
    earlier = tmp_path / "book"
    earlier.mkdir()
    (earlier / building.MARK).write_text("earlier", "utf-8")

    def refuse(*_):
        raise BookError("nothing fits")

    monkeypatch.setattr(building, "write_sources", refuse)
    monkeypatch.setattr(building, "NEEDED", ())
    with pytest.raises(BookError, match="nothing fits"):
        building.build_book(earlier)
    assert (earlier / building.MARK).read_text("utf-8") == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_a_finished_site_takes_the_place_of_the_earlier_one(tmp_path):
    earlier, made = tmp_path / "book", tmp_path / "site"
    for folder, words in ((earlier, "old"), (made, "new")):
        folder.mkdir()
        (folder / building.MARK).write_text(words, "utf-8")
    (earlier / "gone.html").touch()
    building._replace(earlier, made)
    assert [p.name for p in earlier.iterdir()] == [building.MARK]
    assert (earlier / building.MARK).read_text("utf-8") == "new"


@pytest.mark.parametrize(
    "words, said",
    [
        (["--repository", "ada"], "repository must be an owner and a name"),
        (["--output", "{here}"], "something else than a book"),
    ],
    ids=["repository", "output"],
)
def test_the_command_refuses_in_words(tmp_path, words, said, monkeypatch):
    monkeypatch.setattr(building, "NEEDED", ())
    (tmp_path / "mine.txt").touch()
    with pytest.raises(SystemExit, match=said):
        command.main([word.format(here=tmp_path) for word in words])


# ------------------------------------------------------- pages, with Sphinx
@pytest.fixture(scope="module")
def small_site(tmp_path_factory):
    """A book of one lesson, made as the whole one is."""
    for name in building.NEEDED:
        pytest.importorskip(name, reason=f"{name} is not installed (extra 'book')")
    folder = tmp_path_factory.mktemp("book")
    texts = {
        "index.md": "# A\n\nA teacher and a teacher.\n\n```{toctree}\nnotebooks/01_b\n"
        "docs/glossary\ndocs/ways_in\n```\n",
        "docs/glossary.md": glossary.as_page((DOCS / "glossary.md").read_text("utf-8")),
        "docs/ways_in.md": "# Ways\n",
    }
    texts["docs/glossary.md"] = re.sub(
        r"\[([^]]*)\]\([^)]*\)", r"\1", texts["docs/glossary.md"]
    )
    words = "# Lesson\n\nA $T^2$ and a `teacher`.\n\n| teacher |\n| --- |\n| x |\n"
    pixel = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    )
    drawn = shown(**{"image/png": pixel + "awAAAABJRU5ErkJggg==", "text/plain": "x"})
    drawn["metadata"] = {"image/png": {"alt": "one pixel"}}
    cell = code([drawn, shown(**{"text/html": "<b>stored</b>"})])
    cells = [{"cell_type": "markdown", "metadata": {}, "source": words}, cell]
    python = {"language_info": {"name": "python"}}
    book = {"cells": cells, "metadata": python, "nbformat": 4, "nbformat_minor": 4}
    links = Links(set(), folder)
    texts["notebooks/01_b.ipynb"] = json.dumps(
        sources.prepared(book, "notebooks/01_b.ipynb", links)
    )
    for name, text in texts.items():
        path = folder / "sources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    generated = folder / "sources" / "_generated"
    generated.mkdir()
    (generated / "meanings.js").write_text("window.bookTerms = {};", "utf-8")
    addresses = launching.launch_addresses(WAYS_IN, "ada/kit")
    settings = {"launch": addresses, "generated": str(generated)}
    site = folder / "site"
    building.run_sphinx(DOCS / "book", folder / "sources", site, settings)
    return site


def test_a_lesson_shows_what_is_stored(small_site):
    page = (small_site / "notebooks/01_b.html").read_text("utf-8")
    assert "<b>stored</b>" in page
    assert 'alt="one pixel"' in page


def test_a_formula_is_drawn_by_the_browser_itself(small_site):
    page = (small_site / "notebooks/01_b.html").read_text("utf-8")
    assert "<msup>" in page
    assert not re.search(r"<script[^>]*mathjax", page, re.I)


def test_a_lesson_has_its_buttons_and_other_pages_have_none(small_site):
    page = (small_site / "notebooks/01_b.html").read_text("utf-8")
    for address in launching.launch_addresses(WAYS_IN, "ada/kit").values():
        written = address.replace("{page}", "notebooks/01_b.ipynb")
        assert f'href="{html.escape(written)}"' in page
    assert 'class="launch"' not in (small_site / "index.html").read_text("utf-8")


def test_a_term_leads_to_its_meaning_where_it_is_used_first(small_site):
    term = re.compile(r'<a\b[^>]*data-term="teacher"[^>]*>')
    (found,) = term.findall((small_site / "index.html").read_text("utf-8"))
    assert 'href="docs/glossary.html#teacher"' in found
    assert 'id="teacher"' in (small_site / "docs/glossary.html").read_text("utf-8")
    lesson = (small_site / "notebooks/01_b.html").read_text("utf-8")
    assert not term.findall(lesson)  # in code and in a table's head it is no prose


def test_a_small_site_loads_nothing_from_elsewhere(small_site):
    assert checking.check_site(small_site) == []


def test_a_warning_of_sphinx_stops_the_book(tmp_path):
    for name in building.NEEDED:
        pytest.importorskip(name, reason=f"{name} is not installed (extra 'book')")
    (tmp_path / "sources" / "_generated").mkdir(parents=True)
    (tmp_path / "sources" / "index.md").write_text("# A\n\n[x](no.md)\n", "utf-8")
    settings = {"launch": {}, "generated": str(tmp_path / "sources" / "_generated")}
    with pytest.raises(BookError, match="(?s)index.md:3: WARNING.*no.md"):
        building.run_sphinx(
            DOCS / "book", tmp_path / "sources", tmp_path / "site", settings
        )


# ---------------------------------------------------------------- start.py
@pytest.fixture
def start(monkeypatch, tmp_path):
    """The start script, with its calls written down instead of made."""
    names = runpy.run_path(str(PROJECT / "start.py"))
    calls = []
    scope = names["set_up_book"].__globals__
    scope["run"] = lambda *words, **_: calls.append([str(word) for word in words])
    scope["ask"] = lambda python: {"version": scope["PINNED_PYTHON"]}
    scope["lacks_book"] = lambda python: scope["lacking"]
    scope["lacking"] = True
    scope["ROOT"] = tmp_path
    return names, scope, calls


def test_the_first_call_installs_what_the_book_needs(start, tmp_path):
    names, scope, calls = start
    names["set_up_book"](tmp_path / "python", here=False)
    (pip,) = calls
    assert pip[1:4] == ["-m", "pip", "install"] and pip[-1] == ".[book]"
    assert "--constraint" in pip


def test_a_later_call_needs_no_network(start, tmp_path):
    names, scope, calls = start
    scope["lacking"] = False
    names["set_up_book"](tmp_path / "python", here=False)
    assert calls == []


def test_another_python_is_left_as_it_is(start, tmp_path):
    names, _, calls = start
    names["set_up_book"](tmp_path / "python", here=True)
    assert calls == []


def test_another_version_of_python_takes_what_fits_it(start, tmp_path):
    names, scope, calls = start
    scope["ask"] = lambda python: {"version": (3, 12)}
    names["set_up_book"](tmp_path / "python", here=False)
    assert "--constraint" not in calls[0]


def test_start_sees_what_is_installed(tmp_path):
    lacks = runpy.run_path(str(PROJECT / "start.py"))["lacks_book"]
    there = lacks.__globals__
    there["BOOK"] = ("json", "email")
    assert not lacks(sys.executable)
    there["BOOK"] = ("json", "no_such_package")
    assert lacks(sys.executable)


def test_the_start_script_knows_what_the_book_needs():
    assert runpy.run_path(str(PROJECT / "start.py"))["BOOK"] == building.NEEDED
