"""The student in a real browser: same labels, no strangers, no network."""

import json
import os
import shutil
from urllib.parse import urlparse

import numpy as np
import pytest

from distill_helpers.compression.onnx_quantisation import quantise_dynamic
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
from playwright.sync_api import sync_playwright  # noqa: E402

from distill_helpers.export.headless import ASK, QUIET  # noqa: E402

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


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield browser
        browser.close()


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_python_says_with_the_network_cut(
    kind, bundles, visit, tmp_path, reviews
):
    bundle = bundles(kind)
    folder = to_browser(bundle, tmp_path / "page")
    texts = [*reviews["test"]["text"][:50], *ODD_TEXTS]
    with PageServer(folder) as server:
        page = visit(server.address)
        page.evaluate("navigator.serviceWorker.ready")
        page.wait_for_function("navigator.serviceWorker.controller !== null")
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
        nasty = '<img src=x onerror="window.broken=1"> A joy & <b>bold</b> film.'
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
        page.fill("#text", "   ")
        page.click("#ask")
        assert page.locator("#verdict").inner_text() == "There is no text yet."
        assert page.locator("#why").is_hidden()
        assert page.faults == []


def test_the_word_that_moved_the_verdict_is_marked(bundles, visit, tmp_path):
    bundle = bundles("bigram")
    folder = to_browser(bundle, tmp_path / "page")
    text = "It was a film about a harbour and it was wonderful to the end"
    words = text.split()
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
        page.fill("#text", "A film that is dull, loud and wonderful " * 12)
        page.click("#ask")
        page.wait_for_selector("#why:not([hidden])")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        pictures = os.environ.get("DISTILL_SCREENSHOTS")
        if pictures:  # to be looked at
            page.screenshot(path=f"{pictures}/page-{width}-{scheme}.png")
        page.add_script_tag(url="axe.js")
        report = page.evaluate("axe.run()")
    serious = [
        f"{v['id']}: {v['help']}"
        for v in report["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


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
    listed = json.loads(f"[{worker.split('FILES = [')[1].split(']')[0]}]")
    present = {
        f"./{p.relative_to(folder).as_posix()}"
        for p in folder.rglob("*")
        if p.is_file() and p.name != "worker.js"
    }
    assert set(listed) == present | {"./"}
    index = (folder / "index.html").read_text()
    assert "connect-src 'self';" in index and "%" not in index
    assert json.loads((folder / "page.json").read_text())["threshold"] == 0.8


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
