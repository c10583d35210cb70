"""The student in a real browser: same labels, no strangers, no network."""

import json
import random
import shutil
import time
import unicodedata
from html.entities import html5
from http.client import HTTPConnection
from urllib.parse import urlparse

import numpy as np
import pytest
from page_faults import ask_in, faults_of

from distill_helpers.compression.onnx_quantisation import quantise_dynamic
from distill_helpers.data.cleaning import clean_text
from distill_helpers.export.browser import (
    BROWSER_RUNTIME,
    PageServer,
    RuntimeMissingError,
    download_bytes,
    runtime_files,
    to_browser,
)
from distill_helpers.export.bundle import TextClassifier, write_bundle
from distill_helpers.export.onnx import trace_onnx
from distill_helpers.export.service import make_app, running

pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed (extra 'test')"
)
from conftest import CHROMIUM, ODD_TEXTS  # noqa: E402

from distill_helpers.export.headless import (  # noqa: E402
    ASK,
    PageFaultError,
    ask_page,
)

if CHROMIUM is None:
    pytest.skip(
        "no Chromium on this machine (Debian's package chromium)",
        allow_module_level=True,
    )
try:
    runtime_files()
except RuntimeMissingError as missing:
    pytest.skip(str(missing), allow_module_level=True)

KINDS = ("bigram", "text-cnn", "tiny-transformer")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory, trained):
    """Students of every kind, trained a little, in INT8."""
    made = {}

    def get(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            model, tokenizer = trained(kind)
            small = quantise_dynamic(
                trace_onnx(model, folder / "s.onnx"), folder / "s8.onnx"
            )
            made[kind] = write_bundle(
                folder / "bundle", small, tokenizer, ["negative", "positive"]
            )
        return made[kind]

    return get


@pytest.fixture
def visit(chromium):
    """Open a page and keep a list of everything that it asks for."""
    contexts = []

    def open_page(address, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.asked = []
        page.faults = []
        context.on("request", lambda r: page.asked.append(r.url))
        page.on("pageerror", lambda e: page.faults.append(str(e)))
        page.on(
            "console",
            lambda m: page.faults.append(m.text) if m.type == "error" else None,
        )
        page.goto(address)
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


def until(page, holds, value=None, seconds=60):
    """Wait until a function in the page returns true; its policy forbids strings."""
    end = time.monotonic() + seconds
    while not page.evaluate(holds, value):
        assert time.monotonic() < end, f"never came true: {holds}"
        page.wait_for_timeout(50)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_python_says_with_the_network_cut(
    kind, bundles, visit, tmp_path, reviews
):
    bundle = bundles(kind)
    folder = to_browser(bundle, tmp_path / "page")
    texts = [*reviews["test"]["text"][:50], *ODD_TEXTS]
    with PageServer(folder) as server:
        page = visit(server.address)
        until(page, "() => navigator.serviceWorker.controller !== null")
    # The server is gone; a reload must be served from the page's own store.
    page.reload()
    page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    found = page.evaluate(ASK, texts)
    ours = TextClassifier(bundle).classify(texts)
    apart = [
        np.abs(np.subtract(f["logits"], o.logits)).max() for f, o in zip(found, ours)
    ]
    assert max(apart) < 0.01
    clear = [np.ptp(np.sort(o.logits)[-2:]) > 0.02 for o in ours]  # more than a tie
    assert sum(clear) > 40
    for said, own, sure in zip(found, ours, clear):
        assert said["label"] == own.label or not sure
    assert {urlparse(url).hostname for url in page.asked} == {"127.0.0.1"}
    assert page.faults == []


def test_it_is_used_by_keyboard_and_text_is_never_html(bundles, visit, tmp_path):
    folder = to_browser(bundles("text-cnn"), tmp_path / "page")
    with PageServer(folder) as server:
        page = visit(server.address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "text"
        # As nothing but HTML it would be cleaned away; this is kept, as "List<String>".
        nasty = 'A<img/src=x/onerror="window.broken=1"> joy & bold film.'
        page.keyboard.insert_text(nasty)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("#why:not([hidden])")
        assert page.locator("#words").inner_text().split() == nasty.split()
        assert page.locator("#words img, #words b").count() == 0
        assert page.evaluate("window.broken") is None
        verdict = page.locator("#verdict").inner_text()
        assert verdict.split(",")[0] in ("negative", "positive") and "%" in verdict
        assert "Answered on this device in" in page.locator("#facts").inner_text()
        for empty, said in (
            ("   ", "There is no text yet."),
            ("<br> \u200b", "nothing is left"),
        ):
            page.fill("#text", empty)
            page.click("#ask")
            assert said in page.locator("#verdict").inner_text()
            assert page.locator("#why").is_hidden()
        assert page.faults == []


def test_the_word_that_moved_the_verdict_is_marked(bundles, visit, tmp_path):
    bundle = bundles("bigram")
    folder = to_browser(bundle, tmp_path / "page")
    text = (
        "It was <i>a film</i> about a harbour and it was wonderful to the end&hellip;"
    )
    words = clean_text(text).split()
    reader = TextClassifier(bundle)
    whole = reader([text])[0]
    chosen = int(whole.argmax())
    without = reader(
        [" ".join(w for j, w in enumerate(words) if j != i) for i in range(len(words))]
    )
    expected = (whole[chosen] - whole[1 - chosen]) - (
        without[:, chosen] - without[:, 1 - chosen]
    )
    with PageServer(folder) as server:
        page = visit(server.address)
        found = page.evaluate(
            "([t, c]) => window.student().occlude(t, c)", [text, chosen]
        )
        assert found["words"] == words
        np.testing.assert_allclose(found["effects"], expected, atol=0.02)


def test_an_unsure_student_asks_the_service_and_stands_alone_without_it(
    bundles, visit, tmp_path
):
    """The answer says who gave it; nothing is sent before the reader allows it."""
    pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
    asked = []

    def teacher(texts):
        asked.extend(texts)
        return np.array([[0.0, 3.0] for _ in texts])

    text = "A film about a harbour."
    with PageServer(tmp_path) as server:
        app = make_app(
            teacher,
            ["negative", "positive"],
            name="the teacher",
            origins=[server.address.rstrip("/")],
        )
        with running(app) as address:
            to_browser(
                bundles("text-cnn"), tmp_path / "page", server=address, threshold=1.0
            )
            page = visit(f"{server.address}page/")
            page.fill("#text", text)
            page.click("#ask")
            page.wait_for_selector("#why:not([hidden])")
            assert "(unsure)" in page.locator("#verdict").inner_text()
            assert asked == []
            page.check("#allow")
            page.click("#ask")
            page.wait_for_selector("#teacher:has-text('the teacher says positive')")
            assert asked == [text]
            page.uncheck("#allow")
            page.fill("#text", "Another film.")
            with page.expect_response("**/classify"):
                page.click("#compare")
            assert asked == [text, "Another film."]
        page.click("#compare")
        page.wait_for_selector("#teacher:has-text('Nobody answered')")
        assert "(unsure)" in page.locator("#verdict").inner_text()
        assert {urlparse(url).hostname for url in page.asked} == {"127.0.0.1"}


def test_a_text_is_cleaned_in_the_page_as_in_python(bundles, visit, tmp_path):
    folder = to_browser(bundles("bigram"), tmp_path / "page")
    kinds = {c: unicodedata.category(c) for c in map(chr, range(0x20000))}
    known = [c for c, kind in kinds.items() if kind not in ("Cn", "Cs", "Co")]
    rows = [known[i : i + 2_000] for i in range(0, len(known), 2_000)]
    texts = [" ".join(f"x{c}x" for c in row) for row in rows]
    texts += ["|".join(f"<d{c}v>{c}\u200c" for c in row) for row in rows]
    texts += ["a" + c * 40 for c in known if kinds[c][0] == "M"]
    names = [name for name in html5 if name.endswith(";")]
    texts += [f"&{name} {name}" for name in [*names, "notit;", "amp;lt;"]]
    texts += [f"&#{i};" for i in [*range(300), 0xD800, 0xFFFE, 0x110000, 9999999]]
    rng = random.Random(0)
    texts += ["".join(rng.choices(PIECES, k=9)) for _ in range(3_000)]
    with PageServer(folder) as server:
        page = visit(server.address)
        found = page.evaluate(
            """async (texts) => {
              const app = document.querySelector("script").src;
              const { cleanText } = await import(new URL("cleaning.js", app));
              return texts.map(cleanText);
            }""",
            texts,
        )
    apart = [(t, f) for t, f in zip(texts, found) if f != clean_text(t)]
    assert apart == []


PIECES = [
    *("<", "</", ">", "<br", "p", "div", "i", "IMG", "\u017fpan", "l\u0130nk", "a"),
    *('href="x>y"', "class=x", " ", "\t", "\x85", "\ufeff", "\u200c", "\u200d", "@"),
    *("mailto:", "https://", "hidden", "=", "/", "1", "&amp;", "&lt;", "\u0301", "-"),
    *("\u3001", "\uff01", "\u0915\u094d", "'", "\x00", "\u0e40\u0e17\u0e48"),
    *("\U00010400", "\U0001f468", "\ufb01", "\u1e9b\u0323", "&#\u0661;", "y" * 90),
]


@pytest.mark.parametrize("part", ["bundle.json", "model.onnx", "tokenizer.json"])
def test_a_damaged_student_is_refused(bundles, tmp_path, part):
    folder = to_browser(bundles("bigram"), tmp_path / "page")
    path = next(folder.rglob(part))
    content = path.read_bytes()
    if part == "bundle.json":  # swapped labels, of the same length
        swapped = json.loads(content)
        swapped["labels"].reverse()
        content = (json.dumps(swapped, indent=1) + "\n").encode()
    else:
        content = content[:-1] + b"?"
    path.write_bytes(content)
    with pytest.raises(PageFaultError, match=f"student/{part} has another checksum"):
        ask_page(folder, ["a film"])


def test_a_new_export_replaces_the_old_and_touches_nobody_elses_store(
    bundles, chromium, tmp_path
):
    def export(name, threshold):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        return to_browser(bundles("bigram"), tmp_path / name, threshold=threshold)

    export("a", 0.1)
    export("b", 0.2)
    context = chromium.new_context()
    with PageServer(tmp_path) as server:
        for name in ("a", "b"):
            page = context.new_page()
            page.goto(f"{server.address}{name}/")
            until(page, "() => navigator.serviceWorker.controller !== null")
        page.evaluate("caches.open('of a stranger')")
        first = set(page.evaluate("caches.keys()"))
        assert len(first) == 3
        made = export("a", 0.3)
        version = json.loads((made / "page.json").read_text())["version"]
        page = context.new_page()
        page.goto(f"{server.address}a/")
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        assert version in page.evaluate("document.querySelector('script').src")
        until(
            page,
            "async (v) => { const all = await caches.keys();"
            " return all.length === 3 && all.some((name) => name.includes(v)); }",
            version,
        )
        assert len(first & set(page.evaluate("caches.keys()"))) == 2
    page.reload()  # the server is gone
    page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overflows_and_axe_finds_no_serious_fault(
    bundles, visit, tmp_path, width, scheme
):
    axe = BROWSER_RUNTIME / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is not installed; python start.py fetch-browser")
    folder = to_browser(bundles("text-cnn"), tmp_path / "page")
    # The policy forbids strangers' scripts; the tester is served as the page's own.
    shutil.copyfile(axe, folder / "axe.js")
    size = {"width": width, "height": 800}
    with PageServer(folder) as server:
        page = visit(server.address, viewport=size, color_scheme=scheme)
        ask_in(page, "A film that is dull, loud and wonderful " * 12)
        assert faults_of(page, width, f"page-{width}-{scheme}") == []


def test_the_students_whole_download_is_small(bundles, tmp_path):
    sizes = download_bytes(to_browser(bundles("bigram"), tmp_path / "page"))
    assert sizes["student"] + sizes["code"] <= 2_000_000
    assert sizes["runtime"] > sizes["student"]


# ----------------------------------------------------- what needs no browser
def test_a_page_appears_whole_with_its_licences(bundles, tmp_path):
    folder = to_browser(bundles("text-cnn"), tmp_path / "page", threshold=0.8)
    assert [p.name for p in tmp_path.iterdir()] == ["page"]
    licences = (folder / "licences.txt").read_text()
    assert "onnxruntime-web 1.30.0: MIT" in licences and "Apache" in licences
    worker = (folder / "worker.js").read_text()
    listed = json.loads(f"{{{worker.split('SUMS = {')[1].split('}')[0]}}}")
    present = {
        f"./{p.relative_to(folder).as_posix()}"
        for p in folder.rglob("*")
        if p.is_file() and p.name != "worker.js"
    }
    assert set(listed) == present | {"./"}
    index = (folder / "index.html").read_text()
    assert "connect-src 'self';" in index and "%" not in index
    content = json.loads((folder / "page.json").read_text())
    assert content["threshold"] == 0.8
    inside = folder / content["version"]
    assert set(content["files"]) == {
        p.relative_to(inside).as_posix() for p in inside.rglob("*") if p.is_file()
    }


def test_the_page_server_shows_no_lists_and_knows_its_names(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "a.txt").write_text("text")
    with PageServer(tmp_path) as server:
        for path, host, status in (
            ("/a.txt", "127.0.0.1", 200),
            ("/a.txt", "localhost:80", 200),
            ("/a.txt", "evil.example", 400),
            ("/", "127.0.0.1", 404),
            ("/inside/", "127.0.0.1", 404),
        ):
            connection = HTTPConnection(urlparse(server.address).netloc, timeout=20)
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            assert answer.status == status
            assert answer.getheader("cache-control") == "no-cache"
            connection.close()
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        PageServer(tmp_path / "none")


def test_a_server_is_allowed_by_name_alone(bundles, tmp_path):
    server = "http://127.0.0.1:8000/"
    folder = to_browser(bundles("text-cnn"), tmp_path / "page", server=server)
    assert (
        "connect-src 'self' http://127.0.0.1:8000;"
        in (folder / "index.html").read_text()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"server": "ftp://x"}, "server must be an http or https address"),
        ({"server": "http://x; script-src *"}, "server must be"),
        ({"threshold": 2.0}, r"threshold must lie in \[0, 1\]"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    bundles, tmp_path, options, message
):
    with pytest.raises(ValueError, match=message):
        to_browser(bundles("text-cnn"), tmp_path / "page", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_runtime_is_named_with_its_cure(bundles, tmp_path):
    (tmp_path / "browser").mkdir()
    shutil.copyfile(
        BROWSER_RUNTIME / "package.json", tmp_path / "browser" / "package.json"
    )
    with pytest.raises(RuntimeMissingError, match="fetch-browser"):
        to_browser(bundles("text-cnn"), tmp_path / "page", runtime=tmp_path / "browser")
    assert not (tmp_path / "page").exists()
