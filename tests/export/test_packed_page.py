"""The packed student without Python: the same logits in Node and in a page."""

import json
import re
import shutil
import subprocess
import unicodedata
from urllib.parse import urlparse

import numpy as np
import pytest
import torch
from conftest import CHROMIUM, ODD_TEXTS
from page_faults import ask_in, faults_of
from safetensors import safe_open
from safetensors.numpy import save_file

from distill_helpers.data.cleaning import clean_text
from distill_helpers.export.browser import (
    BROWSER_RUNTIME,
    PAGE,
    PageServer,
    download_bytes,
    to_browser,
)
from distill_helpers.export.bundle import listed
from distill_helpers.export.headless import ASK, PageFaultError, ask_page
from distill_helpers.places import BEST_STUDENT, SAMPLE_REVIEWS
from distill_helpers.students.ngrams import NgramIndex, word_hashes, words
from distill_helpers.students.pocket import PocketStudent, WordTable
from distill_helpers.students.text_cnn import (
    POOLINGS,
    TextCNNConfig,
    TextCNNForSequenceClassification,
)

NODE = shutil.which("node")
in_node = pytest.mark.skipif(NODE is None, reason="Node.js is not on this machine")
in_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (Debian's package chromium)"
)
AXE = BROWSER_RUNTIME / "node_modules" / "axe-core" / "axe.min.js"
ODD = [
    *ODD_TEXTS,
    "?!",
    "&amp; &lt;b&gt; a <br/> film &hellip;",
    "e\u0301 and x\u0301\u0302 and \u0928\u092e\u0938\u094d\u0924\u0947",
    "half \ud83d of a pair \udc4d",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 a family \U00020000\U0002a6d6",
    "\u039f\u0394\u039f\u03a3 \u0130stanbul \u01c5 stra\u1e9ee don't 'tis o'",
    "snake_case_ and 1,000.50 \u2460 \u00b2 \u0e40\u0e17\u0e48",
    " ".join(f"word{i}" for i in range(700)),
]
ASK_NODE = """
import { readFileSync } from "node:fs";
const { PackedStudent } = await import(process.argv[1]);
const student = new PackedStudent(new Uint8Array(readFileSync(process.argv[2])));
const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(student.logits(texts)));
"""


def node(script, *arguments, given=None):
    """Run a module that may import the engine; return what it prints."""
    words = [NODE, "--input-type=module", "-e", script, (PAGE / "packed.js").as_uri()]
    done = subprocess.run(
        [*words, *map(str, arguments)],
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def every_review():
    lines = SAMPLE_REVIEWS.read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def build(texts, rooted=True, **shape):
    """Build a small student whose weights, attention's among them, all matter."""
    hashes = word_hashes(texts)
    index = NgramIndex.of(hashes, 3, [1, 2, 2])
    table = WordTable.of(hashes, 400, longest_text=101)
    torch.manual_seed(1)
    shape = {"vocab_size": len(table), "embedding_size": 7, "filters": 6} | shape
    cnn = TextCNNForSequenceClassification(TextCNNConfig(**shape)).eval()
    with torch.no_grad():
        for weight in cnn.parameters():
            weight.normal_(std=0.4)
    weights = np.random.default_rng(0).normal(size=len(index.keys)).astype(np.float32)
    return PocketStudent(index, weights, 0.25, table, cnn, 0.4, ("bad", "good"), rooted)


SHAPES = {
    "widths 1, 2, 5": {"widths": (1, 2, 5)},
    "plain sums": {"rooted": False},
    "attention": {"pooling": POOLINGS, "widths": (1, 3)},
    "one number a word": {"embedding_size": 1, "filters": 5},
    "mean before max": {"pooling": ("mean", "max")},
}


@pytest.fixture(scope="module")
def files(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    return {
        name: build(texts, **shape).save(folder / f"{number}.safetensors")
        for number, (name, shape) in enumerate(SHAPES.items())
    }


@pytest.fixture(scope="module")
def file(files):
    return files["attention"]


# --------------------------------------------------------------------- in Node
@in_node
@pytest.mark.parametrize("name", SHAPES)
def test_node_says_what_python_says(files, name):
    asked = [*every_review(), *ODD]
    found = np.array(node(ASK_NODE, files[name], given=asked))
    ours = PocketStudent.load(files[name]).logits(asked)
    assert np.ptp(ours) > 1
    np.testing.assert_allclose(found, ours, atol=1e-4)


@in_node
def test_the_student_that_is_shipped_says_in_node_what_it_says_in_python():
    asked = [*every_review()[::8], *ODD]
    found = np.array(node(ASK_NODE, BEST_STUDENT, given=asked))
    ours = PocketStudent.load(BEST_STUDENT).logits(asked)
    np.testing.assert_allclose(found, ours, atol=1e-4)


@in_node
def test_words_are_cut_as_in_python():
    """Every character that Python and Node both know, alone and among letters."""
    known = [chr(i) for i in range(0x20000) if unicodedata.category(chr(i)) != "Cn"]
    script = """
    import { readFileSync } from "node:fs";
    const { words } = await import(process.argv[1]);
    const told = (c) => /\\p{Cn}/u.test(c) ? null : words(`A${c}b'${c}${c} ${c}_`);
    console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(told)));
    """
    found = dict(zip(known, node(script, given=known)))
    compared = {c: cut for c, cut in found.items() if cut is not None}
    assert len(compared) > 0.98 * len(known)
    apart = [c for c, cut in compared.items() if cut != words(f"A{c}b'{c}{c} {c}_")]
    assert apart == []


@pytest.fixture
def damaged(file, tmp_path):
    """Write the file with something else in it."""
    with safe_open(file, "numpy") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
        about = json.loads(opened.metadata()["about"])

    def write(says=None, lacks=(), **other):
        kept = {n: v for n, v in (tensors | other).items() if n not in lacks}
        path = tmp_path / "s.safetensors"
        save_file(kept, path, {"about": json.dumps(about | (says or {}))})
        return path

    return write


REFUSED = {
    "a later format": ({"says": {"format": "distill-pocket-9"}}, "distill-pocket-9"),
    "a new part": ({"gate.weight": np.zeros(2, np.int8)}, "it holds gate.weight"),
    "a new setting": ({"says": {"gates": 2}}, "it has gates"),
    "another pooling": ({"says": {"pooling": ["least"]}}, "its pooling cannot be"),
    "no words": ({"lacks": ["word_gaps"]}, "it lacks word_gaps"),
    "another size": ({"says": {"filters": 9}}, "must have the shape 9 x 7 x 1"),
    "another type": ({"word_gaps": np.ones(4, np.float32)}, "word_gaps as F32"),
    "no number": (
        {"ngram.levels": np.full(16, np.nan, np.float32)},
        "ngram.levels holds what is no number",
    ),
}
REFUSE = """
import { readFileSync } from "node:fs";
const { PackedStudent } = await import(process.argv[1]);
let said = "nothing";
try {
  new PackedStudent(new Uint8Array(readFileSync(process.argv[2])));
} catch (error) { said = error.message; }
console.log(JSON.stringify(said));
"""


@in_node
@pytest.mark.parametrize("name", REFUSED)
def test_what_the_engine_does_not_know_is_named(damaged, name):
    change, message = REFUSED[name]
    assert message in node(REFUSE, damaged(**change))


@in_node
def test_another_file_and_half_a_file_are_refused(file, tmp_path):
    path = tmp_path / "s.safetensors"
    content = file.read_bytes()
    for kept, message in (
        (b"", "no safetensors file"),
        (b"<!doctype html><title>Not found</title>", "no safetensors file"),
        (content[:200], "no safetensors file"),
        (content[:-9], "it ends before its"),
    ):
        path.write_bytes(kept)
        assert message in node(REFUSE, path)


# ------------------------------------------------------------------- as a page
def test_a_page_needs_no_runtime_and_carries_the_file(file, tmp_path):
    folder = to_browser(file, tmp_path / "page", runtime=tmp_path / "none")
    sizes = download_bytes(folder)
    assert sizes["student"] == file.stat().st_size
    assert sizes["runtime"] == 0 and sizes["code"] < 60_000
    policy = (folder / "index.html").read_text("utf-8")
    assert "script-src 'self';" in policy and "%" not in policy
    assert "distill-helpers" in (folder / "licences.txt").read_text("utf-8")
    pages = json.loads((folder / "page.json").read_text("utf-8"))
    assert pages["reader"] == "packed_classifier.js"


def test_a_damaged_file_makes_no_page(file, tmp_path):
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match="is damaged"):
        to_browser(torn, tmp_path / "page")
    with pytest.raises(FileNotFoundError):
        to_browser(tmp_path / "none.safetensors", tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.fixture
def open_page(chromium, file, tmp_path):
    """Open the student's page; nothing may be asked of others, nothing go wrong."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    folder = to_browser(file, tmp_path / "page")
    asked, faults, opened = [], [], []

    def visit(server, **options):
        context = chromium.new_context(**options)
        opened.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: m.type == "error" and faults.append(m.text))
        page.goto(server.address)
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        return page

    visit.folder = folder
    yield visit
    for context in opened:
        context.close()
    assert {urlparse(url).hostname for url in asked} == {"127.0.0.1"}
    assert faults == []


@in_browser
def test_the_page_says_what_python_says_with_the_network_cut(open_page, file, reviews):
    asked = [*reviews["test"]["text"][:200], *ODD]
    with PageServer(open_page.folder) as server:
        page = open_page(server)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.reload()
        page.wait_for_selector("html[data-ready=yes]", state="attached")
    page.context.set_offline(True)  # and the server is gone
    page.reload()
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    found = page.evaluate(ASK, asked)
    ours = PocketStudent.load(file).logits([clean_text(text) for text in asked])
    np.testing.assert_allclose([f["logits"] for f in found], ours, atol=1e-4)
    names = np.array(["bad", "good"])
    assert [f["label"] for f in found] == names[ours.argmax(1)].tolist()
    assert all(f["milliseconds"] >= 0 for f in found)


@in_browser
def test_the_page_tells_bytes_milliseconds_and_the_word_that_moved_it(open_page, file):
    text = "It was <i>a film</i> about a harbour and it was wonderful to the end."
    cut = clean_text(text).split()
    reader = PocketStudent.load(file)
    (whole,) = reader.logits([" ".join(cut)])
    left = [" ".join(w for j, w in enumerate(cut) if j != i) for i in range(len(cut))]
    chosen = int(whole.argmax())
    sign = 1 if chosen else -1
    expected = sign * ((whole[1] - whole[0]) - np.diff(reader.logits(left))[:, 0])
    with PageServer(open_page.folder) as server:
        page = open_page(server)
        found = page.evaluate(
            "([t, c]) => window.student().occlude(t, c)", [text, chosen]
        )
        page.fill("#text", text)
        page.click("#ask")
        page.wait_for_selector("#why:not([hidden])")
        facts, model = page.inner_text("#facts"), page.inner_text("#model")
        assert page.inner_text("#verdict").startswith(("bad", "good")[chosen])
    assert found["words"] == cut
    np.testing.assert_allclose(found["effects"], expected, atol=1e-4)
    assert facts.startswith("Answered on this device in") and facts.endswith("ms.")
    assert f"{file.stat().st_size / 1e6:.2f} MB" in model


@in_browser
def test_the_page_says_what_is_wrong_with_its_student(file, tmp_path):
    folder = to_browser(file, tmp_path / "page")
    (path,) = folder.rglob("student.safetensors")
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(PageFaultError, match=r"safetensors could not be loaded \(404"):
        ask_page(folder, ["a film"])
    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(PageFaultError, match="safetensors has another checksum"):
        ask_page(folder, ["a film"])
    # Not damaged, but of a format that this page is too old for.
    content = re.sub(rb"distill-pocket-\d", b"distill-pocket-9", content)
    path.write_bytes(content)
    pages = json.loads((folder / "page.json").read_text("utf-8"))
    pages["files"]["student/student.safetensors"] = listed(path)
    (folder / "page.json").write_text(json.dumps(pages), "utf-8")
    with pytest.raises(PageFaultError, match="cannot be used: .* distill-pocket-9"):
        ask_page(folder, ["a film"])


@in_browser
@pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed: python start.py fetch-browser"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overflows_and_axe_finds_no_serious_fault(open_page, width, scheme):
    shutil.copyfile(AXE, open_page.folder / "axe.js")
    size = {"width": width, "height": 800}
    with PageServer(open_page.folder) as server:
        page = open_page(server, viewport=size, color_scheme=scheme)
        ask_in(page, "A film that is dull, loud and wonderful " * 12)
        assert faults_of(page, width, f"packed-{width}-{scheme}") == []
